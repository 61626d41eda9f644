#!/usr/bin/env python3
"""Limits that keep the project small and readable (ARCHITECTURE.md, "Budgets"): length of files, number of options, of macros and
of public functions; no unfinished places; nothing that holds on one machine only.
"""
import re

from project import ROOT, files, finish, text

LINES_WANTED, LINES_MOST = 400, 800
SOURCES = ('.h', '.hpp', '.cc', '.cpp', '.c', '.py', '.cmake', '.comp', '.js', '')  # '': scripts
OPTIONS_MOST = 12
MACROS_MOST = 10
FUNCTIONS_MOST = 64
ARCHITECTURE_LINES_MOST = 200
UNFINISHED = re.compile(r'\b(TO' r'DO|FIX' r'ME|X' r'XX)\b')
THIS_MACHINE = re.compile(r'(?<![\w.}/])/(work|root|home/\w+|tmp/\w+)\b')


def count(what, found, most):
    return [f'{len(found)} {what}, {most} at most: {", ".join(sorted(found))}'] if len(found) > most else []


def length(path, lines):
    if lines > LINES_MOST:
        return [f'{path}: {lines} lines, {LINES_MOST} at most']
    if lines > LINES_WANTED:
        print(f'note: {path}: {lines} lines, {LINES_WANTED} wanted')
    return []


def self_test():
    assert UNFINISHED.search('// TO' + 'DO: x') and not UNFINISHED.search('TO' + 'DOS')
    assert THIS_MACHINE.search('"/wor' + 'k/x"') and not THIS_MACHINE.search('a/work and https://x/root')
    assert length('x', LINES_MOST + 1) and not length('x', LINES_WANTED)
    assert count('x', {'a', 'b'}, 1) and not count('x', {'a', 'b'}, 2)


self_test()
faults, options, macros = [], set(), set()
for file in files():
    source = text(file)
    name = file.as_posix()
    if file.suffix in SOURCES and name != 'LICENSE':
        faults += length(name, source.count('\n'))
    for number, line in enumerate(source.split('\n'), 1):
        if UNFINISHED.search(line):
            faults.append(f'{name}:{number}: unfinished: {line.strip()}')
        if THIS_MACHINE.search(line):
            faults.append(f'{name}:{number}: a path of one machine: {line.strip()}')
    if file.name == 'CMakeLists.txt' or file.suffix == '.cmake':
        options |= set(re.findall(r'^\s*(?:option\(|set\()\s*(\w+)(?=[^)]*CACHE|.*(?:ON|OFF)\))', source, re.M))
    if file.parts[0] in ('src', 'include', 'tools'):
        macros |= set(re.findall(r'^\s*#\s*define\s+(HONE_\w+)', source, re.M))
faults += count('CMake options', {o for o in options if o.startswith('HONE_')}, OPTIONS_MOST)
faults += count('macros', macros, MACROS_MOST)
headers = ''.join(h.read_text() for h in sorted((ROOT / 'include/hone').glob('*.h')))
faults += count('public functions', set(re.findall(r'^HONE_API\b[^;(]*\b(hone_\w+)\(', headers, re.M)), FUNCTIONS_MOST)
lines = text('ARCHITECTURE.md').count('\n')
if lines > ARCHITECTURE_LINES_MOST:
    faults.append(f'ARCHITECTURE.md: {lines} lines, {ARCHITECTURE_LINES_MOST} at most')
finish(faults)
