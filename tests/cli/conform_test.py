#!/usr/bin/env python3
"""`hone conform` on case folders made here: what passes, what fails and how it is told, and folders that are broken.

    conform_test.py HONE [unittest arguments]
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

from onnx_writer import FLOAT, INT64, blob, floats, model, node, number, value

HONE = sys.argv[1]
UINT16, BOOL, BFLOAT16 = 4, 9, 16


def raw(dtype, dims, data):
    return b''.join(number(1, d) for d in dims) + number(2, dtype) + blob(9, data)


def attribute(name, field, payload, kind):
    return blob(5, blob(1, name) + (number(field, payload) if isinstance(payload, int) else blob(field, payload)) + number(20, kind))


ADD_ONE = model([node('Add', ['x', 'one'], ['y'], 'add')], [value('x', [2])], [value('y', [2])], [floats('one', [1], [1.0])])
TWO, THREE = floats('', [2], [2.0, 2.0]), floats('', [2], [3.0, 3.0])


class Conform(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='hone-conform-')
        self.addCleanup(shutil.rmtree, self.folder)

    def case(self, name, onnx=ADD_ONE, sets=(([TWO], [THREE]),)):
        """A case folder; None in place of a file leaves it out."""
        folder = os.path.join(self.folder, name)
        os.makedirs(folder)
        files = {'model.onnx': onnx}
        for n, (inputs, outputs) in enumerate(sets):
            os.mkdir(os.path.join(folder, f'test_data_set_{n}'))
            files |= {f'test_data_set_{n}/input_{i}.pb': content for i, content in enumerate(inputs)}
            files |= {f'test_data_set_{n}/output_{i}.pb': content for i, content in enumerate(outputs)}
        for file, content in files.items():
            if content is not None:
                with open(os.path.join(folder, file), 'wb') as f:
                    f.write(content)
        return folder

    def conform(self, code, *words, folder=None):
        result = subprocess.run([HONE, 'conform', folder or self.folder, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, timeout=300)
        self.assertEqual(result.returncode, code, (result.stdout, result.stderr))
        return result

    def counts(self, code, expected, *words):
        result = self.conform(code, *words)
        self.assertEqual(result.stdout.splitlines()[-1], '%d passed, %d failed, %d skipped' % expected, result.stdout)
        self.assertEqual(result.stderr, '')
        return result.stdout

    def fails(self, expected, *words, **case):
        """The one case, called a, fails with this reason, whatever runs it."""
        self.case('a', **case)
        for through in [], ['--opt', 'none'], ['--reference']:
            out = self.counts(3, (0, 1, 0), *through, *words)
            self.assertTrue(out.startswith('FAIL a: '), out)
            for text in [expected] if isinstance(expected, str) else expected:
                self.assertIn(text, out)
            self.assertEqual(out.count('\n'), 2, out)

    def test_cases_pass_however_they_are_run(self):
        self.case('a')
        self.case('deep/down/b')
        for through in [], ['--opt', 'none'], ['--opt', 'default', '--jobs', '1', '--threads', '1'], ['--reference']:
            self.assertEqual(self.counts(0, (2, 0, 0), *through), '2 passed, 0 failed, 0 skipped\n')

    def test_a_folder_may_be_a_case_itself(self):
        folder = self.case('alone')
        self.assertIn('pass alone (', self.conform(0, '-v', folder=folder).stdout)

    def test_the_first_element_that_differs_is_told(self):
        self.fails("output 'y' element [1] is 3, expected 4 (1 of 2 differ)", sets=[([TWO], [floats('', [2], [3.0, 4.0])])])

    def test_shapes_and_types_are_exact(self):
        self.fails("output 'y' is f32[2], expected f32[1]", sets=[([TWO], [floats('', [1], [3.0])])])

    def test_every_data_set_counts(self):
        self.fails("test_data_set_1: output 'y' element [0] is 3, expected 2",
                   sets=[([TWO], [THREE]), ([TWO], [TWO]), ([TWO], [THREE])])

    def test_files_that_are_missing(self):
        self.fails("there is no input_0.pb for input 'x'", sets=[([], [THREE])])

    def test_outputs_that_are_missing(self):
        self.fails("there is no output_0.pb for output 'y'", sets=[([TWO], [])])

    def test_outputs_that_are_too_many(self):
        self.fails('there is an output_1.pb, but the model has 1 outputs', sets=[([TWO], [THREE, THREE])])

    def test_a_model_that_is_missing(self):
        self.fails('there is no model.onnx', onnx=None)

    def test_a_model_that_is_cut_off(self):
        self.fails('import: ', onnx=ADD_ONE[:-20])

    def test_an_operator_that_does_not_exist(self):
        self.fails(["import: operator 'Addd' of domain ai.onnx is not supported"],
                   onnx=model([node('Addd', ['x'], ['y'], 'n')], [value('x', [2])], [value('y', [2])]))

    def test_an_input_that_is_cut_off(self):
        self.fails('input_0.pb: ', sets=[([TWO[:-3]], [THREE])])

    def test_an_output_that_is_cut_off(self):
        self.fails('output_0.pb: ', sets=[([TWO], [THREE[:-3]])])

    def test_an_output_that_says_more_than_it_has(self):
        self.fails('output_0.pb: ', sets=[([TWO], [raw(FLOAT, [1 << 40, 1 << 20], b'1234')])])

    def test_an_output_that_is_empty(self):
        self.fails('output_0.pb: ', sets=[([TWO], [b''])])

    def test_an_input_that_does_not_fit(self):
        self.fails(["run: ", "'x'"], sets=[([floats('', [3], [0.0] * 3)], [THREE])])

    def test_without_data_there_is_nothing_to_run(self):
        self.case('a', sets=[])
        self.case('b')
        self.assertIn('SKIP a: there is no folder test_data_set_N\n', self.counts(0, (1, 0, 1)))

    def test_a_loop_without_end_is_one_failure(self):
        body = (blob(1, node('Identity', ['go'], ['go_on'], 'i')) + blob(1, node('Identity', ['v'], ['w'], 'j')) + blob(2, 'body') +
                blob(11, value('n', [], INT64)) + blob(11, value('go', [], BOOL)) + blob(11, value('v', [2])) +
                blob(12, value('go_on', [], BOOL)) + blob(12, value('w', [2])))
        loop = node('Loop', ['', 'go_first', 'x'], ['y'], 'loop') + attribute('body', 6, body, 5)
        endless = model([loop], [value('x', [2])], [value('y', [2])], [raw(BOOL, [], b'\1') + blob(8, 'go_first')])
        self.case('endless', endless, [([TWO], [TWO])])
        self.case('fine')
        self.assertIn('FAIL endless: took more than 1 s\n', self.counts(3, (1, 1, 0), '--seconds', '1'))

    def test_bfloat16_may_be_stored_as_integers(self):
        to_bf16 = model([node('Cast', ['x'], ['y'], 'c') + attribute('to', 3, BFLOAT16, 2)], [value('x', [2])], [value('y', [2], BFLOAT16)])
        back = model([node('Cast', ['x'], ['y'], 'c') + attribute('to', 3, FLOAT, 2)], [value('x', [2], BFLOAT16)], [value('y', [2])])
        bits = raw(UINT16, [2], struct.pack('<HH', 0x4000, 0x4000))
        self.case('to', to_bf16, [([TWO], [bits])])
        self.case('back', back, [([bits], [TWO])])
        self.case('wrong', to_bf16, [([THREE], [bits])])
        self.assertIn("FAIL wrong: output 'y' element [0] is 3, expected 2", self.counts(3, (2, 1, 0)))

    def test_an_input_may_be_stored_with_another_rank(self):
        declared = model([node('Add', ['x', 'one'], ['y'], 'add')], [value('x', [3, 4])], [value('y', [3, 4])], [floats('one', [1], [1.0])])
        self.case('a', declared, [([TWO], [THREE]), ([floats('', [3, 4], [2.0] * 12)], [floats('', [3, 4], [3.0] * 12)])])
        for through in [], ['--opt', 'none'], ['--reference']:
            self.counts(0, (1, 0, 0), *through)

    def test_an_optional_input_may_have_no_file(self):
        optional = blob(1, 'x') + blob(2, blob(9, blob(1, blob(1, number(1, FLOAT) + blob(2, blob(1, number(1, 2)))))))
        self.case('a', model([node('OptionalHasElement', ['x'], ['y'], 'n')], [optional], [value('y', [], BOOL)]).replace(
            number(2, 17), number(2, 18)), [([], [raw(BOOL, [], b'\0')])])
        self.counts(0, (1, 0, 0))

    def test_filters_take_parts_and_patterns(self):
        for name in 'node/test_add', 'node/test_add_more', 'simple/test_add':
            self.case(name)
        for pattern, expected in ('add', 3), ('node/', 2), ('test_add', 3), ('test_ad?', 2), ('node/test_*', 2), ('*more', 1):
            self.counts(0, (expected, 0, 0), '--filter', pattern)
        self.assertIn("no case there has a name like 'sub'", self.conform(1, '--filter', 'sub').stderr)

    def test_json_is_one_object(self):
        self.case('good')
        self.case('bad', sets=[([TWO], [TWO])])
        out = self.conform(3, '--json', '--opt', 'none').stdout
        self.assertEqual(out.count('\n'), 1)
        result = json.loads(out)
        self.assertEqual((result['passed'], result['failed'], result['skipped'], result['opt']), (1, 1, 0, 'none'))
        self.assertEqual({c['name']: c['outcome'] for c in result['cases']}, {'good': 'passed', 'bad': 'failed'})
        self.assertIn('element [0] is 3, expected 2', result['cases'][0]['reason'])
        self.assertEqual({c['name'] for c in result['slowest']}, {'good', 'bad'})
        self.assertGreater(result['seconds'], 0)

    def test_folders_without_cases_are_refused(self):
        self.assertIn('there is no case', self.conform(1).stderr)
        for path in 'nowhere', 'file':
            with open(os.path.join(self.folder, 'file'), 'w', encoding='utf-8'):
                pass
            result = self.conform(1, folder=os.path.join(self.folder, path))
            self.assertEqual((result.stderr.count('\n'), result.stdout), (1, ''), result.stderr)

    def test_wrong_usage(self):
        for words in ['--opt', 'some'], ['--jobs', '0'], ['more']:
            self.assertEqual(self.conform(2, *words).stderr.count('\n'), 1)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
