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

    /// What is to be written into Maildirs.
    /// - Parameters:
    ///   - name: of the files.
    ///   - stamp: the Received: field, with its CRLF.
    /// - Returns: nil when there is nobody, or a mailbox can have no folder, which RCPT should have found.
    func order(_ nextHops: [NextHopConfiguration], name: String, stamp: [UInt8]) -> MaildirOrder? {
        var copies: [MaildirOrder.Copy] = []
        for destination in destinations {
            guard let folder = nextHops.folder(of: destination) else { return nil }
            copies.append(MaildirOrder.Copy(folder: folder, deliveredTo: TraceFields.deliveredTo(destination.mailbox)))
        }
        if copies.isEmpty { return nil }
        return MaildirOrder(name: name, returnPath: TraceFields.returnPath(sender), stamp: stamp, copies: copies)
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
