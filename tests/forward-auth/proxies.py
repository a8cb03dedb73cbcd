"""The proxies, each with the example configuration of the documentation; only addresses, folders and
certificates are replaced.

Owns starting and stopping a proxy. Each runs in a private directory on a free port,
which is deleted afterwards; the configuration of the system is not used. It knows
nothing of the requests.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples" / "forward-auth"

sys.path.append(str(HERE.parent / "praetorian"))
from servers import free_port, stop, wait_until_it_accepts  # noqa: E402


class Proxy:
    """Subclasses say what is replaced in which example, and the command."""

    # The kind of authentication in Radicale's configuration, by the field that the example gives it.
    calendar_user = "http_x_remote_user"
    # Of what the app must not learn from a client, what the proxy itself tells it.
    says = []

    @staticmethod
    def passes_on(path):
        """The path that the app gets, and about which the proxy asks."""
        return path

    def __init__(self, directory, authority, ports):
        self.directory = Path(directory)
        self.authority = authority
        self.port, self.plain_port = free_port(), free_port()
        # As in the examples: lictor, and the three apps.
        self.addresses = {f"127.0.0.1:{port}": f"127.0.0.1:{here}" for port, here in ports.items()}
        self.write()

    def example(self, name, replacements):
        text = (EXAMPLES / name).read_text()
        for there, here in {**self.addresses, **replacements}.items():
            text = text.replace(there, here)
        # Whatever the example names must have been replaced: nothing of the system is used.
        assert not re.search(r"^[^#-]*(/etc/|127\.0\.0\.1:[58]00\d)", text, re.MULTILINE), text
        return text

    @classmethod
    def program(cls):
        # Debian has servers in sbin, which may be missing in PATH.
        return shutil.which(cls.name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin")

    @classmethod
    def version(cls):
        ended = subprocess.run([cls.program(), cls.ask_version], capture_output=True, text=True, check=True)
        return (ended.stdout + ended.stderr).strip().splitlines()[0]

    def environment(self):
        return {"PATH": os.defpath, "HOME": str(self.directory)}


class Nginx(Proxy):
    name, ask_version = "nginx", "-v"

    def write(self):
        (self.directory / "snippets").mkdir()
        (self.directory / "snippets" / "lictor.conf").write_text(self.example("nginx-ask.conf", {}))
        replacements = {
            "listen 443": f"listen 127.0.0.1:{self.port}",
            "listen 80": f"listen 127.0.0.1:{self.plain_port}",
            "/etc/letsencrypt/live/example.org/fullchain.pem": str(self.authority.chain),
            "/etc/letsencrypt/live/example.org/privkey.pem": str(self.authority.key),
        }
        (self.directory / "lictor.conf").write_text(self.example("nginx.conf", replacements))
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
            "events { worker_connections 256; }",
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
    name, ask_version = "caddy", "version"

    def write(self):
        example = self.example("Caddyfile", {})
        # Each site has the certificate that Caddy would get for it.
        certificate = f"\ttls {self.authority.chain} {self.authority.key}\n"
        example = re.sub(r"^(\S+\.example\.org \{\n)", rf"\1{certificate}", example, flags=re.MULTILINE)
        options = f"admin off\nhttps_port {self.port}\nhttp_port {self.plain_port}\ndefault_bind 127.0.0.1\n"
        (self.directory / "Caddyfile").write_text(f"{{\n{options}}}\n{example}")

    def command(self):
        return [self.program(), "run", "--config", "Caddyfile", "--adapter", "caddyfile"]


class Haproxy(Proxy):
    name, ask_version = "haproxy", "-v"

    def write(self):
        (self.directory / "lictor.lua").write_text(self.example("haproxy.lua", {}))
        replacements = {
            "bind :443": f"bind 127.0.0.1:{self.port}",
            "bind :80": f"bind 127.0.0.1:{self.plain_port}",
            "/etc/haproxy/certs/": f"{self.authority.both.parent}/",
            "/etc/haproxy/lictor.lua": "lictor.lua",
        }
        example = self.example("haproxy.cfg", replacements)
        if os.geteuid() != 0:
            # Only root can become another user.
            example = re.sub(r"^ +(chroot|user|group) .*\n", "", example, flags=re.MULTILINE)
        (self.directory / "haproxy.cfg").write_text(example)

    def command(self):
        return [self.program(), "-db", "-f", "haproxy.cfg"]


class Traefik(Proxy):
    name, ask_version = "traefik", "version"
    # It copies no field to another name, and its example takes X-Remote-User away.
    calendar_user = "http_remote_user"
    says = [
        *(("x_forwarded_port", ["443"]), ("x_forwarded_server", [socket.gethostname()])),
        # Of a WebSocket.
        ("x_forwarded_proto", ["wss"]),
    ]

    @staticmethod
    def passes_on(path):
        return path.replace("//", "/")

    def write(self):
        # The certificate that Traefik would get.
        example = self.example("traefik.yaml", {"{certResolver: letsencrypt}": "{}"})
        assert "letsencrypt" not in re.sub(r"^#.*$", "", example, flags=re.MULTILINE), example
        certificate = {"certFile": str(self.authority.chain), "keyFile": str(self.authority.key)}
        (self.directory / "dynamic.yaml").write_text(f"{example}\ntls: {json.dumps({'certificates': [certificate]})}\n")
        static = {
            "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
            "entryPoints": {"websecure": {"address": f"127.0.0.1:{self.port}"}},
            "providers": {"file": {"filename": "dynamic.yaml", "watch": False}},
        }
        # JSON is YAML.
        (self.directory / "static.yaml").write_text(json.dumps(static))

    @classmethod
    def program(cls):
        # PyPI has it, so it is beside this Python.
        return shutil.which(cls.name, path=Path(sys.executable).parent)

    def command(self):
        return [self.program(), "--configFile=static.yaml"]


PROXIES = {kind.name: kind for kind in (Nginx, Caddy, Haproxy, Traefik)}


@contextlib.contextmanager
def running_proxy(kind, authority, ports):
    """Runs a proxy, which accepts connections when the block begins; the end of the block stops it. `ports`
    says which port stands for 5000 (lictor), 8001, 8002 and 8003 (the apps)."""
    with tempfile.TemporaryDirectory(prefix="forward-auth-") as directory:
        proxy = kind(directory, authority, ports)
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
