"""Messages are handed on to a real Exim over SMTP."""

import unittest

from handing import Handing, hand, rcpt, through
from hops import EximHop, below, field


class Delivering(Handing, unittest.TestCase):
    RECEIVED = [(b"[127.0.0.1]", b"exim.example.net"), (b"client.example", b"mail.example.org")]

    @classmethod
    def setUpClass(cls):
        cls.begin(EximHop())

    def test_addresses_in_utf8(self):
        message = "Subject: an Jürgen\r\n\r\nGrüße\r\n".encode()
        self.assertRegex(
            hand(self.mail, message, "jürgen@example.org", parameters=" BODY=8BITMIME SMTPUTF8"), "^250 2")
        [octets] = self.hop.wait("jürgen@example.org")
        self.assertEqual(below(octets), message.replace(b"\r\n", b"\n"))


class Refusing(unittest.TestCase):
    def test_whom_exim_refuses_and_what(self):
        with EximHop() as hop, through(hop) as mail:
            mail.change("user", "add", "late@example.org")
            replies = rcpt(mail, "late@example.org", "nobody@relay.example", "fred@example.org")
            self.assertEqual([reply[:5] for reply in replies], ["550 5", "550 5", "250 2"])
            self.assertRegex(hand(mail, b"Subject: bad\r\n\r\n", "fred@example.org"), "^55[0-4] 5")
            self.assertEqual(hop.arrived(), [])

    def test_exim_goes_and_comes(self):
        with EximHop() as hop, through(hop) as mail:
            for _ in range(2):
                self.assertRegex(hand(mail, b"Subject: x\r\n\r\n", "fred@example.org"), "^250 2")
                hop.stop()
                self.assertRegex(rcpt(mail, "fred@example.org")[0], "^451 4.4.1 ")
                hop.launch()
            self.assertRegex(hand(mail, b"Subject: y\r\n\r\n", "fred@example.org"), "^250 2")
            self.assertEqual([field(octets, "Subject") for octets in hop.wait("fred@example.org", 3)], ["x", "x", "y"])


if __name__ == "__main__":
    unittest.main()
