"""The Debian package: what lintian says, and its life in a fresh Debian."""

import os
import stat
import subprocess

import pytest

from conftest import ARCHITECTURES
from places import ROOT, date_of_sources, debian, inside, run

SETTINGS = "etc/lictor.env"
ENABLED = "etc/systemd/system/multi-user.target.wants/lictor.service"
USERS = "var/lib/private/lictor"
OF_THE_ADMINISTRATOR = "LICTOR_REGISTRATION=closed\n"


@pytest.fixture(scope="module")
def older(built, tmp_path_factory):
    """A package with the same files and a lower version, whose settings have another text."""
    directory = tmp_path_factory.mktemp("older")
    stage = directory / "stage"
    run(ROOT / "dist/stage", built.program(), stage)
    with (stage / SETTINGS).open("a") as file:
        file.write("# As it was in the older version.\n")
    environment = {**os.environ, "SOURCE_DATE_EPOCH": date_of_sources()}
    printed = subprocess.check_output(
        [ROOT / "dist/deb", stage, built.program(), "x86_64", "0.0.9", directory], env=environment, text=True
    )
    return printed.strip()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_lintian(built, architecture):
    run("lintian", "--allow-root", "--fail-on", "error,warning", built.deb(architecture))


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def install(root, deb):
    run("cp", deb, root / "new.deb")
    # Without a terminal: a question about the changed settings would be an error.
    return inside(root, "dpkg", "--force-confold", "--install", "/new.deb")


def status(root):
    return inside(root, "dpkg-query", "--show", "--showformat", "${Version} ${db:Status-Status}", "lictor")


def test_from_the_first_day_to_the_last(built, older, tmp_path):
    root = debian(tmp_path / "root")
    install(root, older)
    assert status(root) == "0.0.9-1 installed"
    assert inside(root, "lictor", "--version") == f"lictor {built.version}\n"
    assert mode(root / SETTINGS) == 0o600 and (root / ENABLED).is_symlink()
    unit = (root / ENABLED).readlink()
    assert "ExecStart=/usr/bin/lictor serve" in (root / str(unit).lstrip("/")).read_text()
    # Only what the administrator enables starts with the machine.
    wanted = [path.name for path in (root / "etc/systemd/system").glob("*.wants/lictor*")]
    assert wanted == ["lictor.service"]
    for page in ("man/man1/lictor.1.gz", "bash-completion/completions/lictor", "doc/lictor/docs/settings.md"):
        # minbase leaves nothing out; each of them is more than a name.
        assert (root / "usr/share" / page).stat().st_size > 100, page

    # What the service would make, and what the administrator changes.
    (root / USERS).mkdir(parents=True)
    (root / "var/lib/lictor").symlink_to("private/lictor")
    (root / USERS / "lictor.db").write_text("users")
    (root / SETTINGS).write_text(OF_THE_ADMINISTRATOR)

    # An upgrade keeps all of it.
    install(root, built.deb())
    assert status(root) == f"{built.version}-1 installed"
    assert (root / SETTINGS).read_text() == OF_THE_ADMINISTRATOR and mode(root / SETTINGS) == 0o600
    assert mode(root / (SETTINGS + ".dpkg-dist")) == 0o600
    assert (root / ENABLED).is_symlink()

    # Who has disabled the service is not overruled by the next upgrade.
    (root / ENABLED).unlink()
    install(root, built.deb())
    assert not (root / ENABLED).is_symlink()

    # Removal leaves settings and users.
    inside(root, "dpkg", "--remove", "lictor")
    assert status(root) == f"{built.version}-1 config-files"
    assert not (root / "usr/bin/lictor").exists()
    assert (root / SETTINGS).read_text() == OF_THE_ADMINISTRATOR
    assert (root / USERS / "lictor.db").read_text() == "users"

    # A purge leaves the users alone, and says where they are.
    printed = inside(root, "dpkg", "--purge", "lictor")
    assert "lictor: users and keys are kept in /var/lib/private/lictor\n" in printed
    assert (root / USERS / "lictor.db").read_text() == "users"
    assert sorted(path.name for path in (root / "etc").glob("lictor*")) == []
    left = inside(root, "find", "/etc", "/usr", "/lib", "/var/lib/systemd", "-name", "*lictor*")
    assert left == ""
    assert "lictor" not in inside(root, "dpkg", "--list")
