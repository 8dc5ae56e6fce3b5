"""Real servers that messages are handed on to, and that deliver them: a Postfix, an Exim and a Dovecot of their own."""

import atexit
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from debian import unpack
from exim import Exim
from postfix import REPOSITORY, SMTPD, Postfix, ensure, free_port, give_up
from service import PATIENCE, Client, eventually, need

sys.path.insert(0, str(REPOSITORY / "Tests" / "LDAP"))

import certificates

DOMAINS = ["example.org", "second.example", "relay.example", "elsewhere.example", "client.example"]
PEOPLE = ["fred", "wilma", "anna", "sam", "sam1", "sam2", "bjorn", "jürgen", "away", "me", "someone", "postmaster"]
MAILBOXES = [f"{name}@{domain}" for domain in DOMAINS for name in PEOPLE]
OVER_QUOTA = "sam2@example.org"


def below(octets):
    """The message as the client sent it, under the trace fields that each server put on top, with LF for CR LF."""
    fields = rb"(?i)(?:(?:Return-Path|Delivered-To|X-Original-To|Envelope-To|Received): .*\n(?:[ \t].*\n)*)*"
    return octets[re.match(fields, octets).end():]


def field(octets, name):
    """The first field of that name, without it."""
    found = re.search(rb"(?im)^%s: (.*(?:\n[ \t].*)*)$" % name.encode(), octets.split(b"\n\n")[0])
    return found and found[1].decode()


class Hop:
    """A server whose own children are in its process group, and that delivers below mail/DOMAIN/LOCAL-PART of its folder.

    What it was delivering when it was ended it may deliver again after its start. That says nothing about who handed the
    message to it, so it counts once: every octet is the same then, the identifier in Received too, which is new in each
    message that is handed to a server."""

    def stop(self):
        """`launch` starts it again, with the same port and what is in its queue."""
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self.process.wait()
        self.over()

    def kill(self):
        """All of it at once, as when the power fails."""
        self.signal(signal.SIGKILL)
        self.process.wait()
        self.over()

    def over(self):
        self.process.stdout.close()
        # Its children may hold the port a little longer.
        eventually(lambda: not self.processes(), "all are gone")

    def pause(self):
        """Its connections are taken by the kernel, and nobody answers."""
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def processes(self, name=None):
        """Its daemons, or those of that name, such as smtpd."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            # One that is ending has the group -1.
            command, state, group = re.search(r"\((.*)\) (\S) -?\d+ (-?\d+)", stat, re.DOTALL).groups()
            if int(group) == self.process.pid and state != "Z" and name in (None, command):
                found.append(int(entry.name))
        return found

    def messages(self, address):
        """What arrived, whole, as octets; the oldest first."""
        name, domain = address.split("@")
        files = (self.folder / "mail" / domain / name / "new").glob("*")
        return list(dict.fromkeys(file.read_bytes() for file in sorted(files, key=lambda file: file.stat().st_mtime_ns)))

    def wait(self, address, count=1):
        """The messages of an address, once there are so many."""
        eventually(lambda: len(self.messages(address)) >= count, f"{count} messages for {address}")
        self.settle()
        return self.messages(address)

    def arrived(self, subject=None):
        """All that arrived, with that subject when one is given: pairs of an address and the octets."""
        self.settle()
        found = set()
        for file in (self.folder / "mail").glob("*/*/new/*"):
            with open(file, "rb") as message:
                head = message.read(4000)
                if subject is None or field(head, "Subject") == subject:
                    found.add((f"{file.parts[-3]}@{file.parts[-4]}", head + message.read()))
        return sorted(found)


def make_certificate(folder, name="mail.example.net", authority="ca", dates=certificates.VALID):
    """NAME.pem, with key and chain in one file, for a name; of the authority AUTHORITY.pem, which is made when it is new."""
    folder.mkdir(exist_ok=True)
    if not (folder / f"{authority}.pem").exists():
        certificates.issue(folder, authority, f"Tests {authority}", "authority")
    certificate = certificates.issue(folder, "hop", name, "server", authority, dates, f"DNS:{name}")
    whole = folder / f"{authority}-{name}.both"
    whole.write_text((folder / "hop.key").read_text() + certificate.read_text())
    whole.chmod(0o600)
    return whole


class PostfixHop(Hop, Postfix):
    """`with PostfixHop() as hop`: takes messages for MAILBOXES at `hop.port`, and puts them into Maildirs. `refuse` has replies
    by recipient; `certificate` lets it offer STARTTLS, and TLS from the start at `hop.implicit_port`. `fragments` of
    config/postfix may put us in the middle: then what comes back comes to `hop.back_port`."""

    def __init__(self, *lines, refuse={}, certificate=None, fragments=(), addresses={}, services=""):
        super().__init__(fragments, addresses, *lines, services=services)
        self.refuse = refuse
        self.certificate = certificate
        self.implicit_port, self.back_port = free_port(), free_port()

    def start(self):
        self.configure()
        self.launch()

    def configure(self):
        mail = self.folder / "mail"
        mail.mkdir()
        shutil.chown(mail, "nobody", "nogroup")
        (self.etc / "mailboxes").write_text("".join(
            "{0} {2}/{1}/\n".format(address, *address.split("@")) for address in MAILBOXES))
        refused = ", ".join(f"{{{recipient} = {reply}}}" for recipient, reply in self.refuse.items())
        lines = [
            f"virtual_mailbox_base = {mail}", f"virtual_mailbox_domains = {' '.join(DOMAINS)}",
            f"virtual_mailbox_maps = texthash:{self.etc}/mailboxes",
            "virtual_uid_maps = static:65534", "virtual_gid_maps = static:65534", "virtual_transport = virtual",
            "virtual_mailbox_limit = 0", "mailbox_size_limit = 0", "message_size_limit = 100000000",
            # What it can't deliver here is of no interest: reports to senders.
            "default_transport = discard", "relay_transport = discard",
            "smtpd_relay_restrictions = reject_unauth_destination",
            *([f"smtpd_recipient_restrictions = check_recipient_access inline:{{{refused}}}"] if refused else []),
            # The message is to stay as it was sent.
            "local_header_rewrite_clients =",
            "smtpd_client_connection_count_limit = 0", "default_process_limit = 300",
            # Daemons that are killed are started again soon.
            "service_throttle_time = 1s",
            "smtpd_client_event_limit_exceptions = static:all", "in_flow_delay = 0", "notify_classes =",
            "fast_flush_domains =", "minimal_backoff_time = 1s", "queue_run_delay = 1s", *self.lines]
        main, master = self.fragment_texts()
        # A fragment that has the line for the port 25 has all that smtpd needs.
        smtpd = SMTPD.format(self.port)
        services = (master.replace("smtp inet n - n - - smtpd\n", smtpd) if "smtp inet" in master else smtpd + master)
        services += self.services + """
qmgr unix n - n 1 1 qmgr
virtual unix - n n - - virtual
discard unix - - n - - discard
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
retry unix - - n - - error
error unix - - n - - error
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
"""
        if self.certificate:
            lines = [f"smtpd_tls_chain_files = {self.certificate}", "smtpd_tls_security_level = may", *lines]
            services += f"""tlsmgr unix - - n 1000 1 tlsmgr
127.0.0.1:{self.implicit_port} inet n - n - - smtpd
    -o smtpd_tls_wrappermode=yes
"""
        self.write(main + "".join(line + "\n" for line in lines), services)

    def settle(self):
        """Waits until its queue is empty."""
        spool = self.folder / "spool"

        def is_whole(file):
            # The mode of a file says so. Half a file stays when its writer was killed.
            try:
                return file.stat().st_mode & 0o100
            except FileNotFoundError:
                return False

        eventually(lambda: not any(
            file.is_file() and is_whole(file) for name in ("incoming", "active", "deferred")
            for file in (spool / name).rglob("*")),
            "the queue of Postfix is empty")


# What an Exim is told that is not between us and itself.
EXIM_ALONE = """
acl_smtp_rcpt = recipients
acl_smtp_data = message
begin acl
message:
  deny condition = ${if eq{$h_subject:}{bad}}
       message = 5.7.1 Not that
  accept
recipients:
  require message = 5.1.1 No such user here
          domains = +here
          local_parts = +people
  accept
begin routers
begin transports
"""


class EximHop(Hop, Exim):
    """`with EximHop() as hop`: an Exim that puts what it takes into Maildirs. `fragment`, of config/exim, may put us in the
    middle: then what comes back comes to `hop.back_port`."""

    def __init__(self, fragment=None, replacements={}):
        super().__init__(fragment, replacements)
        self.back_port = free_port()

    def text(self):
        (self.folder / "mail").mkdir()
        shutil.chown(self.folder / "mail", "Debian-exim", "Debian-exim")
        text = self.fragment_text() if self.fragment else EXIM_ALONE
        acl_and_before, routers, transports = re.split("begin routers\n|begin transports\n", text)
        main = self.main().replace("keep_environment =", "keep_environment = LD_LIBRARY_PATH")
        if "daemon_smtp_ports" in text:
            main = re.sub("daemon_smtp_ports.*\n", "", main)
        return main + f"""
exim_path = {self.program}
deliver_drop_privilege
message_size_limit = 100M
smtp_accept_max = 0
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
domainlist here = {" : ".join(DOMAINS)}
localpartlist people = {" : ".join(PEOPLE)}
{acl_and_before}
begin routers
{routers}
here:
  driver = accept
  domains = +here
  local_parts = +people
  transport = maildirs
begin transports
maildirs:
  driver = appendfile
  directory = {self.folder}/mail/$domain_data/$local_part_data
  maildir_format
  create_directory
  return_path_add
{transports}
"""

    def stop(self):
        # Deliveries are children of its own, and would be ended too.
        self.settle()
        super().stop()

    def settle(self):
        """Waits until its queue is empty."""
        queue = self.folder / "spool" / "input"
        eventually(lambda: not any(file.is_file() for file in queue.rglob("*")), "the queue of Exim is empty")


class Dovecot(Hop):
    """`with Dovecot() as hop`: takes messages over LMTP for MAILBOXES, at `hop.port` and at the Unix socket `hop.path`. The
    mailbox of OVER_QUOTA is full, which it finds out after the message. `fragment` is one of config/dovecot."""

    PACKAGES = ["dovecot-core", "dovecot-lmtpd", "libexttextcat-2.0-0", "liblua5.4-0", "libtirpc3", "libwrap0",
                "libstemmer0d", "libsodium23", "libapparmor1", "libicu72", "libunwind8"]

    def __init__(self, fragment=None, replacements={}):
        self.fragment = fragment
        self.replacements = replacements

    def __enter__(self):
        if os.geteuid() != 0:
            give_up("Dovecot's master needs root")
        for user in "dovecot", "dovenull":
            ensure("passwd", user, "useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
                   "--shell", "/usr/sbin/nologin", user)
        self.folder = Path(tempfile.mkdtemp(prefix="addressee-dovecot-"))
        self.process = None
        try:
            self.folder.chmod(0o755)
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        root, _ = unpack(self.PACKAGES, self.folder)
        # It looks for its parts below /usr, and nowhere else: there it sees both, and nobody else does.
        self.command = ["unshare", "--mount", "sh", "-c",
                        f'mount -t overlay overlay -o lowerdir={root}/usr:/usr /usr && exec "$@"', "sh"]
        if subprocess.run([*self.command, "true"], capture_output=True).returncode != 0:
            give_up("Dovecot can't be shown its parts below /usr: there is no overlay of folders")
        self.port = free_port()
        self.path = self.folder / "lmtp"
        mail = self.folder / "mail"
        # One message is all that may be in this mailbox, and it is there.
        name, domain = OVER_QUOTA.split("@")
        full = mail / domain / name / "cur"
        full.mkdir(parents=True)
        (full / "1.first:2,S").write_text("Subject: first\n\n")
        subprocess.run(["chown", "-R", "nobody:nogroup", mail], check=True)
        (self.folder / "users").write_text("".join(
            f"{user}::65534:65534::{self.folder}/home/{user}::"
            f"{'userdb_quota_rule=*:messages=1' if user == OVER_QUOTA else ''}\n" for user in MAILBOXES))
        (self.folder / "dovecot.conf").write_text(f"""protocols = lmtp
hostname = dovecot.example.net
base_dir = {self.folder}/run
state_dir = {self.folder}/state
log_path = {self.folder}/log
ssl = no
first_valid_uid = 1
first_valid_gid = 1
default_process_limit = 300
default_client_limit = 1000
mail_plugins = quota
{self.users_text()}
plugin {{
  quota = maildir:User quota
}}
service lmtp {{
  unix_listener {self.path} {{
    mode = 0666
  }}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {self.port}
  }}
}}
""" + self.fragment_text())
        self.launch()

    def users_text(self):
        # Debian's configuration has one too, without which Dovecot finds nobody.
        passwords = "passdb {\n  driver = static\n}"
        if self.fragment == "users.conf":
            return passwords
        return f"""{passwords}
mail_location = maildir:{self.folder}/mail/%d/%n
userdb {{
  driver = passwd-file
  args = username_format=%u {self.folder}/users
}}"""

    def fragment_text(self):
        if not self.fragment:
            return ""
        text = (REPOSITORY / "config" / "dovecot" / self.fragment).read_text()
        for old, new in self.replacements.items():
            if old not in text:
                raise AssertionError(f"config/dovecot/{self.fragment} has no {old}")
            text = text.replace(old, new)
        return text

    def launch(self):
        self.process = subprocess.Popen(
            [*self.command, "/usr/sbin/dovecot", "-F", "-c", str(self.folder / "dovecot.conf")], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

        def listens():
            if self.process.poll() is not None:
                raise AssertionError(f"Dovecot ended: {self.process.stdout.read().decode()} {self.tail()}")
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        eventually(listens, "Dovecot listens")

    def tail(self):
        log = self.folder / "log"
        return log.read_text()[-4000:] if log.exists() else ""

    def client(self):
        return Client(("127.0.0.1", self.port))

    def settle(self):
        """It has no queue: what it said 250 to is there."""


def send(port, recipients, data, *options, sender="me@client.example"):
    """swaks sends one message. Returns its exit status and what was said."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        done = subprocess.run(
            [need("swaks"), "--server", "127.0.0.1", "--port", str(port), "--helo", "client.example", "--from", sender,
             "--to", ",".join([recipients] if isinstance(recipients, str) else recipients), "--data", f"@{file.name}",
             *options], capture_output=True, timeout=PATIENCE * 4, stdin=subprocess.DEVNULL)
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


@cache
def postfix_tools():
    folder = Path(tempfile.mkdtemp(prefix="addressee-tools-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    root, environment = unpack(["postfix"], folder)
    return root / "usr" / "sbin", environment


def smtp_source(port, *options, patience=PATIENCE * 4):
    """Postfix's own load: `-s` sessions, `-m` messages, `-l` octets each, `-f` sender, `-t` recipient."""
    folder, environment = postfix_tools()
    done = subprocess.run(
        [str(folder / "smtp-source"), *options, f"127.0.0.1:{port}"], env=environment, capture_output=True, text=True,
        timeout=patience, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise AssertionError(f"smtp-source ended with {done.returncode}: {done.stdout[-500:]} {done.stderr[-2000:]}")
    return done.stdout
