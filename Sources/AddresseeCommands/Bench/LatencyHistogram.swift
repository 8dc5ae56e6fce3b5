// Latencies counted in buckets that grow with their value: log-linear, like HdrHistogram. Recording is a few
// instructions and never allocates.

/// Counts values; a quantile is at most 1 % above the true one.
struct LatencyHistogram {
    /// Buckets for each doubling: 128 of them are 0.8 % wide at most.
    private static let bits = 7
    /// The longest value that is told apart, in bits: 2^42 ns are 73 minutes.
    private static let highestBit = 42

    private(set) var count: UInt64 = 0
    private var buckets = [UInt64](repeating: 0, count: (highestBit - bits + 2) << bits)

    mutating func record(_ value: UInt64) {
        count += 1
        buckets[Self.bucket(of: value)] += 1
    }

    /// The value that the given share of all values does not pass (0...1); 0 when nothing was recorded.
    func quantile(_ share: Double) -> UInt64 {
        let wanted = max(1, UInt64((share * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for (index, bucket) in buckets.enumerated() {
            seen += bucket
            if seen >= wanted { return Self.highest(in: index) }
        }
        return 0
    }

    static func bucket(of value: UInt64) -> Int {
        let value = min(value, (1 << UInt64(highestBit)) - 1)
        let shift = max(0, 63 - value.leadingZeroBitCount - bits)
        return shift << bits + Int(value >> UInt64(shift))
    }

    /// The highest value that `bucket(of:)` puts there.
    static func highest(in bucket: Int) -> UInt64 {
        let shift = UInt64(max(0, bucket >> bits - 1))
        let step = UInt64(bucket) - shift << UInt64(bits)
        return (step + 1) << shift - 1
    }
}
