"""The program over real slapds: finds Tests/LDAP, and serves sources that are kept there."""

import os
import shutil
import signal
import sys
import unittest
from pathlib import Path

from service import DOMAIN, RECORDS, Service

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "LDAP"))

import slapd
from ldap_records import ldif

SCHEMA = Path(__file__).resolve().parents[2] / "schema" / "ldap" / "addressee.schema"
BASE = "ou=mail,dc=example,dc=org"

# As the schema's file says.
INDEXES = [
    "addresseeKey,addresseeLocalPartKey,addresseeDomainKey,addresseeLoginKey eq",
    "addresseeNameKey,addresseeRefersTo,addresseeRefersToDomain eq"]

COULD_NOT_TELL = "451 4.4.3 The directory could not tell, try again later"


def need_slapd():
    """Skips aloud where slapd can't be had; with CI=true that is a failure."""
    missing = [tool for tool in [slapd.SLAPD, "ldapmodify", "openssl"] if not shutil.which(tool)]
    if not missing:
        return
    if os.environ.get("CI") == "true":
        raise AssertionError(f"{missing[0]} is not installed, and in CI it must be")
    raise unittest.SkipTest(f"{missing[0]} is not installed")


# The records of service.py, with the domain that `init` makes there.
ALL_RECORDS = ["domain add example.org", *RECORDS]


def own_slapd(records=ALL_RECORDS, **options):
    """A slapd with a directory in our own schema."""
    text = f"dn: {BASE}\nobjectClass: organizationalUnit\nou: mail\n\n" + ldif(records, BASE)
    return slapd.Slapd(schemas=[SCHEMA], indexes=INDEXES, ldif=text, **options)


def source(uris, name="people", base=BASE, preset="addressee", **settings):
    """A source of the configuration, with nothing remembered unless told otherwise. It is patient: where a machine has ten times
    the work that it can do, a sound server may take a second. Tests of a silent one say how long to wait for it."""
    ldap = {"uris": [uris] if isinstance(uris, str) else uris, "base": base, "preset": preset, "timeout": "20s",
            "connect-timeout": "20s", "cache": {"entries": 0}}
    ldap.update({key.replace("_", "-"): value for key, value in settings.items()})
    return {"name": name, "ldap": ldap}


def writable(server, **settings):
    """A source that the commands may write to; PASSWORD_FILE goes with it."""
    return source(server.uri, bind_dn=server.root_dn, password_file="password", allow_clear_text=True, **settings)


PASSWORD_FILE = {"password": slapd.PASSWORD + "\n"}


class SQLiteService(Service):
    """`addressee serve` over an empty directory, as `init` makes it; to be filled and then started."""

    def __enter__(self):
        self.make_folder()
        try:
            self.change("init", "--domain", DOMAIN)
            self.configure()
        except BaseException:
            self.__exit__(AssertionError)
            raise
        return self


class LDAPService(Service):
    """`addressee serve` over the sources that it is given, with no SQLite directory of its own.

    `files` are written into its folder beforehand: names and texts.
    """

    def __init__(self, *sources, files=None, **settings):
        super().__init__(sources=list(sources), **settings)
        self.files_before = files or {}

    def __enter__(self):
        self.make_folder()
        try:
            self.configure(**self.settings)
            for name, text in self.files_before.items():
                (self.folder / name).write_text(text)
            self.start()
        except BaseException:
            self.__exit__(AssertionError)
            raise
        return self

    def reload(self, *sources, **settings):
        """Puts another configuration in force."""
        start = len(self.log.lines)
        self.configure(sources=list(sources), **settings)
        self.process.send_signal(signal.SIGHUP)
        self.log.wait(r" info configuration-reloaded ", start=start)

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))
