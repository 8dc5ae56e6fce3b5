// MAIL and RCPT: the paths, then the parameters, and only then what both mean together: SMTPUTF8 may come after the
// path that needs it.

import MailAddress

extension CommandParser {
    /// `"RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters]`
    /// (RFC 5321 4.1.1.3).
    static func recipient(
        _ line: Span<UInt8>, from start: Int, to end: Int
    ) throws(CommandRefusal) -> Command {
        guard matches(line, at: start, to: end, "TO:") else {
            throw CommandRefusal(ReplyCatalogue.badArguments)
        }
        let pathStart = skipBlanks(line, from: start + 3, to: end)
        var index = pathStart
        let path: ForwardPath
        do {
            path = try ForwardPath.parse(line, from: &index)
        } catch {
            throw CommandRefusal(ReplyCatalogue.badAddress(error))
        }
        let limit = SMTPLimits.commandLine + SMTPLimits.room(forPath: index - pathStart)
        if index == end {
            try checkLength(line, limit)
            return .recipient(path, nil)
        }
        var parameters = Command.RecipientParameters()
        while index < end {
            let range = try nextParameter(line, from: &index, to: end)
            try take(line, range, into: &parameters)
        }
        try checkLength(line, limit + SMTPLimits.recipientParameters)
        return .recipient(path, parameters)
    }

    private static func nextParameter(
        _ line: Span<UInt8>, from index: inout Int, to end: Int
    ) throws(CommandRefusal) -> Range<Int> {
        if !isBlank(line[index]) { throw CommandRefusal(ReplyCatalogue.badArguments) }
        index = skipBlanks(line, from: index, to: end)
        let start = index
        while index < end, !isBlank(line[index]) { index += 1 }
        return start..<index
    }

    /// `NOTIFY=` and `ORCPT=`, each at most once (RFC 3461 4).
    private static func take(
        _ line: Span<UInt8>, _ range: Range<Int>, into parameters: inout Command.RecipientParameters
    ) throws(CommandRefusal) {
        if matches(line, at: range.lowerBound, to: range.upperBound, "NOTIFY=") {
            let value = copy(line, range.lowerBound + 7..<range.upperBound).map(upper)
            guard parameters.notify == nil, NotificationSyntax.isNotify(value) else {
                throw CommandRefusal(ReplyCatalogue.badArguments)
            }
            parameters.notify = value
        } else if matches(line, at: range.lowerBound, to: range.upperBound, "ORCPT=") {
            let value = copy(line, range.lowerBound + 6..<range.upperBound)
            guard parameters.original == nil, NotificationSyntax.isOriginalRecipient(value) else {
                throw CommandRefusal(ReplyCatalogue.badArguments)
            }
            parameters.original = value
        } else {
            throw CommandRefusal(ReplyCatalogue.unknownParameter)
        }
    }

    private static func upper(_ octet: UInt8) -> UInt8 {
        octet >= UInt8(ascii: "a") && octet <= UInt8(ascii: "z") ? octet - 32 : octet
    }

    /// `"MAIL FROM:" Reverse-path [SP Mail-parameters]` (RFC 5321 4.1.1.2).
    static func mail(_ line: Span<UInt8>, from start: Int, to end: Int) throws(CommandRefusal) -> Command {
        guard matches(line, at: start, to: end, "FROM:") else {
            throw CommandRefusal(ReplyCatalogue.badArguments)
        }
        let pathStart = skipBlanks(line, from: start + 5, to: end)
        var index = pathStart
        let path: ReversePath
        do {
            path = try ReversePath.parse(line, from: &index)
        } catch {
            throw CommandRefusal(ReplyCatalogue.badSender(error))
        }
        let limit = SMTPLimits.commandLine + SMTPLimits.room(forPath: index - pathStart)
        var parameters = Command.MailParameters()
        var seen = SeenParameters()
        while index < end {
            let range = try nextParameter(line, from: &index, to: end)
            try take(line, range, into: &parameters, &seen)
        }
        try checkLength(line, limit + seen.room)
        // Where MAIL is whole, only its path can hold such an octet. What IDNA makes of it may be ASCII.
        if !parameters.utf8, holdsNonASCII(line) { throw CommandRefusal(ReplyCatalogue.nonASCIISender) }
        return .mail(path, parameters)
    }

    /// Each parameter may be given once (RFC 1870 6, RFC 6152 3), and makes room for itself in the line.
    private struct SeenParameters {
        var size = false
        var body = false
        var utf8 = false
        var returned = false
        var envelopeID = false

        var room: Int {
            (size ? SMTPLimits.sizeParameter : 0) + (body ? SMTPLimits.bodyParameter : 0)
                + (utf8 ? SMTPLimits.utf8Parameter : 0) + (returned ? SMTPLimits.returnParameter : 0)
                + (envelopeID ? SMTPLimits.envelopeIDParameter : 0)
        }

        static func mark(_ flag: inout Bool) throws(CommandRefusal) {
            if flag { throw CommandRefusal(ReplyCatalogue.badArguments) }
            flag = true
        }
    }

    private static func take(
        _ line: Span<UInt8>, _ range: Range<Int>, into parameters: inout Command.MailParameters,
        _ seen: inout SeenParameters
    ) throws(CommandRefusal) {
        let end = range.upperBound
        if matches(line, at: range.lowerBound, to: end, "SIZE=") {
            try SeenParameters.mark(&seen.size)
            guard let size = number(line, range.lowerBound + 5..<end) else {
                throw CommandRefusal(ReplyCatalogue.badArguments)
            }
            parameters.size = size
        } else if matches(line, at: range.lowerBound, to: end, "BODY=") {
            try SeenParameters.mark(&seen.body)
            let value = range.lowerBound + 5
            let isKnown =
                (matches(line, at: value, to: end, "7BIT") && value + 4 == end)
                || (matches(line, at: value, to: end, "8BITMIME") && value + 8 == end)
            if !isKnown { throw CommandRefusal(ReplyCatalogue.parameterNotImplemented) }
            parameters.eightBit = value + 8 == end
        } else if matches(line, at: range.lowerBound, to: end, "SMTPUTF8"), range.count == 8 {
            try SeenParameters.mark(&seen.utf8)
            parameters.utf8 = true
        } else if matches(line, at: range.lowerBound, to: end, "RET=") {
            try SeenParameters.mark(&seen.returned)
            let value = String(decoding: copy(line, range.lowerBound + 4..<end), as: UTF8.self)
            guard let returned = Command.MailParameters.Returned(rawValue: value.uppercased()) else {
                throw CommandRefusal(ReplyCatalogue.badArguments)
            }
            parameters.returned = returned
        } else if matches(line, at: range.lowerBound, to: end, "ENVID=") {
            try SeenParameters.mark(&seen.envelopeID)
            let value = copy(line, range.lowerBound + 6..<end)
            guard NotificationSyntax.isEnvelopeID(value) else { throw CommandRefusal(ReplyCatalogue.badArguments) }
            parameters.envelopeID = value
        } else {
            throw CommandRefusal(ReplyCatalogue.unknownParameter)
        }
    }

    /// `size-value = 1*20DIGIT` (RFC 1870 3), and the size of a chunk. What does not fit 64 bits is surely over any limit.
    static func number(_ line: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        if range.isEmpty || range.count > 20 { return nil }
        var value: UInt64 = 0
        for index in range {
            let octet = line[index]
            guard octet >= UInt8(ascii: "0"), octet <= UInt8(ascii: "9") else { return nil }
            let (product, isOver) = value.multipliedReportingOverflow(by: 10)
            let (sum, isOverToo) = product.addingReportingOverflow(UInt64(octet - UInt8(ascii: "0")))
            value = isOver || isOverToo ? .max : sum
        }
        return value
    }
}
