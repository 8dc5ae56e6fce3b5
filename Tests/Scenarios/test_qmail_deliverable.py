"""Haraka and qmail sites ask over HTTP: with curl, with Python's client, and with clients that are broken."""

import configparser
import http.client
import os
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest
from urllib.parse import quote

from postfix import REPOSITORY
from service import PATIENCE, Client, Service, eventually, need

LISTENER = {"qmail-deliverable": "127.0.0.1:0"}
NUMBERS = {
    "fred@example.org": 241, "FRED@Example.ORG": 241, "fred+lists@example.org": 241, "info@example.org": 241,
    "away@example.org": 241, "anna@example.org": 241, "staff@example.org": 241, "any@catch.example": 241,
    "fred@alias.example": 241, "someone@relay.example": 241, "postmaster@example.org": 241, "postmaster": 241,
    "jürgen@example.org": 241, '"fred"@example.org': 241, "nobody@example.org": 0, '"no body"@example.org': 0,
    "no body@example.org": 0, "nobody@alias.example": 0, "gone@example.org": 0, "left@example.org": 0,
    "ruth@example.org": 0, "x" * 65 + "@example.org": 0, "leo@example.org": 34, "max@example.org": 34,
    "nobody@elsewhere.example": 255, "x" * 65 + "@elsewhere.example": 255, "fred": 255, "": 255, "@example.org": 255,
}


def status(number):
    """Haraka takes 34 for a refusal where it comes with 200."""
    return 503 if number == 34 else 200


def http_get(service, address, kept=None):
    connection = kept or http.client.HTTPConnection(*service.address, timeout=PATIENCE)
    connection.request("GET", f"/qd1/deliverable?{quote(address)}")
    response = connection.getresponse()
    found = response.status, response.read()
    if not kept:
        connection.close()
    return found


class Deliverable(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service(
            listeners=[LISTENER, {"qmail-deliverable": "unix:deliverable"}], limits={"errors": 5}))

    def raw(self, octets, half_closed=False):
        """All that comes until the server closes."""
        with Client(self.service.address, greeted=False) as client:
            client.send(octets)
            if half_closed:
                client.socket.shutdown(socket.SHUT_WR)
            found = b""
            while more := client.socket.recv(65536):
                found += more
            return found

    def test_curl(self):
        curl = need("curl")
        places = [f"http://127.0.0.1:{self.service.port}"], ["--unix-socket", self.service.addresses[1], "http://localhost"]
        for *options, base in places:
            for address, number in NUMBERS.items():
                with self.subTest(address):
                    done = subprocess.run(
                        [curl, "-sS", "-w", "%{http_code}", *options, f"{base}/qd1/deliverable?{quote(address, safe='')}"],
                        capture_output=True, text=True, timeout=PATIENCE)
                    self.assertEqual((done.returncode, done.stdout, done.stderr), (0, f"{number}\n{status(number)}", ""))
            # As older clients have it, without escapes.
            done = subprocess.run([curl, "-sS", *options, f"{base}/qd1/deliverable?fred+x@example.org"],
                                  capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.stdout, "241\n")

    def test_many_on_one_connection(self):
        connection = http.client.HTTPConnection(*self.service.address, timeout=PATIENCE)
        self.addCleanup(connection.close)
        for _ in range(20):
            for address, number in NUMBERS.items():
                connection.request("GET", f"/qd1/deliverable?{quote(address)}")
                response = connection.getresponse()
                self.assertEqual((response.status, response.read()), (status(number), b"%d\n" % number), address)
                self.assertEqual(response.getheader("Content-Type"), "text/plain; charset=utf-8")

    def test_other_pages_and_methods(self):
        for method, target, status in [
            ("GET", "/", 404), ("GET", "/qd1/deliverable", 404), ("GET", "/qd1/qmail_local?fred@example.org", 404),
            ("POST", "/qd1/deliverable?fred@example.org", 405), ("HEAD", "/qd1/deliverable?fred@example.org", 405),
            ("GET", "/qd1/deliverable?fred%4", 400), ("GET", "/qd1/deliverable?fred%zz", 400),
            ("GET", "/qd1/deliverable?" + "x" * 20_000, 400),
        ]:
            connection = http.client.HTTPConnection(*self.service.address, timeout=PATIENCE)
            connection.request(method, target)
            response = connection.getresponse()
            self.assertEqual(response.status, status, (method, target[:60]))
            # No number is in it, whatever a client takes for one.
            self.assertNotRegex(response.read(), rb"^\d")
            connection.close()

    def test_a_head_has_no_content_and_the_methods_are_told(self):
        line = b"/qd1/deliverable?fred@example.org HTTP/1.1\r\nHost: x\r\n"
        found = self.raw(b"HEAD " + line + b"\r\nPOST " + line + b"\r\nGET " + line + b"Connection: close\r\n\r\n")
        head, post, get = found.split(b"HTTP/1.1 ")[1:]
        self.assertTrue(head.startswith(b"405 ") and head.endswith(b"\r\n\r\n"), head)
        self.assertTrue(post.startswith(b"405 ") and post.endswith(b"\r\n\r\nAsk with GET\n"), post)
        self.assertTrue(get.endswith(b"\r\n\r\n241\n"), get)
        for part in head, post:
            self.assertIn(b"\r\nallow: get\r\n", part.lower())

    def test_who_waits_to_be_told_to_go_on(self):
        with Client(self.service.address, greeted=False) as client:
            for _ in range(2):
                client.send(b"GET /qd1/deliverable?fred@example.org HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                            b"Content-Length: 5\r\n\r\n")
                self.assertEqual(client.socket.recv(65536), b"HTTP/1.1 100 Continue\r\n\r\n")
                client.send(b"hello")
                self.assertTrue(client.socket.recv(65536).endswith(b"\r\n\r\n241\n"))

    def test_pipelined_requests_are_answered_in_order(self):
        asked = b"".join(b"GET /qd1/deliverable?%s HTTP/1.1\r\nHost: x\r\n\r\n" % address for address in
                         [b"fred@example.org", b"nobody@example.org", b"x@elsewhere.example"] * 500)
        found = self.raw(asked + b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        bodies = [part.partition(b"\r\n\r\n")[2] for part in found.split(b"HTTP/1.1 ")[1:]]
        self.assertEqual(bodies[:-1], [b"241\n", b"0\n", b"255\n"] * 500)
        self.assertTrue(bodies[-1].startswith(b"Ask "))

    def test_old_clients_and_half_closed_ones(self):
        octets = b"GET /qd1/deliverable?fred@example.org HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"
        for half_closed in False, True:
            found = self.raw(octets, half_closed)
            self.assertRegex(found, rb"^HTTP/1.0 200 OK\r\n(.*\r\n)*\r\n241\n$")
        octets = b"GET /qd1/deliverable?fred@example.org HTTP/1.1\r\nHost: x\r\n\r\n"
        self.assertTrue(self.raw(octets, half_closed=True).endswith(b"\r\n\r\n241\n"))

    def test_what_is_no_request_is_refused_and_closed(self):
        good = b"GET /qd1/deliverable?fred@example.org HTTP/1.1\r\nHost: x\r\n\r\n"
        for octets in [
            b"hello\r\n\r\n", b"\0\0\0\0", b"GET\r\n\r\n", b"GET /x HTTP/9.9\r\n\r\n", b"EHLO client\r\n",
            b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000,
            b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        ]:
            try:
                found = self.raw(good + octets)
            except (BrokenPipeError, ConnectionResetError):
                # Closed while there was still more to come.
                continue
            self.assertTrue(found.startswith(b"HTTP/1.1 200 OK"), octets[:40])
            self.assertEqual(found.count(b"\r\n\r\n241\n"), 1, octets[:40])
            self.assertIn(b"HTTP/1.1 400 Bad Request", found, octets[:40])
        self.service.log.wait("malformed-request")

    def test_split_at_every_octet(self):
        octets = b"GET /qd1/deliverable?nobody%40example.org HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        for index in range(1, len(octets)):
            with Client(self.service.address, greeted=False) as client:
                client.send(octets[:index])
                time.sleep(0.002)
                client.send(octets[index:])
                found = b""
                while more := client.socket.recv(65536):
                    found += more
                self.assertTrue(found.endswith(b"\r\n\r\n0\n"), index)

    def test_who_errs_too_often_is_closed(self):
        found = self.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        self.assertEqual(found.count(b"HTTP/1.1 404"), 5)

    def test_one_who_takes_no_replies_costs_no_memory(self):
        before = self.service.memory()
        with Client(self.service.address, greeted=False, receive_buffer=4096, timeout=1) as client:
            sent = 0
            try:
                while sent < 200_000_000:
                    sent += client.socket.send(
                        b"GET /qd1/deliverable?fred@example.org HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
            except TimeoutError:
                pass
            self.assertLess(sent, 200_000_000)
            self.assertLess(self.service.memory() - before, 64_000_000)


class Fragment(unittest.TestCase):
    def test_the_lines_for_haraka(self):
        folder = REPOSITORY / "config" / "haraka" / "config"
        lines = [line for line in (folder / "plugins").read_text().splitlines() if not line.startswith("#")]
        self.assertEqual(lines, ["qmail-deliverable"])
        reader = configparser.ConfigParser(comment_prefixes=";")
        reader.read_string("[main]\n" + (folder / "qmail-deliverable.ini").read_text())
        self.assertEqual(reader.sections(), ["main"])
        options = dict(reader["main"])
        # As the plugin's index.js reads them.
        self.assertLessEqual(set(options), {"check_mail_from", "host", "port", "timeout", "queue", "next_hop", "split"})
        self.assertEqual((options["host"], options["port"]), ("127.0.0.1", "8998"))
        self.assertIn("qmail-deliverable: 127.0.0.1:8998", (folder.parent / "README.md").read_text())


class Trouble(unittest.TestCase):
    def test_nobody_is_refused_for_good_while_the_directory_is_down(self):
        with Service(listeners=[LISTENER]) as service:
            connection = http.client.HTTPConnection(*service.address, timeout=PATIENCE)
            self.addCleanup(connection.close)
            service.database.write_bytes(b"no database" * 1000)
            for name in "-wal", "-shm":
                service.folder.joinpath(service.database.name + name).unlink(missing_ok=True)
            for address in "fred@example.org", "nobody@example.org", "x@elsewhere.example", "x" * 65 + "@example.org":
                connection.request("GET", f"/qd1/deliverable?{quote(address)}")
                response = connection.getresponse()
                self.assertEqual((response.status, response.read()), (503, b"34\n"), address)

    def test_what_was_asked_is_answered_when_the_server_stops(self):
        with Service(listeners=[LISTENER]) as service, Client(service.address, greeted=False) as client:
            octets = b"GET /qd1/deliverable?fred@example.org HTTP/1.1\r\nHost: x\r\n\r\n"
            client.send(octets)
            self.assertIn(b"241\n", client.socket.recv(65536))
            client.send(octets * 100)
            os.kill(service.process.pid, signal.SIGTERM)
            found = b""
            while more := client.socket.recv(65536):
                found += more
            self.assertEqual(found.count(b"\r\n\r\n241\n"), 100)
            self.assertEqual(service.process.wait(PATIENCE), 0)

    def test_a_part_of_a_request_and_silence(self):
        with Service(listeners=[LISTENER], timeouts={"idle": "1s"}) as service:
            for octets in (b"", b"GET", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx",
                           b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"):
                with Client(service.address, greeted=False) as client:
                    client.send(octets)
                    # An answer to what is no request yet would be one to a request that was never made.
                    self.assertEqual(client.socket.recv(65536), b"", octets)
            # Silence is not malformed.
            self.assertFalse([line for line in service.log.lines if "malformed" in line])

    def test_who_leaves_leaves_nothing_behind(self):
        whole = b"GET /qd1/deliverable?fred@example.org HTTP/1.1\r\nHost: x\r\n\r\n"
        linger = struct.pack("ii", 1, 0)
        with Service(listeners=[LISTENER]) as service:
            def leave(number):
                with Client(service.address, greeted=False) as client:
                    client.send([b"", whole[:number % len(whole)], whole, whole * 50, b"EHLO x\r\n"][number % 5])
                    if number % 2:
                        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

            def files():
                return len(os.listdir(f"/proc/{service.process.pid}/fd"))

            at_rest = files()
            growth = []
            for _ in range(5):
                before = service.memory()
                for number in range(1500):
                    leave(number)
                eventually(lambda: files() <= at_rest, "the connections are closed")
                growth.append(service.memory() - before)
            # As many as linger at one time take their memory once; a leak takes some each time.
            self.assertLess(min(growth), 1_500_000, growth)
            self.assertEqual(http_get(service, "fred@example.org"), (200, b"241\n"))

    def test_who_goes_on_asking_is_not_waited_for_long(self):
        with Service(listeners=[LISTENER], timeouts={"shutdown": "2s"}) as service:
            ends = []

            def ask(connection):
                try:
                    while True:
                        self.assertEqual(http_get(service, "fred@example.org", connection)[1], b"241\n")
                except (OSError, http.client.HTTPException) as error:
                    ends.append(error)

            threads = []
            for _ in range(4):
                connection = http.client.HTTPConnection(*service.address, timeout=PATIENCE)
                http_get(service, "fred@example.org", connection)
                threads.append(threading.Thread(target=ask, args=[connection]))
                threads[-1].start()
            os.kill(service.process.pid, signal.SIGTERM)
            self.assertEqual(service.process.wait(PATIENCE), 0)
            for thread in threads:
                thread.join(PATIENCE)
            self.assertEqual(len(ends), 4)
            service.log.wait(" stopped")
            self.assertNotIn("Cannot schedule tasks", "\n".join(service.log.lines))

    def test_who_sends_much_reads_the_refusal(self):
        with Service(listeners=[LISTENER]) as service, Client(service.address, greeted=False) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 10_000_000)
            self.assertTrue(client.socket.recv(65536).startswith(b"HTTP/1.1 400 "))

    def test_too_many_questions(self):
        clients = [{"name": "others", "questions-per-minute": 3}]
        with Service(listeners=[LISTENER], clients=clients) as service, Client(service.address, greeted=False) as client:
            client.send(b"GET /qd1/deliverable?nobody@example.org HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
            found = b""
            while more := client.socket.recv(65536):
                found += more
            self.assertEqual(found.count(b"\r\n\r\n0\n"), 3)
            self.assertGreater(found.count(b"\r\n\r\n34\n"), 10)


if __name__ == "__main__":
    unittest.main()
