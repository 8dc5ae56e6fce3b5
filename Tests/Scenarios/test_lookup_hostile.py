"""Clients of the maps that are slow, broken or greedy."""

import os
import signal
import socket
import threading
import time
import unittest

from service import PATIENCE, Client, Service

SOCKETMAP = {"socketmap": "127.0.0.1:0"}
FRED = b"19:OK fred@example.org,"
NOTFOUND = b"9:NOTFOUND ,"


def request(name, key):
    octets = f"{name} {key}".encode()
    return b"%d:%b," % (len(octets), octets)


class Peer(Client):
    """A client that nobody greets."""

    def __init__(self, address, **options):
        super().__init__(address, greeted=False, **options)

    def replies(self, count):
        """So many netstrings, as they came; fewer when the server closes."""
        found = []
        while len(found) < count:
            digits, colon, _ = self.buffer.partition(b":")
            end = len(digits) + 1 + int(digits or 0) + 1
            if colon and len(self.buffer) >= end:
                found.append(self.buffer[:end])
                self.buffer = self.buffer[end:]
                continue
            more = self.socket.recv(65536)
            if not more:
                break
            self.buffer += more
        return found

    def rest(self):
        """All that comes until the server closes."""
        found, self.buffer = self.buffer, b""
        while more := self.socket.recv(65536):
            found += more
        return found


class Socketmap(unittest.TestCase):
    def setUp(self):
        self.service = self.enterContext(Service(listeners=[SOCKETMAP], limits={"errors": 5}, timeouts={"idle": "2s"}))

    def peer(self, **options):
        return self.enterContext(Peer(self.service.address, **options))

    def test_split_at_every_octet(self):
        peer = self.peer()
        octets = request("mailboxes", "fred@example.org")
        for index in range(len(octets)):
            peer.send(octets[:index])
            time.sleep(0.01)
            peer.send(octets[index:])
            self.assertEqual(peer.replies(1), [FRED], index)

    def test_many_at_once_are_answered_in_order(self):
        peer = self.peer()
        keys = ["fred@example.org", "nobody@example.org"] * 5000
        peer.send(b"".join(request("mailboxes", key) for key in keys))
        self.assertEqual(peer.replies(len(keys)), [FRED, NOTFOUND] * 5000)

    def test_one_who_takes_no_replies_costs_no_memory(self):
        self.service.memory()
        peer = self.peer(receive_buffer=4096)
        before = self.service.memory()
        octets = request("nomap", "x") * 1000
        peer.socket.settimeout(1)
        sent = 0
        try:
            while sent < 200_000_000:
                sent += peer.socket.send(octets)
        except TimeoutError:
            pass
        self.assertLess(sent, 200_000_000)
        self.assertLess(self.service.memory() - before, 64_000_000)

    def test_a_new_configuration_while_requests_wait_for_a_late_reader(self):
        """Each is answered, by the old sources or the new; and once by the new, by those ever after."""
        count = 400_000
        peer = self.peer(receive_buffer=4096)
        sender = threading.Thread(target=peer.send, args=[request("mailboxes", "fred@example.org") * count])
        sender.start()
        self.assertEqual(peer.replies(1), [FRED])
        # Then some more are answered, and most are not even read.
        time.sleep(1)
        start = len(self.service.log.lines)
        self.service.configure(
            listeners=[SOCKETMAP], sources=[{"name": "main", "sqlite": "other.sqlite"}])
        self.service.change("init")
        self.service.run("domain", "add", "example.org")
        self.service.process.send_signal(signal.SIGHUP)
        self.service.log.wait(" configuration-reloaded ", start=start)
        parts = [FRED + peer.buffer]
        answered = parts[0].count(b",")
        while answered < count:
            parts.append(peer.socket.recv(1 << 20))
            self.assertTrue(parts[-1], "the server has closed")
            answered += parts[-1].count(b",")
        sender.join()
        replies = b"".join(parts)
        found = replies.count(FRED)
        self.assertEqual(replies, FRED * found + NOTFOUND * (count - found))
        self.assertGreater(found, 1000)
        self.assertGreater(count - found, 1000, "all had been answered before")

    def test_no_netstring_is_told_so_and_closed(self):
        for octets in b"hello\r\n", b"3:abcd", b"03:m k,", b"-5:a b c,", b"99999999999:", b"\0\0\0\0":
            peer = self.peer()
            peer.send(request("mailboxes", "fred@example.org") + octets)
            self.assertEqual(peer.rest(), FRED + b"30:PERM 5.5.2 Malformed netstring,", octets)
        self.service.log.wait(r"malformed-request .*listener=socketmap on=127\.0\.0\.1:")

    def test_too_long_is_read_past(self):
        peer = self.peer()
        peer.send(b"5000000:" + b"x" * 5_000_000 + b"," + request("mailboxes", "fred@example.org"))
        long, reply = peer.replies(2)
        self.assertIn(b"PERM 5.5.2 The request is longer than 10000 octets", long)
        self.assertEqual(reply, FRED)

    def test_who_errs_too_often_is_closed(self):
        peer = self.peer()
        peer.send(b"0:," * 20)
        self.assertEqual(peer.rest().count(b"PERM"), 5)

    def test_a_slow_client_is_not_waited_for(self):
        peer = self.peer()
        began = time.monotonic()
        for octet in request("mailboxes", "fred@example.org")[:-1]:
            try:
                peer.send(bytes([octet]))
            except OSError:
                break
            time.sleep(0.2)
        self.assertEqual(peer.rest(), b"")
        self.assertLess(time.monotonic() - began, PATIENCE)

    def test_half_closed_and_still_answered(self):
        peer = self.peer()
        peer.send(request("mailboxes", "fred@example.org") * 3)
        peer.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(peer.rest(), FRED * 3)

    def test_what_was_asked_is_answered_when_the_server_stops(self):
        peers = [self.peer() for _ in range(20)]
        for peer in peers:
            # One that is not accepted yet has asked nobody.
            peer.send(request("mailboxes", "fred@example.org"))
            self.assertEqual(peer.replies(1), [FRED])
        for peer in peers:
            peer.send(request("mailboxes", "fred@example.org") * 100)
        os.kill(self.service.process.pid, signal.SIGTERM)
        for peer in peers:
            self.assertEqual(peer.rest(), FRED * 100)
        self.assertEqual(self.service.process.wait(PATIENCE), 0)


class Classes(unittest.TestCase):
    def test_who_is_not_admitted_is_told_so(self):
        clients = [{"name": "mta", "networks": ["127.0.0.2"], "trusted": True, "rcpt": "full"}, {"name": "others"}]
        with Service(listeners=[dict(SOCKETMAP, clients=["mta"])], clients=clients) as service:
            with Peer(service.address) as peer:
                self.assertEqual(peer.rest(), b"29:PERM 5.7.1 No service for you,")
            with Peer(service.address, source="127.0.0.2") as peer:
                peer.send(request("aliases", "info@example.org"))
                self.assertEqual(peer.replies(1), [FRED])

    def test_where_addresses_lead_is_for_trusted_classes(self):
        with Service(listeners=[SOCKETMAP], clients=[{"name": "others"}]) as service, Peer(service.address) as peer:
            for name in "aliases", "aliases-step", "forwards", "relocated", "senders", "transport":
                peer.send(request(name, "info@example.org"))
                self.assertIn(b"PERM 5.7.1 The map is closed to you", peer.replies(1)[0])
            peer.send(request("mailboxes", "nobody@example.org"))
            self.assertEqual(peer.replies(1), [NOTFOUND])

    def test_too_many_questions(self):
        clients = [{"name": "others", "questions-per-minute": 3}]
        with Service(listeners=[SOCKETMAP], clients=clients) as service, Peer(service.address) as peer:
            peer.send(request("mailboxes", "wilma@example.org") * 200)
            text = peer.rest()
            self.assertEqual(text.count(b"OK wilma"), 3)
            self.assertIn(b"TEMP 4.7.1 Too many questions", text)
            self.assertNotIn(b"NOTFOUND", text)
            service.log.wait(r" info question-refused client=127.0.0.1 .*more than 3 questions a minute")


if __name__ == "__main__":
    unittest.main()
