#!/usr/bin/env python3
"""Real slapd daemons for tests: one, a site that is ready, or two that replicate to each other.

As a command it serves a site until its standard input closes:

    slapd.py --site laser

prints one line of JSON and then takes lines of commands (see `serve`). Nothing outlives the process, however it ends.
"""

import argparse
import base64
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from children import SCRATCH, STARTER, SlapdError, free_port, run
from configuration import PASSWORD, READER_PASSWORD, TLS, Replication, find_schema, slapd_conf

HERE = Path(__file__).resolve().parent
SITES = HERE / "sites"
SLAPD = "/usr/sbin/slapd"

# A start takes a tenth of a second; nothing takes this long unless it is broken.
PATIENCE = 20.0

# Octets of LDIF from which speed goes before care.
BULK = 1 << 20

# An anonymous bind, message id 1, and how an answer to it begins (RFC 4511 4.2).
ANONYMOUS_BIND = bytes.fromhex("300c020101600702010304008000")
BIND_RESPONSE = 0x61


# MARK: The daemon


class Slapd:
    """One slapd with one mdb database, over a folder of its own.

    folder        where it keeps everything; None: a temporary one, removed at the end
    schemas       names (`inetorgperson`, `qmail`) or paths, in order; core comes first by itself
    suffix        base of the database; its entry is made when `ldif` does not have it
    ldif          a path, or the text itself
    tls           TLS(...), or a folder of certificates.py; adds StartTLS on `uri`, and `ldaps_uri`
    indexes       lines such as "mail,mailLocalAddress eq,sub", besides objectClass
    limits        directives with their values: {"sizelimit": 5, "timelimit": 1, "conn_max_pending": 10}
    port          of `uri`; None: a free one
    ldapi         whether there is a Unix socket too
    replication   Replication(...)
    anonymous     whether those who have not bound may read
    settings      further lines for the global section, such as "security simple_bind=128"
    config        whether to run from cn=config (slapd.d), which the root DN may change, instead of slapd.conf
    copy_of       a Slapd of the same suffix that is not running: begin with its database instead of `ldif`
    start         whether to start at once
    """

    def __init__(
            self, folder=None, schemas=(), suffix="dc=example,dc=org", ldif=None, tls=None, indexes=(), limits=None,
            port=None, ldapi=True, replication=None, anonymous=True, settings=(), config=False, copy_of=None,
            start=True):
        self.is_temporary = folder is None
        self.folder = SCRATCH.folder("one") if folder is None else Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.schemas = [find_schema(name) for name in ["core", *(s for s in schemas if s != "core")]]
        self.suffix = suffix
        self.tls = TLS(Path(tls)) if isinstance(tls, (str, Path)) else tls
        self.indexes = list(indexes)
        self.limits = dict(limits or {})
        self.port = port or free_port()
        self.is_port_fixed = port is not None
        self.ldaps_port = free_port() if self.tls else None
        self.socket = self.folder / "ldapi" if ldapi else None
        self.replication = replication
        self.anonymous = anonymous
        self.settings = list(settings)
        self.has_config = config
        self.process = None
        try:
            self._prepare()
            if copy_of:
                # The same entries with the same UUIDs and marks: two loads of one LDIF would be two different sites.
                for file in (copy_of.folder / "data").iterdir():
                    shutil.copy(file, self.folder / "data")
            else:
                self.load(ldif)
            if start:
                self.start()
        except BaseException:
            self.stop()
            raise

    # What clients need.

    @property
    def uri(self):
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def ldaps_uri(self):
        return f"ldaps://127.0.0.1:{self.ldaps_port}" if self.tls else None

    @property
    def ldapi_uri(self):
        return f"ldapi://{quote(str(self.socket), safe='')}" if self.socket else None

    @property
    def base(self):
        return self.suffix

    @property
    def pid(self):
        return self.process.pid if self.process else None

    @property
    def root_dn(self):
        return f"cn=admin,{self.suffix}"

    @property
    def reader_dn(self):
        return f"cn=reader,{self.suffix}"

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def log(self):
        """What slapd said since it was last started."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def description(self):
        """What a test in another language needs to know."""
        return {
            "uri": self.uri, "ldapi": self.ldapi_uri, "base": self.suffix, "pid": self.pid, "ldaps": self.ldaps_uri,
            "admin": self.root_dn, "password": PASSWORD, "reader": self.reader_dn,
            "readerPassword": READER_PASSWORD,
        }

    # Configuration and data.

    def _prepare(self):
        for name in ["data", "run"]:
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "slapd.conf").write_text(slapd_conf(self), encoding="utf-8")
        # slapadd would wait five seconds for the peers.
        (self.folder / "load.conf").write_text(slapd_conf(self, with_peers=False), encoding="utf-8")
        if self.has_config:
            target = self.folder / "slapd.d"
            if not target.exists():
                target.mkdir()
                # Made by the tool that applies it: the ports of peers are not in use yet, so `-n0` reads config alone.
                run([self._tool("slaptest"), "-n0", "-f", self.folder / "slapd.conf", "-F", target], "cn=config")
        for path in self.schemas:
            if path.suffix != ".ldif":
                continue
            if not self.has_config:
                raise SlapdError(f"{path} is in cn=config form: it needs config=True")
            run([self._tool("slapadd"), "-n0", *self._where(), "-l", path], f"the schema {path}")

    @staticmethod
    def _tool(name):
        path = Path("/usr/sbin", name)
        if not path.exists():
            raise SlapdError(f"{path} is not there; install slapd")
        return path

    def _where(self):
        if self.has_config:
            return ["-F", self.folder / "slapd.d"]
        return ["-f", self.folder / "slapd.conf"]

    def load(self, ldif):
        """Adds entries offline. What lies in the database stays."""
        if ldif is None:
            text = ""
        elif isinstance(ldif, Path) or "\n" not in str(ldif):
            text = Path(ldif).read_text(encoding="utf-8")
        else:
            text = ldif
        if not (self.folder / "data" / "data.mdb").exists():
            text = self._own_entries(text)
        if not text.strip():
            return
        path = self.folder / "load.ldif"
        path.write_text(text, encoding="utf-8")
        # `-w` keeps the mark that replication starts from. `-q` is for bulk only, for it checks less.
        flags = ["-b", self.suffix, *(["-q"] if len(text) > BULK else [])]
        if self.replication:
            flags += ["-w", "-S", str(self.replication.server_id)]
        where = self._where() if self.has_config else ["-f", self.folder / "load.conf"]
        command = [self._tool("slapadd"), *flags, *where, "-l", path]
        run(command, f"the entries of {self.suffix}")

    def _own_entries(self, text):
        """The suffix's entry where the site has none, and the reader, around the site's entries."""
        suffix_line = re.compile(r"^dn:\s*" + re.escape(self.suffix) + r"\s*$", re.IGNORECASE | re.MULTILINE)
        parts = [] if suffix_line.search(text) else [self._suffix_entry()]
        parts += [text.strip("\n")] if text.strip() else []
        parts.append(
            f"dn: {self.reader_dn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n"
            f"cn: reader\nuserPassword: {READER_PASSWORD}")
        return "\n\n".join(parts) + "\n"

    def _suffix_entry(self):
        kind, value = self.suffix.split(",")[0].split("=", 1)
        classes = {
            "dc": f"objectClass: dcObject\nobjectClass: organization\no: {value}\n",
            "o": "objectClass: organization\n",
            "ou": "objectClass: organizationalUnit\n",
        }
        if kind.lower() not in classes:
            raise SlapdError(f"the entry of {self.suffix} must be in the LDIF: the suffix is neither dc nor o nor ou")
        return f"dn: {self.suffix}\n{classes[kind.lower()]}{kind}: {value}"

    # Life.

    def start(self):
        """Starts, and waits until it answers."""
        for attempt in range(5):
            self._start()
            if self._wait():
                return self
            text = self.log
            self.process = None
            # Somebody took the port since.
            if self.is_port_fixed or "bind" not in text or attempt == 4:
                raise SlapdError(f"slapd did not start:\n{text.strip()[-2000:]}")
            self.port = free_port()
            if self.tls:
                self.ldaps_port = free_port()
        return self

    def _start(self):
        uris = [uri for uri in [self.uri, self.ldapi_uri, self.ldaps_uri] if uri]
        # `-d 0` would go to the background. SLAPD_DEBUG=stats shows every operation, in `log`.
        command = [SLAPD, "-h", " ".join(uris), *map(str, self._where()), "-d", os.environ.get("SLAPD_DEBUG", "none")]
        with open(self.folder / "log", "wb") as log:
            self.process = STARTER.start(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def _wait(self):
        """Whether it answers a bind before it ends by itself."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            # Until it has written that, another server may be the one that answers on the port.
            if self._has_bound() and self.answers():
                return True
            time.sleep(0.02)
        self.process.kill()
        self.process.wait()
        raise SlapdError(f"slapd did not answer within {PATIENCE:.0f} s:\n{self.log[-2000:]}")

    def _has_bound(self):
        path = self.folder / "run" / "pid"
        return path.exists() and path.read_text().strip() == str(self.process.pid)

    def answers(self, patience=1.0):
        """Whether an anonymous bind gets an answer, of whatever kind."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=patience) as client:
                client.sendall(ANONYMOUS_BIND)
                answer = client.recv(64)
        except OSError:
            return False
        return len(answer) > 5 and answer[5] == BIND_RESPONSE

    def stop(self):
        """Ends it in good order, and removes a temporary folder. May be called twice."""
        self._end(signal.SIGTERM)
        if self.is_temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self):
        """Ends it as a crash would; the data stays, and `restart` goes on with it."""
        self._end(signal.SIGKILL)

    def restart(self):
        """Ends it in good order and starts it again: the same ports, the same data."""
        self._end(signal.SIGTERM)
        fixed, self.is_port_fixed = self.is_port_fixed, True
        try:
            return self.start()
        finally:
            self.is_port_fixed = fixed

    def freeze(self):
        """From now on it takes connections (the kernel does) and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def _end(self, number):
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(number)
            # One that is frozen would never see the other signal.
            process.send_signal(signal.SIGCONT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # For tests: OpenLDAP's own tools.

    def _client(self, tool, arguments, **options):
        command = [tool, "-x", "-H", self.uri, "-D", self.root_dn, "-w", PASSWORD, *arguments]
        environment = dict(os.environ, LDAPNOINIT="1")
        return run(command, f"{tool} at {self.uri}", env=environment, timeout=PATIENCE, **options)

    def add(self, ldif):
        """Adds entries, as the root DN."""
        return self._client("ldapadd", [], input=ldif)

    def modify(self, ldif):
        """Applies changes (`changetype:`), as the root DN."""
        return self._client("ldapmodify", [], input=ldif)

    def search(self, filter="(objectClass=*)", attributes=(), base=None, scope="sub"):
        """The entries found, as a list of dictionaries of lists; the name is under `dn`."""
        text = self._client(
            "ldapsearch", ["-LLL", "-o", "ldif-wrap=no", "-b", base or self.suffix, "-s", scope, filter, *attributes])
        return parse_ldif(text)


def parse_ldif(text):
    """The entries of an LDIF text without changes."""
    entries = []
    for block in re.split(r"\n\s*\n", text.replace("\n ", "")):
        entry = {}
        for line in block.splitlines():
            if not line or line.startswith("#"):
                continue
            name, _, value = line.partition(":")
            value = base64.b64decode(value[1:].strip()).decode() if value.startswith(":") else value.strip(" ")
            entry.setdefault(name, []).append(value)
        if entry:
            entries.append(entry)
    return entries


# MARK: Two that replicate


class Pair:
    """Two providers that replicate to each other: a change at one is seen at the other at once.

    Takes what Slapd takes; `first` and `second` are Slapds. After `stop`, `kill` or `freeze` of one, the other goes on;
    when it is back, it catches up within about a second.
    """

    def __init__(self, ldif=None, suffix="dc=example,dc=org", **options):
        for attempt in range(5):
            try:
                self._start(ldif, suffix, options)
                return
            except SlapdError as error:
                # Both ports must be known before either starts, so that they can't be chosen again one by one.
                if attempt == 4 or "bind" not in str(error):
                    raise

    def _start(self, ldif, suffix, options):
        ports = [free_port(), free_port()]
        uris = [f"ldap://127.0.0.1:{port}" for port in ports]
        self.first = self.second = None
        try:
            self.first = Slapd(
                ldif=ldif, suffix=suffix, port=ports[0], replication=Replication(1, [uris[1]]), start=False, **options)
            self.second = Slapd(
                suffix=suffix, port=ports[1], replication=Replication(2, [uris[0]]), copy_of=self.first, **options)
            self.first.start()
            self._settle()
        except BaseException:
            self.stop()
            raise

    def _settle(self):
        """Waits until each has followed a change of the other: only then are both connections up."""
        for source, target, name in [(self.first, self.second, "one"), (self.second, self.first, "two")]:
            dn = f"cn=settle-{name},{source.suffix}"
            source.add(f"dn: {dn}\nobjectClass: organizationalRole\ncn: settle-{name}\n")
            self._eventually(lambda: target.search(f"(cn=settle-{name})"), "replication of an addition")
            source.modify(f"dn: {dn}\nchangetype: delete\n")
            self._eventually(lambda: not target.search(f"(cn=settle-{name})"), "replication of a removal")

    @staticmethod
    def _eventually(condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise SlapdError(f"{what}: not within {PATIENCE:.0f} s")
            time.sleep(0.05)

    @property
    def servers(self):
        return [self.first, self.second]

    @property
    def uris(self):
        return [server.uri for server in self.servers]

    def stop(self):
        for server in [self.first, self.second]:
            if server:
                server.stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


# MARK: The sites


@dataclass
class Site:
    """A small site for one schema that sites have."""

    name: str
    schemas: list
    indexes: list
    suffix: str = "dc=example,dc=org"

    @property
    def ldif(self):
        return SITES / f"{self.name}.ldif"

    @property
    def questions(self):
        return SITES / f"{self.name}.questions"

    def options(self):
        return {"schemas": self.schemas, "indexes": self.indexes, "suffix": self.suffix, "ldif": self.ldif}

    def start(self, **options):
        return Slapd(**{**self.options(), **options})


PERSON = ["cosine", "inetorgperson"]
NAMES = "uid,cn,displayName eq,sub"

ALL_SITES = [
    Site("laser", [*PERSON, "misc"], ["mailLocalAddress,mailRoutingAddress eq", NAMES]),
    Site("nis", ["cosine", "nis", "misc"], ["uid,cn,gecos eq,sub", "rfc822MailMember eq"]),
    Site("inetorgperson", [*PERSON, "nis", "dyngroup"], ["mail eq,sub", NAMES, "member,uniqueMember,memberUid eq"]),
    Site("qmail", [*PERSON, "nis", "qmail"], ["mail,mailAlternateAddress,mailForwardingAddress eq", NAMES]),
    Site("postfixbook", [*PERSON, "postfixbook"], ["mail,mailAlias,mailGroupMember,mailForwardingAddress eq", NAMES]),
    Site("courier", [*PERSON, "nis", "courier"], ["mail,maildrop,virtualdomain eq", NAMES]),
    Site("389", [*PERSON, "dyngroup", "netscape"], ["mail,mailAlternateAddress eq", "uniqueMember eq", NAMES]),
    Site(
        "ad", [*PERSON, "ad"],
        ["proxyAddresses,mail eq", "sAMAccountName,cn,displayName eq,sub", "member eq"], "dc=corp,dc=example,dc=org"),
]


def site(name):
    """A site by its name."""
    for one in ALL_SITES:
        if one.name == name:
            return one
    raise SlapdError(f"there is no site {name}; there are: {', '.join(one.name for one in ALL_SITES)}")


# MARK: The command


def serve(server):
    """Serves until standard input closes. Lines on it are commands, each answered by a line of JSON:

    freeze, thaw, kill and restart. An end of slapd that nobody asked for ends this too, with status 70.
    """
    print(json.dumps(server.description()), flush=True)
    commands = {"freeze": server.freeze, "thaw": server.thaw, "kill": server.kill, "restart": server.restart}
    text = b""
    while True:
        watched = [0]
        # Its death is not noticed by reading.
        handle = os.pidfd_open(server.pid) if server.is_running else None
        try:
            if handle is not None:
                watched.append(handle)
            ready = select.select(watched, [], [])[0]
        finally:
            if handle is not None:
                os.close(handle)
        if 0 not in ready:
            print(f"slapd ended by itself:\n{server.log[-2000:]}", file=sys.stderr)
            return 70
        piece = os.read(0, 4096)
        if not piece:
            return 0
        text += piece
        while b"\n" in text:
            line, text = text.split(b"\n", 1)
            word = line.decode(errors="replace").strip()
            if word in commands:
                commands[word]()
                print(json.dumps(server.description()), flush=True)
            elif word:
                print(json.dumps({"error": f"unknown command {word}"}), flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Serve LDAP from a real slapd until standard input closes.")
    parser.add_argument("--site", choices=[one.name for one in ALL_SITES], help="a site that is ready")
    parser.add_argument("--suffix", default="dc=example,dc=org", help="without --site: the base")
    parser.add_argument("--schema", action="append", default=[], help="a name or a file; may be given again")
    parser.add_argument("--ldif", type=Path, help="entries")
    parser.add_argument("--index", action="append", default=[], help='such as "mail eq"; may be given again')
    parser.add_argument("--tls", type=Path, metavar="FOLDER", help="certificates as certificates.py makes them")
    parser.add_argument(
        "--certificate", default="server", choices=["server", "expired", "foreign", "othername", "client"])
    parser.add_argument("--verify-client", default="never", choices=["never", "allow", "try", "demand"])
    parser.add_argument("--limit", action="append", default=[], help='such as "sizelimit 5"; may be given again')
    parser.add_argument("--port", type=int, help="default: a free one")
    parser.add_argument("--no-anonymous", action="store_true", help="who has not bound may not read")
    parser.add_argument("--config", action="store_true", help="run from cn=config, which the root DN may change")
    parser.add_argument("--pair", action="store_true", help="two that replicate; prints a line for each")
    given = parser.parse_args(arguments)

    # So that the folder goes when somebody ends this in the usual ways.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]:
        signal.signal(number, lambda number, _: sys.exit(128 + number))

    options = {"suffix": given.suffix, "ldif": given.ldif}
    if given.site:
        options = site(given.site).options()
    options["schemas"] = [*options.get("schemas", []), *given.schema]
    options["indexes"] = [*options.get("indexes", []), *given.index]
    options["limits"] = dict(line.split(None, 1) for line in given.limit)
    options["anonymous"] = not given.no_anonymous
    options["config"] = given.config
    if given.tls:
        options["tls"] = TLS(given.tls, given.certificate, given.verify_client)
    try:
        if given.pair:
            with Pair(**options) as pair:
                print(json.dumps(pair.first.description()), flush=True)
                return serve(pair.second)
        with Slapd(port=given.port, **options) as server:
            return serve(server)
    except SlapdError as error:
        print(f"slapd.py: {error}", file=sys.stderr)
        return 69


if __name__ == "__main__":
    sys.exit(main())
