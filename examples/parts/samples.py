#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the sample pictures, and writes down what the models say about them when run by torch.

    python3 samples.py [--work DIR]       needs torch, numpy and Pillow

The pictures belong to a series that train.py neither trains on nor scores. They were chosen for what can be seen in them, not for
what the models say.
"""
import argparse
import io
import json
import pathlib
import re

import numpy as np
import torch
from PIL import Image

import pictures
import reference
import train

# name, number in the series, width, height
CHOSEN = {
    # The first of each class in the network's own size, as PPM: nothing of reading and resizing stands between them and the network.
    'classify': (('96x96_gear', 0, 96, 96), ('96x96_nut', 1, 96, 96), ('96x96_washer', 4, 96, 96), ('96x96_bolt', 9, 96, 96),
                 ('bolt', 11, 320, 240), ('gear', 18, 320, 240), ('nut_rusty', 8, 320, 240), ('washer_cracked', 16, 320, 240)),
    'detect': (('2_bolts_2_gears_2_washers', 18, 640, 480), ('1_bolt_2_gears_3_nuts', 19, 640, 480), ('1_bolt_1_gear_2_nuts_2_washers', 6, 640, 480),
               ('3_bolts_1_gear_3_washers', 1, 640, 480)),
    'segment': (('bent_bolt', 26, 400, 300), ('cracked_gear_notched_nut', 2, 400, 300), ('rusty_nut_missing_tooth', 11, 400, 300),
                ('scratched_nut_and_gear', 20, 400, 300)),
}
MOST_BYTES = 40000
SCORE, OVERLAP = .3, .5  # least score of a box, and how far two may overlap: as in parts_detect.toml


def jpeg(picture):
    """The best quality up to 90 that keeps the file small."""
    for quality in range(90, 40, -2):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, 'jpeg', quality=quality)
        if file.tell() <= MOST_BYTES:
            break
    return file.getvalue()


def expected(task, model, picture):
    square, undo = train.fit(task, picture)
    with torch.no_grad():
        y = model(torch.from_numpy(reference.tensor(square[None]))).numpy()[0]
    if task == 'classify':
        return {'class': pictures.LABELS[y.argmax()], 'probabilities': [round(float(p), 6) for p in y]}
    if task == 'segment':
        guess = reference.regions(y, undo, picture.shape)
        return {'fractions': {name: round(float((guess == k).mean()), 5) for k, name in enumerate(pictures.REGIONS)}}
    found = reference.detections(y, train.SIZES[task], undo, picture.shape, SCORE, OVERLAP)
    return {'boxes': [{'class': pictures.LABELS[k], 'score': round(float(score), 4), 'box': [round(float(v), 2) for v in box]}
                      for box, score, k in zip(*found)]}


def truth(task, s):
    if task == 'segment':
        return {'fractions': {name: round(float((s.regions == k).mean()), 5) for k, name in enumerate(pictures.REGIONS)},
                'parts': [pictures.LABELS[k] for k in s.classes], 'defects': s.defects}
    if task == 'classify':
        return {'class': pictures.LABELS[s.classes[0]], 'defect': s.defects[0]}
    return {'boxes': [{'class': pictures.LABELS[k], 'box': box.tolist()} for k, box in zip(s.classes, s.boxes)]}


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--work', type=pathlib.Path, default=train.WORK, help="train.py's, where the weights are")
    parser.add_argument('--out', type=pathlib.Path, default=here / 'samples')
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    answers = {}
    for task, chosen in CHOSEN.items():
        network = train.NETWORK[task](len(train.classes(task)))
        network.load_state_dict(torch.load(options.work / f'parts_{task}.pt'))
        model = train.exported(task, network)
        for name, number, width, height in chosen:
            s = pictures.scene(task, [train.SEED, train.SAMPLES], number, width, height)
            plain = width == train.SIZES[task]
            file = f'{task}_{name}.{"ppm" if plain else "jpg"}'
            data = b'P6\n%d %d\n255\n' % (width, height) + s.picture.tobytes() if plain else jpeg(s.picture)
            (options.out / file).write_bytes(data)
            picture = np.asarray(Image.open(io.BytesIO(data)))  # as a reader of the file sees it
            answers[file] = {'task': task, 'size': [width, height], **expected(task, model, picture), 'truth': truth(task, s)}
    # Lists of numbers on one line each.
    text = re.sub(r'\[[-\d\s.,e]*\]', lambda m: re.sub(r'\s+', ' ', m[0]).replace('[ ', '[').replace(' ]', ']'), json.dumps(answers, indent=1))
    (options.out / 'expected.json').write_text(text + '\n')


if __name__ == '__main__':
    main()
