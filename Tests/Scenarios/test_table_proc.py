"""OpenSMTPD asks `addressee table-proc`: a conversation as smtpd has it, on SQLite and on LDAP, well and in trouble; and its
own syntax check of config/opensmtpd."""

import os
import re
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

import service
from ldap_service import need_slapd, own_slapd, source
from opensmtpd import FRAGMENTS, PREFIX, OpenSMTPD, Table, smtpd_of_debian
from service import PATIENCE, Directory, Service, run

# What aliases_virtual_get comes to, with --user vmail. True stands for any value.
TARGETS = {
    "fred@example.org": "vmail", "FRED@Example.ORG": "vmail", "fred+lists@example.org": "vmail", "max@example.org": "vmail",
    "postmaster@example.org": "vmail", "info@example.org": "fred@example.org", "info+x@example.org": "fred+x@example.org",
    "team@example.org": "fred@example.org,wilma@example.org", "away@example.org": "away@elsewhere.example",
    "anna@example.org": "vmail,anna@elsewhere.example",
    "staff@example.org": "fred@example.org,wilma@example.org,sam@elsewhere.example",
    "any@catch.example": "fred@example.org", "fred@alias.example": "fred@example.org",
    "fred+x@alias.example": "fred+x@example.org",
    "nobody@example.org": "error:550 5.1.1 No such user here", "nobody@alias.example": "error:550 5.1.1 No such user here",
    "gone@example.org": "error:550 5.1.6 User has moved", "left@example.org": "error:550 5.1.6 User has moved",
    "ruth@example.org": "error:550 5.2.1 Mailbox disabled",
    "leo@example.org": "error:450 4.2.1 Mailbox suspended\\, try again later",
    "someone@relay.example": None, "x@elsewhere.example": None, "fred": None, "vmail@": None, "vmail": None,
}
DOMAINS = {"example.org": True, "EXAMPLE.ORG": True, "alias.example": True, "second.example": True, "relay.example": None,
           "elsewhere.example": None, "": None, "localhost": None, "[127.0.0.1]": None}
RECIPIENTS = {
    "fred@example.org": True, "fred+x@example.org": True, "info@example.org": True, "staff@example.org": True,
    "someone@relay.example": True, "postmaster@example.org": True, "any@catch.example": True, "nobody@example.org": None,
    "gone@example.org": None, "ruth@example.org": None, "x@elsewhere.example": None, "@": None, "fred": None,
    "@example.org": None, "leo@example.org": False, "max@example.org": False,
}


class Conversation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = cls.enterClassContext(Directory())
        cls.table = cls.enterClassContext(Table(cls.directory.folder, "--user", "vmail"))
        cls.services = cls.table.open()

    def test_what_is_registered(self):
        self.assertEqual(self.services, ["alias", "domain", "mailaddr"])

    def test_targets(self):
        for address, value in TARGETS.items():
            with self.subTest(address):
                self.assertEqual(self.table.virtual(address), value)

    def test_where_each_target_ends(self):
        # As lka_expand asks on, until all are users, or are in domains that are for other rules.
        for address in TARGETS:
            pending, seen = [address], set()
            while pending:
                node = pending.pop()
                value = self.table.virtual(node)
                if not value or value.startswith("error:"):
                    continue
                for target in value.split(","):
                    self.assertNotIn((node, target), seen)
                    seen.add((node, target))
                    if "@" in target:
                        pending.append(target)

    def test_domains_and_recipients(self):
        for service_name, answers in ("domain", DOMAINS), ("mailaddr", RECIPIENTS):
            for key, answer in answers.items():
                with self.subTest(service=service_name, key=key):
                    self.assertIs(self.table.check(service_name, key), answer)
                    found = self.table.lookup(service_name, key)
                    self.assertIs(bool(found) or found, answer)

    def test_other_services_are_an_error(self):
        for name in "credentials", "netaddr", "userinfo", "source", "addrname", "mailaddrmap", "relayhost", "string", "auth":
            self.assertIs(self.table.lookup(name, "fred"), False)
            self.assertIs(self.table.check(name, "fred"), False)
        for name in "source", "relayhost":
            self.table.send(self.table.request("fetch", name))
            self.assertRegex(self.table.receive("fetch"), r"^error\|5\.5\.4 ")

    def test_a_change_is_seen_by_the_next_question(self):
        self.assertRegex(self.table.virtual("new@example.org"), "^error:550")
        self.directory.change("alias", "add", "new@example.org", "--to", "fred@example.org")
        self.assertEqual(self.table.virtual("new@example.org"), "fred@example.org")
        self.directory.change("domain", "add", "new.example")
        self.assertIs(self.table.check("domain", "new.example"), True)
        self.directory.change("domain", "rm", "new.example")
        self.assertIsNone(self.table.check("domain", "new.example"))
        self.directory.change("alias", "rm", "new@example.org")
        self.assertRegex(self.table.virtual("new@example.org"), "^error:550")

    def test_many_at_once_are_answered_in_order(self):
        octets, wanted = b"", []
        for index in range(3000):
            key = ["fred@example.org", "nobody@example.org", "@"][index % 3]
            octets += self.table.request("lookup", "alias", key)
            wanted.append((self.table.last_id, ["found|vmail", "found|error:550 5.1.1 No such user here", "not-found"][index % 3]))
        # Neither side reads all before it writes.
        sender = threading.Thread(
            target=lambda: [self.table.send(octets[place:place + 7919]) for place in range(0, len(octets), 7919)])
        sender.start()
        for identifier, rest in wanted:
            self.assertEqual(self.table.receive("lookup", identifier), rest)
        sender.join()

    def test_what_smtpd_would_never_send(self):
        for octets, reply in [
            (b"table|0.1|1|t|lookup|alias|7|a\0b", rb"lookup-result\|7\|error\|5\.5\.2 "),
            (b"table|0.1|1|t|check|domain|7|\xff\xfe", rb"check-result\|7\|error\|5\.5\.2 "),
            (b"table|0.1|1|t|lookup|alias|7|" + b"x" * 3_000_000, rb"lookup-result\|7\|error\|5\.5\.2 "),
            (b"table|0.1|1|t|lookup|alias|7", rb"lookup-result\|7\|error\|5\.5\.4 "),
            (b"table|0.1|1|t|lookup|alias|7|" + b"x" * 2000, rb"lookup-result\|7\|not-found$"),
            (b"table|0.1|1|t|lookup|alias|7|fred@example.org|x", rb"lookup-result\|7\|not-found$"),
        ]:
            self.table.send(octets + b"\n")
            self.assertRegex(self.table.line(), reply, octets[:60])
        start = len(self.table.log.lines)
        for octets in b"", b"\0", b"GET / HTTP/1.1", b"x" * 3_000_000, b"table|0.1|1|t|lookup|alias||fred@example.org":
            self.table.send(octets + b"\n")
            self.assertEqual(self.table.virtual("fred@example.org"), "vmail")
        self.table.log.wait("no request of smtpd's", start=start + 4)

    def test_nothing_that_smtpd_would_run_or_write_to(self):
        for name, target in ("pipe", "|id@elsewhere.example"), ("file", "/etc/x@elsewhere.example"), ("quoted", '"|id"@elsewhere.example'):
            self.directory.change("alias", "add", f"{name}@example.org", "--to", target)
            self.assertIs(self.table.virtual(f"{name}@example.org"), False, name)
        self.directory.change("alias", "add", "irish@example.org", "--to", "o'brien@elsewhere.example")
        self.assertEqual(self.table.virtual("irish@example.org"), "o\\'brien@elsewhere.example")

    def test_a_list_too_long_for_a_line_is_not_cut_off(self):
        members = [f"member-with-a-long-name-{index}@elsewhere.example" for index in range(60)]
        self.directory.change("list", "add", "many@example.org", "--member", *members)
        self.assertIs(self.table.virtual("many@example.org"), False)
        self.assertRegex(self.table.why, "longer than the 2047 octets")
        self.directory.change("list", "leave", "many@example.org", *members[40:])
        self.assertEqual(self.table.virtual("many@example.org").split(","), members[:40])


class Starting(unittest.TestCase):
    def test_the_end_of_input_ends_it(self):
        with Directory() as directory:
            for octets in b"", b"config|ready\n", b"table|0.1|1|t|lookup|alias|7|fr":
                table = Table(directory.folder).__enter__()
                table.send(octets)
                self.assertEqual(table.end(), 0, octets)
                self.assertEqual(table.log.lines, [])

    def test_answers_that_nobody_takes(self):
        with Directory() as directory:
            process = subprocess.Popen(
                [service.PROGRAM, "table-proc", "--config", directory.folder / "addressee.yaml"], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            process.stdout.close()
            process.stdin.write(b"config|ready\n" * 10)
            process.stdin.close()
            self.assertEqual((process.wait(PATIENCE), process.stderr.read()), (0, b""))
            process.stderr.close()

    def test_a_broken_configuration_is_said_before_the_handshake(self):
        with Directory() as directory:
            file = directory.folder / "addressee.yaml"
            file.write_text("nonsense: 1\n" + file.read_text())
            done = run("table-proc", folder=directory.folder)
            self.assertEqual((done.returncode, done.stdout), (78, ""))
            self.assertRegex(done.stderr, r"\Aaddressee: \S+addressee.yaml:1: unknown key \"nonsense\".*\n\Z")

    def test_an_update_reads_the_configuration_and_a_bad_one_changes_nothing(self):
        with Directory() as directory, Table(directory.folder, "--user", "vmail") as table:
            table.open()
            good = (directory.folder / "addressee.yaml").read_text()
            (directory.folder / "addressee.yaml").write_text(good + "nonsense: 1\n")
            self.assertIs(table.update(), False)
            self.assertIn("nonsense", table.why)
            self.assertEqual(table.virtual("fred@example.org"), "vmail")
            full = [{"name": "others", "rcpt": "full"}]
            directory.configure(clients=full)
            self.assertRegex(table.virtual("gone@example.org"), "^error:550 5.1.6 User has moved$")
            self.assertIs(table.update(), True)
            self.assertEqual(table.virtual("gone@example.org"),
                             "error:551 5.1.6 User not local; please try <gone@elsewhere.example>")

    def test_maps(self):
        with Directory() as directory:
            for arguments, name, services in [
                (["--map", "relay-domains"], "x", ["domain"]), ([], "relay-domains", ["alias", "domain", "mailaddr"]),
            ]:
                with Table(directory.folder, *arguments, name=name) as table:
                    self.assertEqual(table.open(), services)
                    self.assertIs(table.check("domain", "relay.example"), True)
                    self.assertIsNone(table.check("domain", "example.org"))
            with Table(directory.folder, name="mailboxes") as table:
                table.open()
                self.assertIsNone(table.check("mailaddr", "someone@relay.example"))
                # Without --user each mailbox is its own login's.
                self.assertEqual(table.virtual("fred@example.org"), "fclaude")
                self.assertIs(table.virtual("wilma@example.org"), False)
                self.assertRegex(table.why, "no login name; start with --user")
            for arguments in ["--map", "forwards"], ["--map", "senders"], ["--user", "a b"], ["--user", "|id"], ["--user", ""]:
                self.assertEqual(run("table-proc", *arguments, folder=directory.folder).returncode, 64, arguments)


class Trouble(unittest.TestCase):
    def check_trouble(self, table):
        """Nothing is told of anybody, for good or not."""
        for address in "fred@example.org", "nobody@example.org", "fred+x@example.org", "x@elsewhere.example":
            self.assertIs(table.virtual(address), False, address)
            self.assertIs(table.check("mailaddr", address), False, address)
            self.assertIs(table.check("domain", address.partition("@")[2]), False, address)
        # Of what can be in no directory there is nothing to look up.
        for key in "vmail@", "vmail", "@example.org", "@":
            self.assertIsNone(table.lookup("alias", key), key)

    def test_a_ruined_file(self):
        with Directory() as directory, Table(directory.folder, "--user", "vmail") as table:
            directory.ruin()
            table.open()
            self.check_trouble(table)
            self.assertRegex(table.why, "main could not tell: .*directory.sqlite")

    def test_no_file(self):
        with Directory() as directory, Table(directory.folder, "--user", "vmail") as table:
            directory.database.unlink()
            table.open()
            self.check_trouble(table)

    def test_ldap(self):
        need_slapd()
        with own_slapd() as slapd, Directory(sources=[source(slapd.uri)]) as directory:
            with Table(directory.folder, "--user", "vmail") as table:
                table.open()
                for address, value in TARGETS.items():
                    self.assertEqual(table.virtual(address), value, address)
                for key, answer in DOMAINS.items():
                    self.assertIs(table.check("domain", key), answer, key)
                for key, answer in RECIPIENTS.items():
                    self.assertIs(table.check("mailaddr", key), answer, key)
                slapd.modify(f"dn: {entry(slapd, 'ruth@example.org')}\nchangetype: delete\n")
                self.assertEqual(table.virtual("ruth@example.org"), "error:550 5.1.1 No such user here")
                slapd.kill()
                self.check_trouble(table)
                self.assertRegex(table.why, "people could not tell: ")
                slapd.restart()
                service.eventually(lambda: table.virtual("fred@example.org") == "vmail", "right answers again")
                self.assertEqual(table.virtual("nobody@example.org"), "error:550 5.1.1 No such user here")
                slapd.freeze()
                try:
                    directory.configure(sources=[source(slapd.uri, timeout="1s", connect_timeout="1s")])
                    with Table(directory.folder, "--user", "vmail") as impatient:
                        impatient.open()
                        self.check_trouble(impatient)
                finally:
                    slapd.thaw()


def entry(slapd, address):
    """The name of the entry of an address."""
    return slapd.search(f"(addresseeKey={address})")[0]["dn"][0]


class Fragment(unittest.TestCase):
    def test_debians_smtpd_takes_the_syntax(self):
        # Its own backend for processes stands in for table-addressee, which would have to be in its folder.
        text = re.sub(r"^(table \S+) addressee$", r"\1 proc:/nowhere", (FRAGMENTS / "smtpd.conf").read_text(), flags=re.M)
        self.assertEqual(text.count("proc:/nowhere"), 2)
        with tempfile.TemporaryDirectory() as folder:
            smtpd, environment = smtpd_of_debian(Path(folder))
            for lines, status in (text, 0), (text.replace("rcpt-to user", "nonsense user"), 1):
                file = Path(folder, "smtpd.conf")
                file.write_text(lines)
                file.chmod(0o600)
                done = subprocess.run([smtpd, "-n", "-f", file], env=environment, capture_output=True, text=True)
                self.assertEqual(done.returncode, status, done.stderr)

    def test_the_shell_script(self):
        script = (FRAGMENTS / "table-addressee").read_text()
        self.assertTrue(os.access(FRAGMENTS / "table-addressee", os.X_OK))
        with Directory() as directory:
            copy = directory.folder / "table-addressee"
            copy.write_text(script.replace("/usr/local/bin/addressee", service.PROGRAM))
            copy.chmod(0o755)
            # As fork_proc_backend runs it: the name of the table, and what stands after the colon.
            for arguments, environment in ([str(directory.folder / "addressee.yaml")], {}), ([], dict(
                    os.environ, ADDRESSEE_CONFIG=str(directory.folder / "addressee.yaml"))):
                done = subprocess.run(
                    ["addressee", *arguments], executable=copy, env=environment, capture_output=True, timeout=PATIENCE,
                    input=b"config|tablename|addressee\nconfig|ready\ntable|0.1|1|addressee|lookup|alias|7|fred@example.org\n")
                self.assertEqual(done.stderr, b"")
                self.assertEqual(done.stdout, b"register|alias\nregister|domain\nregister|mailaddr\nregister|ready\n"
                                 b"lookup-result|7|found|vmail\n")


@unittest.skipUnless(PREFIX, "OPENSMTPD names no OpenSMTPD 7.6 or later; Debian 12 has none")
class RealServer(unittest.TestCase):
    def test_smtpd_says_what_our_smtp_says(self):
        with Service() as ours, OpenSMTPD(ours.folder) as server, ours.client() as client:
            client.ask("MAIL FROM:<>")
            for address, value in TARGETS.items():
                if "@" not in address or not address.partition("@")[2]:
                    continue
                with self.subTest(address):
                    reply = server.ask(address)
                    if value is None or not value.startswith("error:"):
                        self.assertRegex(reply, "^250 ")
                    else:
                        self.assertEqual(reply, f"{value[6:]}: <{address}>".replace("\\", ""))
            ours.change("alias", "add", "new@example.org", "--to", "fred@example.org")
            self.assertRegex(server.ask("new@example.org"), "^250 ")
            ours.change("alias", "rm", "new@example.org")
            self.assertRegex(server.ask("new@example.org"), "^550 5.1.1 ")

    def test_nobody_is_refused_for_good_while_the_directory_is_down(self):
        with Directory() as directory:
            directory.ruin()
            with OpenSMTPD(directory.folder) as server:
                for address in "fred@example.org", "nobody@example.org", "x@elsewhere.example":
                    self.assertRegex(server.ask(address), "^451 ", address)
                server.log.wait("addressee check failed: source main could not tell")


if __name__ == "__main__":
    unittest.main()
