// Generated octets through every parser: none may trap, leave its bounds, or say what it would not read again.
// The seed is fixed, so a failure is found again; what fails becomes a line in `regressions`.

import MailAddress
import Testing

/// SplitMix64: a small generator whose numbers are the same everywhere.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite struct GeneratedTests {
    #if DEBUG
        static let count = 100_000
    #else
        static let count = 1_000_000
    #endif

    static let alphabet: [UInt8] =
        Array("ab.@\"\\<>[]:,-+ AZ09_IPv6:1.2::ff".utf8) + [0, 10, 13, 127, 0x80, 0xC3, 0xBC, 0xE2, 0x82, 0xAC, 0xFF]

    static let valid: [[UInt8]] =
        (ExampleTests.routes.map(\.given) + MailboxTests.accepted.map { "<\($0.given)>" }
        + DomainTests.keys.map { "<u@\($0.0)>" } + ["<postmaster>", "<>"]).map { Array($0.utf8) }

    static func generate(_ generator: inout SeededGenerator) -> [UInt8] {
        switch generator.next() % 4 {
        case 0:
            return (0..<Int.random(in: 0...90, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
        case 1:
            return (0..<Int.random(in: 0...90, using: &generator)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
            }
        default:
            return mutated(&generator)
        }
    }

    static func mutated(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = valid[Int.random(in: 0..<valid.count, using: &generator)]
        for _ in 0..<Int.random(in: 0...4, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            let octet = alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
            switch generator.next() % 6 {
            case 0: bytes[index] = octet
            case 1: bytes.insert(octet, at: index)
            case 2: bytes.remove(at: index)
            case 3: bytes.insert(contentsOf: bytes[index...].prefix(70), at: index)
            case 4: bytes.removeSubrange(index...)
            default: bytes[index] ^= 1 << UInt8(generator.next() % 8)
            }
        }
        return bytes
    }

    @Test func everyParserHolds() {
        var generator = SeededGenerator(state: 0x5321)
        var parsed = 0
        for number in 0..<Self.count {
            let bytes = Self.generate(&generator)
            let start = number % 8 == 0 ? Int.random(in: -2...(bytes.count + 2), using: &generator) : number % 2
            do {
                parsed += try Self.check(bytes, from: start)
            } catch {
                Issue.record("\(error): \(bytes) from \(start)")
                return
            }
        }
        // Else the generator would only test the errors.
        #expect(parsed > Self.count / 5)
    }

    /// Found by the test above or by a fuzzer.
    static let regressions: [[UInt8]] = [[]]

    @Test(arguments: regressions) func regression(_ bytes: [UInt8]) throws {
        for start in -1...(bytes.count + 1) { _ = try Self.check(bytes, from: start) }
    }
}

extension GeneratedTests {
    struct Broken: Error { let rule: String }

    static func hold(_ condition: Bool, _ rule: String) throws(Broken) {
        guard condition else { throw Broken(rule: rule) }
    }

    /// Puts `bytes` through all parsers, and returns how many could read them.
    static func check(_ bytes: [UInt8], from start: Int) throws(Broken) -> Int {
        var parsed = 0
        if let path = try run(bytes, start, ForwardPath.parse), case .mailbox(let mailbox) = path.value {
            try check(mailbox, spelledIn: path.length - 2)
            parsed += 1
        }
        if let path = try run(bytes, start, ReversePath.parse), case .mailbox(let mailbox) = path.value {
            try check(mailbox, spelledIn: path.length - 2)
            parsed += 1
        }
        if let mailbox = try run(bytes, start, Mailbox.parse) {
            try check(mailbox.value, spelledIn: mailbox.length)
            parsed += 1
        }
        if let localPart = try run(bytes, start, LocalPart.parse) { try check(localPart.value) }
        if let localPart = try? LocalPart(octets: bytes) { try check(localPart) }
        if let domain = try run(bytes, start, Domain.parse) { try check(domain.value) }
        if let domain = try? Domain(octets: bytes) {
            try hold(domain.octets == bytes || !bytes.allSatisfy { $0 < 0x80 }, "domain as given")
            try check(domain)
        }
        if let mailbox = try? Mailbox(octets: bytes.span) { try check(mailbox, spelledIn: bytes.count) }
        try hold(Folding.fold(Folding.fold(bytes)) == Folding.fold(bytes), "folded once")
        let isValid = String(validating: bytes, as: UTF8.self) != nil
        try hold(Folding.isWellFormedUTF8(bytes.span) == isValid, "UTF-8 as the standard library sees it")
        return parsed
    }

    static func run<Value>(
        _ bytes: [UInt8], _ start: Int,
        _ parse: (Span<UInt8>, inout Int) throws(AddressSyntaxError) -> Value
    ) throws(Broken) -> (value: Value, length: Int)? {
        var index = start
        let value: Value
        do throws(AddressSyntaxError) {
            value = try parse(bytes.span, &index)
        } catch {
            try hold(index == start && !error.description.isEmpty, "index stays on an error")
            return nil
        }
        try hold(index > start && index <= bytes.count, "index advances within bounds")
        return (value, index - start)
    }

    static func check(_ mailbox: Mailbox, spelledIn length: Int) throws(Broken) {
        let said = spelled(mailbox)
        // Two quotes may come to it, and what IDNA makes of a domain.
        let isAlike = !mailbox.localPart.isReadWithoutQuotes || !mailbox.localPart.needsQuotes
        try hold(said.count <= length + (isAlike ? 0 : 2) || !mailbox.isASCII, "never longer than it was given")
        try hold(said.count <= AddressLimits.mailbox, "never longer than any may be")
        try hold(said == Array(mailbox.description.utf8), "description is the spelling")
        guard let again = try? Mailbox(octets: said.span) else { throw Broken(rule: "mailbox is read again") }
        try hold(again == mailbox && again.hashValue == mailbox.hashValue, "mailbox is equal")
        try hold(again.localPart.octets == mailbox.localPart.octets, "local-part is the same")
        try hold(again.domain.octets == mailbox.domain.octets, "domain is the same")
        try hold(mailbox.isASCII == said.allSatisfy { $0 < 0x80 }, "isASCII")
        try check(mailbox.localPart)
        try check(mailbox.domain)
    }

    static func check(_ localPart: LocalPart) throws(Broken) {
        var said: [UInt8] = []
        localPart.append(to: &said)
        guard let again = try? Mailbox(octets: (said + [0x40, 0x62]).span) else {
            throw Broken(rule: "local-part is read again")
        }
        try hold(again.localPart == localPart && again.localPart.octets == localPart.octets, "local-part is equal")
        try hold(localPart.needsQuotes == (said.first == 0x22), "needsQuotes")
        try hold(Folding.fold(localPart.key) == localPart.key, "key is its own key")
        for base in localPart.bases(separators: [0x2B]) {
            try hold(
                base.octets + [0x2B] + localPart.octets.dropFirst(base.octets.count + 1) == localPart.octets, "detail")
            try hold((try? LocalPart(octets: base.octets)) == base, "base")
        }
    }

    static func check(_ domain: Domain) throws(Broken) {
        try hold(domain.key.allSatisfy { $0 < 0x80 } && domain.key.count <= AddressLimits.domain, "key is ASCII")
        guard let again = try? Domain(octets: domain.key) else { throw Broken(rule: "key is a domain") }
        try hold(again == domain && again.key == domain.key, "key is its own key")
    }
}
