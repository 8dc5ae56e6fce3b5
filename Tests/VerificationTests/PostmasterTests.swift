// Which questions are for the postmaster, who is never refused for policy (RFC 5321 4.5.1).

import MailAddress
import SMTPProtocol
import Testing
import Verification

@Suite struct ForPostmaster {
    @Test(arguments: [
        ("postmaster", true), ("PostMaster", true), ("\"postmaster\"", true), ("<postmaster>", true),
        ("postmaster@a.example", true), ("<Postmaster@a.example>", true), ("postmasters", false), ("fred", false),
        ("fred@postmaster.example", false), ("post master", false),
    ])
    func verify(_ text: String, _ expected: Bool) throws {
        let subject = try Subject(Array(text.utf8).span)
        #expect(Query.verify(subject, utf8: false).isForPostmaster == expected)
        #expect(!Query.expand(subject, utf8: false).isForPostmaster)
    }

    @Test func recipients() throws {
        #expect(Query.recipient(.postmaster, utf8: false).isForPostmaster)
        #expect(Query.recipient(.mailbox(try Mailbox("POSTMASTER@a.example")), utf8: false).isForPostmaster)
        #expect(!Query.recipient(.mailbox(try Mailbox("fred@a.example")), utf8: false).isForPostmaster)
    }
}
