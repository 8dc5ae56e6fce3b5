// Driving a walk over sources that answer at once.

public import MailAddress

/// What the only source there is has said of an address: a walk that begins at it need not ask again.
public final class FirstAnswers: Sendable {
    let mailbox: Mailbox
    let domain: DomainRecord
    let entry: Answer

    /// - Parameters:
    ///   - domain: the record of its domain, which is no alias.
    ///   - entry: the answer to `Lookup.entries` of this address alone.
    public init(mailbox: Mailbox, domain: DomainRecord, entry: Answer) {
        self.mailbox = mailbox
        self.domain = domain
        self.entry = entry
    }
}

extension Expansion {
    /// How far a walk went.
    public enum Progress: Sendable {
        case finished(Resolution)
        /// It is still to do this step.
        indirect case paused(Expansion, Step)
    }

    /// Carries out every lookup on the spot.
    /// - Parameter sources: in the order of the names that the walk was made with.
    public consuming func run(_ sources: [any Source]) -> Resolution {
        switch run(sources, turns: .max) {
        case .finished(let resolution): resolution
        // No walk has so many.
        case .paused: Resolution(outcome: .limit(.lookups, path: []))
        }
    }

    /// Carries out the lookups on the spot, until there have been so many, and addresses gone through without one.
    /// - Parameter read: what has been read already of the address that is asked about, in the same view of the only source.
    public consuming func run(_ sources: [any Source], turns: Int, read: FirstAnswers? = nil) -> Progress {
        var walk = consume self
        var move = walk.begin()
        if let read { move = walk.take(read, after: move) }
        var left = turns
        while true {
            switch move {
            case .lookUp(let lookup, let source):
                if left == 0 { return .paused(walk, .lookUp(lookup, source: source)) }
                left -= 1
                guard sources.indices.contains(source) else {
                    let trouble = Trouble(source: "number \(source)", reason: "there is no such source")
                    move = walk.take(.couldNotTell(trouble))
                    continue
                }
                move = walk.take(sources[source].answer(lookup))
            case .next:
                if left == 0 { return .paused(walk, .pause) }
                left -= 1
                move = walk.takeNext()
            case .finished:
                // Swapped out, since a copy would cost more than the rest of the walk's end.
                var resolution = Resolution(outcome: .answered)
                swap(&resolution, &walk.resolution)
                return .finished(resolution)
            }
        }
    }

    /// Takes the answers to the first two lookups where they are known already.
    private mutating func take(_ read: FirstAnswers, after first: Move) -> Move {
        guard case .lookUp(.domain, source: 0) = first, sourceNames.count == 1, case .address(let asked) = question,
            asked == read.mailbox
        else { return first }
        let next = take(.domain(read.domain))
        guard case .lookUp(.entries(let keys), source: 0) = next else { return next }
        switch read.entry {
        // The first key is the address itself.
        case .entry(_, key: 0): return take(read.entry)
        case .absent where keys.count == 1: return take(read.entry)
        default: return next
        }
    }
}
