"""A new certificate authority for each test run, and the certificates of the test mail servers.

It knows nothing of the mails.
"""

import datetime
import ssl
from pathlib import Path

import trustme

NAMES = ["localhost", "127.0.0.1"]
LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)

KINDS = {
    "good": dict(names=NAMES),
    "wrong-name": dict(names=["mail.example.net"]),
    "expired": dict(names=NAMES, not_before=LONG_AGO, not_after=LONG_AGO + datetime.timedelta(1)),
    "unknown": dict(names=NAMES),
}


def make(directory):
    """Writes ca.pem and a file KIND.pem with chain and key for each kind; returns ca.pem's path."""
    directory = Path(directory)
    ours, others = trustme.CA(), trustme.CA()
    ours.cert_pem.write_to_path(directory / "ca.pem")
    for kind, options in KINDS.items():
        options = dict(options)
        authority = others if kind == "unknown" else ours
        issued = authority.issue_cert(*options.pop("names"), **options)
        issued.private_key_and_cert_chain_pem.write_to_path(directory / f"{kind}.pem")
    return directory / "ca.pem"


def context(directory, kind, maximum=None):
    """The TLS context of a server with this certificate and at most this version of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(directory) / f"{kind}.pem")
    if maximum:
        context.maximum_version = maximum
    return context
