"""A mail server with TLS from the first byte, which wants the name and the password of docs/vps.md, and
writes each mail to a file: mail_server.py ADDRESS CERTIFICATE KEY FILE
"""

import base64
import socketserver
import ssl
import sys

address, certificate, key, path = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
LOGIN = base64.b64encode(b"\0login@example.org\0the password").decode()


class Session(socketserver.StreamRequestHandler):
    def setup(self):
        self.request = context.wrap_socket(self.request, server_side=True)
        super().setup()

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        known = False
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb, _, rest = line.partition(" ")
            if verb == "EHLO":
                self.say("250-hello\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                known = rest == "PLAIN " + LOGIN
                self.say("235 welcome" if known else "535 wrong name or password")
            elif not known:
                self.say("530 who are you?")
            elif verb == "DATA":
                self.say("354 go on")
                self.take()
            elif verb == "QUIT":
                return self.say("221 end")
            else:
                self.say("250 fine")

    def take(self):
        lines = iter(self.rfile.readline, b".\r\n")
        mail = b"".join(lines)
        with open(path, "ab") as file:
            file.write(mail)
        self.say("250 taken")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True


Server((address, 465), Session).serve_forever()
