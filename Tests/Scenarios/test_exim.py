"""Exim asks with ${readsocket}, by the lines of config/exim/addressee.conf; and clients of that wire that are broken."""

import os
import signal
import socket
import time
import unittest

from exim import Exim
from service import PATIENCE, Client, Service, swaks

LISTENERS = [{"smtp": "127.0.0.1:0"}, {"readsocket": "127.0.0.1:0"}]
TRANSPORTS = """
elsewhere:
  driver = manualroute
  route_list = * 192.0.2.1
  transport = onward

begin transports

addressee_mailboxes:
  driver = lmtp
  socket = /nonexistent

onward:
  driver = smtp
"""

TAKEN = ["fred@example.org", "FRED@Example.ORG", "fred+lists@example.org", "info@example.org", "team@example.org",
         "away@example.org", "anna@example.org", "staff@example.org", "any@catch.example", "fred@alias.example",
         "someone@relay.example", "postmaster@example.org", "postmaster@alias.example", "postmaster",
         "jürgen@example.org", '"odd name"@example.org', '"fred"@example.org']
# What Exim answers RCPT with, in the words of our own SMTP.
REFUSED = {
    "nobody@example.org": r"^550 5\.1\.1 No such user here",
    "nobody@alias.example": r"^550 5\.1\.1 No such user here",
    "nobody+x@example.org": r"^550 5\.1\.1 No such user here",
    "niemand-ü@example.org": r"^550 5\.1\.1 No such user here",
    '"no body"@example.org': r"^550 5\.1\.1 No such user here",
    "x" * 65 + "@example.org": r"^550 5\.1\.1 No such user here",
    "gone@example.org": r"^551 5\.1\.6 User not local; please try <gone@elsewhere.example>",
    "left@example.org": r"^550 5\.1\.6 User has moved",
    "ruth@example.org": r"^550 5\.2\.1 Mailbox disabled",
    "leo@example.org": r"^450 4\.2\.1 Mailbox suspended, try again later",
    "max@example.org": r"^452 4\.2\.2 Mailbox full",
    "nobody@elsewhere.example": r"^550 5\.7\.1 Relaying denied",
}


def address(service, index=1):
    return "{}:{}".format(*service.addresses[index])


def rest(peer):
    """All that comes until the server closes."""
    parts = [peer.buffer]
    while more := peer.socket.recv(65536):
        parts.append(more)
    return b"".join(parts)


class Readsocket(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service(
            listeners=[*LISTENERS, {"readsocket": "unix:ask", "unix-mode": "0666"}]))
        cls.service.folder.chmod(0o755)
        cls.service.change("user", "add", '"odd name"@example.org')
        cls.exim = cls.enterClassContext(Exim("addressee.conf", {"127.0.0.1:2529": address(cls.service)}, TRANSPORTS))

    def test_swaks(self):
        for address in ["fred@example.org", "nobody@example.org", "gone@example.org", "leo@example.org"]:
            self.assertRegex(swaks(self.exim.port, address)[1], REFUSED.get(address, "^250"))

    def test_rcpt_is_answered_in_our_words(self):
        for name in TAKEN:
            with self.subTest(name):
                self.assertRegex(self.exim.ask(name), "^250")
        for name, reply in REFUSED.items():
            with self.subTest(name):
                self.assertRegex(self.exim.ask(name), reply)

    def test_a_stranger_learns_of_no_new_address(self):
        clients = [{"name": "near", "networks": ["127.0.0.1", "unix"], "trusted": True, "rcpt": "full"},
                   {"name": "others"}]
        with Service(listeners=LISTENERS, clients=clients) as service:
            with Exim("addressee.conf", {"127.0.0.1:2529": address(service)}, TRANSPORTS) as exim:
                self.assertRegex(exim.ask("gone@example.org"), "^551 5.1.6")
                self.assertRegex(exim.ask("gone@example.org", source="127.0.0.2"), "^550 5.1.6 User has moved$")

    def test_routers_lead_to_the_final_recipients(self):
        for name, wanted in {
            "fred@example.org": ["fred@example.org|addressee_mailboxes"],
            "fred+lists@example.org": ["fred+lists@example.org|addressee_mailboxes"],
            "info@example.org": ["fred@example.org|addressee_mailboxes"],
            "away@example.org": ["away@elsewhere.example|elsewhere"],
            "anna@example.org": ["anna@elsewhere.example|elsewhere", "anna@example.org|addressee_mailboxes"],
            "staff@example.org": ["fred@example.org|addressee_mailboxes", "sam@elsewhere.example|elsewhere",
                                  "wilma@example.org|addressee_mailboxes"],
            "any@catch.example": ["fred@example.org|addressee_mailboxes"],
            "fred@alias.example": ["fred@example.org|addressee_mailboxes"],
            "someone@relay.example": ["someone@relay.example|elsewhere"],
            "a@elsewhere.example": ["a@elsewhere.example|elsewhere"],
        }.items():
            with self.subTest(name):
                status, output = self.exim.run("-bt", name)
                found, last = [], ""
                for line in output.splitlines():
                    if line.startswith("  router = "):
                        found.append(f"{last}|{line.split()[2].rstrip(',')}")
                    elif line and line[0] != " ":
                        last = line.split()[0]
                self.assertEqual((status, sorted(found)), (0, wanted), output)
        for name, status, text in [
            ("nobody@example.org", 2, "550 5.1.1 No such user here"), ("ruth@example.org", 2, "550 5.2.1 Mailbox disabled"),
            ("gone@example.org", 2, "551 5.1.6 User not local; please try <gone@elsewhere.example>"),
            ("leo@example.org", 1, "450 4.2.1 Mailbox suspended"), ("max@example.org", 1, "452 4.2.2 Mailbox full"),
        ]:
            with self.subTest(name):
                found, output = self.exim.run("-bt", name)
                self.assertEqual(found, status, output)
                self.assertIn(text, output)

    def test_expansions_by_hand(self):
        tcp = "inet:" + address(self.service)
        for place in tcp, str(self.service.folder / "ask"):
            for question, answer in {
                "rcpt fred@example.org": "ok 250 2.1.5 OK", "rcpt fred@example.org\\n": "ok 250 2.1.5 OK",
                "rcpt nobody@example.org": "no 550 5.1.1 No such user here",
                "rcpt a@elsewhere.example": "elsewhere 550 5.7.1 Relaying denied: not a domain of this server",
                "rcpt client= gone@example.org": "no 551 5.1.6 User not local; please try <gone@elsewhere.example>",
                "rcpt client=192.0.2.1 gone@example.org": "no 550 5.1.6 User has moved",
                "rcpt leo@example.org": "defer 450 4.2.1 Mailbox suspended, try again later",
                "vrfy fclaude": "ok 250 2.1.5 Fred Claude <fred@example.org>",
                "aliases team@example.org": "ok fred@example.org, wilma@example.org", "aliases fred@example.org": "no",
                "domains example.org": "ok example.org", "relocated gone@example.org": "ok gone@elsewhere.example",
                "senders fred@example.org": "ok fclaude", "mailboxes jürgen@example.org": "ok jürgen@example.org",
            }.items():
                with self.subTest(question, place=place):
                    status, output = self.exim.run("-be", f"[${{readsocket{{{place}}}{{{question}}}}}]")
                    self.assertEqual((status, output), (0, f"[{answer}]\n"))
        # A client that keeps its side open has to end the question.
        status, output = self.exim.run("-be", f"[${{readsocket{{{tcp}}}{{domains example.org\\n}}{{5s:shutdown=no}}}}]")
        self.assertEqual((status, output), (0, "[ok example.org]\n"))

    def peer(self, **options):
        return self.enterContext(Client(self.service.addresses[1], greeted=False, **options))

    def test_split_at_every_octet(self):
        octets = b"domains example.org\n"
        for index in range(1, len(octets)):
            peer = self.peer()
            peer.send(octets[:index])
            time.sleep(0.01)
            peer.send(octets[index:])
            self.assertEqual(rest(peer), b"ok example.org", index)

    def test_one_question_a_connection(self):
        for octets in b"domains example.org\n" * 1000, b"domains example.org\r\n", b"domains example.org\n\0\xff":
            peer = self.peer()
            peer.send(octets)
            self.assertEqual(rest(peer), b"ok example.org")
        for octets in b"domains example.org", b"domains example.org\n":
            peer = self.peer()
            peer.send(octets)
            peer.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(rest(peer), b"ok example.org")

    def test_what_is_no_question_is_never_no(self):
        for octets in b"\n", b"rcpt\n", b"hello there\n", b"\0\xff", b"GET / HTTP/1.1\r\n", b"rcpt " + b"x" * 1_000_000:
            peer = self.peer()
            try:
                peer.send(octets)
                peer.socket.shutdown(socket.SHUT_WR)
            except OSError:
                # Closed while there was still more to come.
                pass
            self.assertRegex(rest(peer), rb"^defer 5\.5\.[24] ")
        peer = self.peer()
        peer.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(rest(peer), b"")

    def test_a_long_answer_to_a_slow_client_is_whole(self):
        members = [f"member-with-a-long-name-{index}@elsewhere.example" for index in range(900)]
        for number in range(30):
            self.service.change(
                "list", "add", f"part{number}@example.org", "--member",
                *(f"n{number}-{member}" for member in members))
        self.service.change(
            "list", "add", "great@example.org", "--member", *(f"part{number}@example.org" for number in range(30)))
        for is_half_closed in False, True:
            peer = self.peer(receive_buffer=4096)
            peer.send(b"aliases great@example.org\n")
            if is_half_closed:
                peer.socket.shutdown(socket.SHUT_WR)
            time.sleep(1)
            answer = rest(peer)
            self.assertEqual(answer.count(b"@elsewhere.example"), 27_000)


class Trouble(unittest.TestCase):
    def test_nobody_is_refused_for_good_while_the_directory_is_down(self):
        with Service(listeners=LISTENERS) as service:
            with Exim("addressee.conf", {"127.0.0.1:2529": address(service)}, TRANSPORTS) as exim:
                service.ruin()
                for name in [*REFUSED, *TAKEN]:
                    self.assertRegex(exim.ask(name), r"^451 4\.4\.3 The directory could not tell", name)
                status, output = exim.run("-bt", "fred@example.org")
                self.assertEqual(status, 1, output)
                service.log.wait("could-not-tell")
                service.stop()
                self.assertRegex(exim.ask("nobody@example.org"), r"^451 4\.4\.3 The directory could not be asked")
                self.assertEqual(exim.run("-bt", "nobody@example.org")[0], 1)

    def test_one_who_never_answers_is_not_waited_for(self):
        with socket.create_server(("127.0.0.1", 0)) as mute:
            place = "127.0.0.1:{}".format(mute.getsockname()[1])
            with Exim("addressee.conf", {"127.0.0.1:2529": place, "{10s}": "{1s}"}, TRANSPORTS) as exim:
                self.assertRegex(exim.ask("nobody@example.org"), r"^451 4\.4\.3 The directory could not be asked")

    def test_a_slow_client_is_not_waited_for(self):
        with Service(listeners=LISTENERS[1:], timeouts={"idle": "2s"}) as service:
            with Client(service.address, greeted=False) as peer:
                peer.send(b"rcpt fred@example.org")
                self.assertEqual(rest(peer), b"defer 4.4.2 No question was heard; end it with a line feed")

    def test_whoever_is_not_served_is_told_to_come_back(self):
        clients = [{"name": "mta", "networks": ["127.0.0.2"]}, {"name": "others", "questions-per-minute": 3}]
        with Service(listeners=[dict(LISTENERS[1], clients=["mta"]), LISTENERS[1]], clients=clients) as service:
            with Client(service.addresses[0], greeted=False) as peer:
                self.assertEqual(rest(peer), b"defer 5.7.1 No service for you")
            found = []
            for _ in range(5):
                with Client(service.addresses[1], greeted=False) as peer:
                    peer.send(b"rcpt nobody@example.org\n")
                    found.append(rest(peer)[:9])
            self.assertEqual(found, [b"no 550 5."] * 3 + [b"defer 450"] * 2)

    def test_who_has_not_asked_yet_is_told_when_the_server_stops(self):
        with Service(listeners=LISTENERS[1:]) as service, Client(service.address, greeted=False) as peer:
            service.log.wait("listening")
            with Client(service.address, greeted=False) as other:
                other.send(b"domains example.org\n")
                self.assertEqual(rest(other), b"ok example.org")
            os.kill(service.process.pid, signal.SIGTERM)
            self.assertEqual(rest(peer), b"defer 4.3.2 Service not available, try again later")
            self.assertEqual(service.process.wait(PATIENCE), 0)


if __name__ == "__main__":
    unittest.main()
