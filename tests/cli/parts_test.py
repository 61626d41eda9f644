#!/usr/bin/env python3
"""The demo models of examples/parts through Hone's commands, against torch and plain numpy (samples/expected.json).

    parts_test.py HONE SOURCE_DIR [unittest arguments]
"""
import json
import os
import subprocess
import sys
import unittest

HONE = sys.argv[1]
PARTS = os.path.join(sys.argv[2], 'examples/parts')


class Parts(unittest.TestCase):
    def answers(self, task):
        """(name, expected, what hone says) of each sample of the task."""
        with open(os.path.join(PARTS, 'samples/expected.json')) as f:
            expected = {name: e for name, e in json.load(f).items() if e['task'] == task}
        self.assertGreaterEqual(len(expected), 4)
        model = os.path.join(PARTS, f'parts_{task}')
        result = subprocess.run([HONE, task, model + '.onnx', *[os.path.join(PARTS, 'samples', name) for name in expected],
                                 '--task', model + '.toml', '--json'], capture_output=True, text=True, timeout=300)
        self.assertEqual(result.returncode, 0, result.stderr)
        said = {os.path.basename(j['image']): j for j in map(json.loads, result.stdout.splitlines())}
        self.assertEqual(set(said), set(expected))
        for name, e in expected.items():
            self.assertEqual([said[name]['width'], said[name]['height']], e['size'])
            yield name, e, said[name]

    def test_parts_have_the_names_that_torch_gives_them(self):
        for name, e, said in self.answers('classify'):
            self.assertEqual(said['classes'][0]['name'], e['class'], name)
            for c in said['classes']:
                self.assertAlmostEqual(c['score'], e['probabilities'][c['label']], delta=5e-3, msg=name)

    def test_parts_lie_where_numpy_finds_them(self):
        for name, e, said in self.answers('detect'):
            # One that scores about as much as the threshold may be there or not.
            found = [d for d in said['detections'] if d['score'] > 0.32]
            self.assertGreater(len(found), 0, name)
            for these, those in (found, e['boxes']), ([b for b in e['boxes'] if b['score'] > 0.32], said['detections']):
                for a in these:
                    alike = [b for b in those if self.name(a) == self.name(b) and abs(a['score'] - b['score']) < 0.02 and
                             all(abs(p - q) < 1.5 for p, q in zip(a['box'], b['box']))]
                    self.assertEqual(len(alike), 1, (name, a, those))

    @staticmethod
    def name(detection):
        return detection.get('name') or detection['class']

    def test_as_much_is_damaged_as_torch_says(self):
        for name, e, said in self.answers('segment'):
            shares = {c['name']: c['share'] for c in said['classes']}
            for region, fraction in e['fractions'].items():
                self.assertAlmostEqual(shares.get(region, 0), fraction, delta=2e-3, msg=name)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
