"""Where things are, and how programs are run in other roots.

Knows nothing of what is tested.
"""

import contextlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "target"
# The image's user; dist/image.py says why a number.
USER = 65532


def run(*command, code=0, **options):
    """Runs a command; returns what it printed, errors included. It must end with this exit code."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    assert done.returncode == code, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def debian(directory):
    """Unpacks a fresh Debian, the version of this machine, into a directory. The archive is kept: to make
    it takes half a minute."""
    suite = next(
        line.split("=")[1]
        for line in Path("/etc/os-release").read_text().splitlines()
        if line.startswith("VERSION_CODENAME=")
    )
    kept = TARGET / "packages" / f"{suite}.tar"
    if not kept.exists():
        fresh = kept.with_suffix(".new.tar")
        retries = '--aptopt=Acquire::Retries "5"'
        run("mmdebstrap", "--quiet", "--variant=minbase", retries, suite, fresh)
        fresh.rename(kept)
    directory.mkdir()
    with tarfile.open(kept) as archive:
        archive.extractall(directory, numeric_owner=True, filter="fully_trusted")
    return directory


def inside(root, *command, **options):
    """Runs a command as root of a tree."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    return run("chroot", root, *command, env=environment, **options)


def copy_of_sources(directory):
    """Copies what git knows, and what it would know if it was committed."""
    names = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            # Tests beside these may make files in the sources, which are gone soon.
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(ROOT / name, directory / name)


def date_of_sources():
    """What dist/build takes for the date of everything, as text."""
    return os.environ.get("SOURCE_DATE_EPOCH") or run("git", "log", "-1", "--format=%ct", cwd=ROOT).strip()
