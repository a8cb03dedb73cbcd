"""The names of the example files, without a DNS: each leads to the proxy, with a certificate of an authority
of this test.

Owns the authority, and where names lead. It knows no proxy and no request.
"""

import contextlib
import http.client
import socket
import ssl
from pathlib import Path

import trustme

DOMAIN = "example.org"
LOGIN, WIKI, CAL, HOME = (f"{name}.{DOMAIN}" for name in ("login", "wiki", "cal", "home"))
LIMIT = 120  # seconds within which an answer must arrive


class Authority:
    """Makes one certificate for all names."""

    def __init__(self, directory):
        directory = Path(directory)
        authority = trustme.CA()
        certificate = authority.issue_cert(DOMAIN, f"*.{DOMAIN}")
        self.root = directory / "authority.pem"
        self.chain, self.key = directory / "chain.pem", directory / "key.pem"
        authority.cert_pem.write_to_path(self.root)
        for blob in certificate.cert_chain_pems:
            blob.write_to_path(self.chain, append=True)
        certificate.private_key_pem.write_to_path(self.key)
        # HAProxy reads both from one file.
        self.both = directory / "both" / "example.pem"
        self.both.parent.mkdir()
        self.both.write_text(self.chain.read_text() + self.key.read_text())
        self.context = ssl.create_default_context(cafile=self.root)


@contextlib.contextmanager
def leading_to(port):
    """Inside the block all names of the domain lead to this port of this machine, for whatever looks them up
    in this process."""
    look_up = socket.getaddrinfo

    def getaddrinfo(host, *others, **named):
        name = host.decode() if isinstance(host, bytes) else host
        if not name or not name.endswith(DOMAIN):
            return look_up(host, *others, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]

    socket.getaddrinfo = getaddrinfo
    try:
        yield
    finally:
        socket.getaddrinfo = look_up


class Reply:
    """An answer that has been read."""

    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()


def request(authority, host, method, path, fields=(), body=None, named=None, source=None):
    """Sends a request to a name. `fields` are pairs, sent as they are; `named` is what the Host field says,
    if it is something else; a `body` that is a list is sent in chunks; `source` is the client's IP address."""
    bound = (source, 0) if source else None
    connection = http.client.HTTPSConnection(host, 443, timeout=LIMIT, context=authority.context, source_address=bound)
    with contextlib.closing(connection):
        connection.connect()
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for value in [host] if named is None else named:
            connection.putheader("Host", value)
        for name, value in fields:
            connection.putheader(name, value)
        chunked = isinstance(body, list)
        if chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        elif body is not None:
            connection.putheader("Content-Length", str(len(body)))
        # Whoever refuses a request may have closed before all of it was sent; the answer is there.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders(body, encode_chunked=chunked)
        return Reply(connection.getresponse())
