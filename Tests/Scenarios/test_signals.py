"""SIGTERM, SIGINT and SIGHUP, and the listeners that a configuration may have."""

import os
import signal
import socket
import ssl
import stat
import subprocess
import threading
import unittest

from service import PATIENCE, PROGRAM, VERDICTS, Client, Directory, Service, eventually
from test_clients import make_certificate
from test_hostile import STAFF, questions, send_and_shut


class Stopping(unittest.TestCase):
    def check_stop(self, service, number=signal.SIGTERM):
        """It ends in time, which is less than the minute that some of these tests give to `timeouts.shutdown`."""
        self.assertEqual(service.stop(number), 0)
        self.assertTrue(service.log.lines[-1].endswith(" info stopped"), service.log.lines[-1])

    def test_sigterm_and_sigint_end_with_0(self):
        for number in [signal.SIGTERM, signal.SIGINT]:
            with Service(timeouts={"shutdown": "1m"}) as service:
                with service.client() as client:
                    self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
                    service.process.send_signal(number)
                    self.assertRegex(client.reply(), "^421 4\\.3\\.2 mail\\.example\\.org ")
                    self.assertIsNone(client.reply())
                self.check_stop(service, number)
                with self.assertRaises(ConnectionRefusedError):
                    service.client()

    def test_sigusr1_and_sigusr2_are_no_death(self):
        with Service() as service:
            with service.client() as client:
                for number in [signal.SIGUSR1, signal.SIGUSR2]:
                    service.process.send_signal(number)
                    service.log.wait(f" info signal-ignored .*{number.name}")
                    self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
            self.check_stop(service)

    def test_all_that_was_asked_before_sigterm_is_answered(self):
        commands, expected = questions(500)
        with Service(timeouts={"shutdown": "1m"}) as service:
            clients = [service.client() for _ in range(20)]
            try:
                for client in clients:
                    # What fits the kernel's buffers is with the server when this returns.
                    client.send(commands)
                service.process.send_signal(signal.SIGTERM)
                for number, client in enumerate(clients):
                    replies = client.replies()
                    self.assertTrue(replies, f"client {number} got nothing")
                    self.assertTrue(replies.pop().startswith("421 "), f"client {number}")
                    self.assertEqual(len(replies), len(expected), f"client {number}")
                    self.assertEqual(replies, expected)
            finally:
                for client in clients:
                    client.close()
            self.check_stop(service)

    def test_a_late_reader_gets_what_it_asked_before_sigterm(self):
        # More replies than the kernels hold, so the server is in the middle of them when it is told to stop; it has
        # timeouts.shutdown to deliver them. (A much smaller buffer makes the kernels dawdle long.)
        count = 45_000
        with Service(timeouts={"shutdown": "1m"}) as service, service.client(receive_buffer=65536) as client:
            sender = threading.Thread(target=client.send, args=[b"EXPN staff\r\n" * count])
            sender.start()
            sender.join(2)
            service.process.send_signal(signal.SIGTERM)
            service.log.wait(" stopping ")
            replies = client.replies()
            sender.join()
            self.assertTrue(replies.pop().startswith("421 "), f"after {len(replies)} replies")
            self.assertEqual((len(replies), set(replies)), (count, {STAFF}))

    def test_a_client_that_goes_on_asking_cannot_hold_up_the_end(self):
        with Service(timeouts={"shutdown": "2s"}) as service, service.client() as client:
            stop = threading.Event()

            def ask():
                try:
                    while not stop.is_set():
                        client.ask("VRFY fred")
                except (OSError, AssertionError):
                    pass

            asker = threading.Thread(target=ask)
            asker.start()
            try:
                self.check_stop(service)
            finally:
                stop.set()
                client.socket.close()
                asker.join()

    def test_a_client_that_never_reads_cannot_hold_up_the_end(self):
        with Service(timeouts={"shutdown": "2s"}) as service, service.client(receive_buffer=4096) as client:
            client.socket.setblocking(False)
            try:
                while client.socket.send(b"EXPN staff\r\n" * 1000):
                    pass
            except BlockingIOError:
                pass
            self.check_stop(service)

    def test_a_second_sigterm_changes_nothing(self):
        with Service(timeouts={"shutdown": "1m"}) as service, service.client() as client:
            service.process.send_signal(signal.SIGTERM)
            service.log.wait(" stopping ")
            if service.process.poll() is None:
                service.process.send_signal(signal.SIGTERM)
            self.assertTrue(client.reply().startswith("421 "))
            self.check_stop(service)

    def test_kill_and_start_again_on_the_same_port(self):
        with Service() as service, service.client() as client:
            self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
            port = service.port
            service.process.kill()
            service.process.wait()
            service.process.stderr.close()
            service.configure(listeners=[{"smtp": f"127.0.0.1:{port}"}])
            service.start()
            with service.client() as client:
                self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])


class Reloading(unittest.TestCase):
    def reload(self, service, **settings):
        start = len(service.log.lines)
        service.configure(**settings)
        service.process.send_signal(signal.SIGHUP)
        return service.log.wait(" configuration-(not-)?reloaded ", start=start)

    def test_a_new_listener_and_a_changed_class(self):
        first = {"smtp": "127.0.0.1:0"}
        with Service(listeners=[first]) as service, service.client() as old:
            path = str(service.folder / "smtp.socket")
            line = self.reload(
                service, listeners=[first, {"smtp": "unix:smtp.socket", "unix-mode": "0600", "enhanced-codes": False}],
                clients=[{"name": "tcp", "networks": ["127.0.0.0/8"], "vrfy": "closed"},
                         {"name": "local", "networks": ["unix"], "vrfy": "full"}])
            self.assertIn(" info configuration-reloaded ", line)
            with service.client() as client:
                self.assertTrue(client.ask("VRFY fred").startswith("252 2.7.0 "), "the changed class")
            with Client(path) as client:
                self.assertEqual(client.ask("VRFY fred"), "250 Fred Claude <fred@example.org>")
            # Who was connected before keeps how it is served, and is served.
            self.assertEqual(old.ask("VRFY fred"), VERDICTS["fred"])
            # And back again: the socket goes.
            self.assertIn(" info configuration-reloaded ", self.reload(service, listeners=[first]))
            with self.assertRaises(OSError):
                Client(path)
            with service.client() as client:
                self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])

    def test_a_listener_that_stays_keeps_its_clients_waiting(self):
        with Service() as service:
            port = service.port
            for number in range(20):
                self.assertIn(" configuration-reloaded ", self.reload(service, limits={"errors": number + 5}))
                with service.client() as client:
                    self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
            self.assertEqual(service.port, port)

    def test_a_bad_configuration_is_logged_and_the_old_one_kept(self):
        bad = [
            {"listners": []}, {"limits": {"errors": 0}}, {"sources": []}, {"listeners": [{"smtp": "nowhere"}]},
            {"sources": [{"name": "main", "sqlite": "not-there.sqlite"}]},
            {"tls": {"certificate": "not-there.pem", "private-key": "not-there.pem"}},
            {"clients": [{"name": "a"}, {"name": "b"}]}]
        with Service() as service:
            for settings in bad:
                with self.subTest(settings):
                    line = self.reload(service, **settings)
                    self.assertRegex(line, r" error configuration-not-reloaded file=\S+ .*reason=")
                    with service.client() as client:
                        self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
            (service.folder / "addressee.yaml").unlink()
            start = len(service.log.lines)
            service.process.send_signal(signal.SIGHUP)
            service.log.wait(" configuration-not-reloaded ", start=start)
            (service.folder / "addressee.yaml").write_bytes(b"\xff\x00: [")
            start = len(service.log.lines)
            service.process.send_signal(signal.SIGHUP)
            service.log.wait(" configuration-not-reloaded ", start=start)
            with service.client() as client:
                self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])

    def test_a_port_that_is_taken_leaves_all_as_it_was(self):
        with Service() as service, socket.create_server(("127.0.0.1", 0)) as other:
            taken = f"127.0.0.1:{other.getsockname()[1]}"
            line = self.reload(
                service, hostname="other.example.org", listeners=[{"smtp": "unix:new.socket"}, {"smtp": taken}])
            self.assertIn(" error configuration-not-reloaded ", line)
            with service.client() as client:
                self.assertTrue(client.greeting.startswith("220 mail.example.org "))
            with self.assertRaises(OSError):
                Client(str(service.folder / "new.socket"))

    def test_other_settings_for_the_same_address(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        with Service(listeners=[{"smtp": address}]) as service, service.client() as old:
            line = self.reload(service, listeners=[{"smtp": address, "enhanced-codes": False}])
            self.assertIn(" configuration-reloaded ", line)
            with service.client() as client:
                self.assertEqual(client.ask("VRFY fred"), "250 Fred Claude <fred@example.org>")
            self.assertEqual(old.ask("VRFY fred"), VERDICTS["fred"])

    def test_a_certificate_can_be_renewed(self):
        with Service() as service:
            settings = {"listeners": [{"smtp": "unix:tls.socket", "starttls": True}],
                        "tls": {"certificate": "certificate.pem", "private-key": "key.pem"}}
            seen = set()
            for _ in range(2):
                make_certificate(service.folder)
                self.assertIn(" configuration-reloaded ", self.reload(service, **settings))
                with Client(str(service.folder / "tls.socket")) as client:
                    client.ask("STARTTLS")
                    context = ssl.create_default_context(cafile=str(service.folder / "certificate.pem"))
                    client.socket = context.wrap_socket(client.socket, server_hostname="mail.example.org")
                    seen.add(client.socket.getpeercert(binary_form=True))
                    self.assertEqual(client.ask("NOOP"), "250 2.0.0 OK")
            self.assertEqual(len(seen), 2, "certificates seen")

    def test_sighup_under_load_loses_nothing(self):
        commands, expected = questions(5000)
        with Service() as service, service.client() as client:
            sender = threading.Thread(target=send_and_shut, args=[client, commands])
            sender.start()
            for number in range(5):
                self.reload(service, limits={"errors": number + 5})
            self.assertEqual(client.replies(), expected)
            sender.join()


class UnixSocket(unittest.TestCase):
    def test_a_unix_socket_has_its_mode_and_its_class(self):
        listeners = [{"smtp": "127.0.0.1:0"}, {"smtp": "unix:smtp.socket", "unix-mode": "0660"}]
        with Service(listeners=listeners) as service:
            path = service.folder / "smtp.socket"
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o660)
            self.assertEqual(service.addresses[1], str(path))
            with Client(str(path)) as client:
                # Who may open the socket is trusted by default.
                self.assertEqual(client.ask("VRFY away"), VERDICTS["away"])
                self.assertEqual(client.ask("EXPN open"), VERDICTS["wilma@example.org"])

    def test_a_socket_that_was_left_behind_is_no_hindrance(self):
        listeners = [{"smtp": "unix:smtp.socket"}]
        with Service(listeners=listeners) as service:
            service.process.kill()
            service.process.wait()
            service.process.stderr.close()
            service.start()
            with service.client() as client:
                self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])

    def test_a_file_in_the_place_of_the_socket_is_kept(self):
        with Service() as service:
            service.stop()
            path = service.folder / "smtp.socket"
            path.write_text("precious")
            service.configure(listeners=[{"smtp": "unix:smtp.socket"}])
            done = service.run("serve")
            self.assertEqual(done.returncode, 75)
            self.assertRegex(done.stderr, r"\A[^\n]*smtp\.socket[^\n]*\n\Z")
            self.assertEqual(path.read_text(), "precious")


class IPv6(unittest.TestCase):
    def test_a_listener_on_the_ipv6_loopback(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError as error:
            self.skipTest(f"this machine has no ::1 ({error})")
        with Service(listeners=[{"smtp": "[::1]:0"}]) as service, service.client() as client:
            self.assertEqual(service.address[0], "::1")
            # ::1 is trusted by default.
            self.assertEqual(client.ask("VRFY away"), VERDICTS["away"])
            self.assertEqual(client.ask("EXPN open"), VERDICTS["wilma@example.org"])


class Logging(unittest.TestCase):
    def test_a_log_that_cannot_be_written_does_not_end_the_service(self):
        with Directory(listeners=[{"smtp": "unix:smtp.sock"}], log={"level": "debug"}) as directory:
            with open("/dev/full", "w") as full:
                process = subprocess.Popen(
                    [PROGRAM, "serve", "--config", "addressee.yaml"], cwd=directory.folder, stderr=full,
                    stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            try:
                path = directory.folder / "smtp.sock"
                eventually(lambda: path.exists() or process.poll() is not None, "the socket")
                with Client(str(path)) as client:
                    self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
            finally:
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(PATIENCE), 0)

    def test_the_level_follows_the_configuration(self):
        with Service() as service, service.client() as client:
            client.ask("VRFY fred")
            self.assertFalse([line for line in service.log.lines if " debug " in line])
            service.configure(log={"level": "debug"})
            service.process.send_signal(signal.SIGHUP)
            service.log.wait(" configuration-reloaded ")
            client.ask("VRFY fred")
            service.log.wait(" debug asked .*about=fred.*verdict=verified")

    def test_a_default_domain_that_is_not_on_record_is_told(self):
        with Service(default_domain="typo.example") as service:
            service.log.wait(" warning default-domain-not-on-record .*domain=typo\\.example")
        with Service() as service:
            self.assertFalse([line for line in service.log.lines if "default-domain" in line])

    def test_a_change_of_threads_is_said_to_need_a_restart(self):
        with Service(threads=1) as service:
            service.configure(threads=2)
            service.process.send_signal(signal.SIGHUP)
            service.log.wait(" warning needs-restart key=threads")


class UnixSockets(unittest.TestCase):
    def test_a_socket_that_somebody_listens_on_is_not_taken(self):
        with Service(listeners=[{"smtp": "unix:smtp.sock"}]) as service:
            second = service.run("serve")
            self.assertEqual(second.returncode, 75)
            self.assertIn("another program listens there already", second.stderr)
            with service.client() as client:
                self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
