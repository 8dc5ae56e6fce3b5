// Policy requests from octets, whole and in pieces; actions to octets.

import LookupProtocols
import Testing

struct PolicyTests {
    typealias Step = LookupStep<PolicyRequest, PolicyAction>

    static func request(_ attributes: String...) -> String {
        (["request=smtpd_access_policy"] + attributes).joined(separator: "\n") + "\n\n"
    }

    static func asked(_ state: String, _ recipient: String, _ client: String = "") -> PolicyRequest {
        PolicyRequest(
            state: .init(Array(state.utf8)), recipient: Array(recipient.utf8), clientAddress: Array(client.utf8))
    }

    struct Row: Sendable {
        var octets: String
        var found: [PolicyRequest?]

        init(_ octets: String, _ found: [PolicyRequest?]) {
            self.octets = octets
            self.found = found
        }
    }

    /// The octets, and the requests found in them; nil where the connection can't go on.
    static let rows: [Row] = [
        Row(
            request("protocol_state=RCPT", "recipient=a@b", "client_address=192.0.2.1"),
            [asked("RCPT", "a@b", "192.0.2.1")]
        ),
        // In any order, between attributes that nobody knows, some of them empty.
        Row(
            "recipient=a=b@c\nfuture=1\nsasl_method=\nprotocol_state=VRFY\nrequest=smtpd_access_policy\n\n",
            [asked("VRFY", "a=b@c")]
        ),
        Row(request("protocol_state=CONNECT"), [asked("CONNECT", "")]),
        Row(request("protocol_state=RCPT", "recipient="), [asked("RCPT", "")]),
        Row(
            request("protocol_state=RCPT", "recipient=a@b") + request("protocol_state=RCPT", "recipient=c@d"),
            [asked("RCPT", "a@b"), asked("RCPT", "c@d")]
        ),
        Row(request("protocol_state=RCPT", "future=1", "future=2"), [asked("RCPT", "")]),
        Row(request("protocol_state=RCPT", "future=" + String(repeating: "x", count: 60_000)), [asked("RCPT", "")]),
        // No request.
        Row("\n", [nil]), Row("\n\n", [nil]), Row("protocol_state=RCPT\n\n", [nil]), Row(request(), [nil]),
        Row("request=other\nprotocol_state=RCPT\n\n", [nil]), Row("GET / HTTP/1.1\n\n", [nil]),
        Row(request("=x", "protocol_state=RCPT"), [nil]), Row(request("protocol_state=RCPT", "=x"), [nil]),
        Row(request("protocol_state=RCPT", "future", "future=x"), [nil]),
        Row(request("protocol_state=RCPT", "recipients=a@b", "decipient=c@d", "Recipient=e@f"), [asked("RCPT", "")]),
        // A client that is named again, another, and none.
        Row(
            ["192.0.2.1", "192.0.2.1", "192.0.2.10", ""].map {
                request("protocol_state=RCPT", "client_address=\($0)")
            }.joined() + request("protocol_state=RCPT"),
            ["192.0.2.1", "192.0.2.1", "192.0.2.10", "", ""].map { asked("RCPT", "", $0) }
        ), Row(request("protocol_state"), [nil]),
        // One that matters and comes twice.
        Row(request("protocol_state=RCPT", "recipient=a@b", "recipient=c@d"), [nil]),
        Row(request("protocol_state=RCPT", "protocol_state=RCPT"), [nil]),
        Row(request("request=smtpd_access_policy", "protocol_state=RCPT"), [nil]),
        Row(request("protocol_state=RCPT", "recipient=a@b") + "\n", [asked("RCPT", "a@b"), nil]),
        // Too long, whether or not it ends.
        Row(request("protocol_state=RCPT", "future=" + String(repeating: "x", count: 70_000)), [nil]),
        Row(String(repeating: "x", count: 70_000), [nil]),
        Row(String(repeating: "x=y\n", count: 20_000), [nil]),
    ]

    @Test(arguments: rows, [1, 5, 100_000])
    func read(row: Row, size: Int) {
        let found = steps(of: Array(row.octets.utf8), by: PolicyWire(), pieces: size).map { step -> PolicyRequest? in
            switch step {
            case .ask(let request, _): return request
            case .fail(.silence): return nil
            default:
                Issue.record("\(step)")
                return nil
            }
        }
        #expect(found == row.found)
    }

    @Test(arguments: [
        (PolicyAction.dunno, "action=DUNNO\n\n"), (.silence, ""),
        (.reply(Array("550 5.1.1 No such user here".utf8)), "action=550 5.1.1 No such user here\n\n"),
    ])
    func reply(action: PolicyAction, octets: String) {
        #expect(String(decoding: PolicyWire.reply(action), as: UTF8.self) == octets)
    }
}
