"""Messages into Maildirs: by real clients, large and odd, and with everything that fails on the way."""

import mailbox
import os
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
    head = re.match(rb"Return-Path: <.*>\n(?:X-Original-To: .*\n)*Delivered-To: .*\nReceived: .*\n(?:\t.*\n)*", octets)
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
            # Every octet but NUL, CR and LF, in lines of all lengths; a dot begins many of them.
            octets = bytes(octet for octet in range(1, 256) if octet not in b"\r\n") * 800
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
                self.assertEqual(sorted(mail.messages(user), key=len)[-1], b"\n" + body.replace(b"\r\n", b"\n"))

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


    def test_by_which_addresses_it_came(self):
        with Mail() as mail:
            for recipients, user, wanted in [
                (["fred@example.org"], "fred", ["fred@example.org"]),
                (["Fred+Lists@example.org"], "fred", ["Fred+Lists@example.org"]),
                (["info@example.org", "team+x@example.org", "fred@example.org", "FRED@alias.example", "info@Example.ORG"], "fred",
                 ["info@example.org", "team+x@example.org", "fred@example.org", "FRED@alias.example"]),
                (["team@example.org", "fred@example.org"], "wilma", ["team@example.org"]),
                (["postmaster"], "postmaster", ["postmaster"]),
            ]:
                with self.subTest(recipients):
                    for path in mail.files():
                        path.unlink()
                    with mail.open(*recipients) as client:
                        self.assertEqual(client.ask("Subject: x\r\n\r\n."), "250 2.0.0 OK")
                    [message] = list(mailbox.Maildir(mail.maildir(user), create=False))
                    self.assertEqual(message.get_all("X-Original-To"), wanted)
                    self.assertEqual(message["Delivered-To"], f"{user}@example.org")

    def test_the_domain_decides_where_mail_for_a_relay_domain_goes(self):
        with Mail() as mail:
            mail.change("user", "add", "known@relay.example", "--name", "Known")
            with mail.client() as client:
                client.ask("MAIL FROM:<>")
                # Asked twice, for the second is answered out of memory.
                for name in ["known", "postmaster", "other", "known+x"] * 2:
                    self.assertEqual(client.ask(f"RCPT TO:<{name}@relay.example>"),
                                     "550 5.4.4 No way is known to where mail for this recipient goes")
            mail.configure(next_hops=[{**HOPS[0], "takes": ["mailboxes", "relay-domains"]}])
            mail.process.send_signal(signal.SIGHUP)
            mail.log.wait("configuration-reloaded")
            with mail.open("known+x@relay.example", "known@relay.example", "other+x@relay.example") as client:
                client.ask("Subject: x\r\n\r\n.")
            self.assertEqual(len(mail.messages("known", "relay.example")), 1)
            self.assertEqual(len(mail.messages("other", "relay.example")), 1)


class Folders(unittest.TestCase):
    def test_what_a_killed_server_left_goes_after_36_hours(self):
        with Mail() as mail:
            with mail.open("team@example.org") as client:
                client.ask("x\r\n.")
            with mail.open("fred@example.org") as client:
                client.send(b"x" * 200_000)
                [left] = eventually(lambda: list(mail.maildir("fred").glob("tmp/*")), "a file in tmp")
                mail.process.kill()
            mail.process.wait()
            mail.log.thread.join(PATIENCE)
            mail.process.stderr.close()
            self.assertTrue(left.exists())
            young, others = mail.maildir("wilma") / "tmp" / "young", mail.maildir("wilma") / "tmp" / "others"
            link, target = mail.maildir("wilma") / "tmp" / "link", mail.folder / "target"
            for path in young, others, target:
                path.write_text("x")
            link.symlink_to(target)
            now = time.time()
            for path in left, others, target:
                os.utime(path, (now - 37 * 3600, now - 37 * 3600))
            os.utime(young, (now - 35 * 3600, now - 35 * 3600))
            # At start,
            mail.start()
            eventually(lambda: not left.exists() and not others.exists(), "they are removed")
            mail.log.wait("stale-files-removed files=2 next-hop=here")
            self.assertTrue(young.exists() and target.exists() and link.is_symlink())
            self.assertEqual(len(mail.messages("fred")), 1)
            # and as mail comes.
            os.utime(young, (now - 37 * 3600, now - 37 * 3600))
            with mail.open("wilma@example.org") as client:
                client.ask("x\r\n.")
            self.assertFalse(young.exists())

    def test_no_symbolic_link_leads_out_of_the_tree(self):
        for part in "", "/new", "/tmp":
            with self.subTest(part), Mail() as mail:
                outside = mail.folder / "outside"
                if part:
                    with mail.open("fred@example.org") as client:
                        client.ask("x\r\n.")
                    (mail.maildir("fred") / part[1:]).rename(outside)
                else:
                    mail.maildir("fred").parent.mkdir(parents=True)
                    outside.mkdir()
                link = mail.folder / "mail" / "example.org" / f"fred{part}"
                link.symlink_to(outside)
                before = sorted(outside.rglob("*"))
                for recipient in "fred@example.org", "team@example.org":
                    with mail.client() as client:
                        client.ask("MAIL FROM:<>")
                        client.ask(f"RCPT TO:<{recipient}>")
                        reply = client.ask("DATA")
                        if reply[:3] == "354":
                            reply = client.ask("x\r\n.")
                        self.assertEqual(reply, "451 4.3.0 The message can't be handed on now, try again later")
                mail.log.wait(f"error message-not-delivered .*{link}: it is a symbolic link; put a folder there")
                self.assertEqual(sorted(outside.rglob("*")), before)
                self.assertEqual(mail.messages("wilma"), [])
                mail.configure(next_hops=[{**HOPS[0], "follow-links": True}])
                mail.process.send_signal(signal.SIGHUP)
                mail.log.wait("configuration-reloaded")
                with mail.open("fred@example.org") as client:
                    self.assertEqual(client.ask("x\r\n."), "250 2.0.0 OK")
                self.assertEqual(len(mail.messages("fred")), 2 if part else 1)

    def test_the_base_may_be_a_symbolic_link(self):
        with Mail() as mail:
            (mail.folder / "elsewhere").mkdir()
            (mail.folder / "mail").symlink_to("elsewhere")
            with mail.open("fred@example.org") as client:
                self.assertEqual(client.ask("x\r\n."), "250 2.0.0 OK")
            self.assertEqual(len(list((mail.folder / "elsewhere" / "example.org" / "fred" / "new").iterdir())), 1)


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
            eventually(lambda: mail.files() == [], "nothing is left of it")

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
            eventually(lambda: mail.files() == [], "nothing is left of it")

    def test_smuggled_commands_stay_in_the_message(self):
        inner = "MAIL FROM:<root@example.org>\r\nRCPT TO:<wilma@example.org>\r\nDATA\r\nforged\r\n.\r\n"
        for end in "\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\r.\r\n", "\r\n\0.\r\n", "\r\r\n.\r\r\n", "\n\n.\n":
            with self.subTest(end=end), Mail() as mail:
                with mail.open("fred@example.org") as client:
                    client.send(f"a{end}{inner}QUIT\r\n")
                    replies = client.replies()
                self.assertTrue(replies[0].startswith("550 5.5.2 "), replies)
                self.assertEqual(replies[-1][:3], "221")
                self.assertEqual(len(replies), 2)
                self.assertEqual(mail.messages("wilma"), [])
                eventually(lambda: mail.files() == [], "nothing is left")

    def test_a_chunk_of_unknown_length_is_never_read_as_commands(self):
        for line in ("BDAT -1 LAST", "BDAT 0x5", "BDAT " + "9" * 23, "BDAT", "BDAT 5 LASTX", "BDAT +5", "BDAT 5\x01",
                     "BDAT " + "0" * 700 + "5", "BDAT " + "0" * 3000 + "5"):
            with self.subTest(line[:20]), Mail() as mail, mail.client() as client:
                inner = "MAIL FROM:<root@example.org>\r\nRCPT TO:<wilma@example.org>\r\nDATA\r\nforged\r\n.\r\n"
                client.send(f"MAIL FROM:<>\r\nRCPT TO:<fred@example.org>\r\n{line}\r\n{inner}NOOP\r\n")
                replies = client.replies()
                self.assertEqual([reply[:3] for reply in replies], ["250", "250", "500" if len(line) > 2000 else "501"])
                eventually(lambda: mail.files() == [], "nothing is left of it")
        # Where its length is known it is read past, whatever else is wrong.
        with Mail() as mail, mail.client() as client:
            client.send("MAIL FROM:<>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\nRSET\r\nQUIT\r\n")
            self.assertEqual([reply[:3] for reply in client.replies()], ["250", "554", "250", "250", "221"])

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
                self.assertEqual(mail.messages("fred"), [b"\nfirst\n"])
                self.assertEqual(mail.messages("wilma"), [b"\nfirst\n"])
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
