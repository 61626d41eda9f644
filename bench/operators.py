#!/usr/bin/env python3
"""Writes ONNX models of one operator each, in sizes that occur, for `bench/compare`: those that Hone runs by references.

    bench/operators.py FOLDER && bench/compare FOLDER
"""
import array
import os
import pathlib
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'tests/cli'))
from onnx_writer import FLOAT, INT64, blob, number, model, node, value  # noqa: E402


def constant(name, dims, values, dtype=INT64):
    raw = array.array('q' if dtype == INT64 else 'f', values).tobytes()
    return b''.join(number(1, d) for d in dims) + number(2, dtype) + blob(8, name) + blob(9, raw)


def whole(name, n):
    return blob(1, name) + number(3, n) + number(20, 2)


def op(kind, inputs, outputs, **attributes):
    return node(kind, inputs, outputs, 'make_' + outputs[0]) + b''.join(blob(5, whole(k, v)) for k, v in attributes.items())


def models():
    draw = random.Random(1)
    million, side = 1_000_000, 1000

    def indices(n, below):
        return [draw.randrange(below) for _ in range(n)]

    heads, length, size, past = 8, 256, 64, 512
    q, kv = [1, heads, length, size], [value(n, [1, heads, length, size]) for n in ('q', 'k', 'v')]
    mask = constant('mask', [length, length], [0.0 if j <= i else -1e4 for i in range(length) for j in range(length)], FLOAT)
    yield 'attention_mask', [op('Attention', ['q', 'k', 'v', 'mask'], ['y'])], kv, [value('y', q)], [mask]
    one = [value(n, [1, heads, 1, size]) for n in ('q', 'k', 'v')]
    cache = [value(n, [1, heads, past, size]) for n in ('pk', 'pv')]
    yield ('attention_cache', [op('Attention', ['q', 'k', 'v', '', 'pk', 'pv'], ['y', 'nk', 'nv'])], one + cache,
           [value('y', [1, heads, 1, size])] + [value(n, [1, heads, past + 1, size]) for n in ('nk', 'nv')], [])
    yield ('attention_matmul',
           [op('MatMul', ['q', 'kt'], ['s']), op('Mul', ['s', 'scale'], ['t']), op('Softmax', ['t'], ['p'], axis=-1 & (2**64 - 1)),
            op('MatMul', ['p', 'v'], ['y'])],
           [value('q', q), value('kt', [1, heads, size, length]), value('v', q)], [value('y', q)], [constant('scale', [], [0.125], FLOAT)])

    steps, hidden = 100, 256
    for kind, gates in ('LSTM', 4), ('GRU', 3):
        weights = [constant(n, [1, gates * hidden, hidden], [draw.uniform(-0.06, 0.06) for _ in range(gates * hidden * hidden)], FLOAT)
                   for n in ('w', 'r')]
        yield (kind.lower(), [op(kind, ['x', 'w', 'r'], ['y'], hidden_size=hidden)], [value('x', [steps, 1, hidden])],
               [value('y', [steps, 1, 1, hidden])], weights)

    square, flat = [value('x', [side, side])], constant('i', [side, side], indices(million, side))
    pairs = constant('i', [million, 2], indices(2 * million, side))
    yield ('gather', [op('Gather', ['x', 'i'], ['y'])], [value('x', [100_000, 10])], [value('y', [100_000, 10])],
           [constant('i', [100_000], indices(100_000, 100_000))])
    yield 'gather_elements', [op('GatherElements', ['x', 'i'], ['y'], axis=1)], square, [value('y', [side, side])], [flat]
    yield 'gather_nd', [op('GatherND', ['x', 'i'], ['y'])], square, [value('y', [million])], [pairs]
    yield ('scatter_elements', [op('ScatterElements', ['x', 'i', 'u'], ['y'], axis=1)], square + [value('u', [side, side])],
           [value('y', [side, side])], [flat])
    yield 'scatter_nd', [op('ScatterND', ['x', 'i', 'u'], ['y'])], square + [value('u', [million])], [value('y', [side, side])], [pairs]

    for boxes in 1000, 10_000:
        corners = []
        for _ in range(boxes):
            y, x = draw.uniform(0, 600), draw.uniform(0, 600)
            corners += [y, x, y + draw.uniform(5, 100), x + draw.uniform(5, 100)]
        limits = [constant('most', [1], [100]), constant('overlap', [1], [0.5], FLOAT), constant('score', [1], [0.5], FLOAT)]
        yield (f'nms_{boxes}', [op('NonMaxSuppression', ['boxes', 'x', 'most', 'overlap', 'score'], ['y'])], [value('x', [1, 80, boxes])],
               [value('y', ['n', 3], INT64)], [constant('boxes', [1, boxes, 4], corners, FLOAT)] + limits)
    for name, n, k in ('topk_100', million, 100), ('topk_300', 8400 * 80, 300):
        yield name, [op('TopK', ['x', 'k'], ['y', 'i'])], [value('x', [1, n])], [value('y', [1, k]), value('i', [1, k], INT64)], [constant('k', [1], [k])]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, nodes, inputs, outputs, constants in models():
        opset = 23 if name.startswith('attention') else 17
        with open(os.path.join(sys.argv[1], name + '.onnx'), 'wb') as f:
            f.write(model(nodes, inputs, outputs, constants, opset=opset))


if __name__ == '__main__':
    main()
