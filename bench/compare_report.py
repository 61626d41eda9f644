"""What bench/compare writes: a table as Markdown and CSV, and a chart as SVG. Times in milliseconds, memory in 10^6 bytes."""
import csv
import datetime
import io
import math
import os
import pathlib
import subprocess
from dataclasses import dataclass
from xml.sax.saxutils import escape

MARKS = ('<!-- compare: begin -->', '<!-- compare: end -->')


@dataclass
class About:
    rows: list
    notes: list
    peaks: dict  # threads: {instruction set: GFLOP/s}
    peer: str    # version
    command: str
    rounds: int

    def means(self):
        """{threads: geometric mean of the ratios}"""
        found = {}
        for n in sorted({r['threads'] for r in self.rows}):
            ratios = [r['ratio'] for r in self.rows if r['threads'] == n and r['ratio']]
            if ratios:
                found[n] = math.exp(sum(map(math.log, ratios)) / len(ratios))
        return found


def machine():
    name = 'a processor without a name'
    for line in pathlib.Path('/proc/cpuinfo').read_text().splitlines():
        if line.startswith('model name'):
            name = line.split(':', 1)[1].strip()
            break
    return f'{name}, {len(os.sched_getaffinity(0))} cores for this process'


def commit():
    here = os.path.dirname(os.path.abspath(__file__))
    try:
        r = subprocess.run(['git', '-c', 'safe.directory=*', '-C', here, 'describe', '--always', '--dirty'], capture_output=True, text=True)
    except OSError:
        return ''
    return r.stdout.strip() if r.returncode == 0 else ''


def number(x, form='.2f'):
    return '' if x is None else format(x, form)


def part(row, who, key):
    return row[who][key] if row.get(who) else None


# (title, key in the CSV file, value of a row, format), in two tables; a column without any value is left out of Markdown.
WHO = [('model', 'model', lambda r: r['model'], ''), ('threads', 'threads', lambda r: r['threads'], 'd')]
SPEED = [
    ('Hone', 'hone_median_ms', lambda r: part(r, 'hone', 'median'), '.2f'),
    ('min', 'hone_min_ms', lambda r: part(r, 'hone', 'min'), '.2f'),
    ('p95', 'hone_p95_ms', lambda r: part(r, 'hone', 'p95'), '.2f'),
    ('ORT', 'ort_median_ms', lambda r: part(r, 'peer', 'median'), '.2f'),
    ('min', 'ort_min_ms', lambda r: part(r, 'peer', 'min'), '.2f'),
    ('p95', 'ort_p95_ms', lambda r: part(r, 'peer', 'p95'), '.2f'),
    ('ratio', 'ratio', lambda r: r['ratio'], '.3f'),
    ('GFLOP', 'gflop', lambda r: r['flops'] / 1e9 if r['flops'] else None, '.2f'),
    ('of ceiling', 'share_of_ceiling', lambda r: r['share'], '.0%'),
    # What the ratio would be at the ceiling, were there nothing but multiply-adds, all that the definition has.
    ('ratio there', 'ratio_at_ceiling', lambda r: r['ratio'] * r['share'] if r['ratio'] and r['share'] else None, '.2f'),
]
REST = [
    ('RSS', 'hone_rss_mb', lambda r: part(r, 'hone', 'rss'), '.0f'),
    ('ORT RSS', 'ort_rss_mb', lambda r: part(r, 'peer', 'rss'), '.0f'),
    ('node alone', 'ort_idle_rss_mb', lambda r: part(r, 'peer', 'idle'), '.0f'),
    ('load', 'hone_load_ms', lambda r: part(r, 'hone', 'load'), '.1f'),
    ('ORT load', 'ort_load_ms', lambda r: part(r, 'peer', 'load'), '.1f'),
    ('busy', 'hone_busy_median_ms', lambda r: part(r, 'hone_busy', 'median'), '.2f'),
    ('× quiet', 'hone_busy_factor', lambda r: quotient(part(r, 'hone_busy', 'median'), part(r, 'hone', 'median')), '.2f'),
    ('ORT busy', 'ort_busy_median_ms', lambda r: part(r, 'peer_busy', 'median'), '.2f'),
    ('× quiet', 'ort_busy_factor', lambda r: quotient(part(r, 'peer_busy', 'median'), part(r, 'peer', 'median')), '.2f'),
    ('first', 'hone_first_ms', lambda r: r['hone_first'], '.0f'),
    ('ORT first', 'ort_first_ms', lambda r: r['peer_first'], '.0f'),
    ('build', 'hone_build_ms', lambda r: 1000 * r['build_s'], '.0f'),
]


def quotient(a, b):
    return a / b if a and b else None


def markdown(about, chart=None):
    rows = about.rows
    lines = [f'    {about.command}', '']
    facts = [machine(), f'Hone {commit()}'.strip(), f'ONNX Runtime {about.peer}' if about.peer else '',
             f'{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}', f'{about.rounds} turns each']
    lines += [' · '.join(f for f in facts if f), '']
    if about.peaks:
        isas = {r['isa'] for r in rows}
        used = [f'{rate:.0f} GFLOP/s with {n} thread{"s" if n > 1 else ""} ({isa})'
                for n, peak in about.peaks.items() for isa, rate in peak.items() if isa in isas]
        lines += ['Measured ceiling: ' + ', '.join(used) + '.', '']
    means = [f'{mean:.3f} with {n} thread{"s" if n > 1 else ""}' for n, mean in about.means().items()]
    if means:
        lines += ['Geometric mean of the ratios: ' + ', '.join(means) + '.', '']
    for note in about.notes:
        lines += [f'Note: {note}.', '']
    if chart:
        lines += [f'![Time of Hone as a share of ONNX Runtime\'s]({chart})', '']
    lines += table(rows, WHO + SPEED) + ['', 'Memory in 10^6 bytes, the rest in milliseconds:', ''] + table(rows, WHO + REST)
    return '\n'.join(lines) + '\n'


def table(rows, columns):
    columns = [(title, value, form) for title, _, value, form in columns if any(value(r) is not None for r in rows)]
    lines = ['| ' + ' | '.join(title for title, _, _ in columns) + ' |', '|---' + '|--:' * (len(columns) - 1) + '|']
    return lines + ['| ' + ' | '.join(number(value(r), form) for _, value, form in columns) + ' |' for r in rows]


def as_csv(rows):
    text = io.StringIO()
    out = csv.writer(text, lineterminator='\n')
    out.writerow(key for _, key, _, _ in WHO + SPEED + REST)
    for r in rows:
        out.writerow(number(value(r), '' if form in ('', 'd') else '.6g') for _, _, value, form in WHO + SPEED + REST)
    return text.getvalue()


STYLE = '''
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .page { fill: #ffffff } .line { stroke: #8c959f } .grid { stroke: #d8dee4 } .small { font-size: 11px }
  .bar0 { fill: #9ec5f0 } .bar1 { fill: #1f6feb } .bar2 { fill: #8250df } .bar3 { fill: #bf8700 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .page { fill: #0d1117 } .line { stroke: #7d8590 } .grid { stroke: #30363d }
    .bar0 { fill: #2b4a75 } .bar1 { fill: #58a6ff } .bar2 { fill: #a371f7 } .bar3 { fill: #d29922 }
  }
'''


def svg(about):
    """Bars of the ratio, one for each number of threads, a group for each model and one for the geometric mean."""
    counts = sorted({r['threads'] for r in about.rows})
    groups = {}
    for r in about.rows:
        if r['ratio']:
            groups.setdefault(r['model'], {})[r['threads']] = r['ratio']
    if groups:
        groups['geometric mean'] = about.means()
    left, right, top, bar, gap = 180, 60, 64, 12, 10
    width = 820
    most = max([1.0, *(v for g in groups.values() for v in g.values())])
    scale = (width - left - right) / (1.05 * most)
    high = bar * len(counts) + gap
    height = top + high * max(len(groups), 1) + 24
    x = lambda v: f'{left + v * scale:.1f}'
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
           '<title>Time of Hone as a share of the time of ONNX Runtime</title>', f'<style>{STYLE}</style>',
           f'<rect class="page" width="{width}" height="{height}"/>',
           f'<text x="12" y="22">Time of Hone / time of ONNX Runtime {escape(about.peer)} (shorter is better)</text>']
    for i, n in enumerate(counts):
        out += [f'<rect class="bar{i % 4}" x="{12 + 100 * i}" y="33" width="12" height="12"/>',
                f'<text class="small" x="{29 + 100 * i}" y="43">{n} thread{"s" if n > 1 else ""}</text>']
    end = height - 24
    step = 0.25 if most <= 2.5 else 10 ** math.floor(math.log10(most))
    for k in range(1, int(1.05 * most / step) + 1):
        out += [f'<line class="{"line" if k * step == 1 else "grid"}" x1="{x(k * step)}" x2="{x(k * step)}" y1="{top - 8}" y2="{end}"/>',
                f'<text class="small" text-anchor="middle" x="{x(k * step)}" y="{end + 15}">{k * step:g}</text>']
    out.append(f'<line class="line" x1="{left}" x2="{left}" y1="{top - 8}" y2="{end}"/>')
    if not groups:
        out.append(f'<text x="{left + 8}" y="{top + 12}">nothing to compare with: onnxruntime-node is not installed</text>')
    for i, (model, ratios) in enumerate(groups.items()):
        y = top + i * high
        out.append(f'<text text-anchor="end" x="{left - 8}" y="{y + (high - gap) / 2 + 4:.1f}">{escape(model)}</text>')
        for k, n in enumerate(counts):
            if n in ratios:
                out += [f'<rect class="bar{k % 4}" x="{left}" y="{y + k * bar}" width="{ratios[n] * scale:.1f}" height="{bar - 1}"/>',
                        f'<text class="small" x="{left + ratios[n] * scale + 4:.1f}" y="{y + k * bar + 10}">{ratios[n]:.2f}</text>']
    return '\n'.join([*out, '</svg>', ''])


def check_markdown(path):
    """Before hours of measuring: a file that exists must have the two lines."""
    path = pathlib.Path(path)
    if path.exists():
        lines = path.read_text().split('\n')
        if [lines.count(m) for m in MARKS] != [1, 1] or lines.index(MARKS[0]) > lines.index(MARKS[1]):
            raise OSError(f"{path} exists and has no lines '{MARKS[0]}' and '{MARKS[1]}' to write between; name another file")


def write(o, about, text):
    if o.csv:
        pathlib.Path(o.csv).write_text(as_csv(about.rows))
    if o.svg:
        pathlib.Path(o.svg).write_text(svg(about))
    if o.markdown:
        path = pathlib.Path(o.markdown)
        if path.exists():
            check_markdown(path)
            before, rest = path.read_text().split(MARKS[0] + '\n', 1)
            after = rest.split(MARKS[1] + '\n', 1)[1] if MARKS[1] + '\n' in rest else ''
            text = f'{before}{MARKS[0]}\n\n{text}\n{MARKS[1]}\n{after}'
        path.write_text(text)
