#!/usr/bin/env python3
"""ONNX's own test cases pass, but for those that docs/conformance.md names; its figures are right. Exit code 77: there are no cases.

    conform_test.py HONE DIR DOCUMENT [--timed] [--blind] [options of `hone conform`]

--timed: the whole run takes less than 3 minutes and no case a second.
--blind: the command was built without what decodes pictures; a case that says so is as good as one that passes.
"""
import json
import os
import re
import subprocess
import sys

SECONDS_MOST, CASE_MS_MOST = 180, 1000
BLIND = 'this process has no decoder of pictures'


def section(document, title):
    return re.search(rf'^## {title}$(.*?)(?=^## |\Z)', document, re.M | re.S)[1]


def read_document(text):
    """({set: (cases, passed)}, names of the cases that miss)"""
    figures = {name: (int(cases.replace(',', '')), int(passed.replace(',', ''))) for name, cases, passed in
               re.findall(r'^\| `([\w-]+)` \| ([\d,]+) \| ([\d,]+) \|', section(text, 'Figures'), re.M)}
    misses = [row for cell in re.findall(r'^\|([^|]*)\|', section(text, 'What misses'), re.M) for row in re.findall(r'`([\w/-]+)`', cell)]
    return figures, set(misses)


def faults(result, figures, misses, timed, blind=False):
    found, counts = [], {}
    for case in result['cases']:
        part = case['name'].split('/')[0]
        cases, passed = counts.get(part, (0, 0))
        good = case['outcome'] == 'passed' or (blind and BLIND in case['reason'])
        counts[part] = (cases + 1, passed + good)
        if good and case['name'] in misses:
            found.append(f'{case["name"]} passes, but the document says that it misses')
        if not good and case['name'] not in misses:
            found.append(f'{case["name"]}: {case["reason"]}')
    found += [f'{name} is said to miss, but is no case' for name in sorted(misses - {case['name'] for case in result['cases']})]
    if counts != figures:
        found.append(f'the document has (cases, passed) {figures}; they are {counts}')
    slow = result['slowest'][0]
    if timed and (result['seconds'] >= SECONDS_MOST or slow['ms'] >= CASE_MS_MOST):
        found.append(f'{result["seconds"]:.0f} s in all, {slow["name"]} {slow["ms"]:.0f} ms: {SECONDS_MOST} s and {CASE_MS_MOST} ms are allowed')
    return found


def self_test():
    text = '## Figures\n| `a` | 1,002 | 1,001 |\n## What misses\n| case | why |\n| `a/x`, `a/y` | `z` |\n## End\n| `no` | 1 | 1 |\n'
    assert read_document(text) == ({'a': (1002, 1001)}, {'a/x', 'a/y'})
    case = lambda name, good: {'name': name, 'outcome': 'passed' if good else 'failed', 'reason': 'because'}
    run = {'cases': [case('a/x', False), case('a/z', True)], 'seconds': 1, 'slowest': [{'name': 'a/z', 'ms': 2000}]}
    assert not faults(run, {'a': (2, 1)}, {'a/x'}, False)
    assert len(faults(run, {'a': (2, 1)}, {'a/x'}, True)) == 1
    assert len(faults(run, {'a': (2, 2)}, set(), False)) == 2
    assert len(faults(run, {'a': (2, 1)}, {'a/x', 'a/z', 'a/w'}, False)) == 2
    run['cases'][0]['reason'] = BLIND
    assert not faults(run, {'a': (2, 2)}, set(), False, True) and len(faults(run, {'a': (2, 2)}, set(), False)) == 2


self_test()
hone, folder, document = sys.argv[1:4]
words = sys.argv[4:]
timed, blind = '--timed' in words, '--blind' in words
if not os.path.isdir(folder):
    print(f'skipped: no unpacked cases in {folder}')
    sys.exit(77)
with open(document, encoding='utf-8') as f:
    figures, misses = read_document(f.read())
run = subprocess.run([hone, 'conform', folder, '--json', '--seconds', '600', *(w for w in words if w not in ('--timed', '--blind'))],
                     stdout=subprocess.PIPE, text=True)
if run.returncode not in (0, 3):
    sys.exit(f'hone conform ended with exit code {run.returncode}')
result = json.loads(run.stdout)
found = faults(result, figures, misses, timed, blind)
print('\n'.join(found))
print(f'{result["passed"]} passed, {result["failed"]} failed, {result["skipped"]} skipped; {len(misses)} misses are known; '
      f'{result["seconds"]:.0f} s, {result["slowest"][0]["name"]} {result["slowest"][0]["ms"]:.0f} ms')
sys.exit(1 if found else 0)
