"""Medians, ratios, tables, JSON. Measures nothing."""

import contextlib
import datetime
import json
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

from .servers import BENCH, ROOT


class Results:
    """The figures of every round, by server and key."""

    def __init__(self, suite, names, rounds):
        self.suite = suite
        self.figures = suite.figures
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
        return self.better(key, self.median(base, key), self.median(other, key))

    def computed(self, compute, number=None):
        """What is computed from medians, or from the figures of one round; None if one is missing.
        A measure that failed in a round shifts the later ones, which the extremes can bear."""

        def at(name, key):
            values = self.values[name].get(key) or [None]
            return self.median(name, key) if number is None else values[min(number, len(values) - 1)]

        with contextlib.suppress(KeyError, TypeError, ZeroDivisionError):
            return compute(at)

    def better(self, key, ours, theirs):
        if not ours or not theirs:
            return None
        return ours / theirs if self.figures[key].more_is_better else theirs / ours

    def keys(self):
        return [key for key in self.figures if any(key in self.values[name] for name in self.names)]

    def base(self):
        return "lictor" if "lictor" in self.names else self.names[-1]

    def table(self):
        rows = [["median of the rounds", "unit", *self.names]]
        for key in self.keys():
            figure = self.figures[key]
            cells = [show(self.median(name, key)) for name in self.names]
            rows.append([figure.label, figure.unit, *cells])
        return align(rows)

    def ratios(self):
        base = self.base()
        others = [name for name in self.names if name != base and self.comparable(base, name)]
        rows = [[f"{base} is better by (× over 1)", *others]]
        for key in self.keys():
            cells = [self.ratio(base, other, key) for other in others]
            if any(cells) or len(others) == len(self.names) - 1:
                rows.append([self.figures[key].label, *(show_ratio(cell) for cell in cells)])
        return align(rows) if others else ""

    def comparable(self, base, other):
        return any(self.ratio(base, other, key) for key in self.keys())

    def aims(self):
        """The suite's aims beside what was measured."""
        rows = self.suite.aims(self)
        return align([["aim", "at", "median", "rounds"], *rows]) if rows else ""

    def markdown(self):
        facts = "\n".join(f"- {name}: {value}" for name, value in self.facts().items())
        failures = "\n".join(f"- {failure}" for failure in self.failures)
        parts = [f"# {self.suite.title}", "README.md says what the rows mean.", facts]
        tables = {"Figures": self.table(), "Ratios": self.ratios(), "Aims": self.aims()}
        for title, text in [*tables.items(), ("Not measured", failures)]:
            if text:
                parts += [f"## {title}", text]
        return "\n\n".join(parts) + "\n"

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
        } | self.suite.facts()

    def write(self):
        """Replaces this suite's part of RESULTS.md; the parts of others stay."""
        path = BENCH / "RESULTS.md"
        parts = re.split(r"^(?=# )", path.read_text(), flags=re.MULTILINE) if path.exists() else []
        parts = {part.splitlines()[0]: part.rstrip() for part in parts if part.strip()}
        parts[f"# {self.suite.title}"] = self.markdown().rstrip()
        path.write_text("\n\n".join(parts.values()) + "\n")
        self.suite.write(self)


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
