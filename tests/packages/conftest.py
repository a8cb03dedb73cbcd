"""Fixtures: everything that dist/build makes, once here and once in another place."""

import os
import re
import subprocess
import threading

import pytest

from places import ROOT, TARGET, copy_of_sources, date_of_sources, run

VERSION = re.search(r'^version = "(.+)"$', (ROOT / "program/Cargo.toml").read_text(), re.MULTILINE)[1]
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Other tests run beside the two builds, and wait for answers.
POLITELY = ["nice", "-n", "19"]


class Built:
    """The files in target/dist."""

    folder = TARGET / "dist"
    version = VERSION

    def program(self, architecture="x86_64"):
        return self.folder / f"lictor-{VERSION}-{architecture}"

    def deb(self, architecture="x86_64"):
        return self.folder / f"lictor_{VERSION}-1_{ARCHITECTURES[architecture]}.deb"

    def rpm(self, architecture="x86_64"):
        return self.folder / f"lictor-{VERSION}-1.{architecture}.rpm"

    def sbom(self, architecture="x86_64"):
        return self.folder / f"lictor-{VERSION}-{architecture}.cdx.json"

    @property
    def image(self):
        return self.folder / f"lictor-{VERSION}-oci.tar"


class Elsewhere(threading.Thread):
    """Builds what is for x86-64 in another folder, with another home of cargo, time zone and umask."""

    def __init__(self, directory):
        super().__init__()
        self.folder = directory / "a" / "longer path" / "lictor"
        self.home = directory / "home"
        self.failure = None

    def run(self):
        try:
            self._build()
        except BaseException as failure:
            self.failure = failure

    def _build(self):
        copy_of_sources(self.folder)
        self.home.mkdir()
        # The crates are at another path, and are not downloaded again.
        here = os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo"))
        (self.home / "registry").symlink_to(os.path.join(here, "registry"))
        tools = map(str, (ROOT / "target/tools").glob("*/bin"))
        environment = {
            **os.environ,
            "CARGO_HOME": str(self.home),
            "SOURCE_DATE_EPOCH": date_of_sources(),
            "PATH": ":".join([os.environ["PATH"], *tools]),
            "TZ": "Asia/Tokyo",
            "LC_ALL": "C",
        }
        # Ours would be the same folder.
        environment.pop("CARGO_TARGET_DIR", None)
        run(*POLITELY, self.folder / "dist/build", "--arch", "x86_64", env=environment, umask=0o077)


@pytest.fixture(scope="session")
def both(tmp_path_factory):
    """What is built here, and the folder of what is built elsewhere at the same time."""
    # Installs the tool that both use; tests/run has built the program already.
    run(ROOT / "dist/binary")
    elsewhere = Elsewhere(tmp_path_factory.mktemp("elsewhere"))
    elsewhere.start()
    try:
        subprocess.run([*POLITELY, ROOT / "dist/build"], check=True)
    finally:
        elsewhere.join()
    if elsewhere.failure:
        raise elsewhere.failure
    return Built(), elsewhere.folder / "target/dist"


@pytest.fixture(scope="session")
def built(both):
    return both[0]
