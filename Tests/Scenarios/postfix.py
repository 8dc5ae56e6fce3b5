"""A Postfix of its own: unpacked, not installed, with a queue, a configuration and a port for one test."""

import base64
import fcntl
import functools
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from functools import cache
from pathlib import Path

from accepting import Acceptor
from service import PATIENCE, Client, eventually

REPOSITORY = Path(__file__).resolve().parents[2]
FRAGMENTS = REPOSITORY / "config" / "postfix"


def give_up(reason):
    """Skips aloud; with CI=true fails."""
    if os.environ.get("CI") == "true":
        raise AssertionError(f"{reason}, and in CI it must be")
    raise unittest.SkipTest(reason)


def one_at_a_time(function):
    """For what changes the machine, or what is kept on it between runs: scenarios run side by side."""

    @functools.wraps(function)
    def alone(*arguments, **options):
        folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "addressee-peers")
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return function(*arguments, **options)

    return alone


@one_at_a_time
def ensure(kind, name, *command):
    """A system user or group that Postfix looks up by name."""
    if subprocess.run(["getent", kind, name], capture_output=True).returncode == 0:
        return
    if subprocess.run(command, capture_output=True).returncode != 0:
        give_up(f"the system {kind} {name} can't be created")


@cache
@one_at_a_time
def packages():
    """The .deb files, from the cache that Tests/Benchmarks/against-peers keeps, or from Debian."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    done = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True)
    if done.returncode != 0:
        give_up("Postfix can be unpacked on Debian only")
    name = f"{release.get('VERSION_CODENAME', 'debian')}-{done.stdout.strip()}"
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "addressee-peers", name, "postfix")
    found = list(folder.glob("postfix_*.deb"))
    if not found:
        folder = folder.with_name("postfix-scenarios")
        folder.mkdir(parents=True, exist_ok=True)
        found = list(folder.glob("postfix_*.deb"))
    if not found:
        done = subprocess.run(["apt-get", "-q", "download", "postfix"], cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            subprocess.run(["apt-get", "-q", "update"], capture_output=True)
            done = subprocess.run(["apt-get", "-q", "download", "postfix"], cwd=folder, capture_output=True, text=True)
        found = list(folder.glob("postfix_*.deb"))
        if done.returncode != 0 or not found:
            give_up(f"Postfix can't be downloaded: {done.stderr.strip().splitlines()[-1:]}")
    return found[0]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Logins(Acceptor):
    """Enough of Dovecot's authentication protocol for Postfix to believe whoever says who he is."""

    def __init__(self, path):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        path.chmod(0o666)
        listener.listen()
        super().__init__(listener, self.answer)

    def answer(self, connection):
        with connection.makefile("rw") as file:
            file.write("VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n")
            file.flush()
            for line in file:
                words = line.rstrip("\n").split("\t")
                if words[0] == "AUTH":
                    response = next(word[5:] for word in words if word.startswith("resp="))
                    login = base64.b64decode(response).split(b"\0")[1].decode()
                    file.write(f"OK\t{words[1]}\tuser={login}\n")
                    file.flush()


# Of one that is asked about recipients only. A delivery is never tried, for there is no queue manager.
ASKED = """smtpd_delay_reject = no
smtpd_relay_restrictions = reject_unauth_destination
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = ../auth
virtual_transport = lmtp:inet:127.0.0.1:9
relay_transport = smtp:127.0.0.1:9
"""

SMTPD = "127.0.0.1:{} inet n - n - - smtpd\n"

# Of one that has no site of its own: no users, and no limits.
ALONE = """compatibility_level = 3.6
myhostname = postfix.example.net
myorigin = example.org
mydestination =
mynetworks =
alias_maps =
local_recipient_maps =
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
"""


class Postfix:
    """`with Postfix(["policy.cf"], {"127.0.0.1:2526": "127.0.0.1:4711"}) as postfix`: the fragments of config/postfix, with
    the addresses put in that the service has. `services` are lines for master.cf, beyond what smtpd needs."""

    def __init__(self, fragments, addresses, *lines, services=""):
        self.services = services
        self.fragments = fragments
        self.addresses = addresses
        self.lines = lines
        self.port = free_port()

    def __enter__(self):
        if os.geteuid() != 0:
            give_up("Postfix's master needs root")
        deb = packages()
        ensure("passwd", "postfix", "useradd", "--system", "--user-group", "--no-create-home", "--home-dir",
               "/nonexistent", "--shell", "/usr/sbin/nologin", "postfix")
        ensure("group", "postdrop", "groupadd", "--system", "postdrop")
        self.folder = Path(tempfile.mkdtemp(prefix="addressee-postfix-"))
        self.process = None
        try:
            # The daemons drop to a user of their own, who has to get in.
            self.folder.chmod(0o755)
            subprocess.run(["dpkg", "-x", str(deb), str(self.folder / "root")], check=True)
            self.programs = self.folder / "root" / "usr"
            for file in self.programs.rglob("*"):
                if file.is_file() and not file.is_symlink() and file.stat().st_mode & 0o6000:
                    file.chmod(0o755)
            libraries = {str(file.parent) for file in (self.folder / "root").rglob("*.so*")}
            self.environment = dict(os.environ, LD_LIBRARY_PATH=":".join(sorted(libraries)))
            self.make_folders()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            # Its own children, which are in its process group.
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        if logins := getattr(self, "logins", None):
            logins.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def make_folders(self):
        spool = self.folder / "spool"
        for name in ["pid", "private", "public", "incoming", "active", "maildrop", "deferred", "defer", "bounce",
                     "corrupt", "hold", "trace", "flush", "saved"]:
            (spool / name).mkdir(parents=True)
            if name not in ("pid", "public", "maildrop"):
                shutil.chown(spool / name, "postfix")
                (spool / name).chmod(0o700)
        for name, mode in ("public", 0o710), ("maildrop", 0o730):
            shutil.chown(spool / name, "postfix", "postdrop")
            (spool / name).chmod(mode)
        (self.folder / "data").mkdir(mode=0o700)
        shutil.chown(self.folder / "data", "postfix")
        self.etc = self.folder / "etc"
        self.etc.mkdir()

    def start(self):
        self.logins = Logins(self.folder / "auth")
        self.configure()
        self.launch()

    def configure(self):
        main, master = self.fragment_texts()
        self.write(ASKED + main + "".join(line + "\n" for line in self.lines), SMTPD.format(self.port) + master + self.services)

    def fragment_texts(self):
        """The fragments with the addresses put in: lines for main.cf, and for master.cf, which follow a line that says so."""
        main, master = "", ""
        for name in self.fragments:
            first, _, second = (FRAGMENTS / name).read_text().partition("# --- master.cf ---\n")
            main, master = main + first, master + second
        for old, new in self.addresses.items():
            if old not in main + master:
                raise AssertionError(f"config/postfix has no {old}")
            main, master = main.replace(old, new), master.replace(old, new)
        return main, master

    def write(self, main, master):
        """main.cf and master.cf, with what every Postfix needs here before it."""
        self.put(ALONE + main, """rewrite unix - - n - - trivial-rewrite
cleanup unix n - n - 0 cleanup
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
""" + master)

    def put(self, main, master):
        """main.cf and master.cf as they are given, but for where this Postfix is."""
        self.log = self.folder / "log"
        library = self.programs / "lib" / "postfix"
        main += f"""
queue_directory = {self.folder}/spool
data_directory = {self.folder}/data
command_directory = {self.programs}/sbin
daemon_directory = {library}/sbin
shlib_directory = {library}
meta_directory = {self.etc}
mail_owner = postfix
setgid_group = postdrop
import_environment = MAIL_CONFIG LD_LIBRARY_PATH={self.environment["LD_LIBRARY_PATH"]}
maillog_file = {self.log}
maillog_file_prefixes = {self.folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
"""
        # The last line of a name holds. Postfix would warn of the others, and its postlogd wait for itself to log that.
        settings = {}
        for line in re.sub(r"\n[ \t]+", " ", main).splitlines():
            if line and line[0] != "#":
                settings[line.split("=")[0].strip()] = line + "\n"
        self.etc.joinpath("main.cf").write_text("".join(settings.values()))
        self.etc.joinpath("dynamicmaps.cf").write_text("")
        self.etc.joinpath("master.cf").write_text(master)
        # Postfix waits until a file is two seconds old, lest somebody is still writing it.
        before = time.time() - 10
        for file in self.etc.iterdir():
            os.utime(file, (before, before))

    def launch(self):
        self.process = subprocess.Popen(
            [str(self.programs / "lib/postfix/sbin/master"), "-c", str(self.etc), "-d"], env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

        def listens():
            if self.process.poll() is not None:
                raise AssertionError(f"Postfix ended: {self.process.stdout.read().decode()} {self.tail()}")
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        eventually(listens, "Postfix listens")

    def tail(self):
        return self.log.read_text()[-4000:] if self.log.exists() else ""

    def client(self):
        return Client(("127.0.0.1", self.port))

    def ask(self, address, sender="", login=None):
        """What its smtpd answers RCPT with, or what it refuses before; on a connection of its own. UTF-8 is announced
        where it stands in the address."""
        with self.client() as client:
            client.ask("EHLO client.example.net")
            if login:
                client.ask("AUTH PLAIN " + base64.b64encode(f"\0{login}\0secret".encode()).decode())
            reply = client.ask(f"MAIL FROM:<{sender}>" + ("" if address.isascii() else " SMTPUTF8"))
            return client.ask(f"RCPT TO:<{address}>") if reply.startswith("250") else reply

    def resolve(self, address):
        """Where its trivial-rewrite would send an address: the transport and the next hop."""
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(PATIENCE)
            peer.connect(str(self.folder / "spool" / "private" / "rewrite"))
            peer.sendall(f"request\0resolve\0sender\0\0address\0{address}\0\0".encode())
            answer = b""
            while not (b"flags\0" in answer and answer.endswith(b"\0\0")):
                more = peer.recv(4096)
                if not more:
                    break
                answer += more
            fields = answer.decode().split("\0")
            return [fields[fields.index(name) + 1] for name in ["transport", "nexthop"]]

    def postmap(self, key, table, keys=None):
        """`postmap -q KEY TABLE`: its status, standard output and standard error."""
        done = subprocess.run(
            [str(self.programs / "sbin" / "postmap"), "-c", str(self.etc), "-q", key, table], env=self.environment,
            input=keys, capture_output=True, text=True, timeout=PATIENCE * 2)
        return done.returncode, done.stdout, done.stderr
