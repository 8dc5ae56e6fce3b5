"""What slapd.conf says: schemas, TLS, replication, limits, access."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from children import SlapdError

HERE = Path(__file__).resolve().parent
SCHEMA_FOLDERS = [HERE / "schema", Path("/etc/ldap/schema")]
MODULES = "/usr/lib/ldap"

# Of the root DN, and of cn=reader, which may only read.
PASSWORD = "secret"
READER_PASSWORD = "reader"

# SASL EXTERNAL names the peer of a Unix socket so.
PEER = r"gidNumber={gid}\\+uidNumber={uid},cn=peercred,cn=external,cn=auth"


@dataclass
class TLS:
    """What slapd shows and asks for; the files are those of certificates.py."""

    folder: Path
    certificate: str = "server"  # or "expired", "foreign", "othername", "client"
    # TLSVerifyClient: never, allow, try, demand.
    verify_client: str = "never"


@dataclass
class Replication:
    """This server's number, and whom it follows."""

    server_id: int
    peers: list = field(default_factory=list)


DEFAULT_INDEXES = ["objectClass eq", "entryUUID,entryCSN eq"]


def find_schema(name):
    """The file of a schema: a path, or a name as in `inetorgperson`."""
    if os.sep in str(name) or str(name).endswith((".schema", ".ldif")):
        path = Path(name)
        if path.exists():
            return path.resolve()
        raise SlapdError(f"there is no schema file {name}")
    for folder in SCHEMA_FOLDERS:
        path = folder / f"{name}.schema"
        if path.exists():
            return path
    raise SlapdError(f"there is no schema {name} in {' or '.join(map(str, SCHEMA_FOLDERS))}")


def quoted(value):
    """A value for slapd.conf."""
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def slapd_conf(server, with_peers=True):
    """The text of slapd.conf for a Slapd."""
    lines = [f"include {path}" for path in server.schemas if path.suffix != ".ldif"]
    lines += [
        f"pidfile {server.folder}/run/pid", f"argsfile {server.folder}/run/args", f"modulepath {MODULES}",
        "moduleload back_mdb", "moduleload syncprov", "threads 4",
    ]
    peer = PEER.format(uid=os.geteuid(), gid=os.getegid())
    lines.append(f'authz-regexp "{peer}" "{server.root_dn}"')
    # The client certificate of certificates.py.
    lines.append(f'authz-regexp "cn=reader,o=example" "{server.reader_dn}"')
    if server.tls:
        folder = Path(server.tls.folder).resolve()
        lines += [
            f"TLSCACertificateFile {folder}/ca.pem",
            f"TLSCertificateFile {folder}/{server.tls.certificate}.pem",
            f"TLSCertificateKeyFile {folder}/{server.tls.certificate}.key",
            f"TLSVerifyClient {server.tls.verify_client}",
        ]
    if server.replication:
        lines.append(f"serverID {server.replication.server_id}")
    lines += [f"{name} {value}" for name, value in server.limits.items()]
    lines += server.settings
    if server.has_config:
        lines += ["database config", f'access to * by dn.exact="{server.root_dn}" manage by * none']
    lines += [
        "database mdb", f"suffix {quoted(server.suffix)}", f"rootdn {quoted(server.root_dn)}",
        f"rootpw {PASSWORD}", f"directory {server.folder}/data", "maxsize 1073741824",
        # Tests lose nothing that a crash of the machine would cost.
        "dbnosync", *(f"index {line}" for line in DEFAULT_INDEXES + server.indexes),
    ]
    if server.replication and with_peers:
        lines += syncrepl(server)
    others = "read" if server.anonymous else "none"
    lines += [
        "access to attrs=userPassword by anonymous auth by * none",
        f'access to * by dn.exact="{server.reader_dn}" read by * {others}',
    ]
    if server.replication:
        lines += ["overlay syncprov", "syncprov-checkpoint 100 1", "syncprov-sessionlog 100"]
    return "\n".join(lines) + "\n"


def syncrepl(server):
    """Follows every peer, and says that there are several who take changes."""
    # No timeout: slapd would wait for its end whenever it stops.
    lines = [f'limits dn.exact="{server.root_dn}" size=unlimited time=unlimited']
    for number, uri in enumerate(server.replication.peers, 1):
        lines.append(
            f"syncrepl rid={number:03} provider={uri} type=refreshAndPersist searchbase={quoted(server.suffix)}"
            f" bindmethod=simple binddn={quoted(server.root_dn)} credentials={PASSWORD}"
            ' retry="1 +"')
    if server.replication.peers:
        lines.append("multiprovider on")
    return lines
