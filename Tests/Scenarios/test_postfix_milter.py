"""Postfix asks the milter listener with the lines of config/postfix/milter.cf."""

import unittest

from postfix import Postfix
from service import SPELLINGS, Service

LISTENERS = [{"smtp": "127.0.0.1:0"}, {"milter": "127.0.0.1:0"}, {"socketmap": "127.0.0.1:0"}]
# Domains in a file, recipients taken unseen: only the filter knows who is here.
DOMAINS = ["relay_domains = example.org, second.example, alias.example, relay.example, catch.example",
           "relay_recipient_maps ="]

REFUSED = {
    "nobody@example.org": r"550 5\.1\.1 No such user here",
    "nobody@alias.example": r"550 5\.1\.1 No such user here",
    '"no body"@example.org': r"550 5\.1\.1 No such user here",
    "gone@example.org": r"551 5\.1\.6 User not local; please try <gone@elsewhere.example>",
    "left@example.org": r"550 5\.1\.6 User has moved",
    "ruth@example.org": r"550 5\.2\.1 Mailbox disabled",
    "leo@example.org": r"450 4\.2\.1 Mailbox suspended, try again later",
    "max@example.org": r"452 4\.2\.2 Mailbox full",
    # Before the filter has a say.
    "nobody@elsewhere.example": r"554 5\.7\.1 .*Relay access denied",
}
TAKEN = ["fred@example.org", "FRED@Example.ORG", "fred+lists@example.org", "info@example.org", "away@example.org",
         "anna@example.org", "staff@example.org", "any@catch.example", "fred@alias.example", "someone@relay.example",
         "postmaster@example.org", "postmaster@second.example", "postmaster", '"fred"@example.org', '"o.k"@example.org']


def addresses(service, **more):
    return {"127.0.0.1:2530": "{}:{}".format(*service.addresses[1]), **more}


class Milter(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service(listeners=LISTENERS))
        cls.service.change("user", "add", '"o.k"@example.org', "--name", "O K")
        cls.service.change("user", "add", '"o k"@example.org', "--name", "O K")

    def test_postfix_answers_in_our_words(self):
        with Postfix(["milter.cf"], addresses(self.service), *DOMAINS, "smtpd_client_restrictions =") as postfix:
            for address in [*TAKEN, '"o k"@example.org', "@a.example:fred@example.org"]:
                with self.subTest(address):
                    self.assertRegex(postfix.ask(address), "^250 2.1.5")
            for address, reply in REFUSED.items():
                with self.subTest(address):
                    self.assertRegex(postfix.ask(address), reply)

    def test_postfix_answers_in_our_words_with_the_maps(self):
        with Postfix(["virtual-users.cf", "milter.cf"], addresses(
                self.service, **{"127.0.0.1:2526": "{}:{}".format(*self.service.addresses[2])})) as postfix:
            for address in TAKEN:
                with self.subTest(address):
                    self.assertRegex(postfix.ask(address), "^250 2.1.5")
            # What the maps refuse, they refuse first.
            self.assertRegex(postfix.ask("nobody@example.org"), "^550 5.1.1 .*User unknown in virtual mailbox table")
            self.assertRegex(postfix.ask("gone@example.org"), "^55. 5.1.6")

    def test_odd_spellings(self):
        with Postfix(["milter.cf"], addresses(self.service), *DOMAINS) as postfix:
            for spelling in SPELLINGS:
                with self.subTest(spelling):
                    self.assertRegex(postfix.ask(spelling.format("fred")), "^250 2.1.5")
                    self.assertRegex(postfix.ask(spelling.format("nobody")), "^550 5.1.1 No such user here")

    def test_utf8(self):
        with Postfix(["milter.cf"], addresses(self.service), *DOMAINS) as postfix, postfix.client() as client:
            client.ask("EHLO client.example.net")
            client.ask("MAIL FROM:<> SMTPUTF8")
            self.assertRegex(client.ask("RCPT TO:<jürgen@example.org>"), "^250 2.1.5")
            self.assertRegex(client.ask("RCPT TO:<jörgen@example.org>"), "^550 5.1.1 No such user here")

    def test_many_messages_in_one_session(self):
        with Postfix(["milter.cf"], addresses(self.service), *DOMAINS) as postfix, postfix.client() as client:
            client.ask("EHLO client.example.net")
            for number in range(5):
                client.ask("MAIL FROM:<>")
                self.assertRegex(client.ask("RCPT TO:<nobody@example.org>"), "^550 5.1.1 No such user here")
                self.assertRegex(client.ask("RCPT TO:<fred@example.org>"), "^250 2.1.5")
                if number % 2:
                    self.assertRegex(client.ask("RSET"), "^250")
                else:
                    self.assertRegex(client.ask("DATA"), "^354")
                    self.assertRegex(client.ask("Subject: x\r\n\r\ntext\r\n."), "^250 2.0.0 Ok: queued")
            self.assertRegex(client.ask("QUIT"), "^221")

    def test_nobody_is_refused_for_good_while_the_directory_is_down(self):
        with Service(listeners=LISTENERS) as service:
            with Postfix(["milter.cf"], addresses(service), *DOMAINS) as postfix:
                self.assertRegex(postfix.ask("fred@example.org"), "^250")
                service.database.write_bytes(b"no database" * 1000)
                for name in "-wal", "-shm":
                    service.folder.joinpath(service.database.name + name).unlink(missing_ok=True)
                for address in "fred@example.org", "nobody@example.org", "ruth@example.org":
                    self.assertRegex(postfix.ask(address), r"^451 4\.4\.3 The directory could not tell")
                service.stop()
                for address in "fred@example.org", "nobody@example.org":
                    self.assertRegex(postfix.ask(address), "^4")


if __name__ == "__main__":
    unittest.main()
