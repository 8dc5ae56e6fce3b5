// A transaction as far as it must be known to hand its message on: from whom, to whom, and by what way.

import AddresseeConfiguration
import MailAddress
import SMTPProtocol
import Verification

struct Envelope {
    let sender: ReversePath
    let parameters: Command.MailParameters
    /// The recipients that were taken, as the client gave them.
    private(set) var paths: [ForwardPath] = []
    /// Each mailbox once, in the order in which they came up.
    private(set) var destinations: [Destination] = []
    /// The sender of what is forwarded elsewhere, once that is known.
    var rewritten: ReversePath?
    private var known: Set<Mailbox> = []
    /// The next hops that get it, as they stand in the configuration.
    private(set) var nextHops: Set<Int> = []
    /// Where each of `paths` leads.
    private var reached: [[Destination]] = []

    /// How many mailboxes are in it, where one that several recipients lead to is counted for each.
    private(set) var size = 0

    init(sender: ReversePath, parameters: Command.MailParameters) {
        self.sender = sender
        self.parameters = parameters
    }

    /// Those that no recipient so far has led to: a mailbox gets the message once.
    /// - Returns: nil when there would be more mailboxes than `limit`.
    func new(among destinations: [Destination], limit: Int) -> [Destination]? {
        var seen: Set<Mailbox> = []
        let new = destinations.filter { !known.contains($0.mailbox) && seen.insert($0.mailbox).inserted }
        return self.destinations.count + new.count <= limit ? new : nil
    }

    /// Adds a recipient with all that it leads to, of which `new` are those of `new(among:limit:)`.
    mutating func add(_ path: ForwardPath, to destinations: [Destination], new: [Destination]) {
        paths.append(path)
        reached.append(destinations)
        size += destinations.count
        self.destinations += new
        for destination in new {
            known.insert(destination.mailbox)
            nextHops.insert(destination.nextHop)
        }
    }

    /// Whether the message has been delivered to one of them before, or redirected by one of the recipients (RFC 5321 6.3).
    func isDelivered(to mailboxes: [Mailbox]) -> Bool {
        mailboxes.contains { known.contains($0) || paths.contains(.mailbox($0)) }
    }

    /// Who the sender of the message to these is: the owner of the list that they were reached by (RFC 5321 3.9.2), when it
    /// is one for all of them. A notification stays one, or lists that write to each other would never end (4.5.5).
    func sender(to destinations: [Destination]) -> ReversePath {
        guard sender != .null, let owner = destinations.first?.owner,
            destinations.allSatisfy({ $0.owner == owner })
        else { return sender }
        return .mailbox(owner)
    }

    /// What is to be written into Maildirs; nil when that is nothing.
    /// - Parameters:
    ///   - name: of the files.
    ///   - stamp: the Received: field, with its CRLF.
    func order(_ nextHops: [NextHopConfiguration], name: String, stamp: [UInt8]) -> MaildirOrder? {
        var originals: [Mailbox: [ForwardPath]]?
        let copies = destinations.compactMap { destination -> MaildirOrder.Copy? in
            guard let folder = nextHops.folder(of: destination) else { return nil }
            let paths = originals ?? pathsByMailbox()
            originals = paths
            return MaildirOrder.Copy(
                folder: folder,
                fields: TraceFields.returnPath(sender(to: [destination]))
                    + (paths[destination.mailbox] ?? []).flatMap(TraceFields.originalTo)
                    + TraceFields.deliveredTo(destination.mailbox))
        }
        return copies.isEmpty ? nil : MaildirOrder(name: name, stamp: stamp, copies: copies)
    }

    /// What tells the only recipient at a server by which addresses the message came, where it does not have them as they
    /// are. Several would each be told of the others.
    func originalTo(_ nextHops: [NextHopConfiguration]) -> [UInt8] {
        let servers = destinations.lazy.filter(nextHops.isServer).prefix(2)
        guard servers.count == 1, let server = servers.first, let paths = pathsByMailbox()[server.mailbox],
            paths != [.mailbox(server.mailbox)]
        else { return [] }
        return paths.flatMap(TraceFields.originalTo)
    }

    /// The recipients that lead to each mailbox, each once.
    private func pathsByMailbox() -> [Mailbox: [ForwardPath]] {
        var paths: [Mailbox: [ForwardPath]] = [:]
        var seen: Set<ForwardPath> = []
        for (path, destinations) in zip(self.paths, reached) where seen.insert(path).inserted {
            for mailbox in Set(destinations.map(\.mailbox)) { paths[mailbox, default: []].append(path) }
        }
        return paths
    }

    /// The address that was asked for, where it is the only one and leads elsewhere: by this a message is known that comes
    /// back. Others would tell each recipient of the others.
    var redirected: Mailbox? {
        guard paths.count == 1, case .mailbox(let mailbox) = paths[0] else { return nil }
        return destinations.count == 1 && destinations[0].mailbox == mailbox ? nil : mailbox
    }
}

extension [NextHopConfiguration] {
    /// The Maildir of a mailbox; nil when no folder can bear its name, or it goes to a server.
    func folder(of destination: Destination) -> MaildirFolder? {
        guard indices.contains(destination.nextHop), case .maildir(let template) = self[destination.nextHop].kind,
            let names = template.names(for: destination.mailbox)
        else { return nil }
        return MaildirFolder(
            base: template.base, names: names, followsLinks: self[destination.nextHop].followsLinks)
    }

    func isServer(_ destination: Destination) -> Bool {
        indices.contains(destination.nextHop) && self[destination.nextHop].server != nil
    }
}
