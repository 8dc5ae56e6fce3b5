"""Messages on their way to a mail server that says what it likes, when it likes: what is acknowledged has arrived, once."""

import random
import re
import signal
import socket
import tempfile
import threading
import unittest
from pathlib import Path

from accepting import Acceptor
from scripted_hop import EXTENSIONS, ScriptedHop
from service import PATIENCE, Service, eventually

OK = "250 2.0.0 OK"
DOWN = "451 4.4.1 The next mail server can't be reached now, try again later"
LOST = "451 4.4.2 The next mail server broke off, try again later"
OTHER_SERVER = ("452 4.5.3 Mail for this recipient goes to another server than for those before: "
                "send to it in another transaction")
OTHER_SENDER = ("452 4.5.3 Mail for this recipient goes on from another sender than for those before: "
                "send to it in another transaction")
NEEDS_UTF8 = ("452 4.5.3 Mail for this recipient needs SMTPUTF8, and goes without for those before: "
              "send to it in another transaction")


class Relay(Service):
    """A server that hands all its mail to one other."""

    def __init__(self, hop, **settings):
        kind = "lmtp" if hop.lmtp else "smtp"
        entry = {"name": "hop", kind: hop.address, "takes": ["mailboxes", "relay-domains", "elsewhere"]}
        super().__init__(**{"next_hops": [{**entry, **settings.pop("entry", {})}], **settings})

    def introduced(self, hop):
        """The server has asked what the hop offers, as it does when it starts."""
        eventually(lambda: "QUIT" in hop.verbs() or "EHLO" in hop.verbs() or "LHLO" in hop.verbs(), "asked for its extensions")
        return self


def send(client, recipients, body="x\r\n", sender="me@elsewhere.example", parameters=""):
    """One message; all replies from MAIL on."""
    replies = [client.ask(f"MAIL FROM:<{sender}>{parameters}")]
    replies += [client.ask(f"RCPT TO:<{recipient}>") for recipient in recipients]
    replies.append(client.ask("DATA"))
    if replies[-1].startswith("354"):
        replies.append(client.ask(body + "."))
    return replies


class Handing(unittest.TestCase):
    def test_each_mailbox_once_and_the_octets_as_they_were(self):
        body = "Subject: x\r\n\r\n..\r\n...dots\r\n\r\n" + "y" * 2000 + "\r\n"
        with ScriptedHop() as hop, Relay(hop) as relay, relay.client() as client:
            client.ask("EHLO client.example")
            replies = send(client, ["team@example.org", "info@example.org", "anna@example.org", "x@relay.example"], body)
            self.assertEqual(replies[1:], ["250 2.1.5 OK"] * 4 + ["354 Start mail input; end with <CRLF>.<CRLF>", OK])
            [message] = hop.messages
            self.assertEqual(
                message.recipients,
                ["fred@example.org", "wilma@example.org", "anna@example.org", "anna@elsewhere.example", "x@relay.example"])
            self.assertEqual(message.body, body.replace("\r\n.", "\r\n").encode())
            self.assertRegex(message.octets.decode(), r"\AReceived: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby mail\.example"
                             r"\.org with ESMTP id \S+; ")

    def test_who_is_asked_for_and_what_is_told(self):
        with ScriptedHop() as hop, Relay(hop) as relay, relay.client() as client:
            for recipient, reply in [
                ("fred@example.org", "250 2.1.5 OK"),
                ("away@example.org", "251 2.1.5 User not local; will forward to <away@elsewhere.example>"),
                ("gone@example.org", "551 5.1.6 User not local; please try <gone@elsewhere.example>"),
                ("nobody@example.org", "550 5.1.1 No such user here"),
                ("x@elsewhere.example", "550 5.7.1 Relaying denied: not a domain of this server"),
                ("@a.example,@b.example:wilma@example.org", "250 2.1.5 OK"),
            ]:
                with self.subTest(recipient):
                    replies = send(client, [recipient])
                    self.assertEqual(replies[1], reply)
                    self.assertEqual(replies[-1], OK if reply[0:2] == "25" else "554 5.5.1 No valid recipients")
                    client.ask("RSET")
            self.assertEqual(
                [message.recipients for message in hop.messages],
                [["fred@example.org"], ["away@elsewhere.example"], ["wilma@example.org"]])

    def test_a_class_that_may_send_elsewhere(self):
        trusted = {"name": "trusted", "networks": ["127.0.0.0/8"], "rcpt": "full", "relay": True}
        with ScriptedHop() as hop, Relay(hop, clients=[trusted]) as relay, relay.client() as client:
            self.assertEqual(send(client, ["x@elsewhere.example"])[-1], OK)
            self.assertEqual(hop.messages[0].recipients, ["x@elsewhere.example"])

    def test_the_owner_of_a_list_is_its_sender(self):
        with ScriptedHop() as hop, Relay(hop) as relay, relay.client() as client:
            relay.change("list", "add", "club@example.org", "--owner", "bjorn@example.org", "--member", "fred@example.org",
                         "staff@example.org")
            self.assertEqual(send(client, ["club@example.org"])[-1], OK)
            self.assertEqual(hop.messages[0].sender.split()[1], "FROM:<bjorn@example.org>")
            self.assertEqual(
                hop.messages[0].recipients, ["fred@example.org", "wilma@example.org", "sam@elsewhere.example"])
            # Another sender needs another transaction; the client brings those that are left.
            replies = send(client, ["leo@example.org", "club@example.org", "wilma@example.org"])
            self.assertEqual(replies[2:4], ["250 2.1.5 OK", OTHER_SENDER])
            self.assertEqual(hop.messages[1].recipients, ["fred@example.org", "wilma@example.org", "sam@elsewhere.example"])
            # A notification stays one.
            self.assertEqual(send(client, ["club@example.org"], sender="")[-1], OK)
            self.assertEqual(hop.messages[2].sender.split()[1], "FROM:<>")

    def test_parameters_go_on(self):
        with ScriptedHop() as hop, Relay(hop) as relay:
            relay.introduced(hop)

            def offers():
                with relay.client() as client:
                    return "DSN" in client.ask("EHLO client.example")

            eventually(offers, "DSN is offered")
            with relay.client() as client:
                self.assertIn("250-CHUNKING", client.ask("EHLO client.example"))
                client.ask("MAIL FROM:<me@elsewhere.example> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=QQ314159")
                self.assertEqual(client.ask("RCPT TO:<away@example.org> NOTIFY=success,FAILURE")[:3], "251")
                self.assertEqual(client.ask("RCPT TO:<team@example.org> NOTIFY=NEVER ORCPT=rfc822;a+2Bb@c.example")[:3], "250")
                self.assertEqual(client.ask("RCPT TO:<jürgen@example.org>")[:3], "553")
                client.ask("DATA")
                self.assertEqual(client.ask("é\r\n."), OK)
            commands = hop.commands[-6:]
            self.assertEqual(
                [line for line in commands if line[:4] in ("MAIL", "RCPT")],
                ["MAIL FROM:<me@elsewhere.example> SIZE=612 BODY=8BITMIME RET=HDRS ENVID=QQ314159",
                 "RCPT TO:<away@elsewhere.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;away@example.org",
                 "RCPT TO:<fred@example.org> NOTIFY=NEVER ORCPT=rfc822;a+2Bb@c.example",
                 "RCPT TO:<wilma@example.org>"])

    def test_utf8_only_where_it_is_taken(self):
        with ScriptedHop() as hop, Relay(hop) as relay, relay.client() as client:
            self.assertEqual(send(client, ["jürgen@example.org"], parameters=" SMTPUTF8")[-1], OK)
            self.assertIn(" SMTPUTF8", hop.messages[0].sender)
            # An alias leads to an address that needs it, and the client does not know.
            relay.change("alias", "add", "boss@example.org", "--to", "jürgen@example.org")
            self.assertEqual(send(client, ["boss@example.org"])[-1], OK)
            self.assertIn(" SMTPUTF8", hop.messages[1].sender)
            self.assertEqual(send(client, ["fred@example.org", "boss@example.org"])[1:3], ["250 2.1.5 OK", NEEDS_UTF8])
        with ScriptedHop(extensions=["8BITMIME"]) as hop, Relay(hop) as relay, relay.client() as client:
            self.assertEqual(
                send(client, ["jürgen@example.org"], parameters=" SMTPUTF8")[1],
                "550 5.6.7 The next mail server does not take SMTPUTF8")

    def test_eight_bits_only_where_they_are_taken(self):
        with ScriptedHop(extensions=["PIPELINING"]) as hop, Relay(hop) as relay, relay.client() as client:
            self.assertEqual(send(client, ["fred@example.org"], "seven\r\n", parameters=" BODY=8BITMIME")[-1], OK)
            self.assertEqual(
                send(client, ["fred@example.org"], "acht: é\r\n", parameters=" BODY=8BITMIME")[-1],
                "554 5.6.3 The next mail server takes 7-bit messages only, and this one has 8-bit octets")
            self.assertEqual(send(client, ["fred@example.org"])[-1], OK)
            self.assertEqual(len(hop.messages), 2)

    def test_chunks(self):
        with ScriptedHop() as hop, Relay(hop) as relay, relay.client() as client:
            client.ask("EHLO c.example")
            client.ask("MAIL FROM:<>")
            client.ask("RCPT TO:<fred@example.org>")
            self.assertEqual(client.ask("BDAT 12\r\nSubject: x")[:3], "250")
            client.send(b"BDAT 11 LAST\r\n\r\n.no dot\r\n")
            self.assertEqual(client.reply(), OK)
            self.assertEqual(hop.messages[0].body, b"Subject: x\r\n\r\n.no dot\r\n")
            # Pipelined whole, and refused whole: its octets are never commands.
            client.send(b"MAIL FROM:<>\r\nRCPT TO:<nobody@example.org>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")
            self.assertEqual([client.reply()[:3] for _ in range(4)], ["250", "550", "554", "250"])

    def test_one_connection_for_many_messages(self):
        with ScriptedHop() as hop, Relay(hop, threads=1) as relay:
            for _ in range(20):
                with relay.client() as client:
                    self.assertEqual(send(client, ["fred@example.org"])[-1], OK)
            # One by which the server has introduced itself, when the first message came before that was done.
            connections = hop.connections
            self.assertLessEqual(connections, 2)
            # The hop closes what is idle: the next message takes a new one, and nobody hears of it.
            hop.cut()
            with relay.client() as client:
                self.assertEqual(send(client, ["fred@example.org"])[-1], OK)
            # A client that only asks leaves nothing behind.
            with relay.client() as client:
                client.ask("MAIL FROM:<>")
                client.ask("RCPT TO:<fred@example.org>")
                client.ask("QUIT")
            eventually(lambda: hop.verbs()[-1] == "RSET", "the transaction is given up")
            self.assertEqual(hop.connections, connections + 1)

    def test_no_more_connections_than_are_allowed(self):
        with ScriptedHop() as hop, Relay(hop, entry={"connections": 2}, threads=1) as relay:
            faults = []

            def work():
                try:
                    for _ in range(5):
                        with relay.client() as client:
                            self.assertEqual(send(client, ["fred@example.org"])[-1], OK)
                except BaseException as fault:
                    faults.append(fault)

            threads = [threading.Thread(target=work) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(faults, [])
            self.assertLessEqual(hop.connections, 2)
            self.assertEqual(len(hop.messages), 100)

    def test_a_slow_hop_slows_the_client_and_takes_no_memory(self):
        with ScriptedHop() as hop, Relay(hop, limits={"message-size": 60_000_000}) as relay, relay.client() as client:
            self.assertEqual(send(client, ["fred@example.org"])[-1], OK)
            before = relay.memory()
            hop.slow = True
            client.ask("MAIL FROM:<>")
            client.ask("RCPT TO:<fred@example.org>")
            client.ask("DATA")
            line = b"x" * 9998 + b"\r\n"
            peak = 0
            for _ in range(50):
                client.send(line * 100)
                peak = max(peak, relay.memory())
            client.send(b".\r\n")
            self.assertEqual(client.reply(), OK)
            self.assertEqual(hop.messages[-1].body, b"\r\n" + line * 5000)
            self.assertLess(max(peak, relay.memory()) - before, 20_000_000)

    def test_nothing_is_kept_of_a_message(self):
        with ScriptedHop() as hop:
            hops = [{"name": "here", "maildir": "mail/{domain}/{local-part}"},
                    {"name": "there", "smtp": hop.address, "takes": ["elsewhere"]}]
            with Service(next_hops=hops, threads=1) as service, service.client() as client:
                def work(count):
                    for _ in range(count):
                        self.assertEqual(send(client, ["anna@example.org"])[-1], OK)
                        for command in "MAIL FROM:<>", "RCPT TO:<anna@example.org>", "RSET":
                            client.ask(command)

                work(200)
                before = service.memory()
                work(600)
                # Two kilobytes of each would be more.
                self.assertLess(service.memory() - before, 1_200_000)

    def test_smuggled_commands_stay_in_the_message(self):
        inner = "MAIL FROM:<root@example.org>\r\nRCPT TO:<wilma@example.org>\r\nDATA\r\nforged\r\n.\r\n"
        with ScriptedHop() as hop, Relay(hop) as relay:
            for end in "\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\r.\r\n", "\r\n\0.\r\n", "\r\r\n.\r\r\n", "\n\n.\n":
                with self.subTest(end=end), relay.client() as client:
                    client.ask("MAIL FROM:<>")
                    client.ask("RCPT TO:<fred@example.org>")
                    client.ask("DATA")
                    client.send(f"a{end}{inner}QUIT\r\n")
                    replies = client.replies()
                    self.assertTrue(replies[0].startswith("550 5.5.2 "), replies)
                    self.assertEqual(len(replies), 2)
            self.assertEqual(hop.messages, [])


class Refusing(unittest.TestCase):
    def test_what_the_hop_says_at_rcpt(self):
        refusals = {"wilma@example.org": "550 5.1.1 <wilma@example.org>: unknown here", "bjorn@example.org": "452 4.2.2 full",
                    "sam1@example.org": "500 what?", "sam2@example.org": "421 4.3.2 stopping"}

        def answer(step, argument, session):
            return refusals.get(argument) if step == "rcpt" else None

        with ScriptedHop(answer=answer) as hop, Relay(hop) as relay, relay.client() as client:
            relay.change("alias", "add", "half@example.org", "--to", "x@relay.example", "bjorn@example.org")
            for recipient, reply in [
                # The hop takes one of the two before it says "not now" of the other.
                ("half@example.org", "452 4.2.2 The next mail server can't take it now, try again later"),
                ("wilma@example.org", "550 5.1.1 <wilma@example.org>: unknown here"),
                # Who is asked for by another name is told no address of the hop's.
                ("open@example.org", "550 5.1.1 The next mail server refuses it"),
                ("bjorn@example.org", "452 4.2.2 full"),
                ("sam1@example.org", "451 4.3.0 The next mail server can't take it now, try again later"),
                ("sam2@example.org", LOST),
            ]:
                with self.subTest(recipient):
                    replies = send(client, ["fred@example.org", recipient, "anna@example.org"])
                    self.assertEqual(replies[1:4], ["250 2.1.5 OK", reply, "250 2.1.5 OK"])
                    self.assertEqual(replies[-1], OK)
                    # Nobody whom the refused recipient led to has the message but by another way.
                    self.assertEqual(
                        hop.messages[-1].recipients, ["fred@example.org", "anna@example.org", "anna@elsewhere.example"])
            relay.log.wait("refused-by-next-hop about=wilma@example.org next-hop=hop reply=")

    def test_some_of_those_behind_one_address(self):
        """Who is refused for good is left out; "not now" of one is that of all, and none has the message by it."""
        refusals = {}

        def answer(step, argument, session):
            return refusals.get(argument) if step == "rcpt" else None

        away, later = "550 5.1.1 unknown here", "450 4.2.1 later"
        fred, wilma, sam, anna, far = ("fred@example.org", "wilma@example.org", "sam@elsewhere.example", "anna@example.org",
                                       "anna@elsewhere.example")
        cases = [
            # Refused by the hop; asked for; the replies to RCPT; who has the message.
            ({wilma: away}, ["team"], ["250"], [fred]),
            ({fred: away}, ["team"], ["250"], [wilma]),
            ({fred: away, sam: "554 5.7.1 no"}, ["staff"], ["250"], [wilma]),
            ({fred: "501 5.1.3 odd", wilma: "552 5.2.2 full"}, ["staff"], ["250"], [sam]),
            ({far: away}, ["anna"], ["250"], [anna]),
            ({fred: away, wilma: "553 5.1.3 odd"}, ["team"], ["550"], []),
            ({fred: away, wilma: away, sam: away}, ["staff"], ["550"], []),
            ({wilma: later}, ["team"], ["450"], []),
            ({fred: later, wilma: away}, ["team"], ["450"], []),
            ({fred: away, wilma: later}, ["team"], ["450"], []),
            # Some servers say 552 for one recipient too many, who may come in another transaction (RFC 5321 4.5.3.1.10).
            ({wilma: "552 too many recipients"}, ["team"], ["452"], []),
            ({wilma: "550 5.5.3 too many recipients"}, ["wilma"], ["452"], []),
            # With others before and after. Who has been refused for one address gets nothing by it.
            ({wilma: later}, ["anna", "team", "sam1"], ["250", "450", "250"], [anna, far, "sam1@example.org"]),
            ({wilma: later}, ["team", "fred"], ["450", "250"], [fred]),
            ({wilma: away}, ["fred", "team"], ["250", "250"], [fred]),
            ({wilma: away}, ["wilma", "team", "wilma"], ["550", "250", "550"], [fred]),
            ({wilma: away}, ["team", "staff"], ["250", "250"], [fred, sam]),
            ({wilma: away}, ["open", "team"], ["550", "250"], [fred]),
        ]
        for extensions in EXTENSIONS, ["8BITMIME"]:
            for lmtp in False, True:
                with ScriptedHop(lmtp=lmtp, extensions=extensions, answer=answer) as hop, Relay(hop) as relay, relay.client() as client:
                    for refused, recipients, replies, taken in cases:
                        with self.subTest(refused=refused, recipients=recipients, lmtp=lmtp, extensions=extensions):
                            refusals.clear()
                            refusals.update(refused)
                            before = len(hop.messages)
                            found = send(client, [f"{name}@example.org" for name in recipients])
                            self.assertEqual([reply[:3] for reply in found[1:1 + len(recipients)]], replies)
                            self.assertEqual(found[-1], OK if taken else "554 5.5.1 No valid recipients")
                            client.ask("RSET")
                            self.assertEqual([message.recipients for message in hop.messages[before:]], [taken] if taken else [])
                    # One that is still introducing itself or resetting is not waited for: a busy machine may see some more.
                    self.assertLess(hop.connections, len(cases) // 2)
                    relay.log.wait('warning left-out about=staff@example.org next-hop=hop recipients=fred@example.org reply="?550 5.1.1')
                    for name in "fred", "wilma":
                        relay.log.wait(
                            f"refused-by-next-hop about=team@example.org next-hop=hop recipients={name}@example.org reply=")

    def test_who_takes_mail_later_is_not_forgotten(self):
        """Where the server refuses all whom it is asked for, those who were left out before decide."""
        def answer(step, argument, session):
            return "550 5.1.1 gone" if step == "rcpt" and argument.startswith("gone") else None

        for lmtp in False, True:
            with ScriptedHop(lmtp=lmtp, answer=answer) as hop, Relay(hop) as relay, relay.client() as client:
                for name, status in ("gone1", "active"), ("sus1", "suspended"), ("full1", "full"), ("dis1", "disabled"):
                    relay.change("user", "add", f"{name}@example.org", "--status", status)
                for name, members in ("la", ["gone1", "sus1"]), ("lb", ["gone1", "full1"]), ("lc", ["gone1", "dis1"]):
                    relay.change("list", "add", f"{name}@example.org")
                    relay.change("list", "join", f"{name}@example.org", *(f"{member}@example.org" for member in members))
                relay.change("alias", "add", "ld@example.org", "--to", "gone1@example.org", "lb@example.org", "sus1@example.org")
                found = send(client, [f"{name}@example.org" for name in ("la", "lb", "lc", "ld")])
                self.assertEqual([reply[:3] for reply in found[1:5]], ["450", "452", "550", "450"])
                self.assertEqual(hop.messages, [])

    def test_a_copy_here_of_what_a_server_refuses(self):
        """Of a folder and a server behind one address the folder is left; and the server's connection is for others."""
        with ScriptedHop(answer=lambda step, *_: "550 5.1.1 gone" if step == "rcpt" else None) as hop:
            hops = [{"name": "here", "maildir": "mail/{domain}/{local-part}"},
                    {"name": "there", "smtp": hop.address, "takes": ["elsewhere"], "connections": 1}]
            with Service(next_hops=hops, threads=1) as service, service.client() as client:
                for count in range(1, 4):
                    replies = send(client, ["anna@example.org", "away@example.org"], "Subject: x\r\n")
                    self.assertEqual(replies[1:3], ["250 2.1.5 OK", "550 5.1.1 The next mail server refuses it"])
                    self.assertEqual(replies[-1], OK)
                    mail = service.folder / "mail" / "example.org" / "anna" / "new"
                    self.assertEqual(len(list(mail.iterdir())), count)
                service.log.wait("left-out about=anna@example.org next-hop=there recipients=anna@elsewhere.example ")

    def test_what_the_hop_says_later(self):
        for step, line, reply in [
            ("mail", "550 5.7.1 <me@elsewhere.example>: not you", "550 5.7.1 <me@elsewhere.example>: not you"),
            ("mail", "451 4.7.1 greylisted", "451 4.7.1 greylisted"),
            ("data", "451 4.3.0 not now", "451 4.3.0 not now"),
            ("data", "554 5.5.1 never", "554 5.5.1 never"),
            ("end", "554 5.7.1 spam, see https://hop.example/", "554 5.7.1 spam, see https://hop.example/"),
            ("end", "452 4.3.1 disk full", "452 4.3.1 disk full"),
            ("end", "421 4.3.2 stopping", "451 4.3.2 stopping"),
        ]:
            with self.subTest(step=step, line=line):
                with ScriptedHop(answer=lambda at, *_: line if at == step else None) as hop, Relay(hop) as relay:
                    with relay.client() as client:
                        replies = send(client, ["fred@example.org"])
                        self.assertEqual(replies[1] if step == "mail" else replies[-1], reply)
                        self.assertEqual(hop.messages, [])
                        hop.answer = lambda *_: None
                        client.ask("RSET")
                        self.assertEqual(send(client, ["fred@example.org"])[-1], OK)

    def test_one_address_that_leads_to_two_servers(self):
        with ScriptedHop() as here, ScriptedHop() as there:
            hops = [{"name": "here", "smtp": here.address, "takes": ["mailboxes"]},
                    {"name": "there", "smtp": there.address, "takes": ["elsewhere"]}]
            with Service(next_hops=hops) as service, service.client() as client:
                self.assertEqual(send(client, ["anna@example.org"])[1],
                                 "550 5.4.4 Mail for this recipient would have to go to two mail servers, both or neither")
                service.log.wait("no-next-hop about=anna@example.org .*here and to there")
                client.ask("RSET")
                replies = send(client, ["fred@example.org", "away@example.org"])
                self.assertEqual(replies[1:3], ["250 2.1.5 OK", OTHER_SERVER])
                self.assertEqual(send(client, ["away@example.org"])[-1], OK)
                self.assertEqual(len(here.messages) + len(there.messages), 2)

    def test_next_hops_by_domain_and_by_recipient(self):
        with ScriptedHop() as one, ScriptedHop() as two, ScriptedHop() as rest:
            hops = [{"name": "one", "smtp": one.address, "recipients": ["Fred@EXAMPLE.org"]},
                    {"name": "two", "smtp": two.address, "domains": ["relay.example"]},
                    {"name": "rest", "smtp": rest.address}]
            with Service(next_hops=hops) as service, service.client() as client:
                for recipient, hop in ("info@example.org", one), ("x@relay.example", two), ("wilma@example.org", rest):
                    self.assertEqual(send(client, [recipient])[-1], OK)
                    self.assertEqual(len(hop.messages), 1)

    def test_folders_and_a_server_have_it_both_or_neither(self):
        verdict = []
        with ScriptedHop(answer=lambda step, *_: verdict[0] if step == "end" and verdict else None) as hop:
            hops = [{"name": "here", "maildir": "mail/{domain}/{local-part}"},
                    {"name": "there", "smtp": hop.address, "takes": ["elsewhere"]}]
            with Service(next_hops=hops) as service, service.client() as client:
                mail = service.folder / "mail" / "example.org" / "anna"
                verdict.append("554 5.7.1 no")
                # Its words may name where anna's mail goes.
                self.assertEqual(send(client, ["anna@example.org"])[-1], "554 5.7.1 The next mail server refuses it")
                eventually(lambda: [file for file in mail.rglob("*") if file.is_file()] == [], "nothing is left")
                verdict.clear()
                self.assertEqual(send(client, ["anna@example.org"])[-1], OK)
                self.assertEqual(len(list((mail / "new").iterdir())), 1)
                self.assertEqual(hop.messages[0].recipients, ["anna@elsewhere.example"])
                # The folder is in the way: the server has not been asked for its word.
                (mail / "new").rename(mail / "old")
                (mail / "tmp").rename(mail / "away")
                (mail / "tmp").write_text("")
                self.assertEqual(send(client, ["anna@example.org"])[-1][:3], "451")
                self.assertEqual(len(hop.messages), 1)

    def test_a_message_that_comes_back(self):
        with ScriptedHop() as hop, Relay(hop) as relay, relay.client() as client:
            self.assertEqual(send(client, ["away@example.org"])[-1], OK)
            back = hop.messages[0].octets.decode()
            self.assertIn("Delivered-To: away@example.org\r\n", back)
            self.assertEqual(send(client, ["away@example.org"], back)[-1], "554 5.4.6 The message goes in a loop")
            self.assertEqual(len(hop.messages), 1)
            # Nobody learns from it who else has the message.
            self.assertEqual(send(client, ["away@example.org", "info@example.org"])[-1], OK)
            self.assertNotIn(b"Delivered-To", hop.messages[1].octets)
            self.assertNotIn(b"X-Original-To", hop.messages[1].octets)
            # However the field is spelled.
            for spelled in ("Delivered-To:\r\n away@example.org", "Delivered-To: <Away@Example.ORG>",
                            "DELIVERED-TO: (by us)\r\n\t<away@example.org> (Away)"):
                self.assertEqual(send(client, ["away@example.org"], f"{spelled}\r\nSubject: x\r\n\r\n")[-1],
                                 "554 5.4.6 The message goes in a loop")
            self.assertEqual(len(hop.messages), 2)

    def test_by_which_addresses_it_came(self):
        with ScriptedHop() as hop, Relay(hop) as relay, relay.client() as client:
            for recipients, wanted in [
                (["fred@example.org"], []), (["FRED@example.org", "fred@example.org"], []),
                (["fred+x@example.org"], []), (["info@example.org"], ["info@example.org"]),
                (["info@example.org", "fred@example.org", "fred@alias.example"],
                 ["info@example.org", "fred@example.org", "fred@alias.example"]),
                (["away@example.org"], ["away@example.org"]), (["info@example.org", "wilma@example.org"], []),
                (["team@example.org"], []),
            ]:
                with self.subTest(recipients):
                    self.assertEqual(send(client, recipients)[-1], OK)
                    found = re.findall(rb"(?m)^X-Original-To: (.*)\r$", hop.messages[-1].octets)
                    self.assertEqual([one.decode() for one in found], wanted)

    def test_a_message_without_a_header_section(self):
        with ScriptedHop() as hop, Relay(hop) as relay, relay.client() as client:
            for body, wanted in [
                ("Hello.\r\nSubject: x\r\n", b"\r\nHello.\r\nSubject: x\r\n"), (" Subject: x\r\n", b"\r\n Subject: x\r\n"),
                ("Subject: x\r\n", b"Subject: x\r\n"), ("\r\nHello.\r\n", b"\r\nHello.\r\n"), ("", b""),
                ("..dot\r\n", b"\r\n.dot\r\n"),
                ("From me@c.example Mon Nov 30 18:11:49 2026\r\nSubject: x\r\n\r\n",
                 b"X-Mailbox-Line: From me@c.example Mon Nov 30 18:11:49 2026\r\nSubject: x\r\n\r\n"),
            ]:
                with self.subTest(body):
                    self.assertEqual(send(client, ["fred@example.org"], body)[-1], OK)
                    self.assertEqual(hop.messages[-1].body, wanted)

    def test_details_go_on(self):
        for keys, wanted in [
            ({}, ["fred+lists@example.org", "fred+B@example.org", "wilma+x@example.org", "fred+x@example.org", "anna+c@example.org",
                  "anna@elsewhere.example", "any+d@relay.example"]),
            ({"detail": "drop"}, ["fred@example.org", "wilma@example.org", "anna@example.org", "anna@elsewhere.example",
                                  "any@relay.example"]),
        ]:
            for lmtp in False, True:
                with self.subTest(keys=keys, lmtp=lmtp), ScriptedHop(lmtp=lmtp) as hop, Relay(hop, entry=keys) as relay:
                    relay.change("alias", "add", "june@example.org", "--to", "fred+june@example.org")
                    with relay.client() as client:
                        # Asked more than once, so that memory would have lost it.
                        for _ in range(2):
                            replies = send(client, ["fred+lists@example.org", "FRED+B@example.org", "wilma+x@alias.example",
                                                    "team+x@example.org", "anna+c@example.org", "any+d@relay.example"])
                            self.assertEqual([reply[:3] for reply in replies[1:7]], ["250"] * 6)
                            self.assertEqual(hop.messages[-1].recipients, wanted)
                        self.assertEqual(send(client, ["june+y@example.org"])[-1], OK)
                        june = "fred@example.org" if keys else "fred+june+y@example.org"
                        self.assertEqual(hop.messages[-1].recipients, [june])

    def test_the_domain_decides_where_mail_for_a_relay_domain_goes(self):
        with ScriptedHop() as here, ScriptedHop() as there:
            hops = [{"name": "folders", "maildir": "mail/{domain}/{local-part}"},
                    {"name": "here", "smtp": here.address, "takes": ["mailboxes"]},
                    {"name": "there", "smtp": there.address, "takes": ["relay-domains", "elsewhere"]}]
            for first in hops[:2]:
                with Service(next_hops=[first, hops[2]]) as service, service.client() as client:
                    service.change("user", "add", "known@relay.example", "--name", "Known")
                    service.change("alias", "add", "desk@example.org", "--to", "known@relay.example")
                    before = len(there.messages)
                    for name in ["known@relay.example", "postmaster@relay.example", "other@relay.example", "desk@example.org"] * 2:
                        self.assertEqual(send(client, [name])[-1], OK)
                    self.assertEqual([one.recipients for one in there.messages[before:]],
                                     [[f"{name}@relay.example"] for name in ["known", "postmaster", "other", "known"]] * 2)
                    self.assertEqual(here.messages, [])
                    self.assertFalse((service.folder / "mail").exists())


class Lmtp(unittest.TestCase):
    def test_a_reply_for_each_recipient(self):
        refusals = {}
        with tempfile.TemporaryDirectory() as folder:
            answer = lambda step, argument, _: refusals.get(argument) if step == "end" else None  # noqa: E731
            with ScriptedHop(lmtp=True, path=Path(folder, "lmtp"), answer=answer) as hop, Relay(hop) as relay:
                with relay.client() as client:
                    recipients = ["fred@example.org", "wilma@example.org", "bjorn@example.org"]
                    self.assertEqual(send(client, recipients)[-1], OK)
                    self.assertEqual(hop.messages[0].recipients, recipients)
                    refusals["wilma@example.org"] = "452 4.2.2 full"
                    self.assertEqual(
                        send(client, recipients)[-1],
                        "554 5.3.0 The message reached 2 of 3 mailboxes; don't send it again to all")
                    self.assertEqual(hop.messages[1].recipients, ["fred@example.org", "bjorn@example.org"])
                    relay.log.wait("warning message-not-delivered .*of 3 recipients 2 have it, and it refuses wilma@example.org: 452 4.2.2 full")
                    for recipient in recipients:
                        refusals[recipient] = "550 5.2.0 no"
                    refusals["bjorn@example.org"] = "451 4.3.0 later"
                    self.assertEqual(send(client, recipients)[-1], "451 4.3.0 later")
                    self.assertEqual(len(hop.messages), 2)


class Failing(unittest.TestCase):
    def test_a_hop_that_is_down(self):
        with ScriptedHop() as hop:
            with Relay(hop) as relay, relay.client() as client:
                hop.close()
                self.assertEqual(send(client, ["fred@example.org"])[1], DOWN)
                relay.log.wait("error next-hop-failed next-hop=hop reason=")
                client.ask("RSET")
                with ScriptedHop(port=hop.port) as again:
                    self.assertEqual(send(client, ["fred@example.org"])[-1], OK)
                    # The old connection ends between RCPT and DATA: a new one is told all of it.
                    client.ask("MAIL FROM:<>")
                    client.ask("RCPT TO:<fred@example.org>")
                    again.cut()
                    client.ask("DATA")
                    self.assertEqual(client.ask("x\r\n."), OK)
                    self.assertEqual(len(again.messages), 2)

    def test_a_hop_that_says_nothing(self):
        patience = {"next-hop-connect": "1s", "next-hop-reply": "1s", "next-hop-data": "1s", "next-hop-block": "1s",
                    "next-hop-end": "1s"}
        for step in "connect", "ehlo", "mail", "rcpt", "data", "end":
            with self.subTest(step), ScriptedHop(answer=lambda at, *_: "hang" if at == step else None) as hop:
                with Relay(hop, timeouts=patience) as relay, relay.client() as client:
                    replies = send(client, ["fred@example.org"])
                    self.assertEqual(replies[1] if step in ("connect", "ehlo", "mail", "rcpt") else replies[-1], DOWN)
                    relay.log.wait("no answer in 1 s")

    def test_what_is_no_mail_server(self):
        for greeting in b"SSH-2.0-OpenSSH_9\r\n", b"x" * 100_000, b"554 no service\r\n", b"":
            listener = socket.create_server(("127.0.0.1", 0))
            with self.subTest(greeting[:20]), Acceptor(listener, lambda one: one.sendall(greeting)) as hop:
                hops = [{"name": "hop", "smtp": f"127.0.0.1:{hop.port}"}]
                with Service(next_hops=hops) as service, service.client() as client:
                    self.assertEqual(send(client, ["fred@example.org"])[1], DOWN)

    def test_a_thousand_cuts(self):
        """At each step, at random: what was acknowledged has arrived, once and whole; what was refused has not, unless the
        hop had all of it and broke off before its word (RFC 1047)."""
        numbers = random.Random(5321)

        def answer(step, argument, session):
            if step == "end":
                chance = numbers.random()
                subject = current[0]
                if chance < 0.05:
                    doubtful.add(subject)
                    return "taken-cut"
                if chance < 0.1 and session.hop.lmtp:
                    # It may have said that it took the message for others.
                    doubtful.add(subject)
                return "cut" if chance < 0.1 else "451 4.3.0 later" if chance < 0.15 else "550 5.7.1 no" if chance < 0.2 else None
            chance = numbers.random()
            limit = 0.02 if step in ("connect", "ehlo", "rset") else 0.08
            if chance < limit:
                told = numbers.choice(["cut", "421 4.3.2 bye", "451 4.3.0 later", "550 5.7.1 no"])
                if step == "rcpt" and told[:3] == "550":
                    gone.add((current[0], argument))
                return told
            return None

        current = [0]
        for lmtp in False, True:
            doubtful, gone = set(), set()
            with self.subTest(lmtp=lmtp), ScriptedHop(lmtp=lmtp, answer=answer) as hop, Relay(hop, threads=1) as relay:
                acknowledged, refused, partly = {}, set(), set()
                with relay.client() as client:
                    for number in range(1000):
                        current[0] = number
                        recipients = numbers.sample(["fred@example.org", "wilma@example.org", "team@example.org", "away@example.org",
                                                     "anna@example.org", "info@example.org"], numbers.randrange(1, 4))
                        client.ask("MAIL FROM:<me@elsewhere.example>")
                        taken = [one for one in recipients if client.ask(f"RCPT TO:<{one}>")[:2] == "25"]
                        reply = client.ask("DATA")
                        if reply.startswith("354"):
                            reply = client.ask(f"Subject: {number}\r\n\r\n.x\r\n{'y' * 500}\r\n.")
                        else:
                            client.ask("RSET")
                        if reply == OK:
                            acknowledged[number] = taken
                        elif reply.startswith("554 5.3.0 The message reached"):
                            partly.add(number)
                        else:
                            self.assertRegex(reply, r"\A[45]")
                            refused.add(number)
                self.assertGreater(len(acknowledged), 400)
                self.assertGreater(len(refused), 100)
                leads = {"team@example.org": ["fred@example.org", "wilma@example.org"], "info@example.org": ["fred@example.org"],
                         "away@example.org": ["away@elsewhere.example"],
                         "anna@example.org": ["anna@example.org", "anna@elsewhere.example"]}
                arrived = {}
                for message in hop.messages:
                    number = int(re.match(rb"Subject: (\d+)\r\n", message.body)[1])
                    self.assertTrue(message.body.endswith(b"\r\n\r\nx\r\n" + b"y" * 500 + b"\r\n"), message.body)
                    self.assertNotIn(number, arrived, "twice")
                    arrived[number] = sorted(message.recipients)
                for number, taken in acknowledged.items():
                    wanted = {to for one in taken for to in leads.get(one, [one])}
                    self.assertLessEqual(set(arrived[number]), wanted)
                    # Whom the hop refuses for good is left out of several.
                    for missed in wanted.difference(arrived[number]):
                        self.assertIn((number, missed), gone)
                for number in refused:
                    if number in arrived:
                        self.assertIn(number, doubtful)

    def test_a_reload_with_other_hops(self):
        with ScriptedHop() as one, ScriptedHop() as two, Relay(one) as relay, relay.client() as client:
            client.ask("MAIL FROM:<>")
            client.ask("RCPT TO:<fred@example.org>")
            relay.configure(next_hops=[{"name": "hop", "smtp": two.address}])
            relay.process.send_signal(signal.SIGHUP)
            relay.log.wait("configuration-reloaded")
            # What is under way goes where it was going.
            client.ask("DATA")
            self.assertEqual(client.ask("x\r\n."), OK)
            self.assertEqual(len(one.messages), 1)
            with relay.client() as other:
                self.assertEqual(send(other, ["fred@example.org"])[-1], OK)
            self.assertEqual(len(two.messages), 1)


if __name__ == "__main__":
    unittest.main()
