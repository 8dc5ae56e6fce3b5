// The postmaster of an address that this server listens at (RFC 5321 4.5.1, RFC 1123 5.2.17), on every wire.

import DirectoryTesting
import LookupProtocols
import MailAddress
import MailboxDirectory
import SMTPProtocol
import Testing
import Verification

@Suite struct OwnLiterals {
    static let literals: Set<Domain> = [domain("[192.0.2.1]"), domain("[IPv6:2001:db8::1]"), domain("[192.0.2.2]")]
    static let directory = "domain a\ndomain [192.0.2.2]\nuser fred@a (Fred)\nuser postmaster@[192.0.2.2] (Own)"

    private static func domain(_ text: String) -> Domain {
        do { return try Domain(text) } catch { preconditionFailure("\(error)") }
    }

    private static func with<Result>(
        _ text: String = directory, defaultDomain: String = "a", tamper: Tamper? = nil,
        _ body: (Inquiry.Context, [any Source]) throws -> Result
    ) throws -> Result {
        try ResolveRow("", text, "", "").withSources(from: MapTests.empty, tamper: tamper) { sources in
            let context = Inquiry.Context(
                sources: sources.map(\.name), defaultDomain: try Domain(defaultDomain), literals: literals)
            return try body(context, sources)
        }
    }

    private static func reply(
        _ query: Query, in text: String = directory, defaultDomain: String = "a", tamper: Tamper? = nil
    ) throws -> String {
        try with(text, defaultDomain: defaultDomain, tamper: tamper) { context, sources in
            let inquiry = Inquiry(query, by: .trusted)
            let verdict = inquiry.answer(from: sources, in: context)
            return verdict.reply(on: query.wire, form: .enhanced).lines(withEnhancedCode: true).joined(separator: "\n")
        }
    }

    private static func recipient(_ text: String) throws -> Query {
        .recipient(.mailbox(try Mailbox(text)), utf8: false)
    }

    @Test(arguments: [
        ("postmaster@[192.0.2.1]", "250 2.1.5 OK"), ("PostMaster@[192.0.2.1]", "250 2.1.5 OK"),
        ("postmaster@[IPv6:2001:DB8:0::1]", "250 2.1.5 OK"),
        ("postmaster@[192.0.2.3]", "550 5.7.1 Relaying denied: not a domain of this server"),
        ("postmaster@[IPv6:2001:db8::2]", "550 5.7.1 Relaying denied: not a domain of this server"),
        ("fred@[192.0.2.1]", "550 5.7.1 Relaying denied: not a domain of this server"),
        ("postmaster-x@[192.0.2.1]", "550 5.7.1 Relaying denied: not a domain of this server"),
    ])
    func recipients(address: String, expected: String) throws {
        #expect(try Self.reply(Self.recipient(address)) == expected)
    }

    /// The separators of the default domain tell where a detail begins; an address has no other names.
    @Test(arguments: [
        ("postmaster+x@[192.0.2.1]", "250 2.1.5 OK"), ("PostMaster+x+y@[192.0.2.1]", "250 2.1.5 OK"),
        ("postmaster+x@[IPv6:::ffff:192.0.2.1]", "250 2.1.5 OK"),
        ("postmaster@[IPv6:::FFFF:192.0.2.1]", "250 2.1.5 OK"),
        ("postmaster@[IPv6:0:0:0:0:0:ffff:c000:201]", "250 2.1.5 OK"),
        ("postmaster@[IPv6:::ffff:192.0.2.3]", "550 5.7.1 Relaying denied: not a domain of this server"),
        ("postmaster@[IPv6:::fffe:192.0.2.1]", "550 5.7.1 Relaying denied: not a domain of this server"),
        ("postmaster-x@[192.0.2.1]", "550 5.7.1 Relaying denied: not a domain of this server"),
        ("postmasters@[192.0.2.1]", "550 5.7.1 Relaying denied: not a domain of this server"),
        ("postmasters+x@[192.0.2.1]", "550 5.7.1 Relaying denied: not a domain of this server"),
        ("fred+x@[192.0.2.1]", "550 5.7.1 Relaying denied: not a domain of this server"),
        ("postmaster+x@[192.0.2.3]", "550 5.7.1 Relaying denied: not a domain of this server"),
    ])
    func details(address: String, expected: String) throws {
        // Who is on record in the domain under such a name has nothing at the address.
        let text = "domain a catch-all=fred@a\nuser fred@a\nuser postmasters@a\nuser postmaster-x@a"
        #expect(try Self.reply(Self.recipient(address), in: text) == expected)
        if expected.hasPrefix("550") {
            #expect(try Self.reply(Self.recipient(address), in: text, defaultDomain: "b") == expected)
        }
    }

    /// A target with a detail that goes on to it, where the domain has such details and where not.
    @Test(arguments: [
        ("domain a", "postmaster+x@a"), ("domain a separators=\ndomain b", "postmaster@a"),
    ])
    func detailGoesOn(domains: String, expected: String) throws {
        let domain = domains.hasSuffix("b") ? "b" : "a"
        let text = "\(domains)\nalias boss@\(domain) postmaster@[192.0.2.1]"
        let resolution = try Self.with(text) { context, sources in
            let address = try Mailbox("boss+x@\(domain)")
            return try #require(Self.delivery(.mailbox(address)).expansion(in: context)).run(sources)
        }
        #expect(resolution.recipients.map(\.address.description) == [expected])
    }

    /// A dot after the brackets has no meaning, on no wire.
    @Test func dotAfterALiteral() {
        let octets = Array("postmaster@[192.0.2.1].".utf8)
        #expect(Mailbox(key: octets) == nil)
        #expect(Mailbox(key: Array("postmaster@a.".utf8)) != nil)
        #expect((try? Mailbox(octets: octets.span)) == nil)
    }

    @Test func verify() throws {
        func verify(_ text: String, in directory: String = Self.directory, domain: String = "a") throws -> String {
            try Self.reply(
                .verify(.mailbox(try Mailbox(text)), utf8: false), in: directory, defaultDomain: domain)
        }
        #expect(try verify("postmaster@[192.0.2.1]") == "250 2.1.5 <postmaster@a>")
        // A domain on record comes first, though it is a literal.
        #expect(try verify("postmaster@[192.0.2.2]") == "250 2.1.5 Own <postmaster@[192.0.2.2]>")
        #expect(
            try verify("postmaster@[192.0.2.1]", in: "domain a\nalias postmaster@a fred@a\nuser fred@a (Fred)")
                == "250 2.1.5 Fred <fred@a>")
        // There is a postmaster though the default domain is not on record.
        #expect(try verify("postmaster@[192.0.2.1]", domain: "b") == "250 2.1.5 <postmaster@b>")
        #expect(
            try Self.reply(.expand(.mailbox(try Mailbox("postmaster@[192.0.2.1]")), utf8: false))
                == "250 2.1.5 <postmaster@a>")
    }

    /// Could not tell stays that, at whichever lookup.
    @Test(arguments: 0...2) func trouble(failing: Int) throws {
        let reply = try Self.reply(Self.recipient("postmaster@[192.0.2.1]")) { number, _, answer in
            number == failing ? .couldNotTell(Trouble(source: "memory", reason: "gone")) : answer
        }
        #expect(reply == "451 4.4.3 The directory could not tell, try again later")
    }

    @Test(arguments: [
        ("mailboxes", "postmaster@[192.0.2.1]", "OK postmaster@a"),
        ("recipients", "postmaster@[192.0.2.1]", "OK postmaster@a"),
        ("mailboxes", "fred@[192.0.2.1]", "no"), ("mailboxes", "postmaster@[192.0.2.3]", "no"),
        // The address itself is no domain.
        ("domains", "[192.0.2.1]", "no"), ("relay-domains", "[192.0.2.1]", "no"), ("transport", "[192.0.2.1]", "no"),
        ("domains", "[192.0.2.2]", "OK [192.0.2.2]"),
    ])
    func maps(map: String, key: String, expected: String) throws {
        let answer = try Self.with { context, sources in
            let inquiry = MapInquiry(
                MapRequest(map: Array(map.utf8), key: Array(key.utf8)), by: .trusted)
            return inquiry.answer(from: sources, in: context)
        }
        #expect(MapTests.text(answer) == expected)
    }

    @Test func otherWires() throws {
        let address = "postmaster@[192.0.2.1]"
        let octets = Array(address.utf8)
        let queries = [
            Query(PolicyRequest(state: .rcpt, recipient: octets)), Query(deliverable: octets),
            Query(MilterRecipient(path: Array("<\(address)>".utf8), client: .unknown)),
            Query(MilterRecipient(path: [], address: octets, client: .unknown)),
        ]
        for query in queries { #expect(try query.map { try Self.reply($0) } == "250 2.1.5 OK") }
        guard case .query(let query) = ReadsocketQuestion(ReadsocketRequest(word: Array("rcpt".utf8), key: octets))
        else {
            Issue.record("no question")
            return
        }
        #expect(try Self.reply(query) == "250 2.1.5 OK")
        #expect(query.isForPostmaster)
    }

    /// Mail for it goes where mail for the postmaster goes; and what is redirected to it too.
    @Test(arguments: ["postmaster@[192.0.2.1]", "boss@a"]) func delivery(address: String) throws {
        let text = Self.directory + "\nalias boss@a postmaster@[192.0.2.1]\nalias postmaster@a fred@a"
        let acceptance = try Self.with(text) { context, sources in
            let path = ForwardPath.mailbox(try Mailbox(address))
            let routes = [Route(places: [.elsewhere]), Route(places: [.mailboxes])]
            return Self.delivery(path, over: routes).answer(from: sources, in: context)
        }
        guard case .accepted(_, let destinations, _, _) = acceptance else {
            Issue.record("\(acceptance)")
            return
        }
        #expect(destinations == [Destination(mailbox: try Mailbox("fred@a"), nextHop: 1)])
    }

    private static func delivery(_ path: ForwardPath, over routes: [Route] = []) -> DeliveryInquiry {
        DeliveryInquiry(.recipient(path, utf8: false), to: path, by: .everyone, over: routes)
    }

    /// A walk that has seen a file change begins anew, and knows them as before.
    @Test func anew() throws {
        let address = try Mailbox("postmaster@[192.0.2.1]")
        let resolution = try Self.with { context, sources in
            var walk = try #require(Self.delivery(.mailbox(address)).expansion(in: context))
            _ = walk.next()
            return walk.anew().run(sources)
        }
        #expect(resolution.recipients.map(\.mailbox.description) == ["postmaster@a"])
    }

    @Test func ofAClient() {
        #expect(ClientAddress("192.0.2.1")?.literal == Self.domain("[192.0.2.1]"))
        #expect(ClientAddress("::ffff:192.0.2.1")?.literal == Self.domain("[192.0.2.1]"))
        #expect(ClientAddress("2001:db8::1")?.literal == Self.domain("[IPv6:2001:DB8::1]"))
        #expect(ClientAddress("::1")?.literal == Self.domain("[IPv6:::1]"))
        #expect(ClientAddress.unixSocket.literal == nil)
    }
}
