// What other servers may say, in pieces of any size, to the side of ours that asks them: a mail server to Handover, a server
// of maps to MapClientWire. Nothing traps, nothing is kept without end, and the pieces make no difference.

import LookupProtocols
import SMTPProtocol

enum ServerProbe {
    /// What is wrong with how the replies of a mail server are taken; nil where nothing is.
    static func handover(_ octets: [UInt8], seed: UInt64) -> String? {
        let isLocal = seed & 1 == 1
        // Where TLS is asked for, what stands in one piece with the reply matters, and so nothing is compared.
        let usesStartTLS = seed & 2 == 2
        return compare(octets, seed, isCompared: !usesStartTLS) {
            var handover = Handover(isLocal: isLocal, name: Array("mx.example".utf8), usesStartTLS: usesStartTLS)
            return { held, events in
                let (event, consumed) = handover.received(held.span)
                guard let event else { return (consumed, false) }
                events.append("\(event)")
                switch event {
                case .ready:
                    for line in ["MAIL FROM:<>", "RCPT TO:<a@b.example>", "DATA"] { handover.send(Array(line.utf8)) }
                case .startTLS: handover.tlsStarted()
                case .answered: break
                case .failed:
                    // Whatever follows is nobody's.
                    return (held.count, false)
                }
                handover.takeOutput { _ in }
                return (consumed, true)
            }
        }
    }

    /// The same for a server of maps.
    static func map(_ octets: [UInt8], seed: UInt64) -> String? {
        compare(octets, seed, isCompared: true) {
            var wire = MapClientWire(seed & 1 == 1 ? .tcpTable : .socketmap)
            var isOver = false
            return { held, events in
                if isOver { return (held.count, false) }
                switch wire.next(held.span) {
                case .incomplete(let consumed): return (consumed, false)
                case .answer(let answer, let next):
                    events.append("\(answer)")
                    return (next, true)
                case .malformed:
                    events.append("malformed")
                    isOver = true
                    return (held.count, false)
                }
            }
        }
    }

    /// Takes the octets at the head of `held`: how many are done with, and whether there may be more to take.
    private typealias Reader = (_ held: [UInt8], _ events: inout [String]) -> (consumed: Int, goesOn: Bool)

    private static func compare(
        _ octets: [UInt8], _ seed: UInt64, isCompared: Bool, _ make: () -> Reader
    ) -> String? {
        var numbers = Numbers(state: seed)
        var found: [[String]] = []
        for isWhole in [true, false] {
            let read = make()
            var held: [UInt8] = []
            var events: [String] = []
            var index = 0
            while index < octets.count {
                let end = min(octets.count, index + (isWhole ? octets.count : 1 + numbers.next(9)))
                held += octets[index..<end]
                index = end
                while true {
                    let (consumed, goesOn) = read(held, &events)
                    if consumed < 0 || consumed > held.count { return "consumed \(consumed) of \(held.count)" }
                    if goesOn, consumed == 0 { return "an event without an octet" }
                    held.removeFirst(consumed)
                    if !goesOn { break }
                }
                if held.count > 100_010 { return "\(held.count) octets are held" }
            }
            found.append(events)
        }
        return !isCompared || found[0] == found[1] ? nil : "in pieces: \(found[1]); whole: \(found[0])"
    }
}
