"""A real Active Directory for tests: Samba as a domain controller, over a folder of its own.

Debian's package starts a file server when it is installed, so it is unpacked, and seen below /usr by this controller alone. It is
asked over its Unix socket: its ports are in a network of its own.
"""

import os
import shutil
import subprocess
import time
from urllib.parse import quote

import debian
import ldap_service  # noqa: F401, finds Tests/LDAP
from postfix import give_up, one_at_a_time

# From Tests/LDAP, where ldap_service finds them.
from children import SCRATCH, STARTER, run

PACKAGES = ["samba", "samba-dsdb-modules", "samba-vfs-modules", "samba-ad-provision", "winbind"]
REALM = "corp.example.org"
BASE = "DC=corp,DC=example,DC=org"
PEOPLE = f"CN=Users,{BASE}"
ADMINISTRATOR = f"administrator@{REALM}"
PASSWORD = "Passw0rd.of-the-tests"

# A start takes five seconds; nothing takes this long unless it is broken.
PATIENCE = 120.0

# What Samba's schema lacks of Exchange's: a name, an OID below OpenLDAP's experimental arc, and two numbers for the syntax.
ATTRIBUTES = [
    ("targetAddress", "1.2.840.113556.1.2.352", "2.5.5.12", 64),
    ("msExchRecipientTypeDetails", "1.3.6.1.4.1.4203.666.11.5.1.4", "2.5.5.16", 65),
]

SCRIPT = """\
set -e
if [ -n "$root" ]; then mount -t overlay overlay -o "lowerdir=$root/usr:/usr" /usr; fi
samba-tool domain provision --targetdir="$folder" --realm="$realm" --domain=CORP --server-role=dc --dns-backend=NONE \
    --host-ip=127.0.0.1 --host-name=dc1 --adminpass="$password"
ip link set lo up
sed -i "s|^\\[global\\]|&\\nserver services = ldap\\ndsdb:schema update allowed = yes\\nldap server require strong auth = no\\n\
pid directory = $folder\\n\
ncalrpc dir = $folder/ncalrpc\\nntp signd socket directory = $folder/ntp\\nlock directory = $folder/state|; \
/^[[:space:]]server services = s3fs/d" "$folder/etc/smb.conf"
exec samba -i -M single -s "$folder/etc/smb.conf" --debug-stdout
"""


@one_at_a_time
def missing_packages():
    """Those that have to be unpacked, with what they need."""
    if shutil.which("samba") and os.path.isdir("/usr/share/samba/setup/ad-schema"):
        return []
    try:
        for is_last in False, True:
            done = subprocess.run(
                ["apt-get", "-s", "--no-install-recommends", "install", *PACKAGES], capture_output=True, text=True)
            if names := [line.split()[1] for line in done.stdout.splitlines() if line.startswith("Inst ")]:
                return names
            if not is_last:
                subprocess.run(["apt-get", "-q", "update"], capture_output=True)
    except FileNotFoundError:
        give_up("Samba can be unpacked on Debian only")
    give_up(f"Samba can't be had: {done.stderr.strip().splitlines()[-1:]}")


class DomainController:
    """A domain controller with an empty domain, its schema with what this needs of Exchange's."""

    def __init__(self):
        self.folder = SCRATCH.folder("ad")
        self.process = None
        environment = dict(os.environ, folder=str(self.folder), realm=REALM.upper(), password=PASSWORD, root="")
        if names := missing_packages():
            environment["root"] = str(debian.unpack(names, self.folder)[0])
        try:
            self._start(environment)
            self._extend()
        except BaseException:
            self.stop()
            raise

    @property
    def uri(self):
        return "ldapi://" + quote(str(self.folder / "private" / "ldapi"), safe="")

    @property
    def log(self):
        return (self.folder / "out").read_text(errors="replace")

    def _start(self, environment):
        with open(self.folder / "out", "ab") as out:
            self.process = STARTER.start(
                ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", SCRIPT],
                cwd=self.folder, env=environment, stdin=subprocess.PIPE, stdout=out, stderr=out)
        deadline = time.monotonic() + PATIENCE
        while (found := self.search("(objectClass=domain)")).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = [*self.log.strip().splitlines()[-3:], found.stderr.strip()]
                give_up(f"no domain controller can be had here: {said}")
            time.sleep(0.1)

    def _extend(self):
        schema = f"CN=Schema,CN=Configuration,{BASE}"
        refresh = "dn:\nchangetype: modify\nadd: schemaUpdateNow\nschemaUpdateNow: 1\n\n"
        for name, oid, syntax, number in ATTRIBUTES:
            self.modify(
                f"dn: CN={name},{schema}\nchangetype: add\nobjectClass: attributeSchema\nattributeID: {oid}\n"
                f"attributeSyntax: {syntax}\noMSyntax: {number}\nisSingleValued: TRUE\nlDAPDisplayName: {name}\n\n" + refresh)
        added = "".join(f"mayContain: {name}\n" for name, *_ in ATTRIBUTES)
        self.modify(f"dn: CN=Mail-Recipient,{schema}\nchangetype: modify\nadd: mayContain\n{added}\n" + refresh)

    def _command(self, tool, *options):
        return [tool, "-x", "-H", self.uri, "-D", ADMINISTRATOR, "-w", PASSWORD, *options]

    def search(self, text, *attributes, base=BASE):
        return subprocess.run(
            self._command("ldapsearch", "-LLL", "-b", base, text, *attributes), capture_output=True, text=True)

    def modify(self, ldif):
        return run(self._command("ldapmodify"), "a change of Samba", input=ldif)

    def add(self, ldif):
        return run(self._command("ldapadd"), "entries of Samba", input=ldif)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
