#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws pictures of parts on a conveyor belt, with the truth about them: boxes, classes, and where each part is damaged.

    python3 pictures.py detect OUT --count 200          pictures/*.jpg and labels/*.txt: YOLO text
    python3 pictures.py classify OUT --count 200        pictures/*.jpg and labels.csv: file,class_index,class
    python3 pictures.py segment OUT --count 200         pictures/*.jpg and masks/*.png: class index per pixel

Needs numpy, and Pillow to write files. Picture number i of a seed is always the same one, however many are drawn.

A part is described by a signed distance: negative inside, in pixels, so that its edge can be smoothed exactly over one pixel and its
bevel lit by the slope of that distance. Everything else (rust, cracks, teeth) is arithmetic on such fields, over a small square around
the part; nothing is looped over pixels.
"""
import argparse
import pathlib
from dataclasses import dataclass

import numpy as np

LABELS = ('bolt', 'gear', 'nut', 'washer')
REGIONS = ('background', 'part', 'defect')
DEFECTS = {'bolt': ('crack', 'notch', 'scratch', 'rust', 'bent'), 'gear': ('crack', 'notch', 'scratch', 'rust', 'tooth'),
           'nut': ('crack', 'notch', 'scratch', 'rust'), 'washer': ('crack', 'notch', 'scratch', 'rust')}
METALS = np.array([(.62, .64, .66), (.76, .78, .80), (.80, .66, .32), (.74, .47, .34), (.17, .17, .19), (.38, .40, .43)], np.float32)
BELTS = np.array([(.13, .13, .14), (.35, .35, .36), (.10, .36, .24), (.12, .26, .48), (.78, .77, .73), (.46, .36, .27)], np.float32)
RUST = np.array((.45, .21, .08), np.float32)


@dataclass
class Scene:
    picture: np.ndarray   # uint8 [height,width,3], RGB
    boxes: np.ndarray     # float32 [n,4]: left, top, right, bottom of what is seen of each part, in pixels
    classes: np.ndarray   # int64 [n], indices into LABELS
    defects: list         # per part the name of its defect, or ''
    regions: np.ndarray   # uint8 [height,width], indices into REGIONS


# ---- Fields

def noise(rng, height, width, cell):
    """Smooth noise of mean 0 and values around +-1: random values every `cell` pixels, bilinearly between them."""
    rows, cols = int(height / cell) + 2, int(width / cell) + 2
    grid = rng.standard_normal((rows, cols)).astype(np.float32)
    y, x = np.arange(height, dtype=np.float32) / cell, np.arange(width, dtype=np.float32) / cell
    iy, ix = y.astype(int), x.astype(int)
    fy, fx = (y - iy)[:, None], x - ix
    lines = grid[iy] * (1 - fy) + grid[iy + 1] * fy
    return lines[:, ix] * (1 - fx) + lines[:, ix + 1] * fx


def blur(a, sigma):
    """Gaussian blur over the first two axes; the border is repeated."""
    if sigma < .25:
        return a
    reach = int(np.ceil(2.5 * sigma))
    weights = np.exp(-.5 * (np.arange(-reach, reach + 1) / sigma) ** 2).astype(np.float32)
    return smear(smear(a, weights, 0), weights, 1)


def smear(a, weights, axis):
    reach, length = len(weights) // 2, a.shape[axis]
    wide = np.pad(a, [(reach, reach) if k == axis else (0, 0) for k in range(a.ndim)], mode='edge')
    window = [slice(None)] * a.ndim
    total = np.zeros_like(a)
    for i, w in enumerate(weights / weights.sum()):
        window[axis] = slice(i, i + length)
        total += w * wide[tuple(window)]
    return total


def segment_distance(x, y, a, b):
    """Distance from each point to the line segment from a to b."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    t = np.clip(((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy + 1e-9), 0, 1)
    return np.hypot(x - a[0] - t * dx, y - a[1] - t * dy)


# ---- Parts. Each takes coordinates in units of the part's half size (its own frame, centred), and returns the signed distance in these
# units and how its surface catches the light (a factor around 1).

def bolt(x, y, rng):
    """Seen from the side: a head, and a shank with a thread along most of it."""
    head, thick, turns = rng.uniform(.26, .44), rng.uniform(.14, .24), rng.uniform(9, 16)
    half, lean = rng.uniform(1.7, 2.5) * thick, rng.uniform(-.8, .8)
    threaded = x > rng.uniform(-.45, .2)
    wave = np.sin((turns * x + lean * y / thick) * np.pi)
    tip = np.clip((x - .9) * 6, 0, 1) * .35  # the end is chamfered
    radius = thick * (1 + threaded * .12 * wave - tip)
    shank = np.maximum(np.abs(x - (head - 1) / 2 - .5 + head / 2) - (1 - head / 2), np.abs(y) - radius)
    if rng.random() < .4:  # a round head
        top = (np.hypot((x + 1 - head) / head, y / half) - 1) * min(head, half)
        top = np.maximum(top, x + 1 - head)
        shade_head = 1.12 - .45 * (y / half) ** 2
    else:                  # a hexagonal one: three faces
        top = np.maximum(np.abs(x + 1 - head / 2) - head / 2, np.abs(y) - half)
        shade_head = np.where(np.abs(y) < .5 * half, 1.08, rng.uniform(.65, .95))
    shade_shank = 1.15 - .55 * (y / thick) ** 2 + threaded * .16 * wave  # round: brightest along its middle
    return np.minimum(shank, top), np.where(top < shank, shade_head, shade_shank)


def gear(x, y, rng):
    """A disc with trapezoid teeth, a bore, often a hub, sometimes holes that save weight."""
    teeth, height, bore = rng.integers(9, 19), rng.uniform(.14, .24), rng.uniform(.14, .38)
    r, angle = np.hypot(x, y), np.arctan2(y, x)
    wave = np.cos(teeth * angle)
    rim = 1 - height + height * np.clip(.5 + 1.2 * wave, 0, 1)  # a clipped cosine has flat tips, flat roots and slanted flanks
    flank = 1 + 1.2 * height * teeth * np.abs(np.sin(teeth * angle)) * (np.abs(wave) < .42)  # there r - rim exceeds the distance
    distance = np.maximum((r - rim) / np.sqrt(flank), bore - r)
    shade = np.where(r < bore + .12, rng.uniform(.75, 1.1), 1)
    if rng.random() < .4 and bore < .3:
        count, at = rng.integers(3, 7), (bore + .1 + 1 - height) / 2
        size = min((1 - height - bore) * .28, at * np.sin(np.pi / count) * .7)
        turn = (angle + rng.uniform(0, 6)) % (2 * np.pi / count) - np.pi / count
        distance = np.maximum(distance, size - np.hypot(r * np.cos(turn) - at, r * np.sin(turn)))
    return distance, shade


def nut(x, y, rng):
    """A hexagon with a threaded hole; the corners are chamfered, so they look darker than the face."""
    hole = rng.uniform(.38, .56)
    flat = np.max([np.abs(x * np.cos(a) + y * np.sin(a)) for a in np.pi / 3 * np.arange(3)], axis=0)
    r = np.hypot(x, y)
    shade = np.where(r < .87, 1, rng.uniform(.7, .95))
    thread = np.where((r < hole + .07), rng.uniform(.6, .9), 1)
    return np.maximum(flat - np.cos(np.pi / 6), hole - r), shade * thread


def washer(x, y, rng):
    """A flat ring."""
    r = np.hypot(x, y)
    return np.maximum(r - 1, rng.uniform(.38, .64) - r), np.ones_like(r)


DRAW = {'bolt': bolt, 'gear': gear, 'nut': nut, 'washer': washer}


@dataclass
class Patch:
    colour: np.ndarray  # [n,n,3]
    alpha: np.ndarray   # [n,n], 0..1
    defect: np.ndarray  # [n,n] bool: the damage, where material is missing too


def scratch_field(x, y, rng, inside, reach):
    """Distance to a few nearly parallel straight lines through the part, or to one jagged one, beginning at points of it."""
    ys, xs = np.nonzero(inside)
    pick = rng.integers(len(ys))
    start, angle = np.array((x[ys[pick], xs[pick]], y[ys[pick], xs[pick]])), rng.uniform(0, 2 * np.pi)
    way = np.array((np.cos(angle), np.sin(angle)))
    side = np.array((-way[1], way[0]))
    field = np.full_like(x, 9)
    for _ in range(rng.integers(1, 4)):
        middle = start + side * rng.normal(0, .08) + way * rng.normal(0, .1)
        half = way * reach * rng.uniform(.35, .6) + side * rng.normal(0, .03)
        field = np.minimum(field, segment_distance(x, y, middle - half, middle + half))
    return field


def crack_field(x, y, rng, kind):
    """Distance to a jagged line: across the bolt, or from the hole of the others outwards."""
    if kind == 'bolt':
        at = rng.uniform(-.85, .7)
        points = np.stack([at + rng.normal(0, .05, 6), np.linspace(-.6, .6, 6)], 1)
    else:
        angle, radii = rng.uniform(0, 2 * np.pi), np.linspace(.1, 1.05, 6)
        bend = angle + rng.normal(0, .03, 6) + rng.normal(0, .25) * radii
        points = np.stack([radii * np.cos(bend), radii * np.sin(bend)], 1)
        points += rng.normal(0, .035, points.shape)
    field = np.full_like(x, 9)
    for a, b in zip(points, points[1:]):
        field = np.minimum(field, segment_distance(x, y, a, b))
    return field


def draw_part(rng, kind, half, turn, shift, defect, metal, lamp):
    """One part in the middle of a square; half: its half size in pixels; shift: where its centre lies, as a fraction of a pixel."""
    reach = int(np.ceil(half * 1.12)) + 3
    axis = np.arange(-reach, reach + 1, dtype=np.float32)
    dx, dy = (axis - shift[0])[None, :] / half, (axis - shift[1])[:, None] / half
    c, s = np.cos(turn), np.sin(turn)
    x, y = (c * dx + s * dy).astype(np.float32), (c * dy - s * dx).astype(np.float32)
    pixel = 1 / half
    if defect == 'bent':
        begin, amount = rng.uniform(-.45, .1), rng.choice((-1, 1)) * rng.uniform(.3, .65)
        past = np.maximum(x - begin, 0)
        y = y - amount * past ** 2
        x = x + .3 * np.abs(amount) * past ** 2  # what goes sideways does not go forward
    distance, shade = DRAW[kind](x, y, rng)
    damage = np.zeros(x.shape, bool)
    whole = distance < 0
    if defect == 'bent':
        damage = whole & (past > .12)
    elif defect == 'notch':
        ys, xs = np.nonzero((np.abs(distance) < pixel) & ((np.hypot(x, y) > .75) | (kind == 'bolt')))
        k = rng.integers(len(ys))
        bite = rng.uniform(.16, .3) * (1 if kind != 'bolt' else .7) + .05 * noise(rng, *x.shape, max(half * .12, 2))
        distance = np.maximum(distance, bite - np.hypot(x - x[ys[k], xs[k]], y - y[ys[k], xs[k]]))
        damage = whole & (distance >= 0)
    elif defect == 'tooth':
        # The tooth's place follows from the part: the angle of one of the outermost points, and its neighbourhood.
        ys, xs = np.nonzero(whole & (np.hypot(x, y) > .97))
        k, wide = rng.integers(len(ys)), rng.uniform(.3, .55)
        away = np.arctan2(y, x) - np.arctan2(y[ys[k], xs[k]], x[ys[k], xs[k]])
        off = (np.abs((away + np.pi) % (2 * np.pi) - np.pi) < wide / 2)
        stump = np.hypot(x, y) - rng.uniform(.74, .82) + .02 * noise(rng, *x.shape, max(half * .06, 2))
        distance = np.where(off, np.maximum(distance, stump), distance)
        damage = whole & (distance >= 0)
    alpha = np.clip(.5 - distance * half, 0, 1)
    # The bevel: near the edge the surface leans outwards, along the slope of the distance.
    bevel = rng.uniform(.05, .12)
    gy, gx = np.gradient(distance * half)
    lean = np.clip(1 + distance / bevel, 0, 1) * (gx * lamp[0] + gy * lamp[1]).clip(-1, 1)
    brushed = noise(rng, 1, 128, rng.uniform(1, 3))[0]
    along = np.abs(y) if rng.random() < .4 else np.hypot(x, y)
    grain = brushed[np.minimum((along * 60).astype(int), 127)] * rng.uniform(0, .05)
    sheen = rng.uniform(0, .25) * (dx * lamp[0] + dy * lamp[1])
    light = shade * (1 + rng.uniform(.15, .45) * lean + sheen + grain)
    if defect == 'crack':
        field = crack_field(x, y, rng, kind) + .008 * noise(rng, *x.shape, 2)
        width = max(rng.uniform(.02, .045), .8 * pixel)
        light = light * (1 - rng.uniform(.65, .95) * np.clip((width - field) / pixel + .5, 0, 1))
        damage = whole & (field < max(width + .02, 1.6 * pixel))
    colour = metal * light[..., None]
    if defect == 'scratch':
        field = scratch_field(x, y, rng, whole & (distance < -.05), rng.uniform(.5, .9))
        width = max(rng.uniform(.012, .03), .6 * pixel)
        tone = rng.choice((-1, 1)) * rng.uniform(.3, .6)
        strength = tone * np.clip((width - field) / pixel + .5, 0, 1)
        colour = colour + (strength * np.where(tone > 0, 1, metal.mean() + .1))[..., None]
        damage = whole & (field < max(width + .025, 1.6 * pixel))
    elif defect == 'rust':
        ys, xs = np.nonzero(whole)
        k = rng.integers(len(ys))
        spread = rng.uniform(.25, .5)
        field = 1 - np.hypot(x - x[ys[k], xs[k]], y - y[ys[k], xs[k]]) / spread + .35 * noise(rng, *x.shape, max(half * .15, 2))
        weight = np.clip(field * 2.5, 0, 1)[..., None]
        speckle = 1 + .3 * noise(rng, *x.shape, max(half * .06, 1.5))
        colour = colour * (1 - weight) + weight * (RUST * rng.uniform(.7, 1.4) * speckle[..., None] * (.6 + .4 * light[..., None]))
        damage = whole & (field > .2)
    return Patch(colour.astype(np.float32), alpha.astype(np.float32), damage)


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
    for name in ('pictures', {'classify': '', 'detect': 'labels', 'segment': 'masks'}[task]):
        (folder / name).mkdir(parents=True, exist_ok=True)
    table = ['file,class_index,class']
    for i in range(count):
        s = scene(task, seed, i, width, height)
        Image.fromarray(s.picture).save(folder / 'pictures' / f'{i:05}.{suffix}', **({'quality': 92} if suffix == 'jpg' else {}))
        if task == 'classify':
            table.append(f'pictures/{i:05}.{suffix},{s.classes[0]},{LABELS[s.classes[0]]}')
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
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--size', default='480x360', metavar='WxH')
    parser.add_argument('--format', default='jpg', choices=('jpg', 'png'))
    o = parser.parse_args()
    width, height = map(int, o.size.split('x'))
    write_set(o.task, o.out, o.count, o.seed, width, height, o.format)


if __name__ == '__main__':
    main()
