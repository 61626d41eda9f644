#!/usr/bin/env python3
"""make_seeds.py FOLDER: writes the small pictures of fuzz/seeds/image, which the tests of imageio decode too.

Where Pillow has no writer for a kind (interlaced or 16-bit PNG, most BMPs) the bytes are put together here. All pictures are
12 x 10 pixels; what their samples are is said by sample() and index(), which decode_test.cc has as well.
"""
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

from PIL import Image

W, H = 12, 10


def sample(x, y, c):
    """Red, green, blue, alpha."""
    return (x * 20 + y, y * 20 + x, 100 + x - y, 250 - 10 * x - y)[c]


def index(x, y, bits):
    return (x // 3 + y) % (1 << bits)


def palette_entry(i):
    return (i * 13 % 256, 255 - i, i * 7 % 256)


def pillow(channels):
    image = Image.new({1: 'L', 3: 'RGB', 4: 'RGBA'}[channels], (W, H))
    image.putdata([sample(x, y, 0) if channels == 1 else tuple(sample(x, y, c) for c in range(channels))
                   for y in range(H) for x in range(W)])
    return image


def pack(values, bits):
    """Samples of 1..16 bits to bytes, big-endian."""
    text = ''.join(format(v, f'0{bits}b') for v in values)
    text += '0' * (-len(text) % 8)
    return bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))


# PNG

def png(colour, bits, pixel, interlaced=False, extra=()):
    def chunk(name, data):
        return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b''
    for x0, y0, dx, dy in passes:
        for y in range(y0, H, dy):
            if x0 < W:
                rows += b'\0' + pack([v for x in range(x0, W, dx) for v in pixel(x, y)], bits)
    header = struct.pack('>IIBBBBB', W, H, bits, colour, 0, 0, interlaced)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + b''.join(chunk(n, d) for n, d in extra) +
            chunk(b'IDAT', zlib.compress(rows, 9)) + chunk(b'IEND', b''))


def png_files():
    for interlaced in (False, True):
        tail = '_interlaced.png' if interlaced else '.png'
        for bits in (1, 2, 4):
            yield f'grey{bits}{tail}', png(0, bits, lambda x, y: [index(x, y, bits)], interlaced)
        for bits in (1, 2, 4, 8):
            entries = b''.join(bytes(palette_entry(i)) for i in range(1 << bits))
            yield f'palette{bits}{tail}', png(3, bits, lambda x, y: [index(x, y, bits)], interlaced, [(b'PLTE', entries)])
        for name, colour, channels in (('grey', 0, [0]), ('rgb', 2, [0, 1, 2]), ('grey_alpha', 4, [0, 3]), ('rgba', 6, [0, 1, 2, 3])):
            yield f'{name}8{tail}', png(colour, 8, lambda x, y: [sample(x, y, c) for c in channels], interlaced)
            # 200 / 257 is rounded up.
            yield f'{name}16{tail}', png(colour, 16, lambda x, y: [sample(x, y, c) * 257 + 200 for c in channels], interlaced)
    entries = b''.join(bytes(palette_entry(i)) for i in range(16))
    yield 'palette_trns.png', png(3, 4, lambda x, y: [index(x, y, 4)], False,
                                  [(b'PLTE', entries), (b'tRNS', bytes(255 - i * 10 for i in range(8)))])
    key = [sample(3, 4, c) for c in range(3)]
    yield 'grey_trns.png', png(0, 8, lambda x, y: [sample(x, y, 0)], False, [(b'tRNS', struct.pack('>H', key[0]))])
    yield 'rgb_trns.png', png(2, 8, lambda x, y: [sample(x, y, c) for c in range(3)], False, [(b'tRNS', struct.pack('>3H', *key))])
    yield 'rgb16_trns.png', png(2, 16, lambda x, y: [sample(x, y, c) * 257 + 200 for c in range(3)], False,
                                [(b'tRNS', struct.pack('>3H', *(k * 257 + 200 for k in key)))])
    yield 'turned8.png', png(0, 8, lambda x, y: [sample(x, y, 0)], False, [(b'eXIf', exif(8))])


def exif(orientation, order='>'):
    return (b'MM' if order == '>' else b'II') + struct.pack(order + 'HIHHHIHHI', 42, 8, 1, 0x112, 3, 1, orientation, 0, 0)


# BMP

def bmp(bits, pixel, header=40, compression=0, colours=b'', masks=(), top_down=False, data=None):
    if data is None:
        rows = []
        for y in range(H):
            line = [pixel(x, y) for x in range(W)]
            row = pack(line, bits) if bits < 16 else b''.join(v.to_bytes(bits // 8, 'little') for v in line)
            rows.append(row + bytes(-len(row) % 4))
        data = b''.join(rows if top_down else rows[::-1])
    if header == 12:
        info = struct.pack('<IHHHH', 12, W, H, 1, bits)
    else:
        info = struct.pack('<IiiHHIIIIII', header, W, -H if top_down else H, 1, bits, compression, len(data), 2835, 2835,
                           len(colours) // 4, 0)
    info += b''.join(struct.pack('<I', m) for m in masks)
    info += bytes(max(0, header - len(info)))
    start = 14 + len(info) + len(colours)
    return b'BM' + struct.pack('<IHHI', start + len(data), 0, 0, start) + info + colours + data


def run_length(bits):
    """Rows as runs, with a literal stretch in row 2 and a move over the rest of row 5 (to the last row's begin)."""
    out = b''
    for y in reversed(range(H)):
        x = 0
        if y == 2:
            values = [index(x, y, bits) for x in range(7)]
            literal = pack(values, bits)
            out += bytes([0, 7]) + literal + bytes(len(literal) % 2)
            x = 7
        while x < W:
            n = 1
            while x + n < W and index(x + n, y, bits) == index(x, y, bits):
                n += 1
            i = index(x, y, bits)
            out += bytes([n, i if bits == 8 else i * 17])
            x += n
        out += bytes([0, 0])
    return out + bytes([0, 1])


def bmp_files():
    def colours(bits, entry=4):
        return b''.join(bytes(palette_entry(i)[::-1]) + bytes(entry - 3) for i in range(1 << bits))
    for bits in (1, 4, 8):
        yield f'palette{bits}.bmp', bmp(bits, lambda x, y: index(x, y, bits), colours=colours(bits))
    yield 'os2_palette4.bmp', bmp(4, lambda x, y: index(x, y, 4), header=12, colours=colours(4, 3))
    yield 'rle8.bmp', bmp(8, None, compression=1, colours=colours(4), data=run_length(8))
    yield 'rle4.bmp', bmp(4, None, compression=2, colours=colours(4), data=run_length(4))
    bgr = lambda x, y: sample(x, y, 0) << 16 | sample(x, y, 1) << 8 | sample(x, y, 2)
    yield 'rgb24.bmp', bmp(24, bgr)
    yield 'rgb24_top_down.bmp', bmp(24, bgr, top_down=True)
    yield 'rgb32.bmp', bmp(32, bgr)
    yield 'rgba32.bmp', bmp(32, lambda x, y: bgr(x, y) | sample(x, y, 3) << 24, header=108, compression=3,
                            masks=(0xff0000, 0xff00, 0xff, 0xff000000))
    yield 'rgb555.bmp', bmp(16, lambda x, y: x << 10 | y << 5 | (x + y))
    yield 'rgb565.bmp', bmp(16, lambda x, y: x << 11 | (x * 2 + y) << 5 | (x + y), compression=3, masks=(0xf800, 0x7e0, 0x1f))


# PPM

def ppm_files():
    def numbers(channels):
        return ' '.join(str(sample(x, y, c)) for y in range(H) for x in range(W) for c in range(channels)).encode()
    def binary(channels, scale=None):
        values = [sample(x, y, c) for y in range(H) for x in range(W) for c in range(channels)]
        return b''.join(struct.pack('>H', v * 257 + 200) for v in values) if scale else bytes(values)
    yield 'grey_text.pgm', b'P2\n# a comment\n12 # another\n10\n255\n' + numbers(1) + b'\n'
    yield 'rgb_text.ppm', b'P3 12 10 255\n' + numbers(3)
    yield 'grey8.pgm', b'P5\n12 10\n255\n' + binary(1)
    yield 'rgb8.ppm', b'P6\n12 10\n255\n' + binary(3)
    yield 'rgb16.ppm', b'P6\n12 10\n65535\n' + binary(3, 16)


# TIFF

def tiff(photometric, bits, data, order='<', compression=1, orientation=1, extra=(), colours=()):
    """The directory, then what does not fit in it, then the pixels in one strip."""
    channels = len(bits)
    tags = {256: (3, [W]), 257: (3, [H]), 258: (3, bits), 259: (3, [compression]), 262: (3, [photometric]), 273: (4, [0]),
            274: (3, [orientation]), 277: (3, [channels]), 278: (3, [H]), 279: (4, [len(data)])}
    if colours:
        tags[320] = (3, colours)
    if extra:
        tags[338] = (3, extra)
    pack_values = lambda kind, values: struct.pack(f'{order}{len(values)}{"H" if kind == 3 else "I"}', *values)
    after = 8 + 2 + 12 * len(tags) + 4
    outside = sum(len(v) for v in (pack_values(*t) for t in tags.values()) if len(v) > 4)
    tags[273] = (4, [after + outside])
    directory, values = struct.pack(order + 'H', len(tags)), b''
    for tag, (kind, numbers) in sorted(tags.items()):
        packed = pack_values(kind, numbers)
        if len(packed) > 4:
            packed, values = struct.pack(order + 'I', after + len(values)), values + packed
        directory += struct.pack(order + 'HHI', tag, kind, len(numbers)) + packed.ljust(4, b'\0')
    return (b'II' if order == '<' else b'MM') + struct.pack(order + 'HI', 42, 8) + directory + bytes(4) + values + data


def tiff_files():
    def samples(channels):
        return bytes(sample(x, y, c) for y in range(H) for x in range(W) for c in range(channels))
    rows = [samples(1)[y * W:(y + 1) * W] for y in range(H)]
    yield 'rgb.tif', tiff(2, [8] * 3, samples(3))
    yield 'rgb_deflate.tif', tiff(2, [8] * 3, zlib.compress(samples(3)), '>', 8)
    yield 'grey_packbits.tif', tiff(1, [8], b''.join(bytes([W - 1]) + row for row in rows), compression=32773)
    yield 'rgba.tif', tiff(2, [8] * 4, samples(4), extra=[2])
    colours = [palette_entry(i)[c] * 257 for c in range(3) for i in range(16)]
    yield 'palette4.tif', tiff(3, [4], b''.join(pack([index(x, y, 4) for x in range(W)], 4) for y in range(H)), colours=colours)
    yield 'turned6.tif', tiff(1, [8], samples(1), orientation=6)


# JPEG 2000, by opj_compress (package libopenjp2-tools)

def jpeg2000_files(folder):
    with tempfile.TemporaryDirectory() as scratch:
        for source, name in ('rgb8.ppm', 'rgb.jp2'), ('grey8.pgm', 'grey.j2k'):
            plain = pathlib.Path(scratch) / source
            plain.write_bytes(dict(ppm_files())[source])
            subprocess.run(['opj_compress', '-n', '3', '-i', plain, '-o', folder / name], check=True, stdout=subprocess.DEVNULL)


# What Pillow writes

def pillow_files(folder):
    rgb, rgba, grey = pillow(3), pillow(4), pillow(1)
    rgb.save(folder / 'rgb.jpg', quality=95, subsampling=0)
    rgb.save(folder / 'rgb_420.jpg', quality=95, subsampling=2)
    rgb.save(folder / 'progressive.jpg', quality=95, subsampling=0, progressive=True)
    grey.save(folder / 'grey.jpg', quality=95)
    # Inks that give sample() again: black is none, and Pillow stores them inverted, as Adobe does.
    cmyk = Image.new('CMYK', (W, H))
    cmyk.putdata([tuple(255 - sample(x, y, c) for c in range(3)) + (0,) for y in range(H) for x in range(W)])
    cmyk.save(folder / 'cmyk.jpg', quality=95, subsampling=0)
    grey.save(folder / 'turned6.jpg', quality=95, exif=b'Exif\0\0' + exif(6, '<'))
    rgb.save(folder / 'lossy.webp', quality=95)
    rgb.save(folder / 'lossless.webp', lossless=True)
    rgba.save(folder / 'alpha.webp', lossless=True, exact=True)
    rgba.save(folder / 'lossy_alpha.webp', quality=95)
    rgb.save(folder / 'turned3.webp', lossless=True, exif=b'Exif\0\0' + exif(3))


folder = pathlib.Path(sys.argv[1])
for make in (png_files, bmp_files, ppm_files, tiff_files):
    for name, data in make():
        (folder / name).write_bytes(data)
jpeg2000_files(folder)
pillow_files(folder)
