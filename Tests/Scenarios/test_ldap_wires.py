"""Every wire over a live LDAP server, and then without it: the same verdict on each, and never a refusal that nobody can know."""

import http.client
import unittest
from urllib.parse import quote

from ldap_service import LDAPService, need_slapd, own_slapd, source
from milter import Peer as MilterPeer
from milter import connect, mail, rcpt
from opensmtpd import Table
from service import PATIENCE, Client, eventually, run

LISTENERS = [
    {"smtp": "127.0.0.1:0"}, {"socketmap": "127.0.0.1:0"}, {"tcp-table": "127.0.0.1:0", "map": "mailboxes"},
    {"policy": "127.0.0.1:0"}, {"milter": "127.0.0.1:0"}, {"readsocket": "127.0.0.1:0"},
    {"qmail-deliverable": "127.0.0.1:0"},
]


def setUpModule():
    need_slapd()


class Wires:
    """One question to each listener, in the order of LISTENERS."""

    def __init__(self, service):
        self.service = service

    def peer(self, index):
        return Client(self.service.addresses[index], greeted=False)

    def until_closed(self, index, octets):
        with self.peer(index) as peer:
            peer.send(octets)
            found = b""
            while more := peer.socket.recv(65536):
                found += more
            return found.decode()

    def up_to(self, index, octets, end):
        with self.peer(index) as peer:
            peer.send(octets)
            found = b""
            while not found.endswith(end):
                more = peer.socket.recv(65536)
                if not more:
                    break
                found += more
            return found.decode()

    def smtp(self, address):
        with self.service.client() as client:
            client.ask("MAIL FROM:<>")
            return client.ask(f"RCPT TO:<{address}>")

    def socketmap(self, address):
        question = f"mailboxes {address}".encode()
        return self.up_to(1, b"%d:%b," % (len(question), question), b",").partition(":")[2]

    def tcp_table(self, address):
        return self.up_to(2, f"get {address}\n".encode(), b"\n").strip()

    def policy(self, address):
        lines = f"request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient={address}\nclient_address=127.0.0.1\n\n"
        return self.up_to(3, lines.encode(), b"\n\n").strip()

    def milter(self, address):
        with MilterPeer(self.service.addresses[4]) as peer:
            return peer.ask(connect("127.0.0.1"), mail(), rcpt(address))

    def readsocket(self, address):
        return self.until_closed(5, f"rcpt {address}\n".encode())

    def qmail_deliverable(self, address):
        connection = http.client.HTTPConnection(*self.service.addresses[6], timeout=PATIENCE)
        try:
            connection.request("GET", f"/qd1/deliverable?{quote(address)}")
            response = connection.getresponse()
            return f"{response.status} {response.read().decode().strip()}"
        finally:
            connection.close()

    def table_proc(self, address):
        with Table(self.service.folder, "--user", "vmail") as table:
            table.open()
            return str(table.virtual(address))

    def command(self, address):
        return str(run("verify", address, folder=self.service.folder).returncode)


NAMES = ["smtp", "socketmap", "tcp_table", "policy", "milter", "readsocket", "qmail_deliverable", "table_proc", "command"]

# Of each address, what begins the answer on each wire, in that order.
KNOWN = {
    "fred@example.org": [
        "250 2.1.5", "OK fred@example.org", "200 fred@example.org", "action=DUNNO", "continue", "ok 250 2.1.5", "200 241",
        "vmail", "0"],
    "info@example.org": [
        "250 2.1.5", "OK fred@example.org", "200 fred@example.org", "action=DUNNO", "continue", "ok 250 2.1.5", "200 241",
        "fred@example.org", "0"],
    "nobody@example.org": [
        "550 5.1.1", "NOTFOUND ", "500 ", "action=550 5.1.1", "550 5.1.1", "no 550 5.1.1", "200 0", "error:550 5.1.1", "67"],
    "gone@example.org": [
        "551 5.1.6", "NOTFOUND ", "500 ", "action=551 5.1.6", "551 5.1.6", "no 551 5.1.6", "200 0", "error:550 5.1.6", "67"],
    "leo@example.org": [
        "450 4.2.1", "TEMP 4.2.1", "400 4.2.1", "action=450 4.2.1", "450 4.2.1", "defer 450 4.2.1", "503 34",
        "error:450 4.2.1", "75"],
}
COULD_NOT_TELL = [
    "451 4.4.3", "TEMP 4.4.3", "400 4.4.3", "action=451 4.4.3", "451 4.4.3", "defer 451 4.4.3", "503 34", "False", "75"]


class EveryWire(unittest.TestCase):
    def check(self, wires, address, answers):
        for name, answer in zip(NAMES, answers, strict=True):
            with self.subTest(wire=name, address=address):
                found = getattr(wires, name)(address)
                self.assertTrue(found.startswith(answer), f"{found!r} does not begin with {answer!r}")

    def test_with_the_server_and_without_it(self):
        with own_slapd() as slapd, LDAPService(source(slapd.uri), listeners=LISTENERS) as service:
            wires = Wires(service)
            for address, answers in KNOWN.items():
                self.check(wires, address, answers)
            slapd.kill()
            for address in KNOWN:
                self.check(wires, address, COULD_NOT_TELL)
            # Nobody knows either whether an address is ours at all.
            self.check(wires, "x@elsewhere.example", COULD_NOT_TELL)
            slapd.restart()
            eventually(lambda: wires.smtp("fred@example.org").startswith("250"), "right answers again")
            for address, answers in KNOWN.items():
                self.check(wires, address, answers)

    def test_with_a_server_that_says_nothing(self):
        with own_slapd() as slapd, LDAPService(source(slapd.uri), listeners=LISTENERS) as service:
            wires = Wires(service)
            self.check(wires, "fred@example.org", KNOWN["fred@example.org"])
            slapd.freeze()
            try:
                for address in "fred@example.org", "nobody@example.org":
                    self.check(wires, address, COULD_NOT_TELL)
            finally:
                slapd.thaw()


if __name__ == "__main__":
    unittest.main()
