#!/usr/bin/env python3
"""Tests of the fixtures themselves, with OpenLDAP's own tools as clients."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from urllib.parse import unquote

import certificates
import questions
import slapd
from relay import Relay

HERE = Path(__file__).resolve().parent
BASE = "dc=example,dc=org"
PATIENCE = 20.0


# Nothing of the machine's own settings, which LDAPNOINIT would do, were it not for LDAPTLS_.
CLEAN = {"LDAPCONF": os.devnull, "LDAPRC": "none", "HOME": "/nonexistent"}


def ldap(tool, uri, *arguments, limit=PATIENCE, **environment):
    """One run of a client of OpenLDAP."""
    return subprocess.run(
        [tool, "-H", uri, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=limit, env=dict(os.environ, **CLEAN, **environment))


def ldapsearch(uri, *arguments, base=BASE, **options):
    """An anonymous search, as anybody would run it."""
    return ldap("ldapsearch", uri, "-x", "-LLL", "-o", "ldif-wrap=no", "-b", base, *arguments, **options)


def setUpModule():
    """Without slapd nothing is tested, and that is said aloud; with CI=true it is a failure."""
    missing = [tool for tool in [slapd.SLAPD, "ldapsearch", "ldapadd", "openssl"] if not shutil.which(tool)]
    if missing:
        text = f"not installed: {', '.join(missing)} (Debian: slapd, ldap-utils, openssl)"
        if os.environ.get("CI") == "true":
            raise AssertionError(text)
        raise unittest.SkipTest(text)


def eventually(condition, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_alive(pid):
    """Whether a process runs; one that has ended and waits to be asked for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Sites(unittest.TestCase):
    def test_each_site_loads_and_answers(self):
        for site in slapd.ALL_SITES:
            with self.subTest(site.name), site.start() as server:
                done = ldapsearch(server.uri, "(objectClass=*)", base=site.suffix)
                self.assertEqual(done.returncode, 0, done.stderr)
                # slapd spells the types in names as its schema does.
                found = {entry["dn"][0].lower() for entry in slapd.parse_ldif(done.stdout)}
                written = {entry["dn"][0].lower() for entry in slapd.parse_ldif(site.ldif.read_text(encoding="utf-8"))}
                self.assertEqual(found, written | {server.reader_dn})

    def test_each_site_has_an_address_of_fred_that_is_indexed(self):
        filters = {
            "laser": "(mailLocalAddress=fred@example.org)", "nis": "(uid=fred)",
            "ad": "(proxyAddresses=smtp:fred@example.org)"}
        for site in slapd.ALL_SITES:
            with self.subTest(site.name), site.start() as server:
                done = ldapsearch(server.uri, filters.get(site.name, "(mail=FRED@example.org)"), "cn", base=site.suffix)
                self.assertIn("cn: Fred Claude\n", done.stdout)

    def test_questions_are_well_formed(self):
        for site in slapd.ALL_SITES:
            with self.subTest(site.name):
                asked, domains = questions.read(site.questions)
                promised = [one for one in asked if not one.is_pending]
                self.assertEqual(domains[0], "example.org")
                self.assertGreaterEqual(len(promised), 12)
                keys = [str(one) for one in asked]
                self.assertEqual(len(keys), len(set(keys)), "a question is asked twice")
                for one in asked:
                    self.assertEqual(one.expected, self.in_order(one), f"line {one.line} is not in order")
                self.assertIn("unknown", {one.expected for one in promised})
                self.assertIn("resolve *@example.org", keys)
                self.assertTrue(any(")(" in key for key in keys))

    @staticmethod
    def in_order(question):
        if question.kind == "resolve":
            return questions.normalized_recipients(question.expected.split(", "))
        if question.expected == "malformed":
            return question.expected
        return questions.normalized_reply(question.expected.split(" / "))

    @staticmethod
    def spelled(value):
        local_part, at, domain = value.strip().rpartition("@")
        needs_quotes = at and "" in local_part.split(".") and not local_part.startswith('"')
        return f'"{local_part}"@{domain}' if needs_quotes else value.strip()

    def test_every_address_that_a_question_expects_is_in_the_site(self):
        """What is expected is spelled as it is stored, but for blanks around it, quotes that it needs, and domains that only the
        configuration has."""
        for site in slapd.ALL_SITES:
            values = {
                value for entry in slapd.parse_ldif(site.ldif.read_text(encoding="utf-8"))
                for name, all_values in entry.items() if name != "dn" for value in all_values}
            values |= {value.split(":", 1)[1] for value in values if value.upper().startswith("SMTP:")}
            values = {self.spelled(value) for value in values}
            if site.name == "nis":
                values |= {f"{value}@example.org" for value in values}
            for question in questions.read(site.questions)[0]:
                if question.kind == "resolve" and "@" in question.expected and "moved " not in question.expected:
                    for address in question.expected.split(", "):
                        with self.subTest(site.name, question=str(question)):
                            self.assertIn(address, values)


class Daemon(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = slapd.site("inetorgperson").start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def whoami(self, uri, *arguments, **options):
        done = ldap("ldapwhoami", uri, *arguments, **options)
        return done.stdout.strip() or done.stderr.strip()

    def test_binds(self):
        server = self.server
        self.assertEqual(self.whoami(server.uri, "-x"), "anonymous")
        self.assertEqual(
            self.whoami(server.uri, "-x", "-D", server.root_dn, "-w", slapd.PASSWORD), f"dn:{server.root_dn}")
        self.assertEqual(
            self.whoami(server.uri, "-x", "-D", server.reader_dn, "-w", slapd.READER_PASSWORD),
            f"dn:{server.reader_dn}")
        self.assertIn(
            "Invalid credentials", self.whoami(server.uri, "-x", "-D", server.reader_dn, "-w", "wrong"))

    def test_external_over_the_unix_socket_is_the_root_dn(self):
        self.assertEqual(self.whoami(self.server.ldapi_uri, "-Y", "EXTERNAL", "-Q"), f"dn:{self.server.root_dn}")

    def test_the_reader_may_not_write_and_nobody_reads_passwords(self):
        server = self.server
        change = "dn: uid=wilma,ou=people,dc=example,dc=org\nchangetype: modify\nreplace: sn\nsn: X\n"
        done = subprocess.run(
            ["ldapmodify", "-x", "-H", server.uri, "-D", server.reader_dn, "-w", slapd.READER_PASSWORD], input=change,
            capture_output=True, text=True, timeout=PATIENCE)
        self.assertIn("Insufficient access", done.stderr)
        self.assertNotIn("userPassword", ldapsearch(server.uri, "(cn=reader)").stdout)

    def test_a_site_can_be_closed_to_those_who_have_not_bound(self):
        with slapd.Slapd(anonymous=False) as server:
            self.assertEqual(ldapsearch(server.uri).returncode, 32)
            done = ldap(
                "ldapsearch", server.uri, "-x", "-LLL", "-b", BASE, "-D", server.reader_dn, "-w", slapd.READER_PASSWORD)
            self.assertIn("dn: " + BASE, done.stdout)

    def test_limits_hold(self):
        with slapd.site("laser").start(limits={"sizelimit": 3}) as server:
            done = ldapsearch(server.uri)
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertEqual(len(slapd.parse_ldif(done.stdout)), 3)

    def test_restart_and_kill_keep_data_and_port(self):
        with slapd.Slapd() as server:
            uri, pid = server.uri, server.pid
            server.add(f"dn: cn=x,{BASE}\nobjectClass: organizationalRole\ncn: x\n")
            server.restart()
            self.assertEqual(server.uri, uri)
            self.assertNotEqual(server.pid, pid)
            self.assertFalse(is_alive(pid))
            self.assertTrue(server.search("(cn=x)"))
            server.kill()
            self.assertFalse(server.is_running)
            self.assertEqual(ldapsearch(uri).returncode, 255)
            server.restart()
            self.assertTrue(server.search("(cn=x)"))

    def test_freeze_answers_nothing_and_thaw_goes_on(self):
        with slapd.Slapd() as server:
            server.freeze()
            self.assertFalse(server.answers(patience=0.5))
            with self.assertRaises(subprocess.TimeoutExpired):
                ldapsearch(server.uri, limit=1)
            server.thaw()
            self.assertTrue(eventually(lambda: server.answers()))
            self.assertEqual(ldapsearch(server.uri).returncode, 0)
            server.freeze()
            started = time.monotonic()
            server.stop()
            self.assertLess(time.monotonic() - started, PATIENCE)

    def test_runs_from_cn_config_and_takes_schemas_in_either_form(self):
        schemas = ["cosine", "/etc/ldap/schema/inetorgperson.ldif"]
        entry = f"dn: uid=a,{BASE}\nobjectClass: inetOrgPerson\nuid: a\ncn: A\nsn: A\nmail: a@example.org\n"
        with slapd.Slapd(schemas=schemas, ldif=entry, config=True) as server:
            self.assertTrue(server.search("(mail=a@example.org)"))
            server.modify("dn: cn=config\nchangetype: modify\nreplace: olcSizeLimit\nolcSizeLimit: 1\n")
            self.assertEqual(ldapsearch(server.uri).returncode, 4)

    def test_what_is_wrong_is_said(self):
        with self.assertRaisesRegex(slapd.SlapdError, "(?s)mail: attribute type undefined|attribute not allowed|mail"):
            slapd.Slapd(ldif=f"dn: cn=x,{BASE}\nobjectClass: organizationalRole\ncn: x\nmail: x@example.org\n")
        with self.assertRaisesRegex(slapd.SlapdError, "no schema nonsense"):
            slapd.Slapd(schemas=["nonsense"])
        with self.assertRaisesRegex(slapd.SlapdError, "(?s)did not start"):
            slapd.Slapd(port=self.server.port)

    def test_a_daemon_started_from_a_thread_outlives_the_thread(self):
        made = []
        thread = threading.Thread(target=lambda: made.append(slapd.Slapd()))
        thread.start()
        thread.join()
        with made[0] as server:
            time.sleep(0.2)
            self.assertTrue(server.answers())

    def test_nothing_is_left(self):
        server = slapd.Slapd()
        folder, pid = server.folder, server.pid
        self.assertTrue(folder.exists())
        server.stop()
        server.stop()
        self.assertFalse(folder.exists())
        self.assertFalse(is_alive(pid))


class Command(unittest.TestCase):
    def start(self, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-B", HERE / "slapd.py", *map(str, arguments)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        line = process.stdout.readline()
        self.assertTrue(line, process.stderr.read() if not line else "")
        return process, json.loads(line)

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in [process.stdin, process.stdout, process.stderr]:
            stream.close()

    def folder(self, answer):
        return Path(unquote(answer["ldapi"].removeprefix("ldapi://"))).parent.parent

    def assertGone(self, answer):
        self.assertTrue(eventually(lambda: not is_alive(answer["pid"])), "slapd goes on")
        self.assertTrue(eventually(lambda: not self.folder(answer).exists()), "the folder is left")

    def test_serves_a_site_until_its_input_ends(self):
        process, answer = self.start("--site", "qmail")
        self.assertEqual(answer["base"], BASE)
        self.assertIn("mail: fred@example.org", ldapsearch(answer["uri"], "(uid=fclaude)").stdout)
        process.stdin.close()
        self.assertEqual(process.wait(PATIENCE), 0)
        process.stdin = open(os.devnull)
        self.assertGone(answer)

    def test_ends_at_once_though_its_parent_blocks_signals(self):
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        try:
            process, answer = self.start("--site", "nis")
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 128 + signal.SIGTERM)
        self.assertLess(time.monotonic() - started, PATIENCE)
        self.assertGone(answer)

    def test_leaves_nothing_when_it_is_killed(self):
        for number in [signal.SIGKILL, signal.SIGTERM]:
            with self.subTest(number):
                process, answer = self.start("--site", "nis")
                self.assertTrue(self.folder(answer).exists())
                process.send_signal(number)
                process.wait()
                self.assertGone(answer)

    def test_obeys_and_notices_an_end(self):
        process, answer = self.start("--suffix", "o=here", "--schema", "cosine", "--index", "uid eq")

        def tell(word):
            process.stdin.write(word + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        self.assertIn("error", tell("dance"))
        self.assertEqual(tell("kill")["pid"], None)
        again = tell("restart")
        self.assertEqual(again["uri"], answer["uri"])
        self.assertIn("dn: o=here", ldapsearch(again["uri"], base="o=here").stdout)
        os.kill(again["pid"], signal.SIGKILL)
        self.assertEqual(process.wait(PATIENCE), 70)

    def test_starts_a_pair(self):
        process, first = self.start("--pair")
        second = json.loads(process.stdout.readline())
        for answer in [first, second]:
            self.assertEqual(ldapsearch(answer["uri"]).returncode, 0)
        process.kill()
        for answer in [first, second]:
            self.assertGone(answer)


class Replication(unittest.TestCase):
    def test_an_addition_at_one_is_seen_at_the_other(self):
        site = slapd.site("laser")
        with slapd.Pair(**site.options()) as pair:
            for server in pair.servers:
                self.assertIn("cn: Fred Claude", ldapsearch(server.uri, "(uid=fclaude)").stdout)
            for number, (here, there) in enumerate([pair.servers, pair.servers[::-1]]):
                address = f"new{number}@example.org"
                here.add(
                    f"dn: uid=new{number},ou=people,{BASE}\nobjectClass: inetOrgPerson\n"
                    f"objectClass: inetLocalMailRecipient\nuid: new{number}\ncn: New\nsn: New\n"
                    f"mailLocalAddress: {address}\n")
                seen = eventually(
                    lambda: f"mailLocalAddress: {address}" in ldapsearch(there.uri, f"(uid=new{number})").stdout, 2)
                self.assertTrue(seen, "not seen within 2 s")
            # One that was away catches up.
            pair.first.kill()
            pair.second.modify(f"dn: uid=new0,ou=people,{BASE}\nchangetype: modify\nreplace: cn\ncn: Newer\n")
            pair.first.restart()
            self.assertTrue(eventually(lambda: "cn: Newer" in ldapsearch(pair.first.uri, "(uid=new0)").stdout, 10))


class Encryption(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="certificates-")
        cls.folder = certificates.make(cls.temporary.name)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def whoami(self, uri, *arguments, ca="ca", **environment):
        done = ldap(
            "ldapwhoami", uri, *(arguments or ["-x"]), LDAPTLS_CACERT=str(self.folder / f"{ca}.pem"),
            LDAPTLS_REQCERT="demand", **environment)
        return done.stdout.strip() if done.returncode == 0 else ""

    def test_start_tls_and_ldaps_with_a_good_certificate(self):
        with slapd.Slapd(tls=self.folder) as server:
            self.assertEqual(self.whoami(server.uri, "-x", "-ZZ"), "anonymous")
            self.assertEqual(self.whoami(server.ldaps_uri), "anonymous")
            localhost = server.ldaps_uri.replace("127.0.0.1", "localhost")
            self.assertEqual(self.whoami(localhost), "anonymous")
            self.assertEqual(self.whoami(server.ldaps_uri, ca="foreign-ca"), "")

    def test_bad_certificates_are_refused(self):
        for name in ["expired", "foreign", "othername"]:
            with self.subTest(name), slapd.Slapd(tls=slapd.TLS(self.folder, name)) as server:
                self.assertEqual(self.whoami(server.ldaps_uri), "")
                self.assertEqual(self.whoami(server.uri, "-x", "-ZZ"), "")

    def test_client_certificate(self):
        with slapd.Slapd(tls=slapd.TLS(self.folder, verify_client="demand")) as server:
            self.assertEqual(self.whoami(server.ldaps_uri), "")
            mine = {"LDAPTLS_CERT": str(self.folder / "client.pem"), "LDAPTLS_KEY": str(self.folder / "client.key")}
            self.assertEqual(self.whoami(server.ldaps_uri, "-Y", "EXTERNAL", "-Q", **mine), f"dn:{server.reader_dn}")


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = slapd.site("inetorgperson").start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.relay = Relay(self.server)
        self.addCleanup(self.relay.stop)

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.relay.port), timeout=PATIENCE)
        self.addCleanup(client.close)
        return client

    def bind(self, client):
        client.sendall(slapd.ANONYMOUS_BIND)
        return client.recv(64)

    def test_relays_without_a_fault(self):
        direct, relayed = ldapsearch(self.server.uri), ldapsearch(self.relay.uri)
        self.assertEqual(relayed.returncode, 0, relayed.stderr)
        self.assertEqual(relayed.stdout, direct.stdout)
        self.assertEqual(self.relay.accepted, 1)
        self.assertTrue(eventually(lambda: self.relay.open == 0))

    def test_cuts_after_so_many_octets(self):
        for reset in [True, False]:
            with self.subTest(reset=reset):
                self.relay.cut(after=5, reset=reset)
                client = self.connect()
                client.sendall(slapd.ANONYMOUS_BIND)
                received = b""
                try:
                    while piece := client.recv(64):
                        received += piece
                    end = "closed"
                except ConnectionResetError:
                    end = "reset"
                self.assertEqual(received, bytes.fromhex("300c020101"))
                self.assertEqual(end, "reset" if reset else "closed")
        self.relay.cut(after=300)
        done = ldapsearch(self.relay.uri)
        self.assertNotEqual(done.returncode, 0)
        self.relay.heal()
        self.assertEqual(ldapsearch(self.relay.uri).returncode, 0)

    def test_cuts_a_connection_that_is_open_already_and_only_once(self):
        client = self.connect()
        self.assertTrue(self.bind(client))
        self.relay.cut(after=0, times=1)
        with self.assertRaises(ConnectionResetError):
            self.bind(client)
        self.assertEqual(self.relay.cuts, 1)
        self.assertTrue(self.bind(self.connect()))

    def test_stalls_in_mid_answer(self):
        self.relay.stall(after=7)
        client = self.connect()
        self.assertEqual(len(self.bind(client)), 7)
        client.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            client.recv(64)

    def test_delays_each_answer_and_not_the_next_ones_more(self):
        self.relay.delay(3)
        client = self.connect()
        started = time.monotonic()
        self.assertTrue(self.bind(client))
        self.assertGreaterEqual(time.monotonic() - started, 2.9)
        self.relay.heal()
        started = time.monotonic()
        self.assertTrue(self.bind(client))
        self.assertLess(time.monotonic() - started, 2.9)

    def test_refuses_and_heals_on_the_same_port(self):
        client = self.connect()
        self.assertTrue(self.bind(client))
        self.relay.refuse()
        with self.assertRaises(ConnectionError):
            client.recv(64) or self.fail("closed in good order")
        with self.assertRaises(ConnectionRefusedError):
            self.connect()
        self.relay.refuse()
        self.relay.heal()
        self.assertTrue(self.bind(self.connect()))

    def test_refuses_whoever_is_just_coming(self):
        """However far the relay has got with a connection, none lives on."""
        for number in range(300):
            self.relay.heal()
            clients = [self.connect() for _ in range(3)]
            time.sleep(number % 10 * 0.0001)
            self.relay.refuse()
            for client in clients:
                client.settimeout(PATIENCE)
                try:
                    self.assertEqual(client.recv(64), b"")
                except ConnectionResetError:
                    pass
                client.close()

    def test_hangs(self):
        before = self.connect()
        self.assertTrue(self.bind(before))
        self.relay.hang()
        after = self.connect()
        for client in [before, after]:
            client.settimeout(0.5)
            with self.assertRaises(TimeoutError):
                self.bind(client)
        self.relay.heal()
        self.assertTrue(self.bind(self.connect()))

    def test_drops_what_is_open(self):
        client = self.connect()
        self.assertTrue(self.bind(client))
        self.relay.drop()
        with self.assertRaises(ConnectionResetError):
            client.recv(64)
        self.assertTrue(self.bind(self.connect()))

    def test_as_a_command(self):
        process = subprocess.Popen(
            [sys.executable, "-B", HERE / "relay.py", "--to", f"127.0.0.1:{self.server.port}"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        uri = json.loads(process.stdout.readline())["uri"]
        self.assertEqual(ldapsearch(uri).returncode, 0)
        for line, works in [("cut 20", False), ("heal", True), ("refuse", False), ("heal", True)]:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            self.assertNotIn("error", json.loads(process.stdout.readline()))
            self.assertEqual(ldapsearch(uri).returncode == 0, works, line)
        process.stdin.write("dance\n")
        process.stdin.close()
        self.assertIn("error", json.loads(process.stdout.readline()))
        self.assertEqual(process.wait(PATIENCE), 0)
        process.stdout.close()


if __name__ == "__main__":
    unittest.main()
