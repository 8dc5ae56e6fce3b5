// What a measurement came to, for people and for programs.

/// The outcome of one measurement.
struct BenchReport {
    let plan: BenchPlan
    let tally: BenchTally
    /// How long was counted.
    let seconds: Double

    var rate: Double { seconds > 0 ? Double(tally.questions) / seconds : 0 }

    /// Microseconds, to a tenth.
    func microseconds(_ share: Double) -> Double {
        (Double(tally.latencies.quantile(share)) / 100).rounded() / 10
    }

    /// One object; its keys are documented and stay.
    var json: String {
        let replies = tally.replies.map { "\"\(BenchAnswer.name($0.code))\":\($0.count)" }.joined(separator: ",")
        return "{\"rate\":\(Int(rate.rounded())),\"p50\":\(microseconds(0.5)),\"p99\":\(microseconds(0.99)),"
            + "\"p999\":\(microseconds(0.999)),\"questions\":\(tally.questions),"
            + "\"seconds\":\((seconds * 1000).rounded() / 1000),\"replies\":{\(replies)},"
            + "\"wire\":\"\(plan.wire.rawValue)\",\"verb\":\"\(plan.verb.rawValue)\",\"connections\":\(plan.connections),\"inFlight\":\(plan.inFlight)}"
    }

    /// A table.
    var table: String {
        var rows = [
            ("questions", grouped(tally.questions), ""),
            ("rate", grouped(UInt64(rate.rounded())), "/s"),
            ("p50", "\(microseconds(0.5))", "µs"),
            ("p99", "\(microseconds(0.99))", "µs"),
            ("p99.9", "\(microseconds(0.999))", "µs"),
        ]
        for reply in tally.replies { rows.append((BenchAnswer.name(reply.code), grouped(reply.count), "")) }
        let lines = rows.map { name, value, unit in
            let line = name + String(repeating: " ", count: 26 - name.count - value.count) + value
            return unit.isEmpty ? line : "\(line) \(unit)"
        }
        let time = (seconds * 10).rounded() / 10
        let asked = plan.rate.map { ", \(grouped(UInt64($0.rounded()))) /s asked for" } ?? ""
        return (["\(plan.subject), \(plan.connections) x \(plan.inFlight) in flight, \(time) s\(asked)"] + lines)
            .joined(separator: "\n")
    }

    /// `1,234,567`
    private func grouped(_ number: UInt64) -> String {
        var text = ""
        let digits = Array(String(number))
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return text
    }
}
