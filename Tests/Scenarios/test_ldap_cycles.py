"""Losing the server and finding it again, over and over: nothing is left behind each time."""

import time
import unittest

from ldap_service import COULD_NOT_TELL, LDAPService, need_slapd, own_slapd, source
from service import VERDICTS, eventually

# From Tests/LDAP, where ldap_service finds them.
from relay import Relay


def setUpModule():
    need_slapd()


class Cycles(unittest.TestCase):
    def setUp(self):
        self.slapd = self.enterContext(own_slapd())
        self.relay = self.enterContext(Relay(self.slapd))
        # Of one that breaks off while it connects nothing more comes.
        self.source = source(self.relay.uri, connect_timeout="2s")

    def find(self, client):
        """Until the answer is right again; nothing else but 451 is told before."""
        def is_found():
            reply = client.ask("VRFY fred@example.org")
            self.assertIn(reply, [VERDICTS["fred"], COULD_NOT_TELL])
            return reply == VERDICTS["fred"]

        eventually(is_found, "the server is found again")

    # Each loses the connection; after some of them the server can't be reached for a while.

    def drop(self, client):
        self.relay.drop(reset=True)

    def end(self, client):
        self.relay.drop(reset=False)

    def refuse(self, client):
        self.relay.refuse()
        eventually(lambda: client.ask("VRFY fred@example.org") == COULD_NOT_TELL, "the loss is noticed")
        self.relay.heal()

    def cut(self, client):
        self.relay.cut(after=20)
        eventually(lambda: client.ask("VRFY fred@example.org") == COULD_NOT_TELL, "the loss is noticed")
        self.relay.heal()

    def fail_to_bind(self, client):
        # Within the answer to the bind, of which the attempt to connect is left with half.
        self.relay.cut(after=5)
        self.relay.drop()
        eventually(lambda: client.ask("VRFY fred@example.org") == COULD_NOT_TELL, "the loss is noticed")
        self.relay.heal()

    def in_flight(self, client):
        self.relay.stall(after=10, times=1)
        client.send("VRFY wilma\r\nEXPN staff\r\nVRFY sam\r\n")
        eventually(lambda: self.relay.fault.times == 0, "an answer stands still")
        self.relay.drop()
        self.relay.heal()
        for _ in range(3):
            client.reply()

    def test_100_cycles_leave_no_thread_and_no_file(self):
        ways = [self.drop, self.end, self.refuse, self.cut, self.fail_to_bind, self.in_flight]
        with LDAPService(self.source) as service, service.client() as client:
            for way in ways:
                self.find(client)
                way(client)
            self.find(client)
            threads, files = service.threads(), service.files()
            memory = service.memory()
            for number in range(100):
                with self.subTest(cycle=number):
                    ways[number % len(ways)](client)
                    self.find(client)
            # A thread that connects ends soon after it has.
            eventually(lambda: service.threads() <= threads, f"{threads} threads again")
            eventually(lambda: service.files() <= files, f"{files} files again")
            self.assertLess(service.memory() - memory, 20_000_000, "octets of memory more than before")
            self.assertLessEqual(self.relay.open, 1)

    def test_30_reloads_leave_no_thread_and_no_file(self):
        with LDAPService(self.source) as service, service.client() as client:
            for number in range(30):
                service.reload(self.source, limits={"errors": 10 + number})
                # Now with a connection, now without one.
                if number % 3:
                    self.assertEqual(client.ask("VRFY fred@example.org"), VERDICTS["fred"])
                if number == 5:
                    time.sleep(0.5)
                    threads, files = service.threads(), service.files()
            # What the last reload put aside ends soon after it.
            eventually(lambda: service.threads() <= threads, f"{threads} threads, as after 6 reloads")
            eventually(lambda: service.files() <= files, f"{files} files, as after 6 reloads")
            eventually(lambda: self.relay.open == 1, "one connection")

    def test_an_idle_connection_that_slapd_ends_is_opened_again_unnoticed(self):
        with own_slapd(settings=["idletimeout 1"]) as server, LDAPService(source(server.uri)) as service, \
                service.client() as client:
            for _ in range(3):
                self.assertEqual(client.ask("VRFY fred@example.org"), VERDICTS["fred"])
                time.sleep(1.6)
            self.assertEqual(client.ask("VRFY fred@example.org"), VERDICTS["fred"])
            self.assertFalse([line for line in service.log.lines if " could-not-tell " in line])

    def test_nobody_asks_and_nothing_is_tried(self):
        # A server that is gone is not called upon by one who has no questions.
        with LDAPService(self.source) as service, service.client() as client:
            service.log.wait(r" info source-examined .*source=people")
            before = self.relay.accepted
            self.assertEqual(client.ask("NOOP"), "250 2.0.0 OK")
            self.assertEqual(self.relay.accepted, before)
            self.find(client)
            self.relay.drop(reset=False)
            time.sleep(0.5)
            self.assertEqual(self.relay.accepted, before + 1)
