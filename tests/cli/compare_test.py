#!/usr/bin/env python3
"""bench/compare on a tiny network: without a peer, with one that always says the same, and with wrong words.

    compare_test.py HONE SOURCE_DIR [unittest arguments]
"""
import csv
import json
import os
import shutil
import subprocess
import sys
import unittest
import xml.dom.minidom

from cli_test import HONE, PARTS, SOURCE, Cli

COMPARE = os.path.join(SOURCE, 'bench/compare')
QUICK = ['--rounds', '1', '--seconds', '0.01']
PEER = {'median_ms': 1000.0, 'min_ms': 900.0, 'p95_ms': 1100.0, 'load_ms': 5.0, 'peak_rss_mb': 50.0, 'idle_rss_mb': 40.0, 'version': '9.8.7'}
CEILINGS = {'ceilings': [{'threads': n, 'gflops': {isa: 1e-6 * n for isa in ('sse42', 'avx2', 'avx512', 'neon')}, 'read': []} for n in (1, 2)]}


class Compare(Cli):
    def script(self, name, text):
        path = self.path(name, f'#!/bin/sh\n{text}\n'.encode())
        os.chmod(path, 0o755)
        return path

    def compare(self, code, *words, node='exit 77'):
        """The result of a run in which `node` is this script."""
        self.script('node', node)
        path = self.folder + os.pathsep + os.environ['PATH']
        r = subprocess.run([sys.executable, COMPARE, '--hone', HONE, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           env={**os.environ, 'PATH': path}, timeout=600)
        self.assertEqual(r.returncode, code, (r.stdout, r.stderr))
        return r

    def rows(self, path):
        with open(path) as f:
            return list(csv.DictReader(f))

    def test_without_a_peer_its_columns_are_empty_and_that_is_said(self):
        table, chart = self.path('t.csv'), self.path('c.svg')
        r = self.compare(0, PARTS, *QUICK, '--csv', table, '--svg', chart, '--first')
        self.assertIn('onnxruntime-node is not installed', r.stderr)
        self.assertIn('onnxruntime-node is not installed', r.stdout)
        rows = self.rows(table)
        self.assertEqual([(row['model'], row['threads']) for row in rows], [('parts_classify', '1'), ('parts_classify', '2')])
        for row in rows:
            for key in 'hone_median_ms hone_min_ms hone_p95_ms hone_rss_mb hone_load_ms hone_first_ms gflop'.split():
                self.assertGreater(float(row[key]), 0, key)
            for key in 'ort_median_ms ort_load_ms ort_rss_mb ort_first_ms ratio'.split():
                self.assertEqual(row[key], '', key)
        self.assertIn('| parts_classify | 2 |', r.stdout)
        self.assertIn('nothing to compare with', xml.dom.minidom.parse(chart).toxml())

    def test_ratio_ceiling_and_geometric_mean_follow_from_the_times(self):
        table, chart = self.path('t.csv'), self.path('c.svg')
        ceilings = self.script('ceilings', f"echo '{json.dumps(CEILINGS)}'")
        copy = shutil.copy(PARTS, self.path('copy.onnx'))
        r = self.compare(0, PARTS, copy, *QUICK, '--csv', table, '--svg', chart, '--ceilings', ceilings, '--busy',
                         node=f"echo '{json.dumps(PEER)}'")
        ratios = {}
        for row in self.rows(table):
            median = float(row['hone_median_ms'])
            self.assertAlmostEqual(float(row['ratio']), median / 1000, delta=1e-5 * median)
            peak = 1e-6 * int(row['threads'])  # GFLOP/s
            self.assertAlmostEqual(float(row['share_of_ceiling']) / (float(row['gflop']) / (median / 1000) / peak), 1, delta=1e-4)
            self.assertAlmostEqual(float(row['hone_busy_factor']) / (float(row['hone_busy_median_ms']) / median), 1, delta=1e-4)
            self.assertEqual(float(row['ort_busy_factor']), 1)
            ratios.setdefault(row['threads'], []).append(float(row['ratio']))
        means = {n: (v[0] * v[1]) ** 0.5 for n, v in ratios.items()}
        self.assertIn(f'Geometric mean of the ratios: {means["1"]:.3f} with 1 thread, {means["2"]:.3f} with 2 threads.', r.stdout)
        self.assertIn('ONNX Runtime 9.8.7', r.stdout)
        picture = xml.dom.minidom.parse(chart)
        self.assertEqual(len([b for b in picture.getElementsByTagName('rect') if b.getAttribute('class').startswith('bar')]), 2 + 3 * 2)

    def test_writes_between_the_marks_of_a_page_and_leaves_the_rest(self):
        page = self.path('page.md', b'before\n<!-- compare: begin -->\nold\n<!-- compare: end -->\nafter\n')
        self.compare(0, PARTS, *QUICK, '--threads', '1', '--markdown', page)
        with open(page) as f:
            text = f.read()
        self.assertTrue(text.startswith('before\n<!-- compare: begin -->\n'), text)
        self.assertTrue(text.endswith('<!-- compare: end -->\nafter\n'), text)
        self.assertNotIn('old', text)
        self.assertIn('| parts_classify | 1 |', text)

    def test_a_page_without_marks_is_not_touched(self):
        page = self.path('page.md', b'mine\n')
        r = self.compare(1, PARTS, *QUICK, '--markdown', page)
        self.assertIn('has no lines', r.stderr)
        with open(page) as f:
            self.assertEqual(f.read(), 'mine\n')

    def test_a_model_that_fails_is_told_and_the_others_are_measured(self):
        r = self.compare(1, self.path('bad.onnx', b'nonsense'), PARTS, *QUICK)
        self.assertIn('bad.onnx: ', r.stderr)
        self.assertIn('| parts_classify | 1 |', r.stdout)

    def test_a_mean_over_the_limit_is_exit_code_3(self):
        peer = f"echo '{json.dumps({**PEER, 'median_ms': 1e-6})}'"
        r = self.compare(3, PARTS, *QUICK, '--threads', '1', '--most', '0.5', node=peer)
        self.assertIn('over --most 0.5', r.stderr)
        self.compare(0, PARTS, *QUICK, '--threads', '1', '--most', '0.5', node=f"echo '{json.dumps(PEER)}'")

    def test_wrong_words_are_exit_code_2(self):
        for words in ([], [PARTS, '--rounds', '0'], [PARTS, '--threads', 'two'], [PARTS, '--nonsense']):
            self.assertIn('compare: ', self.compare(2, *words).stderr)
        self.assertIn('no such file', self.compare(1, self.path('absent.onnx')).stderr)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
