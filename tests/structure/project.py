"""What the tests of the structure share: the list of files that belong to the project, and how a test ends.

A test is a program that prints one line per fault and exits 1 if there was any; 77 means that it could not be carried out
(ctest shows it as skipped).
"""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Where the project is no git working copy (an unpacked archive): what .gitignore leaves out.
NOT_OURS = {'build', '.git', '.cache', '__pycache__', 'node_modules'}


def files(*suffixes):
    """Tracked files (and new ones that git does not ignore) as paths relative to ROOT, sorted; all, or those with these suffixes."""
    # safe.directory: root may test what another user has cloned.
    git = ['git', '-c', f'safe.directory={ROOT}', '-C', str(ROOT), 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
    try:
        listed = subprocess.run(git, check=True, capture_output=True, text=True).stdout.split('\0')
        found = [pathlib.Path(name) for name in listed if name and (ROOT / name).is_file()]
    except (OSError, subprocess.CalledProcessError):
        found = []
        for folder, folders, names in os.walk(ROOT):
            folders[:] = [f for f in folders if f not in NOT_OURS]
            found += [pathlib.Path(folder, n).relative_to(ROOT) for n in names]
    found = sorted(f for f in found if not suffixes or f.suffix in suffixes)
    if not found:
        sys.exit(f'no files found in {ROOT}')
    return found


def text(path):
    """The file's text; empty for a binary one."""
    data = (ROOT / path).read_bytes()
    try:
        return '' if b'\0' in data else data.decode()
    except UnicodeDecodeError:  # a picture, say
        return ''


def finish(faults):
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)
