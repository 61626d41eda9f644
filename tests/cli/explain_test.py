#!/usr/bin/env python3
"""`hone explain`: models that run, that run in part by references, and that do not run.

    explain_test.py HONE SOURCE_DIR [unittest arguments]
"""
import json
import sys
import unittest

import cli_test
from cli_test import PARTS
from onnx_writer import INT64, model, node, value, whole


class Explain(cli_test.Cli):
    def explain(self, *words):
        return json.loads(self.works('explain', *words, '--json').stdout)

    def test_each_node_of_a_supported_model_has_a_fate_and_each_step_a_kernel_and_a_cost(self):
        j = self.explain(PARTS)
        self.assertTrue(j['supported'])
        self.assertEqual((j['problems'], j['reference_steps'], j['reference_us']), ([], 0, 0))
        self.assertTrue(all(n['fate'] in ('runs', 'merged', 'removed', 'folded', 'unused') for n in j['nodes']))
        self.assertIn('merged', {n['fate'] for n in j['nodes']})
        for n in j['nodes']:
            if n['op'] in ('Conv', 'Gemm'):
                self.assertEqual(j['steps'][n['step']]['op'], n['op'])
                self.assertEqual(j['steps'][n['step']]['name'], n['name'])
        kernels = [s for s in j['steps'] if s['how'] == 'kernel']
        self.assertTrue(kernels)
        for s in kernels:
            self.assertTrue(s['kernel'] and s['why'] and s['us'] > 0 and s['bytes'] > 0, s)
        convolutions = [s for s in kernels if s['op'] == 'Conv']
        self.assertTrue(all(s['flops'] > 0 for s in convolutions))
        self.assertTrue(any(o['why'] for s in convolutions for o in s['others']))
        self.assertAlmostEqual(j['us'], sum(s['us'] for s in j['steps']), delta=1e-6 * j['us'])

    def test_the_table_names_kernels_refusals_and_what_was_fused(self):
        out = self.works('explain', PARTS).stdout
        for text in 'conv_gemm_f32', 'not conv_', 'Every step has a kernel.', ': part of Conv', '+ Relu':
            self.assertIn(text, out)

    def test_a_reference_is_marked_and_its_share_told(self):
        m = self.path('m.onnx', model([node('Relu', ['x'], ['a'], 'fast'), node('CumSum', ['a', 'axis'], ['y'], 'slow')],
                                      [value('x', [64, 64])], [value('y', [64, 64])], [whole('axis', [], [1])]))
        j = self.explain(m)
        self.assertEqual([(s['op'], s['how']) for s in j['steps']], [('Relu', 'kernel'), ('CumSum', 'reference')])
        self.assertEqual(j['reference_steps'], 1)
        self.assertGreater(j['reference_us'], 0)
        self.assertLess(j['reference_us'], j['us'])
        out = self.works('explain', m).stdout
        self.assertRegex(out, r"! reference .*CumSum 'slow'")
        self.assertRegex(out, r'! 1 step runs by a reference kernel, [0-9.]+% of the estimated time: CumSum')

    def test_all_reasons_against_a_model_come_at_once_each_with_a_remedy(self):
        m = self.path('m.onnx', model(
            [node('relu', ['x'], ['a'], 'case'), node('Frobnicate', ['a'], ['b'], 'f1', 'acme'), node('Frobnicate', ['b'], ['c'], 'f2', 'acme'),
             node('Relu', ['c'], ['d'], 'good'), node('MatMul', ['x', 'i'], ['e'], 'types'), node('LabelEncoder', ['d'], ['g'], 'domain'),
             node('Add', ['d', 'e'], ['y'], 'also_good')],
            [value('x', [4, 4]), value('i', [4, 4], INT64)], [value('y', [4, 4])], domains=('', 'acme')))
        result = self.hone('explain', m, '--json')
        self.assertEqual((result.returncode, result.stderr.count('\n')), (1, 1))
        j = json.loads(result.stdout)
        self.assertFalse(j['supported'])
        self.assertEqual([n['name'] for n in j['nodes'] if n['supported']], ['good', 'also_good'])
        fixes = {p['node']: (p['nodes'], p['fix']) for p in j['problems']}
        self.assertEqual(len(fixes), 4, fixes)
        for name, nodes, fix in (("relu 'case'", 1, "did you mean 'Relu'?"), ("Frobnicate 'f1'", 2, '--plugin'),
                                 ("MatMul 'types'", 1, 'Cast'), ("LabelEncoder 'domain'", 1, "'ai.onnx.ml'")):
            self.assertEqual(fixes[name][0], nodes)
            self.assertIn(fix, fixes[name][1])
        out = self.hone('explain', m).stdout
        for text in '! no', 'for 4 reasons', "fix: did you mean 'Relu'?", '(and 1 more)':
            self.assertIn(text, out)

    def test_an_engine_file_is_explained_as_it_will_run(self):
        j = self.explain(self.engine())
        self.assertIsNone(j['nodes'])
        self.assertEqual({s['op'] for s in j['steps']}, {s['op'] for s in self.explain(PARTS)['steps']})

    def test_open_dimensions_are_assumed_or_given(self):
        m = self.affine('m.onnx', batch='batch')
        self.assertEqual(self.explain(m)['assumed_shapes'], {'x': [1, 4]})
        j = self.explain(m, '--shape', 'x=7x4')
        self.assertEqual((j['assumed_shapes'], j['steps'][0]['output']), ({}, 'f32[7,4]'))
        self.fails(1, "'z'", 'explain', m, '--shape', 'z=7x4')

    def test_what_is_no_model_fails_in_one_line(self):
        self.fails(1, 'not an ONNX model', 'explain', self.path('m.onnx', b'GIF89a'))
        self.fails(1, 'No such file', 'explain', self.path('none.onnx'))


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
