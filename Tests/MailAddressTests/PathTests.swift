// Forward-paths and reverse-paths: brackets, routes, postmaster, the null path, and length.

import MailAddress
import Testing

@Suite struct PathTests {
    @Test(arguments: ["<postmaster>", "<Postmaster>", "<POSTMASTER>", "<pOSTMASTEr>"])
    func bareMasterIsOnlyForward(_ given: String) throws {
        #expect(try forwardPath(given) == .postmaster)
        #expect(throws: AddressSyntaxError.missingAtSign) { try reversePath(given) }
    }

    @Test func nullIsOnlyReverse() throws {
        #expect(try reversePath("<>") == .null)
        #expect(throws: AddressSyntaxError.empty) { try forwardPath("<>") }
    }

    @Test func postmasterWithDomainIsMailbox() throws {
        #expect(try forwardPath("<Postmaster@a>") == .mailbox(Mailbox("postmaster@a")))
    }

    static let refused: [Fault] = [
        Fault("", .missingAngleBracket),
        Fault("a@b", .missingAngleBracket),
        Fault(" <a@b>", .missingAngleBracket),
        Fault("<", .empty),
        Fault("<a@b", .missingAngleBracket),
        Fault("<a@b ", .unexpectedOctet(at: 4)),
        Fault("<a@b.>", .misplacedDot(at: 4)),
        Fault("<a@b->", .misplacedHyphen(at: 4)),
        Fault("<a@b\r>", .controlCharacter(at: 4)),
        Fault("<a@b@c>", .unexpectedOctet(at: 4)),
        Fault("< a@b>", .unexpectedOctet(at: 1)),
        Fault("<<a@b>>", .unexpectedOctet(at: 1)),
        Fault("<a>", .missingAtSign),
        Fault("<a@>", .empty),
        Fault("<@>", .badSourceRoute),
        Fault("<@a>", .badSourceRoute),
        Fault("<@a", .badSourceRoute),
        Fault("<@a:", .empty),
        Fault("<@a:>", .empty),
        Fault("<@a,:b@c>", .badSourceRoute),
        Fault("<@a,b:b@c>", .badSourceRoute),
        Fault("<@a@b:b@c>", .badSourceRoute),
        Fault("<@a,@:b@c>", .badSourceRoute),
        Fault("<,@a:b@c>", .unexpectedOctet(at: 1)),
        Fault("<@a.:b@c>", .badSourceRoute),
        Fault("<@a: b@c>", .unexpectedOctet(at: 4)),
        Fault("<@a:@b:c@d>", .empty),
        Fault("<@a:postmaster>", .missingAtSign),
        Fault("<@ü.example:b@c>", .badSourceRoute),
        Fault("<\"postmaster\">", .missingAtSign),
        Fault("<postmasteR", .missingAtSign),
        Fault("<postmaster >", .unexpectedOctet(at: 11)),
    ]

    @Test(arguments: refused) func refusedForwardPaths(_ fault: Fault) {
        var index = 0
        #expect(throws: fault.error) { try ForwardPath.parse(fault.given.span, from: &index) }
        #expect(throws: fault.error) { try ReversePath.parse(fault.given.span, from: &index) }
        #expect(index == 0)
    }

    @Test(arguments: [("<a@b> SIZE=1", 5), ("<a@b>>", 5), ("<postmaster>x", 12), ("<@a:b@c> x", 8)])
    func stopsAfterBracket(_ given: String, _ end: Int) throws {
        let bytes = Array("TO:\(given)".utf8)
        var index = 3
        _ = try ForwardPath.parse(bytes.span, from: &index)
        #expect(index == 3 + end)
    }

    /// Whatever a local-part of full length and a domain of full length are spelled as fits, with a route of old length.
    @Test(arguments: [#"\a"#, "a", #"\\"#]) func longestMailbox(_ octet: String) throws {
        let domain = repeated("a.", 127) + "a"
        let spelled = "\"" + repeated(octet, AddressLimits.localPart) + "\"@" + domain
        let mailbox = try Mailbox(spelled)
        #expect(mailbox.localPart.octets.count == AddressLimits.localPart)
        #expect(mailbox.domain.octets.count == AddressLimits.domain)
        #expect(spelled.utf8.count <= AddressLimits.mailbox)
        #expect(try forwardPath("<\(spelled)>") == .mailbox(mailbox))
        #expect(try reversePath("<@\(repeated("b", 60)).example:\(spelled)>") == .mailbox(mailbox))
    }

    /// A route is counted in.
    @Test(arguments: [-2, -1, 0, 1, 2]) func length(_ more: Int) throws {
        let count = AddressLimits.path + more
        let domain = repeated("a.", 90) + "a"
        let end = ":u@\(domain)>"
        var route = "<@\(domain)"
        while count - route.utf8.count - end.utf8.count > 240 { route += ",@\(domain)" }
        route += ",@" + repeated("b.", (count - route.utf8.count - end.utf8.count - 3) / 2) + "b"
        if (route + end).utf8.count < count { route += "b" }
        let given = route + end
        #expect(given.utf8.count == count)
        if more <= 0 {
            _ = try forwardPath(given)
            _ = try reversePath(given)
        } else {
            #expect(throws: AddressSyntaxError.pathTooLong) { try forwardPath(given) }
        }
    }

    @Test func endlessRouteIsRefusedEarly() {
        #expect(throws: AddressSyntaxError.pathTooLong) { try forwardPath("<" + repeated("@a,", 1_000_000)) }
    }
}
