#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws pictures of parts on a conveyor belt, with the truth about them: boxes, classes, and where each part is damaged.

    python3 pictures.py detect OUT --count 200          images/*.jpg and labels/*.txt: YOLO text
    python3 pictures.py classify OUT --count 200        images/*.jpg and labels.csv: file,class_index,class
    python3 pictures.py segment OUT --count 200         images/*.jpg and masks/*.png: class index per pixel

Needs numpy, and Pillow to write files. Picture number i of a seed is always the same one, however many are drawn.
"""
import argparse
import pathlib
from dataclasses import dataclass

import numpy as np

from parts import DEFECTS, LABELS, Patch, blur, draw_part, noise, smear

REGIONS = ('background', 'part', 'defect')
METALS = np.array([(.62, .64, .66), (.76, .78, .80), (.80, .66, .32), (.74, .47, .34), (.17, .17, .19), (.38, .40, .43)], np.float32)
BELTS = np.array([(.13, .13, .14), (.35, .35, .36), (.10, .36, .24), (.12, .26, .48), (.78, .77, .73), (.46, .36, .27)], np.float32)


@dataclass
class Scene:
    picture: np.ndarray   # uint8 [height,width,3], RGB
    boxes: np.ndarray     # float32 [n,4]: left, top, right, bottom of what is seen of each part, in pixels
    classes: np.ndarray   # int64 [n], indices into LABELS
    defects: list         # per part the name of its defect, or ''
    regions: np.ndarray   # uint8 [height,width], indices into REGIONS


# ---- Belt, light and camera

def draw_belt(rng, height, width, unit):
    """The empty belt; unit: a length in pixels to which its texture is scaled."""
    base = BELTS[rng.integers(len(BELTS))] * rng.uniform(.75, 1.25) + rng.normal(0, .02, 3)
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]
    tone = np.ones((height, width), np.float32)
    for cell, most in ((unit * .02, .06), (unit * .08, .05), (unit * .4, .10)):
        tone += rng.uniform(0, most) * noise(rng, height, width, max(cell, 1))
    if rng.random() < .6:  # ribs, along, across or askew
        angle = rng.choice((0, np.pi / 2, rng.uniform(0, np.pi)))
        wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / max(rng.uniform(.015, .12) * unit, 3))
        tone += rng.uniform(.01, .12) * wave
    if rng.random() < .3:  # a woven belt
        period = 2 * np.pi / max(rng.uniform(.015, .05) * unit, 3)
        tone += rng.uniform(.02, .08) * np.sin(x * period) * np.sin(y * period)
    if rng.random() < .2:  # a seam
        tone -= rng.uniform(.1, .4) * (np.abs(x * .3 + y - rng.uniform(0, 1.3) * height) < rng.uniform(.005, .015) * unit)
    if rng.random() < .35:  # stains
        tone *= 1 - rng.uniform(.1, .4) * np.clip(noise(rng, height, width, unit * .12) - 1, 0, 1)
    belt = tone[..., None] * base.astype(np.float32)
    if rng.random() < .3:  # the belt's edge, and the frame beside it
        edge = rng.uniform(.02, .1) * height
        belt = np.where((y if rng.random() < .5 else height - y)[..., None] < edge, rng.uniform(.2, .7, 3), belt)
    return belt.astype(np.float32), base


def paste(canvas, patch, left, top):
    """The windows of canvas and patch that cover each other, as two slices each."""
    h, w = canvas.shape[:2]
    n = patch.alpha.shape[0]
    y0, y1, x0, x1 = max(top, 0), min(top + n, h), max(left, 0), min(left + n, w)
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def camera(rng, picture, unit):
    """What lamp, lens and sensor do to it."""
    h, w = picture.shape[:2]
    side, fall = rng.uniform(0, 2 * np.pi), rng.uniform(0, .35)
    ramp = np.linspace(-1, 1, h)[:, None] * np.sin(side) + np.linspace(-1, 1, w)[None, :] * np.cos(side)
    gain = rng.uniform(.75, 1.25) * rng.uniform(.93, 1.07, 3)
    picture = picture * ((1 + fall * ramp)[..., None] * gain).astype(np.float32)
    picture = blur(picture, rng.uniform(0, .0035) * unit)
    if rng.random() < .25:  # the belt moves while the shutter is open
        picture = smear(picture, np.ones(2 * int(rng.uniform(.004, .01) * unit) + 1, np.float32), 1)
    picture = np.clip(picture, 0, 1) ** rng.uniform(.85, 1.2)
    grainy = rng.uniform(.003, .035)
    picture = picture + grainy * rng.standard_normal(picture.shape, dtype=np.float32) * (.5 + picture)
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def draw_scene(rng, width, height, places, defective, litter=0):
    """One picture. places: (class, half size, centre x, centre y) of each part in pixels, the later above the earlier; defective: how
    likely a part is damaged; litter: how many chips of metal lie about."""
    unit = min(width, height)
    picture, base = draw_belt(rng, height, width, unit)
    owner = np.full((height, width), -1)
    regions = np.zeros((height, width), np.uint8)
    angle = rng.uniform(0, 2 * np.pi)
    lamp, fall = np.array((np.cos(angle), np.sin(angle))), rng.uniform(0, .5)
    metals = METALS[np.abs(METALS - base).max(1) > .16]  # parts of the belt's own colour cannot be seen
    for _ in range(litter):
        drop(rng, picture, metals, lamp)
    defects = []
    for n, (label, half, cx, cy) in enumerate(places):
        kind = LABELS[label]
        defect = str(rng.choice(DEFECTS[kind])) if rng.random() < defective else ''
        metal = metals[rng.integers(len(metals))] * rng.uniform(.9, 1.1) + rng.normal(0, .02, 3).astype(np.float32)
        ix, iy = int(np.floor(cx)), int(np.floor(cy))
        patch = draw_part(rng, kind, half, rng.uniform(0, 2 * np.pi), (cx - ix, cy - iy), defect, metal, lamp)
        n_side = patch.alpha.shape[0]
        left, top = ix - n_side // 2, iy - n_side // 2
        away = rng.uniform(.02, .12) * half
        sx, sy = np.round(lamp * away).astype(int)
        where, what = paste(picture, patch, left + sx, top + sy)
        picture[where] *= 1 - fall * blur(patch.alpha, max(away * .5, .6))[what][..., None]
        where, what = paste(picture, patch, left, top)
        alpha = patch.alpha[what][..., None]
        picture[where] += alpha * (patch.colour[what] - picture[where])
        solid, damage = patch.alpha[what] > .5, patch.defect[what]
        owner[where][solid] = n
        regions[where][solid] = 1
        regions[where][damage] = 2
        defects.append(defect)
    boxes = np.zeros((len(places), 4), np.float32)
    for n in range(len(places)):
        ys, xs = np.nonzero(owner == n)
        if len(ys):
            boxes[n] = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
    classes = np.array([p[0] for p in places], np.int64)
    return Scene(camera(rng, picture, unit), boxes, classes, defects, regions)


def drop(rng, picture, metals, lamp):
    """A chip or curl of metal that is no part."""
    h, w = picture.shape[:2]
    size = rng.uniform(.01, .05) * min(h, w)
    reach = int(size * 2) + 3
    axis = np.arange(-reach, reach + 1, dtype=np.float32) / size
    y, x = np.meshgrid(axis, axis, indexing='ij')
    if rng.random() < .5:  # a lump
        distance = np.hypot(x * rng.uniform(.6, 1.6), y) - .8 + .25 * noise(rng, *x.shape, max(size * .4, 2))
    else:                  # a curl: part of a thin ring
        distance = np.maximum(np.abs(np.hypot(x, y - .3) - 1.2) - .15, x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1) - .2)
    alpha = np.clip(.5 - distance * size, 0, 1)
    light = 1 + .2 * (x * lamp[0] + y * lamp[1])
    patch = Patch((metals[rng.integers(len(metals))] * light[..., None]).astype(np.float32), alpha.astype(np.float32), alpha > 2)
    where, what = paste(picture, patch, int(rng.integers(w)) - reach, int(rng.integers(h)) - reach)
    picture[where] += patch.alpha[what][..., None] * (patch.colour[what] - picture[where])


# ---- The three tasks

def classify_scene(rng, width, height):
    """One part near the middle."""
    unit = min(width, height)
    half = rng.uniform(.2, .43) * unit
    free = (unit / 2 - half) * .7
    label = int(rng.integers(len(LABELS)))
    place = (label, half, width / 2 + rng.uniform(-free, free), height / 2 + rng.uniform(-free, free))
    return draw_scene(rng, width, height, [place], .3, rng.integers(0, 4))


def scatter(rng, width, height, count, least, most, overlap):
    """Places for up to `count` parts; two may cover each other up to the fraction `overlap` of the smaller one's radius."""
    unit, places = min(width, height), []
    for _ in range(count * 6):
        half = unit * least * (most / least) ** rng.random()
        margin = min(half * rng.uniform(.7, 1.1), unit / 2)  # a part may lie partly outside
        label = int(rng.integers(len(LABELS)))
        x, y = rng.uniform(margin, width - margin), rng.uniform(margin, height - margin)
        if all(np.hypot(x - px, y - py) > half + ph - overlap * 2 * min(half, ph) for _, ph, px, py in places):
            places.append((label, half, x, y))
        if len(places) == count:
            break
    return places


def detect_scene(rng, width, height):
    """Several parts, of which some lie partly on each other or outside; now and then an empty belt."""
    count = 0 if rng.random() < .02 else int(rng.integers(1, 10))
    places = scatter(rng, width, height, count, .07, .24, rng.choice((0, .12, .28)))
    return draw_scene(rng, width, height, places, .25, rng.integers(0, 7))


def segment_scene(rng, width, height):
    """One to three parts seen from near, most of them damaged."""
    count = int(rng.choice((1, 1, 2, 3)))
    places = scatter(rng, width, height, count, .2, .46 if count == 1 else .3, 0)
    return draw_scene(rng, width, height, places, .7, rng.integers(0, 4))


SCENES = {'classify': classify_scene, 'detect': detect_scene, 'segment': segment_scene}


def scene(task, seed, number, width, height):
    """Picture `number` of the endless series that `seed` (an integer or a list of them) begins."""
    return SCENES[task](np.random.default_rng([*np.atleast_1d(seed), list(SCENES).index(task), number]), width, height)


# ---- Files

def yolo_text(s):
    """One line per part: class, centre x, centre y, width, height, as fractions of the picture."""
    h, w = s.regions.shape
    lines = []
    for k, (x0, y0, x1, y1) in zip(s.classes, s.boxes):
        lines.append(f'{k} {(x0 + x1) / 2 / w:.6f} {(y0 + y1) / 2 / h:.6f} {(x1 - x0) / w:.6f} {(y1 - y0) / h:.6f}\n')
    return ''.join(lines)


def write_set(task, folder, count, seed, width, height, suffix='jpg'):
    from PIL import Image
    for name in ('images', {'classify': '', 'detect': 'labels', 'segment': 'masks'}[task]):
        (folder / name).mkdir(parents=True, exist_ok=True)
    table = ['file,class_index,class']
    for i in range(count):
        s = scene(task, seed, i, width, height)
        Image.fromarray(s.picture).save(folder / 'images' / f'{i:05}.{suffix}', **({'quality': 92} if suffix == 'jpg' else {}))
        if task == 'classify':
            table.append(f'images/{i:05}.{suffix},{s.classes[0]},{LABELS[s.classes[0]]}')
        elif task == 'detect':
            (folder / 'labels' / f'{i:05}.txt').write_text(yolo_text(s))
        else:
            Image.fromarray(s.regions).save(folder / 'masks' / f'{i:05}.png')
    if task == 'classify':
        (folder / 'labels.csv').write_text('\n'.join(table) + '\n')
    (folder / 'labels.txt').write_text('\n'.join(REGIONS if task == 'segment' else LABELS) + '\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('task', choices=SCENES)
    parser.add_argument('out', type=pathlib.Path)
    parser.add_argument('--count', type=int, default=100)
    parser.add_argument('--seed', type=int, default=[1], nargs='+')
    parser.add_argument('--size', default='480x360', metavar='WxH')
    parser.add_argument('--format', default='jpg', choices=('jpg', 'png'))
    o = parser.parse_args()
    width, height = map(int, o.size.split('x'))
    write_set(o.task, o.out, o.count, o.seed, width, height, o.format)


if __name__ == '__main__':
    main()
