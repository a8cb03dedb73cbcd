"""`bench/run --postgres`: lictor and a reference server on one PostgreSQL cluster, beside lictor on
SQLite. Prepares databases with the same rows, and has the measures and their figures."""

import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from . import servers
from .cluster import Cluster
from .measures import Figure, Measures, end, go_first, wait_a_second
from .population import Population
from .servers import BENCH, Failed, Server

LICTOR, REFERENCE, SQLITE, DATABASE = "lictor", "axum-postgres", "lictor-sqlite", "database"
NAMES = [LICTOR, REFERENCE, SQLITE, DATABASE]
# Users and sessions in the database of most measures, and in those that are compared for growth.
USUAL = 100_000
SMALL, LARGE = 1_000, 1_000_000
CONNECTIONS = 64
WARM_UP_SECONDS = 1
STORM_CLIENTS = 8
STORM_RATE = 1_000
LOGIN_CLIENTS = 32
# Token checks in one query of the measure of the database alone, and its clients.
BATCH = 32
BATCH_CLIENTS = 2
CHECK = """SELECT u.id, u.name, u.roles, u.active, s.ended IS NOT NULL, s.created
FROM sessions s JOIN users u ON u.id = s."user" WHERE s.jti"""


def _with_cpu(key, label, unit, percentiles=True):
    """The rows of a load: a rate, latencies, and the CPU time of one operation."""
    figures = {f"{key}_per_second": Figure(label, unit, more_is_better=True)}
    if percentiles:
        figures[f"{key}_p50_ms"] = Figure(f"{label}: p50", "ms")
        figures[f"{key}_p99_ms"] = Figure(f"{label}: p99", "ms")
    figures[f"{key}_cpu_us"] = Figure(f"{label}: CPU of the server", "µs each")
    figures[f"{key}_database_cpu_us"] = Figure(f"{label}: CPU of the database", "µs each")
    return figures


FIGURES = {
    **_with_cpu("protected_64", "protected, 64 connections", "requests/s"),
    **_with_cpu("protected_1", "protected, 1 connection", "requests/s"),
    "round_trip_p50_ms": Figure("`SELECT 1` by pgbench, 1 client: p50", "ms"),
    "check_round_trip_p50_ms": Figure("a check's query by pgbench, 1 client: p50", "ms"),
    "storm_p50_ms": Figure(f"protected at 1,000/s while {STORM_CLIENTS} clients log in: p50", "ms"),
    "storm_p99_ms": Figure(f"protected at 1,000/s while {STORM_CLIENTS} clients log in: p99", "ms"),
    "storm_logins": Figure("logins/s meanwhile", "logins/s", more_is_better=True),
    **_with_cpu("login_32", "login, 32 clients", "logins/s"),
    **_with_cpu("register_32", "registration, 32 clients", "users/s"),
    **_with_cpu("refresh_64", "refresh, 64 clients", "refreshes/s"),
    "refresh_64_log_bytes": Figure("refresh: write-ahead log", "bytes each"),
    "growth_time": Figure("1 M users and sessions: time of a request, 64 connections", "× of 1,000"),
    "growth_cpu": Figure("1 M users and sessions: CPU of server and database", "× of 1,000"),
    "growth_p50": Figure("1 M users and sessions: p50, 1 connection", "× of 1,000"),
    **_with_cpu("single_64", "check's query by pgbench, 64 clients", "checks/s", False),
    **_with_cpu("single_8", "check's query by pgbench, 8 clients", "checks/s", False),
    **_with_cpu("batch_2", f"{BATCH} checks a query by pgbench, 2 clients", "checks/s", False),
    "user_bytes": Figure("a user, with its indexes", "bytes"),
    "session_bytes": Figure("a session, with its indexes", "bytes"),
}


class Suite:
    """The databases, the servers, and the measures of a run."""

    names = NAMES
    figures = FIGURES
    title = "Results on PostgreSQL"

    def __init__(self, names, seconds, stack):
        self.directory = tempfile.TemporaryDirectory(prefix="lictor-bench-")
        stack.callback(self.directory.cleanup)
        self.cluster = Cluster()
        stack.callback(self.cluster.remove)
        references = servers.build_references()
        lictor = servers.build_lictor_here()
        programs = {LICTOR: lictor, SQLITE: lictor, REFERENCE: references / REFERENCE}
        self.cluster.start()
        self.populations, self.bytes = {}, {}
        self.servers = []
        for name in names:
            if name == DATABASE:
                self.servers.append(Database(self.cluster))
                continue
            kind = OnSqlite if name == SQLITE else OnPostgres
            server = kind(name, programs[name], self.cluster)
            stack.callback(server.remove)
            self.servers.append(server)
        self.create = Creator(self.cluster, lictor)
        self.measures = PostgresMeasures(references / "probe", seconds, self)

    def prepare(self, selected):
        for size in [USUAL, SMALL, LARGE] if "growth" in selected else [USUAL]:
            self.fill(size)
        for server in self.servers:
            if server.name != DATABASE:
                with server.start() as running:
                    server.check(running)

    def fill(self, size):
        self.populations[size] = population = Population(size)
        population.write_tokens(self.tokens(size))
        filled = {}
        if any(server.name != SQLITE for server in self.servers):
            database = database_name(size)
            self.create(database, self.cluster.url(database))
            filled[LICTOR] = population.fill_postgres(self.cluster, database)
        for server in self.servers:
            if server.name == SQLITE:
                self.create(None, server.database_of(size))
                filled[SQLITE] = population.fill_sqlite(server.database_of(size))
        if size == USUAL:
            self.bytes = filled

    def tokens(self, size):
        return Path(self.directory.name) / f"tokens-{size}"

    def facts(self):
        settings = ", ".join(
            f"{name}={self.cluster.sql('postgres', f'SHOW {name}')}"
            for name in ["shared_buffers", "max_wal_size", "fsync", "synchronous_commit"]
        )
        return {"PostgreSQL": f"{self.cluster.version()}, on this machine ({settings})"}


    def aims(self, results):
        """Rows of the aims, with the median and the lowest and highest of the rounds."""
        compared = [
            ("requests/s, 64 connections", "≥ 3 × the reference's", "protected_64_per_second"),
            ("CPU of the server", "≤ 0.4 × the reference's", "protected_64_cpu_us"),
            ("CPU of the database", "≤ 0.3 × the reference's", "protected_64_database_cpu_us"),
            ("p99 of a check while 8 clients log in", "≤ 0.5 × the reference's", "storm_p99_ms"),
        ]
        rows = [
            [label, aim, *spread(results, lambda at, key=key: at(LICTOR, key) / at(REFERENCE, key))]
            for label, aim, key in compared
        ]
        rows.append(["1 client: p50 above SQLite's", "≤ 1.2 round trips", *spread(results, trips)])
        for name in [LICTOR, SQLITE]:
            figures = spread(results, lambda at, name=name: at(name, "growth_time"))
            rows.append([f"{name}: 1 M users against 1,000", "≤ 1.2 × the time", *figures])
        return rows

    def write(self, results):
        (BENCH / "figures.json").write_text(results.json() + "\n")


def trips(at):
    """How many round trips to the database a check of one client takes longer than on SQLite."""
    more = at(LICTOR, "protected_1_p50_ms") - at(SQLITE, "protected_1_p50_ms")
    return more / at(DATABASE, "round_trip_p50_ms")


def spread(results, compute):
    """Of what is computed from figures: from their medians, and from each round the extremes."""
    rounds = [value for number in range(results.rounds) if (value := results.computed(compute, number)) is not None]
    median = results.computed(compute)
    if median is None or not rounds:
        return ["-", "-"]
    return [f"{median:.2f}", f"{min(rounds):.2f} to {max(rounds):.2f}"]


class Creator:
    """Creates databases with lictor's tables and one user."""

    def __init__(self, cluster, lictor):
        self.cluster = cluster
        self.lictor = lictor

    def __call__(self, name, database):
        if name:
            self.cluster.sql("postgres", f'CREATE DATABASE "{name}"')
        command = [self.lictor, "user", "add", servers.USER, "--create", "--role", "user"]
        done = subprocess.run(
            [*command, "--database", str(database)],
            input=servers.PASSWORD,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            raise Failed(f"lictor user add: {done.stdout[-500:]}")


def database_name(size):
    return f"bench_{size}"


class OnPostgres(Server):
    """lictor or the reference on a database of the cluster."""

    def __init__(self, name, program, cluster):
        self.cluster = cluster
        super().__init__(name, program, program)
        self.database = self.database_of(USUAL)
        if self.is_lictor:
            # Tokens can be exchanged at any age, so that refreshes can be measured.
            self.options += ["--early-refresh", "24h"]

    def database_of(self, size):
        return self.cluster.url(database_name(size))

    def environment(self, with_users):
        # The users are in the database.
        return super().environment(with_users=False)

    def ask(self, statement, value):
        text = statement.replace("?", f"'{value}'")
        output = self.cluster.sql(database_name(USUAL), text)
        return output.splitlines()[0] if output else None


class OnSqlite(OnPostgres):
    """lictor on a file with the same rows."""

    def database_of(self, size):
        return self.directory / f"bench-{size}.db"

    def ask(self, statement, value):
        return Server.ask(self, statement, value)


class Database:
    """The cluster as what is measured itself."""

    name = DATABASE

    def __init__(self, cluster):
        self.cluster = cluster

    def bench(self, size, clients, seconds, text, log=None):
        """Runs a statement with pgbench; returns transactions per second. `log` gets a line for
        each transaction."""
        script = self.cluster.directory / "script.sql"
        script.write_text(text)
        threads = min(clients, len(os.sched_getaffinity(0)))
        options = ["-n", "-M", "prepared", "-f", script, "-c", str(clients), "-j", str(threads)]
        options += ["-T", str(seconds)]
        if log:
            options += ["-l", f"--log-prefix={log}"]
        url = self.cluster.url(database_name(size)) + f"&options=-csearch_path%3Dlictor"
        output = self.cluster.execute("pgbench", *options, url)
        for line in output.splitlines():
            if line.startswith("tps"):
                return float(line.split()[2])
        raise Failed(f"pgbench: {output.strip()[-300:]}")


class PostgresMeasures(Measures):
    """All measures by name, in the order of a round. A measure that does not concern a server
    returns no figures."""

    def __init__(self, probe, seconds, suite):
        super().__init__(probe, seconds)
        self.suite = suite
        self.cluster = suite.cluster
        self.refreshed = 0
        self.by_name = {
            "protected-64": self.of_servers(lambda s: self.checks(s, CONNECTIONS)),
            "protected-1": self.of_servers(lambda s: self.checks(s, 1)),
            "round-trip": self.of_database(self.round_trip),
            "storm": self.of_servers(self.storm),
            "login-32": self.of_servers(lambda s: self.writes(s, "login", LOGIN_CLIENTS)),
            "register-32": self.of_lictor(lambda s: self.writes(s, "register", LOGIN_CLIENTS)),
            "refresh-64": self.of_lictor(lambda s: self.writes(s, "refresh", CONNECTIONS)),
            "growth": self.of_lictor(self.growth),
            "queries": self.of_database(self.queries),
            "bytes": self.bytes,
        }

    def of_servers(self, measure):
        return lambda server: {} if server.name == DATABASE else measure(server)

    def of_lictor(self, measure):
        return self.of_servers(lambda server: measure(server) if server.is_lictor else {})

    def of_database(self, measure):
        return lambda server: measure(server) if server.name == DATABASE else {}

    def checks(self, server, connections, size=USUAL):
        """Token checks by wrk, each with the token of another session."""
        with server.start(server.database_of(size)) as running:
            self.wrk_tokens(running, connections, size, WARM_UP_SECONDS)
            watch = Watch(self.cluster, server, running)
            figures = self.wrk_tokens(running, connections, size, self.seconds)
            figures |= watch.each(figures.pop("requests"))
        return {f"protected_{connections}_{key}": value for key, value in figures.items()}

    def wrk_tokens(self, running, connections, size, seconds):
        return self.wrk(running, "protected", connections, None, seconds, self.suite.tokens(size))

    def round_trip(self, database):
        seconds = self.seconds
        check = f"{CHECK} = '{self.some_jtis(1)[0]}'"
        return {
            "round_trip_p50_ms": self.pgbench_p50(database, seconds, "SELECT 1"),
            "check_round_trip_p50_ms": self.pgbench_p50(database, seconds, check),
        }

    def pgbench_p50(self, database, seconds, text):
        prefix = self.cluster.directory / "latency"
        database.bench(USUAL, 1, seconds, text, log=prefix)
        ends = []
        for path in self.cluster.directory.glob("latency.*"):
            lines = [line.split() for line in path.read_text().splitlines()]
            ends += [int(fields[4]) * 1_000_000 + int(fields[5]) for fields in lines]
            path.unlink()
        # From the end of one to the end of the next. (pgbench 15 has latencies in the log too, but
        # for some statements they are 0.)
        return statistics.median(after - before for before, after in zip(ends, ends[1:])) / 1e3

    def some_jtis(self, count):
        text = f"SELECT jti FROM sessions TABLESAMPLE SYSTEM (10) ORDER BY jti LIMIT {count}"
        return self.cluster.sql(database_name(USUAL), text).splitlines()

    def queries(self, database):
        """What the database can do: one check a query, and many in one."""
        jtis = self.some_jtis(BATCH)
        one = f"{CHECK} = '{jtis[0]}'"
        listed = ", ".join(f"'{jti}'" for jti in jtis)
        many = f"{CHECK} = ANY (ARRAY[{listed}])"
        figures = {}
        for key, clients, checks, text in [
            ("single_64", 64, 1, one),
            ("single_8", 8, 1, one),
            ("batch_2", BATCH_CLIENTS, BATCH, many),
        ]:
            before = self.cluster.cpu_seconds()
            per_second = database.bench(USUAL, clients, self.seconds, text) * checks
            cpu = self.cluster.cpu_seconds() - before
            figures[f"{key}_per_second"] = per_second
            figures[f"{key}_database_cpu_us"] = cpu / (per_second * self.seconds) * 1e6
        return figures

    def storm(self, server):
        # Twice as long: a p99 of few requests says little. The logins go on for a second before
        # and after.
        seconds = 2 * self.seconds
        with server.start() as running:
            logins = self.login(running, STORM_CLIENTS, seconds + 2)
            try:
                wait_a_second(logins)
                arguments = ["open", running.address, STORM_RATE, seconds, CONNECTIONS]
                token = self.suite.populations[USUAL].token(1)
                process = self.start_probe(*arguments, BENCH_TOKEN=token, preexec_fn=go_first)
                report = self.finish_probe(process, seconds)
                storm = self.finish_probe(logins, seconds)
            finally:
                end(logins)
        return {
            "storm_p50_ms": report["p50_ms"],
            "storm_p99_ms": report["p99_ms"],
            "storm_logins": storm["per_second"],
        }

    def writes(self, server, kind, clients):
        """Logins, registrations or refreshes without a pause."""
        with server.start() as running:
            watch = Watch(self.cluster, server, running)
            log = self.cluster.wal_bytes()
            process = self.start_probe(
                *[kind, running.address, clients, self.seconds],
                BENCH_TOKENS=str(self.suite.tokens(USUAL)),
                BENCH_FIRST=str(self.refreshed),
            )
            report = self.finish_probe(process)
            costs = watch.each(report["count"])
            if kind == "refresh":
                self.refreshed += report["count"]
                if server.name != SQLITE:
                    costs["log_bytes"] = (self.cluster.wal_bytes() - log) / report["count"]
        figures = {key: report[key] for key in ["per_second", "p50_ms", "p99_ms"]} | costs
        return {f"{kind}_{clients}_{key}": value for key, value in figures.items()}

    def growth(self, server):
        """How much longer a check takes with a thousand times the users and sessions."""
        figures = {}
        for size in [SMALL, LARGE]:
            figures[size] = self.checks(server, CONNECTIONS, size) | self.checks(server, 1, size)
        small, large = figures[SMALL], figures[LARGE]

        def cpu(of):
            return of["protected_64_cpu_us"] + of.get("protected_64_database_cpu_us", 0)

        return {
            "growth_time": small["protected_64_per_second"] / large["protected_64_per_second"],
            "growth_cpu": cpu(large) / cpu(small),
            "growth_p50": large["protected_1_p50_ms"] / small["protected_1_p50_ms"],
        }

    def bytes(self, server):
        """What a user and a session take on the disk, right after they were filled in."""
        return self.suite.bytes.get(server.name, {})


class Watch:
    """The CPU time that the server and, if it uses the cluster, the database take from now on."""

    def __init__(self, cluster, server, running):
        self.cluster = None if server.name == SQLITE else cluster
        self.running = running
        self.before = self.now()

    def now(self):
        return self.running.cpu_seconds(), self.cluster and self.cluster.cpu_seconds()

    def each(self, operations):
        after = self.now()
        costs = {"cpu_us": (after[0] - self.before[0]) / operations * 1e6}
        if self.cluster:
            costs["database_cpu_us"] = (after[1] - self.before[1]) / operations * 1e6
        return costs
