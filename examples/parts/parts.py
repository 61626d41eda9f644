# SPDX-License-Identifier: Apache-2.0
"""Draws one part: bolt, gear, nut or washer, sound or damaged.

A part is described by a signed distance: negative inside, so that its edge can be smoothed exactly over one pixel and its bevel lit by
the slope of that distance. Everything else (rust, cracks, teeth) is arithmetic on such fields, over a small square around the part;
nothing is looped over pixels.
"""
from dataclasses import dataclass

import numpy as np

LABELS = ('bolt', 'gear', 'nut', 'washer')
DEFECTS = {'bolt': ('crack', 'notch', 'scratch', 'rust', 'bent'), 'gear': ('crack', 'notch', 'scratch', 'rust', 'tooth'),
           'nut': ('crack', 'notch', 'scratch', 'rust'), 'washer': ('crack', 'notch', 'scratch', 'rust')}
RUST = np.array((.45, .21, .08), np.float32)


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
