"""Postfix asks the policy listener with the line of config/postfix/policy.cf; and clients of it that are broken."""

import os
import signal
import socket
import time
import unittest

from postfix import Postfix
from service import PATIENCE, SPELLINGS, Client, Service, swaks

LISTENERS = [{"smtp": "127.0.0.1:0"}, {"socketmap": "127.0.0.1:0"}, {"policy": "127.0.0.1:0"}]

# What Postfix answers RCPT with, in the words of our own SMTP.
REFUSED = {
    "nobody@example.org": r"550 5\.1\.1 .*No such user here",
    "nobody@alias.example": r"550 5\.1\.1 .*No such user here",
    "gone@example.org": r"551 5\.1\.6 .*User not local; please try <gone@elsewhere.example>",
    "left@example.org": r"550 5\.1\.6 .*User has moved",
    "ruth@example.org": r"550 5\.2\.1 .*Mailbox disabled",
    "leo@example.org": r"450 4\.2\.1 .*Mailbox suspended, try again later",
    "max@example.org": r"452 4\.2\.2 .*Mailbox full",
    "nobody@elsewhere.example": r"554 5\.7\.1 .*Relay access denied",
    "nobody+x@example.org": r"550 5\.1\.1 .*No such user here",
    "niemand-ü@example.org": r"550 5\.1\.1 .*No such user here",
    '"no body"@example.org': r"550 5\.1\.1 .*No such user here",
    # What can be nobody's address Postfix would take.
    "x" * 65 + "@example.org": r"550 5\.1\.1 .*No such user here",
}
TAKEN = ["fred@example.org", "FRED@Example.ORG", "fred+lists@example.org", "info@example.org", "team@example.org",
         "away@example.org", "anna@example.org", "staff@example.org", "any@catch.example", "fred@alias.example",
         "someone@relay.example", "postmaster@example.org", "postmaster@alias.example", "postmaster",
         "jürgen@example.org", '"odd name"@example.org', '"fred"@example.org']
DUNNO = b"action=DUNNO\n\n"


def request(recipient, state="RCPT", **attributes):
    lines = ["request=smtpd_access_policy", f"protocol_state={state}", f"recipient={recipient}"]
    lines += [f"{name}={value}" for name, value in attributes.items()]
    return ("\n".join(lines) + "\n\n").encode()


def addresses(service):
    return {f"127.0.0.1:{port}": "{}:{}".format(*service.addresses[index]) for index, port in ((1, 2526), (2, 2527))}


class Policy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service(listeners=LISTENERS))
        cls.service.change("user", "add", '"odd name"@example.org')

    def test_postfix_answers_in_our_words_with_the_maps(self):
        with Postfix(["virtual-users.cf", "policy.cf"], addresses(self.service)) as postfix:
            # The policy is asked before relocated_maps have a say, so that who has moved is 551 and not 550.
            for address in TAKEN:
                self.assertRegex(postfix.ask(address), "^250 2.1.5", address)
            for address, reply in REFUSED.items():
                with self.subTest(address):
                    self.assertRegex(postfix.ask(address), reply)
            with postfix.client() as client:
                client.ask("EHLO client.example.net")
                self.assertRegex(client.ask("VRFY fred@example.org"), "^252")
                self.assertRegex(client.ask("VRFY nobody@example.org"), r"550 5\.1\.1 .*String does not match anything")

    def test_odd_spellings(self):
        only = {"127.0.0.1:2527": addresses(self.service)["127.0.0.1:2527"]}
        with Postfix(["policy.cf"], only, "relay_domains = example.org", "relay_recipient_maps =") as postfix:
            for spelling in SPELLINGS:
                with self.subTest(spelling):
                    self.assertRegex(postfix.ask(spelling.format("nobody")), "^5[05][04] .*(No such user here|need fully-qualified)")
                    self.assertNotRegex(postfix.ask(spelling.format("fred")), "No such user here")

    def test_swaks(self):
        with Postfix(["virtual-users.cf", "policy.cf"], addresses(self.service)) as postfix:
            for address in ["fred@example.org", "nobody@example.org", "gone@example.org", "leo@example.org"]:
                self.assertRegex(swaks(postfix.port, address)[1], REFUSED.get(address, "^250 2.1.5"))

    def test_postfix_answers_in_our_words_without_the_maps(self):
        # Domains in a file, recipients taken unseen: only the policy knows who is here.
        only = {"127.0.0.1:2527": addresses(self.service)["127.0.0.1:2527"]}
        with Postfix(["policy.cf"], only, "relay_domains = example.org, alias.example, relay.example, catch.example",
                     "relay_recipient_maps =") as postfix:
            for address in TAKEN:
                self.assertRegex(postfix.ask(address), "^250 2.1.5", address)
            for address, reply in REFUSED.items():
                with self.subTest(address):
                    self.assertRegex(postfix.ask(address), reply)
            # An address that Postfix would put its own domain to.
            self.assertRegex(postfix.ask("nobody"), r"504 5\.5\.2 .*need fully-qualified address")

    def test_who_asks_postfix_is_told_what_the_class_may_know(self):
        with self.peer() as peer:
            peer.send(request("gone@example.org", client_address="127.0.0.1"))
            self.assertIn(b"551 5.1.6", self.actions(peer, 1))
            for address in "192.0.2.1", "2001:db8::1", "unknown":
                peer.send(request("gone@example.org", client_address=address))
                self.assertEqual(self.actions(peer, 1), b"action=550 5.1.6 User has moved\n\n", address)

    def peer(self, **options):
        return Client(self.service.addresses[2], greeted=False, **options)

    def actions(self, peer, count=None):
        """So many answers, or all until the server closes."""
        while count is None or peer.buffer.count(b"\n\n") < count:
            more = peer.socket.recv(65536)
            if not more:
                break
            peer.buffer += more
        found, peer.buffer = peer.buffer, b""
        return found

    def test_many_requests_on_one_connection(self):
        with self.peer() as peer:
            peer.send((request("fred@example.org", sender="a@b", x="1") + request("nobody@example.org")) * 2000)
            self.assertEqual(
                self.actions(peer, 4000), (DUNNO + b"action=550 5.1.1 No such user here\n\n") * 2000)

    def test_split_at_every_octet(self):
        octets = request("fred@example.org")
        with self.peer() as peer:
            for index in range(len(octets)):
                peer.send(octets[:index])
                peer.send(octets[index:])
                self.assertEqual(self.actions(peer, 1), DUNNO)

    def test_what_is_no_request_is_not_answered(self):
        for octets in [
            b"\n", b"hello\n\n", b"protocol_state=RCPT\n\n", request("a@b\nrecipient=c@d"),
            b"request=junk\nprotocol_state=RCPT\n\n", b"x" * 200_000, b"x=y\n" * 50_000,
        ]:
            with self.peer() as peer:
                peer.send(request("fred@example.org"))
                self.assertEqual(self.actions(peer, 1), DUNNO)
                try:
                    peer.send(octets)
                    self.assertEqual(self.actions(peer), b"", octets[:40])
                except (BrokenPipeError, ConnectionResetError):
                    # Closed while there was still more to come.
                    pass
        self.service.log.wait("malformed-request")


class Trouble(unittest.TestCase):
    def test_nobody_is_refused_for_good_while_the_directory_is_down(self):
        with Service(listeners=LISTENERS) as service:
            with Postfix(["policy.cf"], {"127.0.0.1:2527": addresses(service)["127.0.0.1:2527"]},
                         "relay_domains = example.org, alias.example, relay.example, catch.example",
                         "relay_recipient_maps =") as postfix:
                service.ruin()
                for address in [*TAKEN, *REFUSED]:
                    # Postfix takes mail for its own postmaster without asking anybody; and what it does not pass on, it
                    # refuses before it asks.
                    if address != "postmaster" and not address.endswith("@elsewhere.example"):
                        self.assertRegex(postfix.ask(address), r"^451 4\.4\.3 .*The directory could not tell", address)
                service.log.wait("could-not-tell")
                service.stop()
                self.assertRegex(postfix.ask("fred@example.org"), "^451")

    def test_a_slow_client_is_not_waited_for(self):
        with Service(listeners=[{"policy": "127.0.0.1:0"}], timeouts={"idle": "2s"}) as service:
            with Client(service.address, greeted=False) as peer:
                began = time.monotonic()
                for octet in request("fred@example.org")[:-1]:
                    try:
                        peer.send(bytes([octet]))
                    except OSError:
                        break
                    time.sleep(0.2)
                self.assertEqual(peer.socket.recv(100), b"")
                self.assertLess(time.monotonic() - began, PATIENCE)

    def test_who_names_a_trusted_client_learns_no_more(self):
        clients = [{"name": "near", "networks": ["127.0.0.1"], "trusted": True, "rcpt": "full", "vrfy": "full"},
                   {"name": "others", "questions-per-minute": 3}]
        with Service(listeners=[{"policy": "127.0.0.1:0"}], clients=clients) as service:
            with Client(service.address, greeted=False, source="127.0.0.2") as peer:
                peer.send(request("gone@example.org", client_address="127.0.0.1") * 10)
                peer.socket.shutdown(socket.SHUT_WR)
                found = b""
                while more := peer.socket.recv(65536):
                    found += more
                self.assertEqual(found.count(b"action=550 5.1.6 User has moved\n\n"), 3)
                self.assertEqual(found.count(b"action=450 4.7.1 Too many questions"), 7)

    def test_what_was_asked_is_answered_when_the_server_stops(self):
        with Service(listeners=[{"policy": "127.0.0.1:0"}]) as service, Client(service.address, greeted=False) as peer:
            peer.send(request("fred@example.org"))
            self.assertEqual(peer.socket.recv(100), DUNNO)
            peer.send(request("fred@example.org") * 100)
            os.kill(service.process.pid, signal.SIGTERM)
            found = b""
            while more := peer.socket.recv(65536):
                found += more
            self.assertEqual(found, DUNNO * 100)
            self.assertEqual(service.process.wait(PATIENCE), 0)


if __name__ == "__main__":
    unittest.main()
