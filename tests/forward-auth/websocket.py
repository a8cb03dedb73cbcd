"""A WebSocket over HTTP/2 (RFC 8441), where the request is no GET and has no Sec-WebSocket-Key: a browser opens
one to another site without asking, and sends the cookie along.

Owns this request. Of the proxies only HAProxy takes it.
"""

import socket
import ssl

from jh2.config import H2Configuration
from jh2.connection import H2Connection
from jh2.events import RemoteSettingsChanged, ResponseReceived
from jh2.settings import SettingCodes
from names import LIMIT


def status(authority, host, fields):
    """The status of the answer; None if the proxy offers no such WebSockets."""
    context = ssl.create_default_context(cafile=authority.root)
    context.set_alpn_protocols(["h2"])
    with socket.create_connection((host, 443), LIMIT) as plain, context.wrap_socket(plain, server_hostname=host) as channel:
        connection = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        connection.initiate_connection()
        channel.sendall(connection.data_to_send())
        while data := channel.recv(65536):
            for event in connection.receive_data(data):
                if isinstance(event, ResponseReceived):
                    return int(dict(event.headers)[":status"])
                if isinstance(event, RemoteSettingsChanged):
                    offered = event.changed_settings.get(SettingCodes.ENABLE_CONNECT_PROTOCOL)
                    if offered is None or not offered.new_value:
                        return None
                    connection.send_headers(1, opening(host, fields))
            channel.sendall(connection.data_to_send())
    raise ConnectionError("closed without an answer")


def opening(host, fields):
    start = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":authority", host), (":path", "/")]
    return [*start, ("sec-websocket-version", "13"), *((name.lower(), value) for name, value in fields)]


def checks(authority, host, cookie):
    """Pairs of a name and whether it holds, with a good cookie."""
    origins = f"https://{host}", "https://other.example"
    own, foreign = (status(authority, host, [*cookie, ("Origin", origin)]) for origin in origins)
    yield "HTTP/2: a WebSocket of the page itself", own in (200, None)
    yield "HTTP/2: a WebSocket of another site", foreign in (403, None)
    yield "HTTP/2: a WebSocket without a cookie", status(authority, host, []) in (401, None)
