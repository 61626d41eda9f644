"""PNG files without a package, and tiny networks for pictures."""
import struct
import zlib

from onnx_writer import floats, model, node, value


def png(width, height, kind, pixels, palette=(), depth=8):
    """kind: 'gray', 'rgb' or 'palette'; pixels: bytes, rows from the top; of fewer than 8 bits they are packed here."""
    step = 3 if kind == 'rgb' else 1

    def packed(row):
        row, per_byte = bytes(row), 8 // depth
        row += bytes(-len(row) % per_byte)
        return bytes(sum(v << 8 - depth * (i + 1) for i, v in enumerate(row[at:at + per_byte])) for at in range(0, len(row), per_byte))
    rows = b''.join(b'\0' + packed(pixels[y * width * step:(y + 1) * width * step]) for y in range(height))

    def chunk(name, body):
        return struct.pack('>I', len(body)) + name + body + struct.pack('>I', zlib.crc32(name + body))
    header = struct.pack('>IIBBBBB', width, height, depth, {'gray': 0, 'rgb': 2, 'palette': 3}[kind], 0, 0, 0)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + (chunk(b'PLTE', bytes(palette)) if kind == 'palette' else b'') +
            chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


def plain(width, height, colour):
    return png(width, height, 'rgb', bytes(colour) * (width * height))


def size_of_png(path):
    with open(path, 'rb') as f:
        return struct.unpack('>II', f.read(24)[16:])


def gray_values(path):
    """Of an 8-bit grey PNG whose rows are filtered by any of the five filters."""
    with open(path, 'rb') as f:
        data = f.read()
    width, height = struct.unpack('>II', data[16:24])
    assert data[24:26] == b'\x08\x00', 'not 8-bit grey'
    packed, at = b'', 8
    while at < len(data):
        length, = struct.unpack('>I', data[at:at + 4])
        if data[at + 4:at + 8] == b'IDAT':
            packed += data[at + 8:at + 8 + length]
        at += 12 + length
    raw = zlib.decompress(packed)
    above, out = bytes(width), []
    for y in range(height):
        kind, line = raw[y * (width + 1)], bytearray(raw[y * (width + 1) + 1:(y + 1) * (width + 1)])
        for x in range(width):
            a, b, c = (line[x - 1] if x else 0), above[x], (above[x - 1] if x else 0)
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line[x] = (line[x] + (0, a, b, (a + b) // 2, paeth)[kind]) & 255
        above = bytes(line)
        out += line
    return width, height, out


def classifier(side=8):
    """Probabilities of red, green and blue: softmax of the mean colour."""
    return model([node('GlobalAveragePool', ['x'], ['mean'], 'mean'), node('Flatten', ['mean'], ['flat'], 'flat'),
                  node('Softmax', ['flat'], ['y'], 'softmax')],
                 [value('x', [1, 3, side, side])], [value('y', [1, 3])])


def colours(width=16, height=16):
    """The colours themselves as scores of three classes."""
    return model([node('Mul', ['x', 'two'], ['y'], 'twice')], [value('x', [1, 3, height, width])],
                 [value('y', [1, 3, height, width])], [floats('two', [1], [2.0])])


def boxes(columns, side=64):
    """As YOLOv8's outputs: [1, len(columns[0]), len(columns)], the numbers of each box times the mean of the picture (0..1) in
    the scores, at `scores`, and as they are elsewhere."""
    rows = list(zip(*columns))
    fixed = [v if i < 4 or i >= 6 else 0 for i, row in enumerate(rows) for v in row]
    lit = [v if 4 <= i < 6 else 0 for i, row in enumerate(rows) for v in row]
    dims = [1, len(rows), len(columns)]
    return model([node('ReduceMean', ['x'], ['mean'], 'mean'), node('Flatten', ['mean'], ['flat'], 'flat'),
                  node('Mul', ['flat', 'lit'], ['scores'], 'scores'), node('Add', ['scores', 'fixed'], ['y'], 'boxes')],
                 [value('x', [1, 3, side, side])], [value('y', dims)], [floats('lit', dims, lit), floats('fixed', dims, fixed)])
