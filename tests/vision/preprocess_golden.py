#!/usr/bin/env python3
"""Prints preprocess_golden.h: a small picture resized by OpenCV and Pillow (Debian's python3-opencv and python3-pil).

    preprocess_golden.py > preprocess_golden.h
"""
import cv2
import numpy
import PIL
from PIL import Image

WIDTH, HEIGHT = 13, 9
x, y = numpy.meshgrid(numpy.arange(WIDTH), numpy.arange(HEIGHT))
picture = numpy.stack([(x * 37 + y * 59 + c * 83 + x * y * 7) % 256 for c in range(3)], axis=2).astype(numpy.uint8)


def opencv(how):
    return lambda image, size: cv2.resize(image, size, interpolation=how)


def pillow(image, size):
    return numpy.asarray(Image.fromarray(image).resize(size, Image.BILINEAR))


print(f'''// Written by preprocess_golden.py: OpenCV {cv2.__version__}, Pillow {PIL.__version__}. The picture is {WIDTH} x {HEIGHT}, its byte
// of channel c at (x, y) is (37 x + 59 y + 83 c + 7 x y) mod 256; of one channel: c = 0.
#pragma once
#include "vision/preprocess.h"

namespace hone::vision {{

struct Golden {{
  const char* made_by;
  Interpolation interpolation;
  int width, height, channels;
  const char* hex;  // rows of interleaved bytes
}};
inline constexpr int golden_width = {WIDTH}, golden_height = {HEIGHT};
// clang-format off
inline constexpr Golden goldens[] = {{''')
for made_by, name, resize, sizes in [('INTER_LINEAR', 'bilinear', opencv(cv2.INTER_LINEAR), [(5, 7, 3), (31, 17, 1), (4, 20, 1)]),
                                     ('INTER_AREA', 'area', opencv(cv2.INTER_AREA), [(5, 7, 3), (3, 2, 3), (12, 9, 1)]),
                                     ('BILINEAR', 'smooth', pillow, [(5, 7, 3), (31, 17, 1), (4, 20, 1), (2, 1, 3)])]:
    for width, height, channels in sizes:
        data = resize(picture if channels == 3 else picture[:, :, 0].copy(), (width, height)).tobytes().hex()
        rows = '\n'.join(f'        "{data[i:i + 96]}"' for i in range(0, len(data), 96))
        print(f'    {{"{made_by}", Interpolation::{name}, {width}, {height}, {channels},\n{rows}}},')
print('''};
// clang-format on

}  // namespace hone::vision''')
