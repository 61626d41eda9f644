#!/usr/bin/env python3
"""The hone command as a newcomer meets it: what works, and one clear line with the right exit code for what does not.

    cli_test.py HONE SOURCE_DIR [unittest arguments]
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import npy
from onnx_writer import INT64, floats, model, node, value

HONE, SOURCE = sys.argv[1], sys.argv[2]
PARTS = os.path.join(SOURCE, 'examples/parts/parts_classify.onnx')
SAMPLES = os.path.join(SOURCE, 'examples/parts/samples')


class Cli(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='hone-cli-')
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name, content=None):
        path = os.path.join(self.folder, name)
        if content is not None:
            with open(path, 'wb') as f:
                f.write(content)
        return path

    def hone(self, *words, stdout=subprocess.PIPE, **environment):
        return subprocess.run([HONE, *words], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, **environment}, timeout=300)

    def works(self, *words, **environment):
        result = self.hone(*words, **environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def fails(self, code, expected, *words, **environment):
        """Exit code, and one line on standard error that has every text expected."""
        result = self.hone(*words, **environment)
        self.assertEqual(result.returncode, code, (result.stdout, result.stderr))
        self.assertEqual(result.stderr.count('\n'), 1, result.stderr)
        for text in [expected] if isinstance(expected, str) else expected:
            self.assertIn(text, result.stderr)
        return result

    def engine(self):
        path = self.path('parts.hone')
        self.works('build', PARTS, '-o', path)
        return path

    def picture(self, name):
        """A sample of the network's own size (.ppm) as its input (.npy): planes of red, green and blue, 0..1."""
        with open(os.path.join(SAMPLES, name), 'rb') as f:
            magic, size, most, pixels = f.read().split(b'\n', 3)
        self.assertEqual((magic, size, most), (b'P6', b'96 96', b'255'))
        path = self.path(name + '.npy')
        npy.write(path, [1, 3, 96, 96], [v / 255 for plane in range(3) for v in pixels[plane::3]])
        return path

    def affine(self, name, scale=2.0, output='y', batch=1):
        """y = Relu(scale * x) + 1, x of shape [batch, 4]."""
        return self.path(name, model(
            [node('Mul', ['x', 'scale'], ['scaled'], 'the_mul'), node('Relu', ['scaled'], ['positive'], 'the_relu'),
             node('Add', ['positive', 'one'], [output], 'the_add')],
            [value('x', [batch, 4])], [value(output, [batch, 4])], [floats('scale', [4], [scale] * 4), floats('one', [1], [1.0])]))


class Works(Cli):
    def test_pictures_are_told_apart_as_torch_told_them(self):
        engine = self.engine()
        with open(os.path.join(SAMPLES, 'expected.json')) as f:
            expected = {name: e for name, e in json.load(f).items() if name.endswith('.ppm')}
        self.assertEqual(len(expected), 4)
        for name, e in expected.items():
            self.works('run', engine, '--input', f'image={self.picture(name)}', '--output-dir', self.path('out'))
            shape, got = npy.read(self.path('out/probabilities.npy'))
            self.assertEqual(shape, (1, 4))
            for g, p in zip(got, e['probabilities']):
                self.assertAlmostEqual(g, p, delta=1e-4)

    def test_an_input_may_omit_its_name_and_a_model_stands_for_an_engine(self):
        for extra in [], ['--opt', 'none']:
            self.works('run', PARTS, '--input', self.picture('classify_96x96_bolt.ppm'), '--output-dir', self.folder, *extra)
            self.assertGreater(npy.read(self.path('probabilities.npy'))[1][0], 0.5)

    def test_slashes_in_output_names_become_underscores(self):
        m = self.affine('m.onnx', output='a/b')
        npy.write(self.path('x.npy'), [1, 4], [1, -1, 2, -2])
        self.works('run', m, '--input', self.path('x.npy'), '--output-dir', self.path('new/folder'))
        self.assertEqual(npy.read(self.path('new/folder/a_b.npy')), ((1, 4), (3, 1, 5, 1)))

    def test_open_dimensions_take_any_size(self):
        m = self.affine('m.onnx', batch='batch')
        for rows in 1, 3:
            npy.write(self.path('x.npy'), [rows, 4], [1.0] * 4 * rows)
            self.works('run', m, '--input', self.path('x.npy'), '--output-dir', self.folder)
            self.assertEqual(npy.read(self.path('y.npy'))[0], (rows, 4))
        j = json.loads(self.works('inspect', m, '--json').stdout)
        self.assertEqual(j['inputs'][0]['shape'], ['batch', 4])
        self.assertIsNone(j['memory'])
        j = json.loads(self.works('inspect', m, '--json', '--shape', 'x=5x4').stdout)
        self.assertEqual(j['inputs'][0]['shape'], [5, 4])
        self.assertGreater(j['memory']['arena_bytes'], 0)

    def test_what_data_ask_for_is_limited_and_the_error_names_the_step(self):
        m = self.path('m.onnx', model([node('Abs', ['n'], ['s'], 'abs'), node('ConstantOfShape', ['s'], ['y'], 'huge')],
                                      [value('n', [1], INT64)], [value('y', ['size'])]))
        n, out = self.path('n.npy'), ['--output-dir', self.folder]
        npy.write(n, [1], [1 << 38], 'q')
        self.fails(1, ["ConstantOfShape 'huge'", '1099511', '--memory'], 'run', m, '--input', n, *out)
        npy.write(n, [1], [100_000], 'q')
        self.fails(1, ["ConstantOfShape 'huge'", 'may take 65536 in all'], 'run', m, '--input', n, *out, '--memory', '64K')
        self.fails(1, ["ConstantOfShape 'huge'", 'may take 65536 in all'], 'run', m, '--input', n, *out, HONE_MEMORY='65536')
        self.works('run', m, '--input', n, *out, '--memory', '1M')
        self.fails(1, ['HONE_MEMORY', 'much'], 'run', m, '--input', n, *out, HONE_MEMORY='much')
        self.fails(2, '512K, 256M or 2G', 'run', m, '--input', n, *out, '--memory', '3Q')

    def test_building_twice_gives_the_same_bytes(self):
        with open(self.engine(), 'rb') as f:
            first = f.read()
        with open(self.engine(), 'rb') as f:
            self.assertEqual(first, f.read())

    def test_weights_are_packed_when_built_unless_told_not_to(self):
        native, generic = self.engine(), self.path('generic.hone')
        self.works('build', PARTS, '-o', generic, '--target', 'generic')
        self.assertGreater(os.path.getsize(native), os.path.getsize(generic))
        n, g = [json.loads(self.works('inspect', e, '--json').stdout) for e in (native, generic)]
        self.assertEqual((n['plans'][0], len(n['plans']), g['plans'], g['plan']), ('generic', 2, ['generic'], 'generic'))
        self.assertEqual(n['plan'], n['plans'][1])
        self.assertTrue(n['plan'].endswith(' ' + n['isa']), n['plan'])
        self.assertGreater(n['plan_packed_bytes'][n['plan']], 0)
        self.assertEqual((n['plan_packed_bytes']['generic'], g['plan_packed_bytes']), (0, {'generic': 0}))
        self.assertEqual((n['memory']['packed_bytes'], g['memory']['prepacked_bytes']), (0, 0))
        self.assertEqual(n['memory']['prepacked_bytes'], n['plan_packed_bytes'][n['plan']])
        self.assertGreater(g['memory']['packed_bytes'], 0)
        self.assertIn(n['plan'] + ' (used here): packed weights', self.works('inspect', native).stdout)
        picture = self.picture(min(f for f in os.listdir(SAMPLES) if f.endswith('.ppm')))
        answers = []
        for engine in native, generic:
            self.works('run', engine, '--input', picture, '--output-dir', self.folder)
            answers.append(npy.read(self.path('probabilities.npy')))
        self.assertEqual(*answers)
        self.fails(2, 'native', 'build', PARTS, '-o', native, '--target', 'somewhere')

    def test_bench_has_the_promised_keys(self):
        result = self.works('bench', self.engine(), '--json', '--iterations', '5', '--warmup', '1', '--threads', '1')
        j = json.loads(result.stdout)
        self.assertEqual(result.stdout.count('\n'), 1)
        for key in 'median_ms min_ms p95_ms load_ms peak_rss_mb arena_bytes weights_bytes threads precision layers'.split():
            self.assertIn(key, j)
        self.assertEqual(j['threads'], 1)
        self.assertEqual(j['precision'], 'fp32')
        self.assertLessEqual(j['min_ms'], j['median_ms'])
        self.assertLessEqual(j['median_ms'], j['p95_ms'])
        self.assertGreater(len(j['layers']), 0)
        for key in 'name op tactic ms flops'.split():
            self.assertIn(key, j['layers'][0])
        self.assertEqual(j['flops'], sum(layer['flops'] for layer in j['layers']))
        self.assertEqual(j['flops'], json.loads(self.works('inspect', self.engine(), '--json').stdout)['memory']['flops'])
        self.assertGreater(j['flops'], 1e6)
        self.assertIn('median', self.works('bench', PARTS, '--iterations', '2').stdout)

    def test_inspect_shows_what_is_inside(self):
        j = json.loads(self.works('inspect', self.engine(), '--json').stdout)
        self.assertEqual(j['kind'], 'engine')
        self.assertEqual(j['inputs'], [{'name': 'image', 'dtype': 'f32', 'shape': [1, 3, 96, 96]}])
        self.assertEqual(j['outputs'][0]['name'], 'probabilities')
        self.assertEqual((j['meta']['opt'], j['meta']['source']), ('default', 'parts_classify.onnx'))
        m = j['memory']
        self.assertLessEqual(m['lower_bound_bytes'], m['arena_bytes'])
        self.assertLessEqual(m['arena_bytes'], m['tensors_bytes'])
        text = self.works('inspect', PARTS, '--steps').stdout
        self.assertIn('BatchNormalization', self.works('inspect', PARTS, '--graph').stdout)
        for word in 'inputs', 'image: f32 1x3x96x96', 'operators', 'lower bound', 'Softmax':
            self.assertIn(word, text)

    def test_check_passes_where_engine_and_model_agree(self):
        engine = self.engine()
        self.works('check', engine, '--against', PARTS)
        j = json.loads(self.works('check', engine, '--against', PARTS, '--json', '--seed', '7').stdout)
        self.assertTrue(j['passed'])
        self.assertLess(j['relative_error'], 1e-4)
        gear = self.picture('classify_96x96_gear.ppm')
        self.works('run', engine, '--input', gear, '--output-dir', self.folder)
        os.rename(gear, self.path('in0.npy'))
        os.rename(self.path('probabilities.npy'), self.path('out0.npy'))
        self.works('check', PARTS, '--against', self.folder)

    def test_check_names_the_first_layer_that_differs(self):
        engine = self.path('m.hone')
        self.works('build', self.affine('m.onnx'), '-o', engine, '--opt', 'none')
        other = self.affine('other.onnx', scale=3.0)
        self.fails(3, 'not met', 'check', engine, '--against', other)
        j = json.loads(self.hone('check', engine, '--against', other, '--json').stdout)
        self.assertFalse(j['passed'])
        self.assertEqual(j['first_difference']['layer'], 'the_mul')
        self.works('check', engine, '--against', other, '--limit', '1')

    def test_check_finds_the_layer_behind_other_layouts_and_names(self):
        def net(name, first, second):
            nodes = [node('Conv', ['x', 'w1'], ['a'], 'conv1'), node('Relu', ['a'], ['b'], 'relu1'),
                     node('Conv', ['b', 'w2'], ['c'], 'conv2'), node('Relu', ['c'], ['d'], 'relu2'),
                     node('GlobalAveragePool', ['d'], ['y'], 'pool')]
            weights = [0.1 * (i % 7) for i in range(4 * 4 * 9)]
            return self.path(name, model(nodes, [value('x', [1, 4, 8, 8])], [value('y', [1, 4, 1, 1])], [
                floats('w1', [4, 4, 3, 3], [w * first for w in weights]), floats('w2', [4, 4, 3, 3], [w * second for w in weights])]))
        engine = self.path('m.hone')
        self.works('build', net('m.onnx', 1, 1), '-o', engine)
        for scales, layers in ((1.1, 1), ('conv1', 'relu1')), ((1, 1.1), ('conv2', 'relu2')):
            j = json.loads(self.hone('check', engine, '--against', net('other.onnx', *scales), '--json').stdout)
            self.assertIn(j['first_difference']['layer'], layers)

    def test_check_against_stored_outputs_that_differ_ends_with_3(self):
        npy.write(self.path('in0.npy'), [1, 4], [1, 2, 3, 4])
        npy.write(self.path('out0.npy'), [1, 4], [3, 5, 7, 9.5])
        result = self.fails(3, 'not met', 'check', self.affine('m.onnx'), '--against', self.folder)
        self.assertIn('at element 3: 9, expected 9.5', result.stdout)
        npy.write(self.path('out0.npy'), [2, 2], [3, 5, 7, 9])
        self.assertIn('shape [1,4], expected [2,2]', self.fails(3, 'not met', 'check', self.affine('m.onnx'), '--against', self.folder).stdout)

    def test_passes_can_be_dumped_and_disabled(self):
        result = self.works('build', PARTS, '-o', self.path('m.hone'), '--dump-after', 'import', '--explain')
        self.assertIn('# after import', result.stderr)
        self.assertIn('BatchNormalization', result.stderr)
        self.fails(1, 'nonsense', 'build', PARTS, '-o', self.path('m.hone'), '--disable=nonsense')
        self.fails(1, 'nonsense', 'build', PARTS, '-o', self.path('m.hone'), '--dump-after=nonsense')

    def test_kernels_are_timed_and_the_record_makes_the_same_engine(self):
        def content(path):
            with open(path, 'rb') as f:
                return f.read()
        one, two, three = self.path('1.hone'), self.path('2.hone'), self.path('3.hone')
        record, other = self.path('a.times'), self.path('b.times', b'hone timing record 1\nmachine a Cray\nproblem p\ntime x 1.00\n')
        explained = self.works('build', PARTS, '-o', one, '--time', '60s', '--time-record', record, '--explain').stderr
        self.assertIn('not used because', explained)
        self.assertRegex(explained, r'by the times|estimated to cost least')
        measured = content(record).decode()
        self.assertRegex(measured, r'\Ahone timing record 1\nmachine .*\nproblem Conv .*\ntime conv_\w+ [0-9.]+\n')
        self.works('build', PARTS, '-o', two, '--time-record', record)
        self.assertEqual(content(one), content(two))
        result = self.works('build', PARTS, '-o', three, '--time-record', other)
        self.assertIn('no times of this machine', result.stderr)
        merged = self.path('c.times')
        self.works('build', PARTS, '-o', three, '--time-record', merged, '--time-record', other, '--time-record', record)
        self.assertEqual(content(one), content(three))
        self.assertIn('a Cray', content(merged).decode())
        self.assertEqual(content(record).decode(), measured)
        broken = self.path('d.times', b'hone timing record 1\nmachine m\nproblem p\ntime x soon\n')
        self.fails(1, ['d.times:4:', "'x soon'", 'remove the line'], 'build', PARTS, '-o', three, '--time-record', broken)
        self.fails(1, '/proc/x', 'build', PARTS, '-o', three, '--time', '60s', '--time-record', '/proc/x')
        self.fails(2, 'a time such as 60s', 'build', PARTS, '-o', three, '--time', 'soon')
        self.fails(1, 'plan for this machine', 'build', PARTS, '-o', three, '--time', '1s', '--target', 'generic')

    def test_help_has_examples_and_version_is_told(self):
        self.assertRegex(self.works('--version').stdout, r'^hone \d+\.\d+\.\d+\n$')
        for command in 'build run bench inspect check'.split():
            self.assertIn(command, self.works('--help').stdout)
            self.assertIn(f'\n  hone {command} ', self.works(command, '--help').stdout)


class Refuses(Cli):
    def test_wrong_usage_with_2(self):
        self.assertEqual(self.hone().returncode, 2)
        self.fails(2, "did you mean 'build'", 'biuld')
        self.fails(2, "did you mean '--threads'", 'bench', 'm.hone', '--thread', '2')
        self.fails(2, 'MODEL is missing', 'build')
        self.fails(2, '--output', 'build', PARTS)
        self.fails(2, 'needs a value', 'build', PARTS, '-o')
        self.fails(2, 'unexpected argument', 'bench', 'a', 'b')
        self.fails(2, 'whole number from 1', 'bench', PARTS, '--threads', 'many')
        self.fails(2, 'NAME=1x3x224x224', 'bench', PARTS, '--shape', '1x3')
        self.fails(2, 'one of fp32', 'build', PARTS, '-o', 'x', '--precision', 'fp99')
        self.fails(2, 'given twice', 'build', PARTS, '-o', 'x', '-o', 'y')
        self.fails(2, 'takes no value', 'bench', PARTS, '--json=yes')

    def test_a_missing_file(self):
        for words in ['build', 'nosuch.onnx', '-o', 'x.hone'], ['run', 'nosuch.onnx'], ['bench', 'nosuch.onnx'], ['inspect', 'nosuch.onnx']:
            self.fails(1, ['nosuch.onnx', 'No such file'], *words)
        self.fails(1, 'nosuch.npy', 'run', PARTS, '--input', 'nosuch.npy')

    def test_a_pdf(self):
        pdf = self.path('paper.pdf', b'%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n' * 50)
        for words in ['build', pdf, '-o', self.path('x')], ['inspect', pdf], ['check', PARTS, '--against', pdf]:
            self.fails(1, 'paper.pdf', *words)
        self.fails(1, ['paper.pdf', '.npy'], 'run', PARTS, '--input', pdf)
        self.fails(1, 'empty.onnx', 'inspect', self.path('empty.onnx', b''))
        self.fails(1, self.folder, 'inspect', self.folder)

    def test_a_truncated_model_and_a_truncated_engine(self):
        with open(PARTS, 'rb') as f:
            whole = f.read()
        self.fails(1, 'cut.onnx', 'build', self.path('cut.onnx', whole[:len(whole) // 2]), '-o', self.path('x.hone'))
        with open(self.engine(), 'rb') as f:
            whole = f.read()
        self.fails(1, ['cut.hone', 'cut off'], 'run', self.path('cut.hone', whole[:len(whole) // 2]))
        flipped = bytearray(whole)
        flipped[100] ^= 1
        self.fails(1, ['flipped.hone', 'damaged'], 'bench', self.path('flipped.hone', bytes(flipped)))

    def test_a_custom_operator(self):
        m = self.path('custom.onnx', model([node('Frobnicate', ['x'], ['y'], 'my_node', 'com.acme')], [value('x', [1])], [value('y', [1])],
                                           domains=('', 'com.acme')))
        self.fails(1, ['Frobnicate', 'com.acme', 'my_node'], 'build', m, '-o', self.path('x.hone'))

    def test_wrong_inputs(self):
        m = self.affine('m.onnx')
        npy.write(self.path('good.npy'), [1, 4], [1] * 4)
        npy.write(self.path('wide.npy'), [1, 5], [1] * 5)
        npy.write(self.path('whole.npy'), [1, 4], [1] * 4, 'q')
        good = self.path('good.npy')
        self.fails(1, ["no input 'z'", "'x' (f32 1x4)"], 'run', m, '--input', f'z={good}')
        self.fails(1, ["input 'x'", 'missing'], 'run', m)
        self.fails(1, 'left over', 'run', m, '--input', f'x={good}', '--input', good)
        self.fails(1, "input 'x' is given twice", 'run', m, '--input', f'x={good}', '--input', f'x={good}')
        self.fails(1, ['wide.npy', "input 'x' is f32[1,5]", 'f32[1,4]'], 'run', m, '--input', self.path('wide.npy'))
        self.fails(1, ['whole.npy', "input 'x'", 'i64', 'f32'], 'run', m, '--input', self.path('whole.npy'))
        self.fails(1, "'z'", 'bench', m, '--shape', 'z=1x4')
        with open(good, 'rb') as f:
            cut = f.read()[:-1]
        self.fails(1, ['cut.npy', 'cut off'], 'run', m, '--input', self.path('cut.npy', cut))

    def test_outputs_that_cannot_be_written(self):
        self.fails(1, ['/dev/full', 'No space left'], 'build', PARTS, '-o', '/dev/full')
        self.assertFalse(os.path.isfile('/dev/full'))
        self.fails(1, ['no/such/folder', 'does not exist'], 'build', PARTS, '-o', self.path('no/such/folder/x.hone'))
        self.fails(1, 'is a folder', 'build', PARTS, '-o', self.folder)
        self.fails(1, '/proc/x', 'build', PARTS, '-o', '/proc/x.hone')
        npy.write(self.path('x.npy'), [1, 4], [1] * 4)
        self.fails(1, 'x.npy', 'run', self.affine('m.onnx'), '--input', self.path('x.npy'), '--output-dir', self.path('x.npy'))
        with open('/dev/full', 'w') as full:
            result = self.hone('inspect', PARTS, '--json', stdout=full)
        self.assertEqual(result.returncode, 1)
        self.assertIn('No space left', result.stderr)
        self.assertEqual([f for f in os.listdir(self.folder) if f.endswith('.tmp')], [])

    def test_a_model_is_never_replaced_by_its_engine(self):
        m = self.affine('m.onnx')
        self.fails(1, 'would replace the model', 'build', m, '-o', m)

    def test_an_engine_where_only_a_model_will_do(self):
        engine = self.engine()
        self.fails(1, 'engine file already', 'build', engine, '-o', self.path('x.hone'))
        self.fails(1, "'--opt' is for building", 'bench', engine, '--opt', 'none')

    def test_a_wrong_environment(self):
        engine = self.engine()
        self.fails(1, ['HONE_ISA', 'nonsense'], 'bench', engine, HONE_ISA='nonsense')
        self.fails(1, ['HONE_THREADS', 'nonsense'], 'bench', engine, HONE_THREADS='nonsense')


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
