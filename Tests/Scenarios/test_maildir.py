"""Messages into Maildirs: by real clients, large and odd, and with everything that fails on the way."""

import mailbox
import re
import signal
import socket
import subprocess
import threading
import time
import unittest
from pathlib import Path

from service import PATIENCE, Service, eventually, need

HOPS = [{"name": "here", "maildir": "mail/{domain}/{local-part}"}]


class Mail(Service):
    """A server that takes mail for its mailboxes."""

    def __init__(self, **settings):
        super().__init__(**{"next_hops": HOPS, **settings})

    def maildir(self, name, domain="example.org"):
        return self.folder / "mail" / domain / name

    def messages(self, name, domain="example.org"):
        """The octets of each message after the fields that the server puts on top."""
        folder = self.maildir(name, domain)
        return [split(path.read_bytes())[1] for path in folder.glob("new/*")] if folder.exists() else []

    def files(self):
        return [path for path in (self.folder / "mail").rglob("*") if path.is_file()]

    def open(self, *recipients, sender="me@elsewhere.example"):
        """A client that has been told 354."""
        client = self.client()
        client.ask(f"MAIL FROM:<{sender}>")
        for recipient in recipients:
            reply = client.ask(f"RCPT TO:<{recipient}>")
            if reply[:2] != "25":
                raise AssertionError(f"{recipient}: {reply}")
        reply = client.ask("DATA")
        if reply[:3] != "354":
            raise AssertionError(reply)
        return client


def split(octets):
    """The fields of the server, and the message below them."""
    head = re.match(rb"Return-Path: <.*>\nDelivered-To: .*\nReceived: .*\n(?:\t.*\n)*", octets)
    return octets[:head.end()], octets[head.end():]


class Delivering(unittest.TestCase):
    def test_swaks_and_a_reader_of_maildirs(self):
        need("swaks")
        with Mail() as mail:
            done = subprocess.run(
                ["swaks", "--server", f"127.0.0.1:{mail.port}", "--from", "me@elsewhere.example", "--to",
                 "fred@example.org,team@example.org", "--body", "one\n.two\n..three\n", "--helo", "client.example"],
                capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            for user in "fred", "wilma":
                [message] = list(mailbox.Maildir(mail.maildir(user), create=False))
                self.assertEqual(message["Return-Path"], "<me@elsewhere.example>")
                self.assertEqual(message["Delivered-To"], f"{user}@example.org")
                self.assertIn("from client.example ([127.0.0.1])", message["Received"])
                self.assertEqual(message.get_payload().rstrip("\n"), "one\n.two\n..three")

    def test_fifty_megabytes_of_any_octets_in_little_memory(self):
        with Mail(limits={"message-size": 60_000_000}) as mail:
            with mail.open("fred@example.org") as client:
                client.send(b"x\r\n.\r\n")
                client.reply()
            before = mail.memory()
            # Every octet but CR and LF, in lines of all lengths; a dot begins many of them.
            octets = bytes(octet for octet in range(256) if octet not in b"\r\n") * 800
            lines = [
                (b"." if number % 3 == 0 else b"") + octets[number % 251:][:number * 37 % 10_000]
                for number in range(10_000)]
            body = b"".join(line + b"\r\n" for line in lines)
            self.assertGreater(len(body), 45_000_000)
            stuffed = b"".join((b"." + line if line[:1] == b"." else line) + b"\r\n" for line in lines)
            peak = 0
            with mail.open("fred@example.org", "wilma@example.org") as client:
                for start in range(0, len(stuffed), 1 << 20):
                    client.send(stuffed[start:start + (1 << 20)])
                    peak = max(peak, mail.memory())
                client.send(b".\r\n")
                self.assertEqual(client.reply(), "250 2.0.0 OK")
            peak = max(peak, mail.memory())
            self.assertLess(peak - before, 20_000_000)
            for user in "fred", "wilma":
                self.assertEqual(sorted(mail.messages(user), key=len)[-1], body.replace(b"\r\n", b"\n"))

    def test_fifty_clients_at_once(self):
        with Mail() as mail:
            faults = []

            def work(number):
                try:
                    for round in range(5):
                        with mail.open("team@example.org") as client:
                            client.send(f"Subject: {number}.{round}\r\n\r\n.\r\n")
                            self.assertEqual(client.reply(), "250 2.0.0 OK")
                except BaseException as fault:
                    faults.append(fault)

            threads = [threading.Thread(target=work, args=[number]) for number in range(50)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(faults, [])
            wanted = sorted(f"Subject: {number}.{round}\n\n".encode() for number in range(50) for round in range(5))
            for user in "fred", "wilma":
                self.assertEqual(sorted(mail.messages(user)), wanted)


class Refusing(unittest.TestCase):
    def test_who_is_refused_at_rcpt(self):
        with Mail() as mail, mail.client() as client:
            client.ask("MAIL FROM:<>")
            for recipient, reply in [
                ("away@example.org", "551 5.1.6 User not local; please try <away@elsewhere.example>"),
                ("anna@example.org", "550 5.4.4 No way is known to where mail for this recipient goes"),
                ("staff@example.org", "550 5.4.4 No way is known to where mail for this recipient goes"),
                ("x@relay.example", "550 5.4.4 No way is known to where mail for this recipient goes"),
                ("x@elsewhere.example", "550 5.7.1 Relaying denied: not a domain of this server"),
                ("nobody@example.org", "550 5.1.1 No such user here"),
                ("max@example.org", "452 4.2.2 Mailbox full"),
                ("leo@example.org", "450 4.2.1 Mailbox suspended, try again later"),
            ]:
                self.assertEqual(client.ask(f"RCPT TO:<{recipient}>"), reply, recipient)
            self.assertEqual(client.ask("DATA"), "554 5.5.1 No valid recipients")
            self.assertEqual(mail.files(), [])

    def test_an_address_that_no_folder_can_bear(self):
        with Mail() as mail:
            mail.change("user", "add", "a/b@example.org")
            mail.change("user", "add", '".."@example.org')
            with mail.client() as client:
                client.ask("MAIL FROM:<>")
                for recipient in "a/b@example.org", '".."@example.org':
                    self.assertEqual(
                        client.ask(f"RCPT TO:<{recipient}>"),
                        "553 5.1.3 Mailbox name not allowed: no folder can bear it")
            self.assertEqual(mail.files(), [])

    def test_smuggled_commands_stay_in_the_message(self):
        inner = "MAIL FROM:<root@example.org>\r\nRCPT TO:<wilma@example.org>\r\nDATA\r\nforged\r\n.\r\n"
        for end in "\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\r.\r\n", "\r\n\0.\r\n", "\r\r\n.\r\r\n", "\n\n.\n":
            with self.subTest(end=end), Mail() as mail:
                with mail.open("fred@example.org") as client:
                    client.send(f"a{end}{inner}QUIT\r\n")
                    replies = client.replies()
                if end == "\r\n\0.\r\n":
                    # NUL is an octet like any other: this line is text, and the dot alone ends below.
                    self.assertEqual(replies[0], "250 2.0.0 OK")
                else:
                    self.assertTrue(replies[0].startswith("550 5.5.2 "), replies)
                self.assertEqual(replies[-1][:3], "221")
                self.assertEqual(len(replies), 2)
                self.assertEqual(mail.messages("wilma"), [])
                eventually(lambda: len(mail.files()) == (1 if replies[0][0] == "2" else 0), "nothing is left")

    def test_without_a_next_hop_all_is_as_it_was(self):
        with Service() as service, service.client() as client:
            client.ask("MAIL FROM:<>")
            self.assertEqual(client.ask("RCPT TO:<away@example.org>")[:3], "251")
            self.assertEqual(
                client.ask("DATA"), "554 5.3.2 This server answers questions about mailboxes and takes no mail")


    def test_a_next_hop_that_comes_with_a_new_configuration(self):
        with Service() as service, service.client() as before:
            service.configure(next_hops=HOPS)
            service.process.send_signal(signal.SIGHUP)
            service.log.wait("configuration-reloaded")
            for client, reply in (before, "554"), (service.client(), "354"):
                with client:
                    client.ask("MAIL FROM:<>")
                    client.ask("RCPT TO:<fred@example.org>")
                    self.assertEqual(client.ask("DATA")[:3], reply)


class Failing(unittest.TestCase):
    def test_a_folder_that_can_t_be_made(self):
        with Mail() as mail:
            (mail.folder / "mail").write_text("in the way")
            with mail.client() as client:
                client.ask("MAIL FROM:<>")
                client.ask("RCPT TO:<fred@example.org>")
                # Found out before the message is sent.
                self.assertEqual(client.ask("DATA"), "451 4.3.0 The message can't be handed on now, try again later")
                mail.log.wait("error message-not-delivered .*mail.*Not a directory")
                (mail.folder / "mail").unlink()
                client.ask("MAIL FROM:<>")
                client.ask("RCPT TO:<fred@example.org>")
                self.assertEqual(client.ask("DATA")[:3], "354")
                self.assertEqual(client.ask("x\r\n."), "250 2.0.0 OK")

    def test_one_of_several_that_can_t_be_delivered(self):
        """Nobody gets the message, whichever of them it is, and no file stays open."""
        with Mail() as mail:
            with mail.open("team@example.org") as client:
                client.ask("first\r\n.")
            opened = Path(f"/proc/{mail.process.pid}/fd")
            before = len(list(opened.iterdir()))
            for user, part in [("fred", "new"), ("wilma", "new"), ("wilma", "tmp")]:
                away = mail.maildir(user) / "away"
                (mail.maildir(user) / part).rename(away)
                (mail.maildir(user) / part).write_text("in the way")
                for _ in range(5):
                    with mail.open("team@example.org") as client:
                        self.assertEqual(
                            client.ask("second\r\n."), "451 4.3.0 The message can't be handed on now, try again later")
                (mail.maildir(user) / part).unlink()
                away.rename(mail.maildir(user) / part)
                self.assertEqual(mail.messages("fred"), [b"first\n"])
                self.assertEqual(mail.messages("wilma"), [b"first\n"])
                self.assertEqual(len(mail.files()), 2)
            eventually(lambda: len(list(opened.iterdir())) <= before, "files that are open")

    def test_a_full_disk(self):
        """A limit on the size of files is met in the same place, and is easier had."""
        need("prlimit")
        with Mail() as mail:
            subprocess.run(["prlimit", f"--pid={mail.process.pid}", "--fsize=200000:200000"], check=True)
            with mail.open("fred@example.org") as client:
                for _ in range(1000):
                    client.send(b"x" * 997 + b"\r\n")
                client.send(b".\r\n")
                self.assertRegex(client.reply(), r"\A45[12] 4\.3\.[01] ")
                self.assertEqual(client.ask("NOOP"), "250 2.0.0 OK")
            eventually(lambda: mail.files() == [], "nothing is left of it")

    def test_a_client_that_is_cut_off(self):
        with Mail() as mail:
            for piece in b"", b"x\r\n", b"x\r\n.", b"x\r\n.\r", b"x" * 1_000_000:
                client = mail.open("fred@example.org")
                client.send(piece)
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.close()
            eventually(lambda: mail.files() == [], "nothing is left of them")

    def test_a_server_that_is_told_to_stop_delivers_what_comes_or_says_421(self):
        with Mail() as mail:
            with mail.open("fred@example.org") as sending, mail.open("wilma@example.org") as silent:
                mail.process.send_signal(signal.SIGTERM)
                deadline = time.monotonic() + 1
                while time.monotonic() < deadline:
                    sending.send(b"x\r\n")
                    time.sleep(0.02)
                sending.send(b".\r\n")
                self.assertEqual(sending.reply(), "250 2.0.0 OK")
                self.assertEqual(silent.reply()[:3], "421")
            self.assertEqual(mail.process.wait(PATIENCE), 0)
            self.assertEqual(len(mail.messages("fred")), 1)
            self.assertEqual(mail.messages("wilma"), [])

    def test_a_client_that_is_killed_with_the_server_loses_nothing_that_was_acknowledged(self):
        """The server is killed again and again: what got 250 is there, whole, and once."""
        with Mail() as mail:
            acknowledged, tried = set(), 0
            for round in range(12):
                killer = threading.Timer(0.05 + 0.013 * round, mail.process.kill)
                killer.start()
                try:
                    while True:
                        tried += 1
                        with mail.open("team@example.org") as client:
                            client.send(f"Subject: {tried}\r\n\r\n" + "y" * 3000 + "\r\n.\r\n")
                            if client.reply() == "250 2.0.0 OK":
                                acknowledged.add(tried)
                except (OSError, AssertionError, TypeError):
                    pass
                killer.join()
                mail.process.wait()
                mail.log.thread.join(PATIENCE)
                mail.process.stderr.close()
                mail.start()
            self.assertGreater(len(acknowledged), 12)
            for user in "fred", "wilma":
                messages = mail.messages(user)
                found = [int(re.match(rb"Subject: (\d+)\n\n" + b"y" * 3000 + b"\n\\Z", text)[1]) for text in messages]
                self.assertEqual(len(found), len(set(found)))
                self.assertLessEqual(acknowledged, set(found))


if __name__ == "__main__":
    unittest.main()
