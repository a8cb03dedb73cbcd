"""PostgreSQL servers that misbehave: fakes that speak just enough of the protocol, and a proxy before a
real server that changes what it says from some moment on.

They run in threads of the test. They know nothing of lictor, but they keep what it sends.
"""

import base64
import contextlib
import os
import socket
import ssl
import struct
import threading
import time

SSL_REQUEST = struct.pack(">II", 8, 80877103)
FOREVER = 600  # seconds; longer than any client should wait


class Disconnected(Exception):
    """The client has closed the connection."""


def message(kind, payload=b"", length=None):
    return kind + struct.pack(">I", len(payload) + 4 if length is None else length) + payload


def text(*parts):
    return b"".join(part + b"\0" for part in parts)


def authentication(code, payload=b""):
    return message(b"R", struct.pack(">I", code) + payload)


def error(code, words, severity=b"FATAL", **fields):
    content = b"S" + severity + b"\0V" + severity + b"\0C" + code + b"\0M" + words + b"\0"
    return message(b"E", content + b"".join(name.encode() + value + b"\0" for name, value in fields.items()) + b"\0")


def row_description(*columns):
    """Columns as pairs of a name and the oid of a type, in binary format."""
    described = b"".join(text(name) + struct.pack(">IhIhih", 0, 0, oid, -1, -1, 1) for name, oid in columns)
    return message(b"T", struct.pack(">H", len(columns)) + described)


def data_row(*values):
    content = b"".join(struct.pack(">i", len(value)) + value for value in values)
    return message(b"D", struct.pack(">H", len(values)) + content)


READY = message(b"Z", b"I")
WELCOME = (
    authentication(0)
    + b"".join(
        message(b"S", text(name, value))
        for name, value in [
            (b"server_version", b"15.8"),
            (b"server_encoding", b"UTF8"),
            (b"client_encoding", b"UTF8"),
            (b"integer_datetimes", b"on"),
            (b"standard_conforming_strings", b"on"),
            (b"default_transaction_read_only", b"off"),
            (b"in_hot_standby", b"off"),
        ]
    )
    + message(b"K", struct.pack(">II", 1, 2))
)


class Client:
    """The connection of a client."""

    def __init__(self, connection, received):
        self.connection = connection
        self.received = received

    def send(self, data):
        self.connection.sendall(data)

    def read(self, count):
        data = b""
        while len(data) < count:
            more = self.connection.recv(count - len(data))
            if not more:
                raise Disconnected
            data += more
        self.received.append(data)
        return data

    def message(self):
        """The kind and the content of the next message."""
        kind = self.read(1)
        [length] = struct.unpack(">I", self.read(4))
        return kind, self.read(length - 4)

    def startup(self):
        """Reads the first message, and answers that there is no TLS if the client asks for it."""
        head = self.read(8)
        if head == SSL_REQUEST:
            self.send(b"N")
            head = self.read(8)
        self.read(struct.unpack(">I", head[:4])[0] - 8)

    def encrypt(self, context):
        """Reads the request for TLS, and begins it."""
        assert self.read(8) == SSL_REQUEST
        self.send(b"S")
        self.connection = context.wrap_socket(self.connection, server_side=True)

    def welcome(self):
        self.startup()
        self.send(WELCOME + READY)

    def query(self):
        """Reads until the client waits for an answer."""
        kind = b""
        while kind not in (b"S", b"Q"):
            kind, _ = self.message()

    def hang(self):
        time.sleep(FOREVER)

    def drain(self):
        """Reads until the client closes the connection."""
        while True:
            self.read(1)

    def trickle(self, data, pause=0.3):
        for at in range(len(data)):
            self.send(data[at : at + 1])
            time.sleep(pause)
        self.hang()

    def flood(self, data):
        many = data * (1 + 65536 // len(data))
        while True:
            self.send(many)

    def scram(self, first=None, mechanisms=(b"SCRAM-SHA-256",)):
        """The exchange up to the client's proof. `first` makes the server's first message."""
        self.startup()
        self.send(authentication(10, text(*mechanisms) + b"\0"))
        kind, content = self.message()
        assert kind == b"p", kind
        nonce = content.partition(b"r=")[2]
        salt = base64.b64encode(b"0123456789abcdef")
        plain = b"r=" + nonce + b"more,s=" + salt + b",i=4096"
        self.send(authentication(11, first(nonce, salt) if first else plain))
        kind, content = self.message()
        assert kind == b"p" and b",p=" in content, content


def before_login(client, data):
    client.startup()
    client.send(data)
    client.drain()


def after_login(client, data):
    client.welcome()
    client.query()
    client.send(data)
    client.drain()


BEHAVIOURS = {
    # Before the login.
    "hangs at once": lambda c: c.hang(),
    "closes at once": lambda c: None,
    "hangs after the first message": lambda c: (c.startup(), c.hang()),
    "closes after the first message": lambda c: c.startup(),
    "trickles": lambda c: (c.startup(), c.trickle(error(b"57P03", b"the database system is starting up" * 20))),
    "speaks HTTP": lambda c: before_login(c, b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "speaks SSH": lambda c: c.send(b"SSH-2.0-OpenSSH_9.2\r\n") or c.drain(),
    "a huge length": lambda c: before_login(c, message(b"R", length=0x7FFFFFFF)),
    "a negative length": lambda c: before_login(c, message(b"R", length=0xFFFFFFFF)),
    "length 0": lambda c: before_login(c, message(b"R", length=0)),
    "length 3": lambda c: before_login(c, message(b"R", length=3)),
    "a message cut short": lambda c: before_login(c, authentication(0)[:-2]),
    "authentication without a code": lambda c: before_login(c, message(b"R")),
    "endless notices": lambda c: (c.startup(), c.flood(error(b"00000", b"hello").replace(b"E", b"N", 1))),
    "endless parameters": lambda c: (c.startup(), c.send(authentication(0)), c.flood(message(b"S", text(b"a", b"b")))),
    "an endless message": lambda c: (c.startup(), c.send(message(b"E", length=1 << 30)), c.flood(b"Sx\0")),
    "a row before the login": lambda c: before_login(c, data_row(b"x") + READY),
    "ready before the login": lambda c: before_login(c, READY),
    "an unknown message": lambda c: before_login(c, message(b"\xff", b"x" * 10)),
    "an unknown way to log in": lambda c: before_login(c, authentication(99)),
    "Kerberos": lambda c: before_login(c, authentication(2)),
    "GSSAPI": lambda c: before_login(c, authentication(7)),
    "an error without fields": lambda c: before_login(c, message(b"E", b"\0")),
    "an error without an end": lambda c: before_login(c, message(b"E", b"SFATAL\0C28P01\0Mno")),
    "an error that is not UTF-8": lambda c: before_login(c, error(b"28P01", b"\xff\xfe\x1b[31m no")),
    # The password.
    "asks for the password": lambda c: before_login(c, authentication(3)),
    "asks for an MD5 hash": lambda c: before_login(c, authentication(5, b"salt")),
    "SASL without a mechanism": lambda c: before_login(c, authentication(10, b"\0")),
    "SASL with an unknown mechanism": lambda c: before_login(
        c, authentication(10, text(b"PLAIN", b"OAUTHBEARER") + b"\0")
    ),
    "SCRAM that goes on before it began": lambda c: before_login(c, authentication(11, b"r=x,s=eA==,i=4096")),
    "SCRAM with another nonce": lambda c: c.scram(lambda nonce, salt: b"r=other,s=" + salt + b",i=4096"),
    "SCRAM with the client's nonce alone": lambda c: c.scram(
        lambda nonce, salt: b"r=" + nonce + b",s=" + salt + b",i=4096"
    ),
    "SCRAM without a salt": lambda c: c.scram(lambda nonce, salt: b"r=" + nonce + b"x,i=4096"),
    "SCRAM with a salt that is none": lambda c: c.scram(lambda nonce, salt: b"r=" + nonce + b"x,s=!!!,i=4096"),
    "SCRAM with no iterations": lambda c: c.scram(lambda nonce, salt: b"r=" + nonce + b"x,s=" + salt + b",i=0"),
    "SCRAM with endless iterations": lambda c: c.scram(
        lambda nonce, salt: b"r=" + nonce + b"x,s=" + salt + b",i=4294967295"
    ),
    "SCRAM with many iterations": lambda c: c.scram(
        lambda nonce, salt: b"r=" + nonce + b"x,s=" + salt + b",i=2000000000"
    ),
    "SCRAM with a wrong proof": lambda c: (
        c.scram(),
        c.send(authentication(12, b"v=" + base64.b64encode(b"x" * 32)) + WELCOME + READY),
        c.drain(),
    ),
    "SCRAM with an error": lambda c: (c.scram(), c.send(authentication(12, b"e=other-error")), c.drain()),
    "SCRAM without a proof": lambda c: (c.scram(), c.send(WELCOME + READY), c.drain()),
    "SCRAM with an empty proof": lambda c: (c.scram(), c.send(authentication(12, b"v=") + WELCOME + READY), c.drain()),
    "SCRAM that stops": lambda c: (c.scram(), c.hang()),
    # After the login.
    "hangs before it is ready": lambda c: (c.startup(), c.send(WELCOME), c.hang()),
    "hangs at the first query": lambda c: (c.welcome(), c.query(), c.hang()),
    "closes at the first query": lambda c: (c.welcome(), c.query()),
    "an unknown message to a query": lambda c: after_login(c, message(b"!", b"x") + READY),
    "COPY to a query": lambda c: after_login(c, message(b"G", b"\0\0\0") + message(b"W", b"\0\0\0")),
    "COPY that goes on for ever": lambda c: (
        c.welcome(),
        c.query(),
        c.send(message(b"H", b"\0\0\0")),
        c.flood(message(b"d", b"x")),
    ),
    "a row without a description": lambda c: after_login(c, data_row(b"x") + message(b"C", text(b"SELECT 1")) + READY),
    "ready without an answer": lambda c: after_login(c, READY * 50),
    "endless rows": lambda c: (
        c.welcome(),
        c.query(),
        c.send(row_description((b"a", 20))),
        c.flood(data_row(b"12345678")),
    ),
    "rows of another shape": lambda c: after_login(
        c,
        message(b"1")
        + message(b"2")
        + row_description((b"a", 25))
        + data_row()
        + data_row(b"x", b"y")
        + message(b"D", struct.pack(">Hi", 1, 1000))
        + message(b"D", struct.pack(">Hi", 1, -7))
        + READY,
    ),
    "a description of 65,535 columns": lambda c: after_login(c, message(b"T", b"\xff\xff" + b"x" * 20) + READY),
    "a huge row": lambda c: (c.welcome(), c.query(), c.send(message(b"D", length=0x7FFFFFF0)), c.flood(b"x")),
    "noise": lambda c: after_login(c, os.urandom(4096)),
    "endless notifications": lambda c: (
        c.welcome(),
        c.query(),
        c.flood(message(b"A", b"\0\0\0\x01" + text(b"a", b"b"))),
    ),
}


class Fake:
    """A server that behaves in one way to every connection."""

    def __init__(self, behaviour, context=None):
        self.behaviour = behaviour
        self.context = context
        self.received = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self.listener.getsockname()[1]
        self.connections = []
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Closing alone does not end the accept of the other thread.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(Disconnected, OSError, ssl.SSLError, AssertionError), connection:
            client = Client(connection, self.received)
            if self.context:
                client.encrypt(self.context)
            self.behaviour(client)

    def url(self, password="the-password-of-the-url", **parameters):
        parameters = {"sslmode": "disable", **parameters}
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return f"postgres://app:{password}@127.0.0.1:{self.port}/lictor?{query}"


class Proxy(Fake):
    """Passes everything on to a real server, without TLS. `change(kind, content)` returns the bytes that
    the client gets instead of a message of the server; None ends the connection."""

    def __init__(self, server):
        self.server = server
        self.change = message
        super().__init__(self.pass_on)

    def url(self, database):
        return self.server.url(database, port=self.port)

    def pass_on(self, client):
        with socket.create_connection(("127.0.0.1", self.server.port)) as upstream:
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.forward, args=[client.connection, upstream], daemon=True).start()
            other = Client(upstream, [])
            while True:
                kind, content = other.message()
                changed = self.change(kind, content)
                if changed is None:
                    client.connection.shutdown(socket.SHUT_RDWR)
                    return
                client.send(changed)

    def forward(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


def hang(_, __):
    time.sleep(FOREVER)


def slowly(kind, content):
    time.sleep(0.7)
    return message(kind, content)


# What a proxy does to each message of the server, once it is told to.
CHANGES = {
    "silence": hang,
    "slow messages": slowly,
    "the connection ends": lambda kind, content: None,
    "a huge length": lambda kind, content: message(kind, content, 0x7FFFFFF0),
    "length 0": lambda kind, content: message(kind, content, 0),
    "other kinds": lambda kind, content: message(b"!", content),
    "rows are missing": lambda kind, content: b"" if kind == b"D" else message(kind, content),
    "rows are cut": lambda kind, content: message(kind, content[:-1] if kind == b"D" else content),
    "rows are empty": lambda kind, content: message(kind, b"\0\0" if kind == b"D" else content),
    "rows of other types": lambda kind, content: message(kind, content.replace(b"\0\0\0\x14", b"\0\0\0\x19")),
    "rows twice": lambda kind, content: message(kind, content) * (2 if kind == b"D" else 1),
    "ready twice": lambda kind, content: message(kind, content) * (2 if kind == b"Z" else 1),
    "never ready": lambda kind, content: b"" if kind == b"Z" else message(kind, content),
    "everything done is missing": lambda kind, content: b"" if kind == b"C" else message(kind, content),
    "notices between": lambda kind, content: (
        error(b"01000", b"careful", b"WARNING").replace(b"E", b"N", 1) + message(kind, content)
    ),
    "noise": lambda kind, content: os.urandom(100),
    "an error with line ends": lambda kind, content: (
        error(b"XX000", b"one\r\n2026-01-01 ERROR forged line\x1b[31m two", b"ERROR") + READY
        if kind in b"12DCT"
        else message(kind, content)
    ),
    "a commit that was a rollback": lambda kind, content: message(kind, content.replace(b"COMMIT", b"ROLLBACK")),
    "in another transaction": lambda kind, content: message(kind, b"T" if kind == b"Z" else content),
}
