# SPDX-License-Identifier: Apache-2.0
"""What comes before a network and after it, and how its answers are scored, in plain numpy: a yardstick for Hone's own commands."""
import numpy as np

GREY = 114  # what letterboxing fills the border with


# ---- Before

def taps(old, new, how):
    """Matrix [new,old] that resizes one axis. Pixel i covers [i,i+1). 'bilinear': the two nearest pixel centres, as OpenCV's
    INTER_LINEAR; 'area': the mean of what the new pixel covers, as its INTER_AREA, which enlarges bilinearly."""
    step, at = old / new, np.arange(new)
    if how == 'area' and step > 1:
        edge = np.arange(old)
        covered = np.minimum((at[:, None] + 1) * step, edge + 1) - np.maximum(at[:, None] * step, edge)
        return (covered.clip(0) / step).astype(np.float32)
    centre = ((at + .5) * step - .5).clip(0, old - 1)
    low = centre.astype(int)
    matrix = np.zeros((new, old), np.float32)
    np.add.at(matrix, (at, low), 1 - (centre - low))
    np.add.at(matrix, (at, np.minimum(low + 1, old - 1)), centre - low)
    return matrix


def resize(picture, width, height, how='area'):
    """uint8 or float [h,w,3] -> float32 [height,width,3]."""
    h, w = picture.shape[:2]
    rows = np.tensordot(taps(h, height, how), picture.astype(np.float32), (1, 0))
    return np.tensordot(rows, taps(w, width, how), (1, 1)).transpose(0, 2, 1)


def letterbox(picture, size, how='area'):
    """Into a square, centred, the shape kept. Returns it (float32, 0..255) and (scale, left, top), which undo it."""
    h, w = picture.shape[:2]
    scale = min(size / w, size / h)
    nw, nh = max(int(w * scale + .5), 1), max(int(h * scale + .5), 1)
    left, top = (size - nw) // 2, (size - nh) // 2
    square = np.full((size, size, 3), GREY, np.float32)
    square[top:top + nh, left:left + nw] = resize(picture, nw, nh, how)
    return square, (scale, left, top)


def centre_crop(picture, size, how='area'):
    """The largest square in the middle, resized (float32, 0..255)."""
    h, w = picture.shape[:2]
    side = min(h, w)
    top, left = (h - side) // 2, (w - side) // 2
    return resize(picture[top:top + side, left:left + side], size, size, how)


def tensor(squares):
    """[n,h,w,3], 0..255 -> float32 [n,3,h,w], 0..1."""
    return np.ascontiguousarray(squares.transpose(0, 3, 1, 2), dtype=np.float32) / np.float32(255)


# ---- After

def cells(size, strides=(8, 16, 32)):
    """Of each row of the detector: grid x, grid y, stride."""
    parts = []
    for stride in strides:
        gy, gx = np.mgrid[:size // stride, :size // stride]
        parts.append(np.stack([gx.ravel(), gy.ravel(), np.full(gx.size, stride)], 1))
    return np.concatenate(parts).astype(np.float32)


def overlap(a, b):
    """Intersection over union of boxes [n,4] and [m,4] -> [n,m]."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.clip(high - low, 0, None).prod(2)
    area = [(c[:, 2:] - c[:, :2]).prod(1) for c in (a, b)]
    return both / np.maximum(area[0][:, None] + area[1][None] - both, 1e-9)


def detections(rows, size, undo, shape, least, most_overlap):
    """One picture's rows [A,5+K] -> boxes [n,4] in pixels of the picture, scores [n], classes [n]: best first, rid of those that overlap
    a better one by more than `most_overlap`, whatever its class: two parts never lie quite in one place, but a nut may look like a washer."""
    grid = cells(size)
    middle = (rows[:, :2] + grid[:, :2]) * grid[:, 2:]
    extent = np.exp(rows[:, 2:4]) * grid[:, 2:]
    classes = rows[:, 5:].argmax(1)
    scores = rows[:, 4] * rows[:, 5:].max(1)
    keep = np.flatnonzero(scores >= least)
    keep = keep[np.argsort(-scores[keep], kind='stable')]
    boxes = np.concatenate([middle - extent / 2, middle + extent / 2], 1)[keep]
    scores, classes = scores[keep], classes[keep]
    rival = overlap(boxes, boxes) > most_overlap
    alive = np.ones(len(boxes), bool)
    for i in range(len(boxes)):
        if alive[i]:
            alive[i + 1:] &= ~rival[i, i + 1:]
    scale, left, top = undo
    boxes = ((boxes[alive] - (left, top, left, top)) / scale).clip(0, (shape[1], shape[0], shape[1], shape[0]))
    return boxes.astype(np.float32), scores[alive], classes[alive]


def regions(logits, undo, shape):
    """Logits [K,size,size] of a letterboxed square -> class of each pixel of the picture: that of the pixel of the square it lies in."""
    scale, left, top = undo
    y = (np.arange(shape[0]) + .5) * int(shape[0] * scale + .5) / shape[0] + top
    x = (np.arange(shape[1]) + .5) * int(shape[1] * scale + .5) / shape[1] + left
    return logits.argmax(0)[y.astype(int)[:, None], x.astype(int)]


# ---- Scores

def average_precision(found, truth, classes, thresholds=np.arange(.5, 1, .05)):
    """found: per picture (boxes, scores, classes); truth: per picture (boxes, classes). Returns AP [classes,thresholds] as COCO defines
    it: precision made to fall monotonically, then its mean at the 101 recalls 0, .01, ... 1. At most 100 boxes count per picture."""
    table = np.full((classes, len(thresholds)), np.nan)
    for k in range(classes):
        total = sum(int((t[1] == k).sum()) for t in truth)
        if not total:
            continue
        scores, hits = [], []
        for (boxes, s, c), (true_boxes, true_classes) in zip(found, truth):
            mine = np.flatnonzero(c[:100] == k)
            both = overlap(boxes[mine], true_boxes[true_classes == k])
            hit = np.zeros((len(mine), len(thresholds)), bool)
            for n, threshold in enumerate(thresholds):
                free = np.ones(both.shape[1], bool)
                for i in range(len(mine)):
                    rivals = np.where(free, both[i], -1)
                    if rivals.size and rivals.max() >= threshold:
                        free[rivals.argmax()] = False
                        hit[i, n] = True
            scores.append(s[mine])
            hits.append(hit)
        order = np.argsort(-np.concatenate(scores), kind='stable')
        right = np.concatenate(hits)[order].cumsum(0)
        recall = right / total
        precision = right / np.arange(1, len(order) + 1)[:, None]
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        for n in range(len(thresholds)):
            at = np.searchsorted(recall[:, n], np.linspace(0, 1, 101))
            table[k, n] = np.where(at < len(order), precision[np.minimum(at, len(order) - 1), n], 0).mean() if len(order) else 0
    return table


def confusion(truth, guess, classes):
    """Counts [classes,classes]: rows are the truth."""
    return np.bincount(truth.ravel().astype(int) * classes + guess.ravel(), minlength=classes * classes).reshape(classes, classes)


def intersection_over_union(table):
    """Per class, from a confusion table."""
    return table.diagonal() / np.maximum(table.sum(0) + table.sum(1) - table.diagonal(), 1)
