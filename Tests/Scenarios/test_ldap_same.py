"""One directory, in SQLite and in LDAP: the same questions get the same octets.

In LDAP it is twice: written by the same commands, and by what the schema's file says.
"""

import collections
import itertools
import random
import shlex
import unittest
from concurrent.futures import ThreadPoolExecutor

from ldap_service import PASSWORD_FILE, LDAPService, SQLiteService, need_slapd, own_slapd, source, writable
from test_changes import TURNS


def setUpModule():
    need_slapd()


FIRST = ["Fred", "Wilma", "Sam", "Jane", "Paul", "Mary", "Nora", "Leo", "Björn", "Zoë", "Jürgen", "Ann-Lena", "O'Neil"]
LAST = ["Claude", "Stone", "Smith", "Weber", "Moss", "Berg", "Ångström", "von der Heide", "Müller-Lüdenscheidt",
        "D'Arcy"]
# Local-parts that need care somewhere: quoting, folding, DNs, filters, LDIF.
ODD = ['"Sam Smith"', '"a,b+c=d"', '"semi;colon"', '"quote\\"d"', '"back\\\\slash"', '" lead"', '"trail "', '"#hash"',
       '"par(en)"', '"at@sign"', "star*", "o'neil", "a/b", "{brace}", "x=y", "#top", "per%cent", "jürgen", "ÅNGSTRÖM",
       "παντελής", "MiXed.Case", "dot.ted.name", "under_score", "tilde~", "a" * 64]
STATUS = ["active"] * 8 + ["disabled", "suspended", "full"]


def directory(chance):
    """Commands that make a directory with something of everything."""
    commands = [
        "domain add second.example --detail-separator +-", "domain add alias.example --alias-of example.org",
        "domain add bücher.example --alias-of second.example", "domain add relay.example --kind relay --transport smtp:[mx]:25",
        "domain add Third.Example --detail-separator ''"]
    users = []
    names = list(itertools.product(FIRST, LAST))
    chance.shuffle(names)
    for number, (first, last) in enumerate(names[:45]):
        domain = chance.choice(["example.org"] * 4 + ["second.example", "Third.Example"])
        local = ODD[number] if number < len(ODD) else f"{first[0]}.{last.split()[-1]}{number}".replace("'", "")
        users.append(f"{local}@{domain}")
        words = ["user", "add", users[-1], "--status", chance.choice(STATUS)]
        if number % 7:
            words += ["--name", f"{first} {last}"]
        if number % 3 == 0:
            words += ["--login", f"{first[0]}{last[0]}{number}"]
        commands.append(shlex.join(words))
    known = list(users)
    elsewhere = [f"{name}@{domain}" for name in ["u1", "Big.Name", '"quoted one"'] for domain in
                 ["elsewhere.example", "Net.Example", "münchen.example"]]

    def targets(count):
        return " ".join(shlex.quote(address) for address in chance.sample(known + elsewhere, count))

    for number in range(12):
        commands.append(f"alias add alias{number}@example.org --to {targets(1 + number % 4)}")
        known.append(f"alias{number}@example.org")
    for number, user in enumerate(chance.sample(users, 14)):
        words = f"forward add {shlex.quote(user)} --to {targets(1 + number % 3)}"
        commands.append(words + [" --keep-copy", "", " --reply 251", " --reply 250"][number % 4])
    for number in range(6):
        commands.append(f"forward add away{number}@second.example --to {targets(1 + number % 2)}")
        known.append(f"away{number}@second.example")
    for number in range(6):
        to = f" --to {shlex.quote(chance.choice(users + elsewhere))}" if number % 3 else ""
        commands.append(f"moved add gone{number}@example.org{to}")
        known.append(f"gone{number}@example.org")
    for number in range(10):
        members = targets(2 + number)
        if number % 3 == 0:
            members += " 'Out Sider <out@elsewhere.example>' 'Änne <aenne@net.example>'"
        commands.append(
            f"list add list{number}@example.org --name 'List № {number}' --member {members}"
            f" --expn {['anyone', 'trusted', 'nobody'][number % 3]} --owner {shlex.quote(chance.choice(users))}")
        # Later lists hold earlier ones.
        known.append(f"list{number}@example.org")
    commands.append("domain add catch.example --catch-all list1@example.org")
    commands.append("user add real@catch.example --name 'Real One'")
    commands.append("domain add caught.example --alias-of catch.example")
    return commands, known + ["real@catch.example"]


def subjects(chance, known):
    """Names to ask for: what is there in many spellings, what is not, and what nearly is."""
    local_parts = [address.rsplit("@", 1)[0] for address in known]
    words = [word for name in FIRST + LAST for word in name.split()]
    domains = ["example.org", "EXAMPLE.org", "alias.example", "second.example", "bücher.example",
               "xn--bcher-kva.example", "third.example", "relay.example", "catch.example", "caught.example",
               "elsewhere.example"]

    # What others have, and no mailbox of ours: long, with dots anywhere, with what can't be seen.
    strange = ["l" * 70, "m" * 255, "a..b", "fred.", ".fred", "..", "fr\u200bed", "fred\u00a0", "F.Claude0+" + "x" * 200]

    def spelled(text):
        return chance.choice([str, str, str.upper, str.lower, str.title])(text)

    def detailed(local):
        if local.endswith('"'):
            return local[:-1] + "+x\""
        return local + chance.choice(["+detail", "-part", "+a-b", "+"])

    while True:
        local = chance.choice(local_parts)
        yield chance.choice([
            lambda: chance.choice(known), lambda: spelled(chance.choice(known)),
            lambda: f"{local}@{chance.choice(domains)}", lambda: f"{spelled(local)}@{chance.choice(domains)}",
            lambda: f"{detailed(local)}@{chance.choice(domains)}", lambda: spelled(local),
            lambda: f"<{chance.choice(known)}>", lambda: spelled(chance.choice(words)),
            lambda: f"{chance.choice(FIRST)} {chance.choice(LAST)}",
            lambda: f"{chance.choice('FWSJ')}{chance.choice('CSM')}{chance.randrange(60)}",
            lambda: f"nobody{chance.randrange(9)}@{chance.choice(domains)}",
            lambda: f"{chance.choice(strange)}@{chance.choice(domains)}", lambda: f"{local}@web_01.{chance.choice(domains)}",
            lambda: f"{local}{chance.choice(['+a-b+c', '-a+b', '-part-', '+' * 20])}@{chance.choice(domains)}",
            lambda: f"postmaster@{chance.choice(domains)}",
            lambda: chance.choice(["postmaster", "<Postmaster>", "sam*", "(uid=*)", "claude stone", "list", "gone1"]),
        ])()


def write(service, commands):
    """Carries commands out; returns which were refused, and why."""
    refused = {}
    for command in commands:
        done = service.run(*shlex.split(command))
        if done.returncode:
            refused[command] = (done.returncode, done.stderr)
    return refused


class Same(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.chance = random.Random(4511)
        commands, known = directory(cls.chance)
        cls.subjects = subjects(cls.chance, known)
        patience = {"name": "main", "timeout": "20s", "connect_timeout": "20s"}
        empty = cls.enterClassContext(own_slapd(["domain add example.org"]))
        cls.written = cls.enterClassContext(LDAPService(writable(empty, **patience), files=PASSWORD_FILE))
        cls.sqlite = cls.enterClassContext(SQLiteService())
        with ThreadPoolExecutor(2) as pool:
            cls.refused = list(pool.map(lambda service: write(service, commands), [cls.sqlite, cls.written]))
        accepted = [command for command in commands if command not in cls.refused[0]]
        filled = cls.enterClassContext(own_slapd(["domain add example.org", *accepted]))
        cls.ldap = cls.enterClassContext(LDAPService(source(filled.uri, **patience)))
        cls.sqlite.start()
        cls.commands = commands

    def test_the_same_commands_are_refused(self):
        # A loop here and there; all else is taken.
        self.assertLess(len(self.refused[0]), len(self.commands) / 10, self.refused[0])
        self.assertEqual(*self.refused)

    def test_the_same_records_are_listed(self):
        for noun in ["domain", "user", "alias", "forward", "moved", "list"]:
            for options in [[], ["--json"]]:
                one, other, third = (
                    service.run(noun, "ls", *options).stdout for service in [self.sqlite, self.written, self.ldap])
                self.assertSame(f"{noun} ls", one, other)
                self.assertSame(f"{noun} ls", one, third)

    def assertSame(self, question, one, other):
        with self.subTest(question):
            self.assertEqual(one, other, "SQLite's answer, and LDAP's")

    def test_over_smtp(self):
        commands = ["MAIL FROM:<> SMTPUTF8"]
        for number, subject in enumerate(itertools.islice(self.subjects, 500)):
            utf8 = " SMTPUTF8" if number % 4 else ""
            commands += [f"VRFY {subject}{utf8}", f"EXPN {subject}{utf8}"]
            if "@" in subject:
                commands.append(f"RCPT TO:<{subject.strip('<>')}>")
        replies = []
        for service in [self.sqlite, self.written, self.ldap]:
            with service.client() as client:
                client.send("EHLO client.example\r\n" + "".join(f"{command}\r\n" for command in commands))
                client.reply()
                replies.append([client.reply() for _ in commands])
        for command, one, other, third in zip(commands, *replies):
            self.assertSame(command, one, other)
            self.assertSame(command, one, third)
        # The questions are worth asking: each kind of answer is there, and none is trouble.
        codes = collections.Counter(reply[:3] for reply in replies[0])
        self.assertGreater(sum(codes.values()), 1000)
        for code in ["250", "251", "252", "450", "550", "551", "553", "452"]:
            self.assertGreater(codes[code], 0, f"{code} in {codes}")
        self.assertNotIn("451 4.4.3 ", [reply[:10] for reply in replies[0]])

    def test_on_the_command_line(self):
        questions = []
        for number, subject in enumerate(itertools.islice(self.subjects, 1000)):
            command = ["verify", "expand", "resolve"][number % 3]
            if command == "resolve":
                subject = subject.strip("<>") if "@" in subject else f"{subject}@example.org"
            options = [["--json"], [], ["--explain"] if command == "resolve" else ["--as", "trusted"]]
            if command == "resolve" or number % 9 < 6:
                options = options[number // 3 % (3 if command == "resolve" else 2)]
            else:
                options = options[2]
            questions.append([command, *options, "--", subject])
        with ThreadPoolExecutor(2) as pool:
            one, other = (
                list(pool.map(lambda question: service.run(*question), questions))
                for service in [self.sqlite, self.written])
        for question, one, other in zip(questions, one, other):
            self.assertSame(
                " ".join(question), (one.returncode, one.stdout, one.stderr),
                (other.returncode, other.stdout, other.stderr))


class Commands(unittest.TestCase):
    """What the command line writes to LDAP."""

    def test_a_change_is_seen_by_the_very_next_question(self):
        # With all remembered for a minute; both connections, which may be on different event loops, alternately first.
        cache = {"entries": 10_000, "positive": "60s", "negative": "60s"}
        with own_slapd() as server, \
                LDAPService(writable(server, timeout="20s", cache=cache), files=PASSWORD_FILE) as service, \
                service.client() as client, service.client() as other:
            for asker in [client, other]:
                self.assertEqual(asker.ask("MAIL FROM:<>"), "250 2.1.0 OK")
                for _, question, _ in TURNS:
                    asker.ask(question)
            for number, (command, question, answer) in enumerate(TURNS * 2):
                service.change(*command.split())
                for asker in [client, other] if number % 2 else [other, client]:
                    self.assertEqual(asker.ask(question), answer, f"change {number}: {command}")

    def test_an_address_is_shown_with_its_domain_as_on_record(self):
        with own_slapd(["domain add example.org"]) as server, SQLiteService() as sqlite, \
                LDAPService(writable(server), files=PASSWORD_FILE) as service:
            answers = []
            for one in [sqlite, service]:
                one.change("user", "add", "Mary@EXAMPLE.Org", "--name", "Mary Moss")
                answers.append(one.run("verify", "mary").stdout)
            self.assertEqual(*answers, "SQLite's answer, and LDAP's")
