// One reply: code, enhanced code, lines of text, and how they are put on the wire.

/// A reply. Made in `ReplyCatalogue` only, so that all that is ever said stands in one file.
public struct Reply: Hashable, Sendable {
    /// 220 to 555.
    public let code: UInt16
    /// Nil where none belongs: the greeting, and the answers to HELO and EHLO (RFC 2034 4).
    public let enhancedCode: EnhancedCode?
    /// The text of the first line, without codes.
    public let text: [UInt8]
    /// The text of the lines after it.
    public let moreText: [[UInt8]]
    /// The lines after those, a mailbox each. There may be very many, so each is made when it is said.
    private let mailboxes: ArraySlice<NamedMailbox>

    /// A control character, such as the CR LF that would begin a forged line, becomes "?", whatever a directory holds.
    init(
        _ code: UInt16, _ enhancedCode: EnhancedCode?, _ text: [UInt8], more moreText: [[UInt8]] = [],
        mailboxes: ArraySlice<NamedMailbox> = []
    ) {
        self.code = code
        self.enhancedCode = enhancedCode
        self.text = Self.printable(text)
        self.moreText = moreText.contains(where: Self.holdsControl) ? moreText.map(Self.printable) : moreText
        self.mailboxes = mailboxes
    }

    private static func printable(_ line: [UInt8]) -> [UInt8] {
        holdsControl(line) ? line.map { $0 < 32 || $0 == 127 ? UInt8(ascii: "?") : $0 } : line
    }

    private static func holdsControl(_ line: [UInt8]) -> Bool {
        for octet in line where octet < 32 || octet == 127 { return true }
        return false
    }

    init(_ code: UInt16, _ enhancedCode: EnhancedCode?, _ text: StaticString) {
        self.init(code, enhancedCode, text.withUTF8Buffer { Array($0) })
    }

    /// 2yz.
    public var isPositive: Bool { code < 300 }

    /// Whether the code says that the command itself was wrong. A malformed address (X.1.z) is no fault of the dialogue:
    /// clients that check whole lists of addresses send many on one connection.
    var isSyntaxError: Bool { ((500...504).contains(code) || code == 555) && enhancedCode?.subject != 1 }

    /// The lines as they go on the wire: the same code on each, a hyphen on all but the last (RFC 5321 4.2.1).
    public func append(to output: inout [UInt8], withEnhancedCode: Bool) {
        _ = append(to: &output, withEnhancedCode: withEnhancedCode, from: 0, octets: .max)
    }

    /// How many lines it has.
    public var lineCount: Int { 1 + moreText.count + mailboxes.count }

    /// The same from one line on, until the output has so many octets or the reply is over.
    /// - Returns: the line to go on with; `lineCount` when there is none.
    public func append(to output: inout [UInt8], withEnhancedCode: Bool, from first: Int, octets: Int) -> Int {
        let count = lineCount
        var index = first
        while index < count, output.count < octets {
            appendLine(line(index), isLast: index == count - 1, withEnhancedCode, to: &output)
            index += 1
        }
        return index
    }

    private func line(_ index: Int) -> [UInt8] {
        if index == 0 { return text }
        if index <= moreText.count { return moreText[index - 1] }
        return Self.printable(mailboxes[mailboxes.startIndex + index - 1 - moreText.count].line)
    }

    /// The first line as it goes on the wire, without its end.
    public var firstLine: [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(text.count + 12)
        appendLine(text, isLast: lineCount == 1, true, to: &line)
        line.removeLast(2)
        return line
    }

    private func appendLine(_ line: [UInt8], isLast: Bool, _ withEnhancedCode: Bool, to output: inout [UInt8]) {
        Self.append(digits: code, to: &output)
        output.append(isLast ? UInt8(ascii: " ") : UInt8(ascii: "-"))
        if withEnhancedCode, let enhancedCode {
            output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: code / 100))
            output.append(UInt8(ascii: "."))
            output.append(UInt8(ascii: "0") + enhancedCode.subject)
            output.append(UInt8(ascii: "."))
            output.append(UInt8(ascii: "0") + enhancedCode.detail)
            output.append(UInt8(ascii: " "))
        }
        output.append(contentsOf: line)
        output.append(UInt8(ascii: "\r"))
        output.append(UInt8(ascii: "\n"))
    }

    private static func append(digits code: UInt16, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: code / 100))
        output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: code / 10 % 10))
        output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: code % 10))
    }
}

extension Reply: CustomStringConvertible {
    /// The lines as they go on the wire, with enhanced codes, LF between them and none at the end.
    public var description: String { lines(withEnhancedCode: true).joined(separator: "\n") }

    /// Each line as it goes on the wire, for people.
    public func lines(withEnhancedCode: Bool) -> [String] {
        var output: [UInt8] = []
        append(to: &output, withEnhancedCode: withEnhancedCode)
        return output.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0.dropLast(), as: UTF8.self) }
    }
}
