// What follows from an entry: where mail goes next, or where it ends. Loops are told from paths that meet.
//
// A detail that was taken off to find the entry stays with the user's mailbox, and goes on to each target of an alias, after
// a detail that the target has on record: as Postfix propagates an unmatched extension of virtual aliases by default
// (`propagate_unmatched_extensions`), and not of forwards and lists, whose targets belong to other people.

import MailAddress

extension Expansion {
    /// Follows what stands at the address at hand.
    mutating func apply(_ entry: Entry, separatedDetail detail: [UInt8], source: Int) -> Move {
        if walk.node == 0 {
            resolution.asked = entry.address
            asked = (detail, isInRelayDomain(entry.address))
        }
        if nodes[walk.node].isOnChain { resolution.chain.append(entry) }
        switch entry {
        case .user(let user, let forward):
            guard let forward else { return ended(at: user, detail: detail) }
            return apply(forward, user: user, detail: detail, source: source)
        case .forward(let forward):
            return apply(forward, user: nil, detail: detail, source: source)
        case .alias(let alias):
            return redirect(
                to: alias.targets, with: detail, origin: .alias, canonical: alias.address, next: alias.next,
                source: source)
        case .moved(let moved):
            return failed(.moved(to: moved.newAddress), canonical: moved.address)
        case .list(let list):
            return apply(list, source: source)
        }
    }

    /// EXPN shows a list's members as they are, and leaves their own forwards alone.
    private var followsForwards: Bool {
        if case .expand = purpose { return !nodes[walk.node].isBelowList }
        return true
    }

    private mutating func apply(_ forward: Forward, user: User?, detail: [UInt8], source: Int) -> Move {
        // A target that is the address itself means "and here", as many directories spell it.
        let others =
            forward.targets.contains(forward.address)
            ? forward.targets.filter { $0 != forward.address } : forward.targets
        if others.isEmpty, forward.next == nil {
            note("the forward leads nowhere else")
            return user.map { ended(at: $0, detail: detail) } ?? failed(.unknown, canonical: forward.address)
        }
        let keepsCopy = forward.keepsCopy || others.count < forward.targets.count
        if keepsCopy, let user, user.status == .suspended {
            note("the mailbox that keeps a copy is suspended")
            return failed(.suspended, canonical: user.address, separatedDetail: detail)
        }
        if !followsForwards {
            note("a member's own forward is left alone")
            return reached(shown(user, at: forward.address, detail: detail), canonical: forward.address)
        }
        guard keepsCopy, let user, user.status != .disabled else {
            return redirect(
                to: others, origin: .forward, canonical: forward.address, next: forward.next, source: source)
        }
        note("a copy is kept")
        let copy = recipient(user, name: user.fullName, detail)
        return redirect(
            to: others, origin: .forward, canonical: forward.address, copy: copy, next: forward.next, source: source)
    }

    /// A member who takes mail by a forward, whether or not the mailbox itself does.
    private func shown(_ user: User?, at address: Mailbox, detail: [UInt8]) -> Recipient {
        guard let user else {
            return Recipient(
                mailbox: address, name: nodes[walk.node].name, kind: .user(.active), separatedDetail: detail,
                isInRelayDomain: isInRelayDomain(address))
        }
        let name = user.fullName.isEmpty ? nodes[walk.node].name : user.fullName
        let status = user.status == .full ? AccountStatus.full : .active
        return Recipient(
            mailbox: user.address, name: name, kind: .user(status), separatedDetail: detail,
            isInRelayDomain: isInRelayDomain(user.address))
    }

    private func recipient(_ user: User, name: String, _ detail: [UInt8]) -> Recipient {
        Recipient(
            mailbox: user.address, name: name, kind: .user(user.status), separatedDetail: detail,
            isInRelayDomain: isInRelayDomain(user.address), login: user.login)
    }

    private mutating func ended(at user: User, detail: [UInt8]) -> Move {
        switch user.status {
        case .active, .full:
            let name = user.fullName.isEmpty ? nodes[walk.node].name : user.fullName
            return reached(recipient(user, name: name, detail), canonical: user.address)
        case .disabled: return failed(.disabled, canonical: user.address)
        case .suspended: return failed(.suspended, canonical: user.address, separatedDetail: detail)
        }
    }

    private mutating func apply(_ list: MailingList, source: Int) -> Move {
        let isOpen =
            switch purpose {
            case .verify, .domain: false
            // Where somebody is reached already it makes no difference whom the list reaches.
            case .recipient: !reachesSomebody
            case .expand(let viewer): viewer.maySee(list.expansion)
            case .resolve: true
            }
        if !isOpen || list.membership == .elsewhere {
            let name = list.name.isEmpty ? nodes[walk.node].name : list.name
            return reached(
                Recipient(
                    mailbox: list.address, name: name, kind: .list(list.expansion),
                    isInRelayDomain: isInRelayDomain(list.address)), canonical: list.address)
        }
        switch arrive(at: list.address) {
        case .again: return nextAddress()
        case .loop where list.membership == .entries:
            note("a group that has been opened on the way here")
            return nextAddress()
        case .loop: return failed(.loop(path(to: walk.node)))
        case .first: break
        }
        openList = list
        rest = nil
        stage = .members(source: source)
        return step()
    }

    /// Goes on with a list or a redirection of which all nodes so far have been gone through.
    mutating func goOn(withRest index: Int) -> Move {
        let node = rests[index].node
        walk = AddressWalk(node: node)
        openList = rests[index].list
        if rests[index].taken < rests[index].targets.count { return takeSome(of: rests[index], at: index) }
        rest = index
        stage = .members(source: rests[index].source)
        return step()
    }

    /// - Parameter next: where the list goes on; nil where it is over.
    mutating func found(_ members: [ListMember], next: Int? = nil, source: Int) -> Move {
        if let rest {
            note("\(members.count) more", source: source)
            var more = rests[rest]
            (more.targets, more.taken, more.next) = (members, 0, next)
            if case .forward = more.origin { more.targets.removeAll { $0.mailbox == nodes[more.node].address } }
            return follow(more)
        }
        note("\(members.count) \(next == nil ? "" : "first ")member\(members.count == 1 ? "" : "s")", source: source)
        return follow(
            Rest(
                node: walk.node, origin: .member, list: openList, source: source, targets: members, next: next))
    }

    /// Goes on to these addresses instead, or as well when a copy is kept.
    /// - Parameters:
    ///   - detail: what goes on to each of them, after its separator.
    ///   - next: the place after which this source tells more of them; nil where these are all.
    mutating func redirect(
        to targets: [Mailbox], with detail: [UInt8] = [], origin: Origin, canonical: Mailbox, copy: Recipient? = nil,
        next: Int? = nil, source: Int = 0
    ) -> Move {
        let address = canonical.with(separatedDetail: detail)
        switch arrive(at: canonical, detailLength: detail.count) {
        case .again:
            if let copy { takeIfNew(copy) }
            // With another detail an alias leads to other addresses.
            guard case .alias = origin, isNew(address, of: canonical) else { return nextAddress() }
        case .loop: return failed(.loop(path(to: walk.node)))
        case .first: if let copy { take(copy) } else { keep(address, of: canonical) }
        }
        if walk.node == 0, tellsStep, let copy { resolution.step = [copy.address] }
        return follow(
            Rest(
                node: walk.node, origin: origin, source: source, targets: targets.map { ListMember(mailbox: $0) },
                next: next, detail: detail, isOnChain: copy == nil && targets.count == 1 && next == nil))
    }

    /// Whether somebody wants the first step of a redirection.
    private var tellsStep: Bool {
        if case .step? = room { return true }
        return purpose == .resolve
    }

    /// Of a list or a redirection this many become nodes at once.
    static let nodesAtOnce = 256

    private mutating func follow(_ new: Rest) -> Move {
        let index = rest
        rest = nil
        if new.targets.isEmpty, new.next == nil { return nextAddress() }
        if nodes[walk.node].depth + 1 > limits.depth { return failed(.limit(.depth, path: path(to: walk.node))) }
        if walk.node == 0, let asked = walk.keys.first, let place = walk.place { known[asked.domain] = place }
        return takeSome(of: new, at: index)
    }

    /// Makes nodes of some of its addresses; what is left then comes after them.
    /// - Parameter index: where among `rests` it is kept; nil where it is new.
    private mutating func takeSome(of rest: Rest, at index: Int?) -> Move {
        // The first node is what was asked, not what it led to.
        let left = limits.addresses - (nodes.count - 1)
        var (end, isLast) = (rest.targets.count, rest.next == nil)
        if end - rest.taken > left {
            let limit = Resolution.Outcome.limit(.addresses, path: path(to: walk.node))
            guard case .recipient = purpose, case .member = rest.origin else { return failed(limit) }
            deferred = deferred ?? limit
            (end, isLast) = (rest.taken + left, true)
        }
        if end - rest.taken > Self.nodesAtOnce { (end, isLast) = (rest.taken + Self.nodesAtOnce, false) }
        if !isLast {
            let index = index ?? rests.count
            if index == rests.count { rests.append(rest) } else { rests[index] = rest }
            rests[index].taken = end
            pending.append(-1 - index)
        }
        let first = nodes.count
        addNodes(rest, rest.taken..<end)
        pending.append(contentsOf: (first..<nodes.count).reversed())
        return nextAddress()
    }

    private mutating func addNodes(_ rest: Rest, _ range: Range<Int>) {
        let parent = nodes[rest.node]
        var (isBelowList, owner) = (parent.isBelowList, parent.owner)
        var isStep = false
        if case .member = rest.origin {
            if !isBelowList { owner = rest.list?.owner }
            isBelowList = true
            isStep = rest.node == 0 && purpose != .recipient
        } else if rest.node == 0, tellsStep {
            isStep = true
        }
        if isStep { stepStart = (nodes.count, resolution.step.count) }
        for target in rest.targets[range] {
            let address = target.mailbox.with(separatedDetail: rest.detail)
            if isStep {
                resolution.step.append(address)
                if case .step? = room { octets += address.size + 2 }
            }
            nodes.append(
                Node(
                    address: address, target: rest.detail.isEmpty ? nil : target.mailbox, origin: rest.origin,
                    parent: rest.node, depth: parent.depth + 1, name: target.name, isBelowList: isBelowList,
                    owner: owner, isOnChain: parent.isOnChain && rest.isOnChain))
        }
    }

    /// A path ends at a mailbox that takes mail.
    mutating func reached(_ recipient: Recipient, canonical: Mailbox) -> Move {
        if walk.node == 0, resolution.asked == nil { resolution.asked = canonical }
        switch arrive(at: canonical) {
        case .first:
            take(recipient)
            if nodes[walk.node].isOnChain { resolution.endsAtOne = true }
        case .again, .loop: takeIfNew(recipient)
        }
        return nextAddress()
    }

    /// A mailbox that was reached before is reached once more by another detail.
    private mutating func takeIfNew(_ recipient: Recipient) {
        if isNew(recipient.address, of: recipient.mailbox) { take(recipient) }
    }

    /// Whether what was reached before was not reached by this address, which is its own with or without a detail.
    private mutating func isNew(_ address: Mailbox, of mailbox: Mailbox) -> Bool {
        // Where nothing is kept, it was reached without a detail.
        let key = HashedMailbox(mailbox)
        if addresses[key] == nil, address == mailbox { return false }
        return addresses[key, default: [mailbox]].insert(address).inserted
    }

    /// By which address something is reached first.
    private mutating func keep(_ address: Mailbox, of mailbox: Mailbox) {
        if address != mailbox { addresses[HashedMailbox(mailbox)] = [address] }
    }

    private mutating func take(_ recipient: Recipient) {
        resolution.recipients.append(recipient)
        if recipient.kind != .user(.full) { reachesSomebody = true }
        if !recipient.separatedDetail.isEmpty, addresses[HashedMailbox(recipient.mailbox)] == nil {
            keep(recipient.address, of: recipient.mailbox)
        }
        if case .recipients? = room { octets += recipient.address.size + 2 }
        if case .recipient = purpose, nodes[walk.node].isBelowList, recipient.kind != .user(.full) {
            // The list reaches somebody, and its other members change nothing of that.
            while let last = pending.last, isBelowList(last) { pending.removeLast() }
            deferred = nil
        }
        if let owner = nodes[walk.node].owner { resolution.recipients[resolution.recipients.count - 1].owner = owner }
    }

    /// Whether what is pending is what a list leads to.
    private func isBelowList(_ pending: Int) -> Bool {
        if pending >= 0 { return nodes[pending].isBelowList }
        let rest = rests[-1 - pending]
        if case .member = rest.origin { return true }
        return nodes[rest.node].isBelowList
    }

    /// A path ends at an address that takes none.
    mutating func failed(
        _ reason: Failure.Reason, canonical: Mailbox, separatedDetail detail: [UInt8] = []
    ) -> Move {
        if walk.node == 0, resolution.asked == nil { resolution.asked = canonical }
        if case .first = arrive(at: canonical) {
            resolution.failures.append(Failure(mailbox: canonical, reason: reason, separatedDetail: detail))
        }
        return nextAddress()
    }

    /// A loop, or a path that is too long: the end of the walk. Of a list to which RCPT is asked only whether somebody is
    /// reached, it decides only where no other member is.
    private mutating func failed(_ outcome: Resolution.Outcome) -> Move {
        guard case .recipient = purpose, nodes[walk.node].isBelowList else { return finish(outcome) }
        deferred = deferred ?? outcome
        return nextAddress()
    }

    /// Ends the walk where more has been found than the answer has room for.
    mutating func passedRoom() -> Move? {
        guard let room else { return nil }
        switch room {
        case .recipients(let limit), .step(let limit):
            // No ", " after the last.
            return octets > limit + 2 ? finish(.limit(.octets, path: path(to: 0))) : nil
        }
    }

    private enum Arrival {
        case first
        case again
        case loop
    }

    /// Whether an address was met before: on the way to itself (a loop), or on another way (a repetition).
    /// - Parameter detailLength: of what goes on from it. With a shorter one the way may be another, and comes to its end,
    ///   for a detail can't become shorter for ever.
    private mutating func arrive(at canonical: Mailbox, detailLength: Int = 0) -> Arrival {
        nodes[walk.node].detailLength = detailLength
        // Nothing can have been met before on a walk that never left its first address.
        if nodes.count == 1 {
            nodes[0].address = canonical
            return .first
        }
        if met.isEmpty { met.append(nodes[0].address) }
        nodes[walk.node].address = canonical
        if walk.node == 0 || meet(canonical) { return .first }
        var index = nodes[walk.node].parent
        while index >= 0 {
            if nodes[index].address == canonical, nodes[index].detailLength <= detailLength { return .loop }
            index = nodes[index].parent
        }
        return .again
    }
}

extension Expansion {
    /// So many are compared one by one.
    private static let few = 8

    /// Notes that an address is met.
    /// - Returns: whether it is for the first time.
    private mutating func meet(_ mailbox: Mailbox) -> Bool {
        if met.count < Self.few {
            if met.contains(mailbox) { return false }
            met.append(mailbox)
            return true
        }
        if seen.isEmpty { seen = Set(met.map(HashedMailbox.init)) }
        return seen.insert(HashedMailbox(mailbox)).inserted
    }
}

extension Mailbox {
    /// Octets that it takes where nothing need be quoted.
    fileprivate var size: Int { localPart.octets.count + 1 + domain.octets.count }
}
