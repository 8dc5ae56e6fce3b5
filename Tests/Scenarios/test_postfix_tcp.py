"""Postfix asks the maps over tcp:, with the lines of config/postfix/tcp.cf; and clients that are broken."""

import re
import socket
import time
import unittest

from postfix import FRAGMENTS, Postfix
from service import PATIENCE, Client, Service
from test_postfix_maps import ANSWERS, RECIPIENTS, WAYS, give_transports

# As the comment of the fragment has them.
MAPS = dict(re.findall(r"tcp-table: 127\.0\.0\.1:(\d+)\n#\s+map: ([a-z-]+)", (FRAGMENTS / "tcp.cf").read_text()))
OTHERS = ["aliases-step", "forwards"]
LISTENERS = [{"smtp": "127.0.0.1:0"}] + [
    {"tcp-table": "127.0.0.1:0", "map": name} for name in [*MAPS.values(), *OTHERS]]
FRED = b"200 fred@example.org\n"
ABSENT = b"500 not%20found\n"


def addresses(service):
    return {f"127.0.0.1:{port}": "{}:{}".format(*service.addresses[index]) for index, port in enumerate(MAPS, 1)}


def table(service, name):
    host, port = service.addresses[1 + [*MAPS.values(), *OTHERS].index(name)]
    return f"tcp:{host}:{port}"


class Maps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service(listeners=LISTENERS))
        give_transports(cls.service)
        cls.service.change("user", "add", '"odd %20 name"@example.org')
        cls.service.change("alias", "add", "odd@example.org", "--to", '"odd %20 name"@example.org', "jürgen@example.org")
        cls.postfix = cls.enterClassContext(Postfix(["tcp.cf"], addresses(cls.service)))

    def test_postmap_finds_what_is_there(self):
        for name, key, value in [
            *ANSWERS, ("mailboxes", '"odd %20 name"@example.org', '"odd %20 name"@example.org'),
            ("mailboxes", "odd %20 name@example.org", '"odd %20 name"@example.org'),
            ("aliases", "odd@example.org", '"odd %20 name"@example.org, jürgen@example.org'),
        ]:
            with self.subTest(map=name, key=key):
                status, output, errors = self.postfix.postmap(key, table(self.service, name))
                self.assertEqual(errors, "")
                self.assertEqual(output.rstrip("\n"), value or "")
                self.assertEqual(status, 0 if value else 1)

    def test_postmap_in_bulk(self):
        for name in {name for name, _, _ in ANSWERS}:
            wanted = [(key, value) for other, key, value in ANSWERS if other == name] * 20
            keys = "".join(f"{key}\n" for key, _ in wanted)
            _, output, errors = self.postfix.postmap("-", table(self.service, name), keys)
            self.assertEqual(errors, "")
            self.assertEqual(output.splitlines(), [f"{key}\t{value}" for key, value in wanted if value], name)

    def test_smtpd_says_what_our_smtp_says(self):
        with self.service.client() as ours:
            ours.ask("MAIL FROM:<>")
            for address, (code, reply) in RECIPIENTS.items():
                with self.subTest(address):
                    self.assertEqual(ours.ask(f"RCPT TO:<{address}>")[:3], code)
                    self.assertRegex(self.postfix.ask(address), reply)
            self.assertRegex(self.postfix.ask("jürgen@example.org"), "250 2.1.5")
            self.assertRegex(self.postfix.ask("odd@example.org"), "250 2.1.5")
            for address, way in WAYS.items():
                self.assertEqual(self.postfix.resolve(address), way)

    def test_smtpd_knows_whose_address_a_sender_is(self):
        for sender, login, reply in [
            ("fred@example.org", None, "553 5.7.1 .*not logged in"), ("fred@example.org", "fclaude", "250 2.1.5"),
            ("fred@example.org", "wilma@example.org", "553 5.7.1 .*not owned"), ("leo@example.org", None, "^4"),
        ]:
            with self.subTest(sender=sender, login=login):
                self.assertRegex(self.postfix.ask("wilma@example.org", sender, login), reply)

    def test_a_list_too_long_for_a_reply_is_not_cut_off(self):
        for number in range(2):
            members = [f"member-with-a-long-name-{index}@elsewhere.example" for index in range(90 - number * 10)]
            name = f"many{number}@example.org"
            self.service.change("list", "add", name, "--member", *members)
            status, output, errors = self.postfix.postmap(name, table(self.service, "aliases"))
            if number:
                self.assertEqual((status, errors), (0, ""))
                self.assertEqual(output.strip().split(", "), members)
            else:
                self.assertEqual((status, output), (1, ""))
                with self.peer("aliases") as peer:
                    peer.send(f"get {name}\n")
                    self.assertEqual(self.lines(peer, 1), b"400 4.3.0%20The%20value%20is%20longer%20than%20the%204096"
                                     b"%20octets%20of%20a%20reply\n")

    def test_postfix_takes_no_unix_socket(self):
        # Why tcp-table is refused one: Postfix takes "unix" for the name of a host.
        with Service(listeners=[{"socketmap": "unix:maps"}]) as service:
            status, output, errors = self.postfix.postmap("fred@example.org", f"tcp:unix:{service.address}")
            self.assertNotEqual(status, 0)
            self.assertEqual(output, "")

    def peer(self, name="mailboxes", **options):
        return Client(self.service.addresses[1 + [*MAPS.values(), *OTHERS].index(name)], greeted=False, **options)

    def lines(self, peer, count=None):
        """So many answers, or all until the server closes."""
        while count is None or peer.buffer.count(b"\n") < count:
            more = peer.socket.recv(65536)
            if not more:
                break
            peer.buffer += more
        found, peer.buffer = peer.buffer, b""
        return found

    def test_many_at_once_are_answered_in_order(self):
        with self.peer() as peer:
            peer.send(b"get fred@example.org\nget nobody%40example.org\n" * 5000)
            self.assertEqual(self.lines(peer, 10_000), (FRED + ABSENT) * 5000)

    def test_split_at_every_octet(self):
        octets = b"get f%72ed@example.org\n"
        with self.peer() as peer:
            for index in range(len(octets)):
                peer.send(octets[:index])
                time.sleep(0.01)
                peer.send(octets[index:])
                self.assertEqual(self.lines(peer, 1), FRED, index)

    def test_half_closed_and_still_answered(self):
        with self.peer() as peer:
            peer.send(b"get fred@example.org\n" * 3 + b"get fred@exam")
            peer.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(self.lines(peer), FRED * 3)

    def test_what_is_no_request_is_never_not_found(self):
        with self.peer() as peer:
            for octets in b"\n", b"put a b\n", b"get a%2\n", b"\0\xff\n", b"GET / HTTP/1.1\r\n", b"get " + b"x" * 2_000_000 + b"\n":
                peer.send(octets)
                self.assertRegex(self.lines(peer, 1), rb"^400 5\.5\.2%20")
                peer.send(b"get fred@example.org\r\n")
                self.assertEqual(self.lines(peer, 1), FRED)
            # Whoever errs too often is closed.
            peer.send(b"\n" * 100)
            self.assertEqual(self.lines(peer).count(b"400 "), 14)


class Trouble(unittest.TestCase):
    def test_nobody_is_refused_for_good_while_the_directory_is_down(self):
        with Service(listeners=LISTENERS) as service:
            with Postfix(["tcp.cf"], addresses(service)) as postfix:
                service.ruin()
                for address in RECIPIENTS:
                    # Postfix takes mail for its own postmaster without asking anybody.
                    self.assertRegex(postfix.ask(address), "^2" if address == "postmaster" else "^4", address)
                status, output, errors = postfix.postmap("fred@example.org", table(service, "mailboxes"))
                self.assertEqual((status, output), (1, ""))
                service.log.wait("could-not-tell")
                # Ten tries, a second apart.
                service.stop()
                began = time.monotonic()
                self.assertEqual(postfix.postmap("fred@example.org", table(service, "mailboxes"))[:2], (1, ""))
                self.assertGreater(time.monotonic() - began, 8)

    def test_a_slow_client_is_not_waited_for(self):
        with Service(listeners=LISTENERS[1:2], timeouts={"idle": "2s"}) as service:
            with Client(service.address, greeted=False) as peer:
                began = time.monotonic()
                for octet in b"get example.org":
                    try:
                        peer.send(bytes([octet]))
                    except OSError:
                        break
                    time.sleep(0.2)
                self.assertEqual(peer.socket.recv(100), b"")
                self.assertLess(time.monotonic() - began, PATIENCE)

    def test_where_addresses_lead_is_for_trusted_classes(self):
        with Service(listeners=LISTENERS[1:], clients=[{"name": "others", "questions-per-minute": 3}]) as service:
            for index, name in enumerate(MAPS.values()):
                with Client(service.addresses[index], greeted=False) as peer:
                    peer.send(b"get info@example.org\n")
                    reply = peer.socket.recv(1000)
                    if name in ("aliases", "relocated", "senders", "transport"):
                        self.assertRegex(reply, rb"^400 (5\.7\.1%20The%20map%20is%20closed|4\.7\.1%20Too%20many)")
                    elif index < 3:
                        self.assertNotIn(b"400", reply)


if __name__ == "__main__":
    unittest.main()
