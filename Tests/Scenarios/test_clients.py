"""swaks, curl and Python's smtplib, as people and scripts use them."""

import re
import smtplib
import ssl
import subprocess
import unittest

from service import PATIENCE, VERDICTS, Service, need, need_tls_of_swaks, swaks

RECIPIENTS = {
    "known": ("fred@example.org", "250 2.1.5 OK"),
    "known, other case": ("FRED@EXAMPLE.ORG", "250 2.1.5 OK"),
    "unknown": ("nobody@example.org", "550 5.1.1 No such user here"),
    "alias": ("info@example.org", "250 2.1.5 OK"),
    "alias of several": ("team@example.org", "250 2.1.5 OK"),
    "alias domain": ("fred@alias.example", "250 2.1.5 OK"),
    "forward elsewhere": (
        "away@example.org", "251 2.1.5 User not local; will forward to <away@elsewhere.example>"),
    "forward with a copy": ("anna@example.org", "250 2.1.5 OK"),
    "moved": ("gone@example.org", "551 5.1.6 User not local; please try <gone@elsewhere.example>"),
    "moved, nobody knows where": ("left@example.org", "550 5.1.6 User has moved"),
    "list": ("staff@example.org", "250 2.1.5 OK"),
    "disabled": ("ruth@example.org", "550 5.2.1 Mailbox disabled"),
    "suspended": ("leo@example.org", "450 4.2.1 Mailbox suspended, try again later"),
    "full": ("max@example.org", "452 4.2.2 Mailbox full"),
    "detail": ("fred+lists@example.org", "250 2.1.5 OK"),
    "detail of nobody": ("nobody+lists@example.org", "550 5.1.1 No such user here"),
    "catch-all": ("anything@catch.example", "250 2.1.5 OK"),
    "postmaster": ("postmaster@example.org", "250 2.1.5 OK"),
    "postmaster, other case": ("PostMaster@second.example", "250 2.1.5 OK"),
    "postmaster of nowhere": ("postmaster", "250 2.1.5 OK"),
    "relay domain": ("someone@relay.example", "250 2.1.5 OK"),
    "foreign domain": (
        "fred@elsewhere.example", "550 5.7.1 Relaying denied: not a domain of this server"),
}


class ClientTest(unittest.TestCase):
    """One server for all tests of a class: they only ask."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service(**cls.settings))


class Swaks(ClientTest):
    def test_swaks_is_told_of_each_kind_of_recipient(self):
        for kind, (recipient, expected) in RECIPIENTS.items():
            with self.subTest(kind):
                status, reply = swaks(self.service.port, recipient)
                self.assertEqual(reply, expected)
                # swaks goes on after 250 only; 24 is its "no recipient was accepted".
                self.assertEqual(status, 0 if expected.startswith("250") else 24)

    def test_swaks_asks_with_the_null_sender_as_callouts_do(self):
        for recipient, expected in [RECIPIENTS["known"], RECIPIENTS["unknown"]]:
            self.assertEqual(swaks(self.service.port, recipient, "--from", "<>")[1], expected)

    def test_swaks_pipelines(self):
        done = subprocess.run(
            [need("swaks"), "--server", "127.0.0.1", "--port", str(self.service.port), "--quit-after", "RCPT",
             "--pipeline", "--from", "sender@client.example", "--to", "fred@example.org,nobody@example.org"],
            capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
        self.assertIn("250 2.1.5 OK", done.stdout)
        self.assertIn("550 5.1.1 No such user here", done.stdout)


class Curl(ClientTest):
    def curl(self, *options, url=None):
        url = url or f"smtp://127.0.0.1:{self.service.port}"
        done = subprocess.run(
            [need("curl"), "-sv", "--max-time", str(int(PATIENCE)), *options, url],
            capture_output=True, text=True, timeout=PATIENCE + 5, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout.replace("\r\n", "\n"), done.stderr.replace("\r\n", "\n")

    def test_curl_shows_what_vrfy_found(self):
        for name in ["fred", "claude", "wilma@example.org", "info", "<postmaster>", "staff", "max"]:
            with self.subTest(name):
                status, output, _ = self.curl("--request", f"VRFY {name}")
                self.assertEqual((status, output), (0, VERDICTS[name] + "\n"))

    def test_curl_shows_251_and_252_too(self):
        for name in ["away", "someone@relay.example"]:
            with self.subTest(name):
                status, output, _ = self.curl("--request", f"VRFY {name}")
                self.assertEqual((status, output), (0, VERDICTS[name] + "\n"))

    def test_curl_fails_where_the_name_takes_no_mail(self):
        for name in ["nobody", "gone", "left", "ruth", "leo", "nobody@elsewhere.example"]:
            with self.subTest(name):
                status, output, trace = self.curl("--request", f"VRFY {name}")
                self.assertIn(status, (8, 56), "CURLE_WEIRD_SERVER_REPLY, or CURLE_RECV_ERROR of older ones")
                self.assertIn(f"< {VERDICTS[name]}\n", trace)

    def test_curl_shows_the_possibilities_of_an_ambiguous_name(self):
        # With a recipient of its own curl takes 553 for an answer, as RFC 5321 3.5.1 has it.
        status, output, _ = self.curl("--mail-rcpt", "sam")
        self.assertEqual(status, 0)
        self.assertEqual(
            output,
            "553-5.1.4 Ambiguous; Possibilities are\n553-5.1.4 Sam Smith <sam1@example.org>\n"
            "553 5.1.4 Sam Jones <sam2@example.org>\n")

    def test_curl_shows_the_members_of_a_list(self):
        expected = (
            "250-2.1.5 Fred Claude <fred@example.org>\n250-2.1.5 Wilma Stone <wilma@example.org>\n"
            "250 2.1.5 Sam Q. Smith <sam@elsewhere.example>\n")
        self.assertEqual(self.curl("--request", "EXPN staff")[:2], (0, expected))
        # The same by curl's own way: the command, and its argument as a recipient.
        self.assertEqual(self.curl("--request", "EXPN", "--mail-rcpt", "staff")[:2], (0, expected))

    def test_curl_is_denied_a_list_of_nobody(self):
        status, _, trace = self.curl("--request", "EXPN secret")
        self.assertIn(status, (8, 56))
        self.assertIn("< 550 5.7.2 Access Denied to You\n", trace)

    def test_curl_verifies_a_recipient_by_its_own_vrfy(self):
        status, output, _ = self.curl("--mail-rcpt", "fred")
        self.assertEqual((status, output), (0, VERDICTS["fred"] + "\n"))

    def test_curl_asks_for_a_name_in_utf8(self):
        status, output, _ = self.curl("--request", "VRFY jürgen SMTPUTF8")
        self.assertEqual((status, output), (0, "250 2.1.5 Jürgen Groß <jürgen@example.org>\n"))


class SMTPLib(ClientTest):
    def connect(self):
        return smtplib.SMTP("127.0.0.1", self.service.port, local_hostname="client.example", timeout=PATIENCE)

    def test_ehlo_lists_what_works(self):
        with self.connect() as client:
            self.assertEqual(client.ehlo()[0], 250)
            for feature in [
                "pipelining", "8bitmime", "size", "enhancedstatuscodes", "smtputf8", "vrfy", "expn", "help"]:
                self.assertTrue(client.has_extn(feature), feature)
            self.assertFalse(client.has_extn("starttls"), "there is no certificate")

    def test_vrfy_and_expn(self):
        with self.connect() as client:
            for name in ["fred", "nobody", "gone", "away"]:
                code, text = client.verify(name)
                self.assertEqual(f"{code} {text.decode()}", VERDICTS[name])
            code, text = client.expn("staff")
            self.assertEqual(code, 250)
            self.assertEqual(
                text.decode().split("\n"),
                ["2.1.5 Fred Claude <fred@example.org>", "2.1.5 Wilma Stone <wilma@example.org>",
                 "2.1.5 Sam Q. Smith <sam@elsewhere.example>"])

    def test_a_transaction_from_mail_to_quit(self):
        with self.connect() as client:
            client.ehlo()
            self.assertEqual(client.mail("sender@client.example", ["SIZE=1000", "BODY=8BITMIME"])[0], 250)
            for recipient, expected in RECIPIENTS.values():
                code, text = client.rcpt(recipient)
                self.assertEqual(f"{code} {text.decode()}", expected)
            # VRFY in a transaction changes nothing in it (RFC 5321 4.1.1.6).
            self.assertEqual(client.verify("fred")[0], 250)
            self.assertEqual(client.rcpt("wilma@example.org")[0], 250)
            self.assertEqual(client.rset()[0], 250)
            self.assertEqual(client.rcpt("fred@example.org")[0], 503)
            self.assertEqual(client.noop()[0], 250)
            self.assertEqual(client.quit()[0], 221)

    def test_mail_is_refused_before_it_is_sent(self):
        with self.connect() as client:
            with self.assertRaises(smtplib.SMTPDataError) as refused:
                client.sendmail("sender@client.example", ["fred@example.org"], "Subject: x\r\n\r\nx\r\n")
            self.assertEqual(refused.exception.smtp_code, 554)
            # The session is none the worse for it.
            self.assertEqual(client.noop()[0], 250)

    def test_recipients_that_are_refused_are_told_apart(self):
        with self.connect() as client:
            with self.assertRaises(smtplib.SMTPRecipientsRefused) as refused:
                client.sendmail("s@client.example", ["nobody@example.org", "gone@example.org", "max@example.org"], "x")
            codes = {address: code for address, (code, _) in refused.exception.recipients.items()}
            self.assertEqual(codes, {"nobody@example.org": 550, "gone@example.org": 551, "max@example.org": 452})

    def test_a_utf8_mailbox_needs_smtputf8(self):
        with self.connect() as client:
            client.ehlo()
            client.command_encoding = "utf-8"
            client.mail("sender@client.example")
            self.assertEqual(client.rcpt("jürgen@example.org")[0], 553)
            client.rset()
            client.mail("sender@client.example", ["SMTPUTF8"])
            self.assertEqual(client.rcpt("jürgen@example.org")[0], 250)
            self.assertEqual(client.rcpt("JÜRGEN@example.org")[0], 250)
            # NFD is the same name (RFC 6532 3.1).
            self.assertEqual(client.rcpt("ju\u0308rgen@example.org")[0], 250)
            self.assertEqual(client.rcpt("jurgen@example.org")[0], 550)


class StartTLS(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        need("openssl")
        cls.service = cls.enterClassContext(Service())
        make_certificate(cls.service.folder)
        cls.service.stop()
        cls.service.configure(
            listeners=[{"smtp": "127.0.0.1:0", "starttls": True}],
            tls={"certificate": "certificate.pem", "private-key": "key.pem"})
        cls.service.start()
        cls.context = ssl.create_default_context(cafile=str(cls.service.folder / "certificate.pem"))

    def test_smtplib_goes_on_under_tls(self):
        with smtplib.SMTP("127.0.0.1", self.service.port, timeout=PATIENCE) as client:
            # smtplib checks the certificate against the name it was given.
            client.ehlo()
            self.assertTrue(client.has_extn("starttls"))
            self.assertEqual(client.mail("sender@client.example")[0], 250)
            self.assertEqual(client.starttls(context=self.context)[0], 220)
            # What went before is forgotten (RFC 3207 4.2).
            self.assertEqual(client.rcpt("fred@example.org")[0], 503)
            client.ehlo()
            self.assertFalse(client.has_extn("starttls"))
            self.assertEqual(client.verify("fred")[0], 250)
            self.assertEqual(client.docmd("STARTTLS")[0], 503)
            self.assertEqual(client.quit()[0], 221)

    def test_curl_and_swaks_go_on_under_tls(self):
        done = subprocess.run(
            [need("curl"), "-s", "--ssl-reqd", "--cacert", str(self.service.folder / "certificate.pem"),
             "--request", "VRFY fred", f"smtp://127.0.0.1:{self.service.port}"],
            capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stdout), (0, VERDICTS["fred"] + "\n"))
        done = subprocess.run(
            [need_tls_of_swaks(), "--server", "127.0.0.1", "--port", str(self.service.port), "--quit-after", "RCPT",
             "--tls", "--from", "s@client.example", "--to", "fred@example.org"],
            capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("<~  250 2.1.5 OK", done.stdout)

    def test_commands_injected_before_the_handshake_are_thrown_away(self):
        # In one segment with STARTTLS: whoever is on the line must not speak for the client (RFC 3207 4.2).
        with self.service.client() as client:
            client.ask("EHLO client.example")
            client.send(b"STARTTLS\r\nVRFY wilma@example.org\r\nMAIL FROM:<evil@client.example>\r\n")
            self.assertTrue(client.reply().startswith("220 "))
            client.socket = self.context.wrap_socket(client.socket, server_hostname="127.0.0.1")
            self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
            self.assertTrue(client.ask("RCPT TO:<fred@example.org>").startswith("503 "))

    def test_a_handshake_that_is_none_ends_that_connection_only(self):
        with self.service.client() as client, self.service.client() as other:
            self.assertTrue(client.ask("STARTTLS").startswith("220 "))
            client.send(b"VRFY fred\r\n" * 10)
            try:
                while data := client.socket.recv(4096):
                    self.assertNotIn(b"fred", data)
            except ConnectionError:
                pass
            self.assertEqual(other.ask("VRFY fred"), VERDICTS["fred"])


def make_certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-keyout", "key.pem", "-out", "certificate.pem", "-subj", "/CN=mail.example.org",
         "-addext", "subjectAltName=IP:127.0.0.1,DNS:mail.example.org"],
        cwd=folder, check=True, capture_output=True, timeout=PATIENCE)
