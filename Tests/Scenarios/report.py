"""Runs the scenarios with unittest, prints each test, and ends with how many passed, failed and were skipped.

Without names all of them run, a module at a time, side by side in as many processes as SCENARIO_JOBS says (by default 2). What a
module prints stands together.
"""

import io
import json
import os
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

FOLDER = Path(__file__).parent

# Those that take longest come first, so that none of them is left for the end. Any order is right.
LONG = ["test_next_hop", "test_ldap_faults", "test_one_verdict", "test_hostile", "test_ldap_same", "test_postfix_policy",
        "test_ldap_order", "test_postfix_milter", "test_postfix_tcp", "test_files", "test_next_hop_trouble"]


class Result(unittest.TextTestResult):
    """Says how long each test took: a scenario that has become slow is worth a look."""

    passed = 0

    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def getDescription(self, test):
        if hasattr(test, "test_case"):
            return f"{self.getDescription(test.test_case)} {test._subDescription()}"
        if not hasattr(test, "_testMethodName"):
            return str(test)
        return f"{type(test).__module__}.{type(test).__name__}: {test._testMethodName[5:].replace('_', ' ')}"

    def addSuccess(self, test):
        unittest.TestResult.addSuccess(self, test)
        self.passed += 1
        self.stream.writeln(f"ok ({time.monotonic() - self.began:.1f} s)")

    def failed(self):
        """A test with several wrong parts is one test; its parts are named after it."""
        return sorted({getattr(test, "test_case", test).id() for test, _ in self.failures + self.errors})

    def counts(self):
        failed = self.failed()
        return self.passed, len(failed), len({test.id() for test, _ in self.skipped} - set(failed))


def run(names, stream):
    """(how many passed, were skipped), and the names of those that failed."""
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    result = unittest.TextTestRunner(stream=stream, verbosity=2, resultclass=Result).run(suite)
    passed, _, skipped = result.counts()
    return passed, skipped, result.failed()


def work():
    """One of the processes: a name comes in a line, what became of it goes in a line. What tests print themselves goes to
    standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for name in sys.stdin:
        text = io.StringIO()
        counts = run([name.strip()], text)
        print(json.dumps([text.getvalue(), *counts]), file=answers, flush=True)


def side_by_side(modules, jobs):
    waiting, lock, outcomes = list(reversed(modules)), threading.Lock(), []

    def attend():
        worker = subprocess.Popen(
            [sys.executable, __file__, "--work"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        while True:
            with lock:
                if not waiting:
                    break
                name = waiting.pop()
            try:
                worker.stdin.write(name + "\n")
                worker.stdin.flush()
                text, *counts = json.loads(worker.stdout.readline())
            except (OSError, ValueError):
                # It has ended: what was asked of it is not passed, and the rest is for the other processes.
                text, counts = f"{name}: the process that ran it ended with status {worker.wait()}\n", [0, 0, [name]]
            with lock:
                print(text, end="", flush=True)
                outcomes.append(counts)
            if worker.poll() is not None:
                break
        worker.stdin.close()
        worker.wait()

    threads = [threading.Thread(target=attend) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = [name for _, _, names in outcomes for name in names] + waiting
    return sum(passed for passed, _, _ in outcomes), sum(skipped for _, skipped, _ in outcomes), sorted(failed)


def main():
    names = sys.argv[1:]
    if names == ["--work"]:
        return work()
    if names:
        passed, skipped, failed = run(names, sys.stdout)
    else:
        found = sorted(path.stem for path in FOLDER.glob("test_*.py"))
        modules = [name for name in LONG if name in found] + [name for name in found if name not in LONG]
        passed, skipped, failed = side_by_side(modules, max(1, int(os.environ.get("SCENARIO_JOBS", "2"))))
        for name in failed:
            print(f"failed: {name}")
    print(f"{passed} passed, {len(failed)} failed, {skipped} skipped")
    # No test at all is a mistake in a name.
    sys.exit(1 if failed or passed + skipped == 0 else 0)


if __name__ == "__main__":
    main()
