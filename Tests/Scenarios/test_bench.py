"""`addressee bench` over each wire that it can measure."""

import json
import unittest

from service import Service

NAMES = ["fred@example.org", "nobody@example.org", "info@example.org", "leo@example.org",
         '"fred"@example.org', "x@elsewhere.example", "100%@example.org", '"a b"@example.org']
LISTENERS = [{"smtp": "127.0.0.1:0"}, {"socketmap": "unix:maps"}, {"tcp-table": "127.0.0.1:0", "map": "mailboxes"},
             {"policy": "127.0.0.1:0"}]
# The answers that the names bring, one each or several together.
ANSWERS = {
    ("smtp", "rcpt"): {"250", "550", "450"}, ("smtp", "vrfy"): {"250", "550", "450"}, ("smtp", "expn"): {"250", "550", "450"},
    ("socketmap", None): {"OK", "NOTFOUND", "TEMP"}, ("socketmap", "domains"): {"NOTFOUND"},
    ("tcp-table", None): {"200", "500", "400"}, ("policy", "rcpt"): {"DUNNO", "550", "450"},
    ("policy", "vrfy"): {"DUNNO", "550", "450"},
}


class Bench(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service(listeners=LISTENERS))
        cls.service.folder.joinpath("names").write_text("\n".join(NAMES) + "\n")

    def bench(self, wire, word, *options):
        index = [next(iter(listener)) for listener in LISTENERS].index(wire)
        address = self.service.addresses[index]
        host = f"unix:{address}" if isinstance(address, str) else "{}:{}".format(*address)
        if word:
            options += ("--map" if wire == "socketmap" else "--verb", word)
        return self.service.run("bench", "--host", host, "--wire", wire, "--names", "names", "--seconds", "0.3",
                                "--warm-up", "0", *options)

    def test_every_wire(self):
        for (wire, word), answers in ANSWERS.items():
            for connections, in_flight in [(1, 1), (3, 20)]:
                with self.subTest(wire=wire, word=word, in_flight=in_flight):
                    done = self.bench(wire, word, "--connections", str(connections), "--in-flight", str(in_flight), "--json")
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    report = json.loads(done.stdout)
                    self.assertEqual(report["wire"], wire)
                    self.assertEqual(set(report["replies"]) , answers)
                    self.assertEqual(sum(report["replies"].values()), report["questions"])

    def test_a_server_that_speaks_something_else(self):
        for wire, other in [("socketmap", "tcp-table"), ("policy", "socketmap")]:
            with self.subTest(wire=wire, other=other):
                address = self.service.addresses[[next(iter(one)) for one in LISTENERS].index(other)]
                host = f"unix:{address}" if isinstance(address, str) else "{}:{}".format(*address)
                done = self.service.run("bench", "--host", host, "--wire", wire, "--names", "names", "--seconds", "1")
                self.assertIn(done.returncode, (65, 75))
                self.assertEqual(done.stderr.count("\n"), 1)


if __name__ == "__main__":
    unittest.main()
