"""Clients that ask all the time, while things go wrong: every answer is checked as it comes."""

import random
import re
import threading
import time

from service import PATIENCE, VERDICTS, eventually

TROUBLE = re.compile(r"451 4\.4\.3 ")

# Known names by every way to them, what is refused for good, and what nobody has; each with the answer that is due.
QUESTIONS = {
    "VRFY fred": VERDICTS["fred"],
    "VRFY claude": VERDICTS["fred"],
    "VRFY fclaude": VERDICTS["fred"],
    "VRFY info@example.org": VERDICTS["info"],
    "VRFY anna@alias.example": VERDICTS["anna"],
    "VRFY away": VERDICTS["away"],
    "VRFY gone@example.org": VERDICTS["gone"],
    "VRFY leo": VERDICTS["leo"],
    "VRFY staff": VERDICTS["staff"],
    "VRFY sam": "553-5.1.4 Ambiguous; Possibilities are\n553-5.1.4 Sam Smith <sam1@example.org>\n"
                "553 5.1.4 Sam Jones <sam2@example.org>",
    "VRFY x@relay.example": VERDICTS["someone@relay.example"],
    "VRFY nobody": VERDICTS["nobody"],
    "VRFY nobody@example.org": VERDICTS["nobody"],
    "VRFY nobody@elsewhere.example": VERDICTS["nobody@elsewhere.example"],
    "EXPN team": "250-2.1.5 Fred Claude <fred@example.org>\n250 2.1.5 Wilma Stone <wilma@example.org>",
    "EXPN staff": "250-2.1.5 Fred Claude <fred@example.org>\n250-2.1.5 Wilma Stone <wilma@example.org>\n"
                  "250 2.1.5 Sam Q. Smith <sam@elsewhere.example>",
    "RCPT TO:<fred@example.org>": "250 2.1.5 OK",
    "RCPT TO:<Fred+detail@Example.ORG>": "250 2.1.5 OK",
    "RCPT TO:<wilma@alias.example>": "250 2.1.5 OK",
    "RCPT TO:<team@example.org>": "250 2.1.5 OK",
    "RCPT TO:<anything@catch.example>": "250 2.1.5 OK",
    "RCPT TO:<x@relay.example>": "250 2.1.5 OK",
    "RCPT TO:<postmaster@example.org>": "250 2.1.5 OK",
    "RCPT TO:<away@example.org>": VERDICTS["away"],
    "RCPT TO:<max@example.org>": "452 4.2.2 Mailbox full",
    "RCPT TO:<nobody@example.org>": "550 5.1.1 No such user here",
    "RCPT TO:<nobody@alias.example>": "550 5.1.1 No such user here",
    "RCPT TO:<ruth@example.org>": VERDICTS["ruth"],
}


class Traffic:
    """Connections on each of which questions are pipelined, batch after batch, until the end.

    An answer is the right one, or 451 4.4.3; anything else is in `wrong`.
    """

    def __init__(self, service, questions=QUESTIONS, connections=4, batch=20, pause=0.01):
        self.service = service
        self.questions = questions
        self.batch = batch
        self.pause = pause
        self.wrong = []
        # When each batch began and ended, and how many of its answers were 451; by connection.
        self.batches = [[] for _ in range(connections)]
        # When each 451 came, and to what question.
        self.troubles = []
        self.answers = 0
        self.failure = None
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=[number]) for number in range(connections)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        try:
            # Before anything goes wrong all is well.
            self.wait_for_batches(2)
            self.check()
            assert not self.troubles, f"451 before the fault: {self.troubles[0]}"
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if kind is None:
            self.check()

    def stop(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join(PATIENCE)

    def check(self):
        if self.failure:
            raise AssertionError(f"a connection of the traffic failed: {self.failure!r}") from self.failure
        if self.wrong:
            question, reply = self.wrong[0]
            raise AssertionError(
                f"{len(self.wrong)} of {self.answers} answers are wrong; {question} was answered {reply!r}, not"
                f" {self.questions.get(question)!r}")

    def _run(self, number):
        chance = random.Random(number)
        try:
            with self.service.client() as client:
                while not self.is_over.is_set():
                    asked = chance.choices(list(self.questions), k=self.batch)
                    self._ask(client, number, asked)
                    time.sleep(self.pause)
        except (OSError, AssertionError, AttributeError) as error:
            self.failure = self.failure or error

    def _ask(self, client, number, asked):
        began = time.monotonic()
        client.send("RSET\r\nMAIL FROM:<>\r\n" + "".join(f"{question}\r\n" for question in asked))
        for command in ["RSET", "MAIL"]:
            reply = client.reply()
            if reply not in ["250 2.0.0 OK", "250 2.1.0 OK"]:
                self.wrong.append((command, reply))
        count = 0
        for question in asked:
            reply = client.reply()
            self.answers += 1
            if reply == self.questions[question]:
                continue
            if reply is not None and TROUBLE.match(reply):
                count += 1
                self.troubles.append((time.monotonic(), question))
            else:
                self.wrong.append((question, reply))
                if reply is None:
                    raise AssertionError("the server has closed")
        self.batches[number].append((began, time.monotonic(), count))

    # What a test waits for. All take batches that began after the call only.

    def _since(self, moment):
        return [[batch for batch in batches if batch[0] >= moment] for batches in self.batches]

    def wait_for_batches(self, count, patience=PATIENCE):
        start = time.monotonic()
        eventually(
            lambda: self.failure or all(len(batches) >= count for batches in self._since(start)),
            "every connection gets its answers", patience)

    def wait_for_trouble(self, patience=PATIENCE):
        """Until every connection has been told 451."""
        start = time.monotonic()
        eventually(
            lambda: self.failure or all(any(batch[2] for batch in batches) for batches in self._since(start)),
            "the trouble is noticed", patience)
        self.check()

    def recovery(self, patience=PATIENCE):
        """Waits until all answers are right for a while; returns the seconds from the call to the last 451."""
        start = time.monotonic()

        def is_well():
            if self.failure:
                return True
            moment = max([start] + [time for time, _ in self.troubles[-1:]])
            # A batch that is under way may have 451 in it still.
            return time.monotonic() - moment > 0.5 and all(len(batches) >= 2 for batches in self._since(moment))

        eventually(is_well, "answers are right again", patience)
        self.check()
        return max([0.0] + [time - start for time, _ in self.troubles])
