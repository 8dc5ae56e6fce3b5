"""What costs a site its mail: a wrong password, half a server, a silent one, faulty entries, vain settings."""

import os
import re
import sqlite3
import time
import unittest
from unittest import mock

from ldap_records import ldif
from ldap_service import (
    ALL_RECORDS, BASE, COULD_NOT_TELL, INDEXES, SCHEMA, LDAPService, need_slapd, own_slapd, source)
from service import DOMAIN, VERDICTS, Directory, eventually

# From Tests/LDAP, where ldap_service finds them.
import slapd
from refuser import Refuser


def setUpModule():
    need_slapd()


class WrongPassword(unittest.TestCase):
    def binds(self):
        return len(re.findall(rf'BIND dn="{self.slapd.reader_dn}" method', self.slapd.log))

    def test_one_bind_until_the_file_is_mended(self):
        with mock.patch.dict(os.environ, {"SLAPD_DEBUG": "stats"}):
            self.slapd = self.enterContext(own_slapd(anonymous=False))
        bind = {"bind-dn": self.slapd.reader_dn, "password-file": "password", "allow-clear-text": True}
        uris = [self.slapd.uri, self.slapd.ldapi_uri]
        with LDAPService(source(uris, **bind), files={"password": "wrong\n"}) as service, \
                service.client() as one, service.client() as two:
            service.log.wait(r" info source-examined ")
            end = time.monotonic() + 4
            while time.monotonic() < end:
                began = time.monotonic()
                self.assertEqual(one.ask("VRFY fred@example.org"), COULD_NOT_TELL)
                self.assertEqual(two.ask("VRFY nobody@example.org"), COULD_NOT_TELL)
                self.assertLess(time.monotonic() - began, 2)
                time.sleep(0.1)
            self.assertEqual(self.binds(), 1)
            self.assertEqual(len([line for line in service.log.lines if "source-failed" in line]), 1)
            # A command is a process of its own.
            done = service.run("user", "ls")
            self.assertEqual((done.returncode, done.stdout), (75, ""))
            self.assertIn("no bind is tried for a minute", done.stderr)
            self.assertEqual(self.binds(), 2)
            done = service.run("check")
            self.assertEqual(done.returncode, 78, done.stdout)
            self.assertEqual(self.binds(), 3)
            (service.folder / "password").write_text(slapd.READER_PASSWORD + "\n")
            eventually(lambda: one.ask("VRFY fred@example.org") == VERDICTS["fred"], "the new password is used", 10)


class HalfAServer(unittest.TestCase):
    def half(self):
        """A server that was put up anew, with its base and nothing else."""
        return own_slapd(records=["domain add example.org"])

    def test_it_is_left_out_where_another_has_a_mark(self):
        text = f"dn: {BASE}\nobjectClass: organizationalUnit\nou: mail\n\n" + ldif(ALL_RECORDS, BASE)
        pair = self.enterContext(slapd.Pair(schemas=[SCHEMA], indexes=INDEXES, ldif=text))
        half = self.enterContext(self.half())
        with LDAPService(source([half.uri, pair.first.uri], timeout="5s", connect_timeout="3s")) as service, \
                service.client() as client:
            self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
            self.assertEqual(client.ask("VRFY nobody@example.org"), VERDICTS["nobody"])
            service.log.wait(r" warning source-left-out .*no contextCSN")
            self.assertEqual(service.run("verify", "fred").stdout, VERDICTS["fred"] + "\n")
            self.assertIn(f"{half.uri}: this server has no contextCSN", service.run("check").stdout)
            pair.first.kill()
            for name in ["fred@example.org", "nobody@example.org"]:
                self.assertEqual(client.ask(f"VRFY {name}"), COULD_NOT_TELL)

    def test_nobody_is_unknown_while_somebody_must_be_found(self):
        half = self.enterContext(self.half())
        whole = self.enterContext(own_slapd())
        with LDAPService(source(half.uri, must_find="fred@example.org")) as service, service.client() as client:
            client.ask("MAIL FROM:<>")
            for question in ["VRFY nobody@example.org", "VRFY wilma", "EXPN open", "RCPT TO:<wilma@example.org>"]:
                self.assertEqual(client.ask(question), COULD_NOT_TELL, question)
            service.log.wait(r" error source-doubted .*fred@example.org is not found, which must be found")
            for command in [["verify", "wilma"], ["user", "show", "wilma@example.org"], ["user", "ls"], ["check"]]:
                done = service.run(*command)
                self.assertEqual(done.returncode, 75, f"{command}: {done}")
                self.assertIn("fred@example.org is not found", done.stdout + done.stderr)
            half.add(ldif(["user add fred@example.org --name 'Fred Claude'"], BASE))
            eventually(lambda: client.ask("VRFY nobody@example.org") == VERDICTS["nobody"], "it is whole again", 15)
        with LDAPService(source([half.uri, whole.uri], must_find=["wilma@example.org"])) as service, \
                service.client() as client:
            self.assertEqual(client.ask("VRFY wilma"), VERDICTS["wilma@example.org"])
            self.assertEqual(client.ask("VRFY nobody@example.org"), VERDICTS["nobody"])
            self.assertEqual(service.run("user", "show", "nobody@example.org").returncode, 67)


class Frozen(unittest.TestCase):
    def test_a_server_that_stands_still_costs_one_time_out(self):
        first, second = self.enterContext(own_slapd()), self.enterContext(own_slapd())
        people = source([first.uri, second.uri])
        # As they are without being set.
        for key in ["timeout", "connect-timeout"]:
            people["ldap"].pop(key)
        with LDAPService(people) as service, service.client() as client:
            self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
            first.freeze()
            try:
                for ask in [lambda: client.ask("VRFY fred"), lambda: service.run("verify", "fred").stdout.strip()]:
                    began = time.monotonic()
                    self.assertEqual(ask(), VERDICTS["fred"])
                    self.assertLess(time.monotonic() - began, 6)
                began = time.monotonic()
                done = service.run("user", "show", "nobody@example.org")
                self.assertEqual(done.returncode, 67, done)
                self.assertLess(time.monotonic() - began, 6)
            finally:
                first.thaw()


class WithoutAnAnswer(unittest.TestCase):
    def test_a_server_that_binds_and_answers_no_search_is_left_for_another(self):
        whole = self.enterContext(own_slapd())
        # Busy, unavailable, and silent.
        for code in 51, 52, None:
            refuser = self.enterContext(Refuser(code))
            servers = source([refuser.uri, whole.uri], timeout="8s", connect_timeout="4s")
            with self.subTest(code=code), LDAPService(servers) as service, service.client() as client:
                self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
                self.assertEqual(client.ask("VRFY nobody@example.org"), VERDICTS["nobody"])
                self.assertEqual(service.run("verify", "wilma").stdout, VERDICTS["wilma@example.org"] + "\n")
                done = service.run("user", "ls")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn("fred@example.org", done.stdout)
                done = service.run("check", "--source", "people")
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assertRegex(done.stdout, f"warning .*{refuser.uri}")
        with LDAPService(source(self.enterContext(Refuser(51)).uri)) as service, service.client() as client:
            self.assertEqual(client.ask("VRFY fred"), COULD_NOT_TELL)
            done = service.run("check")
            self.assertEqual(done.returncode, 75, done.stdout)


class FaultyEntries(unittest.TestCase):
    FAULT = (f"dn: addresseeKey=mad@example.org,{BASE}\nobjectClass: addresseeEntry\nobjectClass: addresseeUser\n"
             "addresseeKey: mad@example.org\naddresseeAddress: mad@example.org\naddresseeLocalPartKey: mad\n"
             "addresseeDomainKey: example.org\naddresseeStatus: asleep\n")

    ALIAS = (f"dn: addresseeKey=chief@example.org,{BASE}\nobjectClass: addresseeEntry\nobjectClass: addresseeAlias\n"
             "addresseeKey: chief@example.org\naddresseeAddress: chief@example.org\naddresseeLocalPartKey: chief\n"
             "addresseeDomainKey: example.org\naddresseeAliasTarget: 0 fred@example.org\n"
             "addresseeRefersTo: fred@example.org\n")

    def check(self, service, expected):
        for form in [[], ["--json"]]:
            done = service.run("user", "ls", *form)
            self.assertEqual(done.returncode, 75, done)
            self.assertIn(expected, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1)
            for name in ["fred@example.org", "wilma@example.org"]:
                self.assertIn(name, done.stdout)
            self.assertNotIn("mad@", done.stdout)
        self.assertEqual(service.run("alias", "ls").returncode, 0)

    def test_ldap(self):
        with own_slapd() as server:
            server.add(self.FAULT)
            with LDAPService(source(server.uri)) as service:
                self.check(service, "addresseeKey=mad@example.org")
                done = service.run("check", "--all")
                self.assertEqual(done.returncode, 65, done)
                self.assertIn("asleep", done.stdout)

    def test_domains(self):
        with own_slapd() as server:
            server.add(self.ALIAS)
            server.add(f"dn: addresseeDomainKey=odd.example,{BASE}\nobjectClass: addresseeDomain\n"
                       "addresseeDomainKey: odd.example\naddresseeDomainName: odd.example\naddresseeDomainKind: odd\n")
            with LDAPService(source(server.uri)) as service:
                done = service.run("domain", "ls")
                self.assertEqual(done.returncode, 75)
                self.assertIn("example.org", done.stdout)
                done = service.run("check")
                self.assertEqual(done.returncode, 65, done.stdout)
                self.assertIn("addresseeDomainKey=odd.example", done.stdout)
                # What can be read is listed all the same.
                for form in [[], ["--json"]]:
                    done = service.run("refs", "fred@example.org", *form)
                    self.assertEqual(done.returncode, 75, done)
                    self.assertIn("chief@example.org", done.stdout)
                    self.assertIn("addresseeDomainKey=odd.example", done.stderr)
                    self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_what_points_to_an_address(self):
        with own_slapd() as server:
            server.add(self.ALIAS)
            server.add(f"dn: addresseeKey=club@example.org,{BASE}\nobjectClass: addresseeEntry\n"
                       "objectClass: addresseeList\naddresseeKey: club@example.org\n"
                       "addresseeAddress: club@example.org\naddresseeLocalPartKey: club\naddresseeDomainKey: example.org\n"
                       "addresseeMember: 0 fred@example.org\naddresseeMember: no address\n"
                       "addresseeRefersTo: fred@example.org\n")
            with LDAPService(source(server.uri)) as service:
                done = service.run("refs", "fred@example.org")
                self.assertEqual(done.returncode, 75, done)
                self.assertIn("chief@example.org", done.stdout)
                self.assertIn("addresseeKey=club@example.org", done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1)
                # Whether somebody may go is not known then.
                self.assertEqual(service.run("user", "rm", "fred@example.org").returncode, 75)

    def test_sqlite(self):
        with Directory() as directory:
            directory.change("user", "add", "mad@example.org")

            with sqlite3.connect(directory.database) as database:
                database.execute("PRAGMA ignore_check_constraints = ON")
                database.execute("UPDATE entry SET status = 'asleep' WHERE key = 'mad'")
            database.close()
            self.check(directory, "the row of mad@example.org")


class Settings(unittest.TestCase):
    def test_a_role_without_effect_is_refused_with_its_line(self):
        with own_slapd() as server, Directory() as directory:
            for roles, words, text in [
                    ({"status": ["nsAccountLock"]}, None, "status-words"),
                    ({"catch-all": ["x"]}, None, "under domains"),
                    ({"member-of": ["memberOf"]}, None, "member-dn"), ({}, {"disabled": ["TRUE"]}, "under roles")]:
                settings = {"preset": "inetorgperson", "domains": [DOMAIN], "roles": roles}
                if words:
                    settings["status-words"] = words
                directory.configure(sources=[source(server.uri, **settings)])
                for command in [["verify", "fred"], ["user", "ls"], ["serve"], ["check"]]:
                    done = directory.run(*command)
                    self.assertEqual(done.returncode, 78, f"{command}: {done}")
                    self.assertRegex(done.stderr, r"addressee\.yaml:\d+: sources\.ldap\.[a-z.-]+ has no effect")
                    self.assertIn(text, done.stderr)

    def test_the_sites_own_words_for_a_status(self):
        people = "dn: ou=p,dc=example,dc=org\nobjectClass: organizationalUnit\nou: p\n"
        for name, word in [("fred", "FALSE"), ("max", "TRUE"), ("leo", "maybe"), ("wilma", None)]:
            people += (f"\ndn: uid={name},ou=p,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\n"
                       f"sn: {name}\nmail: {name}@example.org\n" + (f"employeeType: {word}\n" if word else ""))
        words = {"disabled": ["TRUE", "lock"], "active": ["false"]}
        settings = {"base": "ou=p,dc=example,dc=org", "preset": "inetorgperson", "domains": [DOMAIN],
                    "roles": {"status": ["employeeType"]}, "status-words": words}
        with slapd.Slapd(schemas=["cosine", "inetorgperson"], indexes=["mail eq"], ldif=people) as server, \
                LDAPService(source(server.uri, **settings)) as service, service.client() as client:
            for name, reply in [
                    ("fred", "250 2.1.5 fred <fred@example.org>"), ("wilma", "250 2.1.5 wilma <wilma@example.org>"),
                    ("max", "550 5.2.1 Mailbox disabled"), ("leo", COULD_NOT_TELL)]:
                self.assertEqual(client.ask(f"VRFY {name}@example.org"), reply)

    def test_an_empty_base_is_all_that_the_server_has(self):
        # A global catalogue is searched so; slapd needs to be told what that is.
        with own_slapd(settings=["defaultsearchbase dc=example,dc=org"]) as server, \
                LDAPService(source(server.uri, base="")) as service:
            self.assertEqual(service.run("verify", "fred").stdout, VERDICTS["fred"] + "\n")
            self.assertEqual(service.run("verify", "nobody").returncode, 67)
            self.assertNotIn("error ", service.run("check").stdout)

    def test_an_address_of_a_domain_alone_is_its_catch_all(self):
        site = slapd.site("postfixbook")
        with site.start() as server:
            entry = server.search("(objectClass=PostfixBookMailAccount)", ["mail", "mailAlias"])[0]
            mail = entry["mail"][0]
            domain = mail.split("@")[1]
            settings = {"base": server.base, "preset": "postfixbook", "domains": [domain]}
            with LDAPService(source(server.uri, **settings), **{"default-domain": domain}) as service, \
                    service.client() as client:
                client.ask("MAIL FROM:<>")
                unknown = f"RCPT TO:<nobody-at-all@{domain}>"
                self.assertTrue(client.ask(unknown).startswith("550 "))
                server.modify(f"dn: {entry['dn'][0]}\nchangetype: modify\nadd: mailAlias\nmailAlias: @{domain}\n")
                self.assertTrue(client.ask(unknown).startswith("250 "))
                self.assertTrue(client.ask(f"RCPT TO:<postmaster@{domain}>").startswith("250 "))
                self.assertIn("catch-all", service.run("resolve", "--explain", f"nobody-at-all@{domain}").stdout)
                self.assertIn(mail, service.run("domain", "show", domain).stdout)


if __name__ == "__main__":
    unittest.main()
