"""Clients that break the rules, by mistake or on purpose."""

import itertools
import random
import resource
import select
import socket
import struct
import threading
import time
import unittest

from service import PATIENCE, VERDICTS, Service

# What it says depends on where in the line the octet is; that it is one refusal, and no answer, does not.
STRAY = r"^50[01] 5\.5\.2 "
STAFF = (
    "250-2.1.5 Fred Claude <fred@example.org>\n250-2.1.5 Wilma Stone <wilma@example.org>\n"
    "250 2.1.5 Sam Q. Smith <sam@elsewhere.example>")
TOO_LONG = "500 5.5.2 Line too long"
# For idle and write time-outs: the least that may be configured.
SHORT = "1s"


def questions(count, seed=821):
    """As many commands, and the replies that are due, in a fixed order that looks like none."""
    chance = random.Random(seed)
    names = [chance.choice(list(VERDICTS)) for _ in range(count)]
    return b"".join(f"VRFY {name}\r\n".encode() for name in names), [VERDICTS[name] for name in names]


class HostileTest(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        # The tests make more wrong commands than a session is allowed by default.
        limits = {"errors": 1000, **cls.settings.get("limits", {})}
        cls.service = cls.enterClassContext(Service(**{**cls.settings, "limits": limits}))

    def assertServes(self, client):
        self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])

    def assertReplies(self, given, expected):
        """Says where two long lists part, without printing them."""
        for index, (one, other) in enumerate(zip(given, expected)):
            self.assertEqual(one, other, f"reply {index} of {len(expected)}")
        self.assertEqual(len(given), len(expected), "replies")


class Framing(HostileTest):
    def test_a_bare_lf_a_bare_cr_and_a_nul_are_no_line_ends(self):
        with self.service.client() as client:
            for line in [b"VRFY fred\nVRFY wilma", b"VRFY fred\rVRFY wilma", b"VRFY fred\0", b"\0VRFY fred", b"\n",
                         b"VRFY fred\r", b"VRFY fred\x7f", b"VRFY \x1b[2J", b"\r", b"VRFY fred\n.\n"]:
                self.assertRegex(client.ask(line), STRAY, line)
            self.assertServes(client)

    def test_a_line_without_cr_waits_for_its_end(self):
        with self.service.client() as client:
            client.send(b"VRFY fred\n")
            self.assertRegex(client.ask("VRFY fred"), STRAY)
            self.assertServes(client)

    def test_a_line_of_100_kB_gets_one_reply(self):
        with self.service.client() as client:
            for filler in [b"x" * 100_000, b" " * 100_000, b"VRFY " + b"\r" * 100_000, b"\n" * 100_000,
                           b"RCPT TO:<" + b"a" * 100_000 + b"@example.org>"]:
                self.assertEqual(client.ask(filler), TOO_LONG)
            self.assertServes(client)

    def test_a_line_may_have_512_octets_and_no_more(self):
        with self.service.client() as client:
            name = "x" * (512 - len("VRFY \r\n"))
            self.assertEqual(client.ask(f"VRFY {name}"), VERDICTS["nobody"])
            self.assertEqual(client.ask(f"VRFY {name}x"), TOO_LONG)
            self.assertServes(client)

    def test_a_path_makes_room_for_itself(self):
        """A local-part and a domain of 255 octets each, every octet of the one with a backslash."""
        path = '"' + "\\a" * 255 + '"@' + "b." * 127 + "b"
        with self.service.client() as client:
            self.assertEqual(client.ask(f"MAIL FROM:<{path}>"), "250 2.1.0 OK")
            self.assertEqual(client.ask(f"RCPT TO:<{path}>"), "550 5.7.1 Relaying denied: not a domain of this server")
            self.assertEqual(client.ask(f"VRFY {path}"), VERDICTS["nobody@elsewhere.example"])
            room = " " * (512 - len("RCPT TO:\r\n") - 256)
            self.assertEqual(client.ask(f"RCPT TO:{room}<{path}>")[:4], "550 ")
            self.assertEqual(client.ask(f"RCPT TO:{room} <{path}>"), TOO_LONG)
            self.assertServes(client)

    def test_invalid_utf_8_is_refused(self):
        malformed = [b"\xff", b"\xc0\xaf", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xe2\x82",
                     b"fred\xf0\x9f"]
        with self.service.client() as client:
            client.ask("EHLO client.example")
            for octets in malformed:
                for command in [b"VRFY %s SMTPUTF8", b"EXPN %s SMTPUTF8", b"VRFY %s", b"VRFY \"%s\" SMTPUTF8",
                                b"VRFY <%s@example.org> SMTPUTF8", b"EHLO %s", b"MAIL FROM:<%s@x.example> SMTPUTF8",
                                b"%s"]:
                    self.assertRegex(client.ask(command % octets), "^5(00|01|53) ", command % octets)
                self.assertEqual(client.ask("MAIL FROM:<> SMTPUTF8"), "250 2.1.0 OK")
                self.assertRegex(client.ask(b"RCPT TO:<%s@example.org>" % octets), "^5(01|53) 5")
                self.assertRegex(client.ask(b"RCPT TO:<fred@%s.example>" % octets), "^5(01|53) 5")
                client.ask("RSET")
            self.assertServes(client)

    def test_utf_8_without_smtputf8_is_refused(self):
        with self.service.client() as client:
            self.assertTrue(client.ask("VRFY jürgen").startswith("553 5.6.7 "))
            self.assertEqual(client.ask("VRFY jürgen SMTPUTF8"), "250 2.1.5 Jürgen Groß <jürgen@example.org>")
            client.ask("MAIL FROM:<>")
            self.assertTrue(client.ask("RCPT TO:<jürgen@example.org>").startswith("553 5.6.7 "))

    def test_a_sender_of_single_octets_is_served(self):
        with self.service.client() as client:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for command in ["VRFY fred", "EXPN info", "VRFY \"fre\\d\""]:
                for octet in command.encode() + b"\r\n":
                    client.send(bytes([octet]))
                self.assertEqual(client.reply(), VERDICTS["fred"])

    def test_segments_may_end_anywhere(self):
        commands, expected = questions(60)
        chance = random.Random(5321)
        with self.service.client() as client:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            start = 0
            while start < len(commands):
                end = start + chance.randrange(1, 40)
                client.send(commands[start:end])
                start = end
            self.assertReplies([client.reply() for _ in expected], expected)


class Quoting(HostileTest):
    def test_300_spellings_of_one_name_are_one_name(self):
        quoted = ['"' + "".join(pair) + '"'
                  for pair in itertools.product(*[(letter, "\\" + letter) for letter in "fred"])]
        cases = [str.lower, str.upper, str.title, str.swapcase]
        domains = ["example.org", "EXAMPLE.ORG", "alias.example"]
        forms = ["{}@{}", "<{}@{}>", "Some Name <{}@{}>", '"A <b@c> Name" <{}@{}>', "<@a.example,@b.example:{}@{}>",
                 "{}@{}  "]
        spellings = [form.format(case(local), domain)
                     for form in forms for case in cases for local in ["fred", *quoted] for domain in domains]
        spellings += [case(local) for case in cases for local in ["fred", *quoted]]
        chosen = random.Random(3696).sample(spellings, 300)
        with self.service.client() as client:
            client.send("".join(f"VRFY {spelling}\r\n" for spelling in chosen))
            for spelling in chosen:
                self.assertEqual(client.reply(), VERDICTS["fred"], spelling)

    def test_what_is_no_name_is_501(self):
        wrong = ['"fred', 'fred"@example.org', '"fred"x@example.org', "fred@", "@example.org", "<fred@example.org",
                 "<fred@example.org>>", "<fred@exa mple.org>", "fred@example..org", "fred@example.org.",
                 "fred@.example.org", "fred@@example.org", "fred@-example.org", '""', "<>",
                 '"fred\\', "fred@[1.2.3]", "fred@[IPv6:::::]", "<@:fred@example.org>", "a" * 256 + "@example.org",
                 "fred@" + "a" * 64 + ".org"]
        with self.service.client() as client:
            for name in wrong:
                self.assertRegex(client.ask(f"VRFY {name}"), "^501 5\\.(1\\.3|5\\.4) ", name)
            for name in ["", " "]:
                self.assertRegex(client.ask(f"VRFY{name}"), "^501 5\\.5\\.4 ")
            self.assertServes(client)


class Pipelining(HostileTest):
    def test_10000_commands_in_one_write_are_answered_in_order(self):
        commands, expected = questions(10_000)
        with self.service.client() as client:
            sender = threading.Thread(target=client.send, args=[commands + b"QUIT\r\n"])
            sender.start()
            replies = client.replies()
            sender.join()
            self.assertEqual(replies.pop()[:4], "221 ")
            self.assertReplies(replies, expected)

    def test_commands_of_all_kinds_keep_their_order(self):
        turns = [
            ("EHLO client.example", "250-"), ("MAIL FROM:<>", "250 2.1.0"), ("RCPT TO:<fred@example.org>", "250 2.1.5"),
            ("VRFY fred", "250 2.1.5 Fred"), ("RCPT TO:<nobody@example.org>", "550 5.1.1 No"), ("bad", "500 5.5.2"),
            ("RCPT TO:<gone@example.org>", "551 5.1.6"), ("EXPN staff", "250-2.1.5 Fred"), ("NOOP", "250 2.0.0"),
            ("MAIL FROM:<>", "503 5.5.1"), ("RSET", "250 2.0.0"), ("RCPT TO:<fred@example.org>", "503 5.5.1"),
            ("VRFY away", "251 2.1.5"), ("HELP", "214 2.0.0"), ("VRFY sam", "553-5.1.4"), ("DATA", "503 5.5.1")]
        rounds = 50
        with self.service.client() as client:
            client.send("".join(command + "\r\n" for command, _ in turns) * rounds)
            for number, (command, start) in itertools.product(range(rounds), turns):
                self.assertTrue(client.reply().startswith(start), f"round {number}: {command}")

    def test_half_close_after_the_last_command_gets_all_replies(self):
        for count in [1, 50, 10_000]:
            with self.subTest(count=count), self.service.client() as client:
                commands, expected = questions(count)
                sender = threading.Thread(target=send_and_shut, args=[client, commands])
                sender.start()
                replies = client.replies()
                sender.join()
                self.assertReplies(replies, expected)

    def test_half_close_before_reading_anything_gets_all_replies(self):
        self.check_replies_to_a_late_reader(b"")

    def test_quit_before_reading_anything_gets_all_replies(self):
        self.check_replies_to_a_late_reader(b"QUIT\r\n")

    def test_half_close_with_more_than_the_kernels_hold_gets_all_replies(self):
        count = 100_000
        with self.service.client() as client:
            sender = threading.Thread(target=send_and_shut, args=[client, b"VRFY fred\r\n" * count])
            sender.start()
            sender.join(2)
            replies = client.replies()
            sender.join()
            self.assertEqual((len(replies), set(replies)), (count, {VERDICTS["fred"]}))

    def check_replies_to_a_late_reader(self, last):
        # More replies than the kernels on both sides hold: the server has to keep some until the client reads.
        count = 45_000
        with self.service.client(receive_buffer=4096) as client:
            sender = threading.Thread(target=send_and_shut, args=[client, b"EXPN staff\r\n" * count + last])
            sender.start()
            sender.join(2)
            replies = client.replies()
            sender.join()
            if last:
                self.assertEqual(replies.pop()[:4], "221 ")
            self.assertReplies(replies, [STAFF] * count)

    def test_nothing_is_answered_after_quit(self):
        with self.service.client() as client:
            client.send(b"VRFY fred\r\nQUIT\r\nVRFY wilma\r\n" + b"NOOP\r\n" * 1000)
            replies = client.replies()
            self.assertEqual(len(replies), 2, replies)
            self.assertEqual(replies[0], VERDICTS["fred"])
            self.assertTrue(replies[1].startswith("221 2.0.0 mail.example.org "))

    def test_half_a_command_and_half_close_get_no_reply(self):
        with self.service.client() as client:
            client.send(b"NOOP\r\nVRFY fre")
            client.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(client.replies(), ["250 2.0.0 OK"])


def send_and_shut(client, data):
    client.send(data)
    client.socket.shutdown(socket.SHUT_WR)


class OneQuestionAtATime(HostileTest):
    settings = {"limits": {"pipelined-questions": 1}}

    def test_the_least_limit_of_pipelined_questions_keeps_order_and_loses_nothing(self):
        commands, expected = questions(2000)
        with self.service.client() as client:
            sender = threading.Thread(target=client.send, args=[commands + b"QUIT\r\n"])
            sender.start()
            replies = client.replies()
            sender.join()
            self.assertEqual(replies.pop()[:4], "221 ")
            self.assertReplies(replies, expected)


class Silence(HostileTest):
    settings = {"timeouts": {"idle": "2s"}}

    def test_half_a_command_and_silence_is_421(self):
        with self.service.client() as client:
            client.send(b"VRFY fre")
            self.assertRegex(client.reply(), "^421 4\\.4\\.2 mail\\.example\\.org ")
            self.assertIsNone(client.reply())

    def test_silence_from_the_start_is_421(self):
        with self.service.client() as client:
            self.assertRegex(client.reply(), "^421 4\\.4\\.2 ")
            self.assertIsNone(client.reply())

    def test_whoever_goes_on_asking_is_not_cut(self):
        with self.service.client() as client:
            end = time.monotonic() + 5
            while time.monotonic() < end:
                self.assertServes(client)
                # The pace of the client, not synchronisation: well within the idle time.
                time.sleep(0.2)

    def test_a_command_that_never_ends_is_421(self):
        # The time-out is for the next command: octets that bring none must not hold a connection for ever.
        with self.service.client() as client:
            for _ in range(40):
                client.send(b"x")
                if select.select([client.socket], [], [], 0.25)[0]:
                    break
            else:
                self.fail("after 10 s of single octets the connection is still open")
            self.assertRegex(client.reply(), "^421 4\\.4\\.2 ")

    def test_whoever_is_slow_to_read_is_not_idle(self):
        # The commands were sent; that the server does not read them is not the client's silence.
        with self.service.client(receive_buffer=4096) as client:
            count = fill(client, b"QUIT\r\n")
            # The pace of the client: longer than the idle time, far shorter than the write time-out.
            time.sleep(3)
            replies = client.replies()
            self.assertEqual(replies.pop()[:4], "221 ")
            self.assertReplies(replies, [STAFF] * count)


def fill(client, last=b""):
    """Sends whole questions without reading until nothing more is taken, then the last words; returns how many."""
    command = b"EXPN staff\r\n"
    client.socket.setblocking(False)
    sent = 0
    poll = select.poll()
    poll.register(client.socket, select.POLLOUT)
    while poll.poll(500):
        sent += send_some(client.socket, (command * 1000)[sent % len(command):])
        if sent > 256 << 20:
            raise AssertionError("the server reads on although nobody takes its replies")
    client.socket.settimeout(PATIENCE)
    rest = -sent % len(command)
    # The server takes this as soon as the client reads.
    threading.Thread(target=client.send, args=[command[len(command) - rest:] + last], daemon=True).start()
    return (sent + rest) // len(command)


class Deaf(HostileTest):
    settings = {"timeouts": {"write": SHORT}}

    def test_a_client_that_never_reads_is_cut_and_holds_little_memory(self):
        with self.service.client() as other:
            self.assertServes(other)
            before = self.service.memory()
            with self.service.client(receive_buffer=4096) as client:
                sent, most = flood(
                    client, b"EXPN staff\r\n" * 1000, self.service.memory, lambda: self.assertServes(other))
                self.assertGreater(sent, 0)
            self.assertLess(most - before, 32 << 20, "octets more in memory")
            self.service.log.wait("connection-failed .*does not read", patience=PATIENCE)
            self.assertServes(other)

    def test_many_clients_that_never_read_hold_little_memory(self):
        before = self.service.memory()
        clients = [self.service.client(receive_buffer=4096) for _ in range(20)]
        try:
            commands = b"EXPN staff\r\n" * 20_000
            for client in clients:
                client.socket.setblocking(False)
                send_some(client.socket, commands)
            most = self.service.memory()
            for client in clients:
                send_some(client.socket, commands)
                most = max(most, self.service.memory())
            # What the others have asked comes before.
            with self.service.client(timeout=120) as other:
                self.assertServes(other)
            self.assertLess(most - before, 64 << 20, "octets more in memory")
        finally:
            for client in clients:
                client.close()


def send_some(sock, data):
    try:
        return sock.send(data)
    except (BlockingIOError, ConnectionError):
        return 0


def flood(client, data, memory, meanwhile):
    """Sends without reading until the server cuts the connection; returns how much was sent and the most memory."""
    client.socket.setblocking(False)
    sent = most = 0
    deadline = time.monotonic() + PATIENCE
    poll = select.poll()
    poll.register(client.socket, select.POLLOUT)
    while time.monotonic() < deadline and sent < 256 << 20:
        for _, events in poll.poll(100):
            if events & (select.POLLERR | select.POLLHUP):
                return sent, most
            sent += send_some(client.socket, data)
        most = max(most, memory())
        meanwhile()
    raise AssertionError(f"{sent} octets were sent, and the connection was not cut")


class Crowd(unittest.TestCase):
    def test_2000_connections_at_once_are_served(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 2000 + 200
        if hard != resource.RLIM_INFINITY and hard < wanted:
            self.skipTest(f"this user may have {hard} files open, and {wanted} are needed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with Service() as service:
            clients = [service.client(greeted=False) for _ in range(2000)]
            try:
                for client in clients:
                    self.assertTrue(client.reply().startswith("220 "))
                for client in clients:
                    client.send(b"VRFY fred\r\nVRFY nobody\r\n")
                for client in clients:
                    self.assertEqual(client.reply(), VERDICTS["fred"])
                    self.assertEqual(client.reply(), VERDICTS["nobody"])
                self.assertLess(service.memory(), 200 << 20)
            finally:
                for client in clients:
                    client.close()
            with service.client() as client:
                self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])

    def test_connections_cut_in_mid_command_are_given_back(self):
        with Service(limits={"connections": 5}) as service:
            for number in range(100):
                client = admitted(service)
                client.send(b"VRFY fred\r\nEXPN staff\r\nVRFY fr"[: number % 30 + 1])
                # A reset, as from a client that has crashed.
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", number % 2, 0))
                client.close()
            with admitted(service) as client:
                self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])

    def test_one_connection_too_many_is_told_421(self):
        with Service(limits={"connections": 3}) as service:
            clients = [service.client() for _ in range(3)]
            with service.client() as refused:
                self.assertRegex(refused.greeting, "^421 4\\.3\\.2 mail\\.example\\.org ")
                self.assertIsNone(refused.reply())
            for client in clients:
                self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
            self.assertTrue(clients[0].ask("QUIT").startswith("221 "))
            clients[0].close()
            admitted(service).close()
            for client in clients[1:]:
                client.close()


def admitted(service):
    """A client, as soon as there is room for it: the server may not have seen yet that another has gone."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        client = service.client()
        if client.greeting.startswith("220 "):
            return client
        client.close()
    raise AssertionError(f"there is no room: {client.greeting}")


class Errors(unittest.TestCase):
    def test_too_many_errors_are_421(self):
        with Service(limits={"errors": 3}) as service, service.client() as client:
            # A name that nobody has is no error.
            for _ in range(5):
                self.assertEqual(client.ask("VRFY nobody"), VERDICTS["nobody"])
            client.send(b"x\r\nVRFY\r\nMAIL\r\nNOOP\r\nNOOP\r\n")
            replies = client.replies()
            self.assertEqual([reply[:9] for reply in replies], ["500 5.5.2", "501 5.5.4", "501 5.5.4", "421 4.7.0"])


class QuestionsPerMinute(unittest.TestCase):
    def test_too_many_questions_are_450_then_421(self):
        clients = [{"name": "counted", "networks": ["127.0.0.2"], "vrfy": "full", "expn": "full", "rcpt": "full",
                    "questions-per-minute": 5}]
        with Service(clients=clients) as service:
            with service.client(source="127.0.0.2") as client:
                for _ in range(5):
                    self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
                self.assertTrue(client.ask("VRFY fred").startswith("450 4.7.1 "))
                self.assertTrue(client.ask("EXPN fred").startswith("450 4.7.1 "))
                # Bounces and postmaster are never refused for policy.
                self.assertEqual(client.ask("MAIL FROM:<>"), "250 2.1.0 OK")
                self.assertTrue(client.ask("RCPT TO:<fred@example.org>").startswith("450 4.7.1 "))
                for recipient in ["postmaster", "Postmaster@example.org", "POSTMASTER@second.example"]:
                    self.assertEqual(client.ask(f"RCPT TO:<{recipient}>"), "250 2.1.5 OK")
                client.send(b"VRFY fred\r\n" * 100)
                replies = client.replies()
                self.assertLess(len(replies), 100)
                for reply in replies[:-1]:
                    self.assertTrue(reply.startswith("450 4.7.1 "), reply)
                self.assertTrue(replies[-1].startswith("421 4.7.0 "), replies[-1])
            with service.client(source="127.0.0.2") as client:
                # Another connection is no other client, but postmaster is still there.
                client.ask("MAIL FROM:<>")
                self.assertEqual(client.ask("RCPT TO:<postmaster>"), "250 2.1.5 OK")
                self.assertRegex(client.ask("VRFY fred"), "^(450 4.7.1|421 4.7.0) ")
            with service.client(source="127.0.0.3") as client:
                client.ask("MAIL FROM:<>")
                self.assertEqual(client.ask("RCPT TO:<fred@example.org>"), "250 2.1.5 OK")


class Classes(unittest.TestCase):
    closed = {"VRFY": "252 2.7.0 Cannot VRFY user, but will accept message and attempt delivery",
              "EXPN": "252 2.7.0 Unable to verify members of mailing list"}

    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service(
            clients=[
                {"name": "strangers", "networks": ["127.0.0.2/32"], "vrfy": "closed", "expn": "closed",
                 "rcpt": "existence"},
                {"name": "partners", "networks": ["127.0.0.3"], "vrfy": "existence", "expn": "full",
                 "rcpt": "existence"},
                {"name": "home", "networks": ["127.0.0.0/8"], "trusted": True, "vrfy": "full", "expn": "full",
                 "rcpt": "full", "questions-per-minute": "unlimited"}],
            listeners=[{"smtp": "127.0.0.1:0"}, {"smtp": "127.0.0.1:0", "clients": ["home"]}]))

    def client(self, source, **options):
        return self.enterContext(self.service.client(source=source, **options))

    def test_closed_vrfy_and_expn_tell_nothing(self):
        client = self.client("127.0.0.2")
        names = [*VERDICTS, "sam", "secret", "team", "postmaster", "fred+detail", "x@catch.example"]
        for name in names:
            for verb in ["VRFY", "EXPN"]:
                self.assertEqual(client.ask(f"{verb} {name}"), self.closed[verb], name)

    def test_ehlo_lists_only_what_a_client_may_use(self):
        both = {"VRFY", "EXPN"}
        for source, expected in [("127.0.0.2", set()), ("127.0.0.3", both), ("127.0.0.1", both)]:
            keywords = {line[4:] for line in self.client(source).ask("EHLO client.example").split("\n")}
            self.assertEqual(keywords & both, expected, source)

    def test_rcpt_hides_where_people_have_gone(self):
        for source in ["127.0.0.2", "127.0.0.3"]:
            client = self.client(source)
            client.ask("MAIL FROM:<>")
            self.assertEqual(client.ask("RCPT TO:<away@example.org>"), "250 2.1.5 OK")
            self.assertEqual(client.ask("RCPT TO:<gone@example.org>"), "550 5.1.6 User has moved")
            self.assertEqual(client.ask("RCPT TO:<fred@example.org>"), "250 2.1.5 OK")
            self.assertEqual(client.ask("RCPT TO:<nobody@example.org>"), "550 5.1.1 No such user here")

    def test_home_is_told_where_people_have_gone(self):
        client = self.client("127.0.0.1")
        client.ask("MAIL FROM:<>")
        self.assertEqual(client.ask("RCPT TO:<away@example.org>"), VERDICTS["away"])
        self.assertEqual(client.ask("RCPT TO:<gone@example.org>"), VERDICTS["gone"])

    def test_existence_tells_neither_names_nor_other_addresses(self):
        client = self.client("127.0.0.3")
        expected = {
            "fred": "250 2.1.5 <fred@example.org>", "claude": "250 2.1.5 <fred@example.org>",
            "info": "250 2.1.5 <info@example.org>", "away": "250 2.1.5 <away@example.org>",
            "gone": "550 5.1.6 User has moved", "sam": "553 5.1.4 User ambiguous",
            "staff": "250 2.1.5 <staff@example.org>", "x@catch.example": "250 2.1.5 <x@catch.example>",
            "nobody": VERDICTS["nobody"]}
        for name, reply in expected.items():
            self.assertEqual(client.ask(f"VRFY {name}"), reply, name)

    def test_expn_shows_a_client_that_is_not_trusted_open_lists_only(self):
        client = self.client("127.0.0.3")
        self.assertEqual(client.ask("EXPN open"), "250 2.1.5 Wilma Stone <wilma@example.org>")
        for name in ["staff", "secret"]:
            self.assertEqual(client.ask(f"EXPN {name}"), "550 5.7.2 Access Denied to You", name)

    def test_a_listener_admits_the_classes_it_names(self):
        address = self.service.addresses[1]
        self.assertTrue(self.client("127.0.0.1", address=address).greeting.startswith("220 "))
        refused = self.client("127.0.0.2", address=address)
        self.assertTrue(refused.greeting.startswith("554 "), refused.greeting)
