"""Found, absent, could not tell: whatever happens to the directory's file, no known name is ever refused for good."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import unittest

from service import PATIENCE, VERDICTS, Service, eventually

COULD_NOT_TELL = re.compile(r"451 4\.4\.3 ")
KNOWN = {
    "VRFY fred": VERDICTS["fred"], "VRFY claude": VERDICTS["fred"], "VRFY gone": VERDICTS["gone"],
    "VRFY info": VERDICTS["info"], "VRFY max@example.org": VERDICTS["max"],
    "EXPN open": VERDICTS["wilma@example.org"], "RCPT TO:<fred@example.org>": "250 2.1.5 OK",
    "RCPT TO:<anything@catch.example>": "250 2.1.5 OK", "RCPT TO:<someone@relay.example>": "250 2.1.5 OK",
    "RCPT TO:<postmaster@example.org>": "250 2.1.5 OK", "RCPT TO:<fred@alias.example>": "250 2.1.5 OK",
    "VRFY nobody": VERDICTS["nobody"],
}


class FileTrouble(unittest.TestCase):
    def setUp(self):
        self.service = self.enterContext(Service())
        self.client = self.enterContext(self.service.client())
        self.client.ask("MAIL FROM:<>")
        # Good answers first, so that there is something to remember.
        self.assertTrue(self.asks_well(self.client))
        self.backup = self.service.folder / "backup.sqlite"
        with sqlite3.connect(self.service.database) as source, sqlite3.connect(self.backup) as copy:
            source.backup(copy)
        source.close()
        copy.close()

    def asks_well(self, client):
        """Whether every answer is the right one; each must be that or 451."""
        right = True
        for question, answer in KNOWN.items():
            reply = client.ask(question)
            if reply != answer:
                self.assertRegex(reply, COULD_NOT_TELL, question)
                right = False
        return right

    def ask_anew(self):
        with self.service.client() as client:
            client.ask("MAIL FROM:<>")
            return self.asks_well(client)

    def check_trouble(self, is_noticed=True):
        """Asks on old and new connections until the trouble is noticed, and then some more."""
        for _ in range(20):
            self.asks_well(self.client)
            self.ask_anew()
        if is_noticed:
            eventually(lambda: not self.asks_well(self.client), "the file is found to be of no use")
            eventually(lambda: not self.ask_anew(), "the file is found to be of no use")
            # The log says so, with the reason.
            self.service.log.wait(r" error could-not-tell .*reason=")
        status = self.service.run("verify", "fred").returncode
        self.assertIn(status, (0, 75))

    def restore(self):
        # SQLite's two files belong to the file that they were made for.
        for suffix in ["-wal", "-shm"]:
            self.service.folder.joinpath(f"directory.sqlite{suffix}").unlink(missing_ok=True)
        new = self.service.folder / "new.sqlite"
        shutil.copy(self.backup, new)
        new.rename(self.service.database)

    def check_recovery(self):
        eventually(lambda: self.asks_well(self.client), "answers are right again on the old connection")
        eventually(self.ask_anew, "answers are right again on a new connection")
        self.service.change("user", "add", "later@example.org")
        # That another file stands at the path is looked for once a second.
        eventually(lambda: self.client.ask("VRFY later") == "250 2.1.5 <later@example.org>", "the new file is read")

    def test_the_file_is_removed_and_comes_back(self):
        for suffix in ["", "-wal", "-shm"]:
            self.service.folder.joinpath(f"directory.sqlite{suffix}").unlink(missing_ok=True)
        self.check_trouble()
        self.restore()
        self.check_recovery()

    def test_the_file_is_replaced_by_garbage(self):
        garbage = self.service.folder / "garbage"
        garbage.write_bytes(os.urandom(100_000))
        garbage.rename(self.service.database)
        self.check_trouble()
        self.restore()
        self.check_recovery()

    def test_the_file_is_replaced_by_an_empty_one(self):
        # SQLite takes it for a database without tables, in which nobody is to be found.
        empty = self.service.folder / "empty"
        empty.write_bytes(b"")
        empty.rename(self.service.database)
        self.check_trouble()
        self.restore()
        self.check_recovery()

    def test_the_file_is_replaced_by_another_database(self):
        other = self.service.folder / "other.sqlite"
        with sqlite3.connect(other) as database:
            database.executescript("CREATE TABLE entry (key TEXT); CREATE TABLE domain (key TEXT)")
        database.close()
        other.rename(self.service.database)
        self.check_trouble()
        self.restore()
        self.check_recovery()

    def test_the_file_is_overwritten_with_garbage_in_place(self):
        size = self.service.database.stat().st_size
        with open(self.service.database, "r+b") as file:
            file.write(os.urandom(size))
        # What is in memory may still be answered from; it is right.
        self.check_trouble(is_noticed=False)
        self.restore()
        self.check_recovery()

    def test_the_file_is_truncated(self):
        size = self.service.database.stat().st_size
        for length in [size // 2 // 4096 * 4096, 4096, 5000, 100, 0]:
            with self.subTest(length=length):
                os.truncate(self.service.database, length)
                self.check_trouble(is_noticed=False)
                self.restore()
                eventually(lambda: self.asks_well(self.client), "answers are right again")
        self.check_recovery()

    def test_the_file_is_truncated_and_then_changed(self):
        # A write makes every reader look at the file again.
        os.truncate(self.service.database, 8192)
        self.service.run("user", "add", "later@example.org")
        self.check_trouble(is_noticed=False)
        self.restore()
        eventually(lambda: self.asks_well(self.client), "answers are right again")

    def test_the_file_may_not_be_read(self):
        if os.geteuid() == 0:
            self.skipTest("to root chmod 000 is no hindrance")
        self.service.database.chmod(0)
        self.check_trouble(is_noticed=False)
        self.service.database.chmod(0o600)
        self.check_recovery()

    def test_the_file_is_locked_by_another_process(self):
        # In WAL mode readers go on, whoever writes.
        script = ("import sqlite3, sys; d = sqlite3.connect(sys.argv[1], isolation_level=None);"
                  "d.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.read()")
        holder = subprocess.Popen(
            [sys.executable, "-c", script, str(self.service.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        try:
            self.assertEqual(holder.stdout.readline(), "locked\n")
            for _ in range(20):
                self.assertTrue(self.asks_well(self.client))
                self.assertTrue(self.ask_anew())
            self.assertEqual(self.service.run("verify", "fred").returncode, 0)
        finally:
            holder.communicate(timeout=PATIENCE)
        self.check_recovery()

    def test_a_table_is_gone(self):
        with sqlite3.connect(self.service.database) as database:
            database.execute("ALTER TABLE entry RENAME TO entries")
        database.close()
        self.check_trouble()
        with sqlite3.connect(self.service.database) as database:
            database.execute("ALTER TABLE entries RENAME TO entry")
        database.close()
        self.check_recovery()

    def test_a_row_says_what_no_row_may_say(self):
        with sqlite3.connect(self.service.database) as database:
            database.execute("PRAGMA ignore_check_constraints = ON")
            database.execute("UPDATE entry SET kind = 'ghost', status = 'haunted' WHERE key = 'fred'")
        database.close()
        self.assertRegex(self.client.ask("VRFY fred@example.org"), COULD_NOT_TELL)
        self.assertRegex(self.client.ask("RCPT TO:<fred@example.org>"), COULD_NOT_TELL)
        self.assertEqual(self.client.ask("VRFY wilma@example.org"), VERDICTS["wilma@example.org"])
        self.assertEqual(self.service.run("verify", "fred").returncode, 75)


class SecondSource(unittest.TestCase):
    def test_a_source_that_could_not_tell_is_never_skipped(self):
        with Service() as service:
            shutil.copy(service.database, service.folder / "second.sqlite")
            service.stop()
            service.configure(sources=[{"name": "first", "sqlite": "directory.sqlite"},
                                       {"name": "second", "sqlite": "second.sqlite"}])
            service.start()
            with service.client() as client:
                self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
                service.database.unlink()
                eventually(lambda: COULD_NOT_TELL.match(client.ask("VRFY fred@example.org")), "451")
                self.assertRegex(client.ask("VRFY nobody"), COULD_NOT_TELL)
