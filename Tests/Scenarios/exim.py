"""An Exim of its own: unpacked, not installed, with a queue, a configuration and a port for one test."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from postfix import REPOSITORY, ensure, free_port, give_up, one_at_a_time
from service import PATIENCE, Client, eventually

FRAGMENTS = REPOSITORY / "config" / "exim"


@cache
@one_at_a_time
def packages():
    """The .deb files, from the cache that Tests/Benchmarks/against-peers keeps, or from Debian."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    done = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True)
    if done.returncode != 0:
        give_up("Exim can be unpacked on Debian only")
    name = f"{release.get('VERSION_CODENAME', 'debian')}-{done.stdout.strip()}"
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "addressee-peers", name, "exim")
    if (folder / "complete").exists():
        return sorted(folder.glob("*.deb"))
    folder = folder.with_name("exim-scenarios")
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        download(folder)
        (folder / "complete").touch()
    return sorted(folder.glob("*.deb"))


def download(folder):
    package = "exim4-daemon-heavy"

    def apt(*arguments):
        return subprocess.run(["apt-get", "-q", *arguments], cwd=folder, capture_output=True, text=True)

    done = apt("download", package)
    if done.returncode != 0:
        apt("update")
        done = apt("download", package)
    # The libraries that it would bring and this system lacks; none that would stand in for one that is here.
    plan = apt("--simulate", "--no-install-recommends", "install", package)
    words = [line.split() for line in plan.stdout.splitlines()]
    libraries = [line[1] for line in words if line[:1] == ["Inst"] and line[1].startswith("lib") and line[2][0] == "("]
    if done.returncode != 0 or plan.returncode != 0 or (libraries and apt("download", *libraries).returncode != 0):
        give_up(f"Exim can't be downloaded: {done.stderr.strip().splitlines()[-1:]}")


class Exim:
    """`with Exim("addressee.conf", {"127.0.0.1:2529": "127.0.0.1:4711"}) as exim`: the fragment of config/exim, with the
    texts put in that the service has. `tail` follows it."""

    def __init__(self, fragment, replacements, tail=""):
        self.fragment = fragment
        self.replacements = replacements
        self.end = tail
        self.port = free_port()

    def __enter__(self):
        if os.geteuid() != 0:
            give_up("Exim needs root to run as a user of its own")
        debs = packages()
        ensure("passwd", "Debian-exim", "useradd", "--system", "--user-group", "--no-create-home", "--home-dir",
               "/nonexistent", "--shell", "/usr/sbin/nologin", "Debian-exim")
        self.folder = Path(tempfile.mkdtemp(prefix="addressee-exim-"))
        self.process = None
        try:
            # The daemon drops to a user of its own, who has to get in.
            self.folder.chmod(0o755)
            for deb in debs:
                subprocess.run(["dpkg", "-x", str(deb), str(self.folder / "root")], check=True)
            self.program = self.folder / "root" / "usr" / "sbin" / "exim4"
            for file in (self.folder / "root" / "usr").rglob("*"):
                if file.is_file() and not file.is_symlink() and file.stat().st_mode & 0o6000:
                    file.chmod(0o755)
            libraries = {str(file.parent) for file in (self.folder / "root").rglob("*.so*")}
            self.environment = dict(os.environ, LD_LIBRARY_PATH=":".join(sorted(libraries)))
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
        if self.process:
            self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        for name in "spool", "log":
            (self.folder / name).mkdir()
            shutil.chown(self.folder / name, "Debian-exim", "Debian-exim")
        self.configuration = self.folder / "exim.conf"
        self.configuration.write_text(self.text())
        self.launch()

    def text(self):
        """The configuration. There is no delivery: nothing runs the queue."""
        return self.main() + "queue_only\n" + self.fragment_text() + self.end

    def fragment_text(self):
        fragment = (FRAGMENTS / self.fragment).read_text()
        for old, new in self.replacements.items():
            if old not in fragment:
                raise AssertionError(f"config/exim/{self.fragment} has no {old}")
            fragment = fragment.replace(old, new)
        return fragment

    def main(self):
        """What every Exim needs here."""
        return f"""primary_hostname = exim.example.net
qualify_domain = exim.example.net
spool_directory = {self.folder}/spool
log_file_path = {self.folder}/log/%slog
pid_file_path = {self.folder}/exim.pid
notifier_socket =
keep_environment =
local_interfaces = 127.0.0.1
daemon_smtp_ports = {self.port}
tls_advertise_hosts =
host_lookup =
rfc1413_hosts =
smtp_accept_max_nonmail = 1000
smtp_max_unknown_commands = 1000
"""

    def launch(self):
        self.process = subprocess.Popen(
            [str(self.program), "-C", str(self.configuration), "-bdf"], env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

        def listens():
            if self.process.poll() is not None:
                raise AssertionError(f"Exim ended: {self.process.stdout.read().decode()} {self.tail()}")
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        eventually(listens, "Exim listens")

    def tail(self):
        return "".join(file.read_text()[-2000:] for file in sorted((self.folder / "log").iterdir()))

    def client(self, **options):
        return Client(("127.0.0.1", self.port), **options)

    def ask(self, address, source=None):
        """What it answers RCPT with, on a connection of its own. UTF-8 is announced where it stands in the address."""
        with self.client(source=source) as client:
            client.ask("EHLO client.example.net")
            client.ask("MAIL FROM:<>" + ("" if address.isascii() else " SMTPUTF8"))
            return client.ask(f"RCPT TO:<{address}>")

    def run(self, *arguments):
        """Exim by hand, such as `-be TEXT` or `-bt ADDRESS`: its status and what it printed."""
        done = subprocess.run(
            [str(self.program), "-C", str(self.configuration), *arguments], env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE * 2)
        return done.returncode, done.stdout
