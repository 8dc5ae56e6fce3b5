// Mail data: where it ends, what is handed on of it, and why it is refused (RFC 5321 4.1.1.4, 4.5.2, 6.3, RFC 1870 6.3).

import MailAddress
import SMTPProtocol
import Testing

struct MessageTests {
    /// A session that has been given 354.
    static func opened(_ change: (inout SessionConfiguration) -> Void = { _ in }) -> Talk {
        var talk = Talk {
            $0.takesMail = true
            change(&$0)
        }
        for line in ["EHLO c.example", "MAIL FROM:<a@b.example>", "RCPT TO:<c@b.example>"] { _ = talk.say(line) }
        #expect(talk.give("DATA") == .openMessage)
        talk.session.messageOpened()
        #expect(talk.heard() == "354 Start mail input; end with <CRLF>.<CRLF>")
        return talk
    }

    /// What comes after 354, the message that it is, and how many octets that takes.
    @Test(arguments: [
        ("a\r\n.\r\n", "a\r\n", 6), ("a\r\n.\r\nNOOP\r\n", "a\r\n", 6),
        // RFC 5321 4.1.1.4: the CR LF of DATA may be the first of the end.
        (".\r\n", "", 3), ("\r\n.\r\n", "\r\n", 5),
        // RFC 5321 4.5.2.
        ("..\r\n.\r\n", ".\r\n", 7), ("...\r\n.\r\n", "..\r\n", 8), (".a\r\n.\r\n", "a\r\n", 7),
        ("a.\r\n.\r\n", "a.\r\n", 7), ("a\r\n..\r\n.\r\n", "a\r\n.\r\n", 10), (". \r\n.\r\n", " \r\n", 7),
        ("a\r\n\r\n\r\n.\r\n", "a\r\n\r\n\r\n", 10), ("\u{1}\u{7F}\u{E9}\t\r\n.\r\n", "\u{1}\u{7F}\u{E9}\t\r\n", 10),
    ])
    func ends(data: String, message: String, at next: Int) {
        for size in [1, 2, 3, 100] {
            var talk = Self.opened()
            let (content, progress) = talk.give(data: Array(data.utf8), inPiecesOf: size)
            #expect(String(decoding: content, as: UTF8.self) == message)
            #expect(progress == .handOn(next: next))
            #expect(talk.heard() == "")
            talk.session.messageEnded(ReplyCatalogue.ok)
            #expect(talk.heard() == "250 2.0.0 OK")
            #expect(talk.say("RCPT TO:<c@b.example>") == "503 5.5.1 MAIL first")
        }
    }

    /// None of these ends a message, and none gets through: RFC 5321 2.3.8, 4.1.1.4.
    @Test(arguments: [
        "\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\r.\r\n", "\r\n.\r\r\n", "\r\r\n.\r\r\n", "\n\n.\r\n",
        "\r\n\n.\r\n",
        "\r\n.\n\r\n", "\r\n..\n", "\r\n.\r\0\n", "\r\n\r.\r\n", "\n", "\r",
    ])
    func isNoEnd(sequence: String) {
        let smuggled = "MAIL FROM:<x@b.example>\r\nRCPT TO:<y@b.example>\r\nDATA\r\nb"
        let data = Array("a\(sequence)\(smuggled)\r\n.\r\n".utf8)
        for size in [1, 2, 3, 100] {
            var talk = Self.opened()
            let (_, progress) = talk.give(data: data, inPiecesOf: size)
            #expect(progress == .refused(next: data.count))
            #expect(talk.heard() == "550 5.5.2 A bare CR or bare LF is in the message: lines end with CR LF")
            #expect(talk.say("NOOP") == "250 2.0.0 OK")
        }
    }

    /// A NUL is refused, and read past to the end that was meant: another server may take the lines around it otherwise.
    @Test(arguments: [
        "\0", "a\0", "\0.\r\n", "\r\n\0.\r\nQUIT", "\r\n.\0\r\n", "Subject: \0\r\n\r\na", "\r\n\0\r\n\r\n",
    ])
    func holdsNUL(text: String) {
        let data = Array("\(text)\r\n.\r\n".utf8)
        for size in [1, 2, 3, 100] {
            var talk = Self.opened()
            let (_, progress) = talk.give(data: data, inPiecesOf: size)
            #expect(progress == .refused(next: data.count))
            #expect(talk.heard() == "550 5.5.2 A NUL is in the message: it has no place there")
            #expect(talk.say("NOOP") == "250 2.0.0 OK")
        }
    }

    @Test func tooBig() {
        let end = Array(".\r\n".utf8)
        for (count, fits) in [(8, true), (9, false), (100_000, false)] {
            var talk = Self.opened { $0.messageSize = 10 }
            let data = [UInt8](repeating: 97, count: count) + [13, 10]
            let (content, progress) = talk.give(data: data + end, inPiecesOf: 7)
            #expect(content.count <= 10)
            if fits {
                #expect(progress == .handOn(next: data.count + 3))
            } else {
                #expect(progress == .refused(next: data.count + 3))
                #expect(talk.heard() == "552 5.3.4 Message size exceeds the limit")
            }
        }
        // RFC 1870 5: dots that were stuffed do not count.
        var talk = Self.opened { $0.messageSize = 3 }
        #expect(talk.give(data: Array("..\r\n.\r\n".utf8), inPiecesOf: 100).progress == .handOn(next: 7))
    }

    @Test(arguments: [
        ("Received: a\r\n", true), ("RECEIVED: a\r\n", true), ("received :a\r\n", true), ("Delivered-To: a\r\n", true),
        ("Delivered-To: \r\n (x)\r\n a\r\n", true), ("Delivered-To:\r\n", true),
        ("X-Received: a\r\n", false), ("Receive: a\r\n", false), (" Received: a\r\n", false), ("Received\r\n", false),
        ("X: a\r\n Received: b\r\n", false),
    ])
    func loops(field: String, counts: Bool) {
        for (times, refused) in [(3, false), (4, counts)] {
            for size in [1, 5, 1000] {
                var talk = Self.opened { $0.traceFields = 3 }
                let data = Array((String(repeating: field, count: times) + "\r\n.\r\n").utf8)
                let progress = talk.give(data: data, inPiecesOf: size).progress
                #expect(progress == (refused ? .refused(next: data.count) : .handOn(next: data.count)))
                if refused { #expect(talk.heard() == "554 5.4.6 The message goes in a loop") }
            }
        }
        // Below the header section they are text, and where there is none.
        for start in ["", "Dear all,", " folded", "From us:", "Subject: x\r\nno field here", "X: y\r\n z\r\nno field"] {
            var talk = Self.opened { $0.traceFields = 3 }
            let data = Array(("\(start)\r\n" + String(repeating: field, count: 9) + "\r\n.\r\n").utf8)
            #expect(talk.give(data: data, inPiecesOf: 100).progress == .handOn(next: data.count))
        }
    }

    /// However a field is folded, commented and spelled (RFC 5322 3.2.2, 3.4, 4.4), it names the mailbox.
    @Test(arguments: [
        "Delivered-To: fred@b.example", "delivered-to:fred@b.example \t", "DELIVERED-TO : Fred@B.Example",
        "Delivered-To:\r\n fred@b.example", "Delivered-To: fred@b.example\r\n\t",
        "Delivered-To:\r\n\t<fred@\r\n b.example>",
        "Delivered-To: <fred@b.example>", "Delivered-To: < fred@b.example >", "Delivered-To: Fred <fred@b.example>",
        "Delivered-To: \"Claude, Fred (x) <y@z>\" <fred@b.example>", "Delivered-To: (by (us) \\) ) fred@b.example",
        "Delivered-To: fred@b.example (Fred Claude)", "Delivered-To: fred (his)\r\n @ b.example",
        "Delivered-To: \"fred\"@b.example", "Delivered-To: fred@b.example.",
        "Delivered-To: <@a.example,@c.example:fred@b.example>",
        "Delivered-To: (\(String(repeating: "x", count: 900)))\r\n (\(String(repeating: "y", count: 900)))\r\n fred@b.example",
        // However much stands before it, in one line or many.
        "Delivered-To: \(String(repeating: "(\(String(repeating: "x", count: 900)))\r\n ", count: 6))fred@b.example",
        "Delivered-To: \(String(repeating: " \r\n ", count: 3000))fred@b.example",
        "Delivered-To: (\(String(repeating: "x", count: 9000))) fred@b.example",
        "Delivered-To:\r\n \(String(repeating: "x ", count: 9000))<fred@b.example>",
        "Delivered-To: (\(String(repeating: "x", count: 981))) fred@b.example",
        "Delivered-To: (\(String(repeating: "x", count: 967))) fred@b.example",
        "Subject: x\r\nDelivered-To: fred@b.example\r\nX: y",
        "From me Mon Nov 30 18:11:49 2026\r\nDelivered-To: fred@b.example",
    ])
    func deliveredToIsTold(field: String) throws {
        let fred = try Mailbox("fred@b.example")
        for end in ["", "\r\nDelivered-To: no@b.example\r\n"] {
            for size in [1, 4, 10_000] {
                var talk = Self.opened()
                _ = talk.give(data: Array((field + "\r\n" + end + ".\r\n").utf8), inPiecesOf: size)
                #expect(talk.session.message?.deliveredTo == [fred])
            }
        }
    }

    @Test(arguments: [
        "Delivered-To: ", "Delivered-To: fred", "Delivered-To: (fred@b.example)",
        "Delivered-To: a@b.example, fred@b.example",
        "X-Delivered-To: fred@b.example", "Subject: x\r\n Delivered-To: fred@b.example",
        "Hello\r\nDelivered-To: fred@b.example", "Subject: x\r\nHello\r\nDelivered-To: fred@b.example",
        // More than any mailbox has, and what follows is no part of the field.
        "Delivered-To: \(String(repeating: "x", count: 9000))fred@b.example",
        "Delivered-To: \(String(repeating: "\"x\\\"\"", count: 900))\r\n fred@b.example",
        "Subject: \(String(repeating: "x", count: 981))\r\n Delivered-To: fred@b.example",
    ])
    func deliveredToNobody(field: String) {
        var talk = Self.opened()
        _ = talk.give(data: Array((field + "\r\n.\r\n").utf8), inPiecesOf: 4)
        #expect(talk.session.message?.deliveredTo == [])
    }

    /// What fails amid a message is said at its end.
    @Test func failsAmidTheMessage() {
        var talk = Self.opened()
        _ = talk.give(data: Array("a\r\n".utf8), inPiecesOf: 100)
        talk.session.messageFailed(ReplyCatalogue.storageFull)
        talk.session.messageFailed(ReplyCatalogue.notHandedOn)
        #expect(talk.heard() == "")
        let (content, progress) = talk.give(data: Array("b\r\n.\r\n".utf8), inPiecesOf: 100)
        #expect(content.isEmpty)
        #expect(progress == .refused(next: 6))
        #expect(talk.heard() == "452 4.3.1 Insufficient system storage, try again later")
        #expect(talk.say("MAIL FROM:<>").hasPrefix("250"))
    }

    /// Nothing is taken for a command before it is known whether a message comes.
    @Test func waitsForTheNextHop() {
        var talk = Talk { $0.takesMail = true }
        #expect(talk.give("MAIL FROM:<a@b.example>") == .begin(.mailbox(Self.mailbox("a@b.example")), .init()))
        _ = talk.say("RCPT TO:<c@b.example>")
        #expect(talk.give("DATA") == .openMessage)
        #expect(talk.session.isHandlingMessage && talk.session.isWaiting)
        #expect(talk.give("NOOP") == .wait)
        talk.session.messageEnded(ReplyCatalogue.notHandedOn)
        #expect(talk.heard() == "451 4.3.0 The message can't be handed on now, try again later")
        #expect(talk.say("DATA") == "503 5.5.1 MAIL first")
        // Out of turn, all of this changes nothing.
        talk.session.messageOpened()
        talk.session.messageEnded(ReplyCatalogue.ok)
        talk.session.messageFailed(ReplyCatalogue.ok)
        #expect(talk.heard() == "" && !talk.session.isReceivingData)
    }

    @Test func endsAmidTheMessage() {
        var talk = Self.opened()
        _ = talk.give(data: Array("a\r\n".utf8), inPiecesOf: 100)
        talk.session.end(with: ReplyCatalogue.idle(Array("mx.example".utf8)))
        #expect(talk.heard().hasPrefix("421 "))
        #expect(talk.give("NOOP") == .close)
    }

    static func mailbox(_ text: String) -> Mailbox {
        do { return try Mailbox(text) } catch { preconditionFailure("\(error)") }
    }
}
