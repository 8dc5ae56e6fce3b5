"""LDAP in trouble, while questions come in all the time: a known name is never refused, and nobody unknown accepted.

While a fault lasts, 451 4.4.3 takes the place of the answer; as soon as it is over, answers are right again.
"""

import signal
import tempfile
import time
import unittest

from ldap_codes import ResultRelay
from ldap_service import BASE, COULD_NOT_TELL, LDAPService, need_slapd, own_slapd, source
from ldap_traffic import Traffic
from service import VERDICTS, eventually

# From Tests/LDAP, where ldap_service finds them.
import certificates
import slapd
from children import run
from relay import Relay

# From the end of a fault to the last 451: an attempt every two seconds, and a machine with much else to do.
RECOVERY = 20.0
# For a server that is silent.
IMPATIENT = {"timeout": "3s", "connect_timeout": "2s"}


def setUpModule():
    need_slapd()


class FaultTest(unittest.TestCase):
    # How slapd is set up.
    options = {}

    def setUp(self):
        self.slapd = self.enterContext(own_slapd(**self.options))
        self.relay = self.enterContext(Relay(self.slapd))
        self.service = self.enterContext(LDAPService(source(self.relay.uri)))

    def be_impatient(self):
        """For faults in which nobody says anything."""
        self.service.reload(source(self.relay.uri, **IMPATIENT))

    def check_fault(self, begin, end, lasting=1.0, logged=None, **options):
        """The fault is noticed, answers are right or 451 meanwhile, and right again soon after its end."""
        start = len(self.service.log.lines)
        with Traffic(self.service, **options) as traffic:
            began = time.monotonic()
            begin()
            traffic.wait_for_trouble()
            time.sleep(max(0, began + lasting - time.monotonic()))
            end()
            self.assertLess(traffic.recovery(), RECOVERY, "seconds from the end of the fault to the last 451")
            self.assertGreaterEqual(traffic.troubles[0][0], began)
        self.service.log.wait(r" error could-not-tell .*source=people", start=start)
        if logged:
            self.service.log.wait(logged, start=start)


class Servers(FaultTest):
    def terminate(self):
        self.slapd.process.send_signal(signal.SIGTERM)
        self.slapd.process.wait()

    def test_slapd_is_stopped_and_started_again(self):
        self.check_fault(self.terminate, self.slapd.restart, logged=r" warning source-lost .*server=ldap://")

    def test_slapd_is_killed_and_started_again(self):
        self.check_fault(self.slapd.kill, self.slapd.restart, logged=r" error source-failed .*server=ldap://")

    def test_slapd_is_restarted_again_and_again(self):
        with Traffic(self.service) as traffic:
            for _ in range(5):
                self.slapd.restart()
                self.assertLess(traffic.recovery(), RECOVERY)

    def test_slapd_freezes_and_thaws(self):
        self.be_impatient()
        self.check_fault(self.slapd.freeze, self.slapd.thaw, lasting=3, logged=r" could-not-tell .*no answer in")

    def test_a_short_freeze_is_waited_out(self):
        with Traffic(self.service) as traffic:
            for _ in range(3):
                self.slapd.freeze()
                time.sleep(0.5)
                self.slapd.thaw()
                traffic.wait_for_batches(2)
            self.assertEqual(traffic.troubles, [])


class Network(FaultTest):
    def test_the_port_is_closed(self):
        self.check_fault(self.relay.refuse, self.relay.heal)

    def test_connections_are_taken_and_nothing_answers(self):
        self.be_impatient()
        self.check_fault(self.relay.hang, self.relay.heal, lasting=3)

    def test_answers_come_after_the_deadline(self):
        self.be_impatient()
        self.check_fault(lambda: self.relay.delay(4), self.relay.heal, lasting=5)

    def test_answers_that_are_late_but_in_time_are_waited_for(self):
        with Traffic(self.service, connections=2, batch=8) as traffic:
            # A bare name takes three searches, one after the other, and has one time-out for them.
            self.relay.delay(0.5)
            traffic.wait_for_batches(1)
            self.relay.heal()
            traffic.recovery()
            self.assertEqual(traffic.troubles, [])

    def test_every_connection_is_cut_in_mid_answer(self):
        with Traffic(self.service) as traffic:
            # In the bind's answer, in the first entry, between entries, and in later answers.
            for number, length in enumerate([5, 20, 100, 1000, 5000, 20_000, 100_000] * 2):
                self.relay.cut(after=length, reset=number % 2 == 0)
                time.sleep(0.15)
            self.assertGreater(self.relay.cuts, 3)
            self.relay.heal()
            self.assertLess(traffic.recovery(), RECOVERY)

    def test_one_cut_in_mid_answer_is_made_good_by_asking_again(self):
        with Traffic(self.service) as traffic:
            for number in range(10):
                self.relay.cut(after=50 * number, times=1, reset=number % 2 == 0)
                eventually(lambda: self.relay.fault.times == 0, "the connection is cut")
                traffic.wait_for_batches(1)
            self.assertEqual(traffic.troubles, [])

    def test_the_outage_is_so_long_that_attempts_have_become_rare(self):
        self.be_impatient()
        with Traffic(self.service, pause=0.1) as traffic:
            self.relay.refuse()
            # Failures come closer together at first.
            time.sleep(6.8)
            self.relay.hang()
            # The worst moment: an attempt has just begun, and comes to nothing.
            attempts = self.relay.accepted
            eventually(lambda: self.relay.accepted > attempts, "the next attempt")
            self.relay.heal()
            self.assertLess(traffic.recovery(), RECOVERY, "seconds from the end of the fault to the last 451")


class SlapdSays(FaultTest):
    """slapd answers, and its answer is no."""

    options = {"config": True, "settings": ["moduleload retcode"]}

    def change(self, ldif):
        """Over the Unix socket, so that what is wrong with searches and binds does not matter."""
        run(["ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", self.slapd.ldapi_uri], "a change of slapd", input=ldif)

    def configure(self, dn, attribute, value):
        self.change(f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n")

    def rename(self, old, new):
        self.change(f"dn: {BASE.replace('ou=mail', old)}\nchangetype: modrdn\nnewrdn: {new}\ndeleteoldrdn: 1\n")

    def test_the_base_is_missing(self):
        self.check_fault(
            lambda: self.rename("ou=mail", "ou=away"), lambda: self.rename("ou=away", "ou=mail"),
            logged="could-not-tell .*No such object.*check the base")

    def test_nobody_may_read(self):
        database = "olcDatabase={1}mdb,cn=config"
        self.check_fault(
            lambda: self.configure(database, "olcAccess", "to * by * none"),
            lambda: self.configure(database, "olcAccess", "to * by * read"))

    def test_only_the_size_limit_is_too_small(self):
        # What needs one entry is still answered; two that bear a name must not become one.
        with Traffic(self.service) as traffic:
            self.configure("cn=config", "olcSizeLimit", 1)
            traffic.wait_for_trouble()
            traffic.wait_for_batches(5)
            self.configure("cn=config", "olcSizeLimit", "unlimited")
            self.assertLess(traffic.recovery(), RECOVERY)
            troubled = {question for _, question in traffic.troubles}
            self.assertIn("VRFY sam", troubled)
            self.assertNotIn("VRFY fred@example.org", troubled)

    def test_the_time_limit_is_too_small(self):
        # The overlay retcode makes every search take longer than it may.
        overlay = "retcode,olcDatabase={1}mdb,cn=config"

        def begin():
            self.configure("cn=config", "olcTimeLimit", 1)
            self.change(
                f"dn: olcOverlay={overlay}\nchangetype: add\nobjectClass: olcOverlayConfig\n"
                "objectClass: olcRetcodeConfig\nolcOverlay: retcode\nolcRetcodeSleep: 2\n"
                f"olcRetcodeParent: ou=codes,{self.slapd.suffix}\n")

        self.check_fault(
            begin, lambda: self.change(f"dn: olcOverlay={{0}}{overlay}\nchangetype: delete\n"),
            logged="could-not-tell .*Time limit exceeded", connections=2, batch=3)


class ResultCodes(unittest.TestCase):
    # RFC 4511 appendix A; referral and what concerns searches, authentication and the server's health.
    CODES = [1, 2, 3, 4, 7, 8, 10, 11, 12, 13, 18, 32, 33, 34, 36, 48, 49, 50, 51, 52, 53, 54, 80, 120]

    def test_no_result_code_but_success_means_nobody(self):
        with own_slapd() as server, ResultRelay(server.port) as relay, \
                LDAPService(source(relay.uri)) as service, Traffic(service, connections=2, pause=0.001) as traffic:
            for number, code in enumerate(self.CODES):
                with self.subTest(code=code):
                    relay.passes_entries = number % 2 == 0
                    relay.code = code
                    traffic.wait_for_trouble()
            relay.code = None
            self.assertLess(traffic.recovery(), RECOVERY)


class Passwords(unittest.TestCase):
    def test_the_password_is_changed_and_the_file_follows(self):
        with own_slapd(anonymous=False) as server, Relay(server) as relay:
            bind = {"bind-dn": server.reader_dn, "password-file": "password", "allow-clear-text": True}
            files = {"password": slapd.READER_PASSWORD + "\n"}
            with LDAPService(source(relay.uri, **bind), files=files) as service, Traffic(service) as traffic:
                server.modify(
                    f"dn: {server.reader_dn}\nchangetype: modify\nreplace: userPassword\nuserPassword: new\n")
                # The connection that there is stays bound.
                traffic.wait_for_batches(2)
                self.assertEqual(traffic.troubles, [])
                relay.drop()
                traffic.wait_for_trouble()
                time.sleep(1)
                (service.folder / "password").write_text("new\n")
                self.assertLess(traffic.recovery(), RECOVERY)
                service.log.wait(" source-failed .*Invalid credentials.*check the bind DN and its password")


class Encryption(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = certificates.make(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="certificates-")))

    def check(self, name, uri, **settings):
        with own_slapd(tls=self.folder) as server, \
                LDAPService(source(uri(server), ca_file=str(self.folder / "ca.pem"), **settings)) as service, \
                Traffic(service) as traffic:
            for certificate in [name, "server"]:
                # It is read when slapd starts.
                server.tls.certificate = certificate
                server._prepare()
                server.restart()
                if certificate == name:
                    traffic.wait_for_trouble()
                    time.sleep(1)
                    traffic.wait_for_trouble()
            self.assertLess(traffic.recovery(), RECOVERY)
            service.log.wait(r" source-failed .*certificate")

    def test_the_certificate_is_of_somebody_unknown(self):
        self.check("foreign", lambda server: server.ldaps_uri)

    def test_the_certificate_has_expired(self):
        self.check("expired", lambda server: server.uri, starttls=True)

    def test_the_certificate_has_another_name(self):
        self.check("othername", lambda server: server.ldaps_uri)


class SeveralServers(unittest.TestCase):
    """Two ways to one slapd stand for two servers that hold the same."""

    def setUp(self):
        self.slapd = self.enterContext(own_slapd())
        self.first = self.enterContext(Relay(self.slapd))
        self.second = self.enterContext(Relay(self.slapd))
        # Long enough for one attempt that comes to nothing.
        self.source = source([self.first.uri, self.second.uri], timeout="10s", connect_timeout="2s")

    def examined(self, service):
        """Once the server has examined its source, connections are those of questions. Returns how many the second had."""
        service.log.wait(r" info source-examined .*source=people")
        return self.second.accepted

    def check_dead_from_the_start(self):
        with LDAPService(self.source) as service:
            before = self.examined(service)
            with Traffic(service) as traffic:
                traffic.wait_for_batches(5)
                self.assertEqual(traffic.troubles, [])
                self.assertEqual(self.second.accepted, before + 1)

    def test_the_first_refuses_from_the_start(self):
        self.first.refuse()
        self.check_dead_from_the_start()

    def test_the_first_says_nothing_from_the_start(self):
        self.first.hang()
        self.check_dead_from_the_start()

    def test_the_first_is_cut_off_and_the_second_takes_its_place_unnoticed(self):
        with LDAPService(self.source) as service:
            before = self.examined(service)
            with Traffic(service) as traffic:
                for number in range(3):
                    self.assertEqual(self.second.accepted, before + number)
                    self.first.refuse()
                    traffic.wait_for_batches(3)
                    self.assertEqual(self.second.accepted, before + number + 1)
                    self.first.heal()
                    self.second.drop()
                    traffic.wait_for_batches(3)
                self.assertEqual(traffic.troubles, [])

    def test_the_first_freezes_and_the_second_takes_its_place(self):
        with LDAPService(self.source) as service:
            before = self.examined(service)
            with Traffic(service) as traffic:
                self.first.hang()
                eventually(lambda: self.second.accepted == before + 1, "the second is asked")
                # While the first is as it is.
                self.assertLess(traffic.recovery(), RECOVERY)
                self.assertEqual(self.second.accepted, before + 1)

    def test_both_go_and_the_second_comes_back(self):
        with LDAPService(self.source) as service, Traffic(service) as traffic:
            self.first.refuse()
            self.second.refuse()
            traffic.wait_for_trouble()
            time.sleep(1)
            self.second.heal()
            self.assertLess(traffic.recovery(), RECOVERY)


class Memory(unittest.TestCase):
    """With the cache on."""

    KNOWN = {"VRFY fred@example.org": VERDICTS["fred"], "VRFY wilma": VERDICTS["wilma@example.org"],
             "RCPT TO:<wilma@alias.example>": "250 2.1.5 OK", "VRFY leo": VERDICTS["leo"],
             "VRFY gone@example.org": VERDICTS["gone"], "EXPN open": VERDICTS["wilma@example.org"]}
    # An answer that holds only as long as a name or a domain is not there is no better than that.
    UNKNOWN = {"VRFY nobody@example.org": VERDICTS["nobody"],
               "RCPT TO:<nobody@example.org>": "550 5.1.1 No such user here",
               "VRFY who@elsewhere.example": VERDICTS["nobody@elsewhere.example"],
               "RCPT TO:<anything@catch.example>": "250 2.1.5 OK", "VRFY away": VERDICTS["away"]}

    def test_what_was_found_is_served_in_an_outage_and_what_was_not_is_never_told(self):
        # Old after a second; told in an outage for an hour by one, and not much longer than that by the other.
        old = {"entries": 1000, "positive": "1s", "negative": "1s"}
        with own_slapd() as server, LDAPService(source(server.uri, cache=old | {"stale": "1h"})) as service, \
                LDAPService(source(server.uri, cache=old | {"stale": "1s"})) as brief, \
                service.client() as client, brief.client() as other:
            for one in client, other:
                one.ask("MAIL FROM:<>")
                for question, reply in (self.KNOWN | self.UNKNOWN).items():
                    self.assertEqual(one.ask(question), reply, question)
            server.kill()
            time.sleep(1.2)
            # What is too old to be told without asking is told when nobody can be asked.
            for question, reply in self.KNOWN.items():
                self.assertEqual(client.ask(question), reply, question)
            service.log.wait(r" warning answered-from-memory .*age=\d+s .*source=people")
            for question in [*self.UNKNOWN, "VRFY ruth@example.org", "VRFY stranger"]:
                self.assertEqual(client.ask(question), COULD_NOT_TELL, question)
            for question in [*self.KNOWN, *self.UNKNOWN]:
                self.assertEqual(other.ask(question), COULD_NOT_TELL, question)
            server.restart()
            for one in client, other:
                # What was found may be told from memory still.
                eventually(lambda: one.ask("VRFY nobody") == VERDICTS["nobody"], "right again", RECOVERY)
                for question, reply in (self.KNOWN | self.UNKNOWN).items():
                    self.assertEqual(one.ask(question), reply, question)

    def test_trouble_is_not_remembered(self):
        with own_slapd() as server, Relay(server) as relay, \
                LDAPService(source(relay.uri, cache={"entries": 1000})) as service, service.client() as client:
            relay.refuse()
            for question in ["VRFY fred@example.org", "VRFY nobody@example.org"]:
                self.assertEqual(client.ask(question), COULD_NOT_TELL)
            relay.heal()
            eventually(lambda: client.ask("VRFY fred@example.org") == VERDICTS["fred"], "right again", RECOVERY)
            self.assertEqual(client.ask("VRFY nobody@example.org"), VERDICTS["nobody"])

    def test_traffic_of_remembered_names_does_not_notice_an_outage(self):
        cache = {"entries": 1000, "positive": "1s", "negative": "1s"}
        with own_slapd() as server, LDAPService(source(server.uri, cache=cache)) as service:
            with service.client() as client:
                client.ask("MAIL FROM:<>")
                for question, reply in self.KNOWN.items():
                    self.assertEqual(client.ask(question), reply, question)
            with Traffic(service, self.KNOWN) as traffic:
                server.kill()
                time.sleep(2)
                traffic.wait_for_batches(3)
                self.assertEqual(traffic.troubles, [])
