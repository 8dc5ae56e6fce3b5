// What was measured: replies by code, and their latencies.

struct BenchTally {
    /// Whether the time of measuring has come, and is not over.
    var isCounting = false
    private(set) var latencies = LatencyHistogram()
    private var codes = [UInt64](repeating: 0, count: 600)

    /// - Parameters:
    ///   - code: or a number of `BenchAnswer`.
    ///   - nanoseconds: from the question, or from when it was due.
    mutating func count(_ code: Int, nanoseconds: UInt64) {
        guard isCounting else { return }
        codes[code] += 1
        latencies.record(nanoseconds)
    }

    var questions: UInt64 { latencies.count }

    /// Codes in ascending order.
    var replies: [(code: Int, count: UInt64)] {
        codes.indices.filter { codes[$0] > 0 }.map { ($0, codes[$0]) }
    }
}
