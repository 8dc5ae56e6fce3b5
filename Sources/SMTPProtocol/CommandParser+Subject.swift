// What VRFY and EXPN are asked about (RFC 5321 4.1.1.6, 4.1.1.7, RFC 6531 3.7.4.2): a String is an atom or a quoted
// string; unquoted `a@b`, `<a@b>`, `Full Name <a@b>` and `Full Name` are taken too, as every server does.

public import MailAddress

extension CommandParser {
    /// `String [SP "SMTPUTF8"]`
    static func subject(
        _ line: Span<UInt8>, from start: Int, to lineEnd: Int
    ) throws(CommandRefusal) -> (Subject, utf8: Bool) {
        var end = lineEnd
        var utf8 = false
        if end - start > 8, matches(line, at: end - 8, to: end, "SMTPUTF8"), isBlank(line[end - 9]),
            skipBlanks(line, from: start, to: end) < end - 8
        {
            utf8 = true
            end -= 9
            while end > start, isBlank(line[end - 1]) { end -= 1 }
        }
        let limit = SMTPLimits.commandLine + (utf8 ? SMTPLimits.utf8Parameter : 0)
        if start >= end { throw CommandRefusal(ReplyCatalogue.badArguments) }
        let subject: Subject
        do {
            subject = try self.subject(line, start..<end)
        } catch {
            try checkLength(line, limit)
            throw CommandRefusal(error.isEncoding ? ReplyCatalogue.malformedUTF8 : ReplyCatalogue.badAddress(error))
        }
        try checkLength(line, limit + room(forPathIn: line.extracting(start..<end), of: subject))
        if !utf8 {
            // The whole string counts, not only the mailbox in it.
            if holdsNonASCII(line) { throw CommandRefusal(ReplyCatalogue.nonASCIIPath) }
        }
        return (subject, utf8)
    }

    /// What an address makes room for in the line; a name makes none.
    private static func room(forPathIn text: Span<UInt8>, of subject: Subject) -> Int {
        guard case .mailbox = subject else { return 0 }
        return SMTPLimits.room(forPath: text.count - (openingBracket(text) ?? 0))
    }

    /// A subject that fills the range. Also used for names given on the command line.
    static func subject(_ line: Span<UInt8>, _ range: Range<Int>) throws(AddressSyntaxError) -> Subject {
        let text = line.extracting(range)
        if text.isEmpty { throw .empty }
        if !Folding.isWellFormedUTF8(text) { throw .malformedUTF8(at: 0) }
        if let bracket = openingBracket(text) { return try path(text, from: bracket) }
        if text[0] == UInt8(ascii: "\"") {
            var index = 0
            let octets = try quotedString(text, from: &index)
            if index == text.count { return try quoted(octets) }
            return .mailbox(try Mailbox(octets: text))
        }
        for index in text.indices where text[index] == UInt8(ascii: "@") {
            return .mailbox(try Mailbox(octets: text))
        }
        return .name(copy(line, range))
    }

    /// What stood in quotes. "@" and "<" may stand in a String only there (RFC 5321 4.1.2), so an address in quotes is
    /// that address; one that has a quoted local-part with "@" in it is written with its domain after the quotes.
    private static func quoted(_ octets: [UInt8]) throws(AddressSyntaxError) -> Subject {
        if octets.isEmpty { throw .empty }
        let text = octets.span
        if let bracket = openingBracket(text), let subject = try? path(text, from: bracket) { return subject }
        if octets.contains(UInt8(ascii: "@")), let mailbox = try? Mailbox(octets: text) { return .mailbox(mailbox) }
        return .name(octets)
    }

    /// Where `<path>` begins, outside a quoted string.
    private static func openingBracket(_ text: Span<UInt8>) -> Int? {
        var isQuoted = false
        var index = 0
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "\\") where isQuoted: index += 1
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "<") where !isQuoted: return index
            default: break
            }
            index += 1
        }
        return nil
    }

    private static func path(_ text: Span<UInt8>, from start: Int) throws(AddressSyntaxError) -> Subject {
        var index = start
        let path: ForwardPath
        do {
            path = try ForwardPath.parse(text, from: &index)
        } catch .missingAtSign {
            // `<claude>`, which the servers of old took: the name in it.
            index = start + 1
            let localPart = try LocalPart.parse(text, from: &index)
            if index != text.count - 1 { throw .missingAtSign }
            return .name(localPart.octets)
        }
        if index < text.count { throw .unexpectedOctet(at: index) }
        switch path {
        case .postmaster: return .postmaster
        case .mailbox(let mailbox): return .mailbox(mailbox)
        }
    }

    /// `Quoted-string = DQUOTE *QcontentSMTP DQUOTE` (RFC 5321 4.1.2), of any length that fits the line: a full name
    /// may be longer than a local-part.
    private static func quotedString(
        _ text: Span<UInt8>, from index: inout Int
    ) throws(AddressSyntaxError) -> [UInt8] {
        var octets: [UInt8] = []
        index += 1
        while index < text.count {
            let octet = text[index]
            index += 1
            if octet == UInt8(ascii: "\"") { return octets }
            if octet == UInt8(ascii: "\\") {
                // `quoted-pairSMTP = %d92 %d32-126`
                guard index < text.count, (32...126).contains(text[index]) else { throw .unexpectedOctet(at: index) }
                octets.append(text[index])
                index += 1
            } else if octet < 32 || octet == 127 {
                throw .controlCharacter(at: index - 1)
            } else {
                octets.append(octet)
            }
        }
        throw .unterminatedQuote
    }
}

extension AddressSyntaxError {
    var isEncoding: Bool {
        if case .malformedUTF8 = self { return true }
        return false
    }
}

extension Subject {
    /// Reads what VRFY or EXPN would be asked about, from a whole argument.
    /// - Throws: what is wrong with it.
    public init(_ octets: Span<UInt8>) throws(AddressSyntaxError) {
        for index in octets.indices where octets[index] < 32 || octets[index] == 127 {
            throw .controlCharacter(at: index)
        }
        self = try CommandParser.subject(octets, 0..<octets.count)
    }
}
