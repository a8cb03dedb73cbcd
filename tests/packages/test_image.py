"""The image of containers, without a daemon: what is in it, and how it runs."""

import json
import os
import re
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from conftest import ARCHITECTURES
from places import ROOT, USER, date_of_sources, run
from server import PATIENCE, log_in, serving, try_out

EXAMPLE = ROOT / "examples/container"
# Runs a command in an image's root as its user, with /dev and /proc as every runtime makes them; the
# root is read-only but for /data.
AS_THE_USER = """
    mkdir -p "$0/dev" "$0/proc"
    mount --bind "$0" "$0"
    mount --rbind /dev "$0/dev"
    mount -t proc proc "$0/proc"
    mount --bind "$0/data" "$0/data"
    mount -o remount,bind,ro "$0"
    exec chroot --userspec={user}:{user} --groups= "$0" "$@"
""".replace("{user}", str(USER))


def settings_of(built, architecture):
    """The settings of the image for an architecture, as skopeo reads them. `--raw` shows those too that OCI
    does not know (Healthcheck)."""
    command = ["skopeo", "inspect", "--override-os", "linux", "--override-arch", ARCHITECTURES[architecture]]
    return json.loads(run(*command, "--config", "--raw", f"oci-archive:{built.image}:{built.version}"))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_it_says(built, architecture):
    image = settings_of(built, architecture)
    config = image["config"]
    assert image["architecture"] == ARCHITECTURES[architecture] and image["os"] == "linux"
    assert config["User"] == f"{USER}:{USER}"
    assert config["Entrypoint"] == ["/usr/bin/lictor"] and config["Cmd"] == ["serve"]
    assert config["Volumes"] == {"/data": {}} and config["WorkingDir"] == "/data"
    assert "LICTOR_LISTEN=0.0.0.0:5000" in config["Env"] and "5000/tcp" in config["ExposedPorts"]
    assert config["Labels"]["org.opencontainers.image.version"] == built.version


def test_both_architectures_are_in_the_index(built):
    index = json.loads(run("skopeo", "inspect", "--raw", f"oci-archive:{built.image}:{built.version}"))
    assert [one["platform"]["architecture"] for one in index["manifests"]] == list(ARCHITECTURES.values())


def test_the_same_bytes_again(built, tmp_path):
    programs = [f"{architecture}={built.program(architecture)}" for architecture in ARCHITECTURES]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": date_of_sources(), "TZ": "Asia/Tokyo"}
    again = tmp_path / "again.tar"
    run("python3", "-B", ROOT / "dist/image.py", built.version, again, *programs, env=environment, umask=0o077)
    assert again.read_bytes() == built.image.read_bytes()


def unpack(built, architecture, directory):
    """Unpacks the image as a runtime would; returns its root."""
    override = ["--override-os", "linux", "--override-arch", ARCHITECTURES[architecture]]
    source = f"oci-archive:{built.image}:{built.version}"
    run("skopeo", *override, "copy", "--quiet", source, f"oci:{directory}/image:it")
    run("umoci", "unpack", "--image", f"{directory}/image:it", directory / "bundle")
    return directory / "bundle/rootfs"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_is_in_it(built, architecture, tmp_path):
    root = unpack(built, architecture, tmp_path)
    files = [str(path.relative_to(root)) for path in sorted(root.rglob("*")) if path.is_file()]
    assert files == ["etc/ssl/certs/ca-certificates.crt", "usr/bin/lictor"]
    assert (root / "usr/bin/lictor").read_bytes() == built.program(architecture).read_bytes()
    data = (root / "data").stat()
    assert (data.st_uid, data.st_gid, stat.S_IMODE(data.st_mode)) == (USER, USER, 0o700)
    run("openssl", "verify", "-CAfile", root / files[0], first_certificate(root / files[0], tmp_path))


def first_certificate(bundle, directory):
    """A file with the first certificate of the bundle."""
    text = bundle.read_text()
    assert text.count("BEGIN CERTIFICATE") > 100
    end = "-----END CERTIFICATE-----\n"
    one = directory / "one.pem"
    one.write_text(text[: text.index(end)] + end)
    return one


def in_container(root, *command):
    """A command that runs another in the root, as the image's user."""
    return ["unshare", "--mount", "--", "bash", "-euc", AS_THE_USER, root, *command]


def environment_of(config, port=0):
    """What a runtime sets; loopback instead of every interface. Port 0 is one that is free."""
    variables = dict(pair.split("=", 1) for pair in config["Env"])
    return variables | {"LICTOR_LISTEN": f"127.0.0.1:{port}", "PATH": os.environ["PATH"]}


def becomes_healthy(command, environment):
    """Asks as a runtime does: again, if a busy machine does not answer within two seconds."""
    deadline = time.monotonic() + PATIENCE
    while subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode != 0:
        assert time.monotonic() < deadline, "it is not healthy"


def test_it_runs_as_a_number_on_a_read_only_root(built, tmp_path):
    root = unpack(built, "x86_64", tmp_path)
    config = settings_of(built, "x86_64")["config"]
    environment = environment_of(config)
    serve = in_container(root, *config["Entrypoint"], *config["Cmd"])
    health = in_container(root, *config["Healthcheck"]["Test"][1:])
    with serving(serve, environment) as port:
        try_out(port, "ada")
        there = environment_of(config, port)
        becomes_healthy(health, there)
        # As with `docker exec`, beside the server.
        listed = run(*in_container(root, "/usr/bin/lictor", "user", "list"), env=environment)
        assert "ada" in listed
        process = Path(f"/proc/{server_in(root)}/status").read_text()
        assert re.search(rf"^Uid:\t{USER}\t{USER}\t{USER}\t{USER}$", process, re.MULTILINE)
        assert re.search(r"^CapEff:\t0+$", process, re.MULTILINE)
        assert re.search(r"^CapPrm:\t0+$", process, re.MULTILINE)
    run(*health, code=1, env=there)
    # The next container, with the same volume.
    with serving(serve, environment) as port:
        log_in(port, "ada")
    files = {path.name: path.stat() for path in (root / "data").iterdir()}
    assert {"lictor.db", "lictor.key"} <= set(files)
    for name, file in files.items():
        assert (file.st_uid, stat.S_IMODE(file.st_mode)) == (USER, 0o600), name


def server_in(root):
    """The process id of the server whose root this is."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            is_it = command == b"/usr/bin/lictor\0serve\0" and (entry / "root").readlink() == root
        except OSError:
            continue
        if is_it:
            found.append(entry.name)
    (only,) = found
    return only


def test_the_compose_file(built, tmp_path):
    services = yaml.safe_load((EXAMPLE / "compose.yaml").read_text())["services"]
    lictor = services["lictor"]
    assert lictor["image"] == f"localhost/lictor:{built.version}"
    image = settings_of(built, "x86_64")["config"]
    assert lictor["healthcheck"]["test"] == image["Healthcheck"]["Test"]
    assert "ports" not in lictor and lictor["volumes"] == ["users:/data"]
    settings = {
        name: re.sub(r"\$\{LOGIN_HOST.*\}", "login.example.org", value)
        for name, value in lictor["environment"].items()
    }
    environment = dict(pair.split("=", 1) for pair in image["Env"])
    environment |= settings | {"LICTOR_DATABASE": str(tmp_path / "lictor.db")}
    checked = subprocess.run([built.program(), "check"], env=environment, capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, ""), checked
    assert "10.250.50.0/24" in checked.stdout and "https://login.example.org" in checked.stdout


@pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is missing")
def test_the_caddyfile(tmp_path):
    environment = {"PATH": os.environ["PATH"], "LOGIN_HOST": "login.example.org", "HOME": str(tmp_path)}
    command = ["caddy", "adapt", "--validate", "--config", EXAMPLE / "Caddyfile"]
    assert "login.example.org" in run(*command, env=environment)
