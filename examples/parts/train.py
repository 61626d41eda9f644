#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws, learns and exports the demo models: parts_classify.onnx, parts_detect.onnx, parts_segment.onnx.

    python3 train.py [classify detect segment] [--quick]      needs torch and numpy

Every picture is drawn by pictures.py from a fixed seed: there is nothing to download, and nobody else's data or licence is involved.
"""
import argparse
import copy
import pathlib
import tempfile
import time
import zlib

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import networks
import pictures
import reference

SEED = 2026
WORK = pathlib.Path(tempfile.gettempdir()) / 'hone-parts'
# One series of pictures per purpose, so that changing the size of one set never changes the pictures of another.
TRAIN, HELD_OUT, SAMPLES = range(3)
SIZES = {'classify': 96, 'detect': 256, 'segment': 192}
HELD_OUT_SHAPE = {'classify': (320, 240), 'detect': (480, 360), 'segment': (384, 288)}
# (pictures, steps, pictures per step, highest learning rate)
PLANS = {'classify': (4000, 4000, 64, 8e-3), 'detect': (6000, 4500, 16, 4e-3), 'segment': (6000, 4000, 16, 4e-3)}
MOST = 9   # parts in one picture
CROP = 96  # side of what the segmentation learns from most of the time


# ---- Pictures

def fit(task, picture, how='area'):
    if task == 'classify':
        return reference.centre_crop(picture, SIZES[task], how), (1, 0, 0)
    return reference.letterbox(picture, SIZES[task], how)


def training_set(task, count):
    """Pictures as the networks see them, uint8 [count,size,size,3], and the truth about them.

    Drawn somewhat larger, in several shapes, and resized in one of two ways: the models should depend on neither.
    """
    size = SIZES[task]
    x = np.empty((count, size, size, 3), np.uint8)
    y = {'classify': np.empty(count, np.int64), 'segment': np.zeros((count, size, size), np.uint8),
         'detect': np.full((count, MOST, 5), -1, np.float32)}[task]
    start = time.time()
    for i in range(count):
        rng = np.random.default_rng([SEED, TRAIN, i])
        longer = int(size * rng.uniform(.85, 1.7))
        shape = {'classify': [1, 1], 'detect': [1, rng.choice((.5625, .75, .75, 1))], 'segment': [1, rng.choice((.75, .75, 1))]}[task]
        width, height = [max(int(longer * side), 1) for side in (shape if rng.random() < .8 else shape[::-1])]
        s = pictures.scene(task, [SEED, TRAIN], i, width, height)
        square, undo = fit(task, s.picture, rng.choice(('area', 'bilinear')))
        x[i] = np.round(square)
        scale, left, top = undo
        if task == 'classify':
            y[i] = s.classes[0]
        elif task == 'detect':
            n = len(s.boxes)
            y[i, :n, 0] = s.classes
            y[i, :n, 1:] = s.boxes * scale + (left, top, left, top)
        else:
            nh, nw = int(height * scale + .5), int(width * scale + .5)
            rows, cols = ((np.arange(n) + .5) * old / n for n, old in ((nh, height), (nw, width)))
            y[i, top:top + nh, left:left + nw] = s.regions[rows.astype(int)[:, None], cols.astype(int)]
        if (i + 1) % 2000 == 0:
            print(f'{task}: {i + 1} pictures drawn, {time.time() - start:.0f} s', flush=True)
    return x, y


def cached(task, count, folder):
    """training_set, kept in a folder: drawing takes as long as training. What draws is in the name, so that old pictures are not used."""
    here = pathlib.Path(__file__).resolve().parent
    code = zlib.crc32(b''.join((here / f).read_bytes() for f in ('parts.py', 'pictures.py', 'reference.py')))
    paths = [folder / f'{task}_{count}_{code:08x}_{part}.npy' for part in 'xy']
    if not paths[1].exists():
        for path, values in zip(paths, training_set(task, count)):
            np.save(path, values)
    return [np.load(path) for path in paths]


def turned(x, y, task, way):
    """Mirrored and quarter-turned pictures are as likely as the originals and cost nothing to make. way: 0..7, its bits say which of
    transposing, mirroring left-right and mirroring top-bottom."""
    size = x.shape[-1]
    boxes = y[..., 1:] if task == 'detect' else None
    if way & 1:
        x = x.transpose(2, 3)
        y = y.transpose(1, 2) if task == 'segment' else y
        boxes = boxes[..., [1, 0, 3, 2]] if task == 'detect' else None
    for bit, low, high in ((2, 0, 2), (4, 1, 3)):
        if way & bit:
            x = x.flip(3 if bit == 2 else 2)
            y = y.flip(2 if bit == 2 else 1) if task == 'segment' else y
            if task == 'detect':
                mirrored = boxes.clone()
                mirrored[..., low], mirrored[..., high] = size - boxes[..., high], size - boxes[..., low]
                boxes = mirrored
    return x, torch.cat([y[..., :1], boxes], 2) if task == 'detect' else y


def crops(x, y, side):
    """A square out of each picture, two thirds of them where something is damaged: most of a picture is belt, and teaches little."""
    pieces = np.empty((len(x), side, side, 3), np.uint8), np.empty((len(y), side, side), np.uint8)
    for i in range(len(x)):
        damaged = np.flatnonzero(y[i] == 2)
        row, col = np.random.randint(0, x.shape[1], 2)
        if len(damaged) and np.random.random() < .67:
            row, col = divmod(np.random.choice(damaged), x.shape[2])
        top, left = (np.clip(at - np.random.randint(side), 0, x.shape[1] - side) for at in (row, col))
        for piece, whole in zip(pieces, (x, y)):
            piece[i] = whole[i, top:top + side, left:left + side]
    return pieces


def batches(x, y, task, steps, batch):
    count, done = len(x), 0
    while done < steps:
        for pick in torch.randperm(count)[:count // batch * batch].split(batch):
            some_x, some_y = x[pick.numpy()], y[pick.numpy()]
            if task == 'segment' and done % 8:
                some_x, some_y = crops(some_x, some_y, CROP)
            colour = torch.from_numpy(some_x).permute(0, 3, 1, 2).float() / 255
            colour = colour * torch.empty(len(pick), 3, 1, 1).uniform_(.9, 1.1) * torch.empty(len(pick), 1, 1, 1).uniform_(.75, 1.25)
            colour, truth = turned(colour.clamp_(0, 1), torch.from_numpy(some_y), task, int(torch.randint(8, ())))
            yield colour.contiguous(memory_format=torch.channels_last), truth
            done += 1
            if done == steps:
                return


# ---- What is to be learnt

def classify_loss(logits, truth):
    return F.cross_entropy(logits, truth, label_smoothing=.02)


def segment_loss(logits, truth):
    """Cross entropy, and that the damage found and the true one cover each other: it is one pixel in fifty."""
    truth = truth.long()
    damaged, p = (truth == 2).float(), torch.softmax(logits, 1)[:, 2]
    dice = 1 - (2 * (p * damaged).sum() + 20) / (p.sum() + damaged.sum() + 20)
    return F.cross_entropy(logits, truth, weight=torch.tensor([1., 1., 3.])) + .5 * dice


GRID = torch.from_numpy(reference.cells(SIZES['detect']))


def assign(truth):
    """Which part each row answers for: rows within a cell and a half of a part's middle, at the scale (or two) that suits its size.
    truth: [n,MOST,5]. Returns indices [n,rows] into the parts, -1: none."""
    stride = GRID[:, 2]
    centres = (GRID[:, :2] + .5) * stride[:, None]
    boxes = truth[..., 1:]
    middle, side = (boxes[..., :2] + boxes[..., 2:]) / 2, (boxes[..., 2:] - boxes[..., :2]).max(2)[0]
    away = (centres[None, None] - middle[:, :, None]).abs().max(3)[0] / stride  # [n,MOST,rows]
    least, most = torch.where(stride == 8, 0, stride * 2.3), torch.where(stride == 32, 1e9, stride * 5.8)
    fits = (truth[..., :1] >= 0) & (side[..., None] > least) & (side[..., None] <= most) & (away < 1.5)
    nearest, part = torch.where(fits, away, 99.).min(1)
    return torch.where(nearest < 99, part, -1)


def detect_loss(rows, truth):
    """As YOLOX: objectness everywhere, which should say how well the box fits; box and class where a part is."""
    part = assign(truth)
    where = part >= 0
    picture = where.nonzero()[:, 0]
    target = truth[picture, part[where]]
    grid = GRID.expand(len(rows), -1, -1)[where]
    guess = rows[where]
    middle, extent = (guess[:, :2] + grid[:, :2]) * grid[:, 2:], torch.exp(guess[:, 2:4].clamp(-4, 4)) * grid[:, 2:]
    low, high = middle - extent / 2, middle + extent / 2
    true_low, true_high = target[:, 1:3], target[:, 3:]
    both = (torch.minimum(high, true_high) - torch.maximum(low, true_low)).clamp(0).prod(1)
    either = extent.prod(1) + (true_high - true_low).prod(1) - both
    hull = (torch.maximum(high, true_high) - torch.minimum(low, true_low)).prod(1)
    iou = both / either
    box = (1 - iou + (hull - either) / hull).sum()
    present = torch.zeros_like(rows[..., 4])
    present[where] = iou.detach().clamp(0, 1)
    kind = F.one_hot(target[:, 0].long(), len(pictures.LABELS)).float()
    score = F.binary_cross_entropy_with_logits(rows[..., 4], present, reduction='sum')
    named = F.binary_cross_entropy_with_logits(guess[:, 5:], kind, reduction='sum')
    return (3 * box + score + named) / max(len(target), 1)


LOSS = {'classify': classify_loss, 'detect': detect_loss, 'segment': segment_loss}
NETWORK = {'classify': networks.Classify, 'detect': networks.Detect, 'segment': networks.Segment}


def classes(task):
    return pictures.REGIONS if task == 'segment' else pictures.LABELS


def train(task, quick, minutes, folder, start_from=None):
    count, steps, batch, rate = PLANS[task]
    if quick:
        count, steps = count // 8, steps // 12
    x, y = cached(task, count, folder)
    network = NETWORK[task](len(classes(task))).to(memory_format=torch.channels_last)
    print(f'{task}: {sum(p.numel() for p in network.parameters())} parameters', flush=True)
    if start_from:
        network.load_state_dict(torch.load(start_from / f'parts_{task}.pt'))
        rate = rate / 2
    plain = [p for p in network.parameters() if p.ndim < 2]  # scales and biases are not held small
    optimiser = torch.optim.AdamW([{'params': [p for p in network.parameters() if p.ndim >= 2], 'weight_decay': .02},
                                   {'params': plain, 'weight_decay': 0}], lr=rate)
    mean = copy.deepcopy(network)  # of the weights over the last few hundred steps: better than any one of them
    start, total = time.time(), 0.0
    for step, (colour, truth) in enumerate(batches(x, y, task, steps, batch)):
        # The rate of learning rises over the first tenth, then falls along a cosine; with a limit of time, time is what counts.
        done = max(step / steps, (time.time() - start) / 60 / minutes)
        if done >= 1:
            break
        for group in optimiser.param_groups:
            group['lr'] = rate * (min(done * 10, 1) * .5 * (1 + np.cos(np.pi * max(done - .1, 0) / .9)) + .003)
        loss = LOSS[task](network(colour), truth)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 10)
        optimiser.step()
        total += loss.item()
        keep = min(.998, step / (step + 20))
        with torch.no_grad():
            for slow, fast in zip(mean.state_dict().values(), network.state_dict().values()):
                slow.copy_(slow * keep + fast * (1 - keep) if slow.is_floating_point() else fast)
        if (step + 1) % 200 == 0:
            print(f'{task}: step {step + 1}/{steps}, loss {total / 200:.4f}, {time.time() - start:.0f} s', flush=True)
            total = 0.0
    print(f'{task}: {step} steps', flush=True)
    return mean.eval()


# ---- Result

def exported(task, network):
    return {'classify': lambda: nn.Sequential(network, nn.Softmax(1)), 'detect': lambda: networks.Rows(network),
            'segment': lambda: network}[task]().eval()


def export(task, network, path):
    # PRESERVE keeps batch normalisation as nodes of its own (EVAL would fold it into the convolutions): folding is the engine
    # compiler's work, and here it is seen doing it. The network is in eval mode, so the nodes use the learnt statistics.
    name = {'classify': 'probabilities', 'detect': 'detections', 'segment': 'mask'}[task]
    torch.onnx.export(exported(task, network), torch.zeros(1, 3, SIZES[task], SIZES[task]), str(path), opset_version=13,
                      training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False, input_names=['image'], output_names=[name])
    print(f'{path.name}: {path.stat().st_size} bytes', flush=True)


@torch.no_grad()
def answer(task, model, picture):
    """What the model says about one picture of any size: probabilities, (boxes, scores, classes), or the class of every pixel."""
    square, undo = fit(task, picture)
    y = model(torch.from_numpy(reference.tensor(square[None]))).numpy()[0]
    if task == 'classify':
        return y
    if task == 'segment':
        return reference.regions(y, undo, picture.shape)
    return reference.detections(y, SIZES[task], undo, picture.shape, .001, .65)


def evaluate(task, network, count):
    """Scores on pictures used for nothing else: not to train, and not to choose when to stop."""
    model, names = exported(task, network), classes(task)
    width, height = HELD_OUT_SHAPE[task]
    scenes = (pictures.scene(task, [SEED, HELD_OUT], i, width, height) for i in range(count))
    print(f'{task}: {count} held-out pictures of {width}x{height}')
    table = np.zeros((len(names), len(names)), int)
    if task == 'detect':
        found, truth = [], []
        for s in scenes:
            found.append(answer(task, model, s.picture))
            truth.append((s.boxes, s.classes))
        ap = reference.average_precision(found, truth, len(names))
        print(f'mAP@.5 {ap[:, 0].mean():.4f}  mAP@[.5:.95] {ap.mean():.4f}  parts: {sum(len(t[0]) for t in truth)}')
        for name, row in zip(names, ap):
            print(f'  {name}: AP@.5 {row[0]:.4f}  AP@.75 {row[5]:.4f}  AP@[.5:.95] {row.mean():.4f}')
        return
    kinds = {}
    for s in scenes:
        y = answer(task, model, s.picture)
        truth, guess = (s.regions, y) if task == 'segment' else (s.classes, y.argmax(keepdims=True))
        here = reference.confusion(truth, guess, len(names))
        table += here
        if task == 'segment' and len(s.defects) == 1 and s.defects[0]:
            hit, all_of_it = kinds.get(s.defects[0], (0, 0))
            kinds[s.defects[0]] = hit + here[2, 2], all_of_it + here[2].sum()
    print(f'{"top-1" if task == "classify" else "pixels right"}: {table.trace()}/{table.sum()} = {table.trace() / table.sum():.4f}')
    print(table)
    if task == 'segment':
        iou = reference.intersection_over_union(table)
        print(f'mIoU {iou.mean():.4f}  ' + '  '.join(f'{n} {v:.4f}' for n, v in zip(names, iou)))
        print('share of the damage found: ' + '  '.join(f'{k} {h / n:.3f}' for k, (h, n) in sorted(kinds.items())))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('tasks', nargs='*', metavar='TASK', help='classify, detect, segment; none: all three')
    parser.add_argument('--out', type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent, metavar='DIR')
    parser.add_argument('--quick', action='store_true', help='a tenth of the training, to see that everything works')
    parser.add_argument('--minutes', type=float, default=1e9, metavar='N', help='to train at most so long (drawing aside), in fewer steps')
    parser.add_argument('--score', action='store_true', help='train nothing; score what was trained last')
    parser.add_argument('--held-out', type=int, default=1000, metavar='N', help='pictures for the scores')
    parser.add_argument('--work', type=pathlib.Path, default=WORK, metavar='DIR', help='for drawn pictures and weights')
    parser.add_argument('--start', type=pathlib.Path, metavar='DIR', help='go on from the weights here, at half the rate')
    options = parser.parse_args()
    for folder in options.out, options.work:
        folder.mkdir(parents=True, exist_ok=True)
    for task in options.tasks or SIZES:
        # One thread and fixed seeds: the same machine gives the same file each time.
        torch.set_num_threads(1)
        torch.manual_seed(SEED)
        np.random.seed(SEED)
        start = time.time()
        if options.score:
            network = NETWORK[task](len(classes(task))).eval()
            network.load_state_dict(torch.load(options.work / f'parts_{task}.pt'))
        else:
            network = train(task, options.quick, options.minutes, options.work, options.start)
            export(task, network, options.out / f'parts_{task}.onnx')
            torch.save(network.state_dict(), options.work / f'parts_{task}.pt')
        evaluate(task, network, options.held_out)
        print(f'{task}: {time.time() - start:.0f} s in all', flush=True)


if __name__ == '__main__':
    main()
