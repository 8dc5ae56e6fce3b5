"""Sites in the schemas that people have: every question, on the command line and over SMTP, with the same answer."""

import unittest
from concurrent.futures import ThreadPoolExecutor

from ldap_service import LDAPService, need_slapd, source
from service import PROGRAM

# From Tests/LDAP, where ldap_service finds them.
import questions
import slapd

SITES = slapd.ALL_SITES


def setUpModule():
    need_slapd()


class Sites(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sites = {site.name: cls.enterClassContext(site.start()) for site in SITES}

    def asked(self, site):
        """What is promised, and the domains."""
        asked, domains = questions.read(site.questions)
        return [question for question in asked if not question.is_pending], domains

    def service(self, site, domains):
        server = self.sites[site.name]
        # Not impatient: what is asked here is what is answered, and nothing else.
        people = source(
            server.uri, base=server.base, preset=site.name, domains=domains, timeout="20s", connect_timeout="20s")
        return LDAPService(people, default_domain=domains[0])

    def check(self, site, question, answer):
        with self.subTest(f"{site.name}.questions:{question.line}", question=str(question)):
            self.assertEqual(answer, question.expected)

    def test_on_the_command_line(self):
        for site in SITES:
            asked, domains = self.asked(site)
            self.assertGreater(len(asked), 20, site.name)
            self.assertEqual({question.kind for question in asked}, set(questions.KINDS), site.name)
            with self.service(site, domains) as service, ThreadPoolExecutor(2) as pool:
                configuration = service.folder / "addressee.yaml"
                answers = pool.map(lambda question: questions.ask(PROGRAM, configuration, question), asked)
                for question, answer in zip(asked, answers):
                    self.check(site, question, answer)

    def test_over_smtp_in_one_pipelined_connection(self):
        for site in SITES:
            asked, domains = self.asked(site)
            asked = [question for question in asked if question.kind != "resolve"]
            commands = {"verify": "VRFY", "expand": "EXPN"}
            with self.service(site, domains) as service, service.client() as client:
                for _ in range(2):
                    client.send("".join(
                        f"{commands[question.kind]} {question.argument} SMTPUTF8\r\n" for question in asked))
                    for question in asked:
                        reply = client.reply()
                        answer = questions.normalized_reply(reply.split("\n"))
                        # Refused before anything is looked up.
                        if question.expected == "malformed" and reply.startswith("501 5.1.3 "):
                            answer = "malformed"
                        self.check(site, question, answer)

    def test_recipients_are_those_of_resolve(self):
        # RCPT says whether somebody is reached, and where that is elsewhere or gone, whom.
        expected = {"unknown": "550 5.1.1 ", "disabled": "550 5.2.1 ", "suspended": "450 4.2.1 "}
        for site in SITES:
            asked, domains = self.asked(site)
            asked = [question for question in asked if question.kind == "resolve" and question.argument.isascii()]
            with self.service(site, domains) as service, service.client() as client:
                client.ask("MAIL FROM:<>")
                client.send("".join(f"RCPT TO:<{question.argument}>\r\n" for question in asked))
                for question in asked:
                    reply = client.reply()
                    with self.subTest(f"{site.name}.questions:{question.line}", question=str(question)):
                        if question.expected in expected:
                            self.assertTrue(reply.startswith(expected[question.expected]), reply)
                        elif question.expected.startswith("moved "):
                            self.assertRegex(reply, "^55[01] 5\\.1\\.6 ")
                        elif question.expected == "malformed":
                            self.assertRegex(reply, "^50[01] |^55[05] ")
                        elif question.expected == "loop":
                            self.assertTrue(reply.startswith("451 4.4.6 "), reply)
                        elif question.expected == "could-not-tell":
                            self.assertTrue(reply.startswith("451 4.4.3 "), reply)
                        else:
                            self.assertRegex(reply, "^(250 2\\.1\\.5 OK|251 2\\.1\\.5 .*|452 4\\.2\\.2 .*)$")
