"""The RPM package: its contents, and its life in a root folder."""

import stat

import pytest

from conftest import ARCHITECTURES
from places import debian, run

SETTINGS = "etc/lictor.env"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_contents(built, architecture):
    rpm = built.rpm(architecture)
    assert run("rpm", "-K", rpm) == f"{rpm}: digests OK\n"
    files = run("rpm", "-qpl", rpm).splitlines()
    for file in (
        "/usr/bin/lictor",
        "/usr/lib/systemd/system/lictor.service",
        "/usr/share/man/man1/lictor.1.gz",
        "/usr/share/bash-completion/completions/lictor",
        "/usr/share/zsh/site-functions/_lictor",
        "/usr/share/fish/vendor_completions.d/lictor.fish",
        "/usr/share/doc/lictor/LICENSE-MIT",
        "/etc/lictor.env",
    ):
        assert file in files, file
    assert run("rpm", "-qp", "--configfiles", rpm) == "/etc/lictor.env\n"
    query = "%{NAME} %{VERSION}-%{RELEASE} %{ARCH} %{BUILDHOST} %{LICENSE}"
    expected = f"lictor {built.version}-1 {architecture} lictor MIT OR Apache-2.0"
    assert run("rpm", "-qp", "--queryformat", query, rpm) == expected
    needs = run("rpm", "-qp", "--requires", rpm).split("\n")
    assert all(not need or need.startswith(("/bin/sh", "rpmlib(")) for need in needs), needs


def test_installed_upgraded_and_erased(built, tmp_path):
    # A Debian, so that the scripts find a shell; rpm does not know that it is there (--nodeps).
    root = debian(tmp_path / "root")
    rpm = ("rpm", "--root", root)
    run(*rpm, "--nodeps", "--install", built.rpm())
    # Size, mode, owner and checksum of every file.
    assert run(*rpm, "--verify", "--nodeps", "lictor") == ""
    assert stat.S_IMODE((root / SETTINGS).stat().st_mode) == 0o600
    assert run("chroot", root, "/usr/bin/lictor", "--version") == f"lictor {built.version}\n"
    unit = (root / "usr/lib/systemd/system/lictor.service").read_text()
    assert "ExecStart=/usr/bin/lictor serve" in unit and "/usr/local" not in unit

    (root / SETTINGS).write_text("LICTOR_REGISTRATION=closed\n")
    run(*rpm, "--nodeps", "--upgrade", "--replacepkgs", built.rpm())
    assert (root / SETTINGS).read_text() == "LICTOR_REGISTRATION=closed\n"
    assert stat.S_IMODE((root / SETTINGS).stat().st_mode) == 0o600

    run(*rpm, "--erase", "lictor")
    assert not (root / "usr/bin/lictor").exists() and not (root / SETTINGS).exists()
    # As everywhere with rpm: what the administrator wrote is kept beside.
    assert (root / (SETTINGS + ".rpmsave")).read_text() == "LICTOR_REGISTRATION=closed\n"
