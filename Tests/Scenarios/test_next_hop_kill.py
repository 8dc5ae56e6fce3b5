"""A next hop is killed under traffic, and so are we: what got 250 arrives, whole; what was refused before its end does not."""

import os
import random
import re
import signal
import threading
import time
import unittest
from collections import Counter

from handing import through
from hops import Dovecot, PostfixHop, below
from test_next_hop_dovecot import lmtp

MESSAGES = 400
CLIENTS = 8
RECIPIENTS = ["fred@example.org", "wilma@example.org", "info@example.org"]
BODY = b"y" * 60 + b"\n"


class Traffic:
    """Clients that send numbered messages, each to one person, and remember what they were told, and when."""

    def __init__(self, mail):
        self.mail = mail
        self.told = {}
        self.lock = threading.Lock()
        self.next = 0
        self.threads = [threading.Thread(target=self.work) for _ in range(CLIENTS)]

    def work(self):
        while True:
            with self.lock:
                number, self.next = self.next, self.next + 1
            if number >= MESSAGES:
                return
            try:
                self.told[number] = self.send(number)
            except (OSError, AssertionError, EOFError):
                # We were killed ourselves.
                self.told[number] = ("lost", "")
                time.sleep(0.05)

    def send(self, number):
        """The step that was answered last, and the reply."""
        with self.mail.client() as client:
            if client.greeting is None:
                raise EOFError
            for step, command in [("mail", "MAIL FROM:<me@client.example>"),
                                  ("rcpt", f"RCPT TO:<{RECIPIENTS[number % len(RECIPIENTS)]}>"), ("data", "DATA")]:
                reply = self.answer(client, command.encode() + b"\r\n")
                if reply[0] not in "23":
                    return step, reply
            for part in [f"Subject: {number}\n\n".encode(), *[BODY * 50] * (number % 20)]:
                client.send(part.replace(b"\n", b"\r\n"))
            return "end", self.answer(client, b".\r\n")

    def answer(self, client, octets):
        client.send(octets)
        reply = client.reply()
        if reply is None:
            raise EOFError
        return reply

    def run(self, disturb):
        """Until all are sent; meanwhile `disturb` is called again and again."""
        for thread in self.threads:
            thread.start()
        while any(thread.is_alive() for thread in self.threads):
            disturb()
        for thread in self.threads:
            thread.join()

    def arrived(self, hop):
        """How often each number arrived; each of them whole."""
        found = Counter()
        for _, octets in hop.arrived():
            text = below(octets)
            number = int(re.match(rb"Subject: (\d+)\n\n", text)[1])
            if text != f"Subject: {number}\n\n".encode() + BODY * 50 * (number % 20):
                raise AssertionError(f"message {number} is not whole: {len(text)} octets")
            found[number] += 1
        return found

    def numbers(self, step, codes):
        return {number for number, told in self.told.items() if told[0] == step and told[1][:1] in codes}


class Killed(unittest.TestCase):
    def setUp(self):
        self.chance = random.Random(os.environ.get("SCENARIO_SEED"))

    def check(self, traffic, hop):
        self.assertEqual(len(traffic.told), MESSAGES)
        arrived = traffic.arrived(hop)
        taken = traffic.numbers("end", "2")
        late = traffic.numbers("end", "45")
        lost = {number for number, told in traffic.told.items() if told[0] == "lost"}
        early = set(traffic.told) - taken - late - lost
        # Nobody is refused for good because a server was killed.
        self.assertEqual({told for told in traffic.told.values() if told[1][:1] == "5"}, set())
        self.assertLessEqual(taken, set(arrived))
        self.assertEqual(early & set(arrived), set(), {number: traffic.told[number] for number in early & set(arrived)})
        twice = {number for number, count in arrived.items() if count > 1}
        self.assertEqual(twice, set())
        told = Counter((step, reply[:9]) for step, reply in traffic.told.values())
        print(f"\n  {len(taken)} taken; refused after the final dot: {len(late)}, of which {len(late & set(arrived))} arrived;"
              f" before it: {len(early)}; cut off: {len(lost)}, of which {len(lost & set(arrived))} arrived;"
              f"\n  {dict(told)}", flush=True)
        return taken, late, early

    def test_the_smtpd_of_the_hop(self):
        with PostfixHop() as hop, through(hop) as mail:
            traffic = Traffic(mail)

            def disturb():
                time.sleep(self.chance.uniform(0.01, 0.3))
                if found := hop.processes("smtpd"):
                    try:
                        os.kill(self.chance.choice(found), signal.SIGKILL)
                    except ProcessLookupError:
                        pass

            traffic.run(disturb)
            taken, late, early = self.check(traffic, hop)
            self.assertGreater(len(taken), MESSAGES // 4)
            self.assertTrue(late or early, "nobody was killed in time")

    def test_the_whole_hop(self):
        with PostfixHop() as hop, through(hop) as mail:
            traffic = Traffic(mail)

            def disturb():
                time.sleep(self.chance.uniform(0.1, 1.0))
                hop.kill()
                time.sleep(self.chance.uniform(0, 0.2))
                hop.launch()

            traffic.run(disturb)
            taken, late, early = self.check(traffic, hop)
            self.assertGreater(len(taken), 10)
            self.assertTrue(late or early, "nobody was killed in time")

    def test_a_hop_that_is_restarted(self):
        with PostfixHop() as hop, through(hop) as mail:
            traffic = Traffic(mail)

            def disturb():
                time.sleep(self.chance.uniform(0.3, 1.0))
                hop.stop()
                hop.launch()

            traffic.run(disturb)
            taken, _, _ = self.check(traffic, hop)
            self.assertGreater(len(taken), 10)

    def test_dovecot(self):
        with Dovecot() as hop, through(hop, next_hops=[lmtp(hop, over_unix=True)]) as mail:
            traffic = Traffic(mail)

            def disturb():
                time.sleep(self.chance.uniform(0.01, 0.3))
                if found := hop.processes("lmtp"):
                    try:
                        os.kill(self.chance.choice(found), signal.SIGKILL)
                    except ProcessLookupError:
                        pass

            traffic.run(disturb)
            taken, late, early = self.check(traffic, hop)
            self.assertGreater(len(taken), MESSAGES // 4)
            self.assertTrue(late or early, "nobody was killed in time")

    def test_ourselves(self):
        with PostfixHop() as hop, through(hop) as mail:
            traffic = Traffic(mail)
            mail.configure(**{**mail.settings, "listeners": [{"smtp": f"127.0.0.1:{mail.port}"}]})

            def disturb():
                time.sleep(self.chance.uniform(0.1, 0.6))
                mail.process.kill()
                mail.process.wait()
                mail.log.thread.join()
                mail.process.stderr.close()
                mail.start()

            traffic.run(disturb)
            self.check(traffic, hop)


if __name__ == "__main__":
    unittest.main()
