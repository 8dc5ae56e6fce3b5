// No reply line is longer than 512 octets (RFC 5321 4.5.3.1.5), whatever stands in the directory.

import MailAddress
import SMTPProtocol
import Testing
import Verification

private let quotes = String(repeating: "\"", count: 64)
private let labels = Array(repeating: String(repeating: "d", count: 63), count: 4).joined(separator: ".").prefix(254)

private func mailbox(_ localPart: String, _ domain: some StringProtocol) throws -> Mailbox {
    Mailbox(localPart: try LocalPart(octets: Array(localPart.utf8)), domain: try Domain(String(domain)))
}

@Test(arguments: [
    (quotes, labels.prefix(120)), (quotes, labels), (String(repeating: "x", count: 64), labels), ("x", labels),
    (String(repeating: "é", count: 32), labels.prefix(187)),
])
func length(_ localPart: String, _ domain: Substring) throws {
    let address = try mailbox(localPart, domain)
    let names = [
        "", String(repeating: "n", count: 200), String(repeating: "é", count: 100), String(repeating: "n", count: 5000),
    ]
    for named in names.map({ NamedMailbox(name: $0, mailbox: address) }) {
        let verdicts: [Verdict] = [
            .verified(named), .full(named), .willForward(to: address, asked: address), .moved(to: address),
            .members([named, named]), .ambiguous([named, named], complete: true),
        ]
        for verdict in verdicts {
            for wire in [Wire.verify, .expand, .recipient] {
                for form in [ReplyForm.enhanced, .plain] {
                    for line in verdict.reply(on: wire, form: form).lines(withEnhancedCode: form == .enhanced) {
                        #expect(line.utf8.count + 2 <= SMTPLimits.replyLine)
                        // However long the name, the mailbox is whole.
                        if line.contains("<") { #expect(line.hasSuffix("<\(address)>")) }
                    }
                }
            }
        }
    }
}

/// A name of 200 octets stands beside the longest mailbox that a path can hold.
@Test func longestNameIsShown() throws {
    let name = String(repeating: "n", count: 200)
    let address = try mailbox(String(repeating: "x", count: 64), labels.prefix(189))
    let reply = Verdict.verified(NamedMailbox(name: name, mailbox: address)).reply(on: .verify, form: .enhanced)
    #expect(reply.lines(withEnhancedCode: true) == ["250 2.1.5 \(name) <\(address)>"])
}
