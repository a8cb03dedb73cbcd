"""What a file that has grown costs: starts, lists, searches, deletions, and refreshes beside other
work. Each function takes a server and its population, and gives times in milliseconds."""

import http.client
import itertools
import json
import random
import shutil
import subprocess
import time
from pathlib import Path

from . import servers

HOUR = Path(__file__).with_name("hour.c")
# Seconds within which the preloaded clock lets the sweep begin.
SWEEP_BEGINS = 4


class Grown(servers.Server):
    """A program on a copy of a file with a population."""

    def __init__(self, program, population, template):
        super().__init__("lictor", program, program)
        self.population = population
        self.preload = None
        shutil.copy(template, self.database)
        # The claims of the newest token of each session that was refreshed.
        self.claims = {}
        # Those that no sweep deletes, in random order, again and again.
        kept = (n for n in range(population.count // 10, population.count - 1) if not population.expires(n) and n % 50 != 7)
        self.turns = itertools.cycle(random.sample(list(kept), min(population.count // 2, 100_000)))

    def environment(self, with_users):
        environment = super().environment(with_users)
        if self.preload:
            environment["LD_PRELOAD"] = str(self.preload)
        return environment

    def refresh(self, client):
        """Exchanges the token of the next session; it has expired, as those of an outage have."""
        number = next(self.turns)
        claims = self.claims.get(number) or self.population.claims(number)
        now = int(time.time())
        taken, answer = client.timed("POST", "/api/refresh", body=servers.sign(claims | {"exp": now - 1}))
        self.claims[number] = servers.claims(answer["access_token"])
        return taken


def build_hour(directory):
    library = Path(directory) / "hour.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, HOUR], check=True)
    return library


def start(server):
    """Starts the server; returns it and the time until its first 200."""
    begun = time.perf_counter()
    running = servers.Running(server, server.database)
    while True:
        try:
            running.expect(200, "GET", "/api/health")
            return running, (time.perf_counter() - begun) * 1000
        except OSError:
            if running.process.poll() is not None or time.perf_counter() - begun > 120:
                raise servers.Failed(f"{server.name} does not start") from None
            time.sleep(0.0005)


class Client:
    """One connection that is kept."""

    def __init__(self, running):
        self.connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
        self.connection.connect()

    def timed(self, method, path, token=None, body=None, good=(200,)):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        begun = time.perf_counter()
        self.connection.request(method, path, body=body, headers=headers)
        answer = self.connection.getresponse()
        text = answer.read()
        taken = (time.perf_counter() - begun) * 1000
        if answer.status not in good:
            raise servers.Failed(f"{method} {path}: {answer.status} {text[:200]}")
        return taken, json.loads(text)


def requests(population):
    """The lists and searches, by name; each is a path and whose token asks."""
    count, now = population.count, int(time.time())
    users, audit = "/api/admin/users", "/api/admin/audit"
    return {
        "health": ("/api/health", None),
        "account page": ("/api/me", "many"),
        "own sessions, of 1,000": ("/api/sessions", "many"),
        "users": (users, "admin"),
        "users, a later page": (f"{users}?after={count // 2}", "admin"),
        "search: a name": (f"{users}?search=user-{count * 9 // 10}", "admin"),
        "search: an e-mail address": (f"{users}?search=user-{count - 5}@mail", "admin"),
        "search: in the middle": (f"{users}?search=ser-{count * 9 // 10}", "admin"),
        "search: nobody": (f"{users}?search=nobody", "admin"),
        "search: all": (f"{users}?search=example.org&limit=200", "admin"),
        "one user": (f"{users}/{count // 2}", "admin"),
        "a user's sessions, of 1,000": (f"{users}/{count}/sessions", "admin"),
        "invitations": ("/api/admin/invitations", "admin"),
        "audit": (f"{audit}?limit=200", "admin"),
        "audit, a later page": (f"{audit}?before={count // 2}", "admin"),
        "audit since an hour ago": (f"{audit}?since={now - 3600}", "admin"),
        "audit since now": (f"{audit}?since={now + 3600}", "admin"),
        "audit since 40 days, its last page": (f"{audit}?since={now - 40 * 86400}&before={count // 2 + 20}", "admin"),
        "audit of a user with a quarter of it": (f"{audit}?user=2", "admin"),
        "audit of this user, since now": (f"{audit}?user=2&since={now + 3600}", "admin"),
        "audit of a user with one entry": (f"{audit}?user=79", "admin"),
    }


def tokens(population):
    """Who asks: the last user, who administrates, and the one before, who has many sessions."""
    return {"admin": population.token(population.count), "many": population.token(population.count - 1)}


def lists(running, population, rounds):
    asked, who = requests(population), tokens(population)
    client = Client(running)
    taken = {name: [] for name in asked}
    for _ in range(rounds):
        for name in random.sample(list(asked), len(asked)):
            path, token = asked[name]
            taken[name].append(client.timed("GET", path, who.get(token))[0])
    return taken


def deletions(running, population, ids):
    client, admin = Client(running), tokens(population)["admin"]
    return [client.timed("DELETE", f"/api/admin/users/{number}", admin)[0] for number in ids]


def refreshes(running, seconds, until=lambda: False):
    """Times of refreshes, a hundred a second: in one second a session is refreshed once at most, since
    lictor writes nothing for a second time."""
    client, taken, begun = Client(running), [], time.monotonic()
    for number in range(100 * seconds):
        time.sleep(max(0, begun + number / 100 - time.monotonic()))
        if until():
            break
        taken.append(running.server.refresh(client))
    return taken


def swept(server):
    """Times of refreshes while expired rows are deleted. The server does not run yet."""
    server.population.expire(server.database)
    running, _ = start(server)
    try:
        time.sleep(SWEEP_BEGINS)
        left = rows_to_sweep(server)
        taken = refreshes(running, 5)
        if left and rows_to_sweep(server) == left:
            raise servers.Failed("nothing was swept")
        return taken
    finally:
        running.stop()


def rows_to_sweep(server):
    return server.ask("SELECT count(*) FROM sessions WHERE expires = ?", 1)


def killed(server):
    """The time of a start after a kill, and of refreshes while the database is checked."""
    running, _ = start(server)
    refreshes(running, 1)
    running.process.kill()
    running.process.wait()
    log = server.directory / "log"
    before = log.stat().st_size
    running, taken = start(server)
    try:
        sound = lambda: b"is sound" in log.read_bytes()[before:]
        return taken, refreshes(running, 5, sound)
    finally:
        running.stop()
