"""The pages: what they show is what happens, and their links lead somewhere."""

import os
import re
import shlex
import subprocess
import tempfile
import unittest
from pathlib import Path

from postfix import free_port
from service import PATIENCE, PROGRAM, need, run

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = sorted(path for path in REPOSITORY.rglob("*.md") if not any(part.startswith(".build") for part in path.parts))

# Examples that no test here runs, by the test that does.
ELSEWHERE = {
    ("README.md", "apt-get update"): "test_demo",  # what stands behind the installing
    ("README.md", "Tests/run"): "test_nothing_left",
    ("README.md", "swift build"): "test_commands.FirstSteps.test_what_the_page_installs_needs_no_toolchain",
    ("schema/sqlite/README.md", "sqlite3 directory.sqlite"): "test_files.BackedUp.test_the_way_to_restore_that_the_page_tells",
    ("schema/sqlite/README.md", "rm -f directory.sqlite-wal"): "test_files.BackedUp.test_the_way_to_restore_that_the_page_tells",
    ("config/sendmail/README.md", "> /map mailboxes"): "test_sendmail",
}

# Pages with a picture, or with a grammar.
DRAWN = ["README.md", ".github/CONTRIBUTING.md", "Tests/Dialogues/README.md"]


class Block:
    """What stands between two lines of ```, and in which language."""

    def __init__(self, page, language, text, line):
        self.page, self.language, self.text, self.line = page, language, text, line
        self.name = f"{page.relative_to(REPOSITORY)}:{line}"

    @property
    def elsewhere(self):
        return next((test for (page, start), test in ELSEWHERE.items()
                     if page == str(self.page.relative_to(REPOSITORY)) and self.text.startswith(start)), None)

    def turns(self):
        """The commands of a block "console", each with what it prints."""
        for turn in re.split(r"(?m)^\$ ", self.text)[1:]:
            command, _, output = turn.partition("\n")
            yield command, output


def blocks(page):
    text = page.read_text()
    for match in re.finditer(r"(?m)^```(\w*)\n(.*?)^```$", text, re.DOTALL):
        yield Block(page, match[1], match[2], text.count("\n", 0, match.start()) + 1)


def pattern(expected):
    """What is other each time: times, names of hosts, ids of messages; and whatever stands for "…" at the end."""
    expression = re.escape(expected)
    for expected_part, part in [
            (r"\d{4}\\-\d\d\\-\d\dT[\d:]+\\\.\d+Z", r"\\S+Z"), (r"(?<=from\\ )laptop\\\.example", r"\\S+"),
            (r"(?<=by\\ )mail\\\.example\\\.org", r"\\S+"), (r"\d+\\\.M\d+P\d+Q\d+", r"\\S+"),
            (r"\w{3},\\ \d\d\\ \w{3}\\ 2\d{3}\\ [\d:]+\\ \\\+\d{4}", r"\\w{3}, .*"), (r"…\\\n$", r"(?s:.*)")]:
        expression = re.sub(expected_part, part, expression)
    return re.compile(expression + r"\Z")


class Machine:
    """Where the commands of the pages are typed, with ports and folders of its own in the place of theirs."""

    def __init__(self, case):
        self.case = case
        self.folder = Path(case.enterContext(tempfile.TemporaryDirectory(prefix="addressee-scenario-")))
        (self.folder / "tools").mkdir()
        (self.folder / "tools" / "addressee").symlink_to(PROGRAM)
        self.replacements = {f"127.0.0.1:{port}": f"127.0.0.1:{free_port()}" for port in (2525, 8998)}
        self.replacements |= {"/var/mail/": f"{self.folder}/mail/", "/etc/addressee/": f"{self.folder}/"}
        self.environment = dict(os.environ, PATH=f"{self.folder}/tools:{os.environ['PATH']}")
        self.server = None
        case.addCleanup(self.stop)

    def here(self, text):
        for theirs, ours in self.replacements.items():
            text = text.replace(theirs, ours)
        return text

    def stop(self):
        if self.server:
            self.server.terminate()
            self.server.wait(PATIENCE)
            self.server.stderr.close()
            self.server = None

    def serve(self):
        self.stop()
        self.server = subprocess.Popen(
            ["addressee", "serve"], cwd=self.folder, env=self.environment, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for line in self.server.stderr:
            if " listening " in line:
                return line
        self.case.fail("the server ended")

    def type(self, command):
        """What a command prints; of an assignment nothing, and the commands after it have it."""
        if assignment := re.match(r"export (\w+)=(.*)", command):
            value = subprocess.run(["sh", "-c", f"printf %s {assignment[2]}"], cwd=self.folder, capture_output=True, text=True)
            self.environment[assignment[1]] = value.stdout
            return ""
        if command == "addressee serve &":
            return self.serve()
        done = subprocess.run(
            ["sh", "-c", self.here(command)], cwd=self.folder, env=self.environment, capture_output=True, text=True,
            timeout=PATIENCE * 2, stdin=subprocess.DEVNULL)
        if command.startswith("addressee init"):
            # On a port of its own, as if nothing else were on the machine.
            configuration = self.folder / "addressee.yaml"
            configuration.write_text(self.here(configuration.read_text()))
        return done.stdout + done.stderr

    def follow(self, block):
        for command, expected in block.turns():
            said = self.type(command)
            self.case.assertRegex(said, pattern(self.here(expected)), f"{block.name}: {command}")


class Pages(unittest.TestCase):
    def test_links_lead_somewhere(self):
        self.assertGreater(len(PAGES), 10)
        for page in PAGES:
            for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
                if target.startswith("https://"):
                    continue
                path, _, heading = target.partition("#")
                file = (page.parent / path).resolve() if path else page
                self.assertTrue(file.exists(), f"{page}: {target}")
                if heading:
                    headings = [re.sub(r"[^\w -]", "", line.lstrip("#").strip().lower()).replace(" ", "-")
                                for line in file.read_text().splitlines() if line.startswith("#")]
                    self.assertIn(heading, headings, f"{page}: {target}")

    def test_the_first_page_is_one_page(self):
        self.assertLess((REPOSITORY / "README.md").stat().st_size, 10_000)

    def test_every_example_has_a_test(self):
        for page in PAGES:
            for block in blocks(page):
                if block.elsewhere:
                    module = block.elsewhere.split(".")[0]
                    source = (REPOSITORY / "Tests" / "Scenarios" / f"{module}.py").read_text()
                    for name in block.elsewhere.split(".")[1:]:
                        self.assertRegex(source, rf"(class|def) {name}\b", block.name)
                elif block.language in ("", "sh"):
                    name = str(page.relative_to(REPOSITORY))
                    self.assertTrue(name in DRAWN or re.fullmatch(r"config/\w+/README\.md", name), block.name)
                else:
                    self.assertIn(block.language, ("console", "yaml", "swift"), block.name)

    def test_lines_for_other_programs_are_those_of_the_files_beside_them(self):
        for page in REPOSITORY.glob("config/*/README.md"):
            files = " ".join(path.read_text() for path in page.parent.rglob("*") if path.is_file() and path != page)
            files = " ".join(files.replace("{ADDRESSEE}", "{inet:127.0.0.1:2529}").split())
            for block in blocks(page):
                if block.language == "" and not block.elsewhere:
                    for line in block.text.splitlines():
                        self.assertIn(" ".join(line.split()), files, block.name)

    def test_configurations_are_taken(self):
        base = {"default-domain": "default-domain: example.org\n", "listeners": "listeners:\n  - smtp: 127.0.0.1:0\n",
                "sources": "sources:\n  - name: main\n    sqlite: directory.sqlite\n"}
        machine = Machine(self)
        machine.type("addressee init --config addressee.yaml --database directory.sqlite --domain example.org")
        (machine.folder / "ldap-password").write_text("secret\n")
        (machine.folder / "ldap-password").chmod(0o600)
        count = 0
        for page in PAGES:
            for block in blocks(page):
                if block.language == "yaml":
                    count += 1
                    keys = re.findall(r"(?m)^([a-z-]+):", block.text)
                    text = block.text + "".join(lines for key, lines in base.items() if key not in keys)
                    (machine.folder / "page.yaml").write_text(machine.here(text))
                    said = machine.type("addressee check --config page.yaml --source main")
                    self.assertNotIn("page.yaml", said, block.name)
                    self.assertIn("main: ", said, block.name)
        self.assertGreater(count, 4)

    def test_two_minutes_and_what_follows(self):
        need("swaks"), need("curl")
        machine = Machine(self)
        for block in blocks(REPOSITORY / "README.md"):
            if block.language == "console":
                machine.follow(block)
        # Messages, and questions over HTTP, in the same directory.
        page = REPOSITORY / "config" / "README.md"
        hop = next(block for block in blocks(page) if block.language == "yaml" and "maildir:" in block.text)
        deliverable = REPOSITORY / "config" / "haraka" / "README.md"
        self.assertIn("- qmail-deliverable: 127.0.0.1:8998", deliverable.read_text())
        configuration = machine.folder / "addressee.yaml"
        text = configuration.read_text().replace("\nlisteners:\n", "\nlisteners:\n  - qmail-deliverable: 127.0.0.1:8998\n", 1)
        configuration.write_text(machine.here(text + "\n" + hop.text))
        machine.serve()
        for page in page, deliverable, REPOSITORY / "config" / "opensmtpd" / "README.md", REPOSITORY / "schema" / "README.md":
            examples = [block for block in blocks(page) if block.language == "console"]
            self.assertTrue(examples, page)
            for block in examples:
                machine.follow(block)

    def test_the_commands_of_the_table_of_records(self):
        with tempfile.TemporaryDirectory(prefix="addressee-scenario-") as folder:
            self.assertEqual(run("init", "--domain", "here.example", folder=folder).returncode, 0)
            page = (REPOSITORY / "schema" / "README.md").read_text()
            commands = re.findall(r"`addressee ((?:domain|user|alias|forward|moved|list) (?:add|set) [^`]*)`", page)
            self.assertGreater(len(commands), 7)
            # First to whom the others lead.
            first = [command for command in commands if command.startswith(("domain add example.org ", "user add"))]
            first += ["user add jane@example.org", "alias add info@example.org --to jane@example.org"]
            for command in first + [command for command in commands if command not in first]:
                done = run(*shlex.split(command), folder=folder)
                self.assertEqual((done.returncode, done.stderr), (0, ""), command)

    def test_the_lines_for_a_package_name_what_there_is(self):
        manifest = (REPOSITORY / "Package.swift").read_text()
        page = (REPOSITORY / "Sources/SQLiteDirectory/SQLiteDirectory.docc/SQLiteDirectory.md").read_text()
        (package, path), = re.findall(r'\.package\(name: "(\w+)", path: "([^"]+)"\)', page)
        (product, of), = re.findall(r'\.product\(name: "(\w+)", package: "(\w+)"\)', page)
        self.assertEqual((path, of), (f"../{package}", package))
        self.assertIn(f'name: "{package}",', manifest)
        self.assertIn(f'.library(name: "{product}"', manifest)


if __name__ == "__main__":
    unittest.main()
