// How far long work has come, for a person at a terminal; silent otherwise.

import Foundation

/// One line on standard error, drawn again and again.
struct ProgressBar {
    private static let width = 24
    private static let interval = 0.1

    var total: Int?
    private let output: Output
    private let unit: String
    private let start = Self.clock()
    private var lastDrawn = -Double.infinity

    /// - Parameters:
    ///   - total: how much work there is; nil when that can't be told.
    ///   - unit: what is counted.
    init(total: Int?, to output: Output, of unit: String = "users") {
        self.total = total
        self.output = output
        self.unit = unit
    }

    /// Seconds since the work began.
    var elapsed: Double { Self.clock() - start }

    /// Draws at most ten times a second.
    mutating func show(_ count: Int, done: Int) {
        guard output.isErrorTerminal else { return }
        let elapsed = elapsed
        guard elapsed - lastDrawn >= Self.interval else { return }
        lastDrawn = elapsed
        output.standardError("\r\u{1B}[K" + Self.line(count, done: done, total: total, elapsed: elapsed, of: unit))
    }

    /// Leaves nothing of it on the screen.
    func clear() {
        if lastDrawn >= 0 { output.standardError("\r\u{1B}[K") }
    }

    /// ` 43 % ##########............  101234 users/s, 5 s left`
    static func line(_ count: Int, done: Int, total: Int?, elapsed: Double, of unit: String = "users") -> String {
        let rate = elapsed > 0 ? "\(Int(Double(count) / elapsed)) \(unit)/s" : ""
        guard let total, total > 0 else { return "\(count) \(unit)  \(rate)" }
        let share = min(1, Double(done) / Double(total))
        let percent = "\(Int(share * 100))"
        let filled = Int(share * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        let left = share > 0 ? ", \(Int((elapsed / share * (1 - share)).rounded(.up))) s left" : ""
        return String(repeating: " ", count: 3 - percent.count) + "\(percent) % \(bar)  \(rate)\(left)"
    }

    private static func clock() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
