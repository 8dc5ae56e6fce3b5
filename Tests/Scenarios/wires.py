"""A question, or a thousand, to a service over each wire that it can be asked by."""

import http.client
import socket
from urllib.parse import quote, unquote_to_bytes

import milter
from opensmtpd import Table
from service import PATIENCE, Client
from test_lookup_hostile import Peer as SocketmapPeer
from test_lookup_hostile import request as netstring
from test_postfix_policy import request as policy_request

LISTENERS = [
    {"smtp": "127.0.0.1:0"}, {"socketmap": "127.0.0.1:0"}, {"tcp-table": "127.0.0.1:0", "map": "recipients"},
    {"policy": "127.0.0.1:0"}, {"milter": "127.0.0.1:0"}, {"readsocket": "127.0.0.1:0"},
    {"qmail-deliverable": "127.0.0.1:0"}]
WIRES = [next(iter(listener)) for listener in LISTENERS]
# Requests that are under way on one connection: a pipeline must not fill both directions.
BATCH = 50


def batches(addresses):
    for start in range(0, len(addresses), BATCH):
        yield addresses[start:start + BATCH]


class Wires:
    """Asks a service over each of its wires. What is returned is what came, one answer an address."""

    def __init__(self, service):
        self.folder = service.folder
        self.addresses = dict(zip(WIRES, service.addresses))

    def smtp(self, commands):
        with Client(self.addresses["smtp"]) as client:
            client.send("EHLO client.example\r\nMAIL FROM:<> SMTPUTF8\r\n")
            client.reply()
            client.reply()
            answers = []
            for batch in batches(commands):
                client.send("".join(f"{command}\r\n" for command in batch))
                answers += [client.reply() for _ in batch]
            return answers

    def socketmap(self, name, addresses):
        with SocketmapPeer(self.addresses["socketmap"]) as peer:
            answers = []
            for batch in batches(addresses):
                peer.send(b"".join(netstring(name, address) for address in batch))
                answers += [reply.split(b":", 1)[1][:-1].decode() for reply in peer.replies(len(batch))]
            return answers

    def separated(self, wire, end, requests):
        """Of wires whose answers have an end of their own."""
        with Client(self.addresses[wire], greeted=False) as client:
            answers = []
            for batch in batches(requests):
                client.send(b"".join(batch))
                while client.buffer.count(end) < len(batch):
                    more = client.socket.recv(65536)
                    if not more:
                        raise AssertionError(f"{wire}: the server has closed after {client.buffer!r}")
                    client.buffer += more
                *found, client.buffer = client.buffer.split(end)
                answers += [answer.decode() for answer in found]
            return answers

    def tcp_table(self, addresses):
        found = self.separated("tcp-table", b"\n", [f"get {quote(address)}\n".encode() for address in addresses])
        return [unquote_to_bytes(answer).decode() for answer in found]

    def policy(self, state, addresses):
        found = self.separated("policy", b"\n\n", [policy_request(address, state) for address in addresses])
        return [answer.removeprefix("action=") for answer in found]

    def milter(self, addresses):
        with milter.Peer(self.addresses["milter"]) as peer:
            peer.ask(milter.connect("127.0.0.1"), milter.mail("<>", "SMTPUTF8"))
            answers = []
            for batch in batches(addresses):
                peer.send(b"".join(milter.rcpt(address) for address in batch))
                answers += [peer.text(reply).replace("%%", "%") for reply in peer.packets(len(batch))]
            return answers

    def readsocket(self, word, addresses):
        answers = []
        for address in addresses:
            with socket.create_connection(self.addresses["readsocket"], timeout=PATIENCE) as peer:
                peer.sendall(f"{word} {address}\n".encode())
                answers.append(b"".join(iter(lambda: peer.recv(65536), b"")).decode())
        return answers

    def qmail(self, addresses):
        connection = http.client.HTTPConnection(*self.addresses["qmail-deliverable"], timeout=PATIENCE)
        answers = []
        for address in addresses:
            connection.request("GET", f"/qd1/deliverable?{quote(address, safe='')}")
            response = connection.getresponse()
            answers.append(f"{response.status} {response.read().decode().strip()}")
        connection.close()
        return answers

    def table_proc(self, ask):
        """What a function finds out by the table that it is given."""
        with Table(self.folder, "--user", "vmail") as table:
            table.open()
            return ask(table)
