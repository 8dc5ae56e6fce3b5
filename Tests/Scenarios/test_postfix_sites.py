"""Each common site of config/postfix, in the main.cf that Debian makes for an "Internet Site" of example.org, and with Debian's
master.cf: mail goes where it is to go, who is unknown is refused at RCPT, and nothing comes back."""

import re
import shutil
import signal
import subprocess
import unittest
from pathlib import Path

from hops import Hop
from postfix import Postfix, free_port
from scripted_hop import ScriptedHop
from service import Service, eventually

# As Debian's postinst writes it for the host mail.example.org with the mail name example.org, by its default answers.
DEBIAN = """
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
myhostname = mail.example.org
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
myorigin = /etc/mailname
mydestination = $myhostname, example.org, localhost.example.org, localhost
relayhost =
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
mailbox_size_limit = 0
recipient_delimiter = +
"""

# Unix users of every Debian, whom these tests send mail.
USERS = ["games", "news", "backup"]


class Site(Hop, Postfix):
    """`with Site("unix-users.cf", service) as postfix`: Debian's Postfix with the lines of one site."""

    def __init__(self, fragment, service, out, services={}, more=""):
        super().__init__([fragment], {"127.0.0.1:2526": "{}:{}".format(*service.addresses[1])})
        self.out = out
        self.changed_services = services
        self.more = more

    def start(self):
        self.configure()
        self.launch()

    def configure(self):
        share = self.folder / "root" / "usr" / "share" / "postfix"
        # What stands in /etc and in /var there stands in its own folder here.
        (self.etc / "aliases").write_text("postmaster:    root\nroot: games\n")
        (self.etc / "mailname").write_text("example.org\n")
        self.mail = self.folder / "mail"
        self.mail.mkdir()
        self.mail.chmod(0o1777)
        site, _ = self.fragment_texts()
        main = (share / "main.cf.debian").read_text() + DEBIAN.replace("/etc/", f"{self.etc}/") + site + f"""
mail_spool_directory = {self.mail}
default_transport = smtp:{self.out}
smtpd_peername_lookup = no
fast_flush_domains =
{self.more}
"""
        master = re.sub(r"^smtp( +inet)", rf"127.0.0.1:{self.port}\1", (share / "master.cf.dist").read_text(), flags=re.M)
        for old, new in self.changed_services.items():
            assert old in master, old
            master = master.replace(old, new)
        self.put(main, master)
        # As the script of the service does for those of master.cf that are chrooted.
        etc = self.folder / "spool" / "etc"
        etc.mkdir()
        for name in ["resolv.conf", "services", "hosts", "nsswitch.conf"]:
            if (file := Path("/etc", name)).exists():
                shutil.copy(file, etc)
        subprocess.run([str(self.programs / "sbin" / "postalias"), "-c", str(self.etc), f"hash:{self.etc}/aliases"],
                       env=self.environment, check=True, capture_output=True)

    def reload(self):
        """`postfix reload`."""
        self.process.send_signal(signal.SIGHUP)

    def flush(self):
        """`postqueue -f`."""
        subprocess.run([str(self.programs / "sbin" / "postqueue"), "-c", str(self.etc), "-f"], env=self.environment, check=True)

    def settle(self):
        spool = self.folder / "spool"
        eventually(lambda: not any(file.is_file() for name in ("maildrop", "incoming", "active")
                                   for file in (spool / name).rglob("*")), "all has been tried")

    def deliveries(self):
        """Each delivery in the log: recipient, service, and status."""
        return re.findall(r"postfix/(\w+)\[\d+\]: \w+: to=<([^>]*)>,.* status=(\w+)", self.log.read_text())


class SiteTest(unittest.TestCase):
    """Addressee, a Postfix with the lines of a site, and `out`, which takes what goes to other hosts."""

    fragment = ""
    records = []

    def setUp(self):
        self.out = self.enterContext(ScriptedHop())
        self.port = free_port()
        self.service = self.enterContext(
            Service(listeners=[{"smtp": "127.0.0.1:0"}, {"socketmap": f"127.0.0.1:{self.port}"}]))
        for record in self.records:
            self.service.change(*record.split())

    def site(self, **options):
        return self.enterContext(Site(self.fragment, self.service, f"[127.0.0.1]:{self.out.port}", **options))

    def replies(self, postfix, rows):
        """What RCPT is answered with."""
        for address, reply in rows.items():
            with self.subTest(address):
                self.assertRegex(postfix.ask(address, "me@client.example"), reply)

    def send(self, postfix, *recipients, sender="me@client.example"):
        with postfix.client() as client:
            client.ask("EHLO client.example")
            self.assertRegex(client.ask(f"MAIL FROM:<{sender}>"), "^250")
            for recipient in recipients:
                self.assertRegex(client.ask(f"RCPT TO:<{recipient}>"), "^250", recipient)
            client.ask("DATA")
            self.assertRegex(client.ask("Subject: all\r\n\r\nText\r\n."), "^250")
        postfix.settle()

    def nothing_bounces(self, postfix):
        """No delivery has failed, no notification was made, and Postfix finds nothing wrong with what it was told."""
        self.assertEqual([one for one in postfix.deliveries() if one[2] != "sent"], [])
        # Whom the map puts off for a reason of his own.
        known = r"socketmap server temporary error: 4\.2\.|lookup error for"
        lines = [line for line in postfix.log.read_text().splitlines()
                 if re.search("warning:|fatal:|panic:|error:|postfix/bounce", line) and not re.search(known, line)]
        self.assertEqual(lines, [])

    def recipients(self, hop):
        """Who has got a message there, once each time."""
        return sorted(address for message in hop.messages for address in message.recipients)


class UnixUsers(SiteTest):
    fragment = "unix-users.cf"
    records = [
        *(f"user add {name}@example.org --name {name}" for name in USERS),
        "user add sync@example.org --status disabled", "user add lp@example.org --status suspended",
        "alias add play@example.org --to games@example.org", "forward add proxy@example.org --to proxy@far.example",
        "moved add uucp@example.org --to uucp@far.example",
        "list add all@example.org --member games@example.org news@example.org x@far.example"]

    rows = {
        "games@example.org": "^250", "games+lists@example.org": "^250", "GAMES@Example.Org": "^250",
        "play@example.org": "^250", "proxy@example.org": "^250", "all@example.org": "^250",
        "postmaster@example.org": "^250", "postmaster": "^250", "root": "^250", "root@mail.example.org": "^250",
        # Elsewhere, for a client that may send there.
        "x@far.example": "^250", "someone@relay.example": "^250", "uucp@example.org": "^550 5.1.6 .*uucp@far.example",
        "nobody@example.org": "^550 5.1.1 .*User unknown in local recipient table", "sync@example.org": "^550 5.1.1",
        # A Unix user who is not on record.
        "daemon@example.org": "^550 5.1.1", "nobody+x@example.org": "^550 5.1.1", "nobody@mail.example.org": "^550 5.1.1",
        "lp@example.org": "^45"}

    def test_mail_arrives_and_nothing_comes_back(self):
        postfix = self.site()
        self.replies(postfix, self.rows)
        self.send(postfix, "backup+lists@example.org", "play@example.org", "proxy@example.org")
        self.send(postfix, "all@example.org", "postmaster", "root@example.org")
        eventually(lambda: len(postfix.deliveries()) >= 8, "eight deliveries")
        self.nothing_bounces(postfix)
        self.assertEqual(self.recipients(self.out), ["proxy@far.example", "x@far.example"])
        found = {file.name: file.read_text().count("Subject: all") for file in postfix.mail.iterdir()}
        self.assertEqual(found, {"backup": 1, "games": 4, "news": 1})

    def test_further_domains(self):
        """As the page has it: they are added to mydestination."""
        postfix = self.site(more="mydestination = $myhostname, example.org, localhost, alias.example, second.example")
        self.service.change("user", "add", "games@second.example")
        self.replies(postfix, {
            "games@alias.example": "^250", "play@alias.example": "^250", "postmaster@second.example": "^250",
            "nobody@alias.example": "^550 5.1.1", "news@second.example": "^550 5.1.1"})
        self.send(postfix, "news@alias.example", "games@second.example")
        eventually(lambda: len(postfix.deliveries()) >= 2, "two deliveries")
        self.nothing_bounces(postfix)
        self.assertEqual({file.name for file in postfix.mail.iterdir()}, {"games", "news"})

    def test_after_addressee_was_away(self):
        """What the pages of config/postfix say: which questions get 451 for how long, and what ends it."""
        # One smtpd, which is asked every time: what it keeps no other has.
        postfix = self.site(services={"inet  n       -       y       -       -       smtpd":
                                      "inet  n       -       y       -       1       smtpd"})
        self.assertRegex(postfix.ask("games@example.org", "early@client.example"), "^250")
        self.service.stop()
        for sender in "early", "late":
            self.assertRegex(postfix.ask("games@example.org", f"{sender}@client.example"), "^451")
        self.service.start()
        # What was asked for the first time while nobody answered: this sender to this recipient.
        self.assertRegex(postfix.ask("games@example.org", "late@client.example"), "^451")
        for recipient, sender in ("games", "early"), ("games", "new"), ("news", "late"):
            self.assertRegex(postfix.ask(f"{recipient}@example.org", f"{sender}@client.example"), "^250", sender)
        postfix.reload()
        eventually(lambda: postfix.ask("games@example.org", "late@client.example").startswith("250"), "250 after reload")


    def test_what_is_in_the_queue_waits_for_addressee(self):
        postfix = self.site()
        self.out.answer = lambda step, *_: "451 later" if step == "mail" else None
        # Two, for the queue manager keeps for 30 s how the last address is delivered.
        self.send(postfix, "proxy@example.org", "x@far.example")
        eventually(postfix.deliveries, "it was tried")
        self.service.stop()
        eventually(lambda: postfix.flush() or "lookup failure" in postfix.log.read_text(), "it was tried without Addressee")
        self.out.answer = lambda *_: None
        self.service.start()
        eventually(lambda: postfix.flush() or self.recipients(self.out) == ["proxy@far.example", "x@far.example"], "both")
        postfix.settle()
        self.assertEqual({status for _, _, status in postfix.deliveries()}, {"deferred", "sent"})


class VirtualUsers(SiteTest):
    fragment = "virtual-users.cf"

    rows = {
        "fred@example.org": "^250", "fred+lists@example.org": "^250", "info@example.org": "^250",
        "fred@alias.example": "^250", "any@catch.example": "^250", "away@example.org": "^250", "staff@example.org": "^250",
        "postmaster@example.org": "^250", "postmaster@second.example": "^250", "someone@relay.example": "^250",
        "root@mail.example.org": "^250", "root": "^250", "x@far.example": "^250",
        "gone@example.org": "^550 5.1.6 .*gone@elsewhere.example",
        "nobody@example.org": "^550 5.1.1 .*User unknown in virtual mailbox table", "left@example.org": "^550 5.1.1",
        "root@example.org": "^550 5.1.1", "nobody@alias.example": "^550 5.1.1", "games@example.org": "^550 5.1.1",
        "unknown@mail.example.org": "^550 5.1.1", "ruth@example.org": "^550 5.1.1", "leo@example.org": "^45",
        "max@example.org": "^45"}

    def test_mail_arrives_and_nothing_comes_back(self):
        self.service.change("domain", "set", "relay.example", "--transport", f"smtp:[127.0.0.1]:{self.out.port}")
        postfix = self.site()
        store = self.enterContext(
            ScriptedHop(lmtp=True, path=postfix.folder / "spool" / "private" / "dovecot-lmtp"))
        store.path.chmod(0o666)
        self.replies(postfix, self.rows)
        self.send(postfix, "fred+lists@example.org", "anna@example.org", "away@example.org", "wilma@alias.example")
        self.send(postfix, "staff@example.org", "someone@relay.example", "postmaster@second.example")
        # Of this machine's own, as cron sends it.
        self.send(postfix, "root", sender="root")
        eventually(lambda: len(postfix.deliveries()) >= 11, "eleven deliveries")
        self.nothing_bounces(postfix)
        self.assertEqual(self.recipients(store), [
            "anna@example.org", "fred+lists@example.org", "fred@example.org", "postmaster@second.example",
            "wilma@example.org", "wilma@example.org"])
        self.assertEqual(self.recipients(self.out), [
            "anna@elsewhere.example", "away@elsewhere.example", "sam@elsewhere.example", "someone@relay.example"])
        self.assertEqual([file.name for file in postfix.mail.iterdir()], ["games"])


class Relay(SiteTest):
    fragment = "relay.cf"

    rows = {
        "fred@example.org": "^250", "info@example.org": "^250", "fred@alias.example": "^250", "away@example.org": "^250",
        "someone@relay.example": "^250", "postmaster@example.org": "^250", "root": "^250", "x@far.example": "^250",
        "gone@example.org": "^550 5.1.6 .*gone@elsewhere.example",
        "nobody@example.org": "^550 5.1.1 .*User unknown in relay recipient table", "root@example.org": "^550 5.1.1",
        "nobody@alias.example": "^550 5.1.1", "games@example.org": "^550 5.1.1", "leo@example.org": "^45"}

    def setUp(self):
        super().setUp()
        self.inside = self.enterContext(ScriptedHop())
        for domain in "example.org", "relay.example":
            self.service.change("domain", "set", domain, "--transport", f"smtp:[127.0.0.1]:{self.inside.port}")

    def test_mail_arrives_and_nothing_comes_back(self):
        postfix = self.site()
        self.replies(postfix, self.rows)
        self.send(postfix, "fred+lists@example.org", "anna@example.org", "away@example.org", "wilma@alias.example")
        self.send(postfix, "staff@example.org", "someone@relay.example")
        self.send(postfix, "root", sender="root")
        eventually(lambda: len(postfix.deliveries()) >= 10, "ten deliveries")
        self.nothing_bounces(postfix)
        self.assertEqual(self.recipients(self.inside), [
            "anna@example.org", "fred+lists@example.org", "fred@example.org", "someone@relay.example", "wilma@example.org",
            "wilma@example.org"])
        self.assertEqual(
            self.recipients(self.out), ["anna@elsewhere.example", "away@elsewhere.example", "sam@elsewhere.example"])
        self.assertEqual([file.name for file in postfix.mail.iterdir()], ["games"])

    def test_a_domain_without_a_transport_is_put_off(self):
        """Its mail would come back as a loop, for the MX of the domain is this host."""
        postfix = self.site()
        self.replies(postfix, {"postmaster@second.example": "^450 4.4.4 .*No transport is on record"})


if __name__ == "__main__":
    unittest.main()
