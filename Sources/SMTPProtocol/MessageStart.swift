// Where the fields of this server end and a message begins. A message need have no header section, and its first line would
// be read as part of those fields then: so an empty line goes between (RFC 5322 2.1).

import MailAddress

/// The first lines of a message on their way, until it is known whether they are a header section.
public struct MessageStart: Hashable, Sendable {
    /// Whether nothing more is to be found out: what follows goes on as it is.
    public private(set) var isKnown = false
    /// The line at hand, as far as it has come.
    private var line: [UInt8] = []

    /// Octets of a line that are waited for: no name of a field has more (RFC 5322 2.1.1).
    private static let longestLine = 998

    public init() {}

    /// Takes octets of the message.
    /// - Returns: what goes on instead of the first `taken` of them.
    public mutating func take(_ octets: Span<UInt8>) -> (instead: [UInt8], taken: Int) {
        var instead: [UInt8] = []
        var index = 0
        while !isKnown, index < octets.count {
            line.append(octets[index])
            index += 1
            if octets[index - 1] == UInt8(ascii: "\n") || line.count == Self.longestLine { instead += nextLine() }
        }
        return (instead, index)
    }

    /// The message is over.
    /// - Returns: what goes on of it still.
    public mutating func end() -> [UInt8] { isKnown || line.isEmpty ? [] : nextLine() }

    private mutating func nextLine() -> [UInt8] {
        defer { line = [] }
        if line.last == UInt8(ascii: "\n"), Self.isFromLine(line) {
            // Of a mailbox file (RFC 4155): it stays as a field, as Postfix has it, so that the fields below it do too.
            return Array("X-Mailbox-Line: ".utf8) + line
        }
        isKnown = true
        let isHeader = HeaderField.isField(line) || line.starts(with: "\r\n".utf8)
        return isHeader ? line : Array("\r\n".utf8) + line
    }

    /// Whether it is a line that parts the messages of a mailbox file: `From fred@example.org Mon Nov 30 18:11:49 2026`.
    /// Text may begin with that word too.
    static func isFromLine(_ line: [UInt8]) -> Bool {
        guard line.starts(with: "From ".utf8) || line.starts(with: ">From ".utf8) else { return false }
        let words = line.split { $0 <= 32 }
        // After the sender.
        return zip(words, words.dropFirst()).dropFirst(2).contains { day, month in
            isOne(of: "Mon Tue Wed Thu Fri Sat Sun", day)
                && isOne(of: "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", month)
        }
    }

    private static func isOne(of words: String, _ word: ArraySlice<UInt8>) -> Bool {
        words.split(separator: " ").contains { $0.utf8.elementsEqual(word) }
    }
}
