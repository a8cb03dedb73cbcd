"""Clients that generators make from docs/openapi.json, by the commands of docs/clients.md. Each is
type-checked or compiled, and then made to register, log in, refresh, list and end sessions and log out
against the real program; so are the examples of that page. The program's log says which requests came.

    python3 -B check.py [LANGUAGE …]     (LICTOR_BIN names another binary)

It runs in the virtual environment of python/requirements.txt, with the packages of typescript/ installed,
and works in target/clients.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORK = ROOT / "target/clients"
DOCUMENT = ROOT / "docs/openapi.json"
PAGE = (ROOT / "docs/clients.md").read_text()

sys.path.append(str(HERE.parent / "praetorian"))
from servers import Lictor, lictor_binary, running  # noqa: E402

PASSWORDS = {"flow": "ten wooden lanterns", "example": "correct horse"}
LIMIT = 60  # seconds within which the log must have a request
LINE = re.compile(r"DEBUG \S+ ([A-Z]+) \S+ (\d{3}) route=(\S+)")
WARNING = re.compile(r"^WARNING (.*)$", re.MULTILINE)

FLOW = """
    POST /api/registration 200
    POST /api/login 401
    POST /api/login 200
    POST /api/refresh 200
    GET /api/sessions 200
    DELETE /api/sessions/{id} 200
    GET /api/sessions 403
    POST /api/logout 200
    GET /api/sessions 403
"""
ADMINISTRATION = f"""
    POST /api/login 200
    POST /api/admin/users 201
    POST /api/admin/users 201
    POST /api/admin/users 409
    {"GET /api/admin/users 200 " * 8}
    DELETE /api/admin/users/{{id}} 200
    GET /api/admin/users/{{id}} 404
"""
EXAMPLE = """
    POST /api/login 200
    GET /api/me 200
    POST /api/refresh 200
"""


class Observed(Lictor):
    """Logs each request, and takes a token for refreshing at once."""

    options = ["--log", "debug"]

    def command(self):
        command = super().command()
        command[command.index("--early-refresh") + 1] = "24h"
        return [*command, "--access-lifespan", "1h"]

    def requests(self):
        """Method, route and status of each request so far."""
        log = (self.directory / "output").read_text()
        return [f"{method} {route} {status}" for method, status, route in LINE.findall(log)]

    def requests_after(self, before, count):
        """All but the first ones, as soon as there are as many as that: the log may be later than the answer."""
        end = time.monotonic() + LIMIT
        while len(self.requests()) < before + count and time.monotonic() < end:
            time.sleep(0.05)
        return self.requests()[before:]


class Language:
    """A folder of its own in target/clients, with a copy of what is in the folder beside this file."""

    name = ""
    example_file = ""
    flow = FLOW
    shown = ""  # what the example writes about ada and her roles

    def __init__(self):
        self.source = HERE / self.name
        self.work = WORK / self.name
        # What was compiled stays.
        self.keep = {"build"}

    def prepare(self):
        self.work.mkdir(parents=True, exist_ok=True)
        for old in self.work.iterdir():
            if old.is_dir() and not old.is_symlink():
                if old.name not in self.keep:
                    shutil.rmtree(old)
            else:
                old.unlink()
        shutil.copytree(
            self.source,
            self.work,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("node_modules", "__pycache__"),
        )
        shutil.copy(DOCUMENT, self.work)

    def generate(self):
        """Runs the page's command; returns what it wrote."""
        done = subprocess.run(
            ["sh", "-euc", block(f"{self.name} generate")],
            cwd=self.work,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        self.check_output(done.stdout)

    def check_output(self, text):
        """Fails if the generator has left something out."""

    def write_example(self, url):
        example = block(f"{self.name} example")
        assert example.count("https://login.example") == 1, "the example names the server once"
        (self.work / self.example_file).write_text(example.replace("https://login.example", url))

    def run(self, *command, url="", succeeds=True):
        environment = {**self.environment(), "LICTOR_URL": url}
        done = subprocess.run(
            command, cwd=self.work, env=environment, capture_output=True, text=True, check=False
        )
        output = done.stdout + done.stderr
        assert (done.returncode == 0) == succeeds, f"{' '.join(command)}: {done.returncode}\n{output}"
        return output

    def environment(self):
        """Without a proxy: the server is on this machine."""
        return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


class TypeScript(Language):
    name = "typescript"
    example_file = "example.ts"
    shown = "ada [ 'user' ]"

    def prepare(self):
        super().prepare()
        (self.work / "node_modules").symlink_to(self.source / "node_modules")

    def check(self):
        self.run("node_modules/.bin/tsc")

    def programs(self):
        return {"flow": ["node", "js/flow.js"], "example": ["node", "js/example.js"]}

    def versions(self):
        packages = json.loads((self.source / "package-lock.json").read_text())["packages"]
        return {name.removeprefix("node_modules/"): each.get("version") for name, each in packages.items()}


class Python(Language):
    name = "python"
    example_file = "example.py"
    flow = FLOW + ADMINISTRATION
    shown = "ada ['user']"

    def environment(self):
        folder = Path(sys.executable).parent
        return {**super().environment(), "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}

    def check_output(self, text):
        # The page says why this one is harmless.
        assert WARNING.findall(text) == ["parsing POST /api/refresh within login."], text
        assert "Unsupported content type text/plain" in text, text

    def check(self):
        self.run(sys.executable, "-m", "mypy", "lictor_client", "flow.py", "example.py")

    def programs(self):
        return {each: [sys.executable, f"{each}.py"] for each in ("flow", "example")}

    def versions(self):
        return pinned_by_pip()


class Rust(Python):
    """The generator is a package of Python, too."""

    name = "rust"
    example_file = "src/bin/example.rs"
    flow = FLOW
    shown = 'ada ["user"]'

    def check_output(self, text):
        assert "ERROR" not in text, text

    def prepare(self):
        super().prepare()
        (self.work / "src/bin").mkdir()

    def check(self):
        # The client has the version of the document.
        lock = self.work / "Cargo.lock"
        version = json.loads(DOCUMENT.read_text())["info"]["version"]
        client = 'name = "lictor-client"\nversion = '
        text, replaced = re.subn(re.escape(client) + '".*"', f'{client}"{version}"', lock.read_text())
        assert replaced == 1, "Cargo.lock does not name the client"
        lock.write_text(text)
        self.run("cargo", "build", "--quiet", "--locked", "--target-dir", "build")

    def programs(self):
        return {"flow": ["build/debug/lictor-client-test"], "example": ["build/debug/example"]}

    def versions(self):
        packages = tomllib.loads((self.source / "Cargo.lock").read_text())["package"]
        pins = {each["name"]: each["version"] for each in packages}
        return {**pins, **pinned_by_pip()}


LANGUAGES = {each.name: each for each in (TypeScript, Python, Rust)}


def block(name):
    """The code of docs/clients.md below this mark."""
    found = re.findall(rf"<!-- run: {name} -->\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(found) == 1, f"docs/clients.md has {len(found)} blocks {name}"
    return found[0]


def pinned_by_pip():
    text = (HERE / "python/requirements.txt").read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)$", text, re.MULTILINE))


def check_versions(language):
    """The page's table names the versions that are used here."""
    row = re.search(rf"^\| \[[^]]+\]\(#{language.name}\) \|(.*)\|$", PAGE, re.MULTILINE)[1]
    named = re.findall(r"([a-z][a-z-]+) (\d+\.\d+\.\d+)", row)
    assert len(named) >= 2, row
    versions = language.versions()
    for name, version in named:
        assert versions.get(name) == version, f"docs/clients.md: {name} {version}, used: {versions.get(name)}"


def check_flow(language):
    """The flow, on a server of its own with an administrator."""
    with running(Observed) as server:
        register(server, "boss", PASSWORDS["flow"])
        server.user("roles", "boss", "--set", "admin")
        came = expect(server, language, "flow", language.flow)
    print(f"{language.name}: {len(came)} requests")


def check_example(language):
    with running(Observed) as server:
        language.write_example(f"http://127.0.0.1:{server.port}")
        language.check()
        refused = language.run(*language.programs()["example"], succeeds=False)
        assert "AuthenticationError" in refused, refused
        assert server.requests_after(0, 1) == ["POST /api/login 401"]
        register(server, "ada", PASSWORDS["example"])
        expect(server, language, "example", EXAMPLE, language.shown)


def expect(server, language, program, requests, shown=""):
    """Runs a program, and compares which requests the server has seen."""
    before = len(server.requests())
    output = language.run(*language.programs()[program], url=f"http://127.0.0.1:{server.port}")
    assert shown in output, output
    expected = re.findall(r"[A-Z]+ \S+ \d+", requests)
    came = server.requests_after(before, len(expected))
    assert came == expected, f"{language.name} {program}:\n" + "\n".join(came)
    return came


def register(server, name, password):
    before = len(server.requests())
    body = json.dumps({"username": name, "password": password}).encode()
    answer = server.send("POST", "/api/registration", [], body)
    assert answer.status == 200, answer
    assert server.requests_after(before, 1) == ["POST /api/registration 200"]


def main(names):
    assert lictor_binary(), "no lictor binary: run `cargo build` first, or set LICTOR_BIN"
    for name in names or LANGUAGES:
        language = LANGUAGES[name]()
        check_versions(language)
        language.prepare()
        language.generate()
        # Both programs are checked with the example's URL in it.
        check_example(language)
        check_flow(language)


main(sys.argv[1:])
