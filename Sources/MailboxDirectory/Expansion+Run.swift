// Driving a walk over sources that answer at once.

extension Expansion {
    /// Carries out every lookup on the spot.
    /// - Parameter sources: in the order of the names that the walk was made with.
    public consuming func run(_ sources: [any Source]) -> Resolution {
        var step = next()
        while true {
            switch step {
            case .finished(let resolution): return resolution
            case .lookUp(let lookup, let source): step = answered(sources[source].answer(lookup))
            }
        }
    }
}
