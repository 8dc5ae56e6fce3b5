"""Exim and Postfix ask over SMTP whether a recipient is there, before they take mail for him: by the lines of
config/exim/call-ahead.conf and config/postfix/call-ahead.cf."""

import unittest

from exim import Exim
from postfix import Postfix
from service import Service

TAKEN = ["fred@example.org", "fred+lists@example.org", "info@example.org", "team@example.org", "away@example.org",
         "anna@example.org", "staff@example.org", "someone@relay.example", "postmaster@example.org",
         "postmaster@second.example", "postmaster"]
REFUSED = ["nobody@example.org", "nobody+x@example.org", "gone@example.org", "left@example.org", "ruth@example.org"]
LATER = ["leo@example.org", "max@example.org"]

# What a Postfix needs beyond smtpd, to ask another server.
ASKING = """verify unix - - n - 1 verify
qmgr unix n - n 300 1 qmgr
smtp unix - - n - - smtp
relay unix - - n - - smtp
retry unix - - n - - error
error unix - - n - - error
discard unix - - n - - discard
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
"""



class ByExim(unittest.TestCase):
    def exim(self, service, options="random,no_cache"):
        host, port = service.address
        return Exim("call-ahead.conf", {"* 127.0.0.1": f"* {host}", "port = 2525": f"port = {port}", "random,no_cache": options})

    def test_it_refuses_whom_we_refuse(self):
        with Service(log={"level": "debug"}) as service, self.exim(service) as exim:
            for name in TAKEN:
                with self.subTest(name):
                    self.assertRegex(exim.ask(name), "^250")
            for name in REFUSED:
                with self.subTest(name):
                    self.assertRegex(exim.ask(name), "(?s)^550.*55[01] 5")
            for name in LATER:
                with self.subTest(name):
                    self.assertRegex(exim.ask(name), "^45")
            self.assertRegex(exim.ask("nobody@elsewhere.example"), "^550")
            # It did ask for a name that nobody has.
            service.log.wait(r"about=\S*-testing@example.org")
            # A change is seen by the next question.
            service.change("user", "add", "late@example.org")
            self.assertRegex(exim.ask("late@example.org"), "^250")
            service.change("user", "rm", "late@example.org")
            self.assertRegex(exim.ask("late@example.org"), "^550")

    def test_the_postmaster_may_be_asked_for_too(self):
        with Service(log={"level": "debug"}) as service, self.exim(service, "random,postmaster,no_cache") as exim:
            for name in [*TAKEN, "postmaster"]:
                self.assertRegex(exim.ask(name), "^250", name)
            for name in REFUSED:
                self.assertRegex(exim.ask(name), "^550", name)
            service.log.wait("about=postmaster@example.org")

    def test_nobody_is_refused_for_good_while_the_directory_is_down(self):
        with Service() as service, self.exim(service) as exim:
            service.ruin()
            for name in [*TAKEN, *REFUSED, *LATER]:
                self.assertRegex(exim.ask(name), "^451", name)
            service.stop()
            self.assertRegex(exim.ask("nobody@example.org"), "^451")


class ByPostfix(unittest.TestCase):
    def postfix(self, service):
        return Postfix(["call-ahead.cf"], {"[127.0.0.1]:2525": "[{}]:{}".format(*service.address)}, services=ASKING)

    def test_it_refuses_whom_we_refuse(self):
        with Service() as service, self.postfix(service) as postfix:
            for name in TAKEN:
                with self.subTest(name):
                    self.assertRegex(postfix.ask(name), "^250", postfix.tail())
            for name in REFUSED:
                with self.subTest(name):
                    self.assertRegex(postfix.ask(name), "^550 5.1.[16] .*undeliverable address: .* said: 55[01]")
            for name in LATER:
                with self.subTest(name):
                    self.assertRegex(postfix.ask(name), "^450 4.1.1 .*unverified address: .* said: 45[02]")
            self.assertRegex(postfix.ask("nobody@elsewhere.example"), "^554 5.7.1 .*Relay access denied")

    def test_nobody_is_refused_for_good_while_the_directory_is_down(self):
        with Service() as service, self.postfix(service) as postfix:
            service.ruin()
            for name in ["fred@example.org", "nobody@example.org", "someone@relay.example"]:
                self.assertRegex(postfix.ask(name), "^450 4.1.1 .*said: 451 4.4.3", name)
            service.stop()
            self.assertRegex(postfix.ask("wilma@example.org"), "^450 4.1.1 ")


if __name__ == "__main__":
    unittest.main()
