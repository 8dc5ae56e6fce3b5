// One line, without its CRLF, to one command (RFC 5321 4.1.1, 4.1.2). Commands in any case; white space at the end is
// tolerated, and so is a space after the colon of MAIL FROM: and RCPT TO:, which many clients send.

import MailAddress

/// A line that is no command: the reply says why.
struct CommandRefusal: Error, Hashable {
    var reply: Reply
    /// Whether no more can be read after it: octets follow that are no commands, and how many can't be told.
    var endsSession = false

    init(_ reply: Reply, endsSession: Bool = false) {
        self.reply = reply
        self.endsSession = endsSession
    }
}

struct CommandParser {
    /// - Throws: `CommandRefusal` with the reply for the client.
    static func parse(_ line: Span<UInt8>) throws(CommandRefusal) -> Command {
        var end = line.count
        while end > 0, isBlank(line[end - 1]) { end -= 1 }
        var verbEnd = 0
        var verb: UInt64 = 0
        while verbEnd < end, !isBlank(line[verbEnd]) {
            // A ninth octet would push the first out of the word, and leave one that looks like STARTTLS.
            if verbEnd == 8 { throw CommandRefusal(ReplyCatalogue.unknownCommand) }
            // Upper case by clearing the bit that tells ASCII letters apart.
            verb = verb << 8 | UInt64(line[verbEnd] & 0xDF)
            verbEnd += 1
        }
        if holdsControl(line) {
            // RFC 5321 4.1.2: 501, unless there is another reason.
            throw CommandRefusal(
                Verb.isKnown(verb) ? ReplyCatalogue.strayControl : ReplyCatalogue.unknownCommand,
                endsSession: verb == Verb.bdat)
        }
        let arguments = skipBlanks(line, from: verbEnd, to: end)
        switch verb {
        case Verb.rcpt: return try recipient(line, from: arguments, to: end)
        case Verb.mail: return try mail(line, from: arguments, to: end)
        case Verb.vrfy:
            let (subject, utf8) = try subject(line, from: arguments, to: end)
            return .verify(subject, utf8: utf8)
        case Verb.expn:
            let (subject, utf8) = try subject(line, from: arguments, to: end)
            return .expand(subject, utf8: utf8)
        case Verb.bdat: return try chunk(line, from: arguments, to: end)
        default: break
        }
        try checkLength(line, SMTPLimits.commandLine)
        switch verb {
        case Verb.ehlo: return .extendedHello(try clientName(line, from: arguments, to: end))
        case Verb.helo: return .hello(try clientName(line, from: arguments, to: end))
        case Verb.noop: return .noOperation
        case Verb.help: return .help
        case Verb.data, Verb.rset, Verb.quit, Verb.starttls:
            // RFC 5321 4.1.1: these take no argument.
            if arguments < end { throw CommandRefusal(ReplyCatalogue.badArguments) }
            switch verb {
            case Verb.data: return .data
            case Verb.rset: return .reset
            case Verb.quit: return .quit
            default: return .startTLS
            }
        // RFC 821 commands that terminals need, RFC 1047's TURN, and AUTH, which is not offered (RFC 5321 4.2.4).
        case Verb.send, Verb.soml, Verb.saml, Verb.turn, Verb.auth, Verb.etrn:
            throw CommandRefusal(ReplyCatalogue.notImplemented)
        default: throw CommandRefusal(ReplyCatalogue.unknownCommand)
        }
    }

    /// The verbs as numbers, their octets in order: literals, so that telling them apart costs nothing.
    private enum Verb {
        static let ehlo: UInt64 = 0x4548_4C4F, helo: UInt64 = 0x4845_4C4F
        static let mail: UInt64 = 0x4D41_494C, rcpt: UInt64 = 0x5243_5054
        static let data: UInt64 = 0x4441_5441, rset: UInt64 = 0x5253_4554
        static let noop: UInt64 = 0x4E4F_4F50, quit: UInt64 = 0x5155_4954
        static let vrfy: UInt64 = 0x5652_4659, expn: UInt64 = 0x4558_504E
        static let help: UInt64 = 0x4845_4C50, starttls: UInt64 = 0x5354_4152_5454_4C53
        static let send: UInt64 = 0x5345_4E44, soml: UInt64 = 0x534F_4D4C
        static let saml: UInt64 = 0x5341_4D4C, turn: UInt64 = 0x5455_524E
        static let auth: UInt64 = 0x4155_5448, etrn: UInt64 = 0x4554_524E
        static let bdat: UInt64 = 0x4244_4154

        static func isKnown(_ verb: UInt64) -> Bool {
            switch verb {
            case ehlo, helo, mail, rcpt, data, rset, noop, quit, vrfy, expn, help, starttls, bdat: true
            default: false
            }
        }
    }

    /// No control character but a tab may be in a line; so a bare CR or LF is found here. No early exit: so many octets
    /// are looked at at a time.
    private static func holdsControl(_ line: Span<UInt8>) -> Bool {
        line.withUnsafeBufferPointer { octets in
            var found: UInt8 = 0
            for octet in octets {
                let isLow: UInt8 = octet < 0x20 ? 1 : 0
                let isNoTab: UInt8 = octet != UInt8(ascii: "\t") ? 1 : 0
                let isDelete: UInt8 = octet == 0x7F ? 1 : 0
                found |= (isLow & isNoTab) | isDelete
            }
            return found != 0
        }
    }

    /// Whether there is an octet over 127.
    static func holdsNonASCII(_ line: Span<UInt8>) -> Bool {
        line.withUnsafeBufferPointer { octets in
            var union: UInt8 = 0
            for octet in octets { union |= octet }
            return union >= 128
        }
    }

    static func checkLength(_ line: Span<UInt8>, _ limit: Int) throws(CommandRefusal) {
        if line.count + 2 > limit { throw CommandRefusal(ReplyCatalogue.lineTooLong) }
    }

    static func isBlank(_ octet: UInt8) -> Bool { octet == UInt8(ascii: " ") || octet == UInt8(ascii: "\t") }

    static func skipBlanks(_ line: Span<UInt8>, from start: Int, to end: Int) -> Int {
        var index = start
        while index < end, isBlank(line[index]) { index += 1 }
        return index
    }

    /// Whether the octets from `index` on are this word, in any case; the word is in upper case.
    static func matches(_ line: Span<UInt8>, at index: Int, to end: Int, _ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        if index + count > end { return false }
        return word.withUTF8Buffer { word in
            for offset in 0..<count {
                let octet = line[index + offset]
                let upper = octet >= UInt8(ascii: "a") && octet <= UInt8(ascii: "z") ? octet - 32 : octet
                if upper != word[offset] { return false }
            }
            return true
        }
    }

    static func copy(_ line: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(range.count)
        for index in range { octets.append(line[index]) }
        return octets
    }

    /// Whether a line that is too long to be looked at, of which at least these octets have come, begins a chunk.
    static func beginsChunk(_ line: Span<UInt8>) -> Bool {
        line.count > 4 && matches(line, at: 0, to: 4, "BDAT") && isBlank(line[4])
    }

    /// `"BDAT" SP chunk-size [ SP "LAST" ]` (RFC 3030 2). Octets follow whatever is answered. Where it can't be told how
    /// many, the session ends: else they would be taken for commands.
    private static func chunk(_ line: Span<UInt8>, from start: Int, to end: Int) throws(CommandRefusal) -> Command {
        var digitsEnd = start
        while digitsEnd < end, !isBlank(line[digitsEnd]) { digitsEnd += 1 }
        let last = skipBlanks(line, from: digitsEnd, to: end)
        let isLast = last < end
        guard let size = number(line, start..<digitsEnd),
            !isLast || (last + 4 == end && matches(line, at: last, to: end, "LAST"))
        else { throw CommandRefusal(ReplyCatalogue.badArguments, endsSession: true) }
        if line.count + 2 > SMTPLimits.commandLine {
            throw CommandRefusal(ReplyCatalogue.lineTooLong, endsSession: true)
        }
        return .chunk(size: size, isLast: isLast)
    }

    /// `"EHLO" SP ( Domain / address-literal )`. A name that only looks wrong is no reason to refuse service
    /// (RFC 5321 4.1.4): one printable word is all that is asked for. What follows it is passed over, as
    /// RFC 5321 4.1.1.1 thinks wise.
    private static func clientName(
        _ line: Span<UInt8>, from start: Int, to end: Int
    ) throws(CommandRefusal) -> [UInt8] {
        var nameEnd = start
        while nameEnd < end, !isBlank(line[nameEnd]) { nameEnd += 1 }
        let name = copy(line, start..<nameEnd)
        if name.isEmpty || name.count > SMTPLimits.clientName || name.contains(where: { $0 <= 32 || $0 > 126 }) {
            throw CommandRefusal(ReplyCatalogue.badClientName)
        }
        return name
    }
}
