"""Makes a minimal Debian: the suite of this machine, from its package sources, with systemd.

    python3 -B tests/debian/tree.py [PACKAGE...]    makes it now, and prints its folder

Owns the packages, the kernel and the disk image, which are kept under target/debian. `machine.py` boots
them. Needs root and mmdebstrap, and mke2fs for the image.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
KEPT = HERE.parents[1] / "target" / "debian"

# Beside what Debian calls essential, which includes Perl, in which the agent is written.
PACKAGES = [
    "busybox-static",  # programs of the first stage of the boot
    "ca-certificates",
    "curl",
    "dbus",
    "iproute2",
    "kmod",
    "libnss-systemd",  # names for DynamicUser=
    "procps",
    "systemd",
    "systemd-sysv",
    "wrk",
]
# Needed to mount the disk and to reach the agent, each after those it uses.
MODULES = [
    "virtio/virtio_ring",
    "virtio/virtio",
    "virtio/virtio_pci_legacy_dev",
    "virtio/virtio_pci_modern_dev",
    "virtio/virtio_pci",
    "block/virtio_blk",
    "char/virtio_console",
]
DISK_SIZE = "3G"  # sparse
# What is in a tree: it is made again when one of these files changes.
MADE_OF = ["tree.py", "kernel.sh", "agent.pl"]

FIRST_STAGE = """#!/bin/busybox sh
for module in {modules}; do /bin/busybox insmod /$module; done
/bin/busybox mount -t devtmpfs none /dev
until [ -e /dev/vda ]; do /bin/busybox sleep 0.05; done
/bin/busybox mount -t ext4 /dev/vda /root
exec /bin/busybox switch_root /root /sbin/init
"""

# Nothing is given up, nor the state called degraded, because the machine is busy.
PATIENT = """[Manager]
DefaultTimeoutStartSec=10min
DefaultTimeoutStopSec=10min
DefaultDeviceTimeoutSec=10min
"""

AGENT_UNIT = """[Unit]
Description=agent of the tests
# A container has no port, and needs no agent.
ConditionVirtualization=vm
[Service]
ExecStart=/usr/bin/perl /usr/local/sbin/test-agent
Environment=HOME=/root LC_ALL=C.UTF-8
OOMScoreAdjust=-1000
KillMode=process
[Install]
WantedBy=multi-user.target
"""


def missing():
    """What this machine lacks to make the tree, as a text; empty if nothing."""
    if os.geteuid() != 0:
        return "root"
    return "" if shutil.which("mmdebstrap") else "mmdebstrap"


def tree(packages=()):
    """Returns the folder of a tree with these packages more, made now unless it is kept from earlier. The tree is
    `root` in it, which nobody may change."""
    with lock():
        folder = KEPT / key(packages)
        if not (folder / "packages").exists():
            make(folder, [*PACKAGES, *packages])
        return folder


def disk(folder):
    """Returns the folder in which a tree is what a machine boots, made now unless it is kept from earlier: `disk`
    (an ext4 file system), `vmlinuz` and `initrd`."""
    with lock():
        place, root = folder / "machine", folder / "root"
        if not (place / "initrd").exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            (image,) = root.glob("boot/vmlinuz-*")
            version = image.name.removeprefix("vmlinuz-")
            shutil.copy(image, place / "vmlinuz")
            making = ["mke2fs", "-q", "-t", "ext4", "-d", root, place / "disk", DISK_SIZE]
            subprocess.run(making, check=True, stdout=subprocess.DEVNULL)
            # Last: its presence says that the rest is there.
            (place / "initrd").write_bytes(archive(root, root / "usr/lib/modules" / version / "kernel/drivers"))
        return place


@contextmanager
def lock():
    """Lets one process at a time make something in the folder of what is kept."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with open(KEPT / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def key(packages):
    """Names a tree: another text if anything that it is made of has changed."""
    parts = [suite(), *sorted(packages), *((HERE / name).read_text() for name in MADE_OF)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def suite():
    lines = Path("/etc/os-release").read_text().splitlines()
    named = dict(line.split("=", 1) for line in lines if "=" in line)
    return named["VERSION_CODENAME"]


def sources():
    """The files of this machine's package sources that are Debian's; of others no package is wanted."""
    files = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    readable = [file for file in files if file.suffix in (".list", ".sources") and file.exists()]
    return [str(file) for file in readable if "debian" in (text := file.read_text()) and suite() in text]


def make(folder, packages):
    # What an earlier version of these files has made is not used again, nor what it has not finished.
    for old in filter(Path.is_dir, KEPT.iterdir()):
        made = old / "packages"
        if not made.exists() or made.read_text() == " ".join(packages):
            shutil.rmtree(old)
    folder.mkdir()
    root = folder / "root"
    subprocess.run(
        [
            "mmdebstrap",
            "--quiet",
            "--variant=minbase",
            "--include=" + ",".join(packages),
            "--dpkgopt=force-unsafe-io",
            "--aptopt=APT::Install-Recommends \"false\"",
            "--aptopt=Acquire::Retries \"5\"",
            f"--customize-hook={HERE / 'kernel.sh'}",
            suite(),
            root,
            *sources(),
        ],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    configure(root)
    # Last: its presence says that the tree is whole.
    (folder / "packages").write_text(" ".join(packages))


def configure(root):
    """Adds the agent, and what a Debian has after its installation."""
    shutil.copy(HERE / "agent.pl", root / "usr/local/sbin/test-agent")
    units = root / "etc/systemd/system"
    (units / "test-agent.service").write_text(AGENT_UNIT)
    wanted = units / "multi-user.target.wants"
    wanted.mkdir(exist_ok=True)
    (wanted / "test-agent.service").symlink_to("../test-agent.service")
    (root / "etc/systemd/system.conf.d").mkdir(exist_ok=True)
    (root / "etc/systemd/system.conf.d/patient.conf").write_text(PATIENT)
    # Nobody logs in at a terminal.
    for unit in ("getty.target", "systemd-logind.service"):
        (units / unit).symlink_to("/dev/null")
    (root / "etc/hostname").write_text("debian\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost debian\n::1 localhost\n")
    (root / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")


def archive(root, drivers):
    """The first stage of the boot, as the kernel reads it: a cpio archive."""
    entries = [(folder, 0o40755, b"") for folder in ("bin", "dev", "root")]
    entries.append(("bin/busybox", 0o100755, (root / "bin/busybox").read_bytes()))
    files = [drivers / f"{module}.ko" for module in MODULES]
    entries += [(file.name, 0o100644, file.read_bytes()) for file in files]
    script = FIRST_STAGE.format(modules=" ".join(file.name for file in files))
    entries += [("init", 0o100755, script.encode()), ("TRAILER!!!", 0, b"")]
    return b"".join(cpio(number, *entry) for number, entry in enumerate(entries, 1))


def cpio(number, name, mode, data):
    name = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + "".join(f"{field:08X}" for field in fields).encode() + name
    return padded(head) + padded(data)


def padded(data):
    return data + b"\0" * (-len(data) % 4)


if __name__ == "__main__":
    if lacks := missing():
        sys.exit(f"tree.py: cannot make a Debian tree: missing: {lacks}")
    print(tree(sys.argv[1:]))
