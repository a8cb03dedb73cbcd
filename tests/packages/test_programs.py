"""The static programs, what they say they are made of, and that everything can be made again."""

import hashlib
import json
import os
import struct
import zlib

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from conftest import ARCHITECTURES
from places import ROOT, run
from server import serving, try_out

# The limit of the whole program.
MAX_SIZE = 6_000_000


def sections(program):
    """The sections of an ELF file of 64 bits, by name."""
    data = program.read_bytes()
    assert data[:5] == b"\x7fELF\x02"
    (start,) = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", data, start + n * size) for n in range(count)]
    texts = data[headers[names][4] :]
    return {
        texts[name : texts.index(b"\0", name)].decode(): data[at : at + length]
        for name, _, _, _, at, length in headers
    }


def audited(program):
    """What cargo-auditable has put into the program: name and version of all crates that run."""
    packages = json.loads(zlib.decompress(sections(program)[".dep-v0"]))["packages"]
    return {(one["name"], one["version"]) for one in packages if one.get("kind") != "build"}


def test_the_same_bytes_in_another_place(both):
    built, elsewhere = both
    names = sorted(path.name for path in elsewhere.iterdir())
    assert names == sorted(
        ["SHA256SUMS", built.image.name]
        + [path("x86_64").name for path in (built.program, built.deb, built.rpm, built.sbom)]
    )
    # The image here has both architectures; that it depends on nothing else is seen in test_image.py.
    names = [name for name in names if name not in ("SHA256SUMS", built.image.name)]
    different = [
        name for name in names if (elsewhere / name).read_bytes() != (built.folder / name).read_bytes()
    ]
    assert different == []


def test_sums(built):
    lines = (built.folder / "SHA256SUMS").read_text().splitlines()
    sums = dict(reversed(line.split("  ", 1)) for line in lines)
    assert sorted([*sums, "SHA256SUMS"]) == sorted(os.listdir(built.folder))
    assert len(sums) == 9
    for name, expected in sums.items():
        assert hashlib.sha256((built.folder / name).read_bytes()).hexdigest() == expected, name


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_program_is_static_small_and_of_nowhere(built, architecture):
    program = built.program(architecture)
    kind = run("file", "--brief", program)
    assert {"x86_64": "x86-64", "aarch64": "ARM aarch64"}[architecture] in kind
    # Neither a loader nor a library.
    assert ".interp" not in sections(program) and "NEEDED" not in run("readelf", "--dynamic", program)
    assert program.stat().st_size <= MAX_SIZE
    content = program.read_bytes()
    for path in [str(ROOT), os.path.expanduser("~/.cargo"), "/src/src/", "/cargo/registry"]:
        assert path.encode() not in content, path


def test_the_packaged_program_is_the_one_that_all_tests_run(built):
    tested = os.environ.get("LICTOR_BIN")
    assert tested, "LICTOR_BIN is not set"
    with open(tested, "rb") as file:
        assert file.read() == built.program().read_bytes()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_lists_of_what_is_inside(built, architecture):
    text = built.sbom(architecture).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    crates = {
        (one["name"], one["version"]) for one in document["components"] if one["purl"].startswith("pkg:cargo/")
    }
    top = document["metadata"]["component"]
    # cargo-auditable also counts what other members of the workspace would add to shared crates.
    assert len(crates) > 100 and crates <= audited(built.program(architecture))
    (sqlite,) = [one for one in document["components"] if one["name"] == "sqlite"]
    assert sqlite["version"].encode() in built.program(architecture).read_bytes()

    content = hashlib.sha256(built.program(architecture).read_bytes()).hexdigest()
    assert top["hashes"] == [{"alg": "SHA-256", "content": content}]
    references = {one["bom-ref"] for one in document["components"]} | {top["bom-ref"]}
    for one in document["dependencies"]:
        assert {one["ref"], *one["dependsOn"]} <= references
    assert all(one["licenses"] for one in document["components"])


def test_arm64_runs_under_qemu(built, tmp_path):
    emulated = ["qemu-aarch64-static", built.program("aarch64")]
    assert run(*emulated, "--version") == f"lictor {built.version}\n"
    environment = {"PATH": os.defpath, "LICTOR_DATABASE": str(tmp_path / "lictor.db")}
    for kernel, name in (("auto", "argon2-rust"), ("portable", "portable")):
        cost = run(*emulated, "hash-cost", "--target", "50ms", "--hash-kernel", kernel, env=environment)
        assert name in cost.splitlines()[0], cost
        command = [*emulated, "serve", "--listen", "127.0.0.1:0", "--hash-kernel", kernel]
        with serving(command, environment) as port:
            try_out(port, f"ada-{kernel}")
    assert "ada-portable" in run(*emulated, "user", "list", env=environment)
