"""A mail server that misbehaves in one of the ways of BEHAVIOURS.

    python hostile.py BEHAVIOUR [--certificates DIR]

It prints the port that it listens on, and runs until its standard input ends.
"""

import argparse
import socket
import sys
import threading
import time

import certificates

# Seconds; longer than any client should wait.
FOREVER = 600
EHLO_REPLY = b"250-mail.test\r\n250-AUTH PLAIN LOGIN\r\n250 SMTPUTF8\r\n"


class Disconnected(Exception):
    """The client has closed the connection."""


class Client:
    def __init__(self, connection):
        self.connection = connection
        self.file = connection.makefile("rb")

    def send(self, bytes):
        self.connection.sendall(bytes)

    def line(self):
        line = self.file.readline()
        if not line:
            raise Disconnected
        return line

    def greet(self, reply=EHLO_REPLY):
        """The dialogue up to the reply to EHLO."""
        self.send(b"220 mail.test\r\n")
        self.line()
        self.send(reply)

    def to_data(self):
        """The dialogue up to the reply to DATA."""
        self.greet()
        while (line := self.line()) != b"DATA\r\n":
            self.send(b"235 yes\r\n" if line.startswith(b"AUTH") else b"250 yes\r\n")
        self.send(b"354 go on\r\n")

    def hang(self):
        time.sleep(FOREVER)


def hangs_at_once(client, _):
    client.hang()


def hangs_after_the_mail(client, _):
    client.to_data()
    while client.line() != b".\r\n":
        pass
    client.hang()


def never_reads(client, _):
    client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    client.greet()
    client.hang()


def drops_in_the_mail(client, _):
    client.to_data()
    client.line()
    client.connection.close()
    raise Disconnected


def trickles(client, _):
    """Sends one byte after the other, each before a short time limit would end."""
    while True:
        client.send(b"2")
        time.sleep(0.5)


def trickles_lines(client, _):
    while True:
        client.send(b"220-a\r\n")
        time.sleep(0.5)


def endless_line(client, _):
    client.send(b"220 ")
    while True:
        client.send(b"x" * 65536)


def endless_reply(client, _):
    while True:
        client.send(b"220-x\r\n" * 1000)


def busy(client, _):
    client.send(b"421 4.3.2 too busy\r\n")


def refuses_all(client, _):
    client.send(b"554 5.7.1 nobody may come\r\n")


def speaks_http(client, _):
    client.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def no_starttls(client, _):
    """As if an attacker on the network had removed the word from the reply."""
    client.greet()
    client.send(b"250 " + client.line())


def refuses_starttls(client, _):
    client.greet(b"250-mail.test\r\n250 STARTTLS\r\n")
    client.line()
    client.send(b"454 4.7.0 not now\r\n")


def speaks_before_tls(client, directory):
    """Bytes that an attacker puts behind the reply to STARTTLS must not count as encrypted."""
    client.greet(b"250-mail.test\r\n250 STARTTLS\r\n")
    client.line()
    client.send(b"220 begin\r\n250-mail.test\r\n250 AUTH PLAIN\r\n")
    context = certificates.context(directory, "good")
    client = Client(context.wrap_socket(client.connection, server_side=True))
    while line := client.line():
        client.send(b"235 " + line)


def repeats_the_password(client, _):
    client.greet()
    client.send(b"535 5.7.8 no: \x1b[31m" + client.line())


def talks_much(client, _):
    client.greet()
    while client.line():
        client.send(b"550-" + b"\x07\xff\x1b]0;x " * 150 + b"\r\n550 \xe2\x80\xaeend\r\n")


BEHAVIOURS = {
    behaviour.__name__.replace("_", "-"): behaviour
    for behaviour in [
        hangs_at_once,
        hangs_after_the_mail,
        never_reads,
        drops_in_the_mail,
        trickles,
        trickles_lines,
        endless_line,
        endless_reply,
        busy,
        refuses_all,
        speaks_http,
        no_starttls,
        refuses_starttls,
        speaks_before_tls,
        repeats_the_password,
        talks_much,
    ]
}


def serve(behaviour, connection, directory):
    try:
        with connection:
            behaviour(Client(connection), directory)
    except (Disconnected, OSError):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("behaviour", choices=list(BEHAVIOURS))
    parser.add_argument("--certificates")
    options = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            connection, _ = listener.accept()
            arguments = (BEHAVIOURS[options.behaviour], connection, options.certificates)
            threading.Thread(target=serve, args=arguments, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
