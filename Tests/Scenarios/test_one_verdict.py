"""A thousand questions over every wire and on the command line, of a directory in SQLite and in LDAP: one verdict.

The verdict is the reply of SMTP. Each of the others must say the same, in its own words.
"""

import collections
import http.client
import itertools
import random
import re
import shlex
import socket
import unittest
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, unquote_to_bytes

import milter
from ldap_service import LDAPService, SQLiteService, need_slapd, own_slapd, source
from service import PATIENCE, Client, eventually
from test_ldap_same import directory, subjects, write
from test_lookup_hostile import Peer as SocketmapPeer
from test_lookup_hostile import request as netstring
from test_postfix_policy import request as policy_request

LISTENERS = [
    {"smtp": "127.0.0.1:0"}, {"socketmap": "127.0.0.1:0"}, {"tcp-table": "127.0.0.1:0", "map": "recipients"},
    {"policy": "127.0.0.1:0"}, {"milter": "127.0.0.1:0"}, {"readsocket": "127.0.0.1:0"},
    {"qmail-deliverable": "127.0.0.1:0"}]
WIRES = [next(iter(listener)) for listener in LISTENERS]
COUNT = 1000
# What RCPT and VRFY say of a domain that is not ours; other servers have rules of their own for it.
ELSEWHERE = re.compile("550 5.7.1 Relaying denied|550 5.1.2 Not a domain")
# Addresses whose local-part is not too long. What each wire does with those that are malformed is for its own test.
ADDRESS = re.compile(r'("[^"\\]{1,20}(\\.)?.{0,20}"|(?!a{64}.)[^"@]{1,64})@[^"@]+')
# Requests that are under way on one connection: a pipeline must not fill both directions.
BATCH = 50


def batches(addresses):
    for start in range(0, len(addresses), BATCH):
        yield addresses[start:start + BATCH]


class Asker:
    """Asks a service over each of its wires. What is returned is what came, one answer an address."""

    def __init__(self, service):
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


# What each wire makes of a reply of SMTP.

def kind(reply):
    """`yes`, `no`, `later` or `elsewhere`."""
    if ELSEWHERE.match(reply):
        return "elsewhere"
    return {"2": "yes", "4": "later", "5": "no"}[reply[0]]


def refusal(reply):
    """Policy delegation and milters: whatever is not refused is for the mail server to decide."""
    return reply.split("\n")[0] if kind(reply) in ["no", "later"] else None


def in_readsocket(reply):
    word = {"yes": "ok", "no": "no", "later": "defer", "elsewhere": "elsewhere"}[kind(reply)]
    return f"{word} {reply.split(chr(10))[0]}"


def in_qmail(reply):
    return "200 %d" % {"yes": 241, "no": 0, "later": 34, "elsewhere": 255}[kind(reply)]


def without_code(reply):
    """A temporary refusal, as maps give it: without the reply code."""
    return reply[4:]


def of_map(answer, found, absent, later):
    """The kind of a map's answer, and its text where it says when to ask again."""
    for word, name in [(found, "yes"), (absent, "no"), (later, "later")]:
        if answer.startswith(word):
            return name, answer[len(word):] if name == "later" else ""
    return "unexpected", answer


def in_map(reply):
    wanted = {"yes": "yes", "no": "no", "later": "later", "elsewhere": "no"}[kind(reply)]
    return wanted, without_code(reply) if wanted == "later" else ""


class OneVerdict(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        need_slapd()
        chance = random.Random(821)
        commands, known = directory(chance)
        cls.sqlite = cls.enterClassContext(SQLiteService())
        refused = write(cls.sqlite, commands)
        accepted = [command for command in commands if command not in refused]
        cls.slapd = cls.enterClassContext(own_slapd(["domain add example.org", *accepted]))
        patient = source(cls.slapd.uri, name="main", timeout="20s", connect_timeout="20s")
        cls.ldap = cls.enterClassContext(LDAPService(patient, listeners=LISTENERS))
        cls.sqlite.configure(listeners=LISTENERS)
        cls.sqlite.start()
        cls.services = {"SQLite": cls.sqlite, "LDAP": cls.ldap}
        whole = filter(ADDRESS.fullmatch, (subject.strip("<>") for subject in subjects(chance, known)))
        cls.addresses = list(itertools.islice(whole, COUNT))
        cls.verdicts = {name: Asker(service).smtp([f"RCPT TO:<{address}>" for address in cls.addresses])
                        for name, service in cls.services.items()}

    def verify(self, addresses, parameter=""):
        """What VRFY says, of either store."""
        commands = [f"VRFY {address}{parameter}" for address in addresses]
        verdicts = {name: Asker(service).smtp(commands) for name, service in self.services.items()}
        self.assertEqual(verdicts["SQLite"], verdicts["LDAP"])
        return verdicts

    def check(self, wire, ask, expected, addresses=None, verdicts=None):
        """Each store's answers over a wire, beside what SMTP says."""
        for store, service in self.services.items():
            answers = ask(Asker(service))
            self.assertEqual(len(answers), len(addresses or self.addresses))
            for address, reply, answer in zip(
                    addresses or self.addresses, (verdicts or self.verdicts)[store], answers):
                with self.subTest(wire=wire, store=store, address=address, reply=reply):
                    self.assertEqual(answer, expected(reply))

    def test_the_questions_are_worth_asking(self):
        self.assertEqual(self.verdicts["SQLite"], self.verdicts["LDAP"])
        kinds = collections.Counter(kind(reply) for reply in self.verdicts["SQLite"])
        codes = collections.Counter(reply[:3] for reply in self.verdicts["SQLite"])
        for name in ["yes", "no", "later", "elsewhere"]:
            self.assertGreater(kinds[name], 10, kinds)
        for code in ["250", "251", "450", "452", "550", "551"]:
            self.assertGreater(codes[code], 0, codes)
        self.assertEqual([reply for reply in self.verdicts["SQLite"] if reply.startswith(("451 4.4.3", "501"))], [])

    def test_socketmap(self):
        self.check(
            "socketmap", lambda asker: [of_map(answer, "OK ", "NOTFOUND ", "TEMP ") for answer in
                                        asker.socketmap("recipients", self.addresses)], in_map)

    def test_tcp_table(self):
        self.check(
            "tcp-table", lambda asker: [of_map(answer, "200 ", "500 ", "400 ") for answer in
                                        asker.tcp_table(self.addresses)], in_map)

    def test_policy(self):
        self.check(
            "policy", lambda asker: asker.policy("RCPT", self.addresses), lambda reply: refusal(reply) or "DUNNO")

    def test_milter(self):
        self.check("milter", lambda asker: asker.milter(self.addresses), lambda reply: refusal(reply) or "continue")

    def test_readsocket(self):
        self.check("readsocket", lambda asker: asker.readsocket("rcpt", self.addresses), in_readsocket)

    def test_qmail_deliverable(self):
        self.check("qmail-deliverable", lambda asker: asker.qmail(self.addresses), in_qmail)

    def test_verify_by_readsocket(self):
        # Its answers are for clients that may know nothing of UTF-8.
        addresses = [address for address in self.addresses if address.isascii()]
        self.check("readsocket", lambda asker: asker.readsocket("vrfy", addresses), in_readsocket, addresses,
                   self.verify(addresses))

    def test_verify_by_policy(self):
        self.check("policy", lambda asker: asker.policy("VRFY", self.addresses),
                   lambda reply: refusal(reply) or "DUNNO", verdicts=self.verify(self.addresses, " SMTPUTF8"))

    def test_verify_on_the_command_line(self):
        verdicts = self.verify(self.addresses, " SMTPUTF8")
        for store, service in self.services.items():
            with ThreadPoolExecutor(2) as pool:
                answers = list(pool.map(lambda address: service.run("verify", "--", address), self.addresses))
            for address, reply, done in zip(self.addresses, verdicts[store], answers):
                with self.subTest(command=shlex.join(["verify", address]), store=store):
                    self.assertEqual(done.stdout.rstrip("\n"), reply)
                    status = {"yes": 0, "no": 67, "elsewhere": 67, "later": 75}
                    self.assertEqual(done.returncode, status[kind(reply)])

    def test_resolve_on_the_command_line(self):
        """Where mail goes is told by the map of aliases, and by `resolve`."""
        # In the map a detail stays at an address that is only of another name of the domain.
        addresses = [address for address in self.addresses if not re.search(r"[+-]", address.rsplit("@", 1)[0])]
        for store, service in self.services.items():
            asker = Asker(service)
            answers = zip(addresses, asker.socketmap("aliases", addresses))
            some = [(address, answer[3:].split(", ")) for address, answer in answers if answer.startswith("OK ")][:300]
            self.assertGreater(len(some), 200)
            with ThreadPoolExecutor(2) as pool:
                done = list(pool.map(lambda one: service.run("resolve", "--", one[0]), some))
            for (address, answer), one in zip(some, done):
                with self.subTest(address=address, store=store):
                    led, final = set(answer), set(one.stdout.splitlines())
                    self.assertEqual(final - led, set())
                    # Those who are suspended get the mail later.
                    for mailbox, reply in zip(led - final, asker.smtp([f"RCPT TO:<{name}>" for name in led - final])):
                        self.assertRegex(reply, "^450 4.2.1", mailbox)


class CouldNotTell(unittest.TestCase):
    """With nobody to ask, no wire says "no"."""

    def test_nobody_is_refused_for_good_on_any_wire(self):
        need_slapd()
        addresses = ["fred@example.org", "nobody@example.org", "info@example.org", "x@catch.example",
                     "someone@relay.example", "a@elsewhere.example"]
        reply = "451 4.4.3 The directory could not tell, try again later"
        with own_slapd() as slapd, LDAPService(source(slapd.uri), listeners=LISTENERS) as service:
            asker = Asker(service)
            commands = [f"RCPT TO:<{address}>" for address in addresses]
            self.assertNotIn(reply, asker.smtp(commands))
            slapd.kill()
            eventually(lambda: set(asker.smtp(commands)) == {reply}, "SMTP can't tell")
            for answers, wanted in [
                (asker.socketmap("recipients", addresses), "TEMP " + reply[4:]),
                (asker.socketmap("aliases", addresses), "TEMP " + reply[4:]),
                (asker.socketmap("domains", ["example.org", "elsewhere.example"]), "TEMP " + reply[4:]),
                (asker.tcp_table(addresses), "400 " + reply[4:]), (asker.policy("RCPT", addresses), reply),
                (asker.milter(addresses), reply), (asker.readsocket("rcpt", addresses), f"defer {reply}"),
                (asker.qmail(addresses), "200 34"),
            ]:
                self.assertEqual(set(answers), {wanted})
            done = service.run("verify", "fred@example.org")
            self.assertEqual((done.returncode, done.stdout), (75, f"{reply}\n"))


if __name__ == "__main__":
    unittest.main()
