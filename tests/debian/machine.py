"""A Debian with systemd as PID 1, to try things as root that a test must not do to this machine.

    from machine import Machine
    with Machine() as m:                                # or Machine(packages=["postgresql"])
        m.put("/usr/local/bin/lictor", program, 0o755)  # bytes, or a text
        print(m.run("systemctl is-system-running"))     # standard output; a failure is an error
        code, out, err = m.outcome("systemctl is-active lictor")
        load = m.start("wrk -d 5 http://127.0.0.1:5000/")  # goes on beside what follows
        code, out, err = load.result()

Commands run as root in bash, each for at most `timeout` seconds, by default for as long as nothing takes that
does not hang. Every machine starts from the same state, in a second or two; nothing of it remains. It has no
network but its own 127.0.0.1. `tree.PACKAGES` lists what is installed; a list of more packages makes another
tree, which takes a minute or two, once.

It is a container, or a virtual machine (QEMU) where none can be had, and for a test that needs a kernel of its
own (`own_kernel=True`): for the clock. A test that limits memory (`limits_memory=True`) gets a virtual machine
only if no cgroup can limit the memory of a service in the container. Virtual machines have two processors and
1 GiB of memory.
Where KVM can be used it is; else the processor is emulated, which is some ten to thirty times slower: a test in
it gives generous times and expects no speed.

Owns the virtual machine, and the choice; container.py owns the container.
"""

import concurrent.futures
import contextlib
import functools
import hashlib
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Future
from pathlib import Path

import tree
from container import Container

QEMU = "qemu-system-x86_64"
PROCESSORS, MEMORY = "2", "1024M"
BOOT_TIME, START_TIME = 900, 600
# Seconds for a command: an emulated processor on a busy machine needs a hundred times what this one does.
PATIENCE = 300
# kvm may be there and not work: QEMU cannot open it, or the machine stops at an instruction, now or later.
ACCELERATORS = ["kvm", "tcg,thread=multi"]
# What QEMU says of a machine that has ended by itself.
STOPPED = ("guest-panicked", "internal-error", "io-error", "shutdown")
KERNEL = "console=ttyS0 quiet panic=-1 mitigations=off nokaslr systemd.show_status=no"


class CommandFailed(Exception):
    pass


class Broken(RuntimeError):
    """A virtual machine that does not start with this accelerator, or no longer runs."""


class Machine:
    """A running machine; see the top of the file."""

    def __init__(self, packages=(), own_kernel=False, limits_memory=False):
        folder = tree.tree(packages)
        if not own_kernel and containers(folder):
            self.inside = tried.pop(folder, None) or Container(folder / "root")
            if not limits_memory or self.inside.has_memory_controller or self.inside.memory_cgroup:
                return
            self.inside.end()
            print("a virtual machine instead of a container: no limits of memory", file=sys.stderr)
        disk = tree.disk(folder)
        with tree.lock():
            if not state(disk).exists() or (disk / f"no-{(disk / 'accelerator').read_text()}").exists():
                prepare(disk)
        accelerator = (disk / "accelerator").read_text()
        self.inside = Virtual(disk, accelerator, ["-snapshot", "-incoming", f"exec:cat {state(disk)}"])

    def __enter__(self):
        if isinstance(self.inside, Virtual):
            try:
                # Its clock has stopped when its state was saved.
                self.run(f"date --utc --set=@{time.time():.3f}", timeout=START_TIME)
            except BaseException:
                self.inside.end()
                raise
        return self

    def __exit__(self, *_):
        self.inside.end()

    @property
    def is_container(self):
        return isinstance(self.inside, Container)

    def start(self, command, timeout=PATIENCE):
        """Runs a command beside others; returns a future of its exit code, standard output and error."""
        return self.inside.ask("run", str(timeout), command.encode())

    def outcome(self, command, timeout=PATIENCE):
        """Exit code, standard output and error of a command."""
        return self.start(command, timeout).result(timeout + START_TIME)

    def run(self, command, check=True, timeout=PATIENCE):
        """The standard output of a command, which must succeed unless `check` is false."""
        code, out, err = self.outcome(command, timeout)
        if check and code != 0:
            raise CommandFailed(f"{command}: exit code {code}\n{out}{err}")
        return out

    def put(self, path, content, mode=0o644):
        """Writes a file, with its folders."""
        content = content.encode() if isinstance(content, str) else content
        code, _, err = self.inside.ask("put", f"{mode:o} {path}", content).result(START_TIME)
        if code != 0:
            raise CommandFailed(err)

    def eventually(self, command, timeout=PATIENCE):
        """Runs a command until it succeeds, and returns its output."""
        until = time.monotonic() + timeout
        while True:
            code, out, err = self.outcome(command)
            if code == 0:
                return out
            if time.monotonic() > until:
                raise CommandFailed(f"{command}: still exit code {code} after {timeout} s\n{out}{err}")
            time.sleep(0.2)

    def console(self):
        """What the kernel has printed."""
        return self.inside.console()


tried = {}  # the container of a tree that showed that there can be one, until it is used


@functools.cache
def containers(folder):
    """Whether there can be a container of this tree."""
    try:
        tried[folder] = Container(folder / "root")
        return True
    except RuntimeError as failure:
        print(f"a virtual machine instead of a container: {failure}", file=sys.stderr)
        return False


class Virtual:
    """A process of QEMU, and the channel to the agent in it."""

    def __init__(self, folder, accelerator, more):
        self.directory = Path(tempfile.mkdtemp(prefix="lictor-machine-"))
        self.answers, self.next, self.lock, self.telling = {}, 0, threading.Lock(), threading.Lock()
        self.refused = folder / f"no-{accelerator}"
        agent, control = self.directory / "agent", self.directory / "control"
        # It ends with this process, however that ends.
        command = ["setpriv", "--pdeathsig", "KILL", QEMU, "-accel", accelerator, "-cpu", "max", "-smp", PROCESSORS, "-m", MEMORY]
        command += ["-nodefaults", "-no-user-config", "-display", "none"]
        command += ["-kernel", folder / "vmlinuz", "-initrd", folder / "initrd", "-append", KERNEL]
        command += ["-drive", f"file={folder / 'disk'},if=virtio,format=raw"]
        command += ["-serial", f"file:{self.directory / 'console'}"]
        command += ["-device", "virtio-serial-pci", "-device", "virtserialport,chardev=agent,name=agent"]
        command += ["-chardev", f"socket,id=agent,path={agent},server=on,wait=off"]
        command += ["-qmp", f"unix:{control},server=on,wait=off", *more]
        with open(self.directory / "errors", "w") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                env={"PATH": os.defpath, "TMPDIR": str(self.directory)},
            )  # fmt: skip
        try:
            self.agent, self.control = self.connect(agent), self.connect(control).makefile("rw")
            # Not settimeout, which would change the socket under the thread that reads, and could end it.
            limit = struct.pack("ll", START_TIME, 0)
            self.agent.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            self.tell("qmp_capabilities")
        except OSError:
            reason = (self.directory / "errors").read_text()
            self.end()
            raise Broken(f"no machine with {accelerator}: {reason}") from None
        threading.Thread(target=self.listen, daemon=True).start()

    def connect(self, path):
        until = time.monotonic() + START_TIME
        while True:
            try:
                channel = socket.socket(socket.AF_UNIX)
                channel.connect(str(path))
                return channel
            except OSError:
                channel.close()
                if self.process.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def tell(self, command, **arguments):
        """Gives QEMU a command and returns its answer."""
        with self.telling:
            self.control.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
            self.control.flush()
            while True:
                answer = self.control.readline()
                if not answer:
                    raise ConnectionResetError("QEMU has ended")
                answer = json.loads(answer)
                if "error" in answer:
                    raise RuntimeError(f"{command}: {answer['error']}")
                if "return" in answer:
                    return answer["return"]

    def ask(self, kind, arguments, content):
        """Sends the agent a request; returns a future of exit code, standard output and error."""
        answer = Future()
        with self.lock:
            self.next += 1
            self.answers[self.next] = answer
            self.agent.sendall(f"{self.next} {kind} {len(content)} {arguments}\n".encode() + content)
        return answer

    def result(self, answer, timeout):
        """The answer, when it is there. A machine that no longer runs is not waited for, nor is another made like it."""
        until = time.monotonic() + timeout
        while not answer.done() and time.monotonic() < until:
            if (status := self.tell("query-status")["status"]) in STOPPED:
                self.refused.touch()
                raise Broken(f"the machine has stopped: {status}\n{(self.directory / 'errors').read_text()}")
            concurrent.futures.wait([answer], 1)
        return answer.result(0)

    def listen(self):
        """Reads the agent's answers until the end."""
        stream = self.agent.makefile("rb")
        with contextlib.suppress(ConnectionResetError):
            while line := stream.readline():
                number, code, *lengths = (int(field) for field in line.split())
                out, err = (stream.read(length).decode(errors="replace") for length in lengths)
                self.answers.pop(number).set_result((code, out, err))

    def console(self):
        return (self.directory / "console").read_text(errors="replace")

    def end(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory)


def state(folder):
    """The file of the saved state that this version of this file has made."""
    return folder / ("state-" + hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12])


def prepare(folder):
    """Boots the tree for the first time, and saves the machine's state, from which all machines start."""
    for accelerator in ACCELERATORS:
        last = accelerator == ACCELERATORS[-1]
        if (folder / f"no-{accelerator}").exists() and not last:
            continue
        try:
            return save(folder, accelerator)
        except Broken as failure:
            if last:
                raise
            print(f"an emulated processor: {failure}", file=sys.stderr)


def save(folder, accelerator):
    """Boots it with this accelerator, and saves the state."""
    virtual = Virtual(folder, accelerator, [])
    try:
        booted = virtual.ask("run", str(BOOT_TIME), b"systemctl is-system-running --wait")
        answer = virtual.result(booted, 2 * BOOT_TIME)
        if answer[1].strip() != "running":
            raise RuntimeError(f"systemd is not running: {answer}\n{virtual.console()}")
        virtual.tell("migrate-set-parameters", **{"max-bandwidth": 2**33})
        virtual.tell("migrate", uri=f"exec:cat >{folder / 'new'}")
        while (status := virtual.tell("query-migrate")["status"]) not in ("completed", "failed"):
            time.sleep(0.1)
        if status == "failed":
            raise RuntimeError("the state of the machine cannot be saved")
    finally:
        virtual.end()
    for old in folder.glob("state-*"):
        old.unlink()
    (folder / "accelerator").write_text(accelerator)
    (folder / "new").rename(state(folder))
