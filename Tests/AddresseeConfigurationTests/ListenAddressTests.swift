// Where a listener listens: what is read, what is written, and what is refused.

import Testing

@testable import AddresseeConfiguration

@Suite struct ListenAddressTests {
    @Test(arguments: [
        ("127.0.0.1:2525", ListenAddress.ip(host: "127.0.0.1", port: 2525)),
        ("0.0.0.0:0", .ip(host: "0.0.0.0", port: 0)), ("[::1]:25", .ip(host: "::1", port: 25)),
        ("[::]:65535", .ip(host: "::", port: 65535)), ("[2001:db8::1]:25", .ip(host: "2001:db8::1", port: 25)),
        ("unix:/run/smtp", .unix(path: "/run/smtp")), ("unix:smtp", .unix(path: "smtp")),
        ("unix:/run/a:b", .unix(path: "/run/a:b")),
    ])
    func isReadAndWritten(text: String, expected: ListenAddress) throws {
        #expect(try ListenAddress(text) == expected)
        #expect(expected.description == text)
    }

    static let refusals: [(String, ListenAddressError)] = [
        ("", .malformed), ("smtp", .malformed), ("25", .malformed), ("unix", .malformed), ("unix:", .malformed),
        ("example.org:25", .malformed), ("[127.0.0.1]:25", .malformed), ("[]:25", .malformed),
        ("[::1]", .malformed), ("[::1%lo]:25", .malformed), ("127.0.0.1:25:26", .malformed),
        ("127.0.0.1", .missingPort(expected: "127.0.0.1:2525")), ("::1", .missingPort(expected: "[::1]:2525")),
        ("2001:db8::", .missingPort(expected: "[2001:db8::]:2525")),
        ("fe80::a", .missingPort(expected: "[fe80::a]:2525")),
        ("::1:25", .missingBrackets(expected: "[::1]:25")), (":::25", .missingBrackets(expected: "[::]:25")),
        ("1:2:3:4:5:6:7:8:25", .missingBrackets(expected: "[1:2:3:4:5:6:7:8]:25")),
        ("*:25", .wildcard(port: "25")), (":25", .wildcard(port: "25")), ("localhost:25", .localhost(port: "25")),
        ("127.0.0.1:", .badPort), ("127.0.0.1:65536", .badPort), ("127.0.0.1:-1", .badPort),
        ("127.0.0.1:025", .badPort),
        ("127.0.0.1:smtp", .badPort), ("[::1]:x", .badPort), ("127.0.0.1:99999999999999999999", .badPort),
        ("unix:/" + String(repeating: "x", count: ListenAddress.unixPathLimit), .pathTooLong),
    ]

    @Test(arguments: refusals)
    func refuses(text: String, expected: ListenAddressError) {
        #expect(throws: expected) { try ListenAddress(text) }
    }
}
