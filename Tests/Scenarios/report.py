"""Runs the scenarios with unittest, prints each test, and ends with how many passed, failed and were skipped."""

import sys
import time
import unittest
from pathlib import Path


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

    def counts(self):
        # A test with several wrong parts is one test; its parts are named after it.
        failed = {getattr(test, "test_case", test).id() for test, _ in self.failures + self.errors}
        return self.passed, len(failed), len({test.id() for test, _ in self.skipped} - failed)


def main():
    loader = unittest.defaultTestLoader
    names = sys.argv[1:]
    folder = str(Path(__file__).parent)
    suite = loader.loadTestsFromNames(names) if names else loader.discover(folder)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite)
    passed, failed, skipped = result.counts()
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    # No test at all is a mistake in a name.
    sys.exit(1 if failed or passed + skipped == 0 else 0)


if __name__ == "__main__":
    main()
