"""A real mail server (aiosmtpd) that writes down what it is given: one JSON object a line, with
`from`, `to`, `options`, `user`, `tls` and `message`.

    python server.py --certificates DIR --received FILE [--port N] [--tls starttls|implicit]
                     [--certificate KIND] [--tls12] [--auth PLAIN,LOGIN] [--utf8]
                     [--rcpt "451 4.3.0 later"] [--data "550 5.7.1 spam"] [--times N]

It prints the port that it listens on, and runs until its standard input ends. DIR is what
certificates.py makes. With --auth only the name `ada@example.org` and the password PASSWORD are
let in. --rcpt and --data are what it says instead of yes, the first N times or always.
"""

import argparse
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

import certificates

USER = "ada@example.org"
# Whatever has to be percent-encoded, and more than ASCII.
PASSWORD = "p@ss:w/rd %ü"


class Handler:
    """Answers and writes down."""

    def __init__(self, wanted):
        self.wanted = wanted
        self.times = wanted.times

    def refusal(self, stage):
        text = getattr(self.wanted, stage)
        if text and self.times != 0:
            self.times -= 1
            return text
        return None

    async def handle_RCPT(self, server, session, envelope, address, options):
        if refusal := self.refusal("rcpt"):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server, session, envelope):
        if refusal := self.refusal("data"):
            return refusal
        entry = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "options": envelope.mail_options,
            "user": session.auth_data,
            "tls": session.ssl["cipher"][1] if session.ssl else None,
            "message": envelope.original_content.decode("utf-8"),
        }
        with open(self.wanted.received, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        return "250 2.0.0 it is safe here"

    async def handle_exception(self, error):
        return "451 4.3.0 that went wrong"


def authenticate(server, session, envelope, mechanism, data):
    right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    if not right:
        # As Google does it.
        return AuthResult(success=False, handled=False, message="535 5.7.8 password not accepted")
    return AuthResult(success=True, auth_data=data.login.decode())


class Implicit(SMTP):
    """aiosmtpd only counts STARTTLS as encrypted."""

    def connection_made(self, transport):
        super().connection_made(transport)
        self._tls_protocol = True
        self.session.ssl = {"cipher": transport.get_extra_info("cipher")}


def factory(wanted, context, loop):
    offered = wanted.auth.split(",") if wanted.auth else []
    options = dict(
        hostname="mail.test",
        enable_SMTPUTF8=wanted.utf8,
        auth_required=bool(offered),
        auth_require_tls=wanted.tls != "none",
        authenticator=authenticate,
        auth_exclude_mechanism=[m for m in ("PLAIN", "LOGIN") if m not in offered],
        loop=loop,
    )
    kind = Implicit if wanted.tls == "implicit" else SMTP
    if wanted.tls == "starttls":
        options.update(tls_context=context, require_starttls=True)
    handler = Handler(wanted)
    return lambda: kind(handler, **options)


async def main(wanted):
    loop = asyncio.get_running_loop()
    context = None
    if wanted.tls != "none":
        most = ssl.TLSVersion.TLSv1_2 if wanted.tls12 else None
        context = certificates.context(wanted.certificates, wanted.certificate, most)
    implicit = context if wanted.tls == "implicit" else None
    make = factory(wanted, context, loop)
    server = await loop.create_server(make, "127.0.0.1", wanted.port, ssl=implicit)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificates")
    parser.add_argument("--received", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", choices=["none", "starttls", "implicit"], default="none")
    parser.add_argument("--certificate", choices=list(certificates.KINDS), default="good")
    parser.add_argument("--tls12", action="store_true")
    parser.add_argument("--auth", default="")
    parser.add_argument("--utf8", action="store_true")
    parser.add_argument("--rcpt")
    parser.add_argument("--data")
    parser.add_argument("--times", type=int, default=-1)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
