"""smtpd's side of a table process, as table_proc.c of OpenSMTPD 7.8 has it; and an OpenSMTPD of one's own, where there is one.

Debian 12 has OpenSMTPD 6.8, which speaks another protocol: it can read a configuration, and no more.
"""

import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import service
from debian import unpack
from postfix import REPOSITORY, ensure
from service import PATIENCE, Client, Log, eventually

FRAGMENTS = REPOSITORY / "config" / "opensmtpd"
SERVICES = ["none", "alias", "domain", "credentials", "netaddr", "userinfo", "source", "mailaddr", "addrname", "mailaddrmap",
            "relayhost", "string", "regex", "auth"]


class Fatal(Exception):
    """smtpd would have ended itself."""


class Table:
    """`with Table(folder) as table`: what smtpd has of one table. Asks one question at a time, and is as strict."""

    def __init__(self, folder, *arguments, name="addressee"):
        self.folder = folder
        self.arguments = arguments
        self.name = name
        self.last_id = 0

    def __enter__(self):
        # smtpd has a socket pair, and both of the child's descriptors are one end of it.
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(PATIENCE)
        self.process = subprocess.Popen(
            [service.PROGRAM, "table-proc", *self.arguments], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, text=True,
            errors="replace", env=dict(os.environ, ADDRESSEE_CONFIG=str(Path(self.folder, "addressee.yaml"))))
        theirs.close()
        self.log = Log(self.process.stderr)
        self.lines = self.socket.makefile("rb")
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        """Closes, as smtpd does; the process has to end by itself. Returns its status."""
        self.lines.close()
        self.socket.close()
        try:
            return self.process.wait(PATIENCE)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.log.thread.join(PATIENCE)
            self.process.stderr.close()

    def send(self, octets):
        self.socket.sendall(octets)

    def line(self):
        """One line, as getline(3) gives it."""
        line = self.lines.readline()
        if not line.endswith(b"\n"):
            raise Fatal("table-proc: getline")
        return line[:-1]

    def open(self):
        """The handshake. Returns the services that were registered."""
        self.send(b"config|smtpd-version|7.8.0-portable\nconfig|protocol|0.1\nconfig|tablename|%s\nconfig|ready\n"
                  % self.name.encode())
        services = []
        while True:
            line = self.line()
            if not line.startswith(b"register|"):
                raise Fatal("table-proc: invalid handshake reply")
            word = line[9:].decode()
            if word == "ready":
                break
            if word not in SERVICES or word == "none":
                raise Fatal(f"table-proc: unknown service {word}")
            services.append(word)
        if not services:
            raise Fatal("table-proc: no services registered")
        return services

    def request(self, operation, service=None, key=None):
        """The octets of a request with a new identifier."""
        self.last_id = (self.last_id + 0x9E3779B9) & 0xFFFFFFFF
        text = f"table|0.1|{time.time():.6f}|{self.name}|{operation}"
        if service:
            text += f"|{service}"
        text += f"|{self.last_id:08x}"
        if key is not None:
            text += f"|{key}"
        return text.encode() + b"\n"

    def receive(self, operation, identifier=None):
        """What follows the identifier of the reply."""
        head = f"{operation}-result|{self.last_id if identifier is None else identifier:08x}|".encode()
        line = self.line()
        if not line.startswith(head):
            raise Fatal(f"table-proc: failed to parse reply {line!r}")
        if b"\0" in line:
            raise Fatal(f"table-proc: the reply is cut off: {line!r}")
        return line[len(head):].decode()

    def lookup(self, service, key):
        """The value; None where it is not found; False for trouble, whose text is in `why`."""
        self.send(self.request("lookup", service, key.lower()))
        return self.value(self.receive("lookup"))

    def value(self, rest):
        if rest == "not-found":
            return None
        if rest.startswith("error"):
            self.why = rest[6:]
            return False
        if not rest.startswith("found|"):
            raise Fatal(f"table-proc: failed to parse reply {rest!r}")
        if rest == "found|":
            raise Fatal("table-proc: empty response")
        return rest[6:]

    def check(self, service, key):
        """True, None where it is not found, or False for trouble."""
        self.send(self.request("check", service, key.lower()))
        rest = self.receive("check")
        if rest.startswith("found"):
            return True
        found = self.value(rest)
        if found:
            raise Fatal(f"table-proc: failed to parse reply {rest!r}")
        return found

    def update(self):
        self.send(self.request("update"))
        rest = self.receive("update")
        if rest == "ok":
            return True
        if not rest.startswith("error"):
            raise Fatal(f"table-proc: failed to parse reply {rest!r}")
        self.why = rest[6:]
        return False

    def virtual(self, address):
        """The keys that aliases_virtual_get asks, until one is there: what it found, as `lookup` gives it."""
        user, _, domain = address.lower().rpartition("@")
        base, plus, tag = user.partition("+")
        keys = [f"{user}@{domain}"] if tag else []
        keys += [f"{base}@{domain}"] + ([user] if tag else []) + [base] + ([f"@{domain}", "@"] if domain else [])
        for key in keys:
            found = self.lookup("alias", key)
            if found is not None:
                return found
        return None


def smtpd_of_debian(folder):
    """The smtpd of Debian, for `-n`, and its environment."""
    root, environment = unpack(["opensmtpd", "libevent-2.1-7", "libdb5.3", "libpam0g"], folder)
    return root / "usr" / "sbin" / "smtpd", environment


# An OpenSMTPD 7.6 or later that is installed below this folder.
PREFIX = os.environ.get("OPENSMTPD")


class OpenSMTPD:
    """The server below $OPENSMTPD, with the fragment's configuration over the directory in a folder; and an LMTP server that
    keeps the recipients. It uses the queue and the sockets that were built into it, and its table's place."""

    def __init__(self, folder):
        self.directory = folder

    def __enter__(self):
        for name in "_smtpd", "_smtpq", "vmail":
            ensure("passwd", name, "useradd", "--system", "--user-group", "--no-create-home", name)
        self.folder = tempfile.TemporaryDirectory(prefix="addressee-opensmtpd-")
        for probe in (first := socket.socket()), (second := socket.socket()):
            probe.bind(("127.0.0.1", 0))
        self.port, store = first.getsockname()[1], second.getsockname()[1]
        first.close(), second.close()
        self.directory.chmod(0o755)
        subprocess.run(["chown", "-R", "_smtpd", str(self.directory)], check=True)
        table = Path(PREFIX, "libexec", "opensmtpd", "table-addressee")
        table.write_text((FRAGMENTS / "table-addressee").read_text().replace("/usr/local/bin/addressee", service.PROGRAM))
        table.chmod(0o755)
        text = (FRAGMENTS / "smtpd.conf").read_text()
        text = re.sub(r"^(table \S+ addressee)$", rf"\1:{self.directory}/addressee.yaml", text, flags=re.M)
        text = text.replace("0.0.0.0 port 25", f"127.0.0.1 port {self.port}")
        text = text.replace("/run/dovecot/lmtp", f"127.0.0.1:{store}")
        configuration = Path(self.folder.name, "smtpd.conf")
        configuration.write_text(text)
        configuration.chmod(0o600)
        self.process = subprocess.Popen(
            [Path(PREFIX, "sbin", "smtpd"), "-d", "-v", "-T", "lookup", "-f", configuration], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True)
        self.log = Log(self.process.stderr)
        self.log.wait("scanning done")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        self.log.thread.join(PATIENCE)
        self.process.stderr.close()
        self.folder.cleanup()

    def ask(self, address):
        with Client(("127.0.0.1", self.port)) as client:
            client.ask("EHLO client.test")
            client.ask("MAIL FROM:<x@client.test>")
            return client.ask(f"RCPT TO:<{address}>")
