"""A real 389 Directory Server: every question of its site, what `check` says of it, and records written there."""

import os
import re
import shutil
import unittest
from concurrent.futures import ThreadPoolExecutor

from ldap_service import LDAPService, source
from service import PROGRAM, run

# From Tests/LDAP, where ldap_service finds them.
import ds389
import questions
import slapd

READER = f"uid=reader,{ds389.SUFFIX}"

# A group by names in a list, one in that, and one that has an address itself.
GROUPS = f"""

dn: cn=Plain,ou=groups,{ds389.SUFFIX}
objectClass: groupOfNames
cn: Plain
member: uid=nora,ou=people,{ds389.SUFFIX}
member: cn=Inner,ou=groups,{ds389.SUFFIX}

dn: cn=Inner,ou=groups,{ds389.SUFFIX}
objectClass: groupOfUniqueNames
cn: Inner
uniqueMember: uid=hana,ou=people,{ds389.SUFFIX}
uniqueMember: cn=Plain,ou=groups,{ds389.SUFFIX}

dn: cn=Board,ou=groups,{ds389.SUFFIX}
objectClass: groupOfUniqueNames
objectClass: mailGroup
cn: Board
mail: board@example.org
uniqueMember: cn=Plain,ou=groups,{ds389.SUFFIX}

dn: {READER}
objectClass: account
objectClass: simpleSecurityObject
uid: reader
userPassword: {slapd.READER_PASSWORD}
"""


def entries(text):
    """The site's entries as 389 can hold them: it has no mailUserStatus, nor the class for it."""
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("objectClass: inetMailUser\n", "")
    made = []
    for entry in text.strip().split("\n\n"):
        own = re.search(r"^mailUserStatus: (.*)$", entry, re.MULTILINE)
        entry = re.sub(r"^mailUserStatus: .*\n?", "", entry, flags=re.MULTILINE)
        if own and not re.search(r"^inetUserStatus: (?!active)", entry, re.MULTILINE | re.IGNORECASE):
            entry = re.sub(r"^inetUserStatus: .*\n?", "", entry, flags=re.MULTILINE).strip()
            entry += f"\ninetUserStatus: {own[1]}" + ("" if "inetUser\n" in entry else "\nobjectClass: inetUser")
        if not entry.startswith(f"dn: {ds389.SUFFIX}\n"):
            made.append(entry.strip())
    return "\n\n".join(made)


class DirectoryServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which(ds389.NS_SLAPD):
            if os.environ.get("CI") == "true":
                raise AssertionError("389-ds-base is not installed, and in CI it must be")
            raise unittest.SkipTest("389-ds-base is not installed")
        cls.site = next(site for site in slapd.ALL_SITES if site.name == "389")
        cls.server = ds389.DirectoryServer(entries(cls.site.ldif.read_text()) + GROUPS)
        cls.addClassCleanup(cls.server.stop)

    def service(self, bind_dn=READER, password=slapd.READER_PASSWORD, **settings):
        people = source(
            self.server.uri, base=ds389.SUFFIX, preset="389", domains=["example.org"], timeout="20s", connect_timeout="20s",
            bind_dn=bind_dn, password_file="password", allow_clear_text=True, **settings)
        return LDAPService(people, default_domain="example.org", files={"password": password + "\n"})

    def writer(self):
        return self.service(ds389.ROOT_DN, ds389.PASSWORD, write_base=f"ou=people,{ds389.SUFFIX}")

    def test_every_question_of_its_site(self):
        asked, _ = questions.read(self.site.questions)
        asked = [question for question in asked if not question.is_pending]
        with self.service() as service, ThreadPoolExecutor(2) as pool:
            configuration = service.folder / "addressee.yaml"
            answers = pool.map(lambda question: questions.ask(PROGRAM, configuration, question), asked)
            for question, answer in zip(asked, answers):
                with self.subTest(str(question)):
                    self.assertEqual(answer, question.expected)

    def test_groups_by_names_in_a_list(self):
        with self.service() as service, service.client() as client:
            self.assertEqual(
                client.ask("EXPN board"),
                "250-2.1.5 Nora Berg <nora@example.org>\n250 2.1.5 Hana Kim <hana@example.org>")

    def test_check_says_what_is_so(self):
        with self.service() as service:
            done = run("check", folder=service.folder)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertNotIn("equality rule", done.stdout)
            self.assertNotIn("substring rule", done.stdout)
            self.assertNotIn("error", done.stdout)
            self.assertIn("may not see which indexes", done.stdout)

    def test_check_knows_its_indexes_and_limits(self):
        with self.writer() as service:
            done = run("check", folder=service.folder)
            self.assertNotIn("may not see which indexes", done.stdout)
            # As the package has them: by uid too, and none by displayName.
            self.assertIn(
                "the attribute displayName has no substring index, so that questions search it entry by entry; give"
                " cn=displayName,cn=index,cn=userRoot,cn=ldbm database,cn=plugins,cn=config nsIndexType: sub", done.stdout)
            self.assertNotIn("attribute mail has no", done.stdout)
        self.server.modify(
            f"dn: {READER}\nchangetype: modify\nreplace: objectClass\nobjectClass: account\n"
            "objectClass: simpleSecurityObject\nobjectClass: extensibleObject\n-\n"
            "replace: nsSizeLimit\nnsSizeLimit: 5\n-\nreplace: nsPagedSizeLimit\nnsPagedSizeLimit: 5\n")
        try:
            with self.service() as service:
                done = run("check", folder=service.folder)
                self.assertIn(
                    f"put into the entry {READER} nsSizeLimit, nsLookThroughLimit, nsPagedSizeLimit and"
                    " nsPagedLookThroughLimit: -1", done.stdout)
        finally:
            self.server.modify(
                f"dn: {READER}\nchangetype: modify\ndelete: nsSizeLimit\n-\ndelete: nsPagedSizeLimit\n")

    def test_records_are_written(self):
        with self.writer() as service, service.client() as client:
            def change(*arguments, status=0):
                done = run(*arguments, folder=service.folder)
                self.assertEqual(done.returncode, status, done.stdout + done.stderr)
                return done.stdout + done.stderr

            change("user", "add", "ida@example.org", "--name", "Ida Lang", "--login", "ida", "--status", "suspended")
            entry = self.server.entry(f"mail=ida@example.org,ou=people,{ds389.SUFFIX}")
            self.assertIn("inetUserStatus: inactive", entry)
            self.assertIn("objectClass: inetUser\n", entry)
            self.assertEqual(client.ask("VRFY ida"), "450 4.2.1 Mailbox suspended, try again later")
            for status, reply in [
                    ("disabled", "550 5.2.1 Mailbox disabled"), ("full", "250 2.1.5 Ida Lang <ida@example.org>"),
                    ("active", "250 2.1.5 Ida Lang <ida@example.org>")]:
                change("user", "set", "ida@example.org", "--status", status)
                self.assertEqual(client.ask("VRFY ida"), reply)
            self.assertIn("inetUserStatus: active", self.server.entry(f"mail=ida@example.org,ou=people,{ds389.SUFFIX}"))
            # What somebody else has set.
            change("user", "set", "leo@example.org", "--status", "active")
            self.assertEqual(client.ask("VRFY leo"), "250 2.1.5 Leo Park <leo@example.org>")
            change("user", "set", "leo@example.org", "--status", "suspended")
            change("forward", "add", "ida@example.org", "--to", "ida@example.net", "--keep-copy")
            self.assertEqual(client.ask("VRFY ida"), "250 2.1.5 Ida Lang <ida@example.org>")
            change("forward", "rm", "ida@example.org")
            change("list", "add", "club@example.org", "--name", "Club", "--member", "ida@example.org")
            self.assertEqual(client.ask("EXPN club"), "250 2.1.5 Ida Lang <ida@example.org>")
            change("list", "rm", "club@example.org", "--force")
            change("user", "rm", "ida@example.org")
            self.assertEqual(client.ask("VRFY ida"), "550 5.1.1 String does not match anything")
            self.assertEqual(self.server.entry(f"mail=ida@example.org,ou=people,{ds389.SUFFIX}"), "")

    def test_what_its_schema_refuses_is_refused(self):
        self.server.add(
            f"dn: cn=desk,ou=people,{ds389.SUFFIX}\nobjectClass: organizationalRole\nobjectClass: mailRecipient\ncn: desk\n"
            "mail: desk@example.org\n")
        with self.writer() as service:
            done = run("user", "set", "desk@example.org", "--name", "The Desk", folder=service.folder)
            self.assertEqual(done.returncode, 65, done.stderr)
            self.assertIn("compare it with the preset", done.stderr)
