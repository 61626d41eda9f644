#!/usr/bin/env python3
"""The shared libraries show the C ABI and nothing else, and the runtime needs nothing but the C and C++ runtime:

    libraries.py --nm NM --readelf READELF [--most BYTES] [--only-system] LIBRARY
"""
import argparse
import os
import re
import subprocess

from project import finish

SYSTEM = re.compile(r'^(libc\.so\.6|libm\.so\.6|libpthread\.so\.0|libstdc\+\+\.so\.6|libgcc_s\.so\.1|ld-linux-[\w-]+\.so\.\d)$')


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
options.add_argument('--nm', required=True)
options.add_argument('--readelf', required=True)
options.add_argument('--most', type=int, metavar='BYTES', help='greatest size of the file')
options.add_argument('--only-system', action='store_true', help='needs no other libraries than those of C and C++')
options.add_argument('library')
options = options.parse_args()

faults = []
size = os.path.getsize(options.library)
print(f'note: {os.path.basename(options.library)}: {size} bytes')
if options.most and size > options.most:
    faults.append(f'{options.library}: {size} bytes, {options.most} at most')
symbols = [line.split() for line in output(options.nm, '-D', '--defined-only', '-P', options.library).splitlines()]
names = [s[0].split('@')[0] for s in symbols]
faults += [f'{options.library}: exports {name}' for name in names if not name.startswith('hone_')]
if not any(name.startswith('hone_') for name in names):
    faults.append(f'{options.library}: exports nothing')
needed = re.findall(r'\(NEEDED\).*\[(.*)\]', output(options.readelf, '-d', '-W', options.library))
if options.only_system:
    faults += [f'{options.library}: needs {name}' for name in needed if not SYSTEM.match(name)]
if not needed:
    faults.append(f'{options.readelf} finds no needed libraries in {options.library}')
finish(faults)
