"""A real mail server (aiosmtpd) that writes each mail to a file: one JSON object a line, with
`from`, `to`, `options`, `user`, `tls` and `message`.

    python server.py --certificates DIR --received FILE [--port N] [--tls starttls|implicit]
                     [--certificate KIND] [--tls12] [--curve NAME] [--auth PLAIN,LOGIN] [--utf8]
                     [--rcpt "451 4.3.0 later"] [--data "550 5.7.1 spam"] [--times N]

It prints the port that it listens on, and runs until its standard input ends. certificates.py
writes DIR. --auth requires the user `ada@example.org` and the password PASSWORD. --rcpt and --data
are negative replies, given N times or always.
"""

import argparse
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

import certificates

USER = "ada@example.org"
# Characters that must be percent-encoded, and others than ASCII.
PASSWORD = "p@ss:w/rd %ü"


class Handler:
    """Replies to the commands and writes the mails to the file."""

    def __init__(self, settings):
        self.settings = settings
        self.times = settings.times

    def negative_reply(self, stage):
        text = getattr(self.settings, stage)
        if text and self.times != 0:
            self.times -= 1
            return text
        return None

    async def handle_RCPT(self, server, session, envelope, address, options):
        if reply := self.negative_reply("rcpt"):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server, session, envelope):
        if reply := self.negative_reply("data"):
            return reply
        entry = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "options": envelope.mail_options,
            "user": session.auth_data,
            "tls": session.ssl["cipher"][1] if session.ssl else None,
            "message": envelope.original_content.decode("utf-8"),
        }
        with open(self.settings.received, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        return "250 2.0.0 it is safe here"

    async def handle_exception(self, error):
        return "451 4.3.0 that went wrong"


def authenticate(server, session, envelope, mechanism, data):
    correct = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    if not correct:
        # Like Google's servers.
        return AuthResult(success=False, handled=False, message="535 5.7.8 password not accepted")
    return AuthResult(success=True, auth_data=data.login.decode())


class Implicit(SMTP):
    """TLS from the first byte, which aiosmtpd alone does not count as encrypted."""

    def connection_made(self, transport):
        super().connection_made(transport)
        self._tls_protocol = True
        self.session.ssl = {"cipher": transport.get_extra_info("cipher")}


def factory(settings, context, loop):
    offered = settings.auth.split(",") if settings.auth else []
    options = dict(
        hostname="mail.test",
        enable_SMTPUTF8=settings.utf8,
        auth_required=bool(offered),
        auth_require_tls=settings.tls != "none",
        authenticator=authenticate,
        auth_exclude_mechanism=[m for m in ("PLAIN", "LOGIN") if m not in offered],
        loop=loop,
    )
    kind = Implicit if settings.tls == "implicit" else SMTP
    if settings.tls == "starttls":
        options.update(tls_context=context, require_starttls=True)
    handler = Handler(settings)
    return lambda: kind(handler, **options)


async def main(settings):
    loop = asyncio.get_running_loop()
    context = None
    if settings.tls != "none":
        maximum = ssl.TLSVersion.TLSv1_2 if settings.tls12 else None
        context = certificates.context(settings.certificates, settings.certificate, maximum)
        if settings.curve:
            context.set_ecdh_curve(settings.curve)
    implicit = context if settings.tls == "implicit" else None
    make = factory(settings, context, loop)
    server = await loop.create_server(make, "127.0.0.1", settings.port, ssl=implicit)
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
    parser.add_argument("--curve")
    parser.add_argument("--auth", default="")
    parser.add_argument("--utf8", action="store_true")
    parser.add_argument("--rcpt")
    parser.add_argument("--data")
    parser.add_argument("--times", type=int, default=-1)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
