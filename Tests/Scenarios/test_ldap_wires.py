"""Every wire over a live LDAP server, and then without it: the same verdict on each, and never a refusal that nobody can know."""

import unittest
from contextlib import ExitStack

from ldap_service import LDAPService, need_slapd, own_slapd, source
from service import eventually
from wires import LISTENERS, Wires

# From Tests/LDAP, where ldap_service finds them.
import slapd


def setUpModule():
    need_slapd()


class Question:
    """One address, over each wire and on the command line."""

    def __init__(self, service):
        self.service = service
        self.wires = Wires(service)

    def ask(self, address):
        wires = self.wires
        return [
            *wires.smtp([f"RCPT TO:<{address}>"]), *wires.socketmap("recipients", [address]), *wires.tcp_table([address]),
            *wires.policy("RCPT", [address]), *wires.milter([address]), *wires.readsocket("rcpt", [address]),
            *wires.qmail([address]), str(wires.table_proc(lambda table: table.virtual(address))),
            str(self.service.run("verify", address).returncode)]


# Of each address, what begins the answer on each wire, in that order.
KNOWN = {
    "fred@example.org": [
        "250 2.1.5", "OK fred@example.org", "200 fred@example.org", "DUNNO", "continue", "ok 250 2.1.5", "200 241",
        "vmail", "0"],
    "info@example.org": [
        "250 2.1.5", "OK fred@example.org", "200 fred@example.org", "DUNNO", "continue", "ok 250 2.1.5", "200 241",
        "fred@example.org", "0"],
    "nobody@example.org": [
        "550 5.1.1", "NOTFOUND ", "500 ", "550 5.1.1", "550 5.1.1", "no 550 5.1.1", "200 0", "error:550 5.1.1", "67"],
    "gone@example.org": [
        "551 5.1.6", "NOTFOUND ", "500 ", "551 5.1.6", "551 5.1.6", "no 551 5.1.6", "200 0", "error:550 5.1.6", "67"],
    "leo@example.org": [
        "450 4.2.1", "TEMP 4.2.1", "400 4.2.1", "450 4.2.1", "450 4.2.1", "defer 450 4.2.1", "503 34",
        "error:450 4.2.1", "75"],
}
COULD_NOT_TELL = [
    "451 4.4.3", "TEMP 4.4.3", "400 4.4.3", "451 4.4.3", "451 4.4.3", "defer 451 4.4.3", "503 34", "False", "75"]


class EveryWire(unittest.TestCase):
    def check(self, question, address, answers):
        for found, answer in zip(question.ask(address), answers, strict=True):
            with self.subTest(answer=answer, address=address):
                self.assertTrue(found.startswith(answer), f"{found!r} does not begin with {answer!r}")

    def test_with_the_server_and_without_it(self):
        with own_slapd() as slapd, LDAPService(source(slapd.uri), listeners=LISTENERS) as service:
            question = Question(service)
            for address, answers in KNOWN.items():
                self.check(question, address, answers)
            slapd.kill()
            for address in KNOWN:
                self.check(question, address, COULD_NOT_TELL)
            # Nobody knows either whether an address is ours at all.
            self.check(question, "x@elsewhere.example", COULD_NOT_TELL)
            slapd.restart()
            eventually(lambda: question.ask("fred@example.org")[0].startswith("250"), "right answers again")
            for address, answers in KNOWN.items():
                self.check(question, address, answers)

    def test_with_a_server_that_says_nothing(self):
        with own_slapd() as slapd, LDAPService(source(slapd.uri), listeners=LISTENERS) as service:
            question = Question(service)
            self.check(question, "fred@example.org", KNOWN["fred@example.org"])
            slapd.freeze()
            # No sooner: an answer of a sound server may take its time.
            service.reload(source(slapd.uri, timeout="1s", connect_timeout="1s"), listeners=LISTENERS)
            question = Question(service)
            try:
                for address in "fred@example.org", "nobody@example.org":
                    self.check(question, address, COULD_NOT_TELL)
            finally:
                slapd.thaw()


# Of sites: other addresses of a mailbox with the canonical one, in a domain that is served; and what is in none.
OTHERS = {
    "ad": {"fred.claude@example.org": "fred@example.org", "fred.claude+x@example.org": "fred+x@example.org",
           "desk@example.org": "front@example.org", "protocol@example.org": "minutes@example.org",
           "everybody@example.org": "everyone@example.org"},
    "389": {"fred.claude@example.org": "fred@example.org"},
    "qmail": {"fred.claude@example.org": "fred@example.org"},
    "postfixbook": {"fred.claude@example.org": "fred@example.org"},
    "inetorgperson": {"anna.berg@example.org": "anna@example.org"},
}
THEMSELVES = ["anna@example.org", "fred@example.org", "fred+x@example.org", "bo@example.org"]


class OtherAddresses(unittest.TestCase):
    """Who delivers by a map finds the mailbox behind each address, and never one in somebody else's domain."""

    def service(self, name, stack, **settings):
        site = stack.enter_context(slapd.site(name).start())
        people = source(site.uri, base=site.base, preset=name, domains=["example.org"], timeout="20s")
        return stack.enter_context(LDAPService(people, listeners=LISTENERS, **settings))

    def test_they_lead_to_the_mailbox(self):
        for name, others in OTHERS.items():
            with ExitStack() as stack:
                wires = Wires(self.service(name, stack))
                for other, canonical in others.items():
                    with self.subTest(site=name, address=other):
                        plain = canonical.replace("+x@", "@")
                        self.assertEqual(wires.socketmap("mailboxes", [other]), [f"OK {plain}"])
                        # Asked again, for what is remembered must say the same.
                        for _ in range(2):
                            for table in "aliases", "aliases-step":
                                self.assertEqual(wires.socketmap(table, [other]), [f"OK {canonical}"])
                        self.assertEqual(str(wires.table_proc(lambda table: table.virtual(other))), canonical)

    def test_a_mailbox_is_its_own(self):
        with ExitStack() as stack:
            wires = Wires(self.service("inetorgperson", stack))
            for table in "aliases", "aliases-step":
                self.assertEqual(wires.socketmap(table, THEMSELVES), ["NOTFOUND "] * len(THEMSELVES))
            self.assertEqual(wires.socketmap("mailboxes", ["anna@example.org"]), ["OK anna@example.org"])
            self.assertEqual(wires.socketmap("mailboxes", ["anna.private@freemail.example"]), ["NOTFOUND "])

    def test_where_the_cloud_is_told_to_trusted_clients_alone(self):
        answers = {
            True: ("251 2.1.5 User not local; will forward to <hugo@example.mail.onmicrosoft.com>",
                   "OK hugo@example.mail.onmicrosoft.com"),
            False: ("250 2.1.5 OK", "PERM 5.7.1"),
        }
        for is_trusted, (reply, found) in answers.items():
            with self.subTest(is_trusted=is_trusted), ExitStack() as stack:
                clients = {} if is_trusted else {"clients": [{"name": "strangers", "networks": ["127.0.0.0/8"]}]}
                wires = Wires(self.service("ad", stack, **clients))
                told = wires.smtp(["RCPT TO:<hugo@example.org>", "VRFY hugo"]) + wires.socketmap(
                    "aliases", ["hugo@example.org"]) + wires.policy("RCPT", ["hugo@example.org"]) + wires.readsocket(
                        "rcpt", ["hugo@example.org"])
                self.assertEqual(told[0], reply)
                self.assertTrue(told[2].startswith(found), told[2])
                self.assertEqual(any("onmicrosoft" in answer for answer in told), is_trusted, told)


if __name__ == "__main__":
    unittest.main()
