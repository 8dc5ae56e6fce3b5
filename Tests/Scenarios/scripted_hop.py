"""A mail server that does what a test tells it to: it keeps what it took, and fails where it is told to."""

import re
import socket
import threading
import time

from accepting import Acceptor

EXTENSIONS = ["PIPELINING", "SIZE 100000000", "8BITMIME", "SMTPUTF8", "DSN"]


class Message:
    def __init__(self, sender, recipients, octets):
        self.sender = sender
        self.recipients = recipients
        self.octets = octets

    @property
    def body(self):
        """The octets below the fields that Addressee puts on top."""
        return re.match(rb"(?:(?:X-Original-To|Delivered-To): .*\r\n)*Received: .*\r\n(?:\t.*\r\n)*((?:.|\n)*)", self.octets)[1]


class ScriptedHop:
    """`answer(step, argument, session)` is asked at each step (connect, ehlo, mail, rcpt, data, end, rset): None for the usual
    reply, a reply line, "cut" to close the connection, "taken-cut" to keep the message and close, "hang" to say nothing."""

    def __init__(self, lmtp=False, extensions=EXTENSIONS, answer=lambda step, argument, session: None, path=None, port=0):
        self.lmtp = lmtp
        self.extensions = extensions
        self.answer = answer
        self.messages = []
        self.commands = []
        self.connections = 0
        self.slow = False
        self.lock = threading.Lock()
        self.path = path
        listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        if not path:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(str(path) if path else ("127.0.0.1", port))
        listener.listen(128)
        self.port = None if path else listener.getsockname()[1]
        self.acceptor = Acceptor(listener, self._serve)

    @property
    def address(self):
        return f"unix:{self.path}" if self.path else f"127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.acceptor.close()

    def cut(self):
        """Closes all connections."""
        self.acceptor.cut()

    def _serve(self, connection):
        with self.lock:
            self.connections += 1
        Session(self, connection).run()

    def verbs(self):
        return [line.split(" ")[0].split(":")[0].upper() for line in self.commands]


class Session:
    def __init__(self, hop, connection):
        self.hop = hop
        self.connection = connection
        self.stream = connection.makefile("rb")
        self.reset()

    def reset(self):
        self.sender, self.recipients = None, []

    def say(self, line):
        self.connection.sendall(line.encode() + b"\r\n")

    def step(self, step, argument, usual):
        """Whether the usual course is taken."""
        told = self.hop.answer(step, argument, self)
        if told is None:
            if usual:
                self.say(usual)
            return True
        if told == "hang":
            self.hop.acceptor.over.wait()
        if told.endswith("cut"):
            raise EOFError
        self.say(told)
        if told.startswith("421"):
            raise EOFError
        return False

    def run(self):
        self.step("connect", "", "220 hop.example ready")
        while True:
            line = self.stream.readline()
            if not line:
                return
            line = line.decode("utf-8", "replace").rstrip("\r\n")
            with self.hop.lock:
                self.hop.commands.append(line)
            verb = line[:4].upper()
            if verb in ("EHLO", "LHLO"):
                if verb != ("LHLO" if self.hop.lmtp else "EHLO"):
                    self.say("500 what?")
                elif self.step("ehlo", line, None):
                    lines = ["hop.example", *self.hop.extensions]
                    self.say("\r\n".join(f"250{'-' if one is not lines[-1] else ' '}{one}" for one in lines))
            elif verb == "HELO":
                self.step("helo", line, "250 hop.example")
            elif verb == "MAIL":
                if self.sender is not None:
                    self.say("503 nested MAIL")
                elif self.step("mail", line, "250 ok"):
                    self.sender = line
            elif verb == "RCPT":
                if self.sender is None:
                    self.say("503 MAIL first")
                elif self.step("rcpt", re.search("<(.*)>", line)[1], "250 ok"):
                    self.recipients.append(line)
            elif verb == "DATA":
                if not self.recipients:
                    self.say("554 nobody")
                elif self.step("data", "", "354 go on"):
                    self.message()
            elif verb == "RSET":
                if self.step("rset", "", "250 ok"):
                    self.reset()
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("500 what?")

    def message(self):
        lines = []
        while True:
            if self.hop.slow:
                time.sleep(0.0005)
            line = self.stream.readline()
            if not line:
                return
            if line == b".\r\n":
                break
            lines.append(line[1:] if line[:1] == b"." else line)
        octets = b"".join(lines)
        mailboxes = [re.search("<(.*)>", line)[1] for line in self.recipients]
        taken, replies = [], []
        for mailbox in mailboxes if self.hop.lmtp else [None]:
            told = self.hop.answer("end", mailbox or "", self)
            if told in (None, "taken-cut"):
                taken += [mailbox] if self.hop.lmtp else mailboxes
            if told == "hang":
                self.hop.acceptor.over.wait()
            if told and told.endswith("cut"):
                replies = None
                break
            replies.append(told or "250 taken")
        if taken:
            with self.hop.lock:
                self.hop.messages.append(Message(self.sender, taken, octets))
        if replies is None:
            raise EOFError
        for reply in replies:
            self.say(reply)
        self.reset()
