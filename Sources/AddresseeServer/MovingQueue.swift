// A queue whose elements are moved in and out: an Array counts references with each element that is read from it.

/// Elements in the order in which they came, as many as its capacity between two times that it is empty.
final class MovingQueue<Element> {
    private let places: UnsafeMutablePointer<Element>
    private var first = 0
    private var end = 0

    init(capacity: Int) {
        places = .allocate(capacity: capacity)
    }

    deinit {
        (places + first).deinitialize(count: count)
        places.deallocate()
    }

    var count: Int { end - first }
    var isEmpty: Bool { end == first }

    /// - Precondition: fewer have come since it was empty than its capacity.
    func append(_ element: consuming Element) {
        (places + end).initialize(to: element)
        end += 1
    }

    func popFirst() -> Element? {
        if isEmpty { return nil }
        let element = (places + first).move()
        first += 1
        if isEmpty { (first, end) = (0, 0) }
        return element
    }

    func update(_ change: (inout Element) -> Void) {
        for index in first..<end { change(&places[index]) }
    }
}
