#!/usr/bin/env python3
"""The hottest loops, in the object files: hot_loops.py --objdump OBJDUMP OBJECT...

Each innermost loop of the files below that holds at least MOST_SMALL multiply-adds must keep its vectors in registers (nothing
of a vector register is stored relative to the stack or frame pointer, or read back), and at least LEAST_SHARE of its vector arithmetic
must be multiply-adds. Loads, stores, broadcasts and copies of registers are no arithmetic; all else on vectors is.

These are the loops where networks spend their time: the microkernel of all matrix products (convolutions, Winograd's products,
attention), depthwise convolutions, and Winograd's transforms.
"""
import argparse
import re
import subprocess
import sys
from dataclasses import dataclass

from project import finish

HOT = ('gemm', 'depthwise', 'winograd')
MOST_SMALL = 32
LEAST_SHARE = 0.8
# What cannot be had: (file, function): greatest number of such accesses, least share, why.
EXCEPT = {
    ('depthwise', r'pixels<5'): (6, LEAST_SHARE, 'with AVX-512; a barrier for each row of inputs removes them, and takes longer'),
    ('winograd', 'output_tile'): (40, 0.2, 'sums and differences of the products, six times six of them; the multiplications are the lesser part'),
    ('winograd', 'inner_tile|edge_tile'): (90, LEAST_SHARE, 'half a tile after the first pass is 18 vectors, and six more with constants '
                                                            'are at work'),
}

X86 = {'vector': re.compile(r'%[xyz]mm\d'), 'fused': re.compile(r'vfn?m(add|sub)\d+[ps]s$'),
       'move': re.compile(r'v?(mov|broadcast|lddqu|pbroadcast)|vzero|prefetch'), 'stack': re.compile(r'\(%r[sb]p')}
ARM = {'vector': re.compile(r'\bv\d+\.|\b[qds]\d+\b'), 'fused': re.compile(r'fml[as]$'),
       'move': re.compile(r'(ld|st)|mov|fmov|dup|ins$|prfm'), 'stack': re.compile(r'\[(sp|x29)')}
ZERO = re.compile(r'v?p?xor\w* (%\w+),\1')
BRANCH = re.compile(r'(j\w+|b(\.\w+)?|cbn?z|tbn?z)$')
ALWAYS = ('jmp', 'jmpq', 'b')
END = re.compile(r'(repz |bnd )?ret|br$|ud2|udf|hlt')
CALL = re.compile(r'call|blr?$')


@dataclass
class Loop:
    function: str
    instructions: list  # (mnemonic, operands)

    def vectors(self, isa):
        return [(name, text) for name, text in self.instructions if isa['vector'].search(text)]

    def fused(self, isa):
        return sum(1 for name, _ in self.vectors(isa) if isa['fused'].match(name))

    def arithmetic(self, isa):
        return sum(1 for name, text in self.vectors(isa) if not isa['move'].match(name) and not ZERO.match(f'{name} {text}'))

    def spills(self, isa):
        return [f'{name} {text}' for name, text in self.vectors(isa) if isa['stack'].search(text)]


def functions(listing):
    """{name: [(address, mnemonic, operands)]} of objdump's output."""
    found, current = {}, None
    for line in listing.split('\n'):
        head = re.match(r'[0-9a-f]+ <(.*)>:$', line)
        if head:
            current = found.setdefault(head[1], [])
            continue
        code = re.match(r'\s*([0-9a-f]+):\t(\S+)\s*(.*)$', line)
        if code and current is not None:
            current.append((int(code[1], 16), code[2], re.sub(r'\s*(//|#).*', '', code[3])))
    return found


class Flow:
    """Basic blocks of a function, what follows what, and who dominates whom."""
    def __init__(self, code):
        addresses = [at for at, _, _ in code]
        known, starts, self.jumps = set(addresses), {addresses[0]}, {}
        for i, (at, name, operands) in enumerate(code):
            target = re.search(r'(?:^|\s|,)([0-9a-f]+) <', operands)
            if BRANCH.match(name):
                to = int(target[1], 16) if target else None
                self.jumps[at] = to if to in known else None
                starts |= {to} & known
            if BRANCH.match(name) or END.match(name) or CALL.match(name):
                starts |= set(addresses[i + 1:i + 2])
        self.blocks, self.next = {}, {}
        for at, name, operands in code:
            if at in starts:
                head = at
            self.blocks.setdefault(head, []).append((at, name, operands))
        order = sorted(self.blocks)
        for head, following in zip(order, order[1:] + [None]):
            at, name, _ = self.blocks[head][-1]
            falls = not END.match(name) and name not in ALWAYS
            self.next[head] = [b for b in ([self.jumps.get(at)] + ([following] if falls else [])) if b is not None]
        self.first = order[0]

    def calls(self, block):
        return any(CALL.match(name) for _, name, _ in self.blocks[block])

    def dominators(self):
        order, seen = [], set()
        def visit(start):
            stack = [(start, iter(self.next[start]))]
            seen.add(start)
            while stack:
                block, following = stack[-1]
                for b in following:
                    if b not in seen:
                        seen.add(b)
                        stack.append((b, iter(self.next[b])))
                        break
                else:
                    order.append(block)
                    stack.pop()
        visit(self.first)
        order.reverse()
        before = {b: [a for a in order if b in self.next[a]] for b in order}
        dominators = {b: set(order) for b in order}
        dominators[self.first] = {self.first}
        changed = True
        while changed:
            changed = False
            for b in order[1:]:
                new = set.intersection(*(dominators[a] for a in before[b])) | {b}
                changed |= new != dominators[b]
                dominators[b] = new
        return dominators, before

    def loops(self):
        """{head: blocks}, of all natural loops."""
        dominators, before = self.dominators()
        found = {}
        for tail in dominators:
            for head in self.next[tail]:
                if head not in dominators[tail]:
                    continue
                body, todo = found.setdefault(head, {head}), [tail]
                while todo:
                    b = todo.pop()
                    if b not in body:
                        body.add(b)
                        todo += before[b]
        return found


def innermost_loops(name, code, isa):
    """Of each loop that holds no other, the way round that calls nothing and has the most multiply-adds, and of those the one with
    the least other arithmetic: what is done only now and then (a residual, an activation by a call) is not held against it.
    """
    flow = Flow(code)
    loops = flow.loops()
    for head, body in loops.items():
        if any(other != head and other in body for other in loops):
            continue
        best = {}
        def way(block):  # (multiply-adds, -other arithmetic, instructions) from here back to the head
            if block not in best:
                best[block] = None
                own = Loop(name, [(m, o) for _, m, o in flow.blocks[block]])
                score = (own.fused(isa), own.fused(isa) - own.arithmetic(isa))
                for b in flow.next[block] if not flow.calls(block) else ():
                    rest = (0, 0, []) if b == head else way(b) if b in body else None
                    if rest is not None:
                        total = (score[0] + rest[0], score[1] + rest[1], own.instructions + rest[2])
                        best[block] = max(best[block] or total, total, key=lambda t: t[:2])
            return best[block]
        found = way(head)
        if found:
            yield Loop(name, found[2])


def faults_of(listing, file, verbose=False):
    isa = ARM if 'file format elf64-littleaarch64' in listing else X86
    faults, checked = [], 0
    for name, code in functions(listing).items():
        for loop in innermost_loops(name, code, isa):
            if loop.fused(isa) < MOST_SMALL:
                continue
            checked += 1
            short = re.sub(r'.*\(anonymous namespace\)::(\w+(<[^(]*>)?)\(.*', r'\1', name)
            spills, share = loop.spills(isa), loop.fused(isa) / loop.arithmetic(isa)
            if verbose:
                print(f'note: {file} {short}: {loop.fused(isa)} multiply-adds, {share:.0%} of the arithmetic, {len(spills)} spills')
            most, least, _ = next((e for (f, names), e in EXCEPT.items() if f == file and re.match(names, short)), (0, LEAST_SHARE, ''))
            if len(spills) > most:
                faults.append(f'{file}: {short}: {len(spills)} accesses to vectors on the stack, the first: {spills[0]}')
            if share < least:
                faults.append(f'{file}: {short}: {share:.0%} of the vector arithmetic are multiply-adds, {least:.0%} wanted')
    return faults, checked


def listing_of(body, machine='x86-64'):
    """What objdump would print of a loop of these instructions, four bytes each."""
    lines = [f'x.o:     file format elf64-{machine}', '', 'Disassembly of section .text:', '', '0000000000000000 <f>:', '   0:\tnop']
    lines += [f'{4 * i + 4:4x}:\t{text}' for i, text in enumerate(body)]
    back = 'b.ne\t4 <f+0x4>  // b.any' if machine == 'littleaarch64' else 'jne    4 <f+0x4>'
    return '\n'.join([*lines, f'{4 * len(body) + 4:4x}:\t{back}', f'{4 * len(body) + 8:4x}:\tret', ''])


def self_test():
    fused, load = 'vfmadd231ps %ymm1,%ymm2,%ymm3', 'vmovups (%rax),%ymm1'
    good = [load, *[fused] * MOST_SMALL, 'add    $0x20,%rax']
    assert faults_of(listing_of(good), 'gemm') == ([], 1)
    assert faults_of(listing_of(good[:-2]), 'gemm') == ([], 0)  # too small to matter
    spilled = faults_of(listing_of([*good, 'vmovaps %ymm3,0x20(%rsp)']), 'gemm')[0]
    assert len(spilled) == 1 and '1 accesses to vectors on the stack' in spilled[0]
    assert 'vmovaps -0x40(%rbp)' in faults_of(listing_of([*good, 'vmovaps -0x40(%rbp),%ymm3']), 'gemm')[0][0]
    assert '50% of' in faults_of(listing_of(good + ['vaddps %ymm1,%ymm2,%ymm3'] * MOST_SMALL), 'gemm')[0][0]
    called = [*good, 'je     %x <f+0x1>' % (4 * len(good) + 16), 'vmovaps %ymm3,(%rsp)', 'call   4 <f+0x4>', 'nop']
    assert faults_of(listing_of(called), 'gemm') == ([], 1)  # what a call needs now and then is no fault
    arm = ['ldr\tq1, [x0]', *['fmla\tv3.4s, v1.4s, v2.4s'] * MOST_SMALL]
    assert faults_of(listing_of(arm, 'littleaarch64'), 'gemm') == ([], 1)
    assert len(faults_of(listing_of([*arm, 'str\tq3, [sp, #16]'], 'littleaarch64'), 'gemm')[0]) == 1
    assert len(faults_of(listing_of(arm + ['fmul\tv3.4s, v1.4s, v2.4s'] * MOST_SMALL, 'littleaarch64'), 'gemm')[0]) == 1


def main():
    o = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    o.add_argument('--objdump', required=True)
    o.add_argument('objects', nargs='+')
    o = o.parse_args()
    if o.objdump.endswith('NOTFOUND'):
        print('objdump is not installed')
        sys.exit(77)
    faults, seen = [], dict.fromkeys(HOT, 0)
    for path in o.objects:
        file = path.rsplit('/', 1)[-1].split('.')[0]
        if file not in HOT or '/kernels/isa/' not in path:
            continue
        listing = subprocess.run([o.objdump, '-d', '-C', '--no-show-raw-insn', path], check=True, capture_output=True, text=True).stdout
        found, checked = faults_of(listing, file, True)
        faults += found
        seen[file] += checked
    faults += [f'{file}: no loop of {MOST_SMALL} multiply-adds was found' for file, n in seen.items() if n == 0]
    finish(faults)


self_test()
main()
