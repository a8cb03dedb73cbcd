"""lictor as a service in a Debian with systemd: the program, its units, and requests to it.

Owns the machine with the service in it. The tests are in check.py.
"""

import json
import os
import shlex
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

sys.path.append(str(HERE.parent / "debian"))
from machine import Broken, CommandFailed, Machine  # noqa: E402, F401

PASSWORD = "ten wooden lanterns"
SITE = "http://127.0.0.1:5000"


class Service(Machine):
    """A machine in which lictor is installed as the documentation says; it runs once `begin` was called."""

    def __enter__(self):
        super().__enter__()
        self.marks = []  # files that loads make
        self.put("/usr/local/bin/lictor", Path(os.environ["LICTOR_BIN"]).read_bytes(), 0o755)
        for unit in ("lictor.service", "lictor.socket", "lictor-backup.service"):
            self.put(f"/etc/systemd/system/{unit}", (ROOT / "systemd" / unit).read_bytes())
        for script in HERE.glob("guest/*"):
            self.put(f"/opt/{script.name}", script.read_bytes())
        self.settings()
        # Only a test that is about them waits for these.
        patience = "[Service]\nWatchdogSec=15min\nTimeoutStopSec=5min\n"
        self.put("/etc/systemd/system/lictor.service.d/patience.conf", patience)
        return self

    def settings(self, **settings):
        """Writes /etc/lictor.env: what it begins with, and these settings."""
        lines = [f"{name}={value}\n" for name, value in settings.items()]
        self.put("/etc/lictor.env", (ROOT / "systemd/lictor.env").read_text() + "".join(lines), 0o600)

    def drop_in(self, *lines):
        """Changes the unit."""
        self.put("/etc/systemd/system/lictor.service.d/test.conf", "\n".join(["[Service]", *lines, ""]))

    def begin(self, *units):
        self.run(f"systemctl daemon-reload && systemctl start {' '.join(units or ['lictor'])}")

    def begin_with_memory(self, limit):
        """Starts the service with a limit of memory, in bytes. If systemd has no memory controller, a cgroup of this
        machine limits it. What a process used before it was moved there would not count, so a shell waits to be
        moved, and then becomes lictor."""
        limited = f"MemoryMax={limit}"
        if not self.is_container or self.inside.has_memory_controller:
            self.drop_in(limited)
            self.begin()
            self.memory_files = "/sys/fs/cgroup/system.slice/lictor.service/memory.{max,peak,events}"
            return
        cgroup = self.inside.make_memory_cgroup(limit)
        wait = f"until grep -q :memory:/{cgroup.name}$$ /proc/self/cgroup; do sleep 0.1; done"
        self.drop_in(limited, "ExecStart=", f"ExecStart=/bin/sh -c '{wait}; exec /usr/local/bin/lictor serve'")
        self.begin("--no-block", "lictor")
        pid = self.eventually("systemctl show -P MainPID lictor | grep -vx 0").strip()
        self.inside.move_to_memory_cgroup(pid)
        self.begin()
        self.memory_files = f"{cgroup}/memory.{{limit_in_bytes,max_usage_in_bytes,oom_control}}"

    def memory(self):
        """The limit of memory and the most that was used, in bytes, and how many processes were killed for it."""
        limit, peak, *events = self.run(f"cat {self.memory_files}").split()
        return int(limit), int(peak), int(events[events.index("oom_kill") + 1])

    def ask(self, method, path, body=None, token=None):
        """The status and the JSON of an answer."""
        command = ["curl", "-s", "-m", "250", "-X", method, "-w", "%{http_code}", SITE + path]
        if body is not None:
            command += ["-d", body if isinstance(body, str) else json.dumps(body)]
        if token is not None:
            command += ["-H", f"Authorization: Bearer {token}"]
        out = self.run(shlex.join(command))
        return int(out[-3:]), json.loads(out[:-3] or "null")

    def register(self, name):
        status, answer = self.ask("POST", "/api/registration", {"username": name, "password": PASSWORD})
        assert status == 200, answer
        return answer["access_token"]

    def token_beside_ada(self):
        """Registers `ada`, who is to log in again and again, and somebody else; returns the other's token. An
        account has a limited number of sessions: hers ends when she logs in often enough."""
        self.register("ada")
        return self.register("bob")

    def protected(self, token):
        return self.ask("GET", "/api/protected", token=token)[0]

    def property(self, name, unit="lictor"):
        return self.run(f"systemctl show -P {name} {unit}").strip()

    def log(self):
        # What was said before has arrived then.
        return self.run("journalctl --sync; journalctl -q -o cat -u lictor")

    def watchdog(self, attempt):
        """Sets a time for the watchdog that is short enough to be waited for; returns its seconds. On a busy
        machine other things may take as long, so the next attempt has a longer one."""
        seconds = (10, 30, 90)[attempt] if self.is_container else (30, 60, 90)[attempt]
        self.drop_in(f"WatchdogSec={seconds}s", "TimeoutAbortSec=15s")
        return seconds

    def load(self, connections, method, route, body=None, token=None, pause=None, enough=None):
        """Starts wrk, which goes on until `end_loads`; `counted` reads what its future returns. `pause` is the time
        between an answer and the next request, in milliseconds. `end_loads` waits until `enough` answers had the
        status 200."""
        variables = {"METHOD": method, "ROUTE": route, "BODY": body and json.dumps(body), "BEARER": token}
        variables["PAUSE"] = pause and str(pause)
        if enough:
            self.marks.append(f"/run/enough-{len(self.marks)}")
            variables |= {"ENOUGH": str(enough), "MARK": self.marks[-1]}
        typed = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items() if value)
        wrk = f"wrk -t 1 -c {connections} -d 100000 --timeout 1000 -s /opt/ask.lua {SITE}"
        return self.start(f"{typed} {wrk}", timeout=100_000)

    def storm(self):
        """Starts a load of 64 clients that log in, the user `ada`."""
        return self.load(64, "POST", "/api/login", {"username": "ada", "password": PASSWORD}, enough=3)

    def end_loads(self):
        for mark in self.marks:
            self.eventually(f"test -e {mark}", timeout=900)
        self.eventually("pkill -INT wrk")


def counted(load):
    """How many answers with each status a load got; connections that failed count as `failed`."""
    code, out, err = load.result(600)
    assert code == 0, err
    counts = {}
    for line in out.splitlines():
        if line.startswith("status "):
            _, status, count = line.split()
            counts[int(status)] = int(count)
        if "Socket errors" in line:
            counts["failed"] = line.split(":", 1)[1]
    return counts
