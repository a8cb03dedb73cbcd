"""The echo app behind the proxy: it records every request and trusts its header fields.

Owns the view of an app without a login of its own, and the user that it reads from
a request. It knows nothing of which requests the proxy should pass on.
"""

import contextlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

IDENTITY = ("x_auth_user", "x_auth_id", "x_auth_roles", "remote_user", "remote_name", "remote_email", "remote_groups")
# What logs a user in, which the app must not learn.
CREDENTIALS = re.compile(r"\b(lictor|access_token)=[^;]")
# What frameworks take a path, a method, a host or an IP address from, so that a client could choose another.
CLAIMS = {
    *("forwarded", "x_original_url", "x_original_method", "x_original_uri", "x_rewrite_url", "x_forwarded_uri"),
    *("x_forwarded_method", "x_forwarded_port", "x_forwarded_prefix", "x_forwarded_server", "x_forwarded_scheme"),
    *("x_forwarded_ssl", "true_client_ip", "x_client_ip", "http2_settings", "x_script_name", "x_ingress_path"),
    *("x_sendfile_type", "x_accel_mapping", "x_forwarded_path", "x_envoy_original_path", "x_original_host"),
    *("x_host", "x_scheme"),
}
# What the proxy says of the client's connection, and the protocol that may follow on it.
SAID = {"x_forwarded_for": "127.0.0.1", "x_forwarded_proto": "https", "x_real_ip": "127.0.0.1", "upgrade": "websocket"}


class Seen(NamedTuple):
    method: str
    path: str
    fields: list  # pairs of name and value
    size: int  # of the body, in bytes

    @property
    def identity(self):
        """The values of the fields that say who the user is."""
        return tuple(self.values(variable) for variable in IDENTITY)

    def values(self, variable):
        """The values of a field, as a careless app reads it: in its name it treats all characters except
        letters and digits alike. Empty ones are ignored."""
        return [value for name, value in self.fields if re.sub("[^a-z0-9]", "_", name.lower()) == variable and value]

    @property
    def claims(self):
        """The fields by which the client says something that only the proxy may say."""
        others = [(name, self.values(name)) for name in CLAIMS if self.values(name)]
        wrong = [(name, self.values(name)) for name, value in SAID.items() if not set(self.values(name)) <= {value}]
        return others + wrong

    @property
    def credentials(self):
        """The fields that have a password, a token or a session in them."""
        return [
            (name, value)
            for name, value in self.fields
            if name.lower() == "authorization" or (name.lower() == "cookie" and CREDENTIALS.search(value))
        ]


class Handler(BaseHTTPRequestHandler):
    def answer(self):
        body = self.chunked() if "chunked" in self.headers.get("Transfer-Encoding", "") else self.plain()
        self.server.seen.append(Seen(self.command, self.path, self.headers.items(), len(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

    def plain(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def chunked(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_):
        pass


class App(ThreadingHTTPServer):
    def handle_error(self, *_):
        """A proxy may close a connection that it has opened."""


@contextlib.contextmanager
def running_app():
    """Runs the app. `seen` has every request, `server_port` the port."""
    with App(("127.0.0.1", 0), Handler) as app:
        app.seen = []
        thread = threading.Thread(target=app.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield app
        finally:
            app.shutdown()
            thread.join()
