"""Lists of tens of thousands: written, asked for, and read by clients that take their time or nothing at all."""

import signal
import socket
import threading
import time
import unittest

from scripted_hop import ScriptedHop
from service import PATIENCE, Directory, Service
from wires import LISTENERS, Wires

# Elsewhere, so that they need not be on record.
MEMBERS = [f"member-{number:05d}@elsewhere.example" for number in range(20_000)]


class Writing(unittest.TestCase):
    """In a time that grows with the list, and not with its square: some seconds here, where it was minutes."""

    def setUp(self):
        self.directory = self.enterContext(Directory())

    def test_joining_leaving_and_setting(self):
        self.directory.change("list", "add", "long@example.org")
        told = self.directory.change("list", "join", "long@example.org", *MEMBERS)
        self.assertEqual(told, "added 20000 members to list long@example.org\n")
        told = self.directory.change("list", "join", "long@example.org", *MEMBERS[:19_000], "x@elsewhere.example")
        self.assertEqual(told, "added 1 member to list long@example.org; 19000 were members already\n")
        told = self.directory.change("list", "leave", "long@example.org", *MEMBERS)
        self.assertEqual(told, "removed 20000 members from list long@example.org\n")
        self.directory.change("list", "set", "long@example.org", "--name", "Long", "--member", *MEMBERS)
        self.assertEqual(len(self.directory.change("expand", "long").splitlines()), 20_000)

    def test_however_they_are_given(self):
        self.directory.change("list", "add", "long@example.org")
        told = self.directory.change("list", "join", "--", "long@example.org", *MEMBERS)
        self.assertEqual(told, "added 20000 members to list long@example.org\n")
        self.directory.change("alias", "add", "many@example.org", *(word for name in MEMBERS for word in ("--to", name)))
        self.assertEqual(len(self.directory.change("resolve", "many").splitlines()), 20_000)

    def test_aliases_and_forwards(self):
        self.directory.change("alias", "add", "many@example.org", "--to", *MEMBERS)
        self.directory.change("forward", "add", "fred@example.org", "--keep-copy", "--to", *MEMBERS)
        for name, count in ("many@example.org", 20_000), ("fred@example.org", 20_001):
            self.assertEqual(len(self.directory.change("resolve", name).splitlines()), count)

    def test_maps_tell_all_targets(self):
        targets = [f"{number}@x.example" for number in range(4000)]
        with Service(listeners=LISTENERS) as service:
            service.change("forward", "add", "fred@example.org", "--keep-copy", "--to", *targets)
            service.change("alias", "add", "many@example.org", "--to", *targets)
            for table in "forwards", "aliases", "aliases-step":
                [copy, many] = Wires(service).socketmap(table, ["fred@example.org", "many@example.org"])
                self.assertEqual(copy, "OK " + ", ".join(["fred@example.org", *targets]))
                self.assertEqual(many, "NOTFOUND " if table == "forwards" else "OK " + ", ".join(targets))

    def test_a_fault_far_down_is_told_as_any_other(self):
        self.directory.change("list", "add", "long@example.org")
        done = self.directory.run("list", "join", "long@example.org", *MEMBERS[:500], "no address", *MEMBERS[500:1000])
        self.assertEqual(done.returncode, 65)
        self.assertIn('"no address" is not an address', done.stderr)
        self.assertEqual(self.directory.run("expand", "long").returncode, 67)


class Asking(unittest.TestCase):
    settings = {"timeouts": {"write": "2s"}}

    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service(**cls.settings))
        for start in range(0, len(MEMBERS), 5000):
            if start == 0:
                cls.service.change("list", "add", "long@example.org", "--expn", "anyone")
            cls.service.change("list", "join", "long@example.org", *MEMBERS[start:start + 5000])

    def test_clients_that_do_not_read_hold_little_memory_and_are_cut(self):
        with self.service.client() as other:
            self.assertEqual(len(other.ask("EXPN long").splitlines()), len(MEMBERS))
            before = self.service.memory()
            clients = [self.service.client(receive_buffer=4096) for _ in range(50)]
            try:
                for client in clients:
                    client.send(b"EXPN long\r\n")
                self.assertEqual(len(other.ask("EXPN long").splitlines()), len(MEMBERS))
                # 50 whole replies are 50 MB.
                self.assertLess(self.service.memory() - before, 24 << 20, "octets more in memory")
                self.service.log.wait("connection-failed .*does not read", patience=PATIENCE)
            finally:
                for client in clients:
                    client.close()

    def test_the_whole_reply_comes_to_a_client_that_has_said_its_last(self):
        with self.service.client(receive_buffer=4096) as client:
            client.send(b"EXPN long\r\nQUIT\r\n")
            client.socket.shutdown(socket.SHUT_WR)
            replies = client.replies()
            self.assertEqual(len(replies[-2].splitlines()), len(MEMBERS))
            self.assertRegex(replies[-1], "^221 ")

    def test_changes_meanwhile_are_seen_by_the_next_question(self):
        """However often the directory is written, each answer is of one state of it, and none is "could not tell"."""
        stop = threading.Event()

        def write():
            while not stop.is_set():
                self.service.change("user", "set", "wilma@example.org", "--name", f"Wilma {time.monotonic()}")

        writer = threading.Thread(target=write)
        writer.start()
        try:
            with self.service.client() as client:
                for _ in range(3):
                    self.assertEqual(len(client.ask("EXPN long").splitlines()), len(MEMBERS))
        finally:
            stop.set()
            writer.join()
        self.service.change("list", "leave", "long@example.org", MEMBERS[0])
        with self.service.client() as client:
            self.assertEqual(len(client.ask("EXPN long").splitlines()), len(MEMBERS) - 1)
        self.service.change("list", "join", "long@example.org", MEMBERS[0])


class Delivering(unittest.TestCase):
    """Lists so long that what is done for all their members is done beside the event loop: as short ones."""

    # More than are gone through at once.
    COUNT = 2100

    def fill(self, service, members):
        """Lists of these, of whom one takes no mail; and an alias of them."""
        service.change("list", "add", "long@example.org", "--owner", "wilma@example.org", "--member", *members, "max@example.org")
        service.change("alias", "add", "many@example.org", "--to", *members)

    def test_into_maildirs(self):
        members = [f"m{number}@example.org" for number in range(self.COUNT)]
        with Service(next_hops=[{"name": "here", "maildir": "mail/{domain}/{local-part}"}]) as service:
            (service.folder / "users.csv").write_text("address\n" + "\n".join(members) + "\n")
            service.change("import", "csv", "users.csv")
            self.fill(service, members)
            with service.client() as client:
                client.ask("MAIL FROM:<me@elsewhere.example>")
                for name in ["long", "m7", "many", "long", "fred"]:
                    self.assertEqual(client.ask(f"RCPT TO:<{name}@example.org>"), "250 2.1.5 OK")
                # A file for each is more than a test has time for; the first is made at once, with what stands on top of it.
                self.assertEqual(client.ask("DATA")[:3], "354")
                (file,) = (path for path in (service.folder / "mail").rglob("*") if path.is_file())
                fields = [line for line in file.read_text().splitlines() if line.startswith(("Return-Path", "X-Original-To"))]
                self.assertEqual(
                    fields, ["Return-Path: <wilma@example.org>", "X-Original-To: long@example.org", "X-Original-To: many@example.org"])
            service.log.wait(r"left-out .*recipients=\"?max@example.org")

    def test_to_a_mail_server(self):
        members = [f"m{number}@elsewhere.example" for number in range(self.COUNT)]
        gone = {members[3], members[-1]}

        def answer(step, argument, session):
            return "550 5.1.1 gone" if step == "rcpt" and argument in gone else None

        with ScriptedHop(answer=answer) as hop, Service(next_hops=[{"name": "far", "smtp": hop.address}]) as service:
            self.fill(service, members)
            with service.client() as client:
                client.ask("MAIL FROM:<me@elsewhere.example>")
                for name in ["long", "long"]:
                    self.assertEqual(client.ask(f"RCPT TO:<{name}@example.org>"), "250 2.1.5 OK")
                self.assertEqual(client.ask("DATA")[:3], "354")
                self.assertEqual(client.ask("Subject: to all\r\n\r\nHello.\r\n."), "250 2.0.0 OK")
            (message,) = hop.messages
            self.assertIn("<wilma@example.org>", message.sender)
            self.assertEqual(message.recipients, [one for one in members if one not in gone])
            for one in gone:
                service.log.wait(rf"left-out .*recipients={one}")

    def test_clients_that_leave_meanwhile(self):
        """Whatever is under way for them comes to its end, and others are served."""
        members = [f"m{number}@elsewhere.example" for number in range(self.COUNT)]
        with ScriptedHop() as hop, Service(next_hops=[{"name": "far", "smtp": hop.address}]) as service:
            self.fill(service, members)
            for lines in ["EXPN long", "MAIL FROM:<>\r\nRCPT TO:<long@example.org>", "EXPN many"]:
                for pause in [0, 0.01, 0.05]:
                    client = service.client()
                    client.send(f"{lines}\r\n".encode())
                    time.sleep(pause)
                    client.close()
            with service.client() as client:
                self.assertEqual(len(client.ask("EXPN long").splitlines()), self.COUNT + 1)
                self.assertEqual(client.ask("VRFY fred"), "250 2.1.5 Fred Claude <fred@example.org>")


class Exposed(unittest.TestCase):
    def test_a_configuration_that_others_may_write_is_told_in_the_log(self):
        with Directory() as directory:
            (directory.folder / "addressee.yaml").chmod(0o666)
            self.assertIn("may be written by every user of this machine", directory.change("check"))
        with Service() as service:
            (service.folder / "addressee.yaml").chmod(0o666)
            service.process.send_signal(signal.SIGHUP)
            service.log.wait("file-exposed .*may be written by every user", patience=PATIENCE)


if __name__ == "__main__":
    unittest.main()
