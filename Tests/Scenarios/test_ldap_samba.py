"""A real Active Directory, Samba's: people, groups and contacts with Exchange's attributes, asked and written."""

import unittest

from domain_controller import ADMINISTRATOR, BASE, PASSWORD, PEOPLE, DomainController
from ldap_service import LDAPService, need_slapd, source
from service import run


def user(name, login, *lines, control=544):
    """An account; 544 is one that needs no password."""
    return (f"dn: CN={name},{PEOPLE}\nobjectClass: user\nsAMAccountName: {login}\ndisplayName: {name}\n"
            f"userAccountControl: {control}\n" + "".join(f"{line}\n" for line in lines) + "\n")


def group(name, address, *members):
    lines = "".join(f"member: CN={member},{PEOPLE}\n" for member in members)
    return (f"dn: CN={name},{PEOPLE}\nobjectClass: group\nsAMAccountName: {name}\nmail: {address}\n"
            f"proxyAddresses: SMTP:{address}\n{lines}\n")


ENTRIES = "".join([
    user("Fred Claude", "fclaude", "mail: fred@example.org", "proxyAddresses: smtp:fred.claude@example.org",
         "proxyAddresses: SMTP:fred@example.org"),
    user("Wilma Stone", "wstone", "mail: wilma@example.org", "proxyAddresses: SMTP:wilma@example.org"),
    user("Anna Berg", "aberg", "mail: anna.private@freemail.example",
         "proxyAddresses: SMTP:anna.private@freemail.example", "proxyAddresses: smtp:anna@example.org"),
    user("Dora Falk", "dfalk", "mail: desk@example.org"),
    user("Front Desk", "fdesk", "proxyAddresses: SMTP:front@example.org", "proxyAddresses: smtp:desk@example.org"),
    user("Help", "help", "mail: help@example.org", "msExchRecipientTypeDetails: 4", control=546),
    user("Ruth Moss", "rmoss", "mail: ruth@example.org", control=546),
    user("Hugo Blom", "hblom", "mail: hugo@example.org", "targetAddress: SMTP:hugo@example.mail.onmicrosoft.com"),
    # What an address book puts beside a colleague.
    f"dn: CN=Wilma (work),{PEOPLE}\nobjectClass: contact\ndisplayName: Wilma Stone\nmail: wilma@example.org\n\n",
    group("Board", "board@example.org", "Fred Claude", "Wilma (work)"),
    group("Office", "office@example.org", "Wilma Stone", "Board"),
    f"dn: CN=Board,{PEOPLE}\nchangetype: modify\nadd: member\nmember: CN=Office,{PEOPLE}\n\n",
])

ANSWERS = {
    "VRFY fred.claude": "250 2.1.5 Fred Claude <fred@example.org>",
    "VRFY fclaude": "250 2.1.5 Fred Claude <fred@example.org>",
    "VRFY wilma": "250 2.1.5 Wilma Stone <wilma@example.org>",
    "VRFY anna": "250 2.1.5 Anna Berg <anna@example.org>",
    "VRFY anna.private@freemail.example": "550 5.1.2 Not a domain of this server",
    "VRFY desk": "250 2.1.5 Front Desk <front@example.org>",
    "VRFY help": "250 2.1.5 Help <help@example.org>",
    "VRFY ruth": "550 5.2.1 Mailbox disabled",
    "VRFY hugo": "251 2.1.5 User not local; will forward to <hugo@example.mail.onmicrosoft.com>",
    "VRFY nobody": "550 5.1.1 String does not match anything",
}


class Samba(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        need_slapd()
        cls.server = cls.enterClassContext(DomainController())
        cls.server.modify(ENTRIES.replace("\nobjectClass:", "\nchangetype: add\nobjectClass:"))

    def service(self, **settings):
        people = source(
            self.server.uri, base=BASE, preset="ad", domains=["example.org"], timeout="20s", connect_timeout="20s",
            bind_dn=ADMINISTRATOR, password_file="password", write_base=PEOPLE)
        return LDAPService(people, files={"password": PASSWORD + "\n"}, **settings)

    def test_questions(self):
        with self.service() as service, service.client() as client:
            for command, answer in ANSWERS.items():
                with self.subTest(command):
                    self.assertEqual(client.ask(command), answer)
            for group in "board", "office":
                lines = sorted(line[4:] for line in client.ask(f"EXPN {group}").split("\n"))
                self.assertEqual(
                    lines, ["2.1.5 Fred Claude <fred@example.org>", "2.1.5 Wilma Stone <wilma@example.org>"])

    def test_a_forward_comes_and_goes(self):
        with self.service() as service:
            def command(*arguments):
                return run(*arguments, folder=service.folder)

            added = command("forward", "add", "gone@example.org", "--to", "gone@elsewhere.example")
            self.assertEqual(added.returncode, 0, added.stderr)
            with service.client() as client:
                self.assertEqual(
                    client.ask("VRFY gone"), "251 2.1.5 User not local; will forward to <gone@elsewhere.example>")
            listed = command("forward", "ls")
            self.assertEqual(listed.returncode, 0, listed.stderr)
            self.assertIn("gone@example.org", listed.stdout)
            self.assertNotIn("wilma@example.org", listed.stdout)
            removed = command("forward", "rm", "gone@example.org")
            self.assertEqual((removed.returncode, removed.stderr), (0, ""))
            # The contact that leads nowhere is still there; the server gives out what it has set itself.
            self.assertIn("distinguishedName: ", self.server.search("(cn=Wilma*)", "distinguishedName").stdout)
            self.assertEqual(self.server.search("(cn=gone*)").stdout.count("dn: "), 0)
            with service.client() as client:
                self.assertEqual(client.ask("VRFY gone"), "550 5.1.1 String does not match anything")

    def test_listing_and_check(self):
        with self.service() as service:
            listed = run("user", "ls", folder=service.folder)
            self.assertEqual(listed.returncode, 0, listed.stderr)
            self.assertIn("anna@example.org", listed.stdout)
            self.assertNotIn("freemail", listed.stdout)
            checked = run("check", folder=service.folder)
            self.assertIn("anna.private@freemail.example", checked.stdout + checked.stderr)
            self.assertNotIn("error", checked.stdout + checked.stderr)


if __name__ == "__main__":
    unittest.main()
