// The folder of a mailbox: one for all its spellings, and none outside its place.

import MailAddress
import Testing

@testable import AddresseeConfiguration

@Suite struct MaildirTemplateTests {
    @Test(arguments: [
        ("/m/{domain}/{local-part}", "fred@example.org", "/m/example.org/fred"),
        ("/m/{domain}/{local-part}", "FRED@Example.ORG", "/m/example.org/fred"),
        ("/m/{domain}/{local-part}", "\"fred\"@example.org", "/m/example.org/fred"),
        ("m//{local-part}/x/{domain}/Maildir/", "a.b@example.org", "m/a.b/x/example.org/Maildir"),
        ("/m/{domain}/{local-part}", "jürgen@bücher.example", "/m/xn--bcher-kva.example/jürgen"),
        ("/m/{domain}/{local-part}", "a@[192.0.2.1]", "/m/[192.0.2.1]/a"),
        ("/m/{domain}/{local-part}", "\"a b\\\"c\"@example.org", "/m/example.org/a b\"c"),
        ("/m/{domain}/{local-part}", "\"-rf\"@example.org", "/m/example.org/-rf"),
    ])
    func path(template: String, address: String, expected: String) throws {
        let template = try MaildirTemplate(template)
        let names = try #require(template.names(for: try Mailbox(address)))
        #expect(([template.base] + names).joined(separator: "/") == expected)
        #expect(
            zip(template.levels, names).allSatisfy { $0 == nil || $0 == $1 } && template.levels.count == names.count)
    }

    /// What stands before the part that mailboxes fill.
    @Test(
        arguments: [
            ("/m/{domain}/{local-part}", "/m", [nil, nil]),
            ("/var//mail/{local-part}/x/{domain}/Maildir/", "/var/mail", [nil, "x", nil, "Maildir"]),
            ("/{domain}/{local-part}", "/", [nil, nil]), ("{domain}/{local-part}", ".", [nil, nil]),
            ("mail/{domain}/{local-part}", "mail", [nil, nil]),
            ("./../mail/{domain}/{local-part}", "./../mail", [nil, nil]),
        ] as [(String, String, [String?])])
    func base(template: String, base: String, levels: [String?]) throws {
        #expect(try MaildirTemplate(template).base == base)
        #expect(try MaildirTemplate(template).levels == levels)
    }

    @Test(arguments: [
        "a/b@example.org", "/@example.org", "\"..\"@example.org", "\".\"@example.org", "\"../../etc\"@example.org",
        "\".hidden\"@example.org", "\"/etc/passwd\"@example.org",
    ])
    func isNoPlainName(address: String) throws {
        #expect(try MaildirTemplate("/m/{domain}/{local-part}").names(for: try Mailbox(address)) == nil)
    }

    /// What no address can hold is refused all the same.
    @Test func octetsThatNoAddressHolds() {
        let wrong: [[UInt8]] = [[], [0], [97, 0], [10], [0x7F], Array(repeating: 97, count: 256)]
        for octets in wrong { #expect(!MaildirTemplate.isPlainName(octets)) }
        #expect(MaildirTemplate.isPlainName(Array(repeating: 97, count: 255)))
    }

    @Test(arguments: [
        "", "/m", "/{domain}", "/{local-part}", "/{domain}/x{local-part}", "/{domain}/{local-part}/{login}",
        "/m/{domain}/{local-part}/../x", "/m/{domain}/./{local-part}", "/m/{local-part}/../{domain}",
    ])
    func isNoTemplate(text: String) {
        #expect(throws: MaildirTemplateError.self) { try MaildirTemplate(text) }
    }
}
