// Driving a walk over sources that answer at once.

extension Expansion {
    /// Carries out every lookup on the spot.
    /// - Parameter sources: in the order of the names that the walk was made with.
    public consuming func run(_ sources: [any Source]) -> Resolution {
        var walk = consume self
        var move = walk.begin()
        while case .lookUp(let lookup, let source) = move {
            guard sources.indices.contains(source) else {
                move = walk.take(.couldNotTell(Trouble(source: "number \(source)", reason: "there is no such source")))
                continue
            }
            move = walk.take(sources[source].answer(lookup))
        }
        // Swapped out, since a copy would cost more than the rest of the walk's end.
        var resolution = Resolution(outcome: .answered)
        swap(&resolution, &walk.resolution)
        return resolution
    }
}
