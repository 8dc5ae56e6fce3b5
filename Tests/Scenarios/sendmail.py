"""A sendmail of its own: unpacked, not installed, with a configuration made by m4, a queue and a port for one test."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from debian import unpack
from postfix import give_up
from service import PATIENCE, Client, eventually

FRAGMENT = Path(__file__).resolve().parents[2] / "config" / "sendmail" / "addressee.mc"
# With the libraries that a machine without a mail server may lack.
PACKAGES = ["sendmail-bin", "sendmail-cf", "m4", "libsigsegv2", "libdb5.3", "liblockfile1", "libnsl2", "libtirpc3",
            "libwrap0", "libsasl2-2"]


class Sendmail:
    """`with Sendmail({"2530@127.0.0.1": "4711@127.0.0.1"}) as sendmail`: config/sendmail/addressee.mc, with the addresses put
    in that the service has. It relays for the domains that are named."""

    def __init__(self, addresses, domains):
        self.addresses = addresses
        self.domains = domains

    def __enter__(self):
        if os.geteuid() != 0:
            give_up("sendmail's daemon needs root")
        self.folder = Path(tempfile.mkdtemp(prefix="addressee-sendmail-"))
        self.process = None
        try:
            self.root, self.environment = unpack(PACKAGES, self.folder)
            self.program = self.root / "usr" / "libexec" / "sendmail" / "sendmail"
            self.configure()
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

    def configure(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        fragment = FRAGMENT.read_text()
        for old, new in self.addresses.items():
            if old not in fragment:
                raise AssertionError(f"config/sendmail has no {old}")
            fragment = fragment.replace(old, new)
        (self.folder / "addressee.mc").write_text(fragment)
        (self.folder / "queue").mkdir(mode=0o700)
        # Neither DNS nor a directory of users but the files of this machine.
        (self.folder / "switch").write_text("hosts files\naliases files\n")
        relayed = "".join(f"RELAY_DOMAIN(`{domain}')dnl\n" for domain in self.domains)
        (self.folder / "sendmail.mc").write_text(
            f"""include(`{self.root}/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `sendmail.example.net')dnl
define(`confSERVICE_SWITCH_FILE', `{self.folder}/switch')dnl
define(`confPID_FILE', `{self.folder}/pid')dnl
define(`confCONTROL_SOCKET_NAME', `')dnl
define(`QUEUE_DIR', `{self.folder}/queue')dnl
define(`ALIAS_FILE', `')dnl
define(`STATUS_FILE', `{self.folder}/statistics')dnl
define(`HELP_FILE', `{self.folder}/help')dnl
define(`confDELIVERY_MODE', `q')dnl
define(`confTO_IDENT', `0')dnl
define(`confTO_RESOLVER_RETRANS', `1s')dnl
define(`confTO_RESOLVER_RETRY', `1')dnl
define(`confBAD_RCPT_THROTTLE', `0')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Port={self.port}, Addr=127.0.0.1, Name=MTA')dnl
{relayed}include(`{self.folder}/addressee.mc')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
""")
        self.cf = self.folder / "sendmail.cf"
        done = subprocess.run(
            [self.root / "usr/bin/m4", f"-D_CF_DIR_={self.root}/usr/share/sendmail/cf/", self.folder / "sendmail.mc"],
            env=self.environment, capture_output=True, text=True)
        if done.returncode != 0 or done.stderr:
            raise AssertionError(f"m4: {done.stderr}")
        self.cf.write_text(done.stdout)

    def start(self):
        # On a machine whose name has no dot it would sleep for a minute, to wait for a better one.
        named = ["unshare", "--uts", "sh", "-c", 'hostname sendmail.example.net && exec "$@"', "sh"]
        can_be_named = subprocess.run([*named, "true"], capture_output=True).returncode == 0
        self.command = [*(named if can_be_named else []), self.program, "-C", self.cf]
        self.process = subprocess.Popen(
            [*self.command, "-bD", "-X", self.folder / "traffic"], env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

        def listens():
            if self.process.poll() is not None:
                raise AssertionError(f"sendmail ended: {self.process.stdout.read().decode()}")
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        eventually(listens, "sendmail listens", patience=PATIENCE + 60)

    def client(self, source=None):
        return Client(("127.0.0.1", self.port), source=source)

    def ask(self, address, sender="", source=None):
        """What it answers RCPT with, or what it refuses before; on a connection of its own."""
        with self.client(source) as client:
            client.ask("EHLO client.example.net")
            reply = client.ask(f"MAIL FROM:<{sender}>")
            return client.ask(f"RCPT TO:<{address}>") if reply.startswith("250") else reply

    def map(self, *questions):
        """What `sendmail -bt` prints for `/map NAME KEY`, one line each."""
        done = subprocess.run(
            [*self.command, "-bt"], env=self.environment, capture_output=True, text=True,
            input="".join(f"/map {name} {key}\n" for name, key in questions), timeout=PATIENCE + 60)
        return done.stdout
