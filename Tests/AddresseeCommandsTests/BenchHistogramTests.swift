// The histogram tells a latency to within 1 %.

import Testing

@testable import AddresseeCommands

@Suite struct BenchHistogramTests {
    @Test(
        arguments: [0, 1, 2, 127, 128, 129, 255, 256, 257, 1000, 12_345, 999_999, 1_000_000_007, 1 << 41] as [UInt64])
    func bucketIsNarrow(_ value: UInt64) {
        let highest = LatencyHistogram.highest(in: LatencyHistogram.bucket(of: value))
        #expect(highest >= value)
        #expect(highest - value <= value / 100)
    }

    @Test func bucketsFollowEachOther() {
        for bucket in 0..<4000 {
            let highest = LatencyHistogram.highest(in: bucket)
            #expect(LatencyHistogram.bucket(of: highest) == bucket)
            #expect(LatencyHistogram.bucket(of: highest + 1) == bucket + 1)
        }
    }

    @Test func quantiles() {
        var histogram = LatencyHistogram()
        #expect(histogram.quantile(0.5) == 0)
        for value in 1...100 as ClosedRange<UInt64> { histogram.record(value) }
        #expect(histogram.count == 100)
        #expect(histogram.quantile(0) == 1)
        #expect(histogram.quantile(0.5) == 50)
        #expect(histogram.quantile(0.99) == 99)
        #expect(histogram.quantile(0.999) == 100)
        #expect(histogram.quantile(1) == 100)
    }

    @Test func whatIsTooLongIsTheLongest() {
        var histogram = LatencyHistogram()
        histogram.record(.max)
        #expect(histogram.quantile(0.5) == 1 << 42 - 1)
    }

    @Test func randomNumbersFillTheirRange() {
        for seed in [0, 1, 2, UInt64.max] {
            var random = RandomIndex(seed: seed)
            var counts = [Int](repeating: 0, count: 10)
            for _ in 0..<10_000 { counts[random.next(below: 10)] += 1 }
            #expect(counts.allSatisfy { (800...1200).contains($0) })
        }
    }
}
