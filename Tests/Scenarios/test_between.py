"""Between two servers, or between a server and itself, by the fragments of config: a message goes in at one end, and comes out at
the other, resolved, whole, and refused in our words."""

import unittest

from handing import ODD, hand, rcpt
from hops import OVER_QUOTA, Dovecot, EximHop, PostfixHop, below, field, send, smtp_source
from service import eventually
from test_maildir import Mail

CLIENTS = [{"name": "server", "networks": ["127.0.0.1"], "relay": True, "rcpt": "existence",
            "questions-per-minute": "unlimited"}]


def between(port, **keys):
    """A server that hands on all mail to a port of the server before it."""
    return Mail(**{"next_hops": [{"name": "back", "smtp": f"127.0.0.1:{port}"}], "clients": CLIENTS,
                   "hostname": "addressee.example.org", **keys})


class Between:
    """For test cases that have a `server`, at both ends, and a `mail` in the middle."""

    CASES = [
        (["info@example.org"], ["fred@example.org"]),
        (["team@example.org", "fred@example.org"], ["fred@example.org", "wilma@example.org"]),
        (["anna@example.org"], ["anna@elsewhere.example", "anna@example.org"]),
        (["staff@example.org"], ["fred@example.org", "sam@elsewhere.example", "wilma@example.org"]),
        (["away@example.org"], ["away@elsewhere.example"]),
    ]

    def settled(self, subject, wanted):
        """Who has got it, once all have."""
        eventually(lambda: len(self.server.arrived(subject)) >= len(wanted), f"{subject}: {self.server.tail()}")
        return [address for address, _ in self.server.arrived(subject)]

    def test_who_gets_it(self):
        for number, (recipients, wanted) in enumerate(self.CASES):
            with self.subTest(recipients):
                subject = f"between {number}"
                self.assertRegex(hand(self.server, f"Subject: {subject}\r\n\r\n".encode(), *recipients), "^250")
                self.assertEqual(self.settled(subject, wanted), wanted)

    def test_odd_messages(self):
        for name, body in ODD.items():
            with self.subTest(name):
                message = f"Subject: {name}\r\n\r\n".encode() + body
                self.assertRegex(hand(self.server, message, "bjorn@example.org", parameters=" BODY=8BITMIME"), "^250")
                self.settled(name, ["bjorn@example.org"])
                [(_, octets)] = self.server.arrived(name)
                self.assertEqual(below(octets), message.replace(b"\r\n", b"\n"))

    def test_addresses_in_utf8(self):
        self.assertRegex(hand(self.server, "Subject: Grüße\r\n\r\n".encode(), "jürgen@example.org",
                              parameters=" BODY=8BITMIME SMTPUTF8"), "^250")
        self.settled("Grüße", ["jürgen@example.org"])

    def test_load(self):
        smtp_source(self.server.port, "-c", "-s", "10", "-m", "100", "-l", "10000", "-f", "load@client.example",
                    "-t", "sam1@example.org")
        messages = self.server.wait("sam1@example.org", 100)
        self.assertEqual(len({field(octets, "Message-Id") for octets in messages}), 100)
        self.assertEqual(len(messages), 100)

    def test_by_swaks(self):
        status, said = send(self.server.port, ["team@example.org"], b"Subject: by swaks\n\n.x\n")
        self.assertEqual(status, 0, said)
        self.assertEqual(self.settled("by swaks", ["", ""]), ["fred@example.org", "wilma@example.org"])

    def test_who_is_refused(self):
        for recipient, reply in self.REFUSED.items():
            self.assertRegex(rcpt(self.server, recipient)[0], reply, recipient)


class PostfixWhileTheClientWaits(Between, unittest.TestCase):
    REFUSED = {"nobody@example.org": "^550 5.1.1 No such user here", "ruth@example.org": "^550 5.2.1 Mailbox disabled",
               "leo@example.org": "^450 4.2.1 ", "max@example.org": "^452 4.2.2 ", "gone@example.org": "^550 5.1.[16] ",
               "x@unknown.example": "^554 5.7.1 .*Relay access denied"}

    @classmethod
    def setUpClass(cls):
        server = PostfixHop(fragments=["proxy-filter.cf"])
        cls.mail = cls.enterClassContext(between(server.back_port))
        server.addresses = {"127.0.0.1:2525": f"127.0.0.1:{cls.mail.port}", "127.0.0.1:10026": f"127.0.0.1:{server.back_port}"}
        cls.server = cls.enterClassContext(server)

    def test_one_who_is_not_there_in_the_end(self):
        self.mail.change("user", "add", "late@example.org")
        self.assertRegex(rcpt(self.server, "late@example.org")[0], "^550 5")

    def test_a_message_that_is_refused(self):
        with self.server.client() as client:
            client.ask("EHLO client.example")
            client.ask("MAIL FROM:<me@client.example>")
            client.ask("RCPT TO:<fred@example.org>")
            client.ask("DATA")
            client.send(b"Subject: refused\r\nDelivered-To: fred@example.org\r\n\r\n.\r\n")
            self.assertRegex(client.reply(), "^554 5.4.6 ")
        self.assertEqual(self.server.arrived("refused"), [])

    def test_two_senders_in_one_message(self):
        self.mail.change("list", "add", "owned@example.org", "--owner", "anna@example.org", "--member", "sam1@example.org")
        replies = rcpt(self.server, "owned@example.org", "fred@example.org")
        self.assertRegex(replies[0], "^250")
        self.assertRegex(replies[1], "^452 4.5.3")
        self.assertRegex(hand(self.server, b"Subject: owned\r\n\r\n", "owned@example.org"), "^250")
        self.settled("owned", [""])
        [(_, octets)] = self.server.arrived("owned")
        self.assertEqual(field(octets, "Return-Path"), "<anna@example.org>")


class PostfixFromItsQueue(Between, unittest.TestCase):
    REFUSED = {"nobody@example.org": "^550 5.1.1 .*No such user here", "leo@example.org": "^450 4.2.1 ",
               "max@example.org": "^452 4.2.2 ", "x@unknown.example": "^554 5.7.1 .*Relay access denied"}

    @classmethod
    def setUpClass(cls):
        server = PostfixHop(
            "smtpd_reject_unlisted_recipient = no", fragments=["policy.cf", "content-filter.cf"])
        cls.mail = cls.enterClassContext(between(
            server.back_port, listeners=[{"smtp": "127.0.0.1:0"}, {"policy": "127.0.0.1:0"}]))
        server.addresses = {
            "[127.0.0.1]:2525": f"[127.0.0.1]:{cls.mail.port}", "127.0.0.1:10026": f"127.0.0.1:{server.back_port}",
            "127.0.0.1:2527": f"127.0.0.1:{cls.mail.addresses[1][1]}"}
        cls.server = cls.enterClassContext(server)

    def test_two_senders_in_one_message(self):
        """Postfix comes again with the recipients that were put off."""
        self.mail.change("list", "add", "owned@example.org", "--owner", "anna@example.org", "--member", "sam1@example.org")
        self.assertRegex(hand(self.server, b"Subject: owned\r\n\r\n", "owned@example.org", "fred@example.org"), "^250")
        self.assertEqual(self.settled("owned", ["", ""]), ["fred@example.org", "sam1@example.org"])
        self.assertEqual([field(octets, "Return-Path") for _, octets in self.server.arrived("owned")],
                         ["<me@client.example>", "<anna@example.org>"])

    def test_while_we_are_down_nothing_is_lost(self):
        server = PostfixHop(fragments=["content-filter.cf"])
        with between(server.back_port) as mail:
            server.addresses = {"[127.0.0.1]:2525": f"[127.0.0.1]:{mail.port}",
                                "127.0.0.1:10026": f"127.0.0.1:{server.back_port}"}
            mail.stop()
            with server:
                self.assertRegex(hand(server, b"Subject: waits\r\n\r\n", "fred@example.org"), "^250")
                eventually(lambda: "Connection refused" in server.tail(), "Postfix has tried")
                mail.configure(**{**mail.settings, "listeners": [{"smtp": f"127.0.0.1:{mail.port}"}]})
                mail.start()
                self.assertEqual(len(server.wait("fred@example.org")), 1)


class EximAndBack(Between, unittest.TestCase):
    REFUSED = {"nobody@example.org": "(?s)^550.*No such user here", "leo@example.org": "^45[01]", "gone@example.org": "^550",
               "x@unknown.example": "^550"}

    @classmethod
    def setUpClass(cls):
        server = EximHop("next-hop.conf")
        cls.mail = cls.enterClassContext(between(server.back_port))
        server.replacements = {"daemon_smtp_ports = 25 : 10026": f"daemon_smtp_ports = {server.port} : {server.back_port}",
                               "10026": str(server.back_port), "port = 2525": f"port = {cls.mail.port}"}
        cls.server = cls.enterClassContext(server)


class PostfixBeforeDovecot(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dovecot = cls.enterClassContext(Dovecot("lmtp.conf", {"group = addressee": "group = nogroup"}))
        cls.mail = cls.enterClassContext(Mail(
            next_hops=[{"name": "mailboxes", "lmtp": f"unix:{cls.dovecot.folder}/run/lmtp"}], clients=CLIENTS))
        cls.postfix = cls.enterClassContext(PostfixHop(
            f"virtual_transport = smtp:[127.0.0.1]:{cls.mail.port}", "smtp_tls_security_level = none"))

    def test_who_gets_it(self):
        for number, (recipients, wanted) in enumerate(Between.CASES[:2]):
            subject = f"between {number}"
            self.assertRegex(hand(self.mail, f"Subject: {subject}\r\n\r\n".encode(), *recipients), "^250")
            self.assertEqual([address for address, _ in self.dovecot.arrived(subject)], wanted)

    def test_from_postfix(self):
        self.assertRegex(hand(self.postfix, b"Subject: queued\r\n\r\n.x\r\n", "fred@example.org", "wilma@example.org"), "^250")
        eventually(lambda: len(self.dovecot.arrived("queued")) == 2, f"it is delivered: {self.postfix.tail()}")
        for address, octets in self.dovecot.arrived("queued"):
            self.assertEqual(field(octets, "Return-Path"), "<me@client.example>")
            self.assertEqual(below(octets), b"Subject: queued\n\n.x\n")

    def test_who_is_over_quota_is_refused_at_rcpt(self):
        replies = rcpt(self.mail, OVER_QUOTA, "fred@example.org")
        self.assertRegex(replies[0], "^552 5.2.2")
        self.assertRegex(replies[1], "^250")


if __name__ == "__main__":
    unittest.main()
