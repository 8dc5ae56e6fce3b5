"""Two servers that replicate to each other: what one is told the other knows, and either is enough."""

import unittest

from ldap_records import ldif
from ldap_service import (
    ALL_RECORDS, BASE, COULD_NOT_TELL, INDEXES, PASSWORD_FILE, SCHEMA, LDAPService, need_slapd, source, writable)
from ldap_traffic import Traffic
from service import VERDICTS, eventually

# From Tests/LDAP, where ldap_service finds them.
import slapd


def setUpModule():
    need_slapd()


class Replication(unittest.TestCase):
    def setUp(self):
        text = f"dn: {BASE}\nobjectClass: organizationalUnit\nou: mail\n\n" + ldif(ALL_RECORDS, BASE)
        self.pair = self.enterContext(slapd.Pair(schemas=[SCHEMA], indexes=INDEXES, ldif=text))

    def add(self, server, name):
        server.add(ldif([f"user add {name}@example.org --name 'New {name.title()}'"], BASE))

    def assertFound(self, client, name):
        reply = f"250 2.1.5 New {name.title()} <{name}@example.org>"
        eventually(lambda: client.ask(f"VRFY {name}") == reply, f"{name} is found")

    def test_a_user_added_through_one_is_found_through_the_other(self):
        first, second = self.pair.servers
        with LDAPService(source(first.uri)) as one, LDAPService(source(second.uri)) as two, one.client() as here, \
                two.client() as there:
            for number, (server, client) in enumerate([(first, there), (second, here)] * 2):
                self.assertEqual(client.ask(f"VRFY new{number}"), VERDICTS["nobody"])
                self.add(server, f"new{number}")
                self.assertFound(client, f"new{number}")
                server.modify(
                    f"dn: addresseeKey=new{number}@example.org,{BASE}\nchangetype: modify\nreplace: addresseeStatus\n"
                    "addresseeStatus: disabled\n")
                eventually(lambda: client.ask(f"VRFY new{number}") == VERDICTS["ruth"], "the change is seen")

    def test_a_user_that_a_command_adds_at_one_is_found_through_the_other(self):
        first, second = self.pair.servers
        with LDAPService(writable(first), files=PASSWORD_FILE) as one, LDAPService(source(second.uri)) as two, \
                two.client() as client:
            self.assertEqual(client.ask("VRFY nina"), VERDICTS["nobody"])
            one.change("user", "add", "nina@example.org", "--name", "New Nina", "--source", "people")
            self.assertFound(client, "nina")
            one.change("user", "rm", "nina@example.org")
            eventually(lambda: client.ask("VRFY nina") == VERDICTS["nobody"], "the removal is seen")

    def test_one_dies_and_service_goes_on(self):
        first, second = self.pair.servers
        with LDAPService(source(self.pair.uris, timeout="10s", connect_timeout="2s")) as service, service.client() as client:
            with Traffic(service) as traffic:
                first.kill()
                traffic.wait_for_batches(5)
                # What was under way is asked again, of the other.
                self.assertEqual(traffic.troubles, [])
                self.add(second, "late")
                self.assertFound(client, "late")
                first.restart()
                # The one that was away catches up, and is used when the other goes.
                eventually(lambda: first.search("(addresseeLocalPartKey=late)"), "replication")
                second.kill()
                traffic.wait_for_batches(5)
                self.assertEqual(traffic.troubles, [])
                self.assertFound(client, "late")
                first.freeze()
                traffic.wait_for_trouble()
                second.restart()
                self.assertLess(traffic.recovery(), 20)
                first.thaw()
                traffic.wait_for_batches(3)

    def test_the_command_line_asks_the_one_that_is_there(self):
        first, second = self.pair.servers
        with LDAPService(source(self.pair.uris)) as service:
            for gone in [first, second]:
                gone.kill()
                for question, reply in [("fred", VERDICTS["fred"]), ("nobody", VERDICTS["nobody"])]:
                    self.assertEqual(service.run("verify", question).stdout, reply + "\n")
                if gone is first:
                    gone.restart()
            first.kill()
            done = service.run("verify", "fred")
            self.assertEqual((done.returncode, done.stdout), (75, COULD_NOT_TELL + "\n"))
            self.assertRegex(done.stderr, r"\A[^\n]*ldap://127\.0\.0\.1:[^\n]*\n\Z")
