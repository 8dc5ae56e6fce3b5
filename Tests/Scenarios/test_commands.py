"""Exit statuses and one-line errors of the command line, for the mistakes that people make."""

import fcntl
import os
import pty
import re
import socket
import sqlite3
import struct
import subprocess
import tempfile
import termios
import unicodedata
import unittest
from pathlib import Path

from service import PATIENCE, PROGRAM, VERDICTS, Directory, run

USAGE, DATA, NO_USER, TEMPORARY, CONFIGURATION = 64, 65, 67, 75, 78


class CommandTest(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(Directory())

    def check(self, status, pattern, *arguments):
        """One line on standard error that says what is wrong, and the status."""
        done = self.directory.run(*arguments)
        self.assertEqual(done.returncode, status, f"{arguments}: {done.stderr}")
        self.assertRegex(done.stderr, r"\Aaddressee: [^\n]+\n\Z", arguments)
        self.assertRegex(done.stderr, pattern)
        # `verify` also prints the reply that a client would get.
        expected = "451 4.4.3 The directory could not tell, try again later\n"
        self.assertIn(done.stdout, ["", expected] if arguments[0] == "verify" and status == TEMPORARY else [""])


class Configurations(CommandTest):
    # A command of each kind: server, change, record, question.
    commands = [
        ("serve",), ("user", "add", "new@example.org"), ("user", "show", "fred@example.org"), ("verify", "fred"),
        ("resolve", "fred"), ("import", "csv", os.devnull)]

    def check_all(self, status, pattern):
        for command in self.commands:
            with self.subTest(" ".join(command)):
                self.check(status, pattern, *command)

    def test_a_configuration_that_is_not_there(self):
        (self.directory.folder / "addressee.yaml").unlink()
        self.check_all(CONFIGURATION, r"addressee\.yaml: .*no such file.*addressee init")

    def test_a_configuration_with_a_wrong_key(self):
        self.directory.configure(listners=[])
        self.check_all(CONFIGURATION, r"addressee\.yaml:5: .*listners.*listeners")

    def test_a_configuration_with_a_wrong_value(self):
        self.directory.configure(timeouts={"idle": "soon"})
        self.check_all(CONFIGURATION, r"addressee\.yaml:5: .*soon")

    def test_a_configuration_that_is_no_yaml(self):
        (self.directory.folder / "addressee.yaml").write_text("hostname: [")
        self.check_all(CONFIGURATION, r"addressee\.yaml:\d+: ")

    def test_a_database_that_is_not_there(self):
        self.directory.database.unlink()
        self.check_all(TEMPORARY, r"no file \S+directory\.sqlite.*addressee init")
        self.assertFalse(self.directory.database.exists(), "it must not be made by looking")

    def test_a_database_of_a_newer_version(self):
        with sqlite3.connect(self.directory.database) as database:
            database.execute("PRAGMA user_version = 99")
        database.close()
        self.check_all(TEMPORARY, r"version 99.*install")

    def test_a_file_that_is_no_database(self):
        for suffix in ["-wal", "-shm"]:
            self.directory.folder.joinpath(f"directory.sqlite{suffix}").unlink(missing_ok=True)
        self.directory.database.write_text("this is not a database, but it is longer than the header of one " * 10)
        self.check_all(TEMPORARY, r"not an SQLite database.*addressee init")

    def test_a_database_of_another_program(self):
        self.directory.database.unlink()
        with sqlite3.connect(self.directory.database) as database:
            database.execute("CREATE TABLE x (y)")
        database.close()
        self.check_all(TEMPORARY, r"some other program")

    def test_a_folder_in_the_place_of_the_database(self):
        self.directory.database.unlink()
        self.directory.database.mkdir()
        self.check_all(TEMPORARY, r"not a file")

    def test_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = f"127.0.0.1:{other.getsockname()[1]}"
            self.directory.configure(listeners=[{"smtp": address}])
            self.check(TEMPORARY, rf"{re.escape(address)}.*another program", "serve")

    def test_an_address_that_this_machine_does_not_have(self):
        self.directory.configure(listeners=[{"smtp": "192.0.2.1:2525"}])
        self.check(TEMPORARY, r"192\.0\.2\.1:2525.*no such address", "serve")

    def test_a_certificate_that_is_not_there(self):
        self.directory.configure(
            listeners=[{"smtp": "127.0.0.1:0", "starttls": True}],
            tls={"certificate": "certificate.pem", "private-key": "key.pem"})
        self.check(CONFIGURATION, r"certificate\.pem", "serve")

    def test_the_option_comes_before_the_variable(self):
        elsewhere = self.directory.folder / "elsewhere"
        elsewhere.mkdir()
        done = run("verify", "fred", "--config", str(self.directory.folder / "addressee.yaml"), folder=elsewhere)
        self.assertEqual(done.stdout, VERDICTS["fred"] + "\n")


class Questions(CommandTest):
    def test_the_status_says_what_the_reply_says(self):
        for name, reply in VERDICTS.items():
            status = {"25": 0, "45": TEMPORARY, "55": NO_USER}[reply[:2]]
            done = self.directory.run("verify", name)
            self.assertEqual((done.returncode, done.stdout), (status, reply + "\n"), name)
        self.assertEqual(self.directory.run("verify", "sam").returncode, DATA)

    def test_a_malformed_address_is_65(self):
        for arguments in [
            ("verify", "fred@"), ("resolve", "@example.org"), ("user", "add", "fred"),
            ("user", "show", "a b@example.org"), ("domain", "add", "exa mple"),
            ("list", "join", "open@example.org", "nobody@"), ("moved", "add", "x@example.org", "--to", "y")]:
            self.check(DATA, r"is (not an address|neither|not a domain|no)", *arguments)

    def test_what_is_not_on_record_is_67(self):
        for arguments in [("user", "show", "nobody@example.org"), ("user", "rm", "nobody@example.org"),
                          ("user", "set", "nobody@example.org", "--name", "x"), ("alias", "show", "fred@example.org"),
                          ("list", "join", "nobody@example.org", "fred@example.org"), ("domain", "show", "x.example"),
                          ("domain", "rm", "x.example"), ("forward", "rm", "fred@example.org")]:
            self.check(NO_USER, r"nobody@example\.org|fred@example\.org|x\.example", *arguments)

    def test_what_can_not_be_is_65(self):
        for arguments in [
            ("user", "add", "fred@example.org"), ("user", "add", "fred@elsewhere.example"),
            ("alias", "add", "fred@example.org", "--to", "wilma@example.org"),
            ("alias", "add", "new@example.org", "--to", "nobody@example.org"),
            ("alias", "set", "info@example.org", "--to", "info@example.org"),
            ("domain", "add", "example.org"), ("domain", "rm", "example.org"), ("user", "rm", "fred@example.org"),
            ("user", "add", "x@example.org", "--login", "fclaude"),
            ("user", "add", "x@example.org", "--name", "a<b>")]:
            self.check(DATA, ".", *arguments)

    def test_init_overwrites_nothing(self):
        before = self.directory.database.read_bytes()
        self.check(DATA, r"addressee\.yaml is there already", "init", "--domain", "example.org")
        self.check(DATA, r"addressee\.yaml is there already", "init")
        (self.directory.folder / "addressee.yaml").unlink()
        self.check(DATA, r"directory\.sqlite is there already", "init", "--domain", "example.org")
        self.assertEqual(self.directory.database.read_bytes(), before)
        self.assertFalse((self.directory.folder / "addressee.yaml").exists())

    def test_init_makes_the_directory_that_a_configuration_names_and_that_is_missing(self):
        with Directory() as directory:
            for file in directory.folder.glob("directory.sqlite*"):
                file.unlink()
            made = directory.run("init")
            self.assertEqual((made.returncode, made.stderr), (0, ""))
            self.assertRegex(made.stdout, r"^made .*directory\.sqlite, with the domain example\.org\n$")
            directory.change("user", "add", "fred@example.org")

    def test_wrong_usage_is_64_and_says_what_would_be_right(self):
        for arguments in [("frobnicate",), ("user",), ("user", "ad", "x@example.org"), ("user", "add"), ("verify",),
                          ("user", "add", "x@example.org", "--status", "asleep"), ("verify", "fred", "--jsn"),
                          ("user", "set", "fred@example.org"), ("demo", "--port", "70000")]:
            done = self.directory.run(*arguments)
            if arguments == ("user",):
                # A noun alone shows its verbs.
                self.assertIn(done.returncode, (0, USAGE))
                continue
            self.assertEqual(done.returncode, USAGE, arguments)
            self.assertRegex(done.stderr, r"(?m)^(addressee: |Error: )", arguments)

    def test_a_wrong_import_names_the_lines_and_changes_nothing(self):
        file = self.directory.folder / "users.csv"
        faults = {
            "fred@example.org,Fred": r"users\.csv:3: .*fred@example\.org", "new2@,x": r"users\.csv:3: .*new2@",
            "new1@example.org,x": r"users\.csv:3: .*new1@.* line 2", "x@elsewhere.example,x": r"users\.csv:3: ",
            "x@example.org": r"users\.csv:3: .*1 field"}
        for line, pattern in faults.items():
            with self.subTest(line):
                file.write_text(f"address,name\nnew1@example.org,New\n{line}\nnew3@example.org,New\n")
                done = self.directory.run("import", "csv", str(file))
                self.assertEqual(done.returncode, DATA, done.stderr)
                self.assertRegex(done.stderr, pattern)
                self.assertEqual(self.directory.run("verify", "new1@example.org").returncode, NO_USER)


class Writing(CommandTest):
    def test_a_reader_that_has_had_enough_is_no_error(self):
        for number in range(5):
            command = f'"{PROGRAM}" user ls --config addressee.yaml; echo "status $?" >&2'
            done = subprocess.run(
                ["sh", "-c", f"({command}) | head -n 1"], cwd=self.directory.folder, capture_output=True, text=True,
                timeout=PATIENCE)
            self.assertEqual(done.stderr, "status 0\n")
            self.assertEqual(done.stdout.count("\n"), 1)

    def test_a_full_disk_is_told(self):
        if not Path("/dev/full").exists():
            self.skipTest("this machine has no /dev/full")
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [PROGRAM, "user", "ls", "--config", str(self.directory.folder / "addressee.yaml")], stdout=full,
                stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"\Aaddressee: [^\n]+\n\Z")

    def test_another_writer_is_waited_for(self):
        database = sqlite3.connect(self.directory.database, isolation_level=None)
        database.execute("BEGIN IMMEDIATE")
        process = subprocess.Popen(
            [PROGRAM, "user", "add", "new@example.org", "--config", str(self.directory.folder / "addressee.yaml")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        # It says so once, while it waits.
        waiting = "directory.sqlite is locked by another program; waiting for it, at most 10 s\n"
        self.assertRegex(process.stderr.readline(), rf"\Aaddressee: \S*{re.escape(waiting)}\Z")
        self.assertIsNone(process.poll())
        database.execute("COMMIT")
        database.close()
        output, error = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, output, error), (0, "added user new@example.org\n", ""))

    def test_a_lock_that_is_held_too_long_is_told_twice(self):
        database = sqlite3.connect(self.directory.database, isolation_level=None)
        database.execute("BEGIN IMMEDIATE")
        done = self.directory.run("alias", "add", "new@example.org", "--to", "fred@example.org")
        database.execute("ROLLBACK")
        database.close()
        self.assertEqual(done.returncode, TEMPORARY)
        self.assertRegex(done.stderr, r"\Aaddressee: .*waiting for it, at most 10 s\naddressee: .*try again[^\n]*\n\Z")

    def test_many_writers_at_once_all_succeed(self):
        processes = [
            subprocess.Popen(
                [PROGRAM, "user", "add", f"new{number}@example.org", "--config",
                 str(self.directory.folder / "addressee.yaml")],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            for number in range(20)]
        for process in processes:
            error = process.communicate(timeout=PATIENCE)[1]
            # On a slow disk the last of them has to wait for long.
            self.assertEqual((process.returncode, re.sub(r"addressee: .* waiting for it, .*\n", "", error)), (0, ""))
        for number in range(20):
            self.assertEqual(self.directory.run("verify", f"new{number}").returncode, 0)


class Terminal(CommandTest):
    """What a person sees, on a terminal of a size that is known."""

    def at_terminal(self, *arguments, columns=80, said=None, **variables):
        """What is printed on the terminal, with the exit status. `said`: what is typed once a question is asked."""
        environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        environment.update(ADDRESSEE_CONFIG=str(self.directory.folder / "addressee.yaml"), NO_COLOR="1", **variables)
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            [PROGRAM, *arguments], cwd=self.directory.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        printed = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:
                break
            if not more:
                break
            printed += more
            if said is not None and printed.endswith(b"[y/N] "):
                os.write(ours, said.encode())
                said = None
        os.close(ours)
        return printed.decode().replace("\r\n", "\n"), process.wait(PATIENCE)

    @staticmethod
    def cells(line):
        return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)

    def test_a_listing_fits_the_terminal(self):
        self.directory.change(
            "user", "add", "a.rather.long.local-part.of.an.address@example.org", "--name", "山田" * 30, "--login", "x" * 60)
        self.directory.change("user", "add", "short@example.org", "--name", "A\u030angstro\u0308m " * 10)
        self.directory.change("alias", "add", "many@example.org", "--to", ",".join(f"m{n}@example.com" for n in range(200)))
        for columns in [80, 40, 132]:
            for noun in ["user", "alias", "list", "forward", "domain"]:
                printed, status = self.at_terminal(noun, "ls", columns=columns)
                self.assertEqual(status, 0)
                lines = printed.splitlines()
                self.assertGreater(len(lines), 1)
                for line in lines:
                    self.assertLessEqual(self.cells(line), columns, f"{noun}: {line}")
        # The last was cut; in a pipe nothing is.
        self.assertIn("…", self.at_terminal("alias", "ls")[0])
        self.assertIn("m199@example.com", self.directory.run("alias", "ls").stdout)
        self.assertNotIn("…", self.directory.run("alias", "ls", "--table").stdout)
        # Who sets COLUMNS knows better than the terminal.
        printed = self.at_terminal("user", "ls", columns=200, COLUMNS="60")[0]
        self.assertLessEqual(max(map(self.cells, printed.splitlines())), 60)

    def test_a_list_with_members_is_not_removed_by_a_slip(self):
        question = "addressee: the list staff@example.org has 3 members; remove it? [y/N] "
        printed, status = self.at_terminal("list", "rm", "staff@example.org", said="\n")
        self.assertTrue(printed.startswith(question), printed)
        self.assertEqual(status, DATA)
        self.assertIn("nothing was removed", printed)
        printed, status = self.at_terminal("list", "rm", "staff@example.org", said="\x04")
        self.assertEqual(status, DATA)
        printed, status = self.at_terminal("list", "rm", "staff@example.org", said="y\n")
        self.assertEqual((printed, status), (question + "y\nremoved list staff@example.org\n", 0))
        printed, status = self.at_terminal("list", "rm", "secret@example.org", "--yes")
        self.assertEqual((printed, status), ("removed list secret@example.org\n", 0))
        # A script is not asked.
        self.assertEqual(self.directory.run("list", "rm", "open@example.org").returncode, 0)


class Imports(CommandTest):
    """What becomes of users who are on record already."""

    FILE = "address,name,login\nfred@example.org,Frederic Stone,wstone\nwilma@example.org,,fclaude\nnew@example.org,New,new\n"

    def load(self, *options):
        file = self.directory.folder / "users.csv"
        file.write_text(self.FILE)
        return self.directory.run("import", "csv", str(file), *options)

    def test_they_are_refused_by_default(self):
        done = self.load()
        self.assertEqual(done.returncode, DATA)
        self.assertRegex(done.stderr, r"csv:2: fred@.*\n.*csv:3: wilma@.*\naddressee: nothing was imported; correct these 2 lines")
        self.assertEqual(self.directory.run("verify", "new@example.org").returncode, NO_USER)

    def test_they_are_kept(self):
        done = self.load("--on-conflict", "keep")
        self.assertRegex(done.stdout, r"^imported 1 user in .* s; 2 users on record before, and left as they are\n$")
        self.assertEqual(self.directory.run("verify", "fclaude").stdout, VERDICTS["fclaude"] + "\n")
        self.assertEqual(self.directory.run("verify", "new").returncode, 0)

    def test_they_are_replaced(self):
        self.directory.change("user", "set", "wilma@example.org", "--login", "wstone", "--status", "full")
        done = self.load("--on-conflict", "replace", "--json")
        self.assertRegex(done.stdout, r'^\{"imported":3,"seconds":[0-9.]+,"replaced":2,"kept":0\}\n$')
        # They have changed logins, which nobody else may have; and are found by their new names alone.
        for name, address in [("wstone", "fred"), ("fclaude", "wilma"), ("frederic", "fred"), ("stone", "fred")]:
            self.assertIn(f"<{address}@example.org>", self.directory.run("verify", name).stdout, name)
        self.assertEqual(self.directory.run("verify", "claude").returncode, NO_USER)
        # There is no column for the status.
        self.assertIn("status\tfull", self.directory.run("user", "show", "wilma").stdout)
        self.assertEqual(self.directory.run("check", "--source", "main").returncode, 0)
        # What else leads from there is as it was.
        self.assertEqual(self.directory.run("verify", "info").returncode, 0)

    def test_every_fault_is_told_at_once(self):
        file = self.directory.folder / "users.csv"
        file.write_text("address,login\nfred@example.org,\nx@exmaple.org,\ny@,\nz@example.org,fclaude\nz@example.org,\n")
        done = self.directory.run("import", "csv", str(file))
        self.assertEqual(done.returncode, DATA)
        lines = done.stderr.splitlines()
        for line, pattern in zip(lines, [
                r":2: fred@example\.org is a user already", r":3: .*did you mean example\.org\?", r":4: the address \"y@\"",
                r":5: the login fclaude belongs", r":6: z@example\.org is in line 5 already", r"correct these 5 lines"]):
            self.assertRegex(line, pattern)
        self.assertEqual(len(lines), 6, done.stderr)


class FirstSteps(unittest.TestCase):
    def test_what_the_page_installs_needs_no_toolchain(self):
        # A build for release takes ten minutes; so the lines alone are looked at. What they make links no library of Swift.
        page = (Path(__file__).parents[2] / "README.md").read_text()
        self.assertIn("swift build -c release --static-swift-stdlib --product addressee\ninstall -s ", page)

    def test_what_init_prints_to_paste_works(self):
        with tempfile.TemporaryDirectory(prefix="addressee-scenario-") as folder:
            done = run("init", "--domain", "example.org", folder=folder)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            lines = re.findall(r"(?m)^  (addressee .*)$", done.stdout)
            self.assertEqual(len(lines), 2, done.stdout)
            tools = Path(folder, "tools")
            tools.mkdir()
            (tools / "addressee").symlink_to(PROGRAM)
            environment = dict(
                os.environ, PATH=f"{tools}:{os.environ['PATH']}", ADDRESSEE_CONFIG=str(Path(folder, "addressee.yaml")))
            added = subprocess.run(
                ["sh", "-c", lines[0]], env=environment, capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual((added.returncode, added.stderr), (0, ""))
            self.assertEqual(run("verify", "claude", folder=folder).stdout, VERDICTS["claude"] + "\n")
