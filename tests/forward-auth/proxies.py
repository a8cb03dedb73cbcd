"""The proxies, each with the example configuration of the documentation; only the host and port of the
servers are replaced.

Owns starting and stopping a proxy. Each runs in a private directory on a free port,
which is deleted afterwards; the configuration of the system is not used. It knows
nothing of the requests.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples" / "forward-auth"

sys.path.append(str(HERE.parent / "praetorian"))
from servers import free_port, stop, wait_until_it_accepts  # noqa: E402

LICTOR, APP = "127.0.0.1:5000", "127.0.0.1:8000"  # as in the examples


class Proxy:
    """Subclasses add the configuration around the example, and the command."""

    def __init__(self, directory, lictor_port, app_port):
        self.directory = Path(directory)
        self.port = free_port()
        example = (EXAMPLES / self.example).read_text()
        for address, here in [
            (LICTOR, f"127.0.0.1:{lictor_port}"),
            (APP, f"127.0.0.1:{app_port}"),
            (self.site, self.site_here()),
        ]:
            assert address in example, f"{self.example} does not have {address}"
            example = example.replace(address, here)
        self.write(example)

    @classmethod
    def program(cls):
        # Debian has servers in sbin, which may be missing in PATH.
        return shutil.which(cls.name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin")

    @classmethod
    def version(cls):
        ended = subprocess.run([cls.program(), cls.ask_version], capture_output=True, text=True, check=True)
        return (ended.stdout + ended.stderr).strip()

    def environment(self):
        return {"PATH": os.defpath, "HOME": str(self.directory)}


class Nginx(Proxy):
    name, example, site = "nginx", "nginx.conf", "listen 80;"
    ask_version = "-v"

    def site_here(self):
        return f"listen 127.0.0.1:{self.port};"

    def write(self, example):
        (self.directory / "lictor.conf").write_text(example)
        temporary = [
            f"{kind}_temp_path temporary_{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        ]
        main = [
            # As root, nginx would run its worker as a user without access to this directory.
            "user root;" if os.geteuid() == 0 else "",
            "daemon off;",
            "worker_processes 1;",
            "pid nginx.pid;",
            "events { worker_connections 64; }",
            "http {",
            "access_log off;",
            *temporary,
            "include lictor.conf;",
            "}",
        ]
        (self.directory / "nginx.conf").write_text("\n".join(main))

    def command(self):
        return [self.program(), "-p", f"{self.directory}/", "-c", "nginx.conf", "-e", "stderr"]


class Caddy(Proxy):
    name, example, site = "caddy", "Caddyfile", "app.example.org"
    ask_version = "version"

    def site_here(self):
        # With http:// it requests no certificate.
        return f"http://127.0.0.1:{self.port}"

    def write(self, example):
        options = "{\n\tadmin off\n}\n"
        (self.directory / "Caddyfile").write_text(options + example)

    def command(self):
        return [self.program(), "run", "--config", "Caddyfile", "--adapter", "caddyfile"]


PROXIES = {kind.name: kind for kind in (Nginx, Caddy)}


@contextlib.contextmanager
def running_proxy(kind, lictor_port, app_port):
    """Runs a proxy, which accepts connections when the block begins; the end of the block stops it."""
    with tempfile.TemporaryDirectory(prefix="forward-auth-") as directory:
        proxy = kind(directory, lictor_port, app_port)
        output = proxy.directory / "output"
        with output.open("wb") as log:
            process = subprocess.Popen(
                proxy.command(),
                cwd=directory,
                env=proxy.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            wait_until_it_accepts(process, proxy.port, output)
            yield proxy
        finally:
            stop(process)
