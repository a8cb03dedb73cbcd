"""The app behind the proxy: it records every request and trusts its header fields.

Owns the view of an app without a login of its own, and the user that it reads from
a request. It knows nothing of which requests the proxy should pass on.
"""

import contextlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Seen(NamedTuple):
    method: str
    path: str
    fields: list  # pairs of name and value
    size: int  # of the body, in bytes

    @property
    def identity(self):
        """The values of user, id and roles, as a careless app reads them: in field names it treats all
        characters except letters and digits alike. Empty fields are ignored."""
        values = {"x_auth_user": [], "x_auth_id": [], "x_auth_roles": []}
        for name, value in self.fields:
            variable = re.sub("[^a-z0-9]", "_", name.lower())
            if variable in values and value:
                values[variable].append(value)
        return tuple(values.values())


class Handler(BaseHTTPRequestHandler):
    def answer(self):
        body = self.chunked() if "chunked" in self.headers.get("Transfer-Encoding", "") else self.plain()
        self.server.seen.append(Seen(self.command, self.path, self.headers.items(), len(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_POST = do_OPTIONS = answer

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


@contextlib.contextmanager
def running_app():
    """Runs the app. `seen` has every request, `server_port` the port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as app:
        app.seen = []
        thread = threading.Thread(target=app.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield app
        finally:
            app.shutdown()
            thread.join()
