// What another server replies (RFC 5321 4.2), read off the wire.

import MailAddress

/// A whole reply of another server.
public struct HeardReply: Hashable, Sendable {
    /// 200 to 599.
    public var code: UInt16
    /// The text of each line, without codes; one at least.
    public var lines: [[UInt8]]

    public init(code: UInt16, lines: [[UInt8]]) {
        self.code = code
        self.lines = lines
    }

    public var isPositive: Bool { code < 300 }

    /// Whether it refuses a recipient for good. Too many recipients are never refused so, whatever the code is: the others
    /// may come in another transaction, and some servers say 552 for that (RFC 5321 4.5.3.1.10).
    public var refusesRecipient: Bool {
        guard code >= 500 else { return false }
        return enhancedCode.map { $0 != .tooManyRecipients } ?? (code != 552)
    }

    /// Whether it asks for mail data (RFC 5321 4.3.2).
    public var asksForData: Bool { code == 354 }

    /// Whether it says that the connection is about to end (RFC 5321 3.8).
    public var endsConnection: Bool { code == 421 }

    /// The enhanced status code that it begins with (RFC 2034), where it has a place in our replies.
    var enhancedCode: EnhancedCode? { lines.first.flatMap { Self.enhanced($0, of: code)?.code } }

    /// The text of each line, without the enhanced status code that it may begin with.
    var texts: [[UInt8]] {
        lines.map { line in Self.enhanced(line, of: code).map { Array(line.dropFirst($0.length)) } ?? line }
    }

    /// `class "." subject "." detail SP` (RFC 2034 4), where the class is that of the code.
    private static func enhanced(_ line: [UInt8], of code: UInt16) -> (code: EnhancedCode, length: Int)? {
        let end = line.firstIndex(of: UInt8(ascii: " ")) ?? line.count
        let parts = line[..<end].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part -> Int? in
            guard (1...3).contains(part.count), part.allSatisfy({ (48...57).contains($0) }) else { return nil }
            return part.reduce(0) { $0 * 10 + Int($1 - 48) }
        }
        guard parts.count == 3, numbers.count == 3, numbers[0] == Int(code) / 100 else { return nil }
        // Other subjects and details are told as "other": a reply of ours has one digit for each.
        let known = EnhancedCode(subject: numbers[1], detail: numbers[2])
        return (known ?? .other, min(end + 1, line.count))
    }
}

extension HeardReply: CustomStringConvertible {
    /// On one line, for a log.
    public var description: String {
        let text = lines.prefix(3).map { String(decoding: $0, as: UTF8.self) }.joined(separator: " / ")
        return "\(code) \(text)"
    }
}

/// Reads replies as they come in. What is no reply is reported once, and then nothing more is read.
public struct ReplyReader: Hashable, Sendable {
    /// Octets of a line; RFC 5321 4.5.3.1.5 grants 512, and servers have more to say.
    static let longestLine = 4096
    /// Lines of a reply.
    static let mostLines = 256

    /// What the octets so far come to.
    public enum Result: Hashable, Sendable {
        /// A reply; the next begins at `next`.
        case reply(HeardReply, next: Int)
        /// No whole line: what is there from `consumed` on must be kept.
        case incomplete(consumed: Int)
        /// No reply begins like that.
        case malformed
    }

    private var code: UInt16 = 0
    private var lines: [[UInt8]] = []

    public init() {}

    /// - Parameter start: where a line begins.
    public mutating func next(_ octets: Span<UInt8>, from start: Int) -> Result {
        var index = start
        while let newline = octets.index(of: UInt8(ascii: "\n"), from: index) {
            let end = newline > index && octets[newline - 1] == UInt8(ascii: "\r") ? newline - 1 : newline
            guard let isLast = take(octets, index..<end) else { return .malformed }
            index = newline + 1
            if isLast {
                let reply = HeardReply(code: code, lines: lines)
                lines = []
                return .reply(reply, next: index)
            }
        }
        // One octet more may be a CR.
        return octets.count - index > Self.longestLine + 1 ? .malformed : .incomplete(consumed: index)
    }

    /// `Reply-code [ SP textstring ]`, or a hyphen instead of the space where more lines follow (RFC 5321 4.2).
    /// - Returns: whether the reply ends with this line; nil when it is no line of this reply.
    private mutating func take(_ octets: Span<UInt8>, _ line: Range<Int>) -> Bool? {
        guard line.count >= 3, line.count <= Self.longestLine, lines.count < Self.mostLines else { return nil }
        var number: UInt16 = 0
        for index in line.lowerBound..<line.lowerBound + 3 {
            guard octets[index] >= 48, octets[index] <= 57 else { return nil }
            number = number * 10 + UInt16(octets[index] - 48)
        }
        guard (200...599).contains(number), lines.isEmpty || number == code else { return nil }
        code = number
        if line.count == 3 {
            lines.append([])
            return true
        }
        let separator = octets[line.lowerBound + 3]
        guard separator == UInt8(ascii: " ") || separator == UInt8(ascii: "-") else { return nil }
        lines.append(CommandParser.copy(octets, line.lowerBound + 4..<line.upperBound))
        return separator == UInt8(ascii: " ")
    }
}
