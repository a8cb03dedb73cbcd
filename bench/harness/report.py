"""Medians, ratios, tables, JSON. Measures nothing."""

import datetime
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

from .measures import FIGURES
from .servers import BENCH, ROOT


class Results:
    """The figures of every round, by server and key."""

    def __init__(self, names, rounds):
        self.names = names
        self.rounds = rounds
        self.values = {name: {} for name in names}
        self.failures = []
        self.load = os.getloadavg()[0]
        self.began = datetime.datetime.now(datetime.timezone.utc)

    def add(self, name, figures):
        for key, value in figures.items():
            self.values[name].setdefault(key, []).append(value)

    def fail(self, name, measure, error):
        self.failures.append(f"{name}, {measure}: {error}")

    def median(self, name, key):
        values = self.values[name].get(key)
        return statistics.median(values) if values else None

    def ratio(self, base, other, key):
        """Above 1 where `base` is better than `other`."""
        ours, theirs = self.median(base, key), self.median(other, key)
        if not ours or not theirs:
            return None
        return ours / theirs if FIGURES[key].more_is_better else theirs / ours

    def keys(self):
        return [key for key in FIGURES if any(key in self.values[name] for name in self.names)]

    def base(self):
        return "lictor" if "lictor" in self.names else self.names[-1]

    def table(self):
        rows = [["median of the rounds", "unit", *self.names]]
        for key in self.keys():
            figure = FIGURES[key]
            cells = [show(self.median(name, key)) for name in self.names]
            rows.append([figure.label, figure.unit, *cells])
        return align(rows)

    def ratios(self):
        base = self.base()
        others = [name for name in self.names if name != base]
        rows = [[f"{base} is better by (× over 1)", *others]]
        for key in self.keys():
            cells = [self.ratio(base, other, key) for other in others]
            rows.append([FIGURES[key].label, *(show_ratio(cell) for cell in cells)])
        return align(rows)

    def markdown(self):
        facts = "\n".join(f"- {name}: {value}" for name, value in self.facts().items())
        failures = "\n".join(f"- {failure}" for failure in self.failures)
        missing = f"\n## Not measured\n\n{failures}\n" if failures else ""
        return (
            f"# Results\n\nREADME.md says what the rows mean.\n\n{facts}\n\n"
            f"## Figures\n\n{self.table()}\n\n## Ratios\n\n{self.ratios()}\n{missing}"
        )

    def json(self):
        report = {
            "facts": self.facts(),
            "median": {n: {k: self.median(n, k) for k in self.values[n]} for n in self.names},
            "rounds": self.values,
            "failures": self.failures,
        }
        return json.dumps(report, indent=2)

    def facts(self):
        cores = len(os.sched_getaffinity(0))
        return {
            "date": f"{self.began:%Y-%m-%d %H:%M} UTC",
            "machine": f"{cores} cores, {cpu_model()}, {memory_gigabytes()} GB",
            "kernel": f"{platform.system()} {platform.release()}",
            "compiler": first_line("rustc", "--version"),
            "load generator": first_line("wrk", "-v").split(" Copyright")[0],
            "commit": first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
            "command": shlex.join(["bench/run", *sys.argv[1:]]),
            "rounds": f"{self.rounds}, interleaved",
            "load average before": f"{self.load:.1f}",
        }

    def write(self):
        (BENCH / "RESULTS.md").write_text(self.markdown())


def show(value):
    """The value with three significant digits."""
    if value is None:
        return "-"
    if value >= 10_000:
        return f"{value / 1000:,.1f} k"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def show_ratio(value):
    return "-" if value is None else f"{value:.2f}"


def align(rows):
    """A Markdown table with aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]

    def line(cells):
        first, *others = zip(cells, widths)
        padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(rows[0]), line(rule), *map(line, rows[1:])])


def cpu_model():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def memory_gigabytes():
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)


def first_line(*command):
    output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return (output.stdout.splitlines() or ["unknown"])[0]
