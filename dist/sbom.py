"""Writes the list of what is inside the program, in CycloneDX 1.6, to standard output.

    python3 -B dist/sbom.py PROGRAM ARCHITECTURE

The crates are those that cargo links for that architecture, with licences, checksums and who needs
whom. SQLite, which a crate brings along in C, has an entry of its own, so that scanners know its version.
SOURCE_DATE_EPOCH is its date.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
import tomllib
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = "lictor-program"
# The crate that has SQLite in it.
BRINGS_SQLITE = "libsqlite3-sys"


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments, "--locked"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def tree(target):
    """Yields (depth, name, version, licence) of what is linked, each crate's own needs below it."""
    lines = cargo(
        *["tree", "--package", PROGRAM, "--edges", "normal,no-proc-macro", "--target", target],
        *["--prefix", "depth", "--format", "|{p}|{l}|"],
    )
    for line in lines.splitlines():
        depth, package, licence, _ = line.split("|", 3)
        name, version = package.split()[:2]
        yield int(depth), name, version.removeprefix("v"), licence


def reference(name, version):
    return f"pkg:cargo/{name}@{version}"


def crates(target):
    """The crates by their reference as (name, version, licence), and what each needs."""
    found, needs, path = {}, {}, []
    for depth, name, version, licence in tree(target):
        this = reference(name, version)
        found[this] = (name, version, licence)
        needs.setdefault(this, set())
        path[depth:] = [this]
        if depth:
            needs[path[depth - 1]].add(this)
    return found, needs


def checksums():
    """Those of Cargo.lock, by reference; crates of this repository have none."""
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    packages = [package for package in lock["package"] if "checksum" in package]
    return {reference(package["name"], package["version"]): package["checksum"] for package in packages}


def component(this, name, version, licence, checksum):
    entry = {"type": "library", "bom-ref": this, "name": name, "version": version, "purl": this}
    if licence:
        # Old crates write a slash where SPDX has OR.
        entry["licenses"] = [{"expression": licence.replace("/", " OR ")}]
    if checksum:
        entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return entry


def sqlite(version):
    """The entry of the SQLite that this version of the crate brings."""
    packages = json.loads(cargo("metadata", "--format-version", "1"))["packages"]
    crate = next(one for one in packages if (one["name"], one["version"]) == (BRINGS_SQLITE, version))
    header = Path(crate["manifest_path"]).parent / "sqlite3/sqlite3.h"
    number = re.search(r'#define SQLITE_VERSION\s+"([0-9.]+)"', header.read_text())[1]
    this = f"pkg:generic/sqlite@{number}"
    entry = {"type": "library", "bom-ref": this, "name": "sqlite", "version": number, "purl": this}
    entry["licenses"] = [{"license": {"id": "blessing"}}]
    entry["cpe"] = f"cpe:2.3:a:sqlite:sqlite:{number}:*:*:*:*:*:*:*"
    return entry


def document(program, architecture):
    found, needs = crates(f"{architecture}-unknown-linux-gnu")
    sums = checksums()
    top = next(this for this in found if this.startswith(f"pkg:cargo/{PROGRAM}@"))
    components = [component(this, *found[this], sums.get(this)) for this in sorted(found) if this != top]
    bringer = next(this for this in found if this.startswith(f"pkg:cargo/{BRINGS_SQLITE}@"))
    in_c = sqlite(found[bringer][1])
    needs[bringer].add(in_c["bom-ref"])
    needs[in_c["bom-ref"]] = set()

    content = hashlib.sha256(Path(program).read_bytes()).hexdigest()
    application = component(top, *found[top], content) | {"type": "application", "name": "lictor"}
    created = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        # The same program has the same number.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", created),
            "component": application,
            "properties": [{"name": "architecture", "value": architecture}],
        },
        "components": [*components, in_c],
        "dependencies": [{"ref": this, "dependsOn": sorted(needs[this])} for this in sorted(needs)],
    }


json.dump(document(*sys.argv[1:]), sys.stdout, indent=1)
print()
