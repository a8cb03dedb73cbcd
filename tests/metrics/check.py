"""A real Prometheus scrapes lictor, with the files in examples/prometheus; promtool finds nothing to
say about the metrics, the configuration and the alerts; every metric that an alert or the Grafana
dashboard names is there, and every query of theirs is one that Prometheus can answer.

    python3 -B check.py     (LICTOR_BIN names another binary)
"""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"

sys.path.append(str(HERE.parent / "praetorian"))
from servers import LictorWithPair, free_port, lictor_binary, running, stop, wait_until_it_accepts  # noqa: E402

LIMIT = 60  # seconds within which Prometheus must have scraped
TARGET = "127.0.0.1:5001"  # as in the example
PASSWORD = "seven wet otters"
NAME = re.compile(r"\b(?:lictor|process)_[a-z_]+\b")
# Grafana replaces these.
VARIABLES = {"$__rate_interval": "1m", "$instance": ".*"}


class Measured(LictorWithPair):
    """Has a key with a date, and metrics."""

    def __init__(self, directory, lifespans):
        super().__init__(directory, lifespans)
        self.metrics_port = free_port()
        self.options = [*LictorWithPair.options, "--metrics", f"127.0.0.1:{self.metrics_port}"]

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=LIMIT) as answer:
            return answer.read().decode()


def use(server):
    """Requests of many kinds."""
    body = json.dumps({"username": "ada", "password": PASSWORD}).encode()
    token = json.loads(server.send("POST", "/api/registration", [], body).text)["access_token"]
    bearer = [("Authorization", f"Bearer {token}")]
    for method, path, headers, sent, status in [
        ("POST", "/api/login", [], body, 200),
        ("POST", "/api/login", [], body.replace(b"wet", b"dry"), 401),
        ("GET", "/api/protected", bearer, None, 200),
        ("GET", "/api/protected", [], None, 401),
        ("GET", "/api/sessions", bearer, None, 200),
        ("GET", "/", [], None, 200),
        ("GET", "/no/such/page\"\\x", [], None, 404),
        ("POST", "/api/logout", bearer, None, 200),
    ]:
        answer = server.send(method, path, headers, sent)
        assert answer.status == status, (method, path, answer)


def promtool(*arguments, sent=None):
    """Fails if promtool has anything to say."""
    done = subprocess.run(["promtool", *arguments], input=sent, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"promtool {arguments}: {said}"
    return said


@contextlib.contextmanager
def prometheus(metrics_port):
    """Runs Prometheus with the example; only the port and the interval are others."""
    with tempfile.TemporaryDirectory(prefix="metrics-") as directory:
        folder = Path(directory)
        shutil.copy(EXAMPLES / "prometheus" / "lictor.rules.yml", folder)
        example = (EXAMPLES / "prometheus" / "prometheus.yml").read_text()
        for text, here in [(TARGET, f"127.0.0.1:{metrics_port}"), ("scrape_interval: 15s", "scrape_interval: 1s")]:
            assert text in example, f"the example does not have {text}"
            example = example.replace(text, here)
        (folder / "prometheus.yml").write_text(example)
        port, output = free_port(), folder / "output"
        flags = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{port}"]
        with output.open("wb") as log:
            process = subprocess.Popen(["prometheus", *flags], cwd=folder, stdout=log, stderr=log)
        try:
            wait_until_it_accepts(process, port, output)
            yield Prometheus(port)
        finally:
            stop(process)


class Prometheus:
    def __init__(self, port):
        self.port = port

    def ask(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=LIMIT) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:  # it starts
                return None
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None

    def query(self, expression):
        return self.ask("query", query=expression)["result"]

    def wait_for(self, expression):
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            found = self.ask("query", query=expression)
            if found and found["result"]:
                return
            time.sleep(0.2)
        raise AssertionError(f"{expression} never became true; targets: {self.ask('targets')}")


def dashboard():
    """The queries of the dashboard."""
    panels = json.loads((EXAMPLES / "grafana" / "lictor.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        for target in panel["targets"]:
            expression = target["expr"]
            for variable, value in VARIABLES.items():
                expression = expression.replace(variable, value)
            assert "$" not in expression, expression
            yield panel["title"], expression


def alerts(server):
    """The queries of the alerts, as Prometheus has read them."""
    groups = server.ask("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) > 5, groups
    for rule in rules:
        assert rule["health"] in ("ok", "unknown"), rule
        yield rule["name"], rule["query"]


def families(page):
    """The names of the metrics, with those that a histogram has."""
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE):
        yield from [name] if kind != "histogram" else [name + end for end in ("_bucket", "_sum", "_count")]


def check(server):
    use(server)
    promtool("check", "config", str(EXAMPLES / "prometheus" / "prometheus.yml"))
    promtool("check", "rules", str(EXAMPLES / "prometheus" / "lictor.rules.yml"))
    with prometheus(server.metrics_port) as scraper:
        scraper.wait_for('up{job="lictor"} == 1')
        scraper.wait_for('lictor_http_requests_total{route="/api/login",status="401"} == 1')
        scraper.wait_for('lictor_key_created_timestamp_seconds{signs="yes",algorithm="EdDSA"} > 1.6e9')
        scraper.wait_for("lictor_sessions_open == 1")
        page = server.metrics()
        said = promtool("check", "metrics", sent=page)
        assert said == "", said
        there, queried = set(families(page)), list(alerts(scraper)) + list(dashboard())
        for title, expression in queried:
            missing = set(NAME.findall(expression)) - there
            assert not missing, f"{title}: no metric is called {missing}"
            scraper.query(expression)
        named = {name for _, expression in queried for name in NAME.findall(expression)}
        # Everything has a panel, or at least an alert.
        unseen = {re.sub("_(bucket|sum|count)$", "", name) for name in there}
        unseen -= {re.sub("_(bucket|sum|count)$", "", name) for name in named}
        assert not unseen, f"in no panel: {unseen}"
        for name in there:
            # A scrape may be yet to come, or have taken too long.
            scraper.wait_for(f"count({name})")
    series = sum(1 for line in page.splitlines() if not line.startswith("#"))
    print(f"{len(there)} metrics, {series} series, {len(queried)} queries: all well")


def main():
    if lictor_binary() is None:
        sys.exit("no lictor binary: run `cargo build` first, or set LICTOR_BIN")
    with running(Measured) as server:
        check(server)


if __name__ == "__main__":
    main()
