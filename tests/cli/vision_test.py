#!/usr/bin/env python3
"""The commands for pictures, on tiny networks whose answers are known.

    vision_test.py HONE SOURCE_DIR [unittest arguments]
"""
import gzip
import json
import os
import struct
import sys
import unittest

import npy
import pictures
from cli_test import Cli

RED, GREEN, BLUE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)
COLOUR_TASK = '''task = "classify"
labels = ["red", "green", "blue"]
[input]
fit = "stretch"
scale = 0.01
[head]
decoder = "classify"
activation = "none"
'''
MAP_TASK = '''task = "segment"
labels = ["red", "green", "blue"]
[input]
fit = "letterbox"
interpolation = "nearest"
pad = 0
[head]
decoder = "segment"
'''
BOX_TASK = '''task = "detect"
labels = ["nut", "bolt"]
[input]
fit = "letterbox"
scale = 0.00392156862745098
pad = 255
[head]
decoder = "yolov8"
'''
POSE_TASK = '''task = "pose"
labels = ["hand", "foot"]
[input]
fit = "stretch"
scale = 0.00392156862745098
[head]
decoder = "yolov8-pose"
keypoints = 2
'''


class Vision(Cli):
    def picture(self, name, colour=RED, width=20, height=10):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        return self.path(name, pictures.plain(width, height, colour))

    def task(self, name, text):
        return self.path(name, text.encode())

    def with_task(self, name, model, text):
        """An engine that carries the task."""
        self.works('build', self.path(name + '.onnx', model), '-o', self.path(name + '.hone'), '--task', self.task(name + '.toml', text))
        return self.path(name + '.hone')

    def classifier(self):
        return self.with_task('colour', pictures.classifier(), COLOUR_TASK)

    def detector(self):
        # A bolt in the middle, a nut at the left edge, and one on the padding above the picture.
        return self.with_task('boxes', pictures.boxes([(32, 32, 16, 16, 0, 0.9), (0, 32, 20, 8, 0.8, 0), (32, 4, 8, 8, 0.7, 0)]), BOX_TASK)

    def lines(self, *words):
        return [json.loads(line) for line in self.works(*words, '--json').stdout.splitlines()]


class Answers(Vision):
    def test_classify_names_the_best_first(self):
        engine = self.classifier()
        for colour, name in (RED, 'red'), (GREEN, 'green'), (BLUE, 'blue'):
            answer, = self.lines('classify', engine, self.picture('a.png', colour))
            self.assertEqual(answer['image'], self.path('a.png'))
            self.assertEqual((answer['width'], answer['height']), (20, 10))
            self.assertEqual([c['name'] for c in answer['classes']][0], name)
            self.assertEqual(len(answer['classes']), 3)
            self.assertAlmostEqual(answer['classes'][0]['score'], 0.8650, delta=1e-3)  # e^2.55 / (e^2.55 + 2)
            self.assertEqual(sorted(answer['ms']), ['decode', 'network', 'preprocess', 'read'])
        self.assertEqual(len(self.lines('classify', engine, self.path('a.png'), '--top', '1')[0]['classes']), 1)
        self.assertEqual(len(self.lines('classify', engine, self.path('a.png'), '--score', '0.5')[0]['classes']), 1)
        self.assertRegex(self.works('classify', engine, self.path('a.png')).stdout, r'a\.png +[0-9.]+ ms +86\.5 % blue')

    def test_folders_patterns_and_files_are_taken_in_order(self):
        engine = self.classifier()
        for name in 'in/b.png', 'in/a.png', 'in/below/c.png', 'in/.hidden.png':
            self.picture(name)
        self.path('in/notes.txt', b'no picture')
        folder = self.path('in')

        def names(*words):
            return [os.path.relpath(line['image'], folder) for line in self.lines('classify', engine, *words)]
        self.assertEqual(names(folder), ['a.png', 'b.png'])
        self.assertEqual(names(folder, '--recursive'), ['a.png', 'b.png', 'below/c.png'])
        self.assertEqual(names(folder + '/*.png'), ['a.png', 'b.png'])
        self.assertEqual(names(folder + '/b.png', folder), ['b.png', 'a.png'])

    def test_detect_gives_boxes_in_pixels_of_the_picture(self):
        # 128 x 64 goes into 64 x 64 as 64 x 32 with 16 rows above: x = 2 * x', y = 2 * (y' - 16).
        answer, = self.lines('detect', self.detector(), self.picture('a.png', (255, 255, 255), 128, 64))
        found = [(d['name'], round(d['score'], 3), [round(v, 3) for v in d['box']]) for d in answer['detections']]
        self.assertEqual(found, [('bolt', 0.9, [48, 16, 80, 48]), ('nut', 0.8, [0, 24, 20, 40])])
        self.assertEqual(len(self.lines('detect', self.detector(), self.path('a.png'), '--score', '0.85')[0]['detections']), 1)
        self.assertEqual(len(self.lines('detect', self.detector(), self.path('a.png'), '--top', '1')[0]['detections']), 1)
        text = self.works('detect', self.detector(), self.path('a.png')).stdout
        self.assertIn('1 bolt, 1 nut', text)
        self.assertIn('(48, 16) to (80, 48)', text)

    def test_pose_gives_points_in_pixels_of_the_picture(self):
        engine = self.with_task('pose', pictures.boxes([(32, 32, 16, 16, 0.9, 0, 30, 40, 0.8, 8, 16, 0.7)]), POSE_TASK)
        answer, = self.lines('pose', engine, self.picture('a.png', (255, 255, 255), 128, 32))
        hand, = answer['detections']
        self.assertEqual([[round(v, 3) for v in k] for k in hand['keypoints']], [[60, 20, 0.8], [16, 8, 0.7]])
        self.works('pose', engine, self.path('a.png'), '--out', self.path('drawn.png'))

    def test_segment_writes_masks_of_the_pictures_size(self):
        # Three pictures that the letterbox turns into parts of 16 x 16: 16 x 8, 8 x 16 and (enlarged) 16 x 5.
        engine = self.with_task('map', pictures.colours(), MAP_TASK)
        for width, height in (32, 16), (16, 32), (6, 2):
            pixels = b''.join(bytes((RED, GREEN, BLUE)[(3 * x // width + y) % 3]) for y in range(height) for x in range(width))
            self.path('a.png', pictures.png(width, height, 'rgb', pixels))
            answer, = self.lines('segment', engine, self.path('a.png'), '--masks', self.path('masks'))
            self.assertEqual(answer['mask'], self.path('masks/a.png'))
            self.assertAlmostEqual(sum(c['share'] for c in answer['classes']), 1)
            got = pictures.gray_values(self.path('masks/a.png'))
            self.assertEqual(got[:2], (width, height))
            # Halved, every second pixel is seen by the network, and says what the one beside it is.
            seen = (lambda i: i) if width == 6 else (lambda i: i | 1)
            self.assertEqual(got[2], [(3 * seen(x) // width + seen(y)) % 3 for y in range(height) for x in range(width)])
        uniform, = self.lines('segment', engine, self.picture('g.png', GREEN, 30, 17))
        self.assertEqual(uniform['classes'], [{'label': 1, 'name': 'green', 'share': 1}])

    def test_pictures_are_drawn_into_files_and_folders(self):
        engine = self.detector()
        one, two = self.picture('in/1.png', (255, 255, 255), 128, 64), self.picture('in/2.png', (200, 200, 200), 50, 60)
        self.works('detect', engine, one, '--out', self.path('new/one.png'))
        self.assertEqual(pictures.size_of_png(self.path('new/one.png')), (128, 64))
        with open(one, 'rb') as a, open(self.path('new/one.png'), 'rb') as b:
            self.assertNotEqual(a.read(), b.read())
        for answer in self.lines('detect', engine, one, two, '--out', self.path('drawn')):
            self.assertEqual(answer['out'], os.path.join(self.path('drawn'), os.path.basename(answer['image'])))
        self.assertEqual(pictures.size_of_png(self.path('drawn/2.png')), (50, 60))
        self.works('detect', engine, one, '--out', self.path('one.jpg'))
        with open(self.path('one.jpg'), 'rb') as f:
            self.assertEqual(f.read(3), b'\xff\xd8\xff')
        self.works('detect', engine, self.path('in'), '--recursive', '--out', self.path('deep'))
        self.assertEqual(sorted(os.listdir(self.path('deep'))), ['1.png', '2.png'])

    def test_broken_pictures_do_not_stop_the_others(self):
        engine = self.classifier()
        self.picture('in/a.png')
        self.picture('in/z.png', GREEN)
        whole = pictures.plain(20, 10, RED)
        self.path('in/cut.png', whole[:len(whole) // 2])
        self.path('in/text.jpg', b'not a picture\n')
        self.path('in/empty.png', b'')
        self.path('in/huge.png', whole[:16] + struct.pack('>II', 60000, 60000) + whole[24:])
        result = self.hone('classify', engine, self.path('in'), self.path('nosuch.png'), '--json', '--out', self.path('out'))
        self.assertEqual(result.returncode, 1)
        self.assertEqual([os.path.basename(json.loads(line)['image']) for line in result.stdout.splitlines()], ['a.png', 'z.png'])
        errors = result.stderr.splitlines()
        self.assertEqual(len(errors), 6, errors)
        for name, line in zip(['cut.png', 'empty.png', 'huge.png', 'text.jpg', 'nosuch.png'], errors):
            self.assertIn(name, line)
        self.assertIn('5 of 7 pictures failed', errors[-1])
        self.assertEqual(sorted(os.listdir(self.path('out'))), ['a.png', 'z.png'])
        self.fails(1, 'text.jpg', 'classify', engine, self.path('in/text.jpg'))

    def test_a_model_stands_for_an_engine(self):
        model, task = self.path('m.onnx', pictures.classifier()), self.task('t.toml', COLOUR_TASK)
        self.assertIn('red', self.works('classify', model, self.picture('a.png'), '--task', task, '--threads', '1').stdout)


class Refuses(Vision):
    def test_wrong_words(self):
        engine, picture = self.classifier(), self.picture('a.png')
        self.fails(1, 'carries no pictures of its own', 'classify', engine)
        self.fails(2, 'ENGINE is missing', 'classify')
        self.fails(1, ["'yolov9'", "did you mean 'yolov"], 'detect', engine, picture, '--preset', 'yolov9')
        self.fails(1, ["'zzz'", 'imagenet'], 'detect', engine, picture, '--preset', 'zzz')
        self.fails(1, 'one will do', 'classify', engine, picture, '--preset', 'imagenet', '--task', 'x.toml')
        self.fails(1, 'nosuch.toml', 'classify', engine, picture, '--task', 'nosuch.toml')
        os.mkdir(self.path('empty'))
        self.fails(1, ['empty', 'no pictures', '--recursive'], 'classify', engine, self.path('empty'))
        self.fails(1, ['*.gif', 'no file'], 'classify', engine, self.path('*.gif'))

    def test_the_wrong_verb(self):
        engine, picture = self.classifier(), self.picture('a.png')
        for verb in 'detect', 'segment', 'pose':
            self.fails(1, ['classify', f'hone classify {engine}'], verb, engine, picture)
        self.fails(1, 'hone detect', 'classify', self.detector(), picture)

    def test_outputs_that_cannot_be(self):
        engine, picture = self.classifier(), self.picture('a.png')
        self.fails(1, ['a.png', 'replaced'], 'classify', engine, picture, '--out', picture)
        self.fails(1, ['a.png', 'replaced'], 'classify', engine, self.folder, '--out', self.folder)
        self.fails(1, '/proc/x', 'classify', engine, picture, '--out', '/proc/x/a.png')
        self.path('file', b'x')
        self.fails(1, 'file', 'classify', engine, picture, '--out', self.path('file/a.png'))
        self.fails(1, ['out.gif', '.png'], 'classify', engine, picture, '--out', self.path('out.gif'))
        other = self.picture('other/a.png')
        self.fails(1, 'both be written', 'classify', engine, picture, other, '--out', self.path('out'))

    def test_a_task_that_is_not_the_engines(self):
        engine = self.classifier()
        grey = COLOUR_TASK.replace('scale', 'channels = "gray"\nscale')
        self.fails(1, 'channels', 'classify', engine, self.picture('a.png'), '--task', self.task('grey.toml', grey))
        broken = COLOUR_TASK.replace('fit', 'fitt')
        self.fails(1, ['broken.toml', 'fitt'], 'classify', engine, self.picture('a.png'), '--task', self.task('broken.toml', broken))
        self.fails(1, ["output 'y' is [1,3]", 'boxes'], 'detect', engine, self.picture('a.png'), '--task', self.task('b.toml', BOX_TASK.replace('"nut", "bolt"', '"nut"')))


class Tasks(Vision):
    def test_build_stores_the_task_and_inspect_shows_it(self):
        engine = self.classifier()
        with open(engine, 'rb') as f:
            first = f.read()
        with open(self.classifier(), 'rb') as f:
            self.assertEqual(first, f.read())
        task = json.loads(self.works('inspect', engine, '--json').stdout)['task']
        self.assertEqual((task['task'], task['labels'], task['head']['decoder']), ('classify', ['red', 'green', 'blue'], 'classify'))
        self.assertEqual(task['input']['size'], [8, 8])
        text = self.works('inspect', engine).stdout
        self.assertIn('  task = "classify"', text)
        self.assertIn('decoder = "classify"', text)

    def test_pictures_of_the_task_travel_with_the_engine(self):
        self.picture('try.png')
        engine = self.with_task('m', pictures.classifier(), 'pictures = ["try.png"]\n' + COLOUR_TASK)
        self.assertRegex(json.loads(self.works('inspect', engine, '--json').stdout)['meta']['picture/try.png'], r'^\d+ bytes$')
        # Without a picture it is tried on those.
        mine = self.lines('classify', engine, '--out', self.path('tried'))
        self.assertEqual([d['image'] for d in mine], [f'{engine}:try.png'])
        self.assertTrue(os.path.exists(self.path('tried/try.png')))
        bad = self.task('bad.toml', 'pictures = ["nosuch.png"]\n' + COLOUR_TASK)
        self.fails(1, 'nosuch.png', 'build', self.path('m.onnx'), '-o', self.path('x.hone'), '--task', bad)

    def test_what_is_guessed_is_said(self):
        model = self.path('m.onnx', pictures.classifier())
        result = self.works('build', model, '-o', self.path('m.hone'))
        self.assertIn('classify', result.stderr)
        self.assertIn('mean and scale', result.stderr)
        self.assertIn('not stored', result.stderr)
        self.assertIsNone(json.loads(self.works('inspect', self.path('m.hone'), '--json').stdout)['task'])
        result = self.works('classify', self.path('m.hone'), self.picture('a.png'), '--json')
        self.assertEqual(result.stderr.count('\n'), 1)
        self.assertIn('guessed: classify', result.stderr)
        self.assertEqual(len(json.loads(result.stdout)['classes']), 3)
        result = self.works('build', model, '-o', self.path('m.hone'), '--no-task', '--json')
        self.assertEqual(result.stderr, '')
        self.assertIsNone(json.loads(result.stdout)['task'])

    def test_a_network_that_is_not_for_pictures_builds_quietly(self):
        result = self.works('build', self.affine('m.onnx'), '-o', self.path('m.hone'))
        self.assertRegex(result.stderr, r'^no task: .*--preset')
        self.assertEqual(result.stderr.count('\n'), 2)
        self.fails(1, '--task', 'classify', self.path('m.hone'), self.picture('a.png'))


class Eval(Vision):
    def measured(self, *words):
        return json.loads(self.works('eval', *words, '--json').stdout)

    def test_classes_from_a_table_and_from_folders(self):
        engine = self.classifier()
        for i, colour in enumerate([RED, GREEN, BLUE, BLUE]):
            self.picture(f'data/{i}.png', colour)
        self.path('data/labels.csv', b'file,class_index\n0.png,0\n1.png,1\n2.png,blue\n"3.png",1\n')
        j = self.measured(engine, '--data', self.path('data'))
        self.assertEqual((j['task'], j['pictures'], j['failed'], j['top1'], j['top5']), ('classify', 4, 0, 0.75, 1))
        self.assertEqual([(c['name'], c['count'], c['top1']) for c in j['classes']], [('red', 1, 1), ('green', 2, 0.5), ('blue', 1, 1)])
        self.picture('folders/red/a.png', RED)
        self.picture('folders/1/b.png', BLUE)
        self.assertEqual(self.measured(engine, '--data', self.path('folders'))['top1'], 0.5)
        self.picture('folders/pink/c.png', RED)
        self.fails(1, "'pink'", 'eval', engine, '--data', self.path('folders'))
        text = self.works('eval', engine, '--data', self.path('data')).stdout
        self.assertRegex(text, r'top-1 +75\.00 %')

    def test_stored_tensors_stand_for_pictures(self):
        engine = self.classifier()
        self.picture('data/0.png', RED)
        self.path('data/labels.csv', b'file,class_index\n0.png,0\n')
        self.assertEqual(self.measured(engine, '--data', self.path('data'), '--save-tensors', self.path('t'))['top1'], 1)
        shape, values = npy.read(self.path('t/0.npy'))
        self.assertEqual(shape, (1, 3, 8, 8))
        self.assertAlmostEqual(values[0], 2.55, delta=1e-5)
        self.assertEqual(self.measured(engine, '--data', self.path('data'), '--tensors', self.path('t'))['top1'], 1)
        npy.write(self.path('t/0.npy'), [1, 3, 8, 8], list(values)[64:] + list(values)[:64])
        self.assertEqual(self.measured(engine, '--data', self.path('data'), '--tensors', self.path('t'))['top1'], 0)
        npy.write(self.path('t/0.npy'), [1, 3, 4, 4], [0] * 48)
        result = self.hone('eval', engine, '--data', self.path('data'), '--tensors', self.path('t'))
        self.assertEqual(result.returncode, 1)
        self.assertIn('0.npy', result.stderr)

    def test_packed_sets(self):
        engine = self.classifier()
        rows = bytes(RED[:1]) * 1024 + bytes(2048)
        self.path('cifar.bin')
        os.mkdir(self.path('cifar'))
        self.path('cifar/test.bin', b'\x00' + rows + b'\x02' + rows)
        self.assertEqual(self.measured(engine, '--data', self.path('cifar'))['top1'], 0.5)
        os.mkdir(self.path('idx'))
        for name, header, body in ('a-idx3-ubyte.gz', (0x803, 3, 2, 2), bytes(12)), ('a-idx1-ubyte.gz', (0x801, 3), bytes([0, 0, 1])):
            self.path('idx/' + name, gzip.compress(struct.pack(f'>{len(header)}I', *header) + body))
        j = self.measured(engine, '--data', self.path('idx'))  # black: all equal, the first class wins
        self.assertEqual((j['form'], j['pictures']), ('idx', 3))
        self.assertAlmostEqual(j['top1'], 2 / 3)

    def boxes(self):
        self.picture('data/images/a.png', (255, 255, 255), 128, 64)
        self.picture('data/images/b.png', BLACK, 128, 64)
        os.makedirs(self.path('data/labels'), exist_ok=True)

    def check_boxes(self, j, pictures_there=2):
        self.assertEqual((j['task'], j['pictures']), ('detect', pictures_there))
        self.assertAlmostEqual(j['map50'], (1 + 51 / 101) / 2)  # all bolts, one of two nuts
        self.assertEqual([(c['name'], c['count']) for c in j['classes']], [('nut', 2), ('bolt', 1)])

    def test_boxes_of_yolo_as_boxes_and_as_polygons(self):
        engine = self.detector()
        self.boxes()
        self.path('data/labels/a.txt', b'1 0.5 0.5 0.25 0.5\n0 0.078125 0.5 0.15625 0.25\n\n')
        self.path('data/labels/b.txt', b'0 0.5 0.5 0.1 0.1\n')
        self.check_boxes(self.measured(engine, '--data', self.path('data')))
        os.rename(self.path('data/labels'), self.path('data/labels_seg'))
        self.path('data/labels_seg/a.txt', b'1 0.375 0.5 0.5 0.25 0.625 0.5 0.5 0.75\n0 0 .375 .15625 .375 .15625 .625 0 .625\n')
        self.check_boxes(self.measured(engine, '--data', self.path('data')))
        self.path('data/labels_seg/b.txt', b'0 0.5 nonsense\n')
        self.fails(1, ['b.txt', 'line 1'], 'eval', engine, '--data', self.path('data'))
        self.path('data/labels_seg/b.txt', b'7 0.5 0.5 0.1 0.1\n')
        self.fails(1, ['b.txt', 'class 7'], 'eval', engine, '--data', self.path('data'))

    def test_boxes_of_coco(self):
        engine = self.detector()
        self.boxes()
        coco = {'images': [{'id': 7, 'file_name': 'a.png'}, {'id': 8, 'file_name': 'b.png'}],
                'categories': [{'id': 30, 'name': 'bolt'}, {'id': 10, 'name': 'nut'}],
                'annotations': [{'id': 1, 'image_id': 7, 'category_id': 30, 'bbox': [48, 16, 32, 32], 'area': 1024, 'iscrowd': 0},
                                {'id': 2, 'image_id': 7, 'category_id': 10, 'bbox': [0, 24, 20, 16], 'area': 320, 'iscrowd': 0},
                                {'id': 3, 'image_id': 8, 'category_id': 10, 'bbox': [5, 5, 9, 9], 'area': 81, 'iscrowd': 0}]}
        self.path('data/instances_val.json', json.dumps(coco).encode())
        self.check_boxes(self.measured(engine, '--data', self.path('data')))
        coco['annotations'][0]['image_id'] = 9
        self.path('other.json', json.dumps(coco).encode())
        self.fails(1, ['other.json', 'annotation 1'], 'eval', engine, '--data', self.path('data'), '--labels', self.path('other.json'))

    def test_label_images_with_a_palette_are_indices(self):
        engine = self.with_task('map', pictures.colours(), MAP_TASK)
        half = b''.join(bytes(RED if x < 16 else GREEN) for _ in range(32) for x in range(32))
        os.makedirs(self.path('data/images'))
        os.makedirs(self.path('data/masks'))
        self.path('data/images/a.png', pictures.png(32, 32, 'rgb', half))
        truth = bytes(0 if x < 8 else 9 if x < 16 else 1 for _ in range(32) for x in range(32))
        self.path('data/masks/a.png', pictures.png(32, 32, 'palette', truth, bytes(range(30))))
        j = self.measured(engine, '--data', self.path('data'))
        self.assertEqual((j['miou'], j['pixel_accuracy']), (1, 1))  # 9 is beyond the labels: void
        for depth in 1, 2, 4:  # 0 on the left, the greatest number on the right, in an odd number of pixels
            most = 2 ** depth - 1
            odd = b''.join(bytes(RED if x < 5 else BLUE) for _ in range(5) for x in range(11))
            self.path('data/images/a.png', pictures.png(11, 5, 'rgb', odd))
            for kind in 'gray', 'palette':
                self.path('data/masks/a.png', pictures.png(11, 5, kind, bytes(0 if x < 5 else most for _ in range(5) for x in range(11)),
                                                           bytes(3 * (most + 1)), depth))
                j = self.measured(engine, '--data', self.path('data'), '--void', str(most))
                self.assertEqual([(c['label'], c['iou']) for c in j['classes']], [(0, 1)], (depth, kind))
                self.assertEqual(j['pixel_accuracy'], 1)
        self.path('data/images/a.png', pictures.png(32, 32, 'rgb', half))
        truth = bytes(0 if x < 8 else 2 for _ in range(32) for x in range(32))
        self.path('data/masks/a.png', pictures.png(32, 32, 'gray', truth))
        j = self.measured(engine, '--data', self.path('data'))  # red: 8 of 16; green: predicted, never true; blue: never predicted
        self.assertAlmostEqual(j['miou'], 0.5 / 3)
        self.assertEqual([c['iou'] for c in j['classes']], [0.5, 0, 0])
        j = self.measured(engine, '--data', self.path('data'), '--void', '2')
        self.assertEqual((j['miou'], len(j['classes'])), (1, 1))
        self.path('data/masks/a.png', pictures.png(16, 32, 'gray', bytes(512)))
        result = self.hone('eval', engine, '--data', self.path('data'))
        self.assertIn('16 x 32', result.stderr)
        self.assertEqual(result.returncode, 1)

    def test_data_that_is_none(self):
        engine = self.classifier()
        os.mkdir(self.path('empty'))
        self.fails(1, ['empty', 'labels.csv'], 'eval', engine, '--data', self.path('empty'))
        self.fails(1, ['nosuch', 'No such file'], 'eval', engine, '--data', self.path('nosuch'))
        self.fails(1, ['empty', 'YOLO'], 'eval', self.detector(), '--data', self.path('empty'))
        self.fails(2, '--data', 'eval', engine)
        self.path('empty/labels.csv', b'file,class_index\nx.png,17\n')
        self.fails(1, ['line 2', "'17'"], 'eval', engine, '--data', self.path('empty'))
        self.path('empty/labels.csv', b'file,class_index\nx.png,1\n')
        result = self.hone('eval', engine, '--data', self.path('empty'), '--json')
        self.assertEqual(result.returncode, 1)
        self.assertIn('1 of 1 pictures failed', result.stderr)
        self.assertEqual(json.loads(result.stdout)['failed'], 1)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
