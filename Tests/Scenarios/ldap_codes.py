"""A relay that puts a result code of its own into the results of searches (RFC 4511 4.1.9, 4.5.2)."""

import socket
import threading

from accepting import Acceptor

SEARCH_ENTRY, SEARCH_DONE = 0x64, 0x65


class ResultRelay:
    """Relays connections to a port of this machine. While `code` is set, every search ends with it."""

    def __init__(self, port):
        self.target = ("127.0.0.1", port)
        self.code = None
        # Whether the entries that were found still come before the code.
        self.passes_entries = True
        self.acceptor = Acceptor(socket.create_server(("127.0.0.1", 0)), self._relay)

    @property
    def uri(self):
        return f"ldap://127.0.0.1:{self.acceptor.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.acceptor.close()

    def _relay(self, client):
        with socket.create_connection(self.target) as server:
            answers = threading.Thread(target=self._pump, args=[server, client, Rewriter(self)], daemon=True)
            answers.start()
            self._pump(client, server, bytes)
            # It ends with the server's side, which the end of the client's has shut down.
            answers.join()

    @staticmethod
    def _pump(source, target, rewrite):
        try:
            while data := source.recv(65536):
                target.sendall(rewrite(data))
        except OSError:
            pass
        try:
            target.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Rewriter:
    """Takes octets as they come and gives whole messages."""

    def __init__(self, relay):
        self.relay = relay
        self.buffer = b""
        # The codes of searches that an entry was kept back from: they end with them even when `code` is taken away before
        # the end, or the relay would say that nothing was found.
        self.owed = {}

    def __call__(self, data):
        self.buffer += data
        result = b""
        while (end := self._end(self.buffer, 0)) is not None and end <= len(self.buffer):
            message, self.buffer = self.buffer[:end], self.buffer[end:]
            result += self._rewritten(message)
        return result

    @staticmethod
    def _start(data, index):
        """Where the content of the element at the index begins, and its length; BER (X.690 8.1.3)."""
        if len(data) < index + 2:
            return None
        length = data[index + 1]
        if length < 0x80:
            return index + 2, length
        count = length & 0x7F
        if len(data) < index + 2 + count:
            return None
        return index + 2 + count, int.from_bytes(data[index + 2:index + 2 + count], "big")

    @classmethod
    def _end(cls, data, index):
        found = cls._start(data, index)
        return sum(found) if found else None

    def _rewritten(self, message):
        start = self._start(message, 0)[0]
        operation = self._end(message, start)
        if message[operation] not in [SEARCH_ENTRY, SEARCH_DONE]:
            return message
        identifier = message[start:operation]
        code = self.owed.get(identifier, self.relay.code)
        if message[operation] == SEARCH_DONE:
            self.owed.pop(identifier, None)
        if code is None:
            return message
        if message[operation] == SEARCH_ENTRY:
            if self.relay.passes_entries:
                return message
            self.owed[identifier] = code
            return b""
        content = message[start:operation] + bytes([SEARCH_DONE, 7, 0x0A, 1, code, 0x04, 0, 0x04, 0])
        return bytes([0x30, len(content)]) + content
