"""Answers that come late and out of order: replies keep theirs, nothing is lost, and nobody is held up."""

import random
import signal
import threading
import time
import unittest

from ldap_service import COULD_NOT_TELL, LDAPService, need_slapd, own_slapd, source
from ldap_traffic import QUESTIONS, Traffic
from service import PATIENCE, VERDICTS
from test_hostile import send_and_shut

# From Tests/LDAP, where ldap_service finds them.
from relay import Relay


def setUpModule():
    need_slapd()


def pipelined(count, seed=2920):
    """As many questions in one transaction after the other, and what is due."""
    chance = random.Random(seed)
    commands, replies = [], []
    for number in range(count):
        # No transaction may have more than 1000 recipients.
        if number % 500 == 0:
            commands += ["RSET", "MAIL FROM:<>"]
            replies += ["250 2.0.0 OK", "250 2.1.0 OK"]
        question = chance.choice(list(QUESTIONS))
        commands.append(question)
        replies.append(QUESTIONS[question])
    return "".join(f"{command}\r\n" for command in commands).encode(), replies


class OrderTest(unittest.TestCase):
    def setUp(self):
        self.slapd = self.enterContext(own_slapd())
        self.relay = self.enterContext(Relay(self.slapd))

    def serve(self, timeout="20s", connect_timeout="20s", **settings):
        people = source(self.relay.uri, timeout=timeout, connect_timeout=connect_timeout)
        return self.enterContext(LDAPService(people, **settings))

    def assertReplies(self, given, expected):
        """Says where two long lists part, without printing them."""
        for index, (one, other) in enumerate(zip(given, expected)):
            self.assertEqual(one, other, f"reply {index} of {len(expected)}")
        self.assertEqual(len(given), len(expected), "replies")


class Pipelining(OrderTest):
    def test_10000_questions_in_one_write_are_answered_in_order(self):
        commands, expected = pipelined(10_000)
        service = self.serve()
        with service.client() as client:
            sender = threading.Thread(target=client.send, args=[commands + b"QUIT\r\n"])
            sender.start()
            replies = client.replies()
            sender.join()
        self.assertTrue(replies.pop().startswith("221 "))
        self.assertReplies(replies, expected)

    def test_a_client_that_half_closes_gets_all_answers(self):
        commands, expected = pipelined(500)
        service = self.serve()
        clients = [service.client() for _ in range(4)]
        senders = [threading.Thread(target=send_and_shut, args=[client, commands]) for client in clients]
        for sender in senders:
            sender.start()
        for client, sender in zip(clients, senders):
            self.assertReplies(client.replies(), expected)
            sender.join()
            client.close()

    def test_a_client_that_half_closes_while_answers_are_late_gets_them(self):
        service = self.serve()
        with service.client() as client:
            client.ask("VRFY fred")
            self.relay.delay(0.5)
            send_and_shut(client, b"VRFY fred@example.org\r\nVRFY nobody@example.org\r\nNOOP\r\nVRFY wilma\r\n")
            self.assertEqual(
                client.replies(),
                [VERDICTS["fred"], VERDICTS["nobody"], "250 2.0.0 OK", VERDICTS["wilma@example.org"]])

    def test_other_commands_in_the_midst_wait_for_their_turn(self):
        service = self.serve()
        with service.client() as client:
            client.ask("VRFY fred")
            self.relay.delay(0.1)
            client.send(
                "VRFY fred@example.org\r\nNOOP\r\nVRFY nobody@example.org\r\nEHLO client.example\r\nMAIL FROM:<>\r\n"
                "RCPT TO:<nobody@example.org>\r\nRCPT TO:<fred@example.org>\r\nEXPN open\r\nHELP\r\nVRFY x\0y\r\n"
                "DATA\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@example.org>\r\nDATA\r\nRSET\r\n"
                "RCPT TO:<fred@example.org>\r\nEXPN team\r\nVRFY wilma\r\nNOOP\r\nQUIT\r\nVRFY fred\r\n")
            replies = client.replies()
        ehlo = replies.pop(3)
        self.assertTrue(ehlo.startswith("250-mail.example.org greets client.example\n"), ehlo)
        self.assertTrue(replies.pop(7).startswith("214 "), "HELP")
        self.assertRegex(replies.pop(7), "^50[01] 5\\.5\\.2 ", "NUL")
        self.assertEqual(replies, [
            VERDICTS["fred"], "250 2.0.0 OK", VERDICTS["nobody"],
            "250 2.1.0 OK", "550 5.1.1 No such user here", "250 2.1.5 OK", VERDICTS["wilma@example.org"],
            # With a recipient, and then without one (RFC 5321 3.3).
            "554 5.3.2 This server answers questions about mailboxes and takes no mail",
            "250 2.0.0 OK", "250 2.1.0 OK", "550 5.1.1 No such user here", "554 5.5.1 No valid recipients",
            "250 2.0.0 OK", "503 5.5.1 MAIL first", QUESTIONS["EXPN team"], VERDICTS["wilma@example.org"],
            "250 2.0.0 OK", replies[-1]])
        self.assertTrue(replies[-1].startswith("221 "), replies[-1])

    def test_a_client_that_is_gone_takes_nobody_with_it(self):
        service = self.serve()
        with service.client() as other:
            other.ask("VRFY fred")
            self.relay.delay(0.2)
            for _ in range(10):
                with service.client() as client:
                    client.send("VRFY claude\r\nEXPN staff\r\n" * 10)
            self.assertEqual(other.ask("VRFY wilma"), VERDICTS["wilma@example.org"])
            self.relay.heal()
            self.assertEqual(other.ask("VRFY info"), VERDICTS["info"])

    def test_one_who_waits_holds_up_nobody_who_need_not(self):
        # What needs no look-up is answered at once, on every event loop.
        service = self.serve(timeout="8s", threads=1)
        with service.client() as waiting, service.client() as other:
            waiting.ask("VRFY fred")
            self.relay.hang()
            waiting.send("VRFY fred\r\n" * 200)
            began = time.monotonic()
            self.assertEqual(other.ask("NOOP"), "250 2.0.0 OK")
            self.assertEqual(other.ask("MAIL FROM:<>"), "250 2.1.0 OK")
            self.assertRegex(other.ask("VRFY <"), "^501 ")
            self.assertLess(time.monotonic() - began, 6)


class BackPressure(OrderTest):
    def test_a_client_that_does_not_read_is_not_read_from(self):
        service = self.serve()
        with service.client(receive_buffer=4096) as client, service.client() as other:
            client.socket.setblocking(False)
            sent = 0
            quiet = time.monotonic()
            while time.monotonic() - quiet < 1:
                try:
                    sent += client.socket.send(b"EXPN staff\r\n" * 1000)
                    quiet = time.monotonic()
                except BlockingIOError:
                    time.sleep(0.01)
                self.assertLess(sent, 50_000_000, "octets were taken, and no answer was")
            self.assertEqual(other.ask("VRFY wilma"), VERDICTS["wilma@example.org"])
            self.assertLess(service.memory(), 300_000_000)


class Signals(OrderTest):
    def test_sigterm_answers_what_is_in_flight(self):
        questions = list(QUESTIONS)[:12]
        service = self.serve()
        clients = [service.client() for _ in range(5)]
        try:
            clients[0].ask("VRFY fred")
            self.relay.delay(0.3)
            for client in clients:
                client.send("".join(f"{question}\r\n" for question in questions))
            began = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            for client in clients:
                replies = client.replies()
                self.assertRegex(replies.pop(), "^421 4\\.3\\.2 ")
                self.assertReplies(replies, [QUESTIONS[question] for question in questions])
            self.assertEqual(service.process.wait(PATIENCE), 0)
            self.assertLess(time.monotonic() - began, PATIENCE)
        finally:
            for client in clients:
                client.close()
        self.assertTrue(service.stop() == 0 and service.log.lines[-1].endswith(" info stopped"))

    def test_sigterm_while_no_server_answers(self):
        service = self.serve(timeout="2s", connect_timeout="1s")
        with service.client() as client:
            client.ask("VRFY fred")
            self.relay.hang()
            client.send("VRFY fred\r\n" * 10)
            began = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            replies = client.replies()
            self.assertRegex(replies.pop(), "^421 4\\.3\\.2 ")
            self.assertReplies(replies, [COULD_NOT_TELL] * 10)
            self.assertEqual(service.process.wait(PATIENCE), 0)
            self.assertLess(time.monotonic() - began, PATIENCE)

    def test_sigterm_waits_for_no_attempt_to_connect(self):
        service = self.serve(timeout="1s", connect_timeout="60s")
        with service.client() as client:
            self.relay.hang()
            self.assertEqual(client.ask("VRFY fred"), COULD_NOT_TELL)
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        self.assertEqual(service.process.wait(PATIENCE), 0)
        self.assertLess(time.monotonic() - began, 20, "seconds until the process ended, though nobody waited")

    def test_sighup_during_traffic_loses_nothing(self):
        service = self.serve()
        with Traffic(service) as traffic:
            for number in range(15):
                service.reload(
                    source(self.relay.uri, timeout=f"{20 + number}s"), limits={"errors": 10 + number})
                traffic.wait_for_batches(1)
            self.assertEqual(traffic.troubles, [])

    def test_sighup_while_no_server_answers_holds_up_nobody(self):
        service = self.serve(timeout="8s", threads=1)
        with service.client() as client, service.client() as other:
            client.ask("VRFY fred")
            self.relay.hang()
            client.send("VRFY fred\r\n" * 3)
            longest = 0
            for number in range(5):
                begun = time.monotonic()
                service.reload(source(self.relay.uri, timeout="8s", connect_timeout="8s"), threads=1,
                               limits={"errors": 10 + number})
                self.assertEqual(other.ask("NOOP"), "250 2.0.0 OK")
                longest = max(longest, time.monotonic() - begun)
                # Asked of the new source, which tries to connect.
                client.send("VRFY wilma\r\n")
                time.sleep(0.1)
            self.assertLess(longest, 6, "seconds that a reload and a NOOP took")
            self.relay.heal()
            self.assertEqual([client.reply() for _ in range(8)][:3], [COULD_NOT_TELL] * 3)
