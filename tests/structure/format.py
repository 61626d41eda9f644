#!/usr/bin/env python3
"""C and C++ files are formatted as .clang-format says: format.py CLANG_FORMAT [--fix]."""
import subprocess
import sys

from project import ROOT, files, finish

program, fix = sys.argv[1], sys.argv[2:] == ['--fix']
if program.endswith('NOTFOUND'):
    print('clang-format-14 is not installed')
    sys.exit(77)
sources = [str(f) for f in files('.h', '.hpp', '.cc', '.cpp', '.c')]
mode = ['-i'] if fix else ['--dry-run', '-Werror']
run = subprocess.run([program, *mode, *sources], cwd=ROOT, capture_output=True, text=True)
wrong = sorted({line.split(':')[0] for line in run.stderr.splitlines() if 'error:' in line})
finish([f'{name}: not formatted; run {program} -i on it' for name in wrong] or ([run.stderr] if run.returncode else []))
