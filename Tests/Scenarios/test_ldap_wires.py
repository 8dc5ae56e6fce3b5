"""Every wire over a live LDAP server, and then without it: the same verdict on each, and never a refusal that nobody can know."""

import unittest

from ldap_service import LDAPService, need_slapd, own_slapd, source
from service import eventually
from wires import LISTENERS, Wires


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


if __name__ == "__main__":
    unittest.main()
