"""Mail servers that ask by the milter protocol: as they should, with miltertest, and slow, broken or greedy ones."""

import os
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from debian import unpack
from milter import CONTINUE, Peer, connect, mail, offer, packet, rcpt
from service import PATIENCE, Client, Service

MILTER = {"milter": "127.0.0.1:0"}
NOBODY = packet("y", "550 5.1.1 No such user here\0")

# What miltertest is told at RCPT: nothing but "continue", or a reply.
SCRIPT = """
function fail(what) error(what, 0) end
function check(what, error) if error ~= nil then fail(what .. ": " .. error) end end
function recipient(conn, address, expected)
    check("rcpt", mt.rcptto(conn, address))
    if mt.getreply(conn) ~= expected then
        fail(address .. " was answered with " .. string.char(mt.getreply(conn)))
    end
end
conn = mt.connect(SOCKET)
if conn == nil then fail("no connection") end
check("negotiate", mt.negotiate(conn, VERSION + 0, nil, nil))
for _, step in ipairs({SMFIP_NOHELO, SMFIP_NOBODY, SMFIP_NOHDRS, SMFIP_NOEOH}) do
    if not mt.test_option(conn, step) then fail("a step is not switched off") end
end
for _, step in ipairs({SMFIP_NOCONNECT, SMFIP_NOMAIL, SMFIP_NORCPT}) do
    if mt.test_option(conn, step) then fail("a step is switched off") end
end
for _, action in ipairs({SMFIF_ADDHDRS, SMFIF_CHGBODY, SMFIF_ADDRCPT, SMFIF_DELRCPT, SMFIF_QUARANTINE}) do
    if mt.test_action(conn, action) then fail("an action is asked for") end
end
check("connect", mt.conninfo(conn, "client.example.net", CLIENT))
if mt.getreply(conn) ~= SMFIR_CONTINUE then fail("connect") end
for message = 1, 3 do
    mt.macro(conn, SMFIC_MAIL, "i", "id" .. message, "mail_addr", "a@b")
    check("mail", mt.mailfrom(conn, "<sender@example.net>", "SIZE=100"))
    mt.macro(conn, SMFIC_RCPT, "rcpt_mailer", "esmtp")
    recipient(conn, "<fred@example.org>", SMFIR_CONTINUE)
    recipient(conn, "<nobody@example.org>", SMFIR_REPLYCODE)
    recipient(conn, "<leo@example.org>", SMFIR_REPLYCODE)
    recipient(conn, "<nobody@elsewhere.example>", SMFIR_CONTINUE)
    if message == 2 then
        check("abort", mt.abort(conn))
    else
        check("eom", mt.eom(conn))
        if mt.getreply(conn) ~= SMFIR_CONTINUE then fail("eom") end
        if mt.eom_check(conn, MT_HDRADD) or mt.eom_check(conn, MT_BODYCHANGE) then fail("changed") end
    end
end
mt.disconnect(conn)
mt.echo("done")
"""


class Milter(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service(listeners=[MILTER, {"milter": "unix:milter"}]))

    def peer(self, **options):
        return self.enterContext(Peer(self.service.address, **options))

    def test_answers(self):
        answers = {
            "fred@example.org": "continue", "fred+x@example.org": "continue", "info@example.org": "continue",
            "away@example.org": "continue", "staff@example.org": "continue", "any@catch.example": "continue",
            "fred@alias.example": "continue", "x@relay.example": "continue", "postmaster": "continue",
            "postmaster@second.example": "continue", "x@elsewhere.example": "continue", "jürgen@example.org": "continue",
            '"fred"@example.org': "continue", "fred": "continue", "": "continue",
            "x" * 65 + "@example.org": "550 5.1.1 No such user here", "x" * 65 + "@elsewhere.example": "continue",
            "nobody@example.org": "550 5.1.1 No such user here", "nobody@alias.example": "550 5.1.1 No such user here",
            '"a b"@example.org': "550 5.1.1 No such user here", "jörgen@example.org": "550 5.1.1 No such user here",
            "gone@example.org": "551 5.1.6 User not local; please try <gone@elsewhere.example>",
            "left@example.org": "550 5.1.6 User has moved", "ruth@example.org": "550 5.2.1 Mailbox disabled",
            "leo@example.org": "450 4.2.1 Mailbox suspended, try again later", "max@example.org": "452 4.2.2 Mailbox full",
        }
        for address in self.service.addresses:
            with Peer(address) as peer:
                peer.ask(connect("127.0.0.1"), mail())
                for recipient, answer in answers.items():
                    with self.subTest(recipient):
                        self.assertEqual(peer.ask(rcpt(recipient)), answer)

    def test_miltertest(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        root, environment = unpack(["miltertest", "liblua5.3-0", "libbsd0", "libmd0"], folder)
        folder.joinpath("script.lua").write_text(SCRIPT)
        for place in f"inet:{self.service.port}@127.0.0.1", f"unix:{self.service.addresses[1]}":
            for version in 2, 6:
                for client in "192.0.2.1", "2001:db8::1", "unspec":
                    done = subprocess.run(
                        [root / "usr/bin/miltertest", "-D", f"SOCKET={place}", "-D", f"VERSION={version}",
                         "-D", f"CLIENT={client}", "-s", folder / "script.lua"], env=environment, capture_output=True,
                        text=True, timeout=PATIENCE * 2)
                    self.assertEqual((done.returncode, done.stdout), (0, "done\n"), (place, version, client, done.stderr))

    def test_who_asks_the_mail_server_is_told_what_the_class_may_know(self):
        told, untold = "551 5.1.6 User not local; please try <gone@elsewhere.example>", "550 5.1.6 User has moved"
        peer = self.peer()
        for client, answer in [
            (connect("127.0.0.1"), told), (connect("::1", "6"), told), (connect("IPv6:::1", "6"), told),
            (connect("/run/x", "L"), told), (connect("192.0.2.1"), untold), (connect("2001:db8::1", "6"), untold),
            (connect("unix"), untold), (connect(""), untold), (packet("C", "localhost\0U"), untold),
        ]:
            self.assertEqual(peer.ask(client, mail(), rcpt("gone@example.org")), answer, client)
        # Without a word about the client; and on the same connection for another one.
        self.assertEqual(self.peer().ask(mail(), rcpt("gone@example.org")), untold)
        peer.send(connect("127.0.0.1") + packet("K") + mail() + rcpt("gone@example.org"))
        self.assertEqual(peer.text(peer.packets(3)[-1]), untold)

    def test_a_mail_server_is_told_no_more_than_it_may_know(self):
        clients = [{"name": "machine", "networks": ["127.0.0.2"], "rcpt": "full"}, {"name": "others"}]
        with Service(listeners=[MILTER], clients=clients) as service:
            for source, code in ("127.0.0.2", "551"), ("127.0.0.1", "550"):
                with Peer(service.address, source=source) as peer:
                    answer = peer.ask(connect("127.0.0.2"), mail(), rcpt("gone@example.org"))
                    self.assertEqual(answer[:3], code, source)

    def test_utf8_is_told_to_who_takes_it(self):
        self.service.change("moved", "add", "møved@example.org", "--to", "ü@elsewhere.example")
        self.addCleanup(self.service.change, "moved", "rm", "møved@example.org")
        peer = self.peer()
        peer.ask(connect("127.0.0.1"))
        self.assertEqual(peer.ask(mail(), rcpt("møved@example.org")), "550 5.1.6 User has moved")
        self.assertEqual(
            peer.ask(mail("<>", "SMTPUTF8"), rcpt("møved@example.org")),
            "551 5.1.6 User not local; please try <ü@elsewhere.example>")

    def test_a_percent_sign_is_doubled(self):
        self.service.change("moved", "add", "percent@example.org", "--to", "a%s%n@elsewhere.example")
        self.addCleanup(self.service.change, "moved", "rm", "percent@example.org")
        self.assertIn("<a%%s%%n@elsewhere.example>",
                      self.peer().ask(connect("127.0.0.1"), mail(), rcpt("percent@example.org")))

    def test_many_sessions_and_messages_on_one_connection(self):
        peer = self.peer()
        message = mail("<a@b>") + packet("D", "Rx\0y\0") + rcpt("fred@example.org") + rcpt("nobody@example.org")
        session = connect("192.0.2.1") + message + packet("A") + message + packet("E") + packet("K")
        answers = [CONTINUE] + [CONTINUE, CONTINUE, NOBODY] * 2 + [CONTINUE]
        peer.send(session * 500)
        self.assertEqual(peer.packets(len(answers) * 500), answers * 500)
        peer.send(packet("Q"))
        self.assertEqual(peer.packets(), [])

    def test_split_at_every_octet(self):
        peer = self.peer()
        octets = packet("D", "Rx\0y\0") + rcpt("nobody@example.org")
        for index in range(len(octets)):
            peer.send(octets[:index])
            time.sleep(0.002)
            peer.send(octets[index:])
            self.assertEqual(peer.packets(1), [NOBODY], index)

    def test_what_is_no_packet_is_not_answered(self):
        good = rcpt("nobody@example.org")
        for octets in [
            b"hello\r\n", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\1\0\1B", packet("Z"), packet("\0"), packet("R"),
            packet("R", "<a@b>"), packet("M"), packet("C"), packet("C", "x\0" + "4"), packet("C", "x\0" + "9\0\0a\0"), packet("O"),
            offer(version=1),
        ]:
            peer = self.peer()
            # What was asked before is still answered; what comes after is not.
            peer.send(good + octets + good)
            self.assertEqual(peer.packets(), [NOBODY], octets)
        for octets in good, connect("127.0.0.1"), packet("D", "C"), packet("A"), packet("K"), b"GET / HTTP/1.1\r\n\r\n":
            peer = self.peer(negotiates=False)
            peer.send(octets)
            self.assertEqual(peer.packets(), [], octets)
        self.service.log.wait("malformed-request")

    def test_large_packets_are_read_and_larger_ones_are_not(self):
        peer = self.peer()
        peer.send(packet("D", b"x" * 65_535) + packet("B", b"x" * 65_535) + rcpt("nobody@example.org"))
        self.assertEqual(peer.packets(2), [CONTINUE, NOBODY])
        self.assertEqual(
            peer.ask(packet("R", b"<" + b"x" * 65_000 + b"@example.org>\0")), "550 5.1.1 No such user here")
        peer.send(b"\0\1\0\1")
        self.assertEqual(peer.packets(), [])

    def test_one_who_takes_no_replies_costs_no_memory(self):
        peer = self.peer(receive_buffer=4096)
        before = self.service.memory()
        peer.socket.settimeout(1)
        sent = 0
        try:
            while sent < 200_000_000:
                sent += peer.socket.send(rcpt("nobody@example.org") * 1000)
        except TimeoutError:
            pass
        self.assertLess(sent, 200_000_000)
        self.assertLess(self.service.memory() - before, 64_000_000)

    def test_half_closed_and_still_answered(self):
        peer = self.peer()
        peer.send(rcpt("nobody@example.org") * 3)
        peer.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(peer.packets(), [NOBODY] * 3)


class Time(unittest.TestCase):
    def test_a_session_outlives_the_idle_time(self):
        # While the SMTP client sends a message nothing is said to a filter.
        with Service(listeners=[MILTER], timeouts={"idle": "1s"}) as service:
            with Peer(service.address) as peer, Peer(service.address, negotiates=False) as silent:
                peer.ask(connect("127.0.0.1"), mail())
                self.assertEqual(silent.packets(), [])
                time.sleep(2)
                self.assertTrue(peer.is_open())
                peer.socket.settimeout(PATIENCE)
                self.assertEqual(peer.ask(packet("E")), "continue")

    def test_what_was_asked_is_answered_when_the_server_stops(self):
        with Service(listeners=[MILTER]) as service, Peer(service.address) as peer:
            self.assertEqual(peer.ask(connect("127.0.0.1"), mail()), "continue")
            peer.send(rcpt("nobody@example.org") * 100)
            os.kill(service.process.pid, signal.SIGTERM)
            self.assertEqual(peer.packets(), [NOBODY] * 100)
            self.assertEqual(service.process.wait(PATIENCE), 0)

    def test_a_class_that_is_not_admitted_and_one_that_asks_too_much(self):
        clients = [{"name": "mta", "networks": ["127.0.0.2"], "questions-per-minute": 3}, {"name": "others"}]
        with Service(listeners=[dict(MILTER, clients=["mta"])], clients=clients) as service:
            with Client(service.address, greeted=False) as stranger:
                self.assertEqual(stranger.socket.recv(1), b"")
            with Peer(service.address, source="127.0.0.2") as peer:
                peer.send(connect("127.0.0.1") * 50 + rcpt("fred@example.org") * 4 + rcpt("postmaster"))
                found = [peer.text(reply) for reply in peer.packets(55)]
                self.assertEqual(found[:53], ["continue"] * 53)
                self.assertEqual(found[53:], ["450 4.7.1 Too many questions, try again later", "continue"])

    def test_nobody_is_refused_for_good_while_the_directory_is_down(self):
        with Service(listeners=[MILTER]) as service, Peer(service.address) as peer:
            peer.ask(connect("127.0.0.1"), mail())
            service.database.write_bytes(b"no database" * 1000)
            for name in "-wal", "-shm":
                service.folder.joinpath(service.database.name + name).unlink(missing_ok=True)
            for address in "fred@example.org", "nobody@example.org", "ruth@example.org", "x@elsewhere.example":
                self.assertEqual(
                    peer.ask(rcpt(address)), "451 4.4.3 The directory could not tell, try again later", address)


if __name__ == "__main__":
    unittest.main()
