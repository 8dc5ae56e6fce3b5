"""Names that mean something to LDAP's filters and DNs: they find who is truly so named, and nobody else.

The same people are in SQLite, to which none of these characters means anything: every answer is compared with its.
"""

import itertools
import re
import shlex
import unittest
from concurrent.futures import ThreadPoolExecutor

from ldap_records import PARSER, component, line
from ldap_service import BASE, LDAPService, SQLiteService, need_slapd, own_slapd, source
from service import VERDICTS

# From Tests/LDAP, where ldap_service finds them.
import slapd

ORDINARY = [
    "user add fred@example.org --name 'Fred Claude' --login fclaude",
    "user add wilma@example.org --name 'Wilma Stone' --login wilma",
    "user add '\"Sam Smith\"@example.org' --name 'Sam Smith' --login sam",
    "user add a@example.org --name A --login a",
    # Without any name.
    "user add plain@example.org",
]

# Who is truly so named.
ODD = [
    "user add '**@example.org' --name 'Star *' --login '*'",
    "user add 'star*@example.org' --name 'Tim (Star*) O\\Neil' --login 'tim*'",
    "user add '\"(\"@example.org' --name 'Open (' --login '('",
    "user add '\")\"@example.org' --name 'Close )' --login ')'",
    "user add '\"\\\\\\\\\"@example.org' --name 'Back \\' --login '\\'",
    "user add '\"fred)(uid=*\"@example.org' --name 'Fred)(uid=*' --login 'fred)(uid=*'",
    "user add '\"a,b+c=d;e#f\"@example.org' --name 'Distinguished, Name=X' --login 'cn=x,dc=y'",
    "user add '\"\\\\\\\\2a\"@example.org' --name '\\2a' --login '\\2a'",
]

TEXTS = [
    "*", "**", "f*", "fre*", "*red", "fr*d", "*@*", "st*", "star*", "Star *", "tim*", "(", ")", "()", "(fred)", "((",
    "\\", "\\\\", "\\2a", "\\2A", "\\5c", "\\00", "\\66red", "fre\\64", "fr\\", "fred\\", "fred)(uid=*",
    "fred)(mail=*", "Fred)(uid=*", "fred)", "(fred", "*)(uid=*))(|(uid=*", "x)(|(objectClass=*)", "fred)(|(mail=*))",
    "&", "|", "!", "=", "uid=fclaude", "uid=*", "(uid=*)", "(&(uid=*)(mail=*))", "objectClass=*", "cn=fred",
    "uid=fclaude,dc=example,dc=org", "cn=x,dc=y", "a,b+c=d;e#f", "Name=X", "#fred", "fred#", " fred", "fred ",
    "fred  claude", "fred\tclaude", "fred claude", "sam smith", "sam  smith", "sam smith ", " sam smith",
    "Sam\\ Smith", "~=fred", ">=a", "<=z", ":caseExactMatch:=fred", "fred:dn:=*", "%2a", "%", "_", "?", "fre?",
    "[a-z]*", "{fred}", "$fred", "`fred`", "fred;", "a", "O\\Neil", "tim (star*) o\\neil", "\u00adfred", "fr\u00aded",
    "\uff46red", "fred\u200b", "\uff0a", "ＦＲＥＤ", "ﬀ", "fred\u0301",
]

# What is no text at all; on the command line a NUL can't be.
OCTETS = [b"\xff", b"fred\xff", b"\xfffred", b"fred\xc3", b"\xc0\xaa", b"\xe2\x82", b"\xed\xa0\x80", b"fr\x80ed",
          b"\x80"]
NULS = [b"\0", b"fred\0", b"\0fred", b"fred\0*", b"fr\0ed"]


def setUpModule():
    need_slapd()


def quoted(text):
    return '"' + re.sub(rb'["\\]', rb"\\\g<0>", text.encode()).decode() + '"'


def people(commands):
    """The same users as entries of RFC 2798."""
    entries = []
    for command in commands:
        user = PARSER.parse_args(shlex.split(command))
        name = user.name or user.address
        entry = [("objectClass", "inetOrgPerson"), ("cn", name), ("sn", name), ("mail", user.address)]
        # A full name is what is looked up; `plain` has none, and the schema wants one.
        entry += [("displayName", user.name)] if user.name else []
        entry += [("uid", user.login)] if user.login else []
        dn = f"{component('mail', user.address)},{BASE}"
        entries.append("\n".join([line("dn", dn)] + [line(key, value) for key, value in entry]))
    return f"dn: {BASE}\nobjectClass: organizationalUnit\nou: mail\n\n" + "\n\n".join(entries) + "\n"


class Injection(unittest.TestCase):
    def serve(self, commands):
        """The same people in SQLite, in our own schema, and in that of RFC 2798."""
        sqlite = self.enterContext(SQLiteService())
        limits = {"errors": 100_000}
        for command in commands:
            sqlite.change(*shlex.split(command))
        sqlite.configure(limits=limits)
        sqlite.start()
        site = slapd.site("inetorgperson")
        own = self.enterContext(own_slapd(["domain add example.org", *commands]))
        persons = self.enterContext(site.start(ldif=people(commands)))
        patience = {"timeout": "20s", "connect_timeout": "20s"}
        return [sqlite] + [self.enterContext(LDAPService(one, limits=limits)) for one in [
            source(own.uri, **patience),
            source(persons.uri, preset="inetorgperson", domains=["example.org"], roles={"full-name": ["displayName"]},
                   **patience)]]

    def commands(self):
        """Every text, in every place that takes one."""
        for text in TEXTS:
            address = f"{text}@example.org"
            for form in [text, quoted(text), address, f"{quoted(text)}@example.org", f"<{quoted(text)}@example.org>",
                         f"Some Name <{text}@example.org>", f"{quoted(text + '+x')}@example.org"]:
                yield f"VRFY {form} SMTPUTF8".encode()
                yield f"EXPN {form} SMTPUTF8".encode()
            for form in [address, f"{quoted(text)}@example.org", f"fred@{text}.example", f"fred@{text}"]:
                yield f"RCPT TO:<{form}>".encode()
        for octets in OCTETS + NULS:
            for form in [b"VRFY %s", b"VRFY %s SMTPUTF8", b'VRFY "%s"', b"EXPN %s@example.org SMTPUTF8",
                         b"RCPT TO:<%s@example.org>", b'RCPT TO:<"%s"@example.org>', b"RCPT TO:<fred@%s.example>"]:
                yield form % octets

    def ask(self, service, commands):
        """One connection, pipelined; a transaction has 1000 recipients at most."""
        replies = []
        with service.client() as client:
            for start in range(0, len(commands), 500):
                some = [b"RSET", b"MAIL FROM:<> SMTPUTF8", *commands[start:start + 500]]
                client.send(b"".join(command + b"\r\n" for command in some))
                replies += [client.reply() for _ in some][2:]
        return replies

    def check(self, people):
        services = self.serve(people)
        commands = list(self.commands())
        answers = [self.ask(service, commands) for service in services]
        for command, expected, own, persons in zip(commands, *answers):
            with self.subTest(command):
                self.assertEqual(own, expected, "in our own schema, and in SQLite")
                self.assertEqual(persons, expected, "in RFC 2798's schema, and in SQLite")
                self.assertNotRegex(own, "^4", "nothing is in trouble")
        return services, dict(zip(commands, answers[1]))

    def test_where_nobody_is_so_named_nobody_is_found(self):
        services, answers = self.check(ORDINARY)
        found = {text for text in TEXTS if answers[f"VRFY {text} SMTPUTF8".encode()].startswith("2")}
        # White space is no part of a name, and one space is as good as two.
        self.assertEqual(found, {
            "a", " fred", "fred ", "fred claude", "fred  claude", "fred\tclaude", "sam smith", " sam smith",
            "sam smith ", "sam  smith"})
        for text in ["*", "f*", "fre*", "(", "fred)(uid=*", "uid=*", "*)(uid=*))(|(uid=*", "\\66red", "%", "_"]:
            self.assertEqual(answers[f"VRFY {text} SMTPUTF8".encode()], VERDICTS["nobody"], text)
        for service in services:
            self.assertFalse([line for line in service.log.lines if " error " in line], "errors in the log")

    def test_who_is_so_named_is_found_and_nobody_else(self):
        services, answers = self.check(ORDINARY + ODD)
        for text, reply in {
                "*": "250 2.1.5 Star * <**@example.org>", "star*": "250 2.1.5 Tim (Star*) O\\Neil <star*@example.org>",
                "tim*": "250 2.1.5 Tim (Star*) O\\Neil <star*@example.org>", "(": '250 2.1.5 Open ( <"("@example.org>',
                "O\\Neil": "250 2.1.5 Tim (Star*) O\\Neil <star*@example.org>",
                ")": '250 2.1.5 Close ) <")"@example.org>',
                "fred)(uid=*": '250 2.1.5 Fred)(uid=* <"fred)(uid=*"@example.org>',
                "a,b+c=d;e#f": '250 2.1.5 Distinguished, Name=X <"a,b+c=d;e#f"@example.org>'}.items():
            self.assertEqual(answers[f"VRFY {text} SMTPUTF8".encode()], reply, text)

    def test_on_the_command_line(self):
        services = self.serve(ORDINARY + ODD)[:2]
        texts = ["fred)(uid=*", "*", "(", ")", "\\", *TEXTS[1::5], *OCTETS[:3]]
        questions = []
        for text, command in itertools.product(texts, ["verify", "resolve"]):
            octets = text if isinstance(text, bytes) else text.encode()
            questions.append([command, "--", octets + (b"@example.org" if command == "resolve" else b"")])
        with ThreadPoolExecutor(2) as pool:
            expected, given = (
                list(pool.map(lambda question: service.run(*question), questions)) for service in services)
        for question, one, other in zip(questions, expected, given):
            with self.subTest(question):
                self.assertEqual(
                    (other.returncode, other.stdout, other.stderr.replace("people", "main")),
                    (one.returncode, one.stdout, one.stderr))
                self.assertIn(other.returncode, [0, 65, 67])
