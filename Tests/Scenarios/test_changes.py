"""What an administrator changes is known to the very next question, on a connection that is open already."""

import itertools
import socket
import struct
import unittest

from service import VERDICTS, Service

# Each turn: a command, a question, and the answer that is due from then on.
TURNS = [
    ("user add nina@example.org --name Nina", "VRFY nina", "250 2.1.5 Nina <nina@example.org>"),
    ("user set nina@example.org --name Ninette", "VRFY ninette", "250 2.1.5 Ninette <nina@example.org>"),
    ("user set nina@example.org --status disabled", "RCPT TO:<nina@example.org>", "550 5.2.1 Mailbox disabled"),
    ("user set nina@example.org --status full", "RCPT TO:<nina@example.org>", "452 4.2.2 Mailbox full"),
    ("user set nina@example.org --status active", "RCPT TO:<nina@example.org>", "250 2.1.5 OK"),
    ("list join open@example.org nina@example.org", "EXPN open",
     "250-2.1.5 Wilma Stone <wilma@example.org>\n250 2.1.5 Ninette <nina@example.org>"),
    ("list leave open@example.org nina@example.org", "EXPN open", VERDICTS["wilma@example.org"]),
    ("forward add nina@example.org --to nina@elsewhere.example", "VRFY nina",
     "251 2.1.5 User not local; will forward to <nina@elsewhere.example>"),
    ("forward set nina@example.org --to n@elsewhere.example", "RCPT TO:<nina@example.org>",
     "251 2.1.5 User not local; will forward to <n@elsewhere.example>"),
    ("forward set nina@example.org --keep-copy", "VRFY nina", "250 2.1.5 Ninette <nina@example.org>"),
    ("forward rm nina@example.org", "RCPT TO:<nina@example.org>", "250 2.1.5 OK"),
    ("alias add ninon@example.org --to nina@example.org", "VRFY ninon", "250 2.1.5 Ninette <nina@example.org>"),
    ("alias rm ninon@example.org", "VRFY ninon", VERDICTS["nobody"]),
    ("user rm nina@example.org", "VRFY nina", VERDICTS["nobody"]),
    ("moved add nina@example.org --to nina@elsewhere.example", "RCPT TO:<nina@example.org>",
     "551 5.1.6 User not local; please try <nina@elsewhere.example>"),
    ("moved set nina@example.org --no-to", "VRFY nina", "550 5.1.6 User has moved"),
    ("moved rm nina@example.org", "VRFY nina", VERDICTS["nobody"]),
    ("domain add third.example --catch-all fred@example.org", "VRFY x@third.example", VERDICTS["fred"]),
    ("domain set third.example --no-catch-all", "VRFY x@third.example", VERDICTS["nobody"]),
    ("domain rm third.example", "VRFY x@third.example", VERDICTS["nobody@elsewhere.example"]),
]


class Changes(unittest.TestCase):
    def test_200_changes_are_seen_by_the_very_next_question(self):
        with Service() as service, service.client() as client, service.client() as other:
            self.assertEqual(client.ask("MAIL FROM:<>"), "250 2.1.0 OK")
            self.assertEqual(other.ask("MAIL FROM:<>"), "250 2.1.0 OK")
            for number, (command, question, answer) in zip(range(200), itertools.cycle(TURNS)):
                service.change(*command.split())
                # Both connections, which may be on different event loops, alternately first.
                for asker in [client, other] if number % 2 else [other, client]:
                    self.assertEqual(asker.ask(question), answer, f"change {number}: {command}")

    def test_a_change_is_seen_between_two_questions_of_a_busy_connection(self):
        # What is remembered for one batch of pipelined questions must not outlive it.
        with Service() as service, service.client() as client:
            burst = b"VRFY nina\r\n" * 100
            for number in range(10):
                client.send(burst)
                self.assertEqual([client.reply() for _ in range(100)], [VERDICTS["nobody"]] * 100)
                service.change("user", "add", "nina@example.org")
                client.send(burst)
                self.assertEqual([client.reply() for _ in range(100)], ["250 2.1.5 <nina@example.org>"] * 100)
                service.change("user", "rm", "nina@example.org")

    def test_the_command_line_and_the_wire_say_the_same(self):
        with Service() as service, service.client() as client:
            for name in [*VERDICTS, "sam", "team", "fred+x", "x@catch.example", "bjorn SMTPUTF8"]:
                done = service.run("verify", name.removesuffix(" SMTPUTF8"))
                self.assertEqual(client.ask(f"VRFY {name}"), done.stdout.rstrip("\n"), name)
            for name in ["staff", "open", "team", "fred", "away", "gone", "nobody", "anna"]:
                done = service.run("expand", "--as", "trusted", name)
                self.assertEqual(client.ask(f"EXPN {name}"), done.stdout.rstrip("\n"), name)

    def test_a_client_that_is_gone_at_quit_leaves_no_old_view_behind(self):
        # The connection ends in the middle of a read, which gets no end: the next question must have a view of its own.
        for number in range(10):
            with Service(threads=1) as service, service.client() as other, service.client() as gone:
                gone.send(b"VRFY fred\r\n" * 50 + b"QUIT\r\n")
                gone.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                gone.close()
                service.change("user", "add", f"late{number}@example.org", "--name", "Late")
                self.assertEqual(other.ask(f"VRFY late{number}"), f"250 2.1.5 Late <late{number}@example.org>")
