#!/usr/bin/env python3
"""The questions that go with the sites, and what Addressee is to answer.

A line of a .questions file is `QUESTION | EXPECTED`:

    resolve ADDRESS    the final recipients as printed, in the order of their octets, joined by ", "; or, where nobody
                       is reached, `unknown`, `disabled`, `suspended`, `moved NEW`
    verify NAME        the lines of VRFY's reply
    expand NAME        the lines of EXPN's reply; the administrator asks, who may see every list

What is neither a name nor an address, and so refused before anything is looked up, is `malformed`. Addresses are
spelled as the directory has them, a bare local-part's domain as the configuration has it.

Lines of a reply have a space after the code, whether or not more follow, are put in the order of their octets, and are
joined by " / ": the values of LDAP have no order, so which line is the last is chance. What is asked goes to the end of
the question, as one argument, with no quoting of this file's own. `# domains:` names the local domains of the
configuration, the default domain first; the rest of the configuration is as it comes. A line that begins with `#?` is
what the schema's own server would do, and more than is promised. Other lines with `#` are remarks.

As a command it asks a program that is configured for a site:

    questions.py --site laser --program .build/debug/addressee --config addressee.yaml [--pending]
"""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
KINDS = ["resolve", "verify", "expand"]


@dataclass
class Question:
    kind: str
    argument: str
    expected: str
    # Whether it is more than is promised.
    is_pending: bool
    line: int

    def __str__(self):
        return f"{self.kind} {self.argument}"


def read(path):
    """The questions of a file, and its domains."""
    questions, domains = [], []
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("# domains:"):
            domains = line.split(":", 1)[1].split()
            continue
        is_pending = line.startswith("#?")
        text = line[2:].strip() if is_pending else line
        if not text.strip() or text.startswith("#"):
            continue
        question, separator, expected = text.partition(" | ")
        kind, _, argument = question.partition(" ")
        if not separator or kind not in KINDS or not argument or not expected or text != text.strip():
            raise ValueError(f"{path}:{number}: not a question with an answer: {line}")
        questions.append(Question(kind, argument, expected, is_pending, number))
    return questions, domains


def octets(text):
    return text.encode()


def normalized_reply(lines):
    """The lines of a reply as a .questions file has them."""
    return " / ".join(sorted((line[:3] + " " + line[4:] for line in lines), key=octets))


def normalized_recipients(addresses):
    return ", ".join(sorted(addresses, key=octets))


def resolution(document):
    """What `resolve --json` printed, as a .questions file has it."""
    if document["outcome"] != "answered":
        return document["outcome"]
    if document["recipients"]:
        return normalized_recipients(recipient["address"] for recipient in document["recipients"])
    failures = document["failures"]
    for failure in failures:
        if failure["reason"] == "suspended":
            return "suspended"
    if not failures:
        return "nobody"
    first = failures[0]
    return f"moved {first['to']}" if first["reason"] == "moved" and first["to"] else first["reason"]


def ask(program, configuration, question, patience=30):
    """What the program answers to a question."""
    command = [program, question.kind, "--config", configuration]
    if question.kind == "resolve":
        command.append("--json")
    done = subprocess.run(
        [*map(str, command), "--", question.argument], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=patience)
    if done.stdout.strip():
        if question.kind == "resolve":
            return resolution(json.loads(done.stdout))
        return normalized_reply(done.stdout.splitlines())
    # EX_DATAERR with nothing printed: refused before anything was looked up.
    return "malformed" if done.returncode == 65 else f"status {done.returncode}: {done.stderr.strip()}"


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Ask a program the questions of a site.")
    parser.add_argument("--site", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--config", required=True)
    parser.add_argument("--pending", action="store_true", help="ask those too that are more than is promised")
    given = parser.parse_args(arguments)
    path = HERE / "sites" / f"{given.site}.questions"
    asked = wrong = 0
    for question in read(path)[0]:
        if question.is_pending and not given.pending:
            continue
        asked += 1
        answer = ask(given.program, given.config, question)
        if answer != question.expected:
            wrong += 1
            print(f"{path.name}:{question.line}: {question}\n  expected {question.expected}\n  answered {answer}")
    print(f"{given.site}: {asked} questions, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
