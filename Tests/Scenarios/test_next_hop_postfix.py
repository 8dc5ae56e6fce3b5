"""Messages are handed on to a real Postfix over SMTP: whole, once, and to all or none of those that RCPT was told of."""

import shutil
import tempfile
import unittest
from pathlib import Path

from handing import TRUSTED, Handing, hand, out, rcpt, through
from hops import PostfixHop, below, certificates, field, make_certificate
from service import eventually
from test_maildir import Mail


class Delivering(Handing, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.begin(PostfixHop())

    def test_an_empty_message(self):
        self.mail.change("user", "add", "wilma@second.example")
        self.assertEqual(hand(self.mail, b"", "wilma@second.example")[:5], "250 2")
        [octets] = self.hop.wait("wilma@second.example")
        self.assertEqual(below(octets).strip(b"\n"), b"")

    def test_addresses_in_utf8(self):
        message = "Subject: an Jürgen\r\n\r\nGrüße\r\n".encode()
        self.assertEqual(
            hand(self.mail, message, "jürgen@example.org", sender="me@client.example",
                 parameters=" BODY=8BITMIME SMTPUTF8")[:5], "250 2")
        [octets] = self.hop.wait("jürgen@example.org")
        self.assertEqual(below(octets), message.replace(b"\r\n", b"\n"))
        self.assertIn(b"with UTF8SMTP", octets)
        self.assertRegex(rcpt(self.mail, "jürgen@example.org")[0], "^(501|553) ")


class Refusing(unittest.TestCase):
    """The hop refuses some; the client hears so at RCPT."""

    def test_whom_the_hop_refuses(self):
        refuse = {"wilma@example.org": "450 4.2.0 Not now", "anna@elsewhere.example": "554 5.7.1 Not her",
                  "bjorn@example.org": "552 5.2.2 Full", "sam1@example.org": "452 4.2.2 Full"}
        with PostfixHop(refuse=refuse) as hop, through(hop) as mail:
            mail.change("user", "add", "late@example.org")
            with mail.client() as client:
                client.ask("MAIL FROM:<me@client.example>")
                for recipient, reply in [
                    ("wilma@example.org", "^450 4"), ("bjorn@example.org", "^552 5"),
                    ("sam1@example.org", "^452 4"), ("late@example.org", "^550 5"), ("nobody@relay.example", "^550 5"),
                    # Each leads to somebody whom it refuses for now, and to others.
                    ("team@example.org", "^450 4"), ("staff@example.org", "^450 4"),
                    # Not for the hop to say.
                    ("nobody@example.org", "^550 5.1.1 No such user here"), ("max@example.org", "^452 4.2.2 Mailbox full"),
                ]:
                    self.assertRegex(client.ask(f"RCPT TO:<{recipient}>"), reply, recipient)
                self.assertEqual(client.ask("DATA")[:3], "554")
                self.assertEqual(client.ask("RCPT TO:<sam2@example.org>")[:3], "250")
                self.assertEqual(client.ask("RCPT TO:<team@example.org>")[:3], "450")
                self.assertEqual(client.ask("RCPT TO:<info@example.org>")[:3], "250")
                # Of several, who is refused for good is left out.
                self.assertEqual(client.ask("RCPT TO:<anna@example.org>")[:3], "250")
                self.assertEqual(client.ask("DATA")[:3], "354")
                self.assertEqual(client.ask("Subject: x\r\n\r\n.")[:5], "250 2")
            self.assertEqual(
                [address for address, _ in hop.arrived()], ["anna@example.org", "fred@example.org", "sam2@example.org"])
            mail.log.wait("refused-by-next-hop")
            mail.log.wait("left-out about=anna@example.org next-hop=out recipients=anna@elsewhere.example reply=.*554 5.7.1")

    def test_nothing_reaches_half_a_list(self):
        """Postfix has taken the first when it refuses the second."""
        with PostfixHop(refuse={"wilma@example.org": "450 4.2.0 Not now"}) as hop, through(hop) as mail:
            with mail.client() as client:
                client.ask("MAIL FROM:<me@client.example>")
                self.assertEqual(client.ask("RCPT TO:<team@example.org>")[:3], "450")
                self.assertEqual(client.ask("RCPT TO:<bjorn@example.org>")[:3], "250")
                client.ask("DATA")
                self.assertEqual(client.ask("Subject: x\r\n\r\n.")[:5], "250 2")
            self.assertEqual([address for address, _ in hop.arrived()], ["bjorn@example.org"])

    def test_a_sender_whom_the_hop_refuses(self):
        lines = "smtpd_sender_restrictions = check_sender_access inline:{{bad@client.example = 550 5.7.1 Not you}}"
        with PostfixHop(lines, "smtpd_delay_reject = no") as hop, through(hop) as mail:
            self.assertRegex(rcpt(mail, "fred@example.org", sender="bad@client.example")[-1], "^55[0-4] 5")
            self.assertRegex(rcpt(mail, "fred@example.org", sender="good@client.example")[-1], "^250")

    def test_a_message_that_the_hop_refuses(self):
        lines = "header_checks = regexp:{{/^Subject: (bad)/ REJECT Not that}}"
        with PostfixHop(lines) as hop, through(hop) as mail:
            self.assertRegex(hand(mail, b"Subject: bad\r\n\r\n", "fred@example.org"), "^55[0-4] 5")
            self.assertRegex(hand(mail, b"Subject: good\r\n\r\n", "fred@example.org"), "^250 2")
            self.assertEqual([field(octets, "Subject") for octets in hop.wait("fred@example.org")], ["good"])

    def test_a_message_that_is_too_large_for_the_hop(self):
        with PostfixHop("message_size_limit = 20000") as hop, through(hop) as mail:
            large = b"Subject: large\r\n\r\n" + b"x" * 70 + b"\r\n" * 15_000
            self.assertRegex(rcpt(mail, "fred@example.org", parameters=" SIZE=30000")[-1], "^55[2-4] 5")
            self.assertRegex(hand(mail, large, "fred@example.org"), "^55[2-4] 5")
            self.assertRegex(hand(mail, b"Subject: small\r\n\r\n", "fred@example.org"), "^250 2")
            self.assertEqual([field(octets, "Subject") for octets in hop.wait("fred@example.org")], ["small"])

    def test_a_hop_that_can_do_less(self):
        with PostfixHop("smtpd_discard_ehlo_keywords = 8bitmime, smtputf8, pipelining, dsn, chunking, size") as hop, \
                through(hop) as mail:
            self.assertRegex(rcpt(mail, "jürgen@example.org", parameters=" SMTPUTF8")[-1], "^55[0-4] 5")
            self.assertRegex(hand(mail, b"Subject: seven\r\n\r\nx\r\n", "team@example.org"), "^250 2")
            self.assertRegex(
                hand(mail, b"Subject: eight\r\n\r\n\xe9\r\n", "fred@example.org", parameters=" BODY=8BITMIME"), "^55[0-4] 5")
            self.assertEqual([field(octets, "Subject") for octets in hop.wait("fred@example.org")], ["seven"])


class Routing(unittest.TestCase):
    """One message goes to one server; what needs another comes again."""

    def test_two_hops_and_a_client_that_comes_again(self):
        with PostfixHop() as one, PostfixHop() as two:
            hops = [{"name": "one", "smtp": f"127.0.0.1:{one.port}", "domains": ["example.org"]},
                    {"name": "two", "smtp": f"127.0.0.1:{two.port}"}]
            with Mail(next_hops=hops, clients=TRUSTED) as mail:
                replies = rcpt(mail, "fred@example.org", "someone@relay.example", "wilma@example.org")
                self.assertEqual([reply[:9] for reply in replies], ["250 2.1.5", "452 4.5.3", "250 2.1.5"])
                self.assertRegex(hand(mail, b"Subject: two\r\n\r\n", "someone@relay.example"), "^250 2")
                self.assertRegex(hand(mail, b"Subject: one\r\n\r\n", "fred@example.org"), "^250 2")
                # One RCPT for two servers can't be kept.
                for recipient in "anna@example.org", "staff@example.org":
                    self.assertRegex(rcpt(mail, recipient)[0], r"^55[01] 5\.4\.4|^551 5\.1\.6")
                mail.log.wait("no-next-hop")
                self.assertEqual([address for address, _ in one.arrived()], ["fred@example.org"])
                self.assertEqual([address for address, _ in two.arrived()], ["someone@relay.example"])

    def test_one_person_elsewhere(self):
        with PostfixHop() as one, PostfixHop() as two:
            hops = [{"name": "moving", "smtp": f"127.0.0.1:{one.port}", "recipients": ["fred@example.org"]},
                    {"name": "rest", "smtp": f"127.0.0.1:{two.port}"}]
            with Mail(next_hops=hops, clients=TRUSTED) as mail:
                for recipient in "info@example.org", "wilma@example.org":
                    self.assertRegex(hand(mail, b"Subject: x\r\n\r\n", recipient), "^250 2")
                self.assertEqual([address for address, _ in one.arrived()], ["fred@example.org"])
                self.assertEqual([address for address, _ in two.arrived()], ["wilma@example.org"])

    def test_maildirs_here_and_a_server_for_the_rest(self):
        lines = "header_checks = regexp:{{/^Subject: (bad)/ REJECT Not that}}"
        with PostfixHop(lines) as hop:
            hops = [{"name": "here", "maildir": "mail/{domain}/{local-part}"}, out(hop, takes=["relay-domains", "elsewhere"])]
            with Mail(next_hops=hops) as mail:
                message = b"Subject: good\r\n\r\nx\r\n"
                self.assertRegex(hand(mail, message, "anna@example.org", "staff@example.org"), "^250 2")
                for user in "anna", "fred", "wilma":
                    self.assertEqual(mail.messages(user), [message.replace(b"\r\n", b"\n")])
                self.assertEqual([address for address, _ in hop.arrived()],
                                 ["anna@elsewhere.example", "sam@elsewhere.example"])
                # Nobody has what the server refuses.
                self.assertRegex(hand(mail, b"Subject: bad\r\n\r\n", "anna@example.org"), "^55[0-4] 5")
                eventually(lambda: len(mail.files()) == 3, "nothing is left of it")
                # Only clients that may relay reach those whom nobody here points to.
                self.assertRegex(rcpt(mail, "someone@elsewhere.example")[0], "^550 5.7.1")
                hop.stop()
                self.assertRegex(rcpt(mail, "anna@example.org")[0], "^451 4.4.1")
                self.assertRegex(hand(mail, message, "fred@example.org"), "^250 2")

    def test_nobody_is_told_250_without_a_way_elsewhere(self):
        with PostfixHop() as hop, Mail(next_hops=[out(hop, takes=["mailboxes"])]) as mail:
            for recipient, reply in [
                ("away@example.org", "^551 5.1.6 "), ("anna@example.org", "^550 5.4.4 "), ("staff@example.org", "^550 5.4.4 "),
                ("someone@relay.example", "^550 5.4.4 "), ("fred@example.org", "^250 ")]:
                self.assertRegex(rcpt(mail, recipient)[0], reply, recipient)


class Down(unittest.TestCase):
    def test_a_hop_that_goes_and_comes(self):
        with PostfixHop() as hop, through(hop) as mail:
            message = b"Subject: x\r\n\r\n"
            for round in range(2):
                self.assertRegex(hand(mail, message, "fred@example.org"), "^250 2")
                hop.stop()
                self.assertRegex(rcpt(mail, "fred@example.org", "team@example.org")[0], "^451 4.4.1 ")
                # What needs no hop is answered.
                self.assertRegex(rcpt(mail, "nobody@example.org")[0], "^550 5.1.1 ")
                hop.launch()
                self.assertRegex(hand(mail, message, "fred@example.org"), "^250 2")
            self.assertEqual(len(hop.wait("fred@example.org", 4)), 4)
            mail.log.wait("next-hop-failed")

    def test_a_hop_that_goes_between_rcpt_and_data(self):
        with PostfixHop() as hop, through(hop) as mail, mail.client() as client:
            client.ask("MAIL FROM:<me@client.example>")
            self.assertEqual(client.ask("RCPT TO:<fred@example.org>")[:3], "250")
            hop.stop()
            reply = client.ask("DATA")
            if reply[:3] == "354":
                reply = client.ask("Subject: x\r\n\r\n.")
            self.assertRegex(reply, "^451 4.4")
            hop.launch()
            self.assertRegex(hand(mail, b"Subject: y\r\n\r\n", "fred@example.org"), "^250 2")
            self.assertEqual([field(octets, "Subject") for octets in hop.wait("fred@example.org")], ["y"])

    def test_a_hop_that_says_nothing(self):
        timeouts = {"next-hop-connect": "1s", "next-hop-reply": "1s"}
        with PostfixHop() as hop, through(hop, timeouts=timeouts) as mail:
            self.assertRegex(rcpt(mail, "fred@example.org")[0], "^250")
            hop.pause()
            try:
                self.assertRegex(rcpt(mail, "fred@example.org")[0], "^451 4.4.[12] ")
                self.assertRegex(rcpt(mail, "nobody@example.org")[0], "^550 5.1.1 ")
            finally:
                hop.resume()
            # It is left alone for as long as it was waited for, by each thread for itself.
            eventually(lambda: all(rcpt(mail, "fred@example.org")[0][:3] == "250" for _ in range(8)), "it is asked again")
            self.assertRegex(hand(mail, b"Subject: y\r\n\r\n", "fred@example.org"), "^250 2")


class TLS(unittest.TestCase):
    """Where TLS is asked for, nothing is said in clear, and nothing to whom the certificate does not name."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="addressee-tls-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.certificate = make_certificate(cls.folder)
        cls.hop = cls.enterClassContext(PostfixHop(certificate=cls.certificate))

    def secured(self, hop=None, ca="ca", **keys):
        hop = hop or self.hop
        keys = {"tls": "starttls", "tls-name": "mail.example.net", "ca-file": str(self.folder / f"{ca}.pem"), **keys}
        return through(hop, next_hops=[out(hop, **{key: value for key, value in keys.items() if value})])

    def assertRefused(self, mail, hop):
        """RCPT is put off, and the hop has seen neither sender nor recipient."""
        seen = len(hop.log.read_text())
        self.assertRegex(rcpt(mail, "fred@example.org")[0], "^451 4.[47]")
        mail.log.wait("next-hop-failed")
        self.assertNotRegex(hop.log.read_text()[seen:], "mail=1|from=<|fred")
        self.assertEqual(hop.messages("fred@example.org"), [])

    def test_starttls(self):
        with self.secured() as mail:
            self.assertRegex(hand(mail, b"Subject: x\r\n\r\n", "wilma@example.org"), "^250 2")
        self.assertRegex(self.hop.wait("wilma@example.org")[-1], rb"with ESMTPS ")
        self.assertRegex(self.hop.log.read_text(), "starttls=1")

    def test_tls_from_the_start(self):
        with self.secured(tls="implicit", smtp=f"127.0.0.1:{self.hop.implicit_port}") as mail:
            self.assertRegex(hand(mail, b"Subject: x\r\n\r\n", "bjorn@example.org"), "^250 2")
        self.assertRegex(self.hop.wait("bjorn@example.org")[-1], rb"with ESMTPS ")

    def test_an_authority_that_is_not_ours(self):
        make_certificate(self.folder, authority="foreign")
        with self.secured(ca="foreign") as mail:
            self.assertRefused(mail, self.hop)

    def test_the_authorities_of_the_system(self):
        with self.secured(**{"ca-file": None}) as mail:
            self.assertRefused(mail, self.hop)

    def test_a_name_that_it_does_not_bear(self):
        for name in "other.example.net", None:
            with self.subTest(name), self.secured(**{"tls-name": name}) as mail:
                self.assertRefused(mail, self.hop)

    def test_a_certificate_whose_time_is_over(self):
        expired = make_certificate(self.folder, "expired.example.net", dates=certificates.EXPIRED)
        with PostfixHop(certificate=expired) as hop, self.secured(hop, **{"tls-name": "expired.example.net"}) as mail:
            self.assertRefused(mail, hop)

    def test_a_hop_without_tls(self):
        with PostfixHop() as hop, self.secured(hop) as mail:
            self.assertRefused(mail, hop)

    def test_a_hop_that_insists_on_tls(self):
        with PostfixHop("smtpd_tls_security_level = encrypt", certificate=self.certificate) as hop:
            with through(hop) as mail:
                self.assertRegex(rcpt(mail, "fred@example.org")[0], "^[45]5[0-4] [45]")
            with self.secured(hop) as mail:
                self.assertRegex(hand(mail, b"Subject: x\r\n\r\n", "fred@example.org"), "^250 2")


class Notifications(unittest.TestCase):
    """What Postfix tells the sender of, when he asks for it (RFC 3461)."""

    def test_a_report_that_it_has_arrived(self):
        def offers(mail):
            with mail.client() as client:
                return "DSN" in client.ask("EHLO client.example")

        with PostfixHop() as hop, through(hop) as mail:
            # What the hop can do is known once it has been seen.
            eventually(lambda: offers(mail), "DSN is offered")
            client = self.enterContext(mail.client())
            client.ask("EHLO client.example")
            client.ask("MAIL FROM:<me@client.example> RET=HDRS ENVID=abc+2Bd")
            reply = client.ask("RCPT TO:<info@example.org> NOTIFY=SUCCESS ORCPT=rfc822;info+2Bx@example.org")
            self.assertEqual(reply[:3], "250")
            client.ask("RCPT TO:<wilma@example.org> NOTIFY=NEVER")
            client.ask("DATA")
            self.assertEqual(client.ask("Subject: x\r\n\r\n.")[:3], "250")
            [report] = hop.wait("me@client.example")
            for line in (b"Original-Envelope-Id: abc+d", b"Action: delivered", b"Final-Recipient: rfc822; fred@example.org",
                         b"Original-Recipient: rfc822;info+x@example.org"):
                self.assertIn(line, report)
            self.assertEqual([address for address, _ in hop.arrived("x")], ["fred@example.org", "wilma@example.org"])

    def test_it_is_not_offered_where_the_hop_can_t(self):
        with PostfixHop("smtpd_discard_ehlo_keywords = dsn") as hop, through(hop) as mail, mail.client() as client:
            self.assertRegex(hand(mail, b"Subject: x\r\n\r\n", "fred@example.org"), "^250 2")
            self.assertNotIn("DSN", client.ask("EHLO client.example"))
            self.assertRegex(client.ask("MAIL FROM:<me@client.example> RET=HDRS"), "^555 5.5.4")

    def test_chunks(self):
        with PostfixHop() as hop, through(hop) as mail, mail.client() as client:
            if "CHUNKING" not in client.ask("EHLO client.example"):
                self.skipTest("CHUNKING is not offered")
            client.ask("MAIL FROM:<me@client.example> BODY=8BITMIME")
            client.ask("RCPT TO:<team@example.org>")
            for chunk in b"Subject: x\r\n\r\n.\r", b"\n.dot\r\n", b"\xff" * 200_000 + b"\r\n":
                client.send(f"BDAT {len(chunk)}\r\n".encode() + chunk)
                self.assertEqual(client.reply()[:3], "250")
            client.send(b"BDAT 0 LAST\r\n")
            self.assertEqual(client.reply()[:5], "250 2")
            for user in "fred@example.org", "wilma@example.org":
                [octets] = hop.wait(user)
                self.assertEqual(below(octets), b"Subject: x\n\n.\n.dot\n" + b"\xff" * 200_000 + b"\n")


if __name__ == "__main__":
    unittest.main()
