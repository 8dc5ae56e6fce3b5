"""Postfix asks the maps: postmap key by key and in bulk, and its smtpd with the lines of config/postfix/virtual-users.cf."""

import re
import unittest

from postfix import Postfix
from service import Service

LISTENERS = [{"smtp": "127.0.0.1:0"}, {"socketmap": "127.0.0.1:0"}]

# Map, key, and what postmap prints; None for "not found".
ANSWERS = [
    ("domains", "example.org", "example.org"), ("domains", "EXAMPLE.org", "example.org"),
    ("domains", "alias.example", "alias.example"), ("domains", "relay.example", None),
    ("domains", "elsewhere.example", None), ("domains", "sub.example.org", None),
    ("relay-domains", "relay.example", "relay.example"), ("relay-domains", "example.org", None),
    ("mailboxes", "fred@example.org", "fred@example.org"), ("mailboxes", "FRED@Example.ORG", "fred@example.org"),
    ("mailboxes", "fred+lists@example.org", "fred@example.org"), ("mailboxes", "info@example.org", "fred@example.org"),
    ("mailboxes", "any@catch.example", "fred@example.org"), ("mailboxes", "staff@example.org", "staff@example.org"),
    ("mailboxes", "postmaster@example.org", "postmaster@example.org"),
    ("mailboxes", "nobody@example.org", None), ("mailboxes", "ruth@example.org", None),
    ("mailboxes", "gone@example.org", None), ("mailboxes", "someone@relay.example", None),
    ("mailboxes", "fred", None), ("mailboxes", "@example.org", None), ("mailboxes", "example.org", None),
    ("mailboxes", "jürgen@example.org", "jürgen@example.org"),
    ("recipients", "someone@relay.example", "someone@relay.example"),
    ("recipients", "nobody@example.org", None),
    ("aliases", "fred@example.org", None), ("aliases", "fred+lists@example.org", None),
    ("aliases", "info+Lists@example.org", "fred+Lists@example.org"),
    ("aliases", "team+x@alias.example", "fred+x@example.org, wilma+x@example.org"),
    ("aliases-step", "info+x@example.org", "fred+x@example.org"), ("aliases", "fred+x@example.org", None),
    ("aliases", "anna+x@example.org", "anna+x@example.org, anna@elsewhere.example"),
    ("aliases", "away+x@example.org", "away@elsewhere.example"), ("mailboxes", "info+x@example.org", "fred@example.org"),
    ("aliases", "info@example.org", "fred@example.org"), ("aliases", "info+x@example.org", "fred+x@example.org"),
    ("aliases", "team@example.org", "fred@example.org, wilma@example.org"),
    ("aliases", "away@example.org", "away@elsewhere.example"),
    ("aliases", "anna@example.org", "anna@example.org, anna@elsewhere.example"),
    ("aliases", "staff@example.org", "fred@example.org, wilma@example.org, sam@elsewhere.example"),
    ("aliases", "secret@example.org", "fred@example.org"),
    ("aliases", "any@catch.example", "fred@example.org"), ("aliases", "fred@alias.example", "fred@example.org"),
    ("aliases", "fred+lists@alias.example", "fred+lists@example.org"),
    ("aliases", "nobody@example.org", None), ("aliases", "example.org", None),
    ("aliases-step", "team@example.org", "fred@example.org, wilma@example.org"),
    ("forwards", "away@example.org", "away@elsewhere.example"),
    ("forwards", "anna@example.org", "anna@example.org, anna@elsewhere.example"), ("forwards", "info@example.org", None),
    ("relocated", "gone@example.org", "gone@elsewhere.example"), ("relocated", "left@example.org", None),
    ("relocated", "fred@example.org", None), ("relocated", "leo@example.org", None),
    ("senders", "fred@example.org", "fclaude"), ("senders", "info@example.org", "fclaude"),
    ("senders", "wilma@example.org", "wilma@example.org"), ("senders", "ruth@example.org", None),
    ("senders", "staff@example.org", None),
    ("transport", "relay.example", "smtp:[mx.relay.example]:25"), ("transport", "Shut.example", "error:shut"),
    ("transport", "example.org", None), ("transport", "elsewhere.example", None),
    ("transport", "someone@relay.example", "smtp:[mx.relay.example]:25"), ("transport", "fred@example.org", None), ("transport", "*", None),
]

# How Postfix delivers.
WAYS = {
    "any@relay.example": ["smtp", "[mx.relay.example]:25"], "any@shut.example": ["error", "shut"],
    "fred@example.org": ["lmtp", "unix:private/dovecot-lmtp"],
}


def give_transports(service):
    """To one domain that is there, and to one that is not."""
    service.change("domain", "set", "relay.example", "--transport", "smtp:[mx.relay.example]:25")
    service.change("domain", "add", "shut.example", "--kind", "relay", "--transport", "error:shut")


# What our own SMTP says to RCPT, and what Postfix says.
RECIPIENTS = {
    "fred@example.org": ("250", "250 2.1.5 Ok"),
    "fred+lists@example.org": ("250", "250 2.1.5 Ok"),
    "info@example.org": ("250", "250 2.1.5 Ok"),
    "away@example.org": ("251", "250 2.1.5 Ok"),
    "anna@example.org": ("250", "250 2.1.5 Ok"),
    "staff@example.org": ("250", "250 2.1.5 Ok"),
    "any@catch.example": ("250", "250 2.1.5 Ok"),
    "fred@alias.example": ("250", "250 2.1.5 Ok"),
    "someone@relay.example": ("250", "250 2.1.5 Ok"),
    "postmaster@example.org": ("250", "250 2.1.5 Ok"),
    "postmaster@second.example": ("250", "250 2.1.5 Ok"),
    "postmaster": ("250", "250 2.1.5 Ok"),
    "nobody@example.org": ("550", "550 5.1.1 .*User unknown in virtual mailbox table"),
    "nobody@alias.example": ("550", "550 5.1.1 .*User unknown in virtual mailbox table"),
    "nobody+x@example.org": ("550", "550 5.1.1 .*User unknown in virtual mailbox table"),
    "ruth@example.org": ("550", "550 5.1.1 .*User unknown in virtual mailbox table"),
    "left@example.org": ("550", "550 5.1.1 .*User unknown in virtual mailbox table"),
    "gone@example.org": ("551", "550 5.1.6 .*User has moved to gone@elsewhere.example"),
    "leo@example.org": ("450", "4.. 4"),
    "max@example.org": ("452", "4.. 4"),
    "nobody@elsewhere.example": ("550", "554 5.7.1 .*Relay access denied"),
}


def table(service, name, kind="inet"):
    if kind == "unix":
        return f"socketmap:unix:{service.addresses[2]}:{name}"
    host, port = service.addresses[1]
    return f"socketmap:inet:{host}:{port}:{name}"


class Maps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service(
            listeners=LISTENERS + [{"socketmap": "unix:maps", "unix-mode": "0666"}]))
        # The daemons are another user, who has to reach the Unix socket.
        cls.service.folder.chmod(0o755)
        give_transports(cls.service)
        host, port = cls.service.addresses[1]
        cls.postfix = cls.enterClassContext(Postfix(["virtual-users.cf"], {"127.0.0.1:2526": f"{host}:{port}"}))

    def test_postmap_finds_what_is_there(self):
        for kind in "inet", "unix":
            for name, key, value in ANSWERS:
                with self.subTest(map=name, key=key, kind=kind):
                    if kind == "unix" and value is None:
                        continue
                    status, output, errors = self.postfix.postmap(key, table(self.service, name, kind))
                    self.assertEqual(errors, "")
                    self.assertEqual(output.rstrip("\n"), value or "")
                    self.assertEqual(status, 0 if value else 1)

    def test_postmap_in_bulk(self):
        # Over and over on one connection, so that answers that got mixed up would show.
        for kind in "inet", "unix":
            for name in {name for name, _, _ in ANSWERS}:
                wanted = [(key, value) for other, key, value in ANSWERS if other == name] * 20
                keys = "".join(f"{key}\n" for key, _ in wanted)
                _, output, errors = self.postfix.postmap("-", table(self.service, name, kind), keys)
                self.assertEqual(errors, "")
                self.assertEqual(
                    output.splitlines(), [f"{key}\t{value}" for key, value in wanted if value], f"{kind} {name}")

    def test_postmap_is_told_what_is_no_answer(self):
        for name, key, text in [
            ("mailboxes", "leo@example.org", "4.2.1 Mailbox suspended"), ("mailboxes", "max@example.org", "4.2.2"),
            ("nomap", "fred@example.org", "No such map; the maps are domains"),
        ]:
            status, output, errors = self.postfix.postmap(key, table(self.service, name))
            self.assertEqual((status, output), (1, ""))
            self.assertIn(text, errors)

    def test_smtpd_says_what_our_smtp_says(self):
        with self.service.client() as ours:
            ours.ask("MAIL FROM:<>")
            for address, (code, reply) in RECIPIENTS.items():
                with self.subTest(address):
                    self.assertEqual(ours.ask(f"RCPT TO:<{address}>")[:3], code)
                    self.assertRegex(self.postfix.ask(address), reply)

    def test_smtpd_knows_how_a_domain_is_delivered(self):
        for address, way in WAYS.items():
            self.assertEqual(self.postfix.resolve(address), way)

    def test_smtpd_knows_whose_address_a_sender_is(self):
        for sender, login, reply in [
            ("fred@example.org", None, "553 5.7.1 .*not logged in"), ("fred@example.org", "fclaude", "250 2.1.5"),
            ("info@example.org", "fclaude", "250 2.1.5"), ("fred@example.org", "wilma@example.org", "553 5.7.1 .*not owned"),
            ("wilma@example.org", "wilma@example.org", "250 2.1.5"),
            ("a@elsewhere.example", None, "250 2.1.5"), ("leo@example.org", "leo@example.org", "^4"),
        ]:
            with self.subTest(sender=sender, login=login):
                self.assertRegex(self.postfix.ask("wilma@example.org", sender, login), reply)

    def test_a_message_goes_to_the_final_recipients(self):
        with self.postfix.client() as client:
            client.ask("EHLO client.example.net")
            client.ask("MAIL FROM:<>")
            for address in "staff@example.org", "anna@example.org", "fred@example.org":
                self.assertRegex(client.ask(f"RCPT TO:<{address}>"), "250")
            self.assertRegex(client.ask("DATA"), "354")
            self.assertRegex(client.ask("Subject: all\r\n\r\nText\r\n."), "250 2.0.0 Ok: queued")
        queued = [file for file in (self.postfix.folder / "spool" / "incoming").iterdir() if file.is_file()]
        recipients = set()
        for file in queued:
            recipients |= set(re.findall(rb"R.([a-z]+@[a-z.]+)", file.read_bytes()))
        self.assertEqual(recipients, {
            b"fred@example.org", b"wilma@example.org", b"sam@elsewhere.example", b"anna@example.org",
            b"anna@elsewhere.example"})

    def test_a_change_is_seen_by_the_next_question(self):
        self.service.change("user", "add", "late@example.org", "--name", "Late")
        self.assertRegex(self.postfix.ask("late@example.org"), "250 2.1.5")
        self.service.change("user", "rm", "late@example.org")
        self.assertRegex(self.postfix.ask("late@example.org"), "550 5.1.1")


class Trouble(unittest.TestCase):
    def test_nobody_is_refused_for_good_while_the_directory_is_down(self):
        with Service(listeners=LISTENERS) as service:
            host, port = service.addresses[1]
            with Postfix(["virtual-users.cf"], {"127.0.0.1:2526": f"{host}:{port}"}) as postfix:
                service.ruin()
                for address in RECIPIENTS:
                    # Postfix takes mail for its own postmaster without asking anybody.
                    self.assertRegex(postfix.ask(address), "^2" if address == "postmaster" else "^4", address)
                status, output, errors = postfix.postmap("fred@example.org", table(service, "mailboxes"))
                self.assertEqual((status, output), (1, ""))
                self.assertIn("4.4.3 The directory could not tell", errors)
                service.log.wait("could-not-tell")
                # And while nothing answers at all.
                service.stop()
                self.assertRegex(postfix.ask("fred@example.org"), "^4")


if __name__ == "__main__":
    unittest.main()
