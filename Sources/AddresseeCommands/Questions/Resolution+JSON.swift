// The JSON of a walk.

import MailAddress
import MailboxDirectory
import Verification

extension JSON {
    init(_ resolution: Resolution, asked: String, status: ExitStatus) {
        var members: [String: JSON] = [
            "asked": .string(asked),
            "canonical": JSON(resolution.asked),
            "recipients": .array(resolution.recipients.map(Self.recipient)),
            "failures": .array(resolution.failures.map(Self.failure)),
            "steps": .array(resolution.trace.map(Self.step)),
            "possibilities": .array([]),
            "path": .array([]),
            "reason": .null,
            "exitStatus": .number(Int(status.rawValue)),
        ]
        switch resolution.outcome {
        case .answered: members["outcome"] = .string("answered")
        case .ambiguous(let entries, _):
            members["outcome"] = .string("ambiguous")
            members["possibilities"] = .array(entries.map { JSON(address: $0.address, name: $0.displayName) })
        case .couldNotTell(let trouble):
            members["outcome"] = .string("could-not-tell")
            members["reason"] = .string(trouble.description)
        case .loop(let path):
            members["outcome"] = .string("loop")
            members["path"] = .array(path.map { JSON($0) })
        case .limit(let kind, let path):
            members["outcome"] = .string("limit")
            members["path"] = .array(path.map { JSON($0) })
            members["reason"] = .string(kind.rawValue)
        }
        self = .object(members)
    }

    private static func recipient(_ recipient: Recipient) -> JSON {
        .object([
            "address": JSON(recipient.mailbox),
            "name": .string(recipient.name),
            "kind": .string(recipient.kind.word),
            "detail": .string(String(decoding: recipient.detail, as: UTF8.self)),
        ])
    }

    private static func failure(_ failure: Failure) -> JSON {
        var newAddress: Mailbox?
        if case .moved(let to) = failure.reason { newAddress = to }
        return .object([
            "address": JSON(failure.mailbox),
            "reason": .string(failure.reason.word),
            "to": JSON(newAddress),
        ])
    }

    private static func step(_ step: TraceStep) -> JSON {
        .object([
            "address": JSON(step.address),
            "depth": .number(step.depth),
            "source": JSON(step.source),
            "reason": .string(step.reason),
        ])
    }
}
