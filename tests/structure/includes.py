#!/usr/bin/env python3
"""Modules include only what the table "Modules" in ARCHITECTURE.md allows.

A row of the table: | `module` | folders | what it may include |. The last is a list of modules, of patterns for paths ("ops/*.def")
and of system headers ("<cstddef>", "<protozero/*>"). A module may always include itself. Of system headers all without a folder
are allowed, as are <sys/...>, unless the row names single ones: then only those.
"""
import fnmatch
import re

from project import files, finish, text

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|(<[^>]+>))', re.M)


def read_table(document):
    """{module: (folders, allowed)} from the rows of the section "Modules"."""
    section = re.search(r'^## Modules$(.*?)(?=^## |\Z)', document, re.M | re.S)
    table = {}
    for name, folders, allowed in re.findall(r'^\| `(\w+)` \|([^|]*)\|([^|]*)\|', section[1] if section else '', re.M):
        words = lambda cell: re.findall(r'`([^`]+)`', cell)
        table[name] = (words(folders), words(allowed))
    return table


def owner(table, path):
    """The module whose folder holds the path: the longest wins."""
    found = [(len(folder), name) for name, (folders, _) in table.items() for folder in folders if path.startswith(folder + '/')]
    return max(found)[1] if found else None


def system_allowed(header, allowed):
    named = [a for a in allowed if a.startswith('<')]
    if any(fnmatch.fnmatch(header, a) for a in named):
        return True
    only = any('*' not in a for a in named)
    return not only and ('/' not in header or header.startswith('<sys/'))


def check(table, path, source):
    """Faults of one file, given its text."""
    module = owner(table, path)
    if not module:
        return [f'{path}: belongs to no module of the table in ARCHITECTURE.md']
    allowed = table[module][1]
    faults = []
    for match in INCLUDE.finditer(source):
        quoted, system = match.groups()
        where = f'{path}:{source.count(chr(10), 0, match.start(1 if quoted else 2)) + 1}'
        if system:
            target = owner(table, 'include/' + system[1:-1])
            if target is None and not system_allowed(system, allowed):
                faults.append(f'{where}: {module} may not include {system}')
            if target is None:
                continue
            quoted = system[1:-1]
        else:
            target = owner(table, 'src/' + quoted) or owner(table, 'include/' + quoted)
        if target is None:
            if '/' in quoted or quoted.startswith('.'):
                faults.append(f'{where}: "{quoted}" is no path from src/ or include/')
        elif target != module and target not in allowed and not any(fnmatch.fnmatch(quoted, a) for a in allowed):
            faults.append(f'{where}: {module} may not include {quoted}, which is of {target}')
    return faults


def cycles(table):
    """Modules that reach themselves."""
    def reach(name, seen):
        for other in table[name][1]:
            if other in table and other not in seen:
                seen.add(other)
                reach(other, seen)
        return seen
    return [f'ARCHITECTURE.md: {name} may include itself through other modules' for name in table if name in reach(name, set())]


def self_test():
    table = read_table('## Modules\n| `low` | `src/low` | |\n| `high` | `src/high` | `low`, `other/*.def` |\n'
                       '| `other` | `src/other` | `<cstddef>` |\n## End\n| `no` | `src/no` |  |\n')
    good = {'src/high/a.cc': '#include <vector>\n#include <sys/mman.h>\n#include "low/x.h"\n#include "other/list.def"\n',
            'src/other/a.cc': '#include <cstddef>\n'}
    bad = {'src/low/a.cc': '#include "high/x.h"', 'src/high/a.cc': ' # include "other/x.h"', 'src/high/b.cc': '#include <gtest/gtest.h>',
           'src/other/a.cc': '#include <vector>', 'src/no/a.cc': '', 'src/low/b.cc': '#include "../high/x.h"'}
    assert set(table) == {'low', 'high', 'other'}, table
    for path, source in good.items():
        assert not check(table, path, source), path
    for path, source in bad.items():
        assert len(check(table, path, source)) == 1, path
    assert not cycles(table) and cycles({'a': ([], ['b']), 'b': ([], ['a'])})


self_test()
modules = read_table(text('ARCHITECTURE.md'))
faults = cycles(modules) if modules else ['ARCHITECTURE.md: no table of modules']
for file in files('.h', '.hpp', '.cc', '.cpp', '.c', '.def', '.inc') if modules else []:
    if file.parts[0] not in ('tests', 'bench'):  # they look everywhere
        faults += check(modules, file.as_posix(), text(file))
finish(faults)
