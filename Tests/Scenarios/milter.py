"""Milter packets, as a mail server sends them."""

import socket

from service import Client

CONTINUE = b"\0\0\0\1c"


def packet(command, data=b""):
    data = data if isinstance(data, bytes) else data.encode()
    return (len(data) + 1).to_bytes(4, "big") + command.encode() + data


def offer(version=6, actions=0x1FF, steps=0x1FFFFF):
    return packet("O", b"".join(number.to_bytes(4, "big") for number in (version, actions, steps)))


def connect(address, family="4"):
    return packet("C", f"client.example.net\0{family}\x12\x34{address}\0")


def mail(sender="<>", *parameters):
    return packet("M", "".join(f"{word}\0" for word in (sender, *parameters)))


def rcpt(address):
    return packet("R", f"<{address}>\0")


class Peer(Client):
    """A mail server that has negotiated, unless told otherwise."""

    def __init__(self, address, negotiates=True, **options):
        super().__init__(address, greeted=False, **options)
        if negotiates:
            self.send(offer())
            self.agreed = self.packets(1)

    def packets(self, count=None):
        """So many packets, as they came, or all until the server closes."""
        found = []
        while count is None or len(found) < count:
            end = 4 + int.from_bytes(self.buffer[:4], "big")
            if len(self.buffer) > 4 and len(self.buffer) >= end:
                found.append(self.buffer[:end])
                self.buffer = self.buffer[end:]
                continue
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                break
            if not more:
                break
            self.buffer += more
        return found

    def ask(self, *packets):
        """What the last of them is answered with: `continue`, or the text of a reply."""
        self.send(b"".join(packets))
        return self.text(self.packets(len(packets))[-1])

    @staticmethod
    def text(reply):
        if reply == CONTINUE:
            return "continue"
        if reply[4:5] != b"y" or not reply.endswith(b"\0"):
            raise AssertionError(f"neither continue nor a reply: {reply!r}")
        return reply[5:-1].decode()

    def is_open(self):
        self.socket.settimeout(0.3)
        try:
            return self.socket.recv(1, socket.MSG_PEEK) != b""
        except TimeoutError:
            return True
        except ConnectionResetError:
            return False
