"""What becomes of a directory's file: replaced, damaged, backed up, restored, read without the right to write."""

import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import unittest
import unittest.mock
from pathlib import Path

from service import PATIENCE, PROGRAM, VERDICTS, Directory, Service, eventually
from wires import LISTENERS, Wires

COULD_NOT_TELL = re.compile(r"451 4\.4\.3 ")


def backup(source, target):
    """As `sqlite3 SOURCE ".backup TARGET"` does it."""
    with sqlite3.connect(source) as one, sqlite3.connect(target) as other:
        one.backup(other)
    one.close()
    other.close()


def beside(path):
    """The two files that SQLite keeps beside another."""
    return [Path(f"{path}{suffix}") for suffix in ["-wal", "-shm"]]


def is_sound(path):
    database = sqlite3.connect(path)
    try:
        return database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        database.close()


class Load:
    """Clients that ask one thing after another until the end; every reply must be right, or "could not tell"."""

    def __init__(self, test, service, number=4):
        self.test, self.service, self.replies = test, service, set()
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.ask) for _ in range(number)]

    def ask(self):
        with self.service.client() as client:
            while not self.stop.is_set():
                self.replies.add(client.ask("VRFY fred"))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(PATIENCE)
        for reply in self.replies - {VERDICTS["fred"]}:
            self.test.assertRegex(reply, COULD_NOT_TELL)


class Replaced(unittest.TestCase):
    def check_answers(self, service, client, **answers):
        for name, code in answers.items():
            wanted = "250" if code == 250 else "550 5.1.1"
            eventually(lambda: client.ask(f"VRFY {name}").startswith(wanted), f"{name}: {code}")

    def test_a_file_put_over_a_live_one_is_read_and_the_server_lives(self):
        with Service(threads=2) as service, Load(self, service), service.client() as client:
            new = service.folder / "new.sqlite"
            for number in range(8):
                backup(service.database, new)
                service.change("user", "add", f"lost{number}@example.org")
                new.rename(service.database)
                service.change("user", "add", f"kept{number}@example.org")
                self.check_answers(service, client, **{f"lost{number}": 550, f"kept{number}": 250})
            service.log.wait(" warning source-reopened .*another file stands at ")
            self.assertTrue(is_sound(service.database))

    def test_a_quite_different_file_is_not_mixed_with_the_log_of_the_former(self):
        with Directory() as other, Service(threads=2) as service, Load(self, service), service.client() as client:
            rows = "address,name\n" + "".join(f"u{number}@example.org,User {number}\n" for number in range(3000))
            (other.folder / "users.csv").write_text(rows)
            other.change("import", "csv", str(other.folder / "users.csv"))
            # What sqlite3 writes stays in the log until somebody empties it.
            writer = sqlite3.connect(service.database)
            writer.execute("UPDATE entry SET full_name = 'Wilma Rock' WHERE key = 'wilma'")
            writer.commit()
            writer.close()
            os.rename(other.database, service.database)
            service.change("user", "add", "later@example.org")
            self.check_answers(service, client, later=250, u2999=250, nobody=550)
            self.assertEqual(client.ask("VRFY wilma@example.org"), VERDICTS["wilma@example.org"])
            self.assertTrue(is_sound(service.database))
            self.assertEqual(service.run("check").returncode, 0)

    def test_the_log_and_its_index_removed_under_a_live_server(self):
        for names in [["-wal", "-shm"], ["-shm"], ["-wal"]]:
            with self.subTest(names), Service(threads=2) as service, service.client() as client:
                service.change("user", "add", "a1@example.org")
                self.check_answers(service, client, a1=250)
                for name in names:
                    Path(f"{service.database}{name}").unlink()
                service.change("user", "add", "a2@example.org")
                service.change("user", "rm", "sam1@example.org")
                self.check_answers(service, client, a1=250, a2=250, sam1=550)
                service.log.wait(" warning source-reopened .*(was removed|another file stands)")
                self.assertEqual(service.run("check").returncode, 0)
                self.assertTrue(is_sound(service.database))

    def test_a_link_takes_the_place_of_the_file(self):
        """The log of the file that it leads to is beside that, where commands look for it."""
        with Service() as service, service.client() as client:
            self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
            real = service.folder / "real.sqlite"
            service.database.rename(real)
            service.database.symlink_to(real.name)
            service.log.wait(" warning source-reopened ")
            service.change("user", "add", "late@example.org")
            self.assertEqual(client.ask("VRFY late"), "250 2.1.5 <late@example.org>")
            self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])

    def test_check_and_commands_tell_that_a_program_has_other_files_open(self):
        with Directory() as directory:
            holder = sqlite3.connect(directory.database, isolation_level=None)
            holder.execute("SELECT count(*) FROM entry").fetchone()
            for file in beside(directory.database):
                file.unlink()
            done = directory.run("check")
            self.assertEqual((done.returncode, done.stdout.count("\n")), (75, 2), done.stdout)
            self.assertRegex(done.stdout, f"^error .* was removed while process {os.getpid()} has ")
            self.assertEqual(directory.run("verify", "fred").returncode, 75)
            holder.close()
            self.assertEqual(directory.run("verify", "fred").returncode, 0)

    def test_an_index_that_is_cut_short_ends_nothing(self):
        with Service(threads=2) as service, Load(self, service), service.client() as client:
            for number in range(3):
                os.truncate(f"{service.database}-shm", 0)
                eventually(lambda: client.ask("VRFY fred") == VERDICTS["fred"], "answers again")
                service.change("user", "add", f"later{number}@example.org")
                self.check_answers(service, client, **{f"later{number}": 250})
            service.log.wait(" warning source-reopened .*-shm was cut short")

    def test_a_file_copied_into_a_live_one(self):
        # The file stays the same one, and nothing but its content tells.
        with Directory() as other, Service(threads=2) as service, Load(self, service), service.client() as client:
            rows = "address,name\n" + "".join(f"u{number}@example.org,User {number}\n" for number in range(3000))
            (other.folder / "users.csv").write_text(rows)
            other.change("import", "csv", str(other.folder / "users.csv"))
            self.check_answers(service, client, u2999=550)
            shutil.copyfile(other.database, service.database)
            self.check_answers(service, client, u2999=250, nobody=550)
            service.log.wait(" warning source-reopened ")


class BackedUp(unittest.TestCase):
    def test_a_stopped_directory_is_one_file_and_a_copy_of_it_is_whole(self):
        with Service() as service:
            service.change("user", "add", "a1@example.org")
            with sqlite3.connect(service.database) as database:
                database.execute("UPDATE entry SET full_name = 'Wilma Rock' WHERE key = 'wilma'")
            database.close()
            self.assertEqual(service.stop(), 0)
            self.assertEqual([file.exists() for file in beside(service.database)], [False, False])
            copy = service.folder / "copy.sqlite"
            shutil.copyfile(service.database, copy)
            database = sqlite3.connect(copy)
            self.assertEqual(
                database.execute("SELECT full_name FROM entry WHERE key IN ('a1', 'wilma') ORDER BY key").fetchall(),
                [(None,), ("Wilma Rock",)])
            database.close()

    def test_a_backup_copied_back_after_a_stop(self):
        with Service() as service:
            copy = service.folder / "backup.sqlite"
            backup(service.database, copy)
            for number in range(20):
                service.change("user", "add", f"late{number}@example.org", "--name", f"Late {number}")
            self.assertEqual(service.stop(), 0)
            shutil.copyfile(copy, service.database)
            service.start()
            with service.client() as client:
                self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
                self.assertEqual(client.ask("VRFY late7"), VERDICTS["nobody"])
            done = service.run("check")
            self.assertEqual((done.returncode, done.stdout.splitlines()[0]), (0, "main: in order"))
            self.assertTrue(is_sound(service.database))

    def test_the_way_to_restore_that_the_page_tells(self):
        """The lines of schema/sqlite/README.md, as they stand there."""
        page = Path(__file__, "../../../schema/sqlite/README.md").resolve().read_text()
        blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
        running, stopped = blocks
        with Service() as service:
            def sh(lines):
                done = subprocess.run(["sh", "-ec", lines], cwd=service.folder, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)

            saving, restoring = running.strip().split("\n")
            sh(saving)
            service.change("user", "add", "late@example.org")
            with service.client() as client:
                self.assertTrue(client.ask("VRFY late").startswith("250 "))
                sh(restoring)
                eventually(lambda: client.ask("VRFY late") == VERDICTS["nobody"], "the backup is read")
                self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
            # And over what a server left that was killed.
            service.change("user", "add", "late@example.org")
            service.stop(signal.SIGKILL)
            sh(stopped)
            service.start()
            with service.client() as client:
                self.assertEqual(client.ask("VRFY late"), VERDICTS["nobody"])
                self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])
            self.assertEqual(service.run("check").returncode, 0)

    def test_each_command_empties_the_log_beside_a_live_server(self):
        with Service() as service, Load(self, service):
            log = beside(service.database)[0]
            service.change("user", "add", "a1@example.org")
            eventually(lambda: log.stat().st_size == 0, "the log is empty")
            database = sqlite3.connect(f"file:{service.database}?immutable=1", uri=True)
            self.assertEqual(database.execute("SELECT count(*) FROM entry WHERE key = 'a1'").fetchone(), (1,))
            database.close()

    def test_a_reader_that_holds_the_log_holds_up_no_command(self):
        with Directory() as directory:
            reader = sqlite3.connect(directory.database, isolation_level=None)
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM entry").fetchone()
            directory.change("user", "add", "a1@example.org")
            directory.change("user", "add", "a2@example.org")
            reader.close()
            self.assertEqual(directory.run("verify", "a2").returncode, 0)


class Damaged(unittest.TestCase):
    def damage(self, path):
        """Turns the row of fred into one that nobody finds, as a flipped bit does; his other rows stay."""
        data = bytearray(path.read_bytes())
        # The row of the table begins with the key; the index by domain has the kind before it.
        place = data.index(b"freduserFred Claude")
        data[place + 2] ^= 1
        path.write_bytes(data)

    def test_nobody_is_said_to_be_unknown(self):
        with Service() as service:
            self.assertEqual(service.stop(), 0)
            self.damage(service.database)
            done = service.run("check")
            self.assertEqual(done.returncode, 65)
            self.assertRegex(done.stdout, "^error .*directory.sqlite is damaged .*restore a backup\n")
            self.assertNotIn("user set", done.stdout)
            for command in [["verify", "fred@example.org"], ["resolve", "fred@example.org"], ["verify", "nobody"],
                            ["user", "ls"], ["list", "show", "staff@example.org"], ["user", "show", "fred@example.org"],
                            ["refs", "wilma@example.org"]]:
                done = service.run(*command)
                self.assertEqual(done.returncode, 75, command)
                self.assertIn("is damaged", done.stderr)
            users = service.folder / "users.csv"
            users.write_text("address\nfred@example.org\n")
            for command in [["user", "add", "fred@example.org"], ["user", "rm", "fred@example.org"], ["user", "set", "fred@example.org", "--name", "F"],
                            ["user", "add", "new@example.org"], ["alias", "add", "new@example.org", "--to", "wilma@example.org"],
                            ["list", "join", "staff@example.org", "x@elsewhere.example"], ["import", "csv", str(users)]]:
                done = service.run(*command)
                self.assertEqual(done.returncode, 75, (command, done.stdout, done.stderr))
                self.assertIn("is damaged", done.stderr)
            self.assertEqual(service.run("verify", "wilma@example.org").returncode, 0)
            service.start()
            service.log.wait(" error source-examined .*is damaged")
            with service.client() as client:
                client.ask("MAIL FROM:<>")
                for question in ["VRFY fred@example.org", "RCPT TO:<fred@example.org>", "VRFY nobody", "EXPN staff",
                                 "RCPT TO:<x@elsewhere.example>"]:
                    self.assertRegex(client.ask(question), COULD_NOT_TELL, question)
                self.assertEqual(client.ask("RCPT TO:<wilma@example.org>"), "250 2.1.5 OK")
                service.log.wait(" error could-not-tell .*is damaged")

    def test_on_every_wire(self):
        with Service(listeners=LISTENERS) as service:
            self.assertEqual(service.stop(), 0)
            self.damage(service.database)
            service.start()
            wires, lost = Wires(service), ["fred@example.org", "nobody@example.org", "x@elsewhere.example"]
            answers = {
                "smtp": ("451 ", wires.smtp([f"RCPT TO:<{address}>" for address in lost])),
                "socketmap": ("TEMP ", wires.socketmap("mailboxes", lost)),
                "tcp-table": ("400 ", wires.tcp_table(lost)), "policy": ("451 ", wires.policy("RCPT", lost)),
                "milter": ("451 ", wires.milter(lost)), "readsocket": ("defer ", wires.readsocket("rcpt", lost)),
                "qmail-deliverable": ("503 34", wires.qmail(lost))}
            for wire, (start, found) in answers.items():
                self.assertEqual([answer[:len(start)] for answer in found], [start] * len(lost), f"{wire}: {found}")

    def test_a_row_past_the_checks_of_the_schema_is_no_damage(self):
        with Service() as service:
            self.assertEqual(service.stop(), 0)
            database = sqlite3.connect(service.database)
            database.execute("PRAGMA ignore_check_constraints = ON")
            database.execute("UPDATE entry SET status = 'asleep' WHERE key = 'fred'")
            database.commit()
            database.close()
            service.start()
            with service.client() as client:
                self.assertRegex(client.ask("VRFY fred@example.org"), COULD_NOT_TELL)
                self.assertEqual(client.ask("VRFY nobody"), VERDICTS["nobody"])
                self.assertEqual(client.ask("VRFY wilma"), VERDICTS["wilma@example.org"])
            self.assertEqual(service.run("verify", "nobody").returncode, 67)
            done = service.run("user", "ls")
            self.assertEqual(done.returncode, 75)
            self.assertIn("wilma@example.org", done.stdout)
            self.assertNotIn("is damaged", done.stderr)

    def test_a_new_file_ends_it(self):
        with Service() as service:
            copy = service.folder / "backup.sqlite"
            backup(service.database, copy)
            self.assertEqual(service.stop(), 0)
            self.damage(service.database)
            service.start()
            with service.client() as client:
                self.assertRegex(client.ask("VRFY nobody"), COULD_NOT_TELL)
                copy.rename(service.database)
                eventually(lambda: client.ask("VRFY nobody") == VERDICTS["nobody"], "the new file is sound")
                self.assertEqual(client.ask("VRFY fred"), VERDICTS["fred"])

    def test_200_flipped_bits(self):
        chance = random.Random(os.environ.get("SCENARIO_SEED"))
        with Service() as service:
            service.stop()
            (service.folder / "users.csv").write_text(
                "address,name\n" + "".join(f"u{number}@example.org,User {number}\n" for number in range(3000)))
            service.change("import", "csv", str(service.folder / "users.csv"))
            data = bytearray(service.database.read_bytes())
            # Without the header and the schema nothing can be read at all.
            schema = [b"CREATE ", b"CHECK (", b"-- "]
            pages = [start for start in range(4096, len(data), 4096)
                     if not any(word in data[start:start + 4096] for word in schema)]
            for _ in range(200):
                data[chance.choice(pages) + chance.randrange(4096)] ^= 1 << chance.randrange(8)
            service.database.write_bytes(data)
            self.assertEqual(service.run("check").returncode, 65)
            service.start()
            service.log.wait(" error source-examined .*is damaged")
            with service.client() as client:
                client.send("".join(f"VRFY u{number}@example.org\r\n" for number in range(3000)))
                for _ in range(3000):
                    self.assertRegex(client.reply(), r"^(250 |451 4\.4\.3 )")

@unittest.skipUnless(os.geteuid() == 0, "who may not write can be played by root only")
class ReadOnly(unittest.TestCase):
    USER = 65534

    def setUp(self):
        self.service = self.enterContext(Service())
        self.service.change("user", "add", "a1@example.org")

    def close(self, directory):
        """Takes the right to write from all but root, and leaves them that to read."""
        directory.folder.chmod(0o755)
        for file in directory.folder.iterdir():
            file.chmod(0o644)

    def ask(self, *arguments):
        """As a user who may not write."""
        environment = dict(os.environ, ADDRESSEE_CONFIG=str(self.service.folder / "addressee.yaml"))
        return subprocess.run(
            [PROGRAM, *arguments], cwd="/", env=environment, timeout=PATIENCE, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, user=self.USER, group=self.USER, extra_groups=[])

    def check_questions(self, name):
        commands = {("verify", name): 0, ("verify", "nobody"): 67, ("resolve", name): 0, ("user", "ls"): 0,
                    ("user", "show", f"{name}@example.org"): 0, ("expand", "open"): 0, ("check",): 0}
        for command, status in commands.items():
            done = self.ask(*command)
            self.assertEqual(done.returncode, status, f"{command}: {done.stdout}{done.stderr}")
        self.assertIn(f"{name}@example.org", self.ask("user", "ls").stdout)
        done = self.ask("user", "add", "mine@example.org")
        self.assertEqual(done.returncode, 75)
        self.assertRegex(done.stderr, r"\A[^\n]*may not be written by this user[^\n]*\n\Z")

    def test_beside_a_live_server(self):
        self.close(self.service)
        self.check_questions("a1")
        self.service.change("user", "add", "a2@example.org")
        self.check_questions("a2")

    def test_beside_a_live_server_whose_log_is_closed(self):
        self.close(self.service)
        for file in beside(self.service.database):
            file.chmod(0o600)
        done = self.ask("verify", "a1@example.org")
        self.assertEqual(done.returncode, 75)
        self.assertIn("may not be read by this user", done.stderr)

    def test_of_a_stopped_server(self):
        self.service.stop()
        self.close(self.service)
        self.check_questions("a1")
        self.assertEqual([file.exists() for file in beside(self.service.database)], [False, False])
        self.service.change("user", "add", "a2@example.org")
        self.check_questions("a2")

    def test_what_is_in_a_log_that_cannot_be_read_is_not_guessed(self):
        self.service.stop()
        # A copy of a directory in use, without the index of its log.
        log = beside(self.service.database)[0]
        writer = sqlite3.connect(self.service.database)
        writer.execute("UPDATE entry SET full_name = 'Wilma Rock' WHERE key = 'wilma'")
        writer.commit()
        copies = {file: file.read_bytes() for file in [self.service.database, log]}
        writer.close()
        for file, octets in copies.items():
            file.write_bytes(octets)
        self.close(self.service)
        for command in [["verify", "wilma@example.org"], ["user", "ls"], ["check"]]:
            done = self.ask(*command)
            self.assertEqual(done.returncode, 75, command)
            self.assertIn("addressee domain ls", done.stderr + done.stdout)
        self.service.change("domain", "ls")
        self.assertIn("Wilma Rock", self.ask("verify", "wilma@example.org").stdout)

    def test_a_server_answers_and_notices_another_file(self):
        self.service.stop()
        copy = self.service.folder / "copy.sqlite"
        backup(self.service.database, copy)
        self.service.change("user", "add", "a2@example.org")
        self.service.configure(listeners=[{"smtp": "127.0.0.1:0"}])
        self.close(self.service)
        with unittest.mock.patch.object(subprocess, "Popen", as_user(self.USER)):
            self.service.start()
        with self.service.client() as client:
            self.assertTrue(client.ask("VRFY a2").startswith("250 "))
            self.assertEqual(client.ask("VRFY nobody"), VERDICTS["nobody"])
            copy.rename(self.service.database)
            eventually(lambda: client.ask("VRFY a2") == VERDICTS["nobody"], "the other file is read")
            # Who may write does, and leaves nothing behind that could not be read.
            self.service.change("user", "add", "a3@example.org")
            eventually(lambda: client.ask("VRFY a3").startswith("250 "), "the change is seen")


def as_user(number):
    """`subprocess.Popen`, as another user."""
    real = subprocess.Popen

    def popen(arguments, **options):
        return real(arguments, user=number, group=number, extra_groups=[], **options)

    return popen


if __name__ == "__main__":
    unittest.main()
