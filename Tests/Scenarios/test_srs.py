"""Senders of what is forwarded, rewritten by a real postsrsd and by a socketmap, and the way back."""

import re
import signal
import socket
import socketserver
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from debian import unpack
from scripted_hop import ScriptedHop
from service import PATIENCE, eventually
from test_next_hop import OK, Relay, send

LATER = "451 4.3.0 The message can't be handed on now, try again later"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postsrsd:
    """postsrsd 1, for the domain example.org."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="addressee-postsrsd-")
        folder = Path(self.folder.name)
        root, environment = unpack(["postsrsd"], folder)
        (folder / "secret").write_text("quite secret\n")
        self.forward, self.reverse = free_port(), free_port()
        self.process = subprocess.Popen(
            [str(root / "usr" / "sbin" / "postsrsd"), "-s", str(folder / "secret"), "-d", "example.org", "-f", str(self.forward),
             "-r", str(self.reverse), "-4"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)

        def listens():
            if self.process.poll() is not None:
                raise AssertionError(f"postsrsd ended with {self.process.returncode}")
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.reverse)) == 0

        eventually(listens, "postsrsd listens")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.folder.cleanup()

    @property
    def settings(self):
        return {"forward": f"127.0.0.1:{self.forward}", "reverse": f"127.0.0.1:{self.reverse}"}


class Socketmap:
    """A server of the maps `forward` and `reverse` on a Unix socket; `replies` holds what it says to each request."""

    def __init__(self, path, replies):
        self.asked = []
        map = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                while True:
                    length = b""
                    while (octet := self.rfile.read(1)) not in (b":", b""):
                        length += octet
                    if not octet:
                        return
                    request = self.rfile.read(int(length) + 1)[:-1].decode()
                    map.asked.append(request)
                    reply = replies.get(request, "NOTFOUND ")
                    if reply is None:
                        return
                    self.wfile.write(f"{len(reply)}:{reply},".encode() if isinstance(reply, str) else reply)

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True

        self.server = Server(str(path), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def sender(message):
    return re.search("<(.*?)>", message.sender)[1]


class Rewriting(unittest.TestCase):
    def test_postsrsd_there_and_back(self):
        with Postsrsd() as postsrsd, ScriptedHop() as hop, Relay(hop, srs=postsrsd.settings) as relay, relay.client() as client:
            self.assertEqual(send(client, ["away@example.org"])[-1], OK)
            rewritten = sender(hop.messages[0])
            self.assertRegex(rewritten, r"\ASRS0=\S{4}=\S+=elsewhere\.example=me@example\.org\Z")
            # The notification finds its way, though nobody has that address and its sender's domain is not ours.
            self.assertEqual(send(client, [rewritten], sender="")[-1], OK)
            self.assertEqual(hop.messages[1].recipients, ["me@elsewhere.example"])
            self.assertEqual(sender(hop.messages[1]), "")
            # One that was not made here is nobody.
            for forged in rewritten.replace("SRS0=", "SRS0=x"), "SRS0=aaaa=bb=elsewhere.example=me@example.org", "SRS0=@example.org":
                self.assertEqual(send(client, [forged], sender="")[1], "550 5.1.1 No such user here", forged)
                client.ask("RSET")
            # Mail for people here keeps its sender, and so does that of people here.
            self.assertEqual(send(client, ["fred@example.org"])[-1], OK)
            self.assertEqual(sender(hop.messages[2]), "me@elsewhere.example")
            self.assertEqual(send(client, ["away@example.org"], sender="fred@example.org")[-1], OK)
            self.assertEqual(sender(hop.messages[3]), "fred@example.org")
            # Somebody who was forwarded to by another such server.
            self.assertEqual(send(client, ["away@example.org"], sender="SRS0=HHHH=TT=a.example=x@elsewhere.example")[-1], OK)
            self.assertRegex(sender(hop.messages[4]), r"\ASRS1=\S+@example\.org\Z")

    def test_a_rewritten_sender_may_be_long(self):
        """What goes out under more than 64 octets comes back."""
        long = "b" * 45 + "@elsewhere.example"
        with Postsrsd() as postsrsd, ScriptedHop() as hop, Relay(hop, srs=postsrsd.settings) as relay, relay.client() as client:
            self.assertEqual(send(client, ["away@example.org"], sender=long)[-1], OK)
            rewritten = sender(hop.messages[0])
            self.assertRegex(rewritten, r"\ASRS0=\S{4}=\S+=elsewhere\.example=b{45}@example\.org\Z")
            self.assertGreater(len(rewritten.split("@")[0]), 64)
            self.assertEqual(send(client, [rewritten], sender="")[-1], OK)
            self.assertEqual(hop.messages[1].recipients, [long])
            # A dot that needs quotes where it is written is none of the map's business.
            self.assertEqual(send(client, ["away@example.org"], sender="a..b@elsewhere.example")[-1], OK)
            self.assertRegex(sender(hop.messages[2]), r'\A"SRS0=\S{4}=\S+=elsewhere\.example=a\.\.b"@example\.org\Z')
            self.assertEqual(send(client, [sender(hop.messages[2])], sender="")[-1], OK)
            self.assertEqual(hop.messages[3].recipients, ['"a..b"@elsewhere.example'])
            # Made longer by others, and no octet of it forged.
            again = "SRS0=HHHH=TT=a.example=" + "x" * 60 + "@elsewhere.example"
            self.assertEqual(send(client, ["away@example.org"], sender=again)[-1], OK)
            self.assertRegex(sender(hop.messages[4]), r"\ASRS1=\S+@example\.org\Z")
            self.assertEqual(send(client, ["x" + rewritten], sender="")[1], "550 5.1.1 No such user here")

    def test_a_sender_that_would_be_too_long(self):
        """Nothing makes it shorter, so it goes on as it is, and the log says so."""
        with Postsrsd() as postsrsd, ScriptedHop() as hop, Relay(hop, srs=postsrsd.settings) as relay, relay.client() as client:
            for length in 225, 240, 255:
                long = "b" * length + "@elsewhere.example"
                self.assertEqual(send(client, ["away@example.org"], sender=long)[-1], OK, length)
                self.assertEqual(sender(hop.messages.pop()), long)
            relay.log.wait('warning address-not-rewritten about=b')
            # One that has room.
            self.assertEqual(send(client, ["away@example.org"], sender="b" * 200 + "@elsewhere.example")[-1], OK)
            self.assertTrue(sender(hop.messages.pop()).startswith("SRS0="))

    def test_a_copy_and_two_senders(self):
        with Postsrsd() as postsrsd, ScriptedHop() as hop, Relay(hop, srs=postsrsd.settings) as relay, relay.client() as client:
            # What goes to one server for one address goes under one sender.
            self.assertEqual(send(client, ["anna@example.org"])[-1], OK)
            self.assertEqual(hop.messages[0].recipients, ["anna@example.org", "anna@elsewhere.example"])
            self.assertTrue(sender(hop.messages[0]).startswith("SRS0="))
            replies = send(client, ["fred@example.org", "away@example.org", "wilma@example.org"])
            self.assertEqual(replies[1:4], ["250 2.1.5 OK", "452 4.5.3 Mail for this recipient goes on from another sender than for those before: "
                             "send to it in another transaction", "250 2.1.5 OK"])

    def test_postsrsd_down(self):
        with ScriptedHop() as hop:
            down = {"forward": f"127.0.0.1:{free_port()}", "reverse": f"127.0.0.1:{free_port()}"}
            with Relay(hop, srs=down) as relay, relay.client() as client:
                for recipient in "away@example.org", "SRS0=aaaa=bb=elsewhere.example=me@example.org":
                    self.assertEqual(send(client, [recipient])[1], LATER)
                    client.ask("RSET")
                relay.log.wait("error address-not-rewritten ")
                self.assertEqual(send(client, ["fred@example.org"])[-1], OK)
                self.assertEqual(send(client, ["away@example.org"], sender="")[-1], OK)

    def test_a_socketmap(self):
        replies = {
            "forward me@elsewhere.example": "OK bounce+me@example.org", "forward a@elsewhere.example": "TEMP later",
            "forward b@elsewhere.example": "OK no address", "forward c@elsewhere.example": b"5:what?,",
            "forward d@elsewhere.example": None, "forward e@elsewhere.example": "PERM never",
            "reverse SRS0=x@example.org": "OK info@example.org", "reverse SRS0=x@catch.example": "OK wilma@example.org",
            "reverse SRS0=later@catch.example": "TEMP later", "reverse SRS0=x@relay.example": "OK wilma@example.org",
        }
        with tempfile.TemporaryDirectory() as folder, Socketmap(Path(folder, "map"), replies) as map, ScriptedHop() as hop:
            with Relay(hop, srs={"socketmap": f"unix:{folder}/map"}, threads=1) as relay, relay.client() as client:
                self.assertEqual(send(client, ["away@example.org"])[-1], OK)
                self.assertEqual(sender(hop.messages[0]), "bounce+me@example.org")
                for name in "abcde":
                    self.assertEqual(send(client, ["away@example.org"], sender=f"{name}@elsewhere.example")[1], LATER, name)
                    client.ask("RSET")
                self.assertEqual(send(client, ["away@example.org"], sender="f@elsewhere.example")[-1], OK)
                self.assertEqual(sender(hop.messages[1]), "f@elsewhere.example")
                # It may lead to somebody here, who is looked up like anybody.
                self.assertEqual(send(client, ["SRS0=x@example.org"])[-1], OK)
                self.assertEqual(hop.messages[2].recipients, ["fred@example.org"])
                # A catch-all and a relay domain take what the map does not know, and nothing while it can't tell.
                for recipient, told, taken in [
                    ("SRS0=x@catch.example", "250 2.1.5 OK", "wilma@example.org"),
                    ("SRS0=y@catch.example", "250 2.1.5 OK", "fred@example.org"),
                    ("SRS0=later@catch.example", LATER, None),
                    ("SRS0=x@relay.example", "250 2.1.5 OK", "wilma@example.org"),
                    ("SRS0=y@relay.example", "250 2.1.5 OK", "SRS0=y@relay.example"),
                ]:
                    self.assertEqual(send(client, [recipient])[1], told, recipient)
                    if taken:
                        self.assertEqual(hop.messages.pop().recipients, [taken])
                    client.ask("RSET")
                # An address on record goes before.
                relay.change("user", "add", "SRS0=x@example.org")
                asked = len(map.asked)
                self.assertEqual(send(client, ["SRS0=x@example.org"])[-1], OK)
                self.assertEqual(hop.messages[3].recipients, ["SRS0=x@example.org"])
                self.assertEqual(len(map.asked), asked)


if __name__ == "__main__":
    unittest.main()
