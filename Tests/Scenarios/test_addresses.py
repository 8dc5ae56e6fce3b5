"""Addresses that others have, and those that are put on record here: what is taken, what is refused, and in which words."""

import email
import os
import unittest
from pathlib import Path

from scripted_hop import ScriptedHop
from service import Client, Directory, Service
from test_next_hop import OK, Relay, send
from test_srs import sender
from wires import LISTENERS, Wires

LONG = "l" * 70
LONGEST = "m" * 255
ELSEWHERE = "550 5.7.1 Relaying denied: not a domain of this server"
UNKNOWN = "550 5.1.1 No such user here"
# A domain, and what RCPT says of an address there that only others have.
PLACES = {"relay.example": "250 2.1.5 OK", "catch.example": "250 2.1.5 OK", "example.org": UNKNOWN, "far.example": ELSEWHERE,
          "web_01.far.example": ELSEWHERE}
LENIENT = [LONG, LONGEST, "a..b", "a.", ".a", "..", "bounce+" + LONG]


class Others(unittest.TestCase):
    """Senders and recipients that are not ours to name."""

    def test_senders(self):
        with Service() as service, service.client() as client:
            for address in [*(f"{local}@lists.example.net" for local in LENIENT), "www@web_01.example.net", "a@_b_.example"]:
                self.assertEqual(client.ask(f"MAIL FROM:<{address}> SIZE=1000"), "250 2.1.0 OK", address)
                client.ask("RSET")
            self.assertEqual(
                client.ask(f"MAIL FROM:<m{LONGEST}@lists.example.net>"),
                '501 5.1.7 The part before "@" is longer than 255 octets.')
            # A domain that is mapped to ASCII needs SMTPUTF8 all the same: the line has other octets.
            self.assertEqual(client.ask("MAIL FROM:<a@\uff57ide.example>")[:9], "550 5.6.7")
            self.assertEqual(client.ask("MAIL FROM:<a@\uff57ide.example> SMTPUTF8"), "250 2.1.0 OK")

    def test_one_verdict_on_every_wire(self):
        asked = [(f"{local}@{domain}", reply) for local in LENIENT for domain, reply in PLACES.items()]
        addresses, replies = zip(*asked)
        taken = [reply[0] == "2" for reply in replies]
        with Service(listeners=LISTENERS) as service:
            wires = Wires(service)
            self.assertEqual(wires.smtp([f"RCPT TO:<{address}>" for address in addresses]), list(replies))
            self.assertEqual([answer.startswith("OK ") for answer in wires.socketmap("recipients", addresses)], taken)
            self.assertEqual([answer.startswith("200 ") for answer in wires.tcp_table(addresses)], taken)
            refused = [reply if reply == UNKNOWN else None for reply in replies]
            self.assertEqual(wires.policy("RCPT", addresses), [reply or "DUNNO" for reply in refused])
            self.assertEqual(wires.milter(addresses), [reply or "continue" for reply in refused])
            words = {"2": "ok", UNKNOWN: "no", ELSEWHERE: "elsewhere"}
            self.assertEqual(
                wires.readsocket("rcpt", addresses), [f"{words.get(reply) or words[reply[0]]} {reply}" for reply in replies])
            numbers = {"2": "200 241", UNKNOWN: "200 0", ELSEWHERE: "200 255"}
            self.assertEqual(wires.qmail(addresses), [numbers.get(reply) or numbers[reply[0]] for reply in replies])
            for address, reply in asked:
                done = service.run("verify", "--", address)
                self.assertEqual(done.returncode, 0 if reply[0] == "2" else 67, address)

    def test_what_can_be_no_address_is_refused(self):
        with Service(listeners=LISTENERS) as service:
            wires = Wires(service)
            for address in f"m{LONGEST}@example.org", "a\u0001b@example.org", "@example.org":
                self.assertEqual(wires.smtp([f"RCPT TO:<{address}>"])[0][:3], "501", address)
                self.assertEqual(wires.socketmap("recipients", [address]), ["NOTFOUND "])
                self.assertEqual(wires.readsocket("rcpt", [address])[0][:7], "no 501 ")

    def test_they_go_on_quoted(self):
        with ScriptedHop() as hop, Relay(hop) as relay, relay.client() as client:
            relay.change("alias", "add", "many@example.org", "--to", "a..b@far.example", "--to", f"{LONGEST}@far.example",
                         "--to", "x@my_host.far.example")
            replies = send(client, ["many@example.org", ".a@relay.example"], sender="a.@docomo.example")
            self.assertEqual(replies[-1], OK)
            [message] = hop.messages
            self.assertEqual(
                message.recipients,
                ['"a..b"@far.example', f"{LONGEST}@far.example", "x@my_host.far.example", '".a"@relay.example'])
            self.assertEqual(sender(message), '"a."@docomo.example')
            # The address of a single recipient stands in the trace, quoted too, and a message that comes back is known.
            self.assertEqual(send(client, ["many@example.org"], sender=f"{LONGEST}@docomo.example")[-1], OK)
            text = hop.messages[1].octets.decode()
            self.assertEqual(email.message_from_string(text)["Delivered-To"], "many@example.org")
            looping = f"Delivered-To: {LONGEST}@{'d' * 60}.relay.example\r\n\r\nx\r\n"
            relay.change("domain", "add", f"{'d' * 60}.relay.example", "--kind", "relay")
            self.assertEqual(
                send(client, [f"{LONGEST}@{'d' * 60}.relay.example"], looping)[-1], "554 5.4.6 The message goes in a loop")

    def test_a_long_new_address_is_told_or_not(self):
        """A reply line has 512 octets (RFC 5321 4.5.3.1.5)."""
        domain = "d" * 60 + "." + "e" * 60 + ".example"
        widest = ".".join("d" * 60 for _ in range(4)) + ".example"
        with Service() as service, service.client() as client:
            service.change("moved", "add", "far@example.org", "--to", f"{LONGEST}@{domain}")
            service.change("moved", "add", "wide@example.org", "--to", f"{LONGEST}@{widest}")
            service.change("forward", "add", "on@example.org", "--to", f"{LONGEST}@{widest}")
            service.change("list", "add", "both@example.org", "--member", f"{LONGEST}@{widest}", "--member", "fred@example.org")
            client.ask("MAIL FROM:<>")
            self.assertEqual(
                client.ask("VRFY far@example.org"), f"551 5.1.6 User not local; please try <{LONGEST}@{domain}>")
            self.assertEqual(client.ask("VRFY wide@example.org"), "550 5.1.6 User has moved")
            self.assertEqual(client.ask("RCPT TO:<on@example.org>"), "250 2.1.5 OK")
            self.assertEqual(client.ask("VRFY on@example.org")[:4], "252 ")
            self.assertEqual(client.ask("EXPN both@example.org")[:4], "252 ")


class OnRecord(unittest.TestCase):
    """What commands and imports take for a mailbox of ours."""

    KINDS = [["user", "add"], ["alias", "add", "--to", "fred@example.org"], ["forward", "add", "--to", "fred@example.org"],
             ["moved", "add"], ["list", "add", "--member", "fred@example.org"]]

    def test_refused_by_each_kind(self):
        with Directory() as directory:
            for address, words in [
                ("*@example.org", "addressee domain set example.org --catch-all ADDRESS"),
                ("@example.org", "addressee domain set example.org --catch-all ADDRESS"),
                ("@new.example", "addressee domain set new.example --catch-all ADDRESS"),
                (f"{'x' * 65}@example.org", "more than 64 octets"),
                ("a..b@example.org", '"a..b"@example.org with quotes'), (".a@example.org", "with quotes"),
                ("fr\u200bed@example.org", "U+200B zero width space"), ("fr\u202eed@example.org", "U+202E right-to-left"),
                ("fr\u00a0ed@example.org", "U+00A0 no-break space"), ("fr\u0085ed@example.org", "U+0085"),
            ]:
                for kind in self.KINDS:
                    with self.subTest(address, kind=kind[0]):
                        done = directory.run(*kind, "--", address)
                        self.assertEqual((done.returncode, done.stdout), (65, ""))
                        self.assertIn(words, done.stderr)
                        self.assertEqual(done.stderr.count("\n"), 1)
                Path(directory.folder, "users.csv").write_text(f"address\nnew@example.org\n{address}\n")
                done = directory.run("import", "csv", "users.csv")
                self.assertEqual(done.returncode, 65, address)
                self.assertIn("3: ", done.stderr)
                self.assertIn(words, done.stderr)
            self.assertEqual(directory.run("user", "show", "new@example.org").returncode, 67)
            directory.change("user", "add", '"a..b"@example.org')
            self.assertEqual(directory.change("resolve", "a..b@example.org"), '"a..b"@example.org\n')

    def test_a_domain_is_what_the_mapping_makes_of_it(self):
        with Directory() as directory:
            for given, domain in [("zw\u200bsp.example", "zwsp.example"), ("\ufeffbom.example", "bom.example"),
                                  ("soft\u00adhyphen.example", "softhyphen.example"),
                                  ("\uff57\uff49\uff44\uff45.example", "wide.example"), ("bu\u0308cher.example", "bücher.example")]:
                self.assertEqual(directory.change("domain", "add", given), f"added domain {domain}\n")
                self.assertIn(domain, directory.change("domain", "ls").split())
                directory.change("user", "add", f"u@{given}")
                directory.change("alias", "add", f"a@{domain}", "--to", f"far@x{given}")
                self.assertEqual(directory.change("verify", f"u@{domain}"), f"250 2.1.5 <u@{domain}>\n")
                self.assertEqual(directory.change("verify", f"u@{given}"), f"250 2.1.5 <u@{domain}>\n")
                self.assertEqual(directory.change("resolve", f"a@{given}"), f"far@x{domain}\n".replace("x\ufeff", "x"))
            for refused in "my_host.example", "_dmarc.example", "rlo\u202e.example":
                self.assertEqual(directory.run("domain", "add", refused).returncode, 65, refused)

    def test_a_domain_of_ours_in_the_configuration(self):
        with Directory() as directory:
            directory.configure(default_domain="exam\u200bple.org")
            self.assertEqual(directory.change("verify", "fred"), "250 2.1.5 Fred Claude <fred@example.org>\n")
            directory.configure(default_domain="my_host.example")
            done = directory.run("verify", "fred")
            self.assertEqual(done.returncode, 78)
            self.assertIn("my_host.example", done.stderr)


class OwnAddress(unittest.TestCase):
    """The postmaster of an address that a listener has (RFC 1123 5.2.17, RFC 5321 4.5.1)."""

    def check(self, service, literal, taken=True):
        wires, address = Wires(service), f"postmaster@{literal}"
        self.assertEqual(wires.smtp([f"RCPT TO:<{address}>"]), ["250 2.1.5 OK" if taken else ELSEWHERE])
        self.assertEqual(
            wires.socketmap("mailboxes", [address]), ["OK postmaster@example.org" if taken else "NOTFOUND "])
        self.assertEqual(wires.policy("RCPT", [address]), ["DUNNO"])
        self.assertEqual(wires.milter([address]), ["continue"])
        self.assertEqual(wires.readsocket("rcpt", [address]), ["ok 250 2.1.5 OK" if taken else f"elsewhere {ELSEWHERE}"])
        self.assertEqual(wires.qmail([address]), ["200 241" if taken else "200 255"])
        done = service.run("verify", "--", address)
        self.assertEqual(done.stdout, "250 2.1.5 <postmaster@example.org>\n" if taken else "550 5.1.2 Not a domain of this server\n")

    def test_an_address_of_a_listener(self):
        with Service(listeners=LISTENERS) as service:
            self.check(service, "[127.0.0.1]")
            self.check(service, "[127.0.0.2]", taken=False)
            self.check(service, "[IPv6:::1]", taken=False)
            self.assertEqual(Wires(service).smtp(["RCPT TO:<fred@[127.0.0.1]>"]), [ELSEWHERE])
            self.assertEqual(Wires(service).socketmap("domains", ["[127.0.0.1]"]), ["NOTFOUND "])

    def test_all_addresses(self):
        with Service(listeners=[{"smtp": "0.0.0.0:0"}]) as service:
            # Any of the machine's own, and the one that the client has come to, whoever could have counted it.
            for host in "127.0.0.1", "127.0.0.2", "127.8.9.10":
                with Client((host, service.port)) as client:
                    client.ask("MAIL FROM:<>")
                    for literal in "[127.0.0.1]", f"[{host}]":
                        self.assertEqual(client.ask(f"RCPT TO:<PostMaster@{literal}>"), "250 2.1.5 OK")
                        self.assertEqual(client.ask(f"VRFY postmaster@{literal}"), "250 2.1.5 <postmaster@example.org>")
                    for literal in "[IPv6:::1]", "[192.0.2.77]":
                        self.assertEqual(client.ask(f"RCPT TO:<postmaster@{literal}>"), ELSEWHERE)

    @unittest.skipUnless(os.path.exists("/proc/net/if_inet6"), "no IPv6 here")
    def test_ipv6(self):
        with Service(listeners=[{"smtp": "[::]:0"}]) as service:
            for host, literal in [("::1", "[IPv6:0:0:0:0:0:0:0:1]"), ("127.0.0.3", "[127.0.0.3]")]:
                with Client((host, service.port)) as client:
                    client.ask("MAIL FROM:<>")
                    self.assertEqual(client.ask(f"RCPT TO:<postmaster@{literal}>"), "250 2.1.5 OK")

    def test_its_mail_goes_where_the_postmaster_s_goes(self):
        with ScriptedHop() as hop, Relay(hop) as relay, relay.client() as client:
            relay.change("alias", "add", "postmaster@example.org", "--to", "fred@example.org")
            self.assertEqual(send(client, ["postmaster@[127.0.0.1]"], sender="")[-1], OK)
            self.assertEqual(hop.messages[0].recipients, ["fred@example.org"])


class Separators(unittest.TestCase):
    def test_the_longest_base_on_record(self):
        with Service() as service:
            service.change("domain", "set", "example.org", "--detail-separator", "+-")
            service.change("user", "add", "jean@example.org")
            service.change("user", "add", "jean-luc@example.org")
            service.change("domain", "set", "example.org", "--catch-all", "fred@example.org")
            for address, mailbox in [
                ("jean-luc+news", "jean-luc"), ("jean-luc-news", "jean-luc"), ("jean-luc", "jean-luc"), ("jean-news", "jean"),
                ("jean+luc", "jean"), ("jean-luke+x", "jean"), ("jeanne-luc+x", "fred"), ("jean" + "+x" * 60, "jean"),
            ]:
                self.assertEqual(service.change("resolve", f"{address}@example.org"), f"{mailbox}@example.org\n", address)


if __name__ == "__main__":
    unittest.main()
