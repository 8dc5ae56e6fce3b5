// Replies on the wire (RFC 5321 4.2.1, 4.5.3.1.5; RFC 2034 4).

import MailAddress
import SMTPProtocol
import Testing

struct ReplyTests {
    static func mailbox(_ text: String) throws -> Mailbox { try Mailbox(text) }

    @Test func linesOfAReply() throws {
        let people = try ["Joe Smith <jsmith@foo.com>", "Harry Smith <hsmith@foo.com>"].map { text in
            let parts = text.dropLast().split(separator: "<")
            return NamedMailbox(name: String(parts[0].dropLast()), mailbox: try Mailbox(String(parts[1])))
        }
        let reply = ReplyCatalogue.possibilities(people)
        #expect(
            reply.lines(withEnhancedCode: true) == [
                "553-5.1.4 Ambiguous; Possibilities are", "553-5.1.4 Joe Smith <jsmith@foo.com>",
                "553 5.1.4 Harry Smith <hsmith@foo.com>",
            ])
        #expect(
            reply.lines(withEnhancedCode: false) == [
                "553-Ambiguous; Possibilities are", "553-Joe Smith <jsmith@foo.com>",
                "553 Harry Smith <hsmith@foo.com>",
            ])
        #expect(ReplyCatalogue.members([]) == nil)
        #expect(ReplyCatalogue.members([people[0]])?.description == "250 2.1.5 Joe Smith <jsmith@foo.com>")
    }

    /// Whatever a directory holds, no address may begin a line of its own.
    @Test func forgedLines() throws {
        let octets = Array("fred\r\n250 2.1.5 <x\u{0}".utf8)
        let domain = Domain(stored: Array("a\r\n.example".utf8), key: Array("a.example".utf8))
        let mailbox = Mailbox(localPart: LocalPart(stored: octets, key: octets), domain: domain)
        let named = NamedMailbox(name: "Fred\r\n", mailbox: mailbox)
        let replies = [
            ReplyCatalogue.verified(named), ReplyCatalogue.willForward(to: mailbox), ReplyCatalogue.pleaseTry(mailbox),
            ReplyCatalogue.possibilities([named, named]), try #require(ReplyCatalogue.members([named, named])),
        ]
        for (reply, count) in zip(replies, [1, 1, 1, 3, 2]) {
            var output: [UInt8] = []
            reply.append(to: &output, withEnhancedCode: true)
            #expect(output.count { $0 < 32 || $0 == 127 } == 2 * count)
            #expect(output.count { $0 == UInt8(ascii: "\n") } == count)
        }
        #expect(replies[0].description == "250 2.1.5 Fred   <\"fred??250 2.1.5 <x?\"@a??.example>")
    }

    /// RFC 5321 4.2: these two are read by machines.
    @Test func exactForms() throws {
        let mailbox = try Mailbox("Postel@USC-ISIF.ARPA")
        #expect(
            ReplyCatalogue.willForward(to: mailbox).description
                == "251 2.1.5 User not local; will forward to <Postel@USC-ISIF.ARPA>")
        #expect(
            ReplyCatalogue.pleaseTry(mailbox).description
                == "551 5.1.6 User not local; please try <Postel@USC-ISIF.ARPA>")
    }

    /// 5.1.2: least quoting in replies.
    @Test func quoting() throws {
        let mailbox = try Mailbox("\"f\\red\"@example.org")
        #expect(
            ReplyCatalogue.verified(NamedMailbox(name: "", mailbox: mailbox)).description
                == "250 2.1.5 <fred@example.org>")
        let spaced = try Mailbox("\"fr\\ ed\"@example.org")
        #expect(
            ReplyCatalogue.verified(NamedMailbox(name: "", mailbox: spaced)).description
                == "250 2.1.5 <\"fr ed\"@example.org>")
    }

    @Test(arguments: [
        ("Fred\r\n250 x", "250 2.1.5 Fred  250 x <a@b.example>"), ("a\u{0}b\u{7F}", "250 2.1.5 a b  <a@b.example>"),
        ("Fred <x@y.example>", "250 2.1.5 <a@b.example>"), ("a>b", "250 2.1.5 <a@b.example>"),
        (String(repeating: "n", count: 485), "250 2.1.5 \(String(repeating: "n", count: 485)) <a@b.example>"),
        (String(repeating: "n", count: 487), "250 2.1.5 <a@b.example>"),
    ])
    func names(name: String, line: String) throws {
        let reply = ReplyCatalogue.verified(NamedMailbox(name: name, mailbox: try Mailbox("a@b.example")))
        #expect(reply.lines(withEnhancedCode: true) == [line])
        #expect(line.utf8.count + 2 <= SMTPLimits.replyLine)
    }

    /// Two names of full length do not fit one line.
    @Test func longestGreeting() {
        var talk = Talk { $0.hostname = [UInt8](repeating: 104, count: 255) }
        let said = talk.say("EHLO " + String(repeating: "c", count: 255))
        #expect(said.split(separator: "\n").allSatisfy { $0.utf8.count + 2 <= SMTPLimits.replyLine })
        #expect(said.hasPrefix("250-hhh"))
    }

    @Test func greetings() {
        for (form, line) in [
            (ReplyForm.plain, "220 mx.example Simple Mail Transfer Service Ready"),
            (.enhanced, "220 mx.example ESMTP Addressee"),
        ] {
            var talk = Talk { $0.form = form }
            talk.session.connected()
            #expect(talk.heard() == line)
        }
    }
}
