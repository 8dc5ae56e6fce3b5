"""Sources of two kinds: forwards in SQLite, of people who are in LDAP."""

import shlex
import signal
import unittest

from ldap_service import COULD_NOT_TELL, LDAPService, need_slapd, own_slapd, source
from service import DOMAIN, VERDICTS, eventually

# From Tests/LDAP, where ldap_service finds them.
import slapd
from relay import Relay

# The first source: forwards of people whom it does not have.
FORWARDS = [
    "forward add fred@example.org --to fred@elsewhere.example",
    "forward add wilma@example.org --to wilma@elsewhere.example --keep-copy",
    "forward add sam1@example.org --to sam2@example.org",
    "forward add sam2@example.org --to sam2@elsewhere.example sam2@net.example --keep-copy",
    "user add local@example.org --name 'Local One'",
    "list add both@example.org --member fred@example.org max@example.org local@example.org",
]

# Refused by a command that sees the second source too: the address is taken there. The first source goes before it.
CONTRADICTION = "moved add leo@example.org --to leo@elsewhere.example"

ANSWERS = {
    "VRFY fred@example.org": "251 2.1.5 User not local; will forward to <fred@elsewhere.example>",
    "RCPT TO:<fred@example.org>": "251 2.1.5 User not local; will forward to <fred@elsewhere.example>",
    "RCPT TO:<fred+detail@example.org>": "251 2.1.5 User not local; will forward to <fred@elsewhere.example>",
    "VRFY info@example.org": "251 2.1.5 User not local; will forward to <fred@elsewhere.example>",
    # The copy is hers, whose full name the second source has.
    "VRFY wilma@example.org": "250 2.1.5 Wilma Stone <wilma@example.org>",
    "EXPN wilma@example.org": "250-2.1.5 Wilma Stone <wilma@example.org>\n250 2.1.5 <wilma@elsewhere.example>",
    "RCPT TO:<wilma@example.org>": "250 2.1.5 OK",
    "VRFY sam1@example.org": "250 2.1.5 Sam Jones <sam2@example.org>",
    "VRFY local@example.org": "250 2.1.5 Local One <local@example.org>",
    "VRFY local": "250 2.1.5 Local One <local@example.org>",
    "EXPN both": "250-2.1.5 Fred Claude <fred@example.org>\n250-2.1.5 Max Weber <max@example.org>\n"
                 "250 2.1.5 Local One <local@example.org>",
    "VRFY max": VERDICTS["max"],
    "VRFY claude": "251 2.1.5 User not local; will forward to <fred@elsewhere.example>",
    "VRFY leo@example.org": "551 5.1.6 User not local; please try <leo@elsewhere.example>",
    "VRFY anna@example.org": VERDICTS["anna"],
    "VRFY nobody@example.org": VERDICTS["nobody"],
    "VRFY nobody": VERDICTS["nobody"],
    "RCPT TO:<anything@catch.example>": "251 2.1.5 User not local; will forward to <fred@elsewhere.example>",
}


def setUpModule():
    need_slapd()


class Mixed(LDAPService):
    """A first source in SQLite with FORWARDS, and people in LDAP."""

    def __init__(self, people):
        super().__init__({"name": "main", "sqlite": "directory.sqlite"}, people)

    def start(self):
        if not self.database.exists():
            (self.folder / "addressee.yaml").unlink()
            self.change("init", "--domain", DOMAIN)
            self.change(*CONTRADICTION.split())
            self.configure(**self.settings)
            # Their targets are found in the second source.
            for command in FORWARDS:
                self.change(*shlex.split(command))
        super().start()


class SQLiteBeforeLDAP(unittest.TestCase):
    def setUp(self):
        self.slapd = self.enterContext(own_slapd())
        self.relay = self.enterContext(Relay(self.slapd))
        self.service = self.enterContext(Mixed(source(self.relay.uri)))
        self.client = self.enterContext(self.service.client())
        self.client.ask("MAIL FROM:<>")

    def check(self):
        # One by one, and pipelined.
        for question, reply in ANSWERS.items():
            with self.subTest(question):
                self.assertEqual(self.client.ask(question), reply)
        self.client.send("".join(f"{question}\r\n" for question in ANSWERS))
        self.assertEqual([self.client.reply() for _ in ANSWERS], list(ANSWERS.values()))

    def test_forwards_of_the_first_sit_on_users_of_the_second(self):
        self.check()
        self.assertEqual(
            self.service.run("resolve", "wilma@example.org").stdout,
            "wilma@example.org\nwilma@elsewhere.example\n")
        self.assertEqual(
            self.service.run("verify", "fred").stdout,
            "251 2.1.5 User not local; will forward to <fred@elsewhere.example>\n")

    def test_commands_find_what_either_has(self):
        done = self.service.run("refs", "fclaude")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(
            set(done.stdout.splitlines()),
            {f"{row}\tfred@example.org\t{place}" for row, place in [
                ("list\tboth@example.org\tmember", "main"), ("alias\tinfo@example.org\ttarget", "people"),
                ("alias\tteam@example.org\ttarget", "people"), ("list\tstaff@example.org\tmember", "people"),
                ("list\tsecret@example.org\tmember", "people"), ("domain\tcatch.example\tcatch-all", "people")]})
        self.assertIn("login\tfclaude\n", self.service.run("user", "show", "fclaude").stdout)
        self.assertEqual(
            self.service.run("user", "add", "x@second.example").stderr,
            "addressee: the domain second.example is not on record in the source main, but in people; use --source people\n")
        self.assertIn("did you mean relay.example?", self.service.run("user", "add", "x@relay.exampel").stderr)
        checked = self.service.run("check").stdout
        self.assertIn("mail for postmaster@second.example is taken, as it must be, and nobody reads it", checked)

    def test_a_change_in_sqlite_is_seen_by_the_very_next_question(self):
        for _ in range(5):
            self.service.change("forward", "rm", "fred@example.org")
            self.assertEqual(self.client.ask("VRFY fred@example.org"), VERDICTS["fred"])
            self.service.change("forward", "add", "fred@example.org", "--to", "fred@elsewhere.example")
            self.assertEqual(self.client.ask("VRFY fred@example.org"), ANSWERS["VRFY fred@example.org"])

    def assertTroubled(self, questions):
        for question in questions:
            with self.subTest(question):
                self.assertEqual(self.client.ask(question), COULD_NOT_TELL)

    def test_trouble_with_ldap_is_451(self):
        self.relay.refuse()
        # The first source alone is no ground for an answer, not even where it knows the address: what stands in its
        # way might be in the second.
        self.assertTroubled(question for question in ANSWERS if "local" not in question and "leo" not in question)
        status = self.service.run("verify", "max")
        self.assertEqual((status.returncode, status.stdout), (75, COULD_NOT_TELL + "\n"))
        self.relay.heal()
        eventually(lambda: self.client.ask("VRFY max") == VERDICTS["max"], "LDAP is asked again")
        self.check()

    def test_trouble_with_sqlite_is_451(self):
        self.check()
        aside = self.service.folder / "aside.sqlite"
        self.service.database.rename(aside)
        eventually(lambda: self.client.ask("VRFY max") == COULD_NOT_TELL, "the file is missed")
        self.assertTroubled(ANSWERS)
        self.assertEqual(self.service.run("verify", "max").returncode, 75)
        aside.rename(self.service.database)
        eventually(lambda: self.client.ask("VRFY max") == VERDICTS["max"], "the file is back")
        self.check()

    def test_trouble_with_both_is_451(self):
        self.relay.hang()
        self.service.database.unlink()
        eventually(lambda: self.client.ask("VRFY max") == COULD_NOT_TELL, "the file is missed")
        self.assertTroubled(["VRFY fred@example.org", "VRFY nobody", "RCPT TO:<wilma@example.org>", "EXPN both"])


class LDAPBeforeSQLite(unittest.TestCase):
    def test_the_order_is_that_of_the_configuration(self):
        with own_slapd() as server, Relay(server) as relay, Mixed(source(relay.uri)) as service:
            service.reload(source(relay.uri), {"name": "main", "sqlite": "directory.sqlite"})
            with service.client() as client:
                # Who is a user in the first is not looked for in the second.
                self.assertEqual(client.ask("VRFY local"), ANSWERS["VRFY local"])
                self.assertEqual(client.ask("VRFY leo@example.org"), VERDICTS["leo"])
                relay.refuse()
                for question in ["VRFY local", "VRFY local@example.org", "VRFY nobody@example.org"]:
                    self.assertEqual(client.ask(question), COULD_NOT_TELL)
                relay.heal()
                eventually(lambda: client.ask("VRFY local") == ANSWERS["VRFY local"], "LDAP is asked again")


class TwoDirectories(unittest.TestCase):
    def test_two_sources_in_ldap_in_different_schemas(self):
        laser, nis = slapd.site("laser"), slapd.site("nis")
        with laser.start() as one, nis.start() as two, Relay(two) as relay:
            sources = [
                source(one.uri, name="one", base=one.base, preset="laser", domains=["example.org"]),
                source(relay.uri, name="two", base=two.base, preset="nis", domains=["example.org"])]
            with LDAPService(*sources) as service, service.client() as client:
                # In the first only; in the second only; in neither.
                self.assertEqual(client.ask("VRFY wilma"), VERDICTS["wilma@example.org"])
                self.assertEqual(client.ask("VRFY webmaster"), "250 2.1.5 <Webmaster@example.org>")
                self.assertEqual(client.ask("VRFY nobody"), VERDICTS["nobody"])
                relay.refuse()
                for question in ["VRFY webmaster", "VRFY nobody", "VRFY webmaster@example.org"]:
                    self.assertEqual(client.ask(question), COULD_NOT_TELL)


class Examined(unittest.TestCase):
    """What is wrong with a source is in the log as soon as the server starts, for every answer would be wrong."""

    def test_a_preset_that_fits_nobody(self):
        with own_slapd() as server:
            wrong = source(server.uri, preset="qmail", domains=["example.org"])
            with LDAPService(wrong) as service:
                service.log.wait(r" error source-examined .*qmailUser.* source=people")
                # And again when a configuration is put in force.
                start = len(service.log.lines)
                service.reload(source(server.uri, base="ou=nowhere,dc=example,dc=org"))
                service.log.wait(r" error source-examined .*nowhere.* source=people", start=start)

    def test_a_source_without_addresses_is_refused(self):
        with own_slapd() as server:
            none = source(server.uri, preset="inetorgperson", domains=["example.org"], roles={"address": []})
            with LDAPService(source(server.uri)) as service:
                start = len(service.log.lines)
                service.configure(sources=[none])
                done = service.run("verify", "fred@example.org")
                self.assertEqual((done.returncode, done.stdout), (78, ""))
                self.assertIn("has no attribute with addresses", done.stderr)
                service.process.send_signal(signal.SIGHUP)
                service.log.wait(r" error configuration-not-reloaded .*no attribute with addresses", start=start)
