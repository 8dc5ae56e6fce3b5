// A transaction as far as it must be known to hand its message on: from whom, to whom, and by what way.

import AddresseeConfiguration
import MailAddress
import SMTPProtocol
import Verification

struct Envelope {
    let sender: ReversePath
    let isUTF8: Bool
    /// The recipients that were taken, as the client gave them.
    private(set) var paths: [ForwardPath] = []
    /// Each mailbox once, in the order in which they came up.
    private(set) var destinations: [Destination] = []
    private var known: Set<Mailbox> = []

    init(sender: ReversePath, isUTF8: Bool) {
        self.sender = sender
        self.isUTF8 = isUTF8
    }

    /// Adds a recipient. A mailbox that another recipient has led to gets the message once.
    /// - Returns: false when that would be more mailboxes than `limit`, and nothing has been added.
    mutating func add(_ path: ForwardPath, _ more: [Destination], limit: Int) -> Bool {
        let added = more.filter { !known.contains($0.mailbox) }
        guard destinations.count + added.count <= limit else { return false }
        paths.append(path)
        for destination in added where known.insert(destination.mailbox).inserted { destinations.append(destination) }
        return true
    }

    /// Whether the message has been delivered to one of them before (RFC 5321 6.3).
    func isDelivered(to values: [[UInt8]]) -> Bool {
        values.contains { value in (try? Mailbox(octets: value.span)).map(known.contains) ?? false }
    }

    /// The copies in Maildirs.
    /// - Parameter stamp: the Received: field, with its CRLF.
    /// - Returns: nil when a mailbox can have no folder, which RCPT should have found.
    func copies(_ nextHops: [NextHopConfiguration], stamp: [UInt8]) -> [MaildirCopy]? {
        let returnPath = TraceFields.returnPath(sender)
        var copies: [MaildirCopy] = []
        for destination in destinations {
            guard let folder = nextHops.folder(of: destination) else { return nil }
            copies.append(
                MaildirCopy(folder: folder, head: returnPath + TraceFields.deliveredTo(destination.mailbox) + stamp))
        }
        return copies
    }
}

extension [NextHopConfiguration] {
    /// The Maildir of a mailbox; nil when no folder can bear its name.
    func folder(of destination: Destination) -> String? {
        guard indices.contains(destination.nextHop) else { return nil }
        switch self[destination.nextHop].kind {
        case .maildir(let template): return template.path(for: destination.mailbox)
        }
    }
}
