#!/usr/bin/env python3
"""Certificates for tests of TLS, made with openssl: good ones, an expired one, and one of a foreign CA.

    certificates.py FOLDER

makes, each NAME.pem with its NAME.key:

    ca           the authority that tests trust
    server       for 127.0.0.1, ::1, localhost, and this machine's own name: libldap puts that in the place of localhost
    client       for a client, `O=Example, CN=reader`; slapd.py maps it to cn=reader of the suffix
    expired      as server, but its time is over
    foreign-ca   an authority that nobody here trusts
    foreign      as server, of the foreign authority
    othername    as server, but for ldap.example.net
"""

import socket
import subprocess
import sys
import tempfile
from pathlib import Path

SERVER_NAMES = ",".join(
    ["IP:127.0.0.1", "IP:::1"]
    + sorted({f"DNS:{name}" for name in ["localhost", socket.gethostname(), socket.getfqdn()]}))
OTHER_NAMES = "DNS:ldap.example.net"
ALL = ["ca", "server", "client", "expired", "foreign-ca", "foreign", "othername"]

# `openssl x509` always begins validity now, so all are issued by `openssl ca`, which takes dates.
VALID = ("20200101000000Z", "20491231235959Z")
EXPIRED = ("20200101000000Z", "20200201000000Z")

CONFIGURATION = """\
[ca]
default_ca = default
[default]
new_certs_dir = {scratch}
database = {scratch}/index.txt
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
organizationName = optional
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = {names}
[client]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
"""


def openssl(*arguments):
    done = subprocess.run(
        ["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]} ended with {done.returncode}:\n{done.stderr.strip()}")


def issue(folder, name, common_name, kind, authority=None, dates=VALID, names=SERVER_NAMES):
    """Makes one key and its certificate; without an authority it signs itself."""
    with tempfile.TemporaryDirectory(prefix="openssl-") as scratch:
        scratch = Path(scratch)
        (scratch / "index.txt").touch()
        configuration = scratch / "openssl.cnf"
        configuration.write_text(CONFIGURATION.format(scratch=scratch, names=names))
        key, request, certificate = folder / f"{name}.key", scratch / "request", folder / f"{name}.pem"
        openssl(
            "req", "-new", "-config", configuration, "-subj", f"/O=Example/CN={common_name}", "-nodes",
            "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", key, "-out", request)
        key.chmod(0o600)
        signer = ["-selfsign", "-keyfile", key]
        if authority:
            signer = ["-cert", folder / f"{authority}.pem", "-keyfile", folder / f"{authority}.key"]
        openssl(
            "ca", "-batch", "-config", configuration, *signer, "-extensions", kind, "-startdate", dates[0],
            "-enddate", dates[1], "-notext", "-in", request, "-out", certificate)
    return certificate


def make(folder):
    """Makes all of them in a folder, which may be there already. Returns the folder as a Path."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    issue(folder, "ca", "Tests CA", "authority")
    issue(folder, "server", "localhost", "server", "ca")
    issue(folder, "client", "reader", "client", "ca")
    issue(folder, "expired", "localhost", "server", "ca", dates=EXPIRED)
    issue(folder, "foreign-ca", "Foreign CA", "authority")
    issue(folder, "foreign", "localhost", "server", "foreign-ca")
    issue(folder, "othername", "ldap.example.net", "server", "ca", names=OTHER_NAMES)
    return folder


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: certificates.py FOLDER")
    print(make(sys.argv[1]))
