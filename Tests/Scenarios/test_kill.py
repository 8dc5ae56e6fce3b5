"""kill -9 in the middle of writing: what was acknowledged is there, and nothing is there by half."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
import unittest

from service import PATIENCE, PROGRAM, VERDICTS, Directory, Service

# How often a command is killed; more find more.
KILLS = int(os.environ.get("SCENARIO_KILLS", "5"))
USERS = 200_000


def start(directory, *arguments):
    return subprocess.Popen(
        [PROGRAM, *arguments, "--config", str(directory.folder / "addressee.yaml")], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def end(process, after):
    """Kills the process when it has not ended by itself after so many seconds; returns its status."""
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    output = process.communicate(timeout=PATIENCE)[0]
    return process.returncode, output


def entries(path):
    """How many there are, in a file that SQLite finds nothing wrong with."""
    database = sqlite3.connect(path)
    try:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        names = database.execute("SELECT count(*) FROM name WHERE (key, domain_id) NOT IN"
                                 " (SELECT key, domain_id FROM entry)").fetchone()[0]
        return database.execute("SELECT count(*) FROM entry").fetchone()[0], names
    finally:
        database.close()


class ImportKilled(unittest.TestCase):
    def test_an_import_that_is_killed_leaves_all_or_nothing(self):
        chance = random.Random(os.environ.get("SCENARIO_SEED"))
        with Directory() as directory:
            file = directory.folder / "users.csv"
            with open(file, "w", encoding="utf-8") as csv:
                csv.write("address,name,login\n")
                csv.writelines(f"user{number}@example.org,User {number},login{number}\n" for number in range(USERS))
            before = directory.folder / "before.sqlite"
            shutil.copy(directory.database, before)
            few, _ = entries(before)
            began = time.monotonic()
            status, output = end(start(directory, "import", "csv", str(file)), after=PATIENCE * 4)
            whole = time.monotonic() - began
            self.assertEqual(status, 0, output)
            self.assertEqual(entries(directory.database), (few + USERS, 0))
            outcomes = set()
            for number in range(KILLS):
                for suffix in ["", "-wal", "-shm"]:
                    directory.folder.joinpath(f"directory.sqlite{suffix}").unlink(missing_ok=True)
                shutil.copy(before, directory.database)
                after = chance.uniform(0, whole)
                status, output = end(start(directory, "import", "csv", str(file)), after)
                with self.subTest(number=number, after=after, status=status):
                    self.check(directory, few, was_acknowledged=status == 0)
                    outcomes.add(status)
            self.assertIn(-signal.SIGKILL, outcomes, "no import was killed in time")

    def check(self, directory, few, was_acknowledged):
        # The program first: it has to recover the log itself.
        self.assertEqual(directory.run("verify", "fred").stdout, VERDICTS["fred"] + "\n")
        found = directory.run("verify", f"user{USERS - 1}").returncode
        count, orphans = entries(directory.database)
        self.assertIn(count, (few, few + USERS))
        self.assertEqual(orphans, 0, "words of nobody's name")
        self.assertEqual(found, 0 if count > few else 67)
        if was_acknowledged:
            self.assertEqual(count, few + USERS)
        directory.change("user", "add", "later@example.org")

    def test_a_server_answers_while_users_are_imported_and_sees_all_or_none(self):
        with Service() as service, service.client() as client:
            file = service.folder / "users.csv"
            file.write_text("address\n" + "".join(f"user{number}@example.org\n" for number in range(20_000)))
            process = start(service, "import", "csv", str(file))
            seen = set()
            while process.poll() is None:
                client.send(b"VRFY user0\r\nVRFY user19999\r\nVRFY fred\r\n")
                # One write, which the server may still get in two pieces: the later question may know more.
                first, last, fred = client.reply(), client.reply(), client.reply()
                self.assertEqual(fred, VERDICTS["fred"])
                self.assertFalse(first.startswith("250") and not last.startswith("250"), "a part of the import")
                self.assertRegex(first, "^(250 2\\.1\\.5 <user0@|550 5\\.1\\.1 )")
                seen.add(first)
            output = process.communicate(timeout=PATIENCE)[0]
            self.assertEqual(process.returncode, 0, output)
            self.assertEqual(client.ask("VRFY user19999"), "250 2.1.5 <user19999@example.org>")


class AdditionKilled(unittest.TestCase):
    def test_whoever_was_acknowledged_is_there(self):
        chance = random.Random(os.environ.get("SCENARIO_SEED"))
        with Service() as service:
            began = time.monotonic()
            service.change("user", "add", "first@example.org")
            whole = time.monotonic() - began
            acknowledged = ["first"]
            killed = 0
            for number in range(KILLS * 10):
                process = start(service, "user", "add", f"added{number}@example.org", "--name", f"Name{number}")
                status, output = end(process, chance.uniform(0, 1.5 * whole))
                if status == 0 or output.startswith("added user"):
                    acknowledged.append(f"added{number}")
                else:
                    self.assertEqual(status, -signal.SIGKILL, output)
                    killed += 1
            self.assertGreater(killed, 0, "no addition was killed in time")
            with service.client() as client:
                for name in acknowledged:
                    self.assertTrue(client.ask(f"VRFY {name}@example.org").startswith("250 2.1.5 "), name)
            service.stop()
            self.assertEqual(entries(service.database)[1], 0, "words of nobody's name")
