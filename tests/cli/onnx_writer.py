"""Just enough protobuf to write small ONNX models (onnx.proto3), so that the tests need no package."""
import struct


def varint(n):
    out = b''
    while True:
        out += bytes([n & 0x7f | (0x80 if n > 0x7f else 0)])
        n >>= 7
        if not n:
            return out


def number(field, n):
    return varint(field << 3) + varint(n)


def blob(field, payload):
    payload = payload.encode() if isinstance(payload, str) else payload
    return varint(field << 3 | 2) + varint(len(payload)) + payload


FLOAT, INT64 = 1, 7


def value(name, dims, dtype=FLOAT):
    shape = b''.join(blob(1, blob(2, d) if isinstance(d, str) else number(1, d)) for d in dims)
    return blob(1, name) + blob(2, blob(1, number(1, dtype) + blob(2, shape)))


def floats(name, dims, values):
    return b''.join(number(1, d) for d in dims) + number(2, FLOAT) + blob(8, name) + blob(9, struct.pack(f'<{len(values)}f', *values))


def whole(name, dims, values):
    return b''.join(number(1, d) for d in dims) + number(2, INT64) + blob(8, name) + blob(9, struct.pack(f'<{len(values)}q', *values))


def node(op, inputs, outputs, name, domain=''):
    return b''.join(blob(1, i) for i in inputs) + b''.join(blob(2, o) for o in outputs) + blob(3, name) + blob(4, op) + blob(7, domain)


def model(nodes, inputs, outputs, constants=(), domains=('',), opset=17):
    graph = b''.join(blob(1, n) for n in nodes) + blob(2, 'graph') + b''.join(blob(5, c) for c in constants)
    graph += b''.join(blob(11, i) for i in inputs) + b''.join(blob(12, o) for o in outputs)
    opsets = b''.join(blob(8, blob(1, d) + number(2, opset if d == '' else 1)) for d in domains)
    return number(1, 8) + blob(2, 'onnx_writer') + blob(7, graph) + opsets
