#!/usr/bin/env python3
"""A server that takes every bind and answers no search but with a result code, or not at all: busy, stopping, or stuck.

As a command it serves until its standard input closes:

    refuser.py --code 51
    refuser.py --silent
"""

import argparse
import json
import signal
import socket
import sys
import threading

# How a bind and a search begin, and the answers to them (RFC 4511 4.2 and 4.5).
BIND, SEARCH = 0x60, 0x63
BIND_ANSWER, SEARCH_DONE = 0x61, 0x65


def element(tag, *parts):
    """An element of BER; none here is longer than 127 octets."""
    body = b"".join(parts)
    return bytes([tag, len(body)]) + body


def result(identifier, tag, code):
    """An LDAPMessage with a result: no matched name, no words."""
    return element(0x30, identifier, element(tag, element(0x0A, bytes([code])), element(0x04), element(0x04)))


def message(stream):
    """The id of the next message, as an element, and how its operation begins; None at the end."""
    head = stream.read(2)
    if len(head) < 2:
        return None
    length = head[1]
    if length & 0x80:
        length = int.from_bytes(stream.read(length & 0x7F), "big")
    body = stream.read(length)
    end = 2 + body[1]
    return body[:end], body[end]


class Refuser:
    """code: the result of every search; None: silence."""

    def __init__(self, code=None):
        self.code = code
        # How many searches there have been.
        self.searches = 0
        self.connections = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True, name="refuser").start()

    @property
    def uri(self):
        return f"ldap://127.0.0.1:{self.listener.getsockname()[1]}"

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection):
        try:
            with connection.makefile("rb") as stream:
                while found := message(stream):
                    identifier, operation = found
                    if operation == BIND:
                        connection.sendall(result(identifier, BIND_ANSWER, 0))
                    elif operation == SEARCH:
                        self.searches += 1
                        if self.code is not None:
                            connection.sendall(result(identifier, SEARCH_DONE, self.code))
        except OSError:
            pass

    def stop(self):
        for one in [self.listener, *self.connections]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Answer no search, until input closes.")
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--code", type=int)
    kind.add_argument("--silent", action="store_true")
    given = parser.parse_args(arguments)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    with Refuser(given.code) as refuser:
        print(json.dumps({"uri": refuser.uri}), flush=True)
        for _ in sys.stdin:
            print(json.dumps({"uri": refuser.uri, "searches": refuser.searches}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
