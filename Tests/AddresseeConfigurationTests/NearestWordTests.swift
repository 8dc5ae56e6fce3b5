// Which word was probably meant, and when to say nothing.

import Testing

@testable import AddresseeConfiguration

@Suite struct NearestWordTests {
    static let words = ["hostname", "default-domain", "limits", "tls", "log", "expn", "enhanced-codes", "threads"]

    static let cases: [(String, String?)] = [
        ("hostnme", "hostname"), ("HOSTNAME", "hostname"), ("host_name", "hostname"), ("host-name", "hostname"),
        ("hsotname", "hostname"), ("defaultDomain", "default-domain"), ("default_domain", "default-domain"),
        ("limit", "limits"), ("expm", "expn"), ("tsl", "tls"), ("enhanced", "enhanced-codes"), ("threds", "threads"),
        ("vrfy", nil), ("x", nil), ("", nil), ("frobnicate", nil), ("en", nil), ("l", nil),
    ]

    @Test(arguments: cases)
    func isFound(word: String, expected: String?) {
        #expect(NearestWord.of(word, among: Self.words) == expected)
    }

    static let states = [
        "active", "enabled", "disabled", "suspended", "known", "limited", "keep-copy", "index", "default",
    ]

    /// What is one typing error away from its opposite was not meant for it.
    @Test(arguments: [
        ("inactive", nil), ("Inactive", nil), ("unactive", nil), ("inactiv", nil), ("deactive", nil),
        ("non-active", nil),
        ("unknown", nil), ("unlimited", nil), ("no-keep-copy", nil), ("unsuspended", nil), ("undisabled", nil),
        ("actve", "active"), ("disbaled", "disabled"), ("enabeld", "enabled"), ("knwon", "known"), ("indx", "index"),
        ("indxe", "index"), ("defualt", "default"), ("suspend", "suspended"),
    ])
    func isNoOpposite(word: String, expected: String?) {
        #expect(NearestWord.of(word, among: Self.states) == expected)
    }

    @Test func isNoOppositeEitherWay() {
        #expect(NearestWord.of("active", among: ["inactive"]) == nil)
        #expect(NearestWord.of("enabled", among: ["disabled"]) == nil)
        #expect(NearestWord.of("disabled", among: ["enabled"]) == nil)
    }

    @Test(arguments: [
        ("", "", 0), ("abc", "", 3), ("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1),
        ("abc", "xbc", 1), ("kitten", "sitting", 3), ("ca", "abc", 3),
    ])
    func distance(left: String, right: String, expected: Int) {
        #expect(NearestWord.distance(Array(left.utf8), Array(right.utf8)) == expected)
    }
}
