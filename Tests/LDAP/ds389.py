"""A real 389 Directory Server for tests, over a folder of its own. Debian's package is 389-ds-base.

`dscreate` writes below /etc and asks systemd to start what it has made; so the configuration is made here from the package's own
template. What the server has is 389's: its schema, its plug-ins, its limits.
"""

import re
import shutil
import subprocess
import time
from pathlib import Path

from children import SCRATCH, STARTER, SlapdError, free_port, run

NS_SLAPD = "/usr/sbin/ns-slapd"
TEMPLATE = Path("/usr/share/dirsrv/data/template-dse.ldif")
SCHEMA = Path("/usr/share/dirsrv/schema")
LIBRARY = Path("/etc/dirsrv/config")

SUFFIX = "dc=example,dc=org"
ROOT_DN = "cn=Directory Manager"
PASSWORD = "secret-of-389"

# A start takes a second or two; nothing takes this long unless it is broken.
PATIENCE = 60.0

BACKEND = f"""\
dn: cn=userRoot,cn=ldbm database,cn=plugins,cn=config
changetype: add
objectClass: extensibleObject
objectClass: nsBackendInstance
cn: userRoot
nsslapd-suffix: {SUFFIX}

dn: cn="{SUFFIX}",cn=mapping tree,cn=config
changetype: add
objectClass: extensibleObject
objectClass: nsMappingTree
cn: {SUFFIX}
nsslapd-state: backend
nsslapd-backend: userRoot

"""

# Everybody may read but the passwords, and those who have bound as themselves nothing more.
ACCESS = ('(targetattr!="userPassword")(version 3.0; acl "all read"; allow (read,search,compare) userdn="ldap:///anyone";)')


class DirectoryServer:
    """One ns-slapd with one database.

    ldif      the entries, as text
    access    the ACI of the suffix
    """

    def __init__(self, ldif="", access=ACCESS):
        for needed in [Path(NS_SLAPD), TEMPLATE]:
            if not needed.exists():
                raise SlapdError(f"{needed} is not there; install 389-ds-base")
        self.folder = SCRATCH.folder("389")
        self.port = free_port()
        self.process = None
        try:
            self._prepare()
            self.start()
            self.modify(BACKEND)
            self.add(f"dn: {SUFFIX}\nobjectClass: domain\ndc: example\naci: {access}\n\n" + ldif)
        except BaseException:
            self.stop()
            raise

    @property
    def uri(self):
        return f"ldap://127.0.0.1:{self.port}"

    def _prepare(self):
        folders = {name: self.folder / name for name in ["bak", "cert", "db", "inst", "ldif", "lock", "log", "run", "tmp"]}
        folders["config"] = self.folder / "slapd-389"
        for folder in folders.values():
            folder.mkdir()
        schema = folders["config"] / "schema"
        schema.mkdir()
        # The server keeps what is added to the schema in this file, and what it ships where the package has it.
        shutil.copy("/etc/dirsrv/schema/99user.ldif", schema)
        for name in ["slapd-collations.conf", "certmap.conf"]:
            if (LIBRARY / name).exists():
                shutil.copy(LIBRARY / name, folders["config"])
        values = {
            f"{name}_dir": folder for name, folder in folders.items()
        } | {
            "schema_dir": schema, "db_home_dir": folders["db"], "db_lib": "bdb", "fqdn": "localhost", "ds_port": self.port,
            "ds_user": "root", "ds_passwd": "{CLEAR}" + PASSWORD, "ds_suffix": SUFFIX, "rootdn": ROOT_DN,
            "ldapi": self.folder / "ldapi", "ldapi_enabled": "off", "ldapi_autobind": "off",
        }
        text = re.sub(r"%(\w+)%", lambda match: str(values[match[1]]), TEMPLATE.read_text())
        (folders["config"] / "dse.ldif").write_text(text)

    def start(self):
        with open(self.folder / "out", "ab") as out:
            # It calls itself what follows the first "slapd-" in this path. With "-d 0" it would go to the background; this
            # is the level that it logs at by itself.
            self.process = STARTER.start(
                [NS_SLAPD, "-D", "slapd-389", "-i", str(self.folder / "run" / "pid"), "-d", "266354688"],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        deadline = time.monotonic() + PATIENCE
        while subprocess.run(
                ["ldapsearch", "-x", "-H", self.uri, "-b", "", "-s", "base", "vendorVersion"], capture_output=True
        ).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SlapdError(f"389 did not start:\n{self.log[-2000:]}")
            time.sleep(0.05)

    @property
    def log(self):
        """What the server said, of its starts too."""
        files = [self.folder / "out", self.folder / "log" / "errors"]
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def stop(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _tool(self, tool, text, what):
        command = [tool, "-x", "-H", self.uri, "-D", ROOT_DN, "-w", PASSWORD]
        return run(command, what, input=text)

    def modify(self, ldif):
        """Carries out changes as the root DN."""
        return self._tool("ldapmodify", ldif, "a change of 389")

    def add(self, ldif):
        """Adds entries as the root DN."""
        return self._tool("ldapadd", ldif, "entries of 389")

    def entry(self, dn, *attributes):
        """One entry as LDIF, without folded lines; empty where there is none."""
        done = subprocess.run(
            ["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", self.uri, "-D", ROOT_DN, "-w", PASSWORD, "-b", dn, "-s",
             "base", *attributes], capture_output=True, text=True)
        return done.stdout
