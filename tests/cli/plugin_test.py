#!/usr/bin/env python3
"""Operators of a plugin (examples/04_plugin.c) by the hone command: named on the command line, in the environment, or missing.

    plugin_test.py HONE SOURCE_DIR PLUGIN [unittest arguments]
"""
import json
import os
import shutil
import struct
import sys
import unittest

PLUGIN = sys.argv.pop(3)

import cli_test
import npy
from onnx_writer import blob, model, node, number, value


def attribute(name, values):
    return blob(5, blob(1, name) + number(20, 6) + blob(7, struct.pack(f'<{len(values)}f', *values)))


class Plugin(cli_test.Cli):
    def model(self, name='m.onnx', xs=(0, 1, 3), ys=(0, 10, 20)):
        """y = the curve at Relu(x)."""
        curve = node('Calibrate', ['r'], ['y'], 'curve', 'com.example') + attribute('xs', xs) + attribute('ys', ys)
        return self.path(name, model([node('Relu', ['x'], ['r'], 'relu'), curve], [value('x', ['N', 2])], [value('y', ['N', 2])],
                                     domains=('', 'com.example')))

    def input(self):
        npy.write(self.path('x.npy'), [3, 2], [-1, 0.5, 2, 3, 9, 0])
        return self.path('x.npy')

    def check_outputs(self, *words, **environment):
        out = self.path('out')
        self.works('run', *words, '--input', self.input(), '-o', out, **environment)
        self.assertEqual(npy.read(os.path.join(out, 'y.npy')), ((3, 2), (0, 5, 15, 20, 20, 0)))
        shutil.rmtree(out)

    def test_model_and_engine_run_with_it_by_option_or_environment(self):
        m, engine = self.model(), self.path('m.hone')
        self.works('build', m, '-o', engine, '--plugin', PLUGIN)
        for file in m, engine:
            self.check_outputs(file, '--plugin', PLUGIN)
            self.check_outputs(file, HONE_PLUGINS=f':{PLUGIN}:')
            self.check_outputs(file, '--plugin', PLUGIN, '--plugin', PLUGIN, HONE_PLUGINS=PLUGIN)
        self.works('check', engine, '--against', m, '--plugin', PLUGIN)
        self.works('bench', engine, '--plugin', PLUGIN)
        shown = json.loads(self.works('inspect', engine, '--plugin', PLUGIN, '--json').stdout)
        self.assertEqual(shown['operators'], {'Relu': 1, 'com.example.Calibrate': 1})
        self.assertTrue(json.loads(self.works('explain', engine, '--plugin', PLUGIN, '--json').stdout)['supported'])

    def test_without_it_model_and_engine_name_operator_domain_and_remedy(self):
        m, engine = self.model(), self.path('m.hone')
        expected = ['Calibrate', "'com.example'", '--plugin', 'HONE_PLUGINS']
        self.fails(1, expected + ["'curve'"], 'build', m, '-o', engine)
        self.works('build', m, '-o', engine, '--plugin', PLUGIN)
        for command in 'run', 'bench', 'inspect':
            self.fails(1, expected, command, engine)

    def test_what_the_plugin_refuses_is_told_when_building(self):
        m = self.model('bad.onnx', xs=(0, 1, 1))
        self.fails(1, ["'curve'", '04_plugin', 'Calibrate', 'xs must ascend'], 'build', m, '-o', self.path('x.hone'), '--plugin', PLUGIN)

    def test_a_plugin_that_cannot_be_loaded_is_named(self):
        m = self.model()
        self.fails(1, ["plugin 'nowhere.so'", 'No such file'], 'inspect', m, '--plugin', 'nowhere.so')
        self.fails(1, ['m.onnx', 'no shared library'], 'inspect', m, '--plugin', m)
        self.fails(1, ['HONE_PLUGINS', "plugin 'nowhere.so'"], 'inspect', m, HONE_PLUGINS='nowhere.so')
        # A bare name is a file's in the current folder; libm.so.6 of the system's folders is not found.
        self.fails(1, ["plugin 'libm.so.6'", 'No such file'], 'inspect', m, '--plugin', 'libm.so.6')
        copy = self.path('copy.so')
        shutil.copy(PLUGIN, copy)
        self.fails(1, ['Calibrate', 'com.example', 'already', PLUGIN], 'inspect', m, '--plugin', PLUGIN, '--plugin', copy)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
