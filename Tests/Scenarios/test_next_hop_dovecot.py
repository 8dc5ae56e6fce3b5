"""Messages are handed on to a real Dovecot over LMTP, which answers for each mailbox by itself."""

import tempfile
import unittest
from pathlib import Path

from handing import Handing, hand, rcpt, through
from hops import OVER_QUOTA, Dovecot, field

ALL = ["mailboxes", "relay-domains", "elsewhere"]


def lmtp(hop, over_unix=False, **keys):
    return {"name": "mailboxes", "lmtp": f"unix:{hop.path}" if over_unix else f"127.0.0.1:{hop.port}", **keys}


class Delivering(Handing, unittest.TestCase):
    """Over a Unix socket."""

    RECEIVED = [(b"mail.example.org", b"dovecot.example.net"), (b"client.example", b"mail.example.org")]

    @classmethod
    def setUpClass(cls):
        cls.begin(Dovecot(), lambda hop: lmtp(hop, over_unix=True, takes=ALL))

    def test_over_tcp(self):
        with through(self.hop, next_hops=[lmtp(self.hop)]) as mail:
            self.assertRegex(hand(mail, b"Subject: tcp\r\n\r\n.x\r\n", "team@example.org"), "^250 2")
            self.assertEqual([address for address, _ in self.hop.arrived("tcp")], ["fred@example.org", "wilma@example.org"])
            # By default nothing but mailboxes.
            replies = rcpt(mail, "someone@relay.example", "anna@example.org", "someone@elsewhere.example")
            self.assertEqual([reply[:3] for reply in replies], ["550", "550", "550"])


class Answering(unittest.TestCase):
    """Of several mailboxes some may have taken the message, and others not."""

    @classmethod
    def setUpClass(cls):
        cls.hop = cls.enterClassContext(Dovecot())
        cls.mail = cls.enterClassContext(through(cls.hop, next_hops=[lmtp(cls.hop, over_unix=True)]))
        cls.mail.change("user", "add", "late@example.org")
        cls.mail.change("alias", "add", "both@example.org", "--to", "fred@example.org", OVER_QUOTA)

    def test_whom_dovecot_does_not_know(self):
        self.assertRegex(rcpt(self.mail, "late@example.org")[0], "^550 5")
        self.assertRegex(rcpt(self.mail, "jürgen@example.org", parameters=" SMTPUTF8")[0], "^55[03] 5")

    def test_one_that_is_full(self):
        self.assertRegex(hand(self.mail, b"Subject: full\r\n\r\n", OVER_QUOTA), "^552 5.2.2")

    def test_one_of_several_that_is_full(self):
        for number, recipients in enumerate([["fred@example.org", OVER_QUOTA], [OVER_QUOTA, "fred@example.org"],
                                             ["both@example.org"], ["team@example.org", OVER_QUOTA, "bjorn@example.org"]]):
            subject = f"mixed {number}"
            self.assertRegex(hand(self.mail, f"Subject: {subject}\r\n\r\n".encode(), *recipients), "^554 5.3.0 ")
            reached = [address for address, _ in self.hop.arrived(subject)]
            self.assertEqual(reached, ["bjorn@example.org", "fred@example.org", "wilma@example.org"] if number == 3
                             else ["fred@example.org"])

    def test_the_connection_is_good_for_the_next(self):
        for number in range(20):
            recipients = [["fred@example.org"], ["team@example.org"], [OVER_QUOTA], ["both@example.org"]][number % 4]
            reply = hand(self.mail, f"Subject: {number}\r\n\r\n".encode(), *recipients)
            self.assertEqual(reply[:3], ["250", "250", "552", "554"][number % 4])
            self.assertEqual(len(self.hop.arrived(str(number))), [1, 2, 0, 1][number % 4])


class Users(unittest.TestCase):
    def test_the_users_of_the_page(self):
        """config/dovecot/users.conf: every mailbox on record has a folder, and a detail is none of it."""
        root = self.enterContext(tempfile.TemporaryDirectory(prefix="addressee-vmail-"))
        Path(root).chmod(0o777)
        hop = Dovecot("users.conf", {"uid=vmail gid=vmail": "uid=65534 gid=65534", "/var/vmail": root})
        with hop, through(hop, next_hops=[lmtp(hop, over_unix=True)]) as mail:
            for recipient in "fred+lists@example.org", "wilma@example.org":
                self.assertRegex(hand(mail, b"Subject: x\r\n\r\n", recipient), "^250 2")
            found = sorted(str(path.relative_to(root).parent) for path in Path(root).rglob("new/*"))
            self.assertEqual(found, ["example.org/fred/Maildir/new", "example.org/wilma/Maildir/new"])


class Down(unittest.TestCase):
    def test_dovecot_goes_and_comes(self):
        for over_unix in True, False:
            with self.subTest(over_unix=over_unix), Dovecot() as hop, \
                    through(hop, next_hops=[lmtp(hop, over_unix)]) as mail:
                for _ in range(2):
                    self.assertRegex(hand(mail, b"Subject: x\r\n\r\n", "fred@example.org"), "^250 2")
                    hop.stop()
                    self.assertRegex(rcpt(mail, "fred@example.org")[0], "^451 4.4.1 ")
                    hop.launch()
                self.assertRegex(hand(mail, b"Subject: y\r\n\r\n", "fred@example.org"), "^250 2")
                self.assertEqual([field(octets, "Subject") for octets in hop.wait("fred@example.org", 3)], ["x", "x", "y"])

    def test_maildirs_and_dovecot(self):
        """Whoever has a folder here gets the message when Dovecot has taken it for all of its own."""
        with Dovecot() as hop:
            hops = [{"name": "here", "maildir": "mail/{domain}/{local-part}", "domains": ["second.example"]}, lmtp(hop)]
            with through(hop, next_hops=hops) as mail:
                mail.change("user", "add", "fred@second.example")
                self.assertRegex(hand(mail, b"Subject: x\r\n\r\n", "fred@second.example", "fred@example.org"), "^250 2")
                for recipients, code in ([OVER_QUOTA], "552"), (["fred@example.org", OVER_QUOTA], "554"):
                    reply = hand(mail, b"Subject: y\r\n\r\n", "fred@second.example", *recipients)
                    self.assertEqual(reply[:3], code)
                self.assertEqual(mail.messages("fred", "second.example"), [b"Subject: x\n\n"])


if __name__ == "__main__":
    unittest.main()
