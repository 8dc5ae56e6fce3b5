// How a question goes over each wire that can be measured, and how its answer comes back.

import Glibc
import Verification

/// A wire that questions go over.
enum BenchWire: String, CaseIterable {
    case smtp
    case socketmap
    case tcpTable = "tcp-table"
    case policy

    /// Whether its requests name what they ask of a map.
    var hasMaps: Bool { self == .socketmap || self == .tcpTable }
}

/// The octets around a name, made once for a measurement.
struct BenchQuestion {
    let prefix: [UInt8]
    let suffix: [UInt8]
    /// A netstring's: the length of the rest, the name included, and a colon go before the prefix.
    let hasLength: Bool
    /// Whether a name is written with %XX.
    let isEscaped: Bool

    init(_ plan: BenchPlan) {
        switch plan.wire {
        case .smtp:
            prefix = Array("\(plan.verb.command)\(plan.verb == .rcpt ? "<" : "")".utf8)
            suffix = Array(plan.verb == .rcpt ? ">\r\n".utf8 : "\r\n".utf8)
        case .socketmap:
            prefix = Array("\(plan.map.rawValue) ".utf8)
            suffix = [UInt8(ascii: ",")]
        case .tcpTable:
            prefix = Array("get ".utf8)
            suffix = [UInt8(ascii: "\n")]
        case .policy:
            prefix = Array((Self.attributesBefore(plan.verb) + "recipient=").utf8)
            suffix = Array(("\n" + Self.attributesAfter + "\n").utf8)
        }
        hasLength = plan.wire == .socketmap
        isEscaped = plan.wire == .tcpTable
    }

    /// The octets of the longest question.
    func length(longestName: Int) -> Int {
        prefix.count + longestName * (isEscaped ? 3 : 1) + suffix.count + (hasLength ? 11 : 0)
    }

    // The attributes that Postfix 3.7 sends, in its order, with values such as they are without TLS and SASL.

    private static func attributesBefore(_ verb: BenchPlan.Verb) -> String {
        """
        request=smtpd_access_policy
        protocol_state=\(verb.rawValue.uppercased())
        protocol_name=ESMTP
        client_address=127.0.0.1
        client_name=localhost
        client_port=49152
        reverse_client_name=localhost
        server_address=127.0.0.1
        server_port=25
        helo_name=client.example.com
        queue_id=
        sender=sender@example.com

        """
    }

    private static let attributesAfter = """
        recipient_count=0
        sasl_method=
        sasl_username=
        sasl_sender=
        size=0
        ccert_subject=
        ccert_issuer=
        ccert_fingerprint=
        ccert_pubkey_fingerprint=
        encryption_protocol=
        encryption_cipher=
        encryption_keysize=0
        etrn_domain=
        stress=
        instance=3039.673b3f2a.b3bd2.0
        policy_context=
        compatibility_level=3.6
        mail_version=3.7.11

        """
}

extension BenchPlan.Verb {
    /// The command of SMTP, up to the name.
    fileprivate var command: String {
        switch self {
        case .rcpt: "RCPT TO:"
        case .vrfy: "VRFY "
        case .expn: "EXPN "
        }
    }
}

/// What an answer is counted as: a reply code where the wire has one, and a word of the wire's where not.
enum BenchAnswer {
    /// The words, each at its number, which is below every reply code; those that come often first.
    static let words: [StaticString] = ["OK", "DUNNO", "NOTFOUND", "TEMP", "TIMEOUT", "PERM"]

    static func name(_ number: Int) -> String { number < words.count ? "\(words[number])" : String(number) }

    /// The number of the word that octets begin with, up to a space or their end.
    static func number(_ octets: Slice<UnsafeRawBufferPointer>) -> Int? {
        let end = octets.firstIndex(of: UInt8(ascii: " ")) ?? octets.endIndex
        return words.firstIndex { octets.begins(with: $0) && octets.startIndex + $0.utf8CodeUnitCount == end }
    }
}

extension ReplyScanner {
    /// The next answer of a wire; as the one of SMTP, and with a number of `BenchAnswer` for the code.
    static func next(
        _ wire: BenchWire, in bytes: UnsafeRawBufferPointer, from index: inout Int
    ) throws(NotAReply) -> Reply? {
        switch wire {
        case .smtp, .tcpTable: try next(in: bytes, from: &index)
        case .socketmap: try netstring(in: bytes, from: &index)
        case .policy: try action(in: bytes, from: &index)
        }
    }

    private static func netstring(
        in bytes: UnsafeRawBufferPointer, from index: inout Int
    ) throws(NotAReply) -> Reply? {
        var position = index
        var length = 0
        while position < bytes.count, bytes[position] != UInt8(ascii: ":") {
            let digit = Int(bytes[position]) - 0x30
            guard (0...9).contains(digit), length < 1_000_000 else { throw NotAReply(line: rest(bytes, index)) }
            length = length * 10 + digit
            position += 1
        }
        let end = position + 1 + length
        guard end < bytes.count else { return nil }
        let line = position + 1..<end
        guard bytes[end] == UInt8(ascii: ","), let number = BenchAnswer.number(bytes[line]) else {
            throw NotAReply(line: rest(bytes, index))
        }
        index = end + 1
        return Reply(code: number, line: line)
    }

    /// `action=…` and an empty line; other attributes are passed over.
    private static func action(
        in bytes: UnsafeRawBufferPointer, from index: inout Int
    ) throws(NotAReply) -> Reply? {
        guard let base = bytes.baseAddress else { return nil }
        var start = index
        var answer: Reply?
        while let found = memchr(base + start, 0x0A, bytes.count - start) {
            let newline = UnsafeRawPointer(found) - base
            if newline == start {
                guard let answer else { throw NotAReply(line: rest(bytes, index)) }
                index = newline + 1
                return answer
            }
            let line = start..<newline
            if bytes[line].begins(with: "action=") { answer = try action(bytes, start + 7..<newline) }
            start = newline + 1
        }
        return nil
    }

    private static func action(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) throws(NotAReply) -> Reply {
        if let number = BenchAnswer.number(bytes[line]) { return Reply(code: number, line: line) }
        guard let code = code(bytes[line]) else { throw NotAReply(line: line) }
        return Reply(code: code, line: line)
    }

    private static func rest(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Range<Int> { index..<bytes.count }
}

extension Slice<UnsafeRawBufferPointer> {
    /// As `starts(with:)`, in one call of the C library.
    fileprivate func begins(with text: StaticString) -> Bool {
        guard let start = base.baseAddress, count >= text.utf8CodeUnitCount else { return false }
        return memcmp(start + startIndex, text.utf8Start, text.utf8CodeUnitCount) == 0
    }
}
