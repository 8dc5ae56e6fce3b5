"""`addressee demo`: the old dialogues to the letter, and every line that it prints to paste."""

import email.utils
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from service import PATIENCE, PROGRAM, Client, Log, need, parse_address


class Demo(unittest.TestCase):
    def setUp(self):
        # A temporary folder of its own, to see what is left in it.
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="addressee-scenario-"))
        self.process = subprocess.Popen(
            [PROGRAM, "demo", "--port", "0", "--plain-port", "0"], text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, TMPDIR=self.folder))
        self.addCleanup(self.end)
        self.guide, self.log = Log(self.process.stdout), Log(self.process.stderr)
        # The last line that it prints to paste.
        self.guide.wait("VRFY wilma")
        today, plain = [line.split()[0] for line in self.guide.lines if re.match(r"  127\.0\.0\.1:\d+ ", line)]
        self.today, self.plain = parse_address(today), parse_address(plain)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for log, stream in [(self.guide, self.process.stdout), (self.log, self.process.stderr)]:
            log.thread.join(PATIENCE)
            stream.close()

    def dialogue(self, address, *turns):
        with Client(address) as client:
            for command, expected in turns:
                self.assertEqual(client.ask(command), expected, command)

    def messages(self, mailbox):
        """What lies in a Maildir, wherever it is in the folder of the demonstration."""
        return [path.read_text() for path in Path(self.folder).glob(f"addressee-demo-*/{mailbox}/new/*")]

    def test_the_old_transaction_to_the_letter(self):
        self.dialogue(
            self.plain,
            ("HELO assistprogramming.com", "250 demo.assisprogramming.com"),
            ("MAIL FROM:<sender@assistprogramming.com>", "250 OK"),
            ("RCPT TO:<receiver1@assistprogramming.com>", "250 OK"),
            ("RCPT TO:<receiver2@assistprogramming.com>", "550 No such user here"),
            ("RCPT TO:<receiver3@assistprogramming.com>", "250 OK"),
            ("DATA", "354 Start mail input; end with <CRLF>.<CRLF>"),
            ("Subject: hello\r\n\r\nBlah blah blah...\r\n..\r\n.", "250 OK"),
            ("MAIL FROM:<sender@assistprogramming.com>", "250 OK"),
            ("RCPT TO:<Postel@USC-ISI.ARPA>", "251 User not local; will forward to <Postel@USC-ISIF.ARPA>"),
            ("DATA", "354 Start mail input; end with <CRLF>.<CRLF>"),
            ("Hello.\r\n.", "250 OK"))
        for user in "receiver1", "receiver3":
            [message] = self.messages(f"mail/assistprogramming.com/{user}")
            head, body = message.split("; ", 1)
            self.assertRegex(
                head,
                r"\AReturn-Path: <sender@assistprogramming.com>\n"
                rf"X-Original-To: {user}@assistprogramming.com\n"
                rf"Delivered-To: {user}@assistprogramming.com\n"
                r"Received: from assistprogramming.com \(\[127.0.0.1\]\)\n"
                r"\tby demo.assisprogramming.com with SMTP id [0-9A-Z.]+\Z")
            date, text = body.split("\n", 1)
            self.assertLess(abs(email.utils.parsedate_to_datetime(date).timestamp() - time.time()), 300)
            self.assertEqual(text, "Subject: hello\n\nBlah blah blah...\n.\n")
        self.assertEqual(self.messages("mail/assistprogramming.com/receiver2"), [])
        # 251 has been kept, as far as that goes on one machine.
        [message] = self.messages("elsewhere/usc-isif.arpa/postel")
        self.assertIn("\n\tfor <Postel@USC-ISI.ARPA>; ", message)
        self.assertTrue(message.endswith("\nHello.\n"))

    def test_the_old_questions_to_the_letter(self):
        self.dialogue(
            self.plain,
            ("VRFY claude", "250 Fred claude <claudiu@assisprogramming.com>"),
            ("VRFY test", "251 User not local; will forward to <test@assistprogramming.com>"),
            ("VRFY user", "550 String does not match anything."),
            ("VRFY user1", "551 User not local; please try <user4@assitprogramming.com>"),
            ("VRFY hkhjkghj", "553 User ambiguous."))

    def test_the_lists_of_rfc_821(self):
        self.dialogue(
            self.plain,
            ("EXPN Example-People",
             "250-Jon Postel <Postel@USC-ISIF.ARPA>\n250-Fred Fonebone <Fonebone@USC-ISIQ.ARPA>\n"
             "250-Sam Q. Smith <SQSmith@USC-ISIQ.ARPA>\n250-Quincy Smith <Q-Smith@ISI-VAXA.ARPA>\n"
             "250-<joe@foo-unix.ARPA>\n250 <xyz@bar-unix.ARPA>"),
            ("EXPN Executive-Washroom-List", "550 Access Denied to You."))

    def test_the_replies_of_today_on_the_other_listener(self):
        self.dialogue(
            self.today,
            ("MAIL FROM:<sender@assistprogramming.com>", "250 2.1.0 OK"),
            ("RCPT TO:<receiver1@assistprogramming.com>", "250 2.1.5 OK"),
            ("RCPT TO:<receiver2@assistprogramming.com>", "550 5.1.1 No such user here"),
            ("RCPT TO:<Postel@USC-ISI.ARPA>", "251 2.1.5 User not local; will forward to <Postel@USC-ISIF.ARPA>"),
            ("VRFY claude", "250 2.1.5 Fred claude <claudiu@assisprogramming.com>"),
            ("VRFY test", "251 2.1.5 User not local; will forward to <test@assistprogramming.com>"),
            ("VRFY user", "550 5.1.1 String does not match anything"),
            ("VRFY user1", "551 5.1.6 User not local; please try <user4@assitprogramming.com>"),
            ("VRFY hkhjkghj",
             "553-5.1.4 Ambiguous; Possibilities are\n553-5.1.4 Hanna Hkhjkghj <hanna@assisprogramming.com>\n"
             "553 5.1.4 Hugo Hkhjkghj <hugo@assisprogramming.com>"))

    def test_every_line_to_paste_works(self):
        need("curl")
        # "addressee" is whatever stands first in the path.
        tools = Path(self.folder, "tools")
        tools.mkdir()
        (tools / "addressee").symlink_to(PROGRAM)
        environment = dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}")
        environment.pop("ADDRESSEE_CONFIG", None)
        lines = [line[2:] for line in self.guide.lines if re.match(r"  (curl|addressee|export|printf|cat) ", line)]
        self.assertGreater(len(lines), 10)
        exports = [line for line in lines if line.startswith("export ")]
        answers = {}
        for line in lines:
            if line in exports:
                continue
            done = subprocess.run(
                ["sh", "-c", "\n".join([*exports, line])], env=environment, cwd=self.folder, capture_output=True,
                text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
            with self.subTest(line):
                # To send a message prints nothing; to read it does.
                if not line.startswith("printf"):
                    self.assertNotEqual(done.stdout.strip(), "", f"status {done.returncode}, {done.stderr!r}")
                # 67 is what `verify` says of somebody who has moved: an answer.
                self.assertIn(done.returncode, (0, 67), done.stderr)
            answers[line.split(" ", 2)[-1] if line.startswith("addressee") else line] = done.stdout
        self.assertIn("Wilma Stone <wilma@assisprogramming.com>", answers[lines[-1]])

    def test_ctrl_c_leaves_nothing_behind(self):
        self.assertNotEqual(os.listdir(self.folder), [])
        with Client(self.plain) as client:
            self.process.send_signal(signal.SIGINT)
            self.assertTrue(client.reply().startswith("421 "))
        self.assertEqual(self.process.wait(PATIENCE), 0)
        self.assertEqual(os.listdir(self.folder), [])

    def test_sigterm_leaves_nothing_behind(self):
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(PATIENCE), 0)
        self.assertEqual(os.listdir(self.folder), [])


class DemoFailing(unittest.TestCase):
    def test_a_port_that_is_taken_is_named_with_the_option_that_helps(self):
        with socket.create_server(("127.0.0.1", 0)) as other, tempfile.TemporaryDirectory() as folder:
            port = other.getsockname()[1]
            done = subprocess.run(
                [PROGRAM, "demo", "--port", str(port), "--plain-port", "0"], capture_output=True, text=True,
                timeout=PATIENCE, env=dict(os.environ, TMPDIR=folder), stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 75)
            self.assertRegex(done.stderr, rf"\Aaddressee: .*{port}.*--port.*\n\Z")
            self.assertEqual(os.listdir(folder), [])
