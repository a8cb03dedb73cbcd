"""The measures. A measure gets a server and returns its figures by key; FIGURES has
the label of each figure and whether more is better."""

import contextlib
import json
import os
import signal
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import servers
from .servers import BENCH, Failed

CONNECTIONS = [1, 16, 64, 256]
# Requests per second that are due independently of the answers, and their connections.
OPEN_RATES = [5_000, 20_000, 40_000]
OPEN_CONNECTIONS = 64
# A server that answers less than this share of the rate could not sustain it.
SUSTAINED = 0.97
LOGIN_CLIENTS = 32
RATE = 200
COLD_STARTS = 3
IDLE = [1_000, 10_000]
# In addition to the measured time, for a load generator that starts or ends slowly.
GRACE_SECONDS = 60


@dataclass
class Figure:
    """A row of the table."""

    label: str
    unit: str
    more_is_better: bool = False


FIGURES = {}
for _path in ["hello", "protected"]:
    for _count in CONNECTIONS:
        _key, _label = f"{_path}_{_count}", f"{_path}, {_count} connection{'s' if _count > 1 else ''}"
        FIGURES[f"{_key}_per_second"] = Figure(_label, "requests/s", more_is_better=True)
        FIGURES[f"{_key}_p50_ms"] = Figure(f"{_label}: p50", "ms")
        FIGURES[f"{_key}_p99_ms"] = Figure(f"{_label}: p99", "ms")
        FIGURES[f"{_key}_cpu_us"] = Figure(f"{_label}: CPU per request", "µs")
for _rate in OPEN_RATES:
    _label = f"protected at {_rate:,}/s over {OPEN_CONNECTIONS} connections"
    for _percentile, _shown in [("p50", "p50"), ("p99", "p99"), ("p999", "p99.9")]:
        FIGURES[f"open_{_rate}_{_percentile}_ms"] = Figure(f"{_label}: {_shown}", "ms")
FIGURES |= {
    "verify_64_per_second": Figure("verify by cookie, 64 connections", "requests/s", more_is_better=True),
    "verify_64_cpu_us": Figure("verify by cookie, 64 connections: CPU per request", "µs"),
    "verify_rate": Figure("verify by cookie: requests/s, of those of protected", "×", more_is_better=True),
    "verify_cpu": Figure("verify by cookie: CPU, of that of protected", "×"),
    "login_1_p50_ms": Figure("login, 1 client: p50", "ms"),
    "login_32_per_second": Figure("login, 32 clients", "logins/s", more_is_better=True),
    "login_32_p99_ms": Figure("login, 32 clients: p99", "ms"),
    "quiet_p50_ms": Figure("protected at 200/s: p50", "ms"),
    "quiet_p99_ms": Figure("protected at 200/s: p99", "ms"),
    "storm_p50_ms": Figure("protected at 200/s while 32 clients log in: p50", "ms"),
    "storm_p99_ms": Figure("protected at 200/s while 32 clients log in: p99", "ms"),
    "storm_logins": Figure("logins/s meanwhile", "logins/s", more_is_better=True),
    "rss_0": Figure("RSS after the start", "MB"),
    "rss_1000": Figure("RSS with 1,000 idle connections", "MB"),
    "rss_10000": Figure("RSS with 10,000 idle connections", "MB"),
    "fresh_p50_ms": Figure("a fresh connection's answer beside 10,000 idle: p50", "ms"),
    "cold_fresh_ms": Figure("start to the first 200, no database yet", "ms"),
    "cold_existing_ms": Figure("start to the first 200", "ms"),
    "size_mb": Figure("binary (lictor: static)", "MB"),
}


class Suite:
    """The servers and the measures of a run without other databases than files."""

    names = servers.NAMES
    figures = FIGURES
    title = "Results"

    def __init__(self, names, seconds, stack):
        self.servers, probe = servers.build(names)
        for server in self.servers:
            stack.callback(server.remove)
        self.measures = Measures(probe, seconds)

    def prepare(self, _selected):
        for server in self.servers:
            server.prepare()

    def facts(self):
        return {}

    def aims(self, _results):
        return []

    def write(self, _results):
        pass


class Measures:
    """All measures by name, in the order of a round."""

    def __init__(self, probe, seconds):
        self.probe = str(probe)
        self.seconds = seconds
        self.by_name = {}
        for path in ["hello", "protected"]:
            for count in CONNECTIONS:
                self.by_name[f"{path}-{count}"] = self.throughput(path, count)
        self.by_name["verify-64"] = self.verify
        for rate in OPEN_RATES:
            self.by_name[f"open-{rate}"] = self.open_loop(rate)
        self.by_name |= {
            "login-1": self.login_alone,
            "login-32": self.login_crowd,
            "quiet": self.quiet,
            "storm": self.storm,
            "idle-1000": lambda server: self.idle(server, IDLE[0]),
            "idle-10000": lambda server: self.idle(server, IDLE[1]),
            "cold": self.cold,
            "size": self.size,
        }

    def throughput(self, path, count):
        def measure(server):
            with server.start() as running:
                token = running.token() if path == "protected" else None
                figures = self.wrk_with_cpu(running, path, count, token)
            return {f"{path}_{count}_{key}": value for key, value in figures.items()}

        return measure

    def verify(self, server):
        """What a proxy asks about each request of a browser, in turn with token checks on the same
        server. The others have nothing like it."""
        if not server.is_lictor:
            return {}
        seen = {"protected": [], "verify": []}
        with server.start() as running:
            shown = {"protected": {"token": running.token()}, "verify": {"cookie": running.cookie()}}
            for path in ["protected", "verify", "verify", "protected"]:
                seen[path].append(self.wrk_with_cpu(running, path, 64, **shown[path]))
        rate, cpu = (
            {path: statistics.mean(one[key] for one in seen[path]) for path in seen}
            for key in ["per_second", "cpu_us"]
        )
        return {
            "verify_64_per_second": rate["verify"],
            "verify_64_cpu_us": cpu["verify"],
            "verify_rate": rate["verify"] / rate["protected"],
            "verify_cpu": cpu["verify"] / cpu["protected"],
        }

    def wrk_with_cpu(self, running, *arguments, **options):
        cpu_before = running.cpu_seconds()
        figures = self.wrk(running, *arguments, **options)
        cpu = running.cpu_seconds() - cpu_before
        return figures | {"cpu_us": cpu / figures.pop("requests") * 1e6}

    def wrk(self, running, path, connections, token=None, seconds=None, tokens=None, cookie=None):
        """Requests with one token, with each of a file of tokens in turn, with a cookie, or with none."""
        seconds = seconds or self.seconds
        threads = min(connections, len(os.sched_getaffinity(0)))
        command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s"]
        command += ["--latency", "-s", str(BENCH / "harness/wrk.lua")]
        if token:
            command += ["-H", f"Authorization: Bearer {token}"]
        if cookie:
            command += ["-H", f"Cookie: {cookie}"]
        command.append(f"http://{running.address}/api/{'' if path == 'hello' else path}")
        environment = {**os.environ, "BENCH_TOKENS": str(tokens)} if tokens else None
        output = finish(spawn(command, env=environment), seconds)
        line = next(line for line in output.splitlines() if line.startswith("JSON "))
        figures = json.loads(line[len("JSON "):])
        errors = figures.pop("errors")
        if errors or not figures["requests"]:
            raise Failed(f"{errors} errors among {figures['requests']} requests")
        return figures

    def open_loop(self, rate):
        def measure(server):
            with server.start() as running:
                arguments = ["open", running.address, rate, self.seconds, OPEN_CONNECTIONS]
                process = self.start_probe(
                    *arguments, BENCH_TOKEN=running.token(), preexec_fn=go_first
                )
                report = self.finish_probe(process)
            if report["per_second"] < SUSTAINED * rate:
                reached = f"{report['per_second']:,.0f} of {rate:,} requests/s"
                raise Failed(f"{server.name} could not sustain the rate: {reached}")
            return {f"open_{rate}_{key}": report[key] for key in ["p50_ms", "p99_ms", "p999_ms"]}

        return measure

    def login_alone(self, server):
        with server.start() as running:
            report = self.finish_probe(self.login(running, 1, self.seconds))
        return {"login_1_p50_ms": report["p50_ms"]}

    def login_crowd(self, server):
        with server.start() as running:
            report = self.finish_probe(self.login(running, LOGIN_CLIENTS, self.seconds))
        return {
            "login_32_per_second": report["per_second"],
            "login_32_p99_ms": report["p99_ms"],
        }

    def quiet(self, server):
        with server.start() as running:
            report = self.finish_probe(self.rate(running, running.token(), self.seconds))
        return {"quiet_p50_ms": report["p50_ms"], "quiet_p99_ms": report["p99_ms"]}

    def storm(self, server):
        # Twice as long: a p99 of few requests says little. The logins go on for
        # a second before and after.
        seconds = 2 * self.seconds
        with server.start() as running:
            token = running.token()
            logins = self.login(running, LOGIN_CLIENTS, seconds + 2)
            try:
                wait_a_second(logins)
                report = self.finish_probe(self.rate(running, token, seconds))
                storm = self.finish_probe(logins, seconds)
            finally:
                end(logins)
        return {
            "storm_p50_ms": report["p50_ms"],
            "storm_p99_ms": report["p99_ms"],
            "storm_logins": storm["per_second"],
        }

    def idle(self, server, count):
        figures = {}
        with server.start() as running:
            if count == IDLE[0]:
                figures["rss_0"] = running.rss_megabytes()
            holder = self.start_probe("idle", running.address, count, stdin=subprocess.PIPE)
            try:
                fresh = read_report(holder)
                figures[f"rss_{count}"] = running.rss_megabytes()
                self.finish_probe(holder)
            finally:
                end(holder)
        if fresh["open"] < count:
            raise Failed(f"{server.name} kept only {fresh['open']} of {count} idle connections")
        if count == IDLE[1]:
            figures["fresh_p50_ms"] = fresh["p50_ms"]
        return figures

    def cold(self, server):
        def median(database_of):
            times = [self.cold_start(server, database_of()) for _ in range(COLD_STARTS)]
            return statistics.median(times)

        return {
            "cold_fresh_ms": median(server.fresh_database),
            "cold_existing_ms": median(lambda: server.database),
        }

    def cold_start(self, server, database):
        port = servers.free_port()
        command = [self.probe, "cold", f"127.0.0.1:{port}", *server.command(port, database)]
        process = spawn(command, env=server.environment(with_users=False))
        return self.finish_probe(process)["ms"]

    def size(self, server):
        return {"size_mb": server.distributed.stat().st_size / 1e6}

    def login(self, running, clients, seconds):
        return self.start_probe("login", running.address, clients, seconds)

    def rate(self, running, token, seconds):
        arguments = ["rate", running.address, RATE, seconds]
        return self.start_probe(*arguments, BENCH_TOKEN=token, preexec_fn=go_first)

    def start_probe(self, *arguments, stdin=subprocess.DEVNULL, preexec_fn=None, **environment):
        users = {"BENCH_USERS": ",".join(servers.CROWD), "BENCH_PASSWORD": servers.PASSWORD}
        environment = {**os.environ, **users, **environment}
        command = [self.probe, *map(str, arguments)]
        return spawn(command, stdin=stdin, env=environment, preexec_fn=preexec_fn)

    def finish_probe(self, process, more_seconds=0):
        output = finish(process, self.seconds + more_seconds)
        return json.loads(output.splitlines()[-1])


def spawn(command, stdin=subprocess.DEVNULL, **options):
    options |= {"stdin": stdin, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # A process group of its own, so that `end` reaches the server that `probe cold` starts.
    return subprocess.Popen(command, text=True, process_group=0, **options)


def end(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def go_first():
    """Gives the client real-time priority where the system allows it: on a real network,
    client and server have different cores, and a busy server does not delay the client."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def finish(process, seconds):
    """The output of a load generator; kills it if it takes too long."""
    name = Path(process.args[0]).name
    try:
        output, errors = process.communicate(timeout=seconds + GRACE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{name} did not end in time") from error
    finally:
        end(process)
    if process.returncode:
        raise Failed(f"{name}: {(errors or output).strip()[-300:]}")
    return output


def read_report(process):
    """The first line of a probe that keeps running. The probe limits every wait."""
    line = process.stdout.readline()
    if not line:
        finish(process, 0)
        raise Failed("the probe ended without a word")
    return json.loads(line)


def wait_a_second(process):
    """Waits until a load is running; raises an error if it has ended."""
    try:
        process.wait(1)
    except subprocess.TimeoutExpired:
        return
    finish(process, 0)
    raise Failed("the load ended early")
