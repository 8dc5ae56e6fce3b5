// Driving a walk over sources that answer at once.

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
    public consuming func run(_ sources: [any Source], turns: Int) -> Progress {
        var walk = consume self
        var move = walk.begin()
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
}
