"""What holds of messages that are handed on, whichever server takes them."""

import re

from hops import below, field, send, smtp_source
from service import eventually
from test_maildir import Mail

TRUSTED = [{"name": "here", "networks": ["127.0.0.0/8"], "trusted": True, "vrfy": "full", "expn": "full", "rcpt": "full",
            "questions-per-minute": "unlimited", "relay": True}]


def out(hop, **keys):
    return {"name": "out", "smtp": f"127.0.0.1:{hop.port}", **keys}


def through(hop, **settings):
    """A server that hands on all mail to a hop, for clients that may relay."""
    return Mail(**{"next_hops": [out(hop)], "clients": TRUSTED, **settings})


def rcpt(mail, *recipients, sender="me@client.example", parameters=""):
    """What each RCPT of one transaction is answered with."""
    with mail.client() as client:
        client.ask("EHLO client.example")
        replies = [client.ask(f"MAIL FROM:<{sender}>{parameters}")]
        replies += [client.ask(f"RCPT TO:<{recipient}>") for recipient in recipients]
        return replies[1:] if replies[0][:3] == "250" else replies


def hand(mail, message, *recipients, sender="me@client.example", parameters=""):
    """Sends octets, with dots as they must be; every RCPT must be taken. Returns the last reply."""
    with mail.client() as client:
        client.ask("EHLO client.example")
        replies = [client.ask(f"MAIL FROM:<{sender}>{parameters}")]
        replies += [client.ask(f"RCPT TO:<{recipient}>") for recipient in recipients]
        if any(reply[:2] != "25" for reply in replies):
            raise AssertionError(replies)
        reply = client.ask("DATA")
        if reply[:3] != "354":
            raise AssertionError(reply)
        client.send(re.sub(rb"(?m)^\.", b"..", message) + b".\r\n")
        return client.reply()


ODD = {
    "8-bit": bytes(range(1, 10)) + bytes(range(14, 256)) + b"\r\n",
    "lines of 998 octets": (b"x" * 998 + b"\r\n") * 50,
    "longer lines": b"y" * 5000 + b"\r\n" + b"z" * 100_000 + b"\r\n",
    "dots": b".\r\n..\r\n.x\r\n...\r\n\r\n.\r\n x.\r\n",
    "empty lines": b"\r\n\r\n\r\n",
    "nothing": b"",
}


class Handing:
    """For test cases that have a `hop`, which holds PEOPLE, and a `mail` that hands on all to it."""

    # How the fields begin that the hop and we put on top: by whom, and from whom.
    RECEIVED = [(b"mail.example.org", b"postfix.example.net"), (b"client.example", b"mail.example.org")]

    @classmethod
    def begin(cls, hop, make=out):
        """Starts both, for all tests of the class."""
        cls.hop = cls.enterClassContext(hop)
        cls.mail = cls.enterClassContext(through(hop, limits={"message-size": 60_000_000}, next_hops=[make(hop)]))
        cls.mail.change("list", "add", "everybody@example.org", "--name", "Everybody", "--owner", "wilma@example.org",
                        "--member", "staff@example.org", "bjorn@example.org", "info@example.org")
        cls.mail.change("list", "add", "owned@example.org", "--owner", "anna@example.org", "--member", "sam1@example.org")

    def who(self, subject, *recipients, sender="me@client.example"):
        """Sends to those, and tells who got it."""
        message = f"Subject: {subject}\r\n\r\n{subject}\r\n".encode()
        self.assertRegex(hand(self.mail, message, *recipients, sender=sender), "^250 2")
        return [address for address, _ in self.hop.arrived(subject)]

    def load(self, sessions, messages, octets, recipient, *mailboxes):
        """smtp-source sends; each of the mailboxes has each message once, and whole."""
        sender = f"load-{sessions}-{messages}-{octets}@client.example"
        smtp_source(self.mail.port, "-c", "-s", str(sessions), "-m", str(messages), "-l", str(octets), "-f", sender,
                    "-t", recipient)

        def found(user):
            return [text for text in self.hop.messages(user) if field(text, "Return-Path") == f"<{sender}>"]

        for user in mailboxes:
            eventually(lambda: len(found(user)) >= messages, f"{messages} messages for {user}")
            self.hop.settle()
            texts = found(user)
            self.assertEqual((len(texts), len({field(text, "Message-Id") for text in texts})), (messages, messages))
            for text in texts:
                self.assertTrue(octets - 200 < len(below(text)) < octets + 400, len(below(text)))
                self.assertTrue(text.endswith(b"X\n"), text[-20:])

    def test_swaks(self):
        status, said = send(self.mail.port, ["fred@example.org", "info@example.org", "bjorn@example.org"],
                            b"Subject: by swaks\n\n.one\n..two\nthree\n")
        self.assertEqual(status, 0, said)
        found = self.hop.arrived("by swaks")
        self.assertEqual([address for address, _ in found], ["bjorn@example.org", "fred@example.org"])
        for _, octets in found:
            self.assertEqual(below(octets), b"Subject: by swaks\n\n.one\n..two\nthree\n\n")
            self.assertEqual(field(octets, "Return-Path"), "<me@client.example>")
            received = re.findall(rb"(?m)^Received: from (\S+).*\n\tby (\S+)", octets)
            self.assertEqual(received, self.RECEIVED)

    def test_two_hundred_messages_by_smtp_source(self):
        self.load(10, 200, 10_000, "sam1@example.org", "sam1@example.org")

    def test_odd_messages(self):
        for name, body in ODD.items():
            message = f"Subject: {name}\r\nX-Long: {'a' * 900}\r\n\r\n".encode() + body
            with self.subTest(name):
                self.assertEqual(hand(self.mail, message, "fred@example.org", parameters=" BODY=8BITMIME")[:5], "250 2")
                [(_, octets)] = self.hop.arrived(name)
                self.assertEqual(below(octets), message.replace(b"\r\n", b"\n"))

    def test_fifty_megabytes(self):
        lines = [(b"." if number % 3 == 0 else b"") + bytes(range(14, 256)) * (number % 5) for number in range(100_000)]
        message = b"Subject: large\r\n\r\n" + b"\r\n".join(lines) + b"\r\n"
        self.assertGreater(len(message), 48_000_000)
        before = self.mail.memory()
        self.assertEqual(hand(self.mail, message, "fred@example.org", parameters=" BODY=8BITMIME")[:5], "250 2")
        self.assertLess(self.mail.memory() - before, 20_000_000)
        [(_, octets)] = self.hop.arrived("large")
        self.assertEqual(below(octets), message.replace(b"\r\n", b"\n"))

    def test_everyone_it_leads_to_gets_it_once(self):
        for recipients, wanted in [
            (["info@example.org"], ["fred@example.org"]),
            (["team@example.org"], ["fred@example.org", "wilma@example.org"]),
            (["team@example.org", "fred@example.org", "info@example.org", "wilma@example.org"],
             ["fred@example.org", "wilma@example.org"]),
            (["away@example.org"], ["away@elsewhere.example"]),
            (["anna@example.org"], ["anna@elsewhere.example", "anna@example.org"]),
            (["staff@example.org"], ["fred@example.org", "sam@elsewhere.example", "wilma@example.org"]),
            (["someone@relay.example"], ["someone@relay.example"]),
            (["fred@alias.example"], ["fred@example.org"]),
            (["anybody@catch.example"], ["fred@example.org"]),
            (["someone@elsewhere.example"], ["someone@elsewhere.example"]),
            (["everybody@example.org"],
             ["bjorn@example.org", "fred@example.org", "sam@elsewhere.example", "wilma@example.org"]),
        ]:
            with self.subTest(recipients):
                self.assertEqual(self.who("to " + " ".join(recipients), *recipients), wanted)

    def test_the_owner_of_a_list_gets_what_comes_back(self):
        for recipient, sender in [
            ("owned@example.org", "<anna@example.org>"), ("everybody@example.org", "<wilma@example.org>"),
            ("staff@example.org", "<me@client.example>"), ("team@example.org", "<me@client.example>")]:
            subject = f"owner of {recipient}"
            self.assertTrue(self.who(subject, recipient))
            self.assertEqual({field(octets, "Return-Path") for _, octets in self.hop.arrived(subject)}, {sender}, recipient)

    def test_two_senders_need_two_messages(self):
        replies = rcpt(self.mail, "owned@example.org", "fred@example.org", "owned@example.org")
        self.assertRegex(replies[0], "^250")
        self.assertRegex(replies[1], "^452 4.5.3 ")
        self.assertRegex(replies[2], "^250")

    def test_fifty_sessions_of_smtp_source_to_two_people(self):
        self.load(50, 300, 1000, "team@example.org", "fred@example.org", "wilma@example.org")

    def test_smuggled_commands_stay_in_the_message(self):
        """Servers that take a bare LF or CR for a line's end would find a second message in what we passed on."""
        inner = "MAIL FROM:<root@example.org>\r\nRCPT TO:<bjorn@example.org>\r\nDATA\r\nSubject: forged\r\n\r\n.\r\n"
        for end in "\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\r.\r\n", "\r\n\0.\r\n", "\r\r\n.\r\r\n", "\n\n.\n":
            with self.subTest(end=end):
                with self.mail.open("fred@example.org") as client:
                    client.send(f"Subject: smuggled\r\n\r\na{end}{inner}QUIT\r\n")
                    self.assertEqual([reply[:3] for reply in client.replies()], ["550", "221"])
        self.assertEqual(self.hop.arrived("forged"), [])
        self.assertEqual(self.hop.arrived("smuggled"), [])

    def test_a_client_that_goes_away_in_the_middle(self):
        for piece in b"", b"Subject: cut\r\n", b"Subject: cut\r\n\r\nx\r\n.", b"Subject: cut\r\n\r\n" + b"x" * 300_000:
            with self.mail.open("fred@example.org") as client:
                client.send(piece)
        self.assertEqual(hand(self.mail, b"Subject: not cut\r\n\r\n", "fred@example.org")[:5], "250 2")
        self.assertEqual(self.hop.arrived("cut"), [])

    def test_a_client_that_thinks_again(self):
        with self.mail.client() as client:
            client.ask("EHLO client.example")
            for recipient in "wilma@example.org", "fred@example.org":
                client.ask("RSET")
                client.ask("MAIL FROM:<me@client.example>")
                self.assertEqual(client.ask(f"RCPT TO:<{recipient}>")[:3], "250")
            client.ask("DATA")
            self.assertEqual(client.ask("Subject: second thoughts\r\n\r\n.")[:3], "250")
        self.assertEqual([address for address, _ in self.hop.arrived("second thoughts")], ["fred@example.org"])
