"""Tests/nothing-left finds what a test leaves behind, and makes an end of it."""

import subprocess
import unittest
from pathlib import Path

from service import PATIENCE

RUNNER = Path(__file__).resolve().parents[1] / "nothing-left"


def run(script):
    """A shell script under it: its status, what the script said, and what is said of it."""
    done = subprocess.run([str(RUNNER), "sh", "-c", script], capture_output=True, text=True, timeout=PATIENCE * 2)
    return done.returncode, done.stdout.strip(), done.stderr


class NothingLeft(unittest.TestCase):
    def test_the_status_is_that_of_the_command(self):
        self.assertEqual(run("exit 0")[0], 0)
        self.assertEqual(run("exit 7")[0], 7)

    def test_what_goes_by_itself_may_go_a_little_later(self):
        self.assertEqual(run('touch "$TMPDIR/x"; (sleep 0.5; rm "$TMPDIR/x") >/dev/null 2>&1 & exit 0')[0], 0)

    def test_a_file_and_processes_are_named_and_gone(self):
        # One is known by its environment, the other, which has none, by where it works.
        status, said, told = run(
            'touch "$TMPDIR/forgotten"; sleep 600 >/dev/null 2>&1 & echo $!; cd "$TMPDIR";'
            ' env -i sleep 601 >/dev/null 2>&1 & echo $!; echo "$TMPDIR"')
        first, second, folder = said.split()
        self.assertEqual(status, 1)
        self.assertIn(f"left behind: the process {first}, sleep 600\n", told)
        self.assertIn(f"left behind: the process {second}, sleep 601\n", told)
        self.assertIn("left behind: forgotten in the temporary folder\n", told)
        self.assertFalse(Path(folder).exists())
        for number in first, second:
            status = Path(f"/proc/{number}/stat")
            self.assertTrue(not status.exists() or ") Z " in status.read_text(), number)


if __name__ == "__main__":
    unittest.main()
