// A lookup wire under octets of any kind, in pieces of any size: it never asks for more than there is, always comes to an
// end, and finds the same whatever the pieces.

import LookupProtocols

enum WireProbe {
    /// What is wrong; nil where nothing is.
    static func fault<Wire: LookupWire>(
        _ octets: [UInt8], by wire: Wire, seed: UInt64, limit: Int
    ) -> String? where Wire.Request: Equatable, Wire.Answer: Equatable {
        var numbers = Numbers(state: seed)
        var found: [[String]] = []
        for isWhole in [true, false] {
            var wire = wire
            var held: [UInt8] = []
            var events: [String] = []
            var index = 0
            var isOver = false
            var hasEnded = false
            while !hasEnded, !isOver {
                let size = isWhole ? octets.count : 1 + numbers.next(9)
                let end = min(octets.count, index + size)
                if index == octets.count {
                    wire.inputEnded()
                    hasEnded = true
                }
                held += octets[index..<end]
                index = end
                steps: while !isOver {
                    switch wire.next(held.span) {
                    case .incomplete(let consumed):
                        if consumed < 0 || consumed > held.count { return "consumed \(consumed) of \(held.count)" }
                        held.removeFirst(consumed)
                        if held.count > limit { return "\(held.count) octets are held" }
                        break steps
                    case .ask(let request, let next):
                        if next <= 0 || next > held.count { return "next is \(next) of \(held.count)" }
                        held.removeFirst(next)
                        events.append("ask \(request)")
                    case .answer(let answer, let next):
                        if next <= 0 || next > held.count { return "next is \(next) of \(held.count)" }
                        held.removeFirst(next)
                        events.append("answer \(answer)")
                    case .fail(let answer):
                        events.append("fail \(answer)")
                        isOver = true
                    }
                }
            }
            found.append(events)
        }
        return found[0] == found[1] ? nil : "in pieces: \(found[1]); whole: \(found[0])"
    }
}
