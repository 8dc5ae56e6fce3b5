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

    /// 256 octets with the brackets (RFC 5321 4.5.3.1.3), a route counted in.
    @Test(arguments: [254, 255, 256, 257, 258]) func length(_ count: Int) throws {
        let domain = repeated("a.", 90) + "a"
        let plain = "<" + repeated("l", 60) + "@" + domain
        let path = plain + "." + repeated("b", count - plain.utf8.count - 2) + ">"
        let routed = "<@\(domain):u@" + repeated("b", 60)
        let route = routed + "." + repeated("b", count - routed.utf8.count - 2) + ">"
        for given in [path, route] {
            #expect(given.utf8.count == count)
            if count <= AddressLimits.path {
                _ = try forwardPath(given)
                _ = try reversePath(given)
            } else {
                #expect(throws: AddressSyntaxError.pathTooLong) { try forwardPath(given) }
            }
        }
        if count <= AddressLimits.path {
            _ = try Mailbox(String(path.dropFirst().dropLast()))
        } else {
            #expect(throws: AddressSyntaxError.pathTooLong) { try Mailbox(String(path.dropFirst().dropLast())) }
        }
    }

    @Test func endlessRouteIsRefusedEarly() {
        #expect(throws: AddressSyntaxError.pathTooLong) { try forwardPath("<" + repeated("@a,", 1_000_000)) }
    }
}
