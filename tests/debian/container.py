"""A Debian with systemd as PID 1 in a container: namespaces and cgroups of its own over the kernel of this
machine, and a layer over the tree that is gone with it.

Owns the container (systemd-nspawn), which needs root, and the memory cgroup that a service in it may need. The
container has no network but its own 127.0.0.1, and must not set the clock, change the kernel's settings or load
modules.
"""

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
import threading
import time
from concurrent.futures import Future
from pathlib import Path

NSPAWN = "systemd-nspawn"
BOOT_TIME = 300
# Where a machine whose cgroups are of version 1 mounts those for memory, and the container too, read-only.
MEMORY_CGROUPS = Path("/sys/fs/cgroup/memory")
ENVIRONMENT = ["HOME=/root", "LC_ALL=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]


class Container:
    """A running container; `ask` is as that of a virtual machine."""

    def __init__(self, root):
        if shutil.which(NSPAWN) is None:
            raise RuntimeError(f"{NSPAWN} is missing")
        self.directory = Path(tempfile.mkdtemp(prefix="lictor-container-"))
        self.cgroup = None
        # It ends with this process, however that ends. The service manager of this machine, if there is one,
        # need not know of it.
        command = ["setpriv", "--pdeathsig", "KILL", NSPAWN, "--directory", root, "--volatile=overlay", "--boot"]
        command += ["--private-network", "--register=no", "--keep-unit", "--settings=no", "--link-journal=no"]
        command += ["--resolv-conf=off", "--timezone=off", "--console=pipe", "--quiet"]
        with open(self.directory / "console", "w") as console:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        try:
            self.init = self.find_init()
            state = self.ask("run", str(BOOT_TIME), b"systemctl is-system-running --wait").result(2 * BOOT_TIME)
            if state[1].strip() != "running":
                failed = self.ask("run", "60", b"systemctl --failed --no-legend").result(2 * BOOT_TIME)
                raise RuntimeError(f"systemd is not running: {state} {failed}")
        except BaseException as failure:
            said = self.console()
            self.end()
            if isinstance(failure, (OSError, RuntimeError)):
                raise RuntimeError(f"no container: {failure}\n{said}") from None
            raise

    def find_init(self):
        """The id of its first process, once that can be asked something."""
        until = time.monotonic() + BOOT_TIME
        while self.process.poll() is None and time.monotonic() < until:
            # Its first children end soon, perhaps while they are looked at.
            with contextlib.suppress(OSError):
                for pid in self.children():
                    if (Path("/proc") / pid / "comm").read_text().strip() == "systemd":
                        # What systemctl talks to.
                        if (Path("/proc") / pid / "root/run/systemd/private").exists():
                            return pid
            time.sleep(0.05)
        raise RuntimeError("it has not begun")

    def children(self):
        return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()

    @property
    def has_memory_controller(self):
        """Whether its systemd can limit memory: cgroups of version 2, of Linux 5.19 or later."""
        return self.call(["test", "-e", "/sys/fs/cgroup/memory.peak"])[0] == 0

    @property
    def memory_cgroup(self):
        """The path, on this machine, of the memory cgroup (version 1) that the container is in; `None` if there is
        none that can be written."""
        lines = (Path("/proc") / self.init / "cgroup").read_text().splitlines()
        for path in (line.split(":memory:/")[1] for line in lines if ":memory:/" in line):
            if os.access(MEMORY_CGROUPS / path / "cgroup.procs", os.W_OK):
                return MEMORY_CGROUPS / path
        return None

    def make_memory_cgroup(self, limit):
        """Makes a memory cgroup (version 1) with a limit in bytes, swap included; returns its path in the container.
        `end` removes it."""
        self.cgroup = self.memory_cgroup / self.directory.name
        self.cgroup.mkdir()
        (self.cgroup / "memory.limit_in_bytes").write_text(str(limit))
        with_swap = self.cgroup / "memory.memsw.limit_in_bytes"
        if with_swap.exists():
            with_swap.write_text(str(limit))
        return MEMORY_CGROUPS / self.cgroup.name

    def move_to_memory_cgroup(self, pid):
        """Moves a process to that cgroup. Its id is that in the container, so it is written by a process that has the
        container's ids and this machine's files."""
        script = f"echo {pid} >{shlex.quote(str(self.cgroup))}/cgroup.procs"
        subprocess.run(["nsenter", "--target", self.init, "--pid", "sh", "-c", script], check=True)

    def ask(self, kind, arguments, content):
        """Runs a script, or writes a file; returns a future of exit code, standard output and error."""
        answer = Future()
        threading.Thread(target=self.answer, args=(answer, kind, arguments, content), daemon=True).start()
        return answer

    def answer(self, answer, kind, arguments, content):
        try:
            if kind == "run":
                answer.set_result(self.call(["timeout", "-k", "1", arguments, "bash", "-c", content.decode()]))
            else:
                mode, path = arguments.split(" ", 1)
                folder, path = (shlex.quote(str(of)) for of in (Path(path).parent, path))
                script = f"mkdir -p {folder} && cat >{path} && chmod {mode} {path}"
                answer.set_result(self.call(["sh", "-c", script], content))
        except BaseException as failure:
            answer.set_exception(failure)

    def call(self, command, content=b""):
        """Runs a command in it. Files and not pipes, which a process that goes on would keep open."""
        with (tempfile.TemporaryFile(dir=self.directory) as given, tempfile.TemporaryFile(dir=self.directory) as out,
              tempfile.TemporaryFile(dir=self.directory) as err):  # fmt: skip
            given.write(content)
            given.seek(0)
            enter = ["nsenter", "--target", self.init, "--all", "--wdns=/root", "env", "-i", *ENVIRONMENT]
            code = subprocess.run([*enter, *command], stdin=given, stdout=out, stderr=err, check=False).returncode
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode(errors="replace"))
            return code, *texts

    def console(self):
        return (self.directory / "console").read_text(errors="replace")

    def end(self):
        # Everything in it ends with its first process.
        if self.process.poll() is None:
            for pid in self.children():
                subprocess.run(["kill", "-KILL", pid], check=False)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory)
        # Empty now.
        if self.cgroup and self.cgroup.exists():
            self.cgroup.rmdir()
