// The JSON of a verdict.

import MailAddress
import SMTPProtocol
import Verification

extension JSON {
    /// - Parameter reply: its lines as they would go on the wire.
    init(_ verdict: Verdict, on wire: Wire, name: String, reply: [String]) {
        self = .object([
            "command": .string(wire.rawValue),
            "name": .string(name),
            "verdict": .string(verdict.word),
            "mailboxes": .array(verdict.mailboxes.map { JSON(address: $0.mailbox, name: $0.name) }),
            "complete": .bool(verdict.isComplete),
            "reply": .array(reply.map(JSON.string)),
            "exitStatus": .number(Int(verdict.exitStatus.rawValue)),
        ])
    }
}

extension Verdict {
    /// Every mailbox that the verdict names: found, the new one, the members, or the possibilities.
    fileprivate var mailboxes: [NamedMailbox] {
        switch self {
        case .verified(let mailbox), .full(let mailbox): [mailbox]
        case .willForward(let address, _): [NamedMailbox(name: "", mailbox: address)]
        case .moved(let address): address.map { [NamedMailbox(name: "", mailbox: $0)] } ?? []
        case .members(let mailboxes), .ambiguous(let mailboxes, _): mailboxes
        default: []
        }
    }

    /// False where there are, or may be, more mailboxes than are named.
    fileprivate var isComplete: Bool {
        switch self {
        case .ambiguous(_, let complete): complete
        case .couldNotTell: false
        default: true
        }
    }
}
