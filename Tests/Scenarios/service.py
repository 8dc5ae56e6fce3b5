"""The program under test: a directory in a temporary folder, the server over it, and a client on a raw socket."""

import atexit
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

PROGRAM = os.environ.get("ADDRESSEE", "")

# Long enough for a debug build on a machine that does other things too. Nothing takes this long unless it is broken.
PATIENCE = 30.0

DOMAIN = "example.org"

# What every directory holds, as an administrator would write it.
RECORDS = [
    "domain add second.example",
    "domain add relay.example --kind relay",
    "domain add alias.example --alias-of example.org",
    "user add fred@example.org --name 'Fred Claude' --login fclaude",
    "user add wilma@example.org --name 'Wilma Stone'",
    "user add sam1@example.org --name 'Sam Smith'",
    "user add sam2@example.org --name 'Sam Jones'",
    "user add ruth@example.org --name 'Ruth Moss' --status disabled",
    "user add leo@example.org --name 'Leo Park' --status suspended",
    "user add max@example.org --name 'Max Weber' --status full",
    "user add bjorn@example.org --name 'Björn Ångström'",
    "user add jürgen@example.org --name 'Jürgen Groß'",
    "user add anna@example.org --name 'Anna Ionescu'",
    "alias add info@example.org --to fred@example.org",
    "alias add team@example.org --to fred@example.org wilma@example.org",
    "forward add away@example.org --to away@elsewhere.example",
    "forward add anna@example.org --to anna@elsewhere.example --keep-copy",
    "moved add gone@example.org --to gone@elsewhere.example",
    "moved add left@example.org",
    "list add staff@example.org --name Staff --member fred@example.org wilma@example.org"
    " 'Sam Q. Smith <sam@elsewhere.example>'",
    "list add secret@example.org --name Secret --expn nobody --member fred@example.org",
    "list add open@example.org --name Open --expn anyone --member wilma@example.org",
    "domain add catch.example --catch-all fred@example.org",
]

# What VRFY answers on an enhanced listener to a client that may learn all.
VERDICTS = {
    "fred": "250 2.1.5 Fred Claude <fred@example.org>",
    "claude": "250 2.1.5 Fred Claude <fred@example.org>",
    "fclaude": "250 2.1.5 Fred Claude <fred@example.org>",
    "wilma@example.org": "250 2.1.5 Wilma Stone <wilma@example.org>",
    "info": "250 2.1.5 Fred Claude <fred@example.org>",
    "max": "250 2.1.5 Max Weber <max@example.org>",
    "anna": "250 2.1.5 Anna Ionescu <anna@example.org>",
    "away": "251 2.1.5 User not local; will forward to <away@elsewhere.example>",
    "gone": "551 5.1.6 User not local; please try <gone@elsewhere.example>",
    "left": "550 5.1.6 User has moved",
    "ruth": "550 5.2.1 Mailbox disabled",
    "leo": "450 4.2.1 Mailbox suspended, try again later",
    "nobody": "550 5.1.1 String does not match anything",
    "nobody@elsewhere.example": "550 5.1.2 Not a domain of this server",
    "staff": "250 2.1.5 Staff <staff@example.org>",
    "<postmaster>": "250 2.1.5 <postmaster@example.org>",
    "someone@relay.example": "252 2.1.5 Cannot VRFY user, but will accept message and attempt delivery",
}


def run(*arguments, folder, timeout=PATIENCE, **options):
    """Runs one command of the program in a folder, to its end."""
    environment = dict(os.environ, ADDRESSEE_CONFIG=str(Path(folder, "addressee.yaml")))
    return subprocess.run(
        [PROGRAM, *arguments], cwd=folder, env=environment, timeout=timeout, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, **options)


def need(tool):
    """Skips the test aloud when a client can't be had; with CI=true that is a failure."""
    path = shutil.which(tool)
    if path:
        return path
    if os.environ.get("CI") == "true":
        raise AssertionError(f"{tool} is not installed, and in CI it must be")
    raise unittest.SkipTest(f"{tool} is not installed")


def need_tls_of_swaks():
    """Skips the test aloud when swaks has no TLS; with CI=true that is a failure."""
    swaks = need("swaks")
    said = subprocess.run([swaks, "--support"], capture_output=True, text=True, timeout=PATIENCE).stdout
    if "=== TLS supported" in said:
        return swaks
    if os.environ.get("CI") == "true":
        raise AssertionError("swaks lacks Net::SSLeay, and in CI it must have it")
    raise unittest.SkipTest("swaks lacks Net::SSLeay; install libnet-ssleay-perl")


# Mail servers take these for NAME@example.org. Who is refused by one spelling must be refused by all.
SPELLINGS = ["{}@example.org.", "example.org!{}", "{}%example.org", "{}@ example.org", "{}@example.org(c)", "{}@(c)example.org",
             "Some Body <{}@example.org>", "{} @example.org", " {}@example.org", "{}(c)@example.org", "(c){}@example.org"]


def swaks(port, recipient, *options):
    """What swaks is answered RCPT with, and its exit status."""
    done = subprocess.run(
        [need("swaks"), "--server", "127.0.0.1", "--port", str(port), "--quit-after", "RCPT", "--helo", "client.example",
         "--from", "sender@client.example", "--to", recipient, *options],
        capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    reply = re.search(r"RCPT TO:.*\n<(?:-|\*\*|~|~\*) +(.*)", done.stdout)
    if not reply:
        raise AssertionError(done.stdout + done.stderr)
    return done.returncode, reply[1]


def eventually(condition, what, patience=PATIENCE):
    """Tries until the condition holds. Only for what tells nobody when it happens."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {patience:.0f} s")
        time.sleep(0.02)


_template = None


def template():
    """A folder with a seeded directory, made once by the command line. Tests take a copy."""
    global _template
    if _template:
        return _template
    folder = Path(tempfile.mkdtemp(prefix="addressee-template-"))
    try:
        commands = [f"init --domain {DOMAIN} --listen 127.0.0.1:0", *RECORDS]
        for command in commands:
            done = run(*shlex.split(command), folder=folder)
            if done.returncode != 0:
                raise AssertionError(f"addressee {command}: status {done.returncode}: {done.stderr.strip()}")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _template = folder
    return folder


class Directory:
    """A folder of its own with a seeded directory and a configuration; removed at the end."""

    def __init__(self, **settings):
        self.settings = settings

    def make_folder(self):
        """Once: the folder and the server of a first time would be left behind by a second one."""
        if hasattr(self, "folder"):
            raise AssertionError("this was entered already")
        self.folder = Path(tempfile.mkdtemp(prefix="addressee-scenario-"))

    def __enter__(self):
        self.make_folder()
        try:
            for file in template().iterdir():
                shutil.copy(file, self.folder)
            self.configure(**self.settings)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def database(self):
        return self.folder / "directory.sqlite"

    def configure(self, **settings):
        """Writes the configuration. Keys are those of the file, with `_` for `-`; values are YAML's JSON subset."""
        whole = {
            "hostname": "mail.example.org",
            "default-domain": DOMAIN,
            "sources": [{"name": "main", "sqlite": "directory.sqlite"}],
            "listeners": [{"smtp": "127.0.0.1:0"}],
        }
        whole.update({key.replace("_", "-"): value for key, value in settings.items()})
        text = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in whole.items())
        (self.folder / "addressee.yaml").write_text(text, encoding="utf-8")

    def ruin(self):
        """Makes the file no database. Nothing may have been asked before: what SQLite has read it keeps, and rightly so."""
        self.database.write_bytes(b"no database" * 1000)
        for name in "-wal", "-shm":
            self.folder.joinpath(self.database.name + name).unlink(missing_ok=True)

    def run(self, *arguments, **options):
        return run(*arguments, folder=self.folder, **options)

    def change(self, *arguments):
        """A command that must succeed."""
        done = self.run(*arguments)
        if done.returncode != 0:
            raise AssertionError(f"addressee {' '.join(arguments)}: status {done.returncode}: {done.stderr.strip()}")
        return done.stdout


class Log:
    """Standard error of a process: kept, and waited on."""

    def __init__(self, stream):
        self.lines = []
        self.changed = threading.Condition()
        self.is_over = False
        self.thread = threading.Thread(target=self._read, args=[stream], daemon=True)
        self.thread.start()

    def _read(self, stream):
        for line in stream:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.is_over = True
            self.changed.notify_all()

    def wait(self, pattern, patience=PATIENCE, start=0):
        """The first line that holds the pattern, from the given one on."""
        def found():
            return next((line for line in self.lines[start:] if re.search(pattern, line)), None)

        with self.changed:
            self.changed.wait_for(lambda: found() or self.is_over, patience)
            line = found()
            if line is None:
                raise AssertionError(f"the log has no {pattern!r}:\n" + "\n".join(self.lines[-20:]))
            return line


class Service(Directory):
    """`addressee serve` over a directory of its own."""

    def __enter__(self):
        super().__enter__()
        try:
            self.start()
        except BaseException:
            self.__exit__(AssertionError)
            raise
        return self

    def start(self):
        if getattr(self, "process", None) and self.process.poll() is None:
            raise AssertionError("the server is running already")
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--config", str(self.folder / "addressee.yaml")], cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
        self.log = Log(self.process.stderr)
        line = self.log.wait(r" info listening on=")
        self.addresses = [parse_address(text) for text in re.search(r" on=(\S+)", line)[1].split(",")]

    def __exit__(self, kind, *rest):
        process = getattr(self, "process", None)
        try:
            if process:
                died = process.poll()
                self.stop()
                # A server that died on its own is a failure whatever else the test found.
                if died is not None and died != 0:
                    raise AssertionError(f"the server ended with {died}:\n" + "\n".join(self.log.lines[-20:]))
        finally:
            super().__exit__(kind, *rest)

    def stop(self, number=signal.SIGTERM, patience=PATIENCE):
        """Ends the server, and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not end within {patience:.0f} s of signal {number}") from None
        finally:
            self.log.thread.join(PATIENCE)
            self.process.stderr.close()

    @property
    def address(self):
        return self.addresses[0]

    @property
    def port(self):
        return self.address[1]

    def client(self, **options):
        return Client(options.pop("address", self.address), **options)

    def memory(self):
        """Resident memory in octets."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


def parse_address(text):
    """`127.0.0.1:2525`, `[::1]:2525` or `unix:/path`, as the log has it."""
    if text.startswith("unix:"):
        return text[5:]
    host, port = text.rsplit(":", 1)
    return host.strip("[]"), int(port)


class Client:
    """A client that sends what it is told, and reads whole replies."""

    def __init__(self, address, source=None, receive_buffer=None, greeted=True, timeout=PATIENCE):
        is_unix = isinstance(address, str)
        family = socket.AF_UNIX if is_unix else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.buffer = b""
        try:
            self.socket.settimeout(timeout)
            if receive_buffer:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            if source:
                self.socket.bind((source, 0))
            self.socket.connect(address)
            self.greeting = self.reply() if greeted else None
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def line(self):
        """One line without its end; None when the server has closed."""
        while b"\r\n" not in self.buffer:
            more = self.socket.recv(65536)
            if not more:
                if self.buffer:
                    raise AssertionError(f"the last line has no end: {self.buffer!r}")
                return None
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode()

    def reply(self):
        """One reply, its lines joined by a line feed; None when the server has closed."""
        lines = []
        while True:
            line = self.line()
            if line is None:
                if lines:
                    raise AssertionError(f"the last reply is not whole: {lines}")
                return None
            if not re.match(r"[2-5][0-9][0-9][ -]", line):
                raise AssertionError(f"not a line of a reply: {line!r}")
            lines.append(line)
            if line[3] == " ":
                return "\n".join(lines)

    def ask(self, command):
        self.send((command if isinstance(command, bytes) else command.encode()) + b"\r\n")
        return self.reply()

    def replies(self):
        """All replies until the server closes."""
        # One buffer, split once: what is pipelined may be megabytes.
        parts = [self.buffer]
        while data := self.socket.recv(1 << 20):
            parts.append(data)
        self.buffer = b""
        text = b"".join(parts)
        if text and not text.endswith(b"\r\n"):
            raise AssertionError(f"the last line has no end: {text[-80:]!r}")
        replies, lines = [], []
        for line in text.decode().split("\r\n")[:-1]:
            lines.append(line)
            if line[3:4] != "-":
                replies.append("\n".join(lines))
                lines = []
        return replies
