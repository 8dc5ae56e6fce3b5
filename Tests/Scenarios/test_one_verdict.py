"""A thousand questions over every wire and on the command line, of a directory in SQLite and in LDAP: one verdict.

The verdict is the reply of SMTP. Each of the others must say the same, in its own words.
"""

import collections
import itertools
import random
import re
import shlex
import unittest
from concurrent.futures import ThreadPoolExecutor

from ldap_service import LDAPService, SQLiteService, need_slapd, own_slapd, source
from test_ldap_same import directory, subjects, write
from wires import LISTENERS, Wires

COUNT = 1000
# What RCPT and VRFY say of a domain that is not ours; other servers have rules of their own for it.
ELSEWHERE = re.compile("550 5.7.1 Relaying denied|550 5.1.2 Not a domain")
# Addresses that can be some. What each wire does with those that are malformed is for its own test.
ADDRESS = re.compile(r'("[^"\\]{1,20}(\\.)?.{0,20}"|[^"@]{1,255})@[^"@]+')


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
    return {"yes": "200 241", "no": "200 0", "later": "503 34", "elsewhere": "200 255"}[kind(reply)]


def in_table_proc(reply):
    return {"yes": True, "no": None, "later": False, "elsewhere": None}[kind(reply)]


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
        cls.verdicts = {name: Wires(service).smtp([f"RCPT TO:<{address}>" for address in cls.addresses])
                        for name, service in cls.services.items()}

    def verify(self, addresses, parameter=""):
        """What VRFY says, of either store."""
        commands = [f"VRFY {address}{parameter}" for address in addresses]
        verdicts = {name: Wires(service).smtp(commands) for name, service in self.services.items()}
        self.assertEqual(verdicts["SQLite"], verdicts["LDAP"])
        return verdicts

    def check(self, wire, ask, expected, addresses=None, verdicts=None):
        """Each store's answers over a wire, beside what SMTP says."""
        for store, service in self.services.items():
            answers = ask(Wires(service))
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
        # What only others have: long, with dots anywhere, at a domain with "_", with what can't be seen.
        for odd in ["@[^@]*_", r"(\.\.|\.@|^\.)[^\"]*$", "^l{70}@", "^m{255}@", "\u200b"]:
            asked = [reply for address, reply in zip(self.addresses, self.verdicts["SQLite"]) if re.search(odd, address)]
            self.assertGreater(len(asked), 3, odd)
        self.assertEqual([reply for reply in self.verdicts["SQLite"] if reply.startswith(("451 4.4.3", "501"))], [])

    def test_socketmap(self):
        self.check(
            "socketmap", lambda wires: [of_map(answer, "OK ", "NOTFOUND ", "TEMP ") for answer in
                                        wires.socketmap("recipients", self.addresses)], in_map)

    def test_tcp_table(self):
        self.check(
            "tcp-table", lambda wires: [of_map(answer, "200 ", "500 ", "400 ") for answer in
                                        wires.tcp_table(self.addresses)], in_map)

    def test_policy(self):
        self.check(
            "policy", lambda wires: wires.policy("RCPT", self.addresses), lambda reply: refusal(reply) or "DUNNO")

    def test_milter(self):
        self.check("milter", lambda wires: wires.milter(self.addresses), lambda reply: refusal(reply) or "continue")

    def test_readsocket(self):
        self.check("readsocket", lambda wires: wires.readsocket("rcpt", self.addresses), in_readsocket)

    def test_qmail_deliverable(self):
        self.check("qmail-deliverable", lambda wires: wires.qmail(self.addresses), in_qmail)

    def test_table_proc(self):
        # smtpd asks for addresses in lower case, and has no UTF-8 in them.
        addresses = [address for address in self.addresses if address.isascii()]
        verdicts = {store: [reply for address, reply in zip(self.addresses, replies) if address.isascii()]
                    for store, replies in self.verdicts.items()}
        self.check("table-proc", lambda wires: wires.table_proc(
            lambda table: [table.check("mailaddr", address) for address in addresses]), in_table_proc, addresses, verdicts)

    def test_verify_by_readsocket(self):
        # Its answers are for clients that may know nothing of UTF-8.
        addresses = [address for address in self.addresses if address.isascii()]
        self.check("readsocket", lambda wires: wires.readsocket("vrfy", addresses), in_readsocket, addresses,
                   self.verify(addresses))

    def test_verify_by_policy(self):
        self.check("policy", lambda wires: wires.policy("VRFY", self.addresses),
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
            wires = Wires(service)
            answers = zip(addresses, wires.socketmap("aliases", addresses))
            some = [(address, answer[3:].split(", ")) for address, answer in answers if answer.startswith("OK ")][:300]
            self.assertGreater(len(some), 200)
            with ThreadPoolExecutor(2) as pool:
                done = list(pool.map(lambda one: service.run("resolve", "--", one[0]), some))
            for (address, answer), one in zip(some, done):
                with self.subTest(address=address, store=store):
                    led, final = set(answer), set(one.stdout.splitlines())
                    self.assertEqual(final - led, set())
                    # Those who are suspended get the mail later.
                    for mailbox, reply in zip(led - final, wires.smtp([f"RCPT TO:<{name}>" for name in led - final])):
                        self.assertRegex(reply, "^450 4.2.1", mailbox)


if __name__ == "__main__":
    unittest.main()
