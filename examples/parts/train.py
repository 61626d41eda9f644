#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws, learns and exports the demo model: which part lies on the conveyor belt?

    python3 train.py [--out DIR]        needs torch and numpy only; a few minutes on one core

Writes parts.onnx, labels.txt and samples/ into DIR (by default this folder). Every picture is drawn by this file from a fixed seed:
there is nothing to download, and nobody else's data or licence is involved.
"""
import argparse
import pathlib
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SIZE = 64     # picture side in pixels, as the network sees it
FINE = 3      # each pixel is the mean of FINE x FINE points: that is the anti-aliasing
SEED = 2024
# One random stream per purpose, so that changing the size of one set never changes the pictures of another.
TRAIN, HELD_OUT, SAMPLES = range(3)


# ---- Parts. Each takes coordinates in units of the part's half size (its own frame, centred) and returns where the part is (bool)
# and how its surface catches the light (a factor around 1, or an array of them).

def bolt(x, y, rng):
    """Seen from the side: a head, and a shank with a thread along most of it."""
    head, thick, turns = rng.uniform(.28, .42), rng.uniform(.14, .22), rng.uniform(14, 22)
    plain = rng.uniform(-.5, 0)  # the thread starts here
    radius = thick * (1 + .14 * np.where(x > plain, np.sin(turns * x * np.pi), 0))
    in_head = (x > -1) & (x < head - 1) & (np.abs(y) < rng.uniform(2.0, 2.6) * thick)
    in_shank = (x >= head - 1) & (x < 1) & (np.abs(y) < radius)
    return in_head | in_shank, np.where(in_head, 1, 1.15 - .5 * (y / thick) ** 2)  # the shank is round: brightest along its middle


def gear(x, y, rng):
    """A disc with trapezoid teeth and a bore."""
    teeth, height, bore = rng.integers(9, 17), rng.uniform(.14, .22), rng.uniform(.15, .45)
    r, wave = np.hypot(x, y), np.cos(teeth * np.arctan2(y, x))
    rim = 1 - height + height * np.clip(.5 + 1.2 * wave, 0, 1)  # a clipped cosine has flat tips, flat roots and slanted flanks
    return (r < rim) & (r > bore), np.where(r < bore + .12, .9, 1)  # a slightly darker hub


def nut(x, y, rng):
    """A hexagon with a threaded hole; the corners are chamfered, so they look darker than the face."""
    hole = rng.uniform(.36, .55)
    flat = np.max([np.abs(x * np.cos(a) + y * np.sin(a)) for a in np.pi / 3 * np.arange(3)], axis=0)
    r = np.hypot(x, y)
    return (flat < np.cos(np.pi / 6)) & (r > hole), np.where(r < .88, 1, rng.uniform(.75, 1))


def washer(x, y, rng):
    """A flat ring."""
    r = np.hypot(x, y)
    return (r < 1) & (r > rng.uniform(.36, .62)), 1


PARTS = {'bolt': bolt, 'gear': gear, 'nut': nut, 'washer': washer}
LABELS = list(PARTS)


# ---- Pictures

def blur(picture, sigma):
    """Gaussian blur, one axis after the other; the border is repeated."""
    if sigma < .2:
        return picture
    reach = int(np.ceil(3 * sigma))
    weights = np.exp(-.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    for _ in range(2):
        wide = np.pad(picture, ((reach, reach), (0, 0)), mode='edge')
        picture = sum(w * wide[i:i + SIZE] for i, w in enumerate(weights)).T  # twice transposed is as it was
    return picture


def draw(label, rng):
    """One picture as a camera would give it: SIZE x SIZE, 8 bits grey."""
    axis = ((np.arange(SIZE * FINE) + .5) / FINE - SIZE / 2).astype(np.float32)
    col, row = np.meshgrid(axis, axis)
    # Where the part lies: always wholly in view, anywhere, any way round. The smallest are 22 pixels across: there, with blur and
    # noise, a nut's corners and a gear's teeth all but vanish, which is what keeps the task from being solved perfectly.
    half = rng.uniform(11, 27)
    free = SIZE / 2 - half
    cx, cy, turn = rng.uniform(-free, free), rng.uniform(-free, free), rng.uniform(0, 2 * np.pi)
    c, s = np.cos(turn) / half, np.sin(turn) / half
    dx, dy = col - cx, row - cy
    inside, shade = PARTS[LABELS[label]](c * dx + s * dy, c * dy - s * dx, rng)
    # Light parts on a dark belt or the other way round, so that the network must look at shape.
    while True:
        belt, metal = rng.uniform(.08, .8), rng.uniform(.15, .95)
        if abs(belt - metal) > .18:
            break
    weave = 1 + rng.uniform(0, .06) * np.sin(col * rng.uniform(.5, 2) + rng.uniform(0, 6))  # the belt's ribs
    picture = np.where(inside, metal * shade, belt * weave).reshape(SIZE, FINE, SIZE, FINE).mean((1, 3))
    # The lamp stands on one side; lens and sensor are real ones.
    side, fall = rng.uniform(0, 2 * np.pi), rng.uniform(0, .4)
    ramp = np.linspace(-1, 1, SIZE)
    picture = picture * (1 + fall * .7 * (ramp[None, :] * np.cos(side) + ramp[:, None] * np.sin(side)))
    picture = blur(picture, rng.uniform(0, 1.3)) + rng.normal(0, rng.uniform(.005, .05), (SIZE, SIZE))
    return np.round(picture.clip(0, 1) * 255).astype(np.uint8)


def pictures(purpose, count):
    """`count` pictures as uint8 [count,1,SIZE,SIZE], equally many of each class, and their labels."""
    rng = np.random.default_rng([SEED, purpose])
    labels = np.arange(count) % len(LABELS)
    return torch.from_numpy(np.stack([draw(k, rng)[None] for k in labels])), torch.from_numpy(labels)


def as_input(grey):
    return grey.float() / 255


# ---- Network

def conv(cin, cout, kernel, stride=1, groups=1):
    """Convolution and batch normalisation; the convolution needs no bias, since normalisation would only remove it."""
    return nn.Sequential(nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(cout))


class Parts(nn.Module):
    """Small, yet with one of each thing that a compiler for such networks has to handle well."""

    def __init__(self):
        super().__init__()
        self.stem = conv(1, 12, 3, 2)       # 64 -> 32
        self.down1 = conv(12, 20, 3, 2)     # 32 -> 16
        self.down2 = conv(20, 32, 3, 2)     # 16 -> 8
        self.depthwise = conv(32, 32, 3, groups=32)
        self.pointwise = conv(32, 32, 1)
        self.head = nn.Linear(32, len(LABELS))

    def forward(self, x):
        x = F.relu(self.stem(x))
        x = F.relu(self.down1(x))
        x = F.relu(self.down2(x))
        x = F.relu(x + self.pointwise(F.relu(self.depthwise(x))))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))  # logits: cross entropy is steadier on these than on probabilities


def train(network, epochs, count, batch=64):
    grey, labels = pictures(TRAIN, count)
    steps = epochs * (count // batch)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=2e-2, total_steps=steps)
    network.train()
    for epoch in range(epochs):
        total = 0.0
        for pick in torch.randperm(count)[:count // batch * batch].split(batch):
            x = as_input(grey[pick])
            # Mirrored and quarter-turned pictures are as likely as the originals and cost nothing to make.
            x = torch.rot90(x, int(torch.randint(4, ())), (2, 3))
            if torch.rand(()) < .5:
                x = x.flip(3)
            loss = F.cross_entropy(network(x), labels[pick])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f'epoch {epoch + 1:2}/{epochs}: loss {total / (count // batch):.4f}', flush=True)
    network.eval()


# ---- Result

@torch.no_grad()
def evaluate(model, count):
    """Accuracy on pictures used for nothing else: not to train, and not to choose when to stop."""
    grey, labels = pictures(HELD_OUT, count)
    # One picture at a time, as the exported graph will run.
    guesses = torch.cat([model(as_input(g[None])) for g in grey]).argmax(1)
    table = torch.zeros(len(LABELS), len(LABELS), dtype=torch.int)
    for k, g in zip(labels, guesses):
        table[k, g] += 1
    right = int(table.diag().sum())
    print(f'held-out accuracy: {right}/{count} = {100 * right / count:.1f} %   rows: truth, columns: guess')
    print(' ' * 8 + ''.join(f'{n:>8}' for n in LABELS))
    for name, row in zip(LABELS, table.tolist()):
        print(f'{name:>8}' + ''.join(f'{v:8}' for v in row))


def export(model, path):
    # PRESERVE keeps batch normalisation as nodes of its own (EVAL would fold it into the convolutions): folding is the engine
    # compiler's work, and here it is seen doing it. The network is in eval mode, so the nodes use the learnt statistics.
    torch.onnx.export(model, torch.zeros(1, 1, SIZE, SIZE), str(path), opset_version=13, training=torch.onnx.TrainingMode.PRESERVE,
                      do_constant_folding=False, input_names=['image'], output_names=['probabilities'])


@torch.no_grad()
def write_samples(model, folder):
    """The first two pictures of each class that the network gets right, with torch's answers.

    They show an engine giving torch's answers and a label one can check by eye; they say nothing of accuracy, and are not in it.
    """
    folder.mkdir(exist_ok=True)
    grey, labels = pictures(SAMPLES, 16 * len(LABELS))
    right = model(as_input(grey)).argmax(1) == labels
    picks = [int(((labels == k) & right).nonzero()[turn]) for turn in range(2) for k in range(len(LABELS))]
    lines = []
    for n, i in enumerate(picks):
        name, x = f'{n}_{LABELS[labels[i]]}', as_input(grey[i][None])
        np.save(folder / f'{name}.npy', x.numpy())
        lines.append(' '.join([name] + [f'{p:.6f}' for p in model(x)[0].tolist()]))
    (folder / 'expected.txt').write_text('\n'.join(lines) + '\n')


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument('--out', type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent, metavar='DIR')
    out = options.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    # One thread and fixed seeds: the same machine gives the same file each time.
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)
    start = time.time()
    network = Parts()
    train(network, epochs=24, count=12000)
    model = nn.Sequential(network, nn.Softmax(1)).eval()
    evaluate(model, 1000)
    export(model, out / 'parts.onnx')
    (out / 'labels.txt').write_text('\n'.join(LABELS) + '\n')
    write_samples(model, out / 'samples')
    print(f'parts.onnx: {(out / "parts.onnx").stat().st_size} bytes, {time.time() - start:.0f} s in all')


if __name__ == '__main__':
    main()
