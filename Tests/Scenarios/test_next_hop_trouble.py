"""What a real Postfix does to those who hand it mail: it closes what is idle, counts errors, limits recipients and connections."""

import signal
import threading
import time
import unittest
from collections import Counter
from contextlib import ExitStack

from handing import hand, out, rcpt, through
from hops import MAILBOXES, Dovecot, PostfixHop, below, field
from service import PATIENCE, eventually
from test_next_hop_dovecot import lmtp

FAR = ["relay.example", "elsewhere.example", "client.example"]
MESSAGE = b"Subject: x\r\n\r\nx\r\n"


class Connections(unittest.TestCase):
    def test_a_connection_that_was_idle_for_too_long(self):
        with PostfixHop("smtpd_timeout = 1s") as hop, through(hop) as mail:
            for _ in range(3):
                self.assertRegex(hand(mail, MESSAGE, "fred@example.org"), "^250 2")
                time.sleep(1.3)
            self.assertEqual(len(hop.wait("fred@example.org", 3)), 3)

    def test_a_connection_that_is_closed_in_a_transaction(self):
        with PostfixHop("smtpd_timeout = 1s") as hop, through(hop) as mail, mail.client() as client:
            client.ask("MAIL FROM:<me@client.example>")
            self.assertRegex(client.ask("RCPT TO:<fred@example.org>"), "^250")
            time.sleep(1.5)
            # It is told to another one all over again.
            self.assertRegex(client.ask("RCPT TO:<wilma@example.org>"), "^250")
            time.sleep(1.5)
            self.assertRegex(client.ask("DATA"), "^354")
            self.assertRegex(client.ask("Subject: x\r\n\r\n."), "^250 2")
            self.assertEqual([address for address, _ in hop.arrived()], ["fred@example.org", "wilma@example.org"])

    def test_fewer_connections_than_clients(self):
        with PostfixHop() as hop, through(hop, next_hops=[out(hop, connections=2)]) as mail:
            replies = Counter()

            def work(number):
                for round in range(5):
                    reply = rcpt(mail, "fred@example.org")[0]
                    replies[reply[:9]] += 1

            threads = [threading.Thread(target=work, args=[number]) for number in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(sum(replies.values()), 100)
            self.assertEqual({reply[:3] for reply in replies} - {"250", "451"}, set(), replies)
            self.assertGreater(replies["250 2.1.5"], 0)
            # Whoever has gone has left his connection to others.
            self.assertRegex(hand(mail, MESSAGE, "fred@example.org"), "^250 2")
            self.assertLessEqual(hop.log.read_text().count(": connect from"), 110)

    def test_a_hop_that_takes_few_connections_of_a_client(self):
        """Postfix greets the others with 421."""
        with PostfixHop("smtpd_client_connection_count_limit = 4", "smtpd_client_event_limit_exceptions =") as hop, \
                through(hop) as mail, ExitStack() as stack:
            replies, clients = [], []
            for _ in range(10):
                client = stack.enter_context(mail.client())
                client.ask("MAIL FROM:<me@client.example>")
                replies.append(client.ask("RCPT TO:<fred@example.org>"))
                if replies[-1][:3] == "250":
                    self.assertRegex(client.ask("DATA"), "^354")
                    clients.append(client)
            self.assertEqual({reply[:5] for reply in replies}, {"250 2", "451 4"})
            for client in clients:
                self.assertRegex(client.ask("Subject: x\r\n\r\n."), "^250 2")
            eventually(lambda: hand(mail, MESSAGE, "fred@example.org")[:5] == "250 2", "it goes on")

    def test_a_name_with_several_addresses(self):
        """Postfix listens on IPv4 only."""
        with PostfixHop() as hop, through(hop, next_hops=[out(hop, smtp=f"localhost:{hop.port}")]) as mail:
            self.assertRegex(hand(mail, MESSAGE, "fred@example.org"), "^250 2")

    def test_a_unix_socket(self):
        with PostfixHop(services="hop unix n - n - - smtpd\n") as hop:
            path = hop.folder / "spool" / "public" / "hop"
            with through(hop, next_hops=[out(hop, smtp=f"unix:{path}")]) as mail:
                self.assertRegex(hand(mail, MESSAGE, "team@example.org"), "^250 2")
                self.assertEqual([address for address, _ in hop.arrived()], ["fred@example.org", "wilma@example.org"])


class Errors(unittest.TestCase):
    def test_many_who_are_not_there(self):
        """Postfix slows down after ten errors of a connection, and closes it after twenty: nobody else may suffer."""
        lines = ["smtpd_soft_error_limit = 10", "smtpd_hard_error_limit = 20", "smtpd_error_sleep_time = 1s"]
        with PostfixHop(*lines) as hop, through(hop) as mail:
            began = time.monotonic()
            for number in range(30):
                self.assertRegex(rcpt(mail, f"nobody{number}@relay.example")[0], "^550 5", number)
                if number % 5 == 0:
                    self.assertRegex(hand(mail, MESSAGE, "fred@example.org"), "^250 2", number)
            began = time.monotonic()
            self.assertRegex(hand(mail, MESSAGE, "fred@example.org"), "^250 2")
            self.assertLess(time.monotonic() - began, 1)

    def test_many_who_are_not_there_in_one_transaction(self):
        with PostfixHop("smtpd_soft_error_limit = 3", "smtpd_hard_error_limit = 5") as hop, through(hop) as mail, \
                mail.client() as client:
            client.ask("MAIL FROM:<me@client.example>")
            self.assertRegex(client.ask("RCPT TO:<fred@example.org>"), "^250")
            for number in range(12):
                self.assertRegex(client.ask(f"RCPT TO:<nobody{number}@relay.example>"), "^(550 5|451 4)")
            self.assertRegex(client.ask("RCPT TO:<wilma@example.org>"), "^250")
            self.assertRegex(client.ask("DATA"), "^354")
            self.assertRegex(client.ask("Subject: x\r\n\r\n."), "^250 2")
            self.assertEqual([address for address, _ in hop.arrived()], ["fred@example.org", "wilma@example.org"])

    def test_more_recipients_than_the_hop_takes(self):
        with PostfixHop("smtpd_recipient_limit = 3") as hop, through(hop) as mail:
            replies = rcpt(mail, "sam1@example.org", "bjorn@example.org", "team@example.org")
            self.assertEqual([reply[:5] for reply in replies], ["250 2", "250 2", "452 4"])
            self.assertRegex(hand(mail, MESSAGE, "team@example.org"), "^250 2")


class Many(unittest.TestCase):
    """A list of everybody there is; and many commands at once."""

    def check(self, hop, **settings):
        with through(hop, limits={"recipients": 1000}, **settings) as mail:
            everybody = [address for address in MAILBOXES if address.isascii() and address.split("@")[1] in FAR]
            mail.change("list", "add", "all@example.org", "--owner", "wilma@example.org", "--member", "team@example.org",
                        *everybody)
            self.assertRegex(hand(mail, MESSAGE, "all@example.org", "info@example.org", sender="wilma@example.org"), "^250 2")
            self.assertEqual([address for address, _ in hop.arrived("x")],
                             sorted(["fred@example.org", "wilma@example.org", *everybody]))

    def test_postfix(self):
        with PostfixHop() as hop:
            self.check(hop)

    def test_dovecot(self):
        with Dovecot() as hop:
            self.check(hop, next_hops=[lmtp(hop, takes=["mailboxes", "relay-domains", "elsewhere"])])

    def test_everything_in_one_segment(self):
        with PostfixHop() as hop, through(hop) as mail, mail.client() as client:
            names = ["team", "fred", "nobody", "info", "staff", "bjorn"]
            commands = "".join(f"RCPT TO:<{name}@example.org>\r\n" for name in names)
            client.send(f"EHLO client.example\r\nMAIL FROM:<me@client.example>\r\n{commands}DATA\r\n")
            replies = [client.reply()[:3] for _ in range(9)]
            self.assertEqual(replies, ["250", "250", "250", "250", "550", "250", "250", "250", "354"])
            client.send("Subject: x\r\n\r\nx\r\n.\r\nMAIL FROM:<me@client.example>\r\nRCPT TO:<sam1@example.org>\r\nDATA\r\n")
            self.assertEqual([client.reply()[:3] for _ in range(4)], ["250", "250", "250", "354"])
            client.send("Subject: y\r\n\r\n.\r\nQUIT\r\n")
            self.assertEqual([client.reply()[:3] for _ in range(2)], ["250", "221"])
            self.assertEqual([address for address, _ in hop.arrived("x")],
                             ["bjorn@example.org", "fred@example.org", "sam@elsewhere.example", "wilma@example.org"])
            self.assertEqual([address for address, _ in hop.arrived("y")], ["sam1@example.org"])


class Slow(unittest.TestCase):
    def test_a_hop_that_stops_reading(self):
        """The client is not read on either, and nothing piles up here."""
        body = (b"x" * 998 + b"\r\n") * 40_000
        with PostfixHop() as hop, through(hop, limits={"message-size": 60_000_000}) as mail:
            with mail.open("fred@example.org") as client:
                client.send(b"Subject: slow\r\n\r\n")
                time.sleep(0.5)
                hop.pause()
                before = mail.memory()
                sender = threading.Thread(target=client.send, args=[body + b".\r\n"])
                sender.start()
                sender.join(3)
                self.assertTrue(sender.is_alive(), "all was taken")
                self.assertLess(mail.memory() - before, 20_000_000)
                # Others are served meanwhile.
                self.assertRegex(rcpt(mail, "nobody@example.org")[0], "^550 5.1.1")
                hop.resume()
                sender.join(PATIENCE)
                self.assertRegex(client.reply(), "^250 2")
            [(_, octets)] = hop.arrived("slow")
            self.assertEqual(below(octets), b"Subject: slow\n\n" + body.replace(b"\r\n", b"\n"))

    def test_a_hop_that_never_answers(self):
        timeouts = {"next-hop-connect": "1s", "next-hop-reply": "1s", "next-hop-data": "1s", "next-hop-block": "1s",
                    "next-hop-end": "1s"}
        for where in "rcpt", "data", "block", "end":
            with self.subTest(where), PostfixHop() as hop, through(hop, timeouts=timeouts) as mail, mail.client() as client:
                client.ask("MAIL FROM:<me@client.example>")
                self.assertRegex(client.ask("RCPT TO:<fred@example.org>"), "^250")
                if where == "rcpt":
                    hop.pause()
                    self.assertRegex(client.ask("RCPT TO:<wilma@example.org>"), "^451 4.4")
                    hop.resume()
                    continue
                if where == "data":
                    hop.pause()
                    self.assertRegex(client.ask("DATA"), "^451 4.4")
                    hop.resume()
                    continue
                self.assertRegex(client.ask("DATA"), "^354")
                hop.pause()
                client.send(b"Subject: x\r\n\r\n" + (b"x" * 998 + b"\r\n") * (20_000 if where == "block" else 1) + b".\r\n")
                self.assertRegex(client.reply(), "^451 4.4")
                hop.resume()
                if where == "block":
                    self.assertEqual(hop.arrived(), [])


class Stopping(unittest.TestCase):
    def test_a_message_under_way_is_handed_on(self):
        with PostfixHop() as hop, through(hop) as mail:
            with mail.open("fred@example.org") as client:
                client.send(b"Subject: last\r\n\r\n")
                mail.process.send_signal(signal.SIGTERM)
                # Whoever is silent then is sent away.
                for _ in range(50):
                    client.send(b"x\r\n")
                    time.sleep(0.02)
                client.send(b".\r\n")
                self.assertRegex(client.reply(), "^250 2")
            self.assertEqual(mail.process.wait(PATIENCE), 0)
            self.assertEqual([field(octets, "Subject") for octets in hop.wait("fred@example.org")], ["last"])

    def test_another_hop_after_a_reload(self):
        with PostfixHop() as one, PostfixHop() as two, through(one) as mail:
            with mail.open("fred@example.org") as client:
                mail.configure(**{**mail.settings, "next_hops": [out(two)]})
                mail.process.send_signal(signal.SIGHUP)
                mail.log.wait("configuration-reloaded")
                self.assertRegex(client.ask("Subject: before\r\n\r\n."), "^250 2")
            self.assertRegex(hand(mail, b"Subject: after\r\n\r\n", "fred@example.org"), "^250 2")
            self.assertEqual([field(octets, "Subject") for octets in one.wait("fred@example.org")], ["before"])
            self.assertEqual([field(octets, "Subject") for octets in two.wait("fred@example.org")], ["after"])


if __name__ == "__main__":
    unittest.main()
