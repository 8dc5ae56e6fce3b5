"""sendmail asks the milter and socketmap listeners with the lines of config/sendmail/addressee.mc."""

import re
import unittest

from sendmail import Sendmail
from service import SPELLINGS, Service, swaks

LISTENERS = [{"smtp": "127.0.0.1:0"}, {"socketmap": "127.0.0.1:0"}, {"milter": "127.0.0.1:0"}]
DOMAINS = ["example.org", "second.example", "alias.example", "relay.example", "catch.example"]

# sendmail puts the address before some texts.
REFUSED = {
    "nobody@example.org": r"550 5\.1\.1 <nobody@example.org>\.\.\. No such user here",
    "nobody@alias.example": r"550 5\.1\.1 .*No such user here",
    '"no body"@example.org': r"550 5\.1\.1 .*No such user here",
    "@a.example:nobody@example.org": r"550 5\.1\.1 .*No such user here",
    "gone@example.org": r"551 5\.1\.6 User not local; please try <gone@elsewhere.example>",
    "percent@example.org": r"551 5\.1\.6 User not local; please try <a%s%n@elsewhere.example>",
    "left@example.org": r"550 5\.1\.6 .*User has moved",
    "ruth@example.org": r"550 5\.2\.1 .*Mailbox disabled",
    "leo@example.org": r"450 4\.2\.1 .*Mailbox suspended, try again later",
    "max@example.org": r"452 4\.2\.2 Mailbox full",
}
SWAKS = {address: REFUSED[address] for address in ["nobody@example.org", "gone@example.org", "leo@example.org"]}
TAKEN = ["fred@example.org", "FRED@Example.ORG", "fred+lists@example.org", "info@example.org", "away@example.org",
         "anna@example.org", "staff@example.org", "any@catch.example", "fred@alias.example", "someone@relay.example",
         "postmaster@example.org", "postmaster@second.example", "postmaster", '"fred"@example.org', '"o k"@example.org',
         "@a.example,@b.example:fred@example.org", "jürgen@example.org"]

# Map, key, and the value; None for "no match", a number for the status of what can't be told.
MAPS = [
    ("domains", "example.org", "example.org"), ("domains", "relay.example", None),
    ("relay_domains", "relay.example", "relay.example"), ("relay_domains", "example.org", None),
    ("mailboxes", "fred@example.org", "fred@example.org"), ("mailboxes", "fred+x@example.org", "fred@example.org"),
    ("mailboxes", "info@example.org", "fred@example.org"), ("mailboxes", "any@catch.example", "fred@example.org"),
    ("mailboxes", "fred@alias.example", "fred@example.org"), ("mailboxes", "staff@example.org", "staff@example.org"),
    ("mailboxes", "postmaster@example.org", "postmaster@example.org"),
    ("mailboxes", "jürgen@example.org", "jürgen@example.org"), ("mailboxes", '"o k"@example.org', '"o k"@example.org'),
    ("mailboxes", "nobody@example.org", None), ("mailboxes", "ruth@example.org", None),
    ("mailboxes", "gone@example.org", None), ("mailboxes", "someone@relay.example", None),
    ("mailboxes", "leo@example.org", 75), ("mailboxes", "max@example.org", 75),
    ("recipients", "someone@relay.example", "someone@relay.example"), ("recipients", "nobody@example.org", None),
    ("aliases_step", "team@example.org", "fred@example.org, wilma@example.org"),
    ("aliases_step", "fred@example.org", None),
    ("forwards", "away@example.org", "away@elsewhere.example"), ("forwards", "info@example.org", None),
    ("relocated", "gone@example.org", "gone@elsewhere.example"), ("relocated", "fred@example.org", None),
]


def sendmail(service):
    return Sendmail({"2526@127.0.0.1": f"{service.addresses[1][1]}@127.0.0.1",
                     "2530@127.0.0.1": f"{service.addresses[2][1]}@127.0.0.1"}, DOMAINS)


def looked_up(sendmail, *questions):
    """What `/map` found for each: a value, None, or the status of a failure."""
    found = []
    for line in sendmail.map(*questions).splitlines():
        if match := re.search(r"map_lookup: \S+ \(.*\) returns (.*) \(0\)$", line):
            found.append(match[1])
        elif match := re.search(r"map_lookup: .* no match \((\d+)\)$", line):
            found.append(None if match[1] == "68" else int(match[1]))
    return found


class Mail(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service(listeners=LISTENERS))
        cls.service.change("user", "add", '"o k"@example.org', "--name", "O K")
        cls.service.change("moved", "add", "percent@example.org", "--to", "a%s%n@elsewhere.example")
        cls.sendmail = cls.enterClassContext(sendmail(cls.service))

    def test_odd_spellings(self):
        for spelling in SPELLINGS:
            with self.subTest(spelling):
                self.assertRegex(self.sendmail.ask(spelling.format("fred")), "^250 2.1.5")
                self.assertRegex(self.sendmail.ask(spelling.format("nobody")), "^550 5.1.1 .*No such user here")

    def test_swaks(self):
        for address in ["fred@example.org", *SWAKS]:
            self.assertRegex(swaks(self.sendmail.port, address)[1], f"^{SWAKS.get(address, '250 2.1.5')}")

    def test_sendmail_answers_in_our_words(self):
        for address in TAKEN:
            with self.subTest(address):
                self.assertRegex(self.sendmail.ask(address), "^250 2.1.5")
        for address, reply in REFUSED.items():
            with self.subTest(address):
                self.assertRegex(self.sendmail.ask(address), f"^{reply}$")

    def test_other_domains_are_left_to_sendmail(self):
        # It relays for this machine.
        self.assertRegex(self.sendmail.ask("nobody@elsewhere.example"), "^250 2.1.5")

    def test_many_messages_in_one_session(self):
        with self.sendmail.client() as client:
            client.ask("EHLO client.example.net")
            for number in range(5):
                client.ask("MAIL FROM:<>")
                self.assertRegex(client.ask("RCPT TO:<nobody@example.org>"), "^550 5.1.1 .*No such user here")
                self.assertRegex(client.ask("RCPT TO:<fred@example.org>"), "^250 2.1.5")
                if number % 2:
                    self.assertRegex(client.ask("RSET"), "^250")
                else:
                    self.assertRegex(client.ask("DATA"), "^354")
                    self.assertRegex(client.ask("Subject: x\r\n\r\ntext\r\n."), "^250 2.0.0 .*accepted for delivery")
            self.assertRegex(client.ask("QUIT"), "^221")

    def test_its_maps_hold_what_ours_do(self):
        found = looked_up(self.sendmail, *[(name, key) for name, key, _ in MAPS])
        self.assertEqual(len(found), len(MAPS))
        for (name, key, value), answer in zip(MAPS, found):
            with self.subTest(map=name, key=key):
                self.assertEqual(answer, value)


class Trouble(unittest.TestCase):
    def test_nobody_is_refused_for_good_while_the_directory_is_down(self):
        with Service(listeners=LISTENERS) as service, sendmail(service) as mta:
            self.assertRegex(mta.ask("fred@example.org"), "^250")
            service.database.write_bytes(b"no database" * 1000)
            for name in "-wal", "-shm":
                service.folder.joinpath(service.database.name + name).unlink(missing_ok=True)
            questions = [(name, key) for name, key, _ in MAPS]
            for address in "fred@example.org", "nobody@example.org", "ruth@example.org":
                self.assertRegex(mta.ask(address), r"^451 4\.4\.3 .*The directory could not tell")
            self.assertEqual(looked_up(mta, *questions), [75] * len(questions))
            service.stop()
            self.assertRegex(mta.ask("fred@example.org"), "^451")
            self.assertEqual(looked_up(mta, ("mailboxes", "fred@example.org")), [75])


if __name__ == "__main__":
    unittest.main()
