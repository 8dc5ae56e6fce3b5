// What comes of the answers of the maps that rewrite senders (SRS).

import LookupProtocols
import MailAddress
import Testing

@testable import AddresseeServer

@Suite struct SenderRewriterTests {
    private static func answer(_ text: String, about: String = "me@elsewhere.example") throws -> SenderRewriter.Answer {
        SenderRewriter.Answer(.found(Array(text.utf8)), about: try Mailbox(about))
    }

    @Test(arguments: [230, 255]) func aRewrittenSenderHasRoom(_ length: Int) throws {
        let text = "SRS0=" + String(repeating: "b", count: length - 5) + "@example.org"
        #expect(try Self.answer(text) == .rewritten(try Mailbox(text)))
    }

    /// One octet too many is no trouble of the map, which a later try could find mended.
    @Test(arguments: [256, 300, 500]) func orIsTooLong(_ length: Int) throws {
        let text = "SRS0=" + String(repeating: "b", count: length - 5) + "@example.org"
        #expect(try Self.answer(text) == .tooLong(octets: length))
    }

    @Test func aDomainMayBeTooLongAsWell() throws {
        let domain = Array(repeating: "example", count: 40).joined(separator: ".")
        #expect(try Self.answer("SRS0=x@\(domain)") == .tooLong(octets: domain.utf8.count))
    }

    @Test(arguments: ["no address", "", "@example.org", "x@", "x@exa mple"]) func whatIsNone(_ text: String) throws {
        #expect(try Self.answer(text) == .failed("\(text) is no address"))
    }

    @Test func itStaysAsItIs() throws {
        let mailbox = try Mailbox("me@elsewhere.example")
        #expect(try Self.answer("ME@elsewhere.example") == .kept)
        #expect(SenderRewriter.Answer(.absent, about: mailbox) == .kept)
        #expect(SenderRewriter.Answer(.temporary(Array("later".utf8)), about: mailbox) == .failed("later"))
    }
}
