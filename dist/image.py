"""Makes the OCI image: the static program, the certificates that Mozilla trusts, and an empty /data.

    python3 -B dist/image.py VERSION FILE ARCHITECTURE=PROGRAM...

FILE becomes an OCI archive with an index of all architectures, which `podman load`, `skopeo copy
oci-archive:FILE` and `docker load` read. The same programs and the same tools give the same bytes: the
certificates are those of this machine's package ca-certificates, and Python's zlib compresses.
SOURCE_DATE_EPOCH is the date of everything.
"""

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
import time
from pathlib import Path

# The user that the program runs as. A number, so that the image needs no /etc/passwd, and an
# orchestrator can see that it is not root.
USER = 65532
NAMES = {"x86_64": {"architecture": "amd64"}, "aarch64": {"architecture": "arm64", "variant": "v8"}}
# Not the bundle in /etc/ssl/certs: that also has the authorities that only this machine trusts.
CERTIFICATES = Path("/usr/share/ca-certificates/mozilla")
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
INDEX = "application/vnd.oci.image.index.v1+json"
EPOCH = int(os.environ["SOURCE_DATE_EPOCH"])
CREATED = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(EPOCH))


class Archive:
    """A tar whose bytes depend on nothing but what is added."""

    def __init__(self):
        self.bytes = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.bytes, mode="w", format=tarfile.USTAR_FORMAT)

    def folder(self, name, mode=0o755, owner=0):
        self._add(name, mode, owner, tarfile.DIRTYPE, b"")

    def file(self, name, content, mode=0o644):
        self._add(name, mode, 0, tarfile.REGTYPE, content)

    def _add(self, name, mode, owner, kind, content):
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode, entry.mtime = kind, mode, EPOCH
        entry.uid = entry.gid = owner
        entry.size = len(content)
        self.tar.addfile(entry, io.BytesIO(content))

    def finish(self):
        self.tar.close()
        return self.bytes.getvalue()


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def trusted():
    """The certificates in PEM, as one text."""
    files = sorted(CERTIFICATES.glob("*.crt"))
    if not files:
        sys.exit(f"dist/image.py: no certificates in {CERTIFICATES}\napt-get install ca-certificates")
    return b"".join(file.read_bytes().rstrip(b"\n") + b"\n" for file in files)


def layer(program):
    archive = Archive()
    for folder in ["etc", "etc/ssl", "etc/ssl/certs", "usr", "usr/bin"]:
        archive.folder(folder)
    archive.file("etc/ssl/certs/ca-certificates.crt", trusted())
    archive.file("usr/bin/lictor", program.read_bytes(), 0o755)
    archive.folder("data", 0o700, USER)
    return archive.finish()


def config(version, architecture, layer_digest):
    """What a container is started with."""
    return {
        "created": CREATED,
        **NAMES[architecture],
        "os": "linux",
        "config": {
            "User": f"{USER}:{USER}",
            "ExposedPorts": {"5000/tcp": {}},
            "Env": [
                "PATH=/usr/bin",
                "LICTOR_LISTEN=0.0.0.0:5000",
                "LICTOR_DATABASE=/data/lictor.db",
            ],
            "Entrypoint": ["/usr/bin/lictor"],
            "Cmd": ["serve"],
            "Volumes": {"/data": {}},
            "WorkingDir": "/data",
            "StopSignal": "SIGTERM",
            "Labels": {
                "org.opencontainers.image.title": "lictor",
                "org.opencontainers.image.description": "Login for small, self-hosted apps, in one file",
                "org.opencontainers.image.version": version,
                "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
            },
            # Not in OCI's specification; Docker reads it all the same. Times are in nanoseconds.
            "Healthcheck": {
                "Test": ["CMD", "/usr/bin/lictor", "health"],
                "Interval": 30_000_000_000,
                "Timeout": 3_000_000_000,
                "StartPeriod": 10_000_000_000,
                "Retries": 3,
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [layer_digest]},
        "history": [{"created": CREATED, "created_by": "dist/image.py"}],
    }


class Blobs:
    """The contents of the image, by their digests."""

    def __init__(self):
        self.contents = {}

    def add(self, kind, content, **more):
        if isinstance(content, dict):
            content = json.dumps(content, separators=(",", ":")).encode()
        self.contents[digest(content)] = content
        return {"mediaType": kind, "digest": digest(content), "size": len(content), **more}


def manifest(blobs, version, architecture, program):
    plain = layer(Path(program))
    packed = blobs.add(LAYER, gzip.compress(plain, mtime=0))
    settings = blobs.add(CONFIG, config(version, architecture, digest(plain)))
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": settings, "layers": [packed]}
    return blobs.add(MANIFEST, document, platform={**NAMES[architecture], "os": "linux"})


def main(version, file, *programs):
    blobs = Blobs()
    pairs = [pair.split("=", 1) for pair in programs]
    manifests = [manifest(blobs, version, architecture, program) for architecture, program in pairs]
    document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
    names = {
        "org.opencontainers.image.ref.name": version,
        # What containerd and Docker call the image that they load.
        "io.containerd.image.name": f"localhost/lictor:{version}",
    }
    index = blobs.add(INDEX, document, annotations=names)

    archive = Archive()
    archive.file("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
    top = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [index]}
    archive.file("index.json", json.dumps(top, separators=(",", ":")).encode())
    archive.folder("blobs")
    archive.folder("blobs/sha256")
    for name, content in sorted(blobs.contents.items()):
        archive.file("blobs/" + name.replace(":", "/"), content)
    Path(file).write_bytes(archive.finish())


main(*sys.argv[1:])
