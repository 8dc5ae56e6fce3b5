// The fields on top of a message, letter by letter.

import MailAddress
import SMTPProtocol
import Testing

struct TraceFieldsTests {
    static func stamp(
        _ name: String?, _ address: String?, for recipient: ForwardPath? = nil, with word: StaticString = "ESMTP"
    ) -> String {
        let stamp = Stamp(
            clientName: name.map { Array($0.utf8) }, clientAddress: address.map { Array($0.utf8) },
            hostname: Array("mx.example".utf8), transmission: word, id: Array("A1".utf8), recipient: recipient,
            date: Array("Wed, 25 Nov 2026 13:27:07 +0200".utf8))
        return String(decoding: stamp.line, as: UTF8.self)
    }

    static let rest = "\r\n\tby mx.example with ESMTP id A1; Wed, 25 Nov 2026 13:27:07 +0200\r\n"

    @Test(arguments: [
        ("c.example", "192.0.2.1", "c.example ([192.0.2.1])"),
        ("[192.0.2.9]", "192.0.2.1", "[192.0.2.9] ([192.0.2.1])"),
        ("c.example", "IPv6:2001:db8::1", "c.example ([IPv6:2001:db8::1])"),
        (nil, "192.0.2.1", "[192.0.2.1] ([192.0.2.1])"),
        ("c.example", nil, "c.example"), (nil, nil, "localhost"),
        // A name that is none can't forge a clause.
        ("c;(x", "192.0.2.1", "[192.0.2.1] ([192.0.2.1])"), ("my_box", "192.0.2.1", "[192.0.2.1] ([192.0.2.1])"),
    ])
    func from(name: String?, address: String?, expected: String) {
        #expect(Self.stamp(name, address) == "Received: from " + expected + Self.rest)
    }

    @Test func recipient() throws {
        let mailbox = ForwardPath.mailbox(try Mailbox("\"a b\"@b.example"))
        #expect(Self.stamp("c", nil, for: mailbox).contains("id A1\r\n\tfor <\"a b\"@b.example>; Wed"))
        #expect(Self.stamp("c", nil, for: .postmaster).contains("id A1\r\n\tfor <postmaster>; Wed"))
    }

    @Test func otherFields() throws {
        let mailbox = try Mailbox("Fred@b.example")
        #expect(TraceFields.returnPath(.null) == Array("Return-Path: <>\r\n".utf8))
        #expect(TraceFields.returnPath(.mailbox(mailbox)) == Array("Return-Path: <Fred@b.example>\r\n".utf8))
        #expect(TraceFields.originalTo(.mailbox(mailbox)) == Array("X-Original-To: Fred@b.example\r\n".utf8))
        #expect(TraceFields.originalTo(.postmaster) == Array("X-Original-To: postmaster\r\n".utf8))
        #expect(TraceFields.deliveredTo(mailbox) == Array("Delivered-To: Fred@b.example\r\n".utf8))
    }

    @Test(arguments: [
        (false, false, false, "SMTP"), (true, false, false, "ESMTP"), (true, true, false, "ESMTPS"),
        (true, false, true, "UTF8SMTP"), (true, true, true, "UTF8SMTPS"),
    ])
    func transmission(isExtended: Bool, isEncrypted: Bool, utf8: Bool, expected: String) {
        let word = Stamp.transmission(isExtended: isExtended, isEncrypted: isEncrypted, utf8: utf8)
        #expect("\(word)" == expected)
    }
}
