// One line, without its CRLF, to one command (RFC 5321 4.1.1, 4.1.2). Commands in any case; white space at the end is
// tolerated, and so is a space after the colon of MAIL FROM: and RCPT TO:, which many clients send.

import MailAddress

/// A line that is no command: the reply says why.
struct CommandRefusal: Error, Hashable {
    var reply: Reply

    init(_ reply: Reply) { self.reply = reply }
}

struct CommandParser {
    /// - Throws: `CommandRefusal` with the reply for the client.
    static func parse(_ line: Span<UInt8>) throws(CommandRefusal) -> Command {
        try checkOctets(line)
        var end = line.count
        while end > 0, isBlank(line[end - 1]) { end -= 1 }
        var verbEnd = 0
        var verb: UInt64 = 0
        while verbEnd < end, !isBlank(line[verbEnd]), verbEnd < 9 {
            // Upper case by clearing the bit that tells ASCII letters apart.
            verb = verb << 8 | UInt64(line[verbEnd] & 0xDF)
            verbEnd += 1
        }
        let arguments = skipBlanks(line, from: verbEnd, to: end)
        switch verb {
        case Verb.rcpt:
            try checkLength(line, SMTPLimits.commandLine)
            return try recipient(line, from: arguments, to: end)
        case Verb.mail: return try mail(line, from: arguments, to: end)
        case Verb.vrfy:
            let (subject, utf8) = try subject(line, from: arguments, to: end)
            return .verify(subject, utf8: utf8)
        case Verb.expn:
            let (subject, utf8) = try subject(line, from: arguments, to: end)
            return .expand(subject, utf8: utf8)
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
        case Verb.send, Verb.soml, Verb.saml, Verb.turn, Verb.auth, Verb.etrn, Verb.bdat:
            throw CommandRefusal(ReplyCatalogue.notImplemented)
        default: throw CommandRefusal(ReplyCatalogue.unknownCommand)
        }
    }

    private enum Verb {
        static let ehlo = word("EHLO"), helo = word("HELO"), mail = word("MAIL"), rcpt = word("RCPT")
        static let data = word("DATA"), rset = word("RSET"), noop = word("NOOP"), quit = word("QUIT")
        static let vrfy = word("VRFY"), expn = word("EXPN"), help = word("HELP"), starttls = word("STARTTLS")
        static let send = word("SEND"), soml = word("SOML"), saml = word("SAML"), turn = word("TURN")
        static let auth = word("AUTH"), etrn = word("ETRN"), bdat = word("BDAT")

        private static func word(_ verb: StaticString) -> UInt64 {
            verb.withUTF8Buffer { $0.reduce(0) { $0 << 8 | UInt64($1) } }
        }
    }

    /// No control character but a tab may be in a line; so a bare CR or LF is found here.
    private static func checkOctets(_ line: Span<UInt8>) throws(CommandRefusal) {
        for index in line.indices {
            let octet = line[index]
            if octet < 0x20 || octet == 0x7F, octet != UInt8(ascii: "\t") {
                throw CommandRefusal(ReplyCatalogue.strayControl)
            }
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

    /// `"EHLO" SP ( Domain / address-literal )`. A name that only looks wrong is no reason to refuse service
    /// (RFC 5321 4.1.4): one printable word is all that is asked for.
    private static func clientName(
        _ line: Span<UInt8>, from start: Int, to end: Int
    ) throws(CommandRefusal) -> [UInt8] {
        let name = copy(line, start..<max(start, end))
        if name.isEmpty || name.count > SMTPLimits.clientName || name.contains(where: { $0 <= 32 || $0 > 126 }) {
            throw CommandRefusal(ReplyCatalogue.badArguments)
        }
        return name
    }
}
