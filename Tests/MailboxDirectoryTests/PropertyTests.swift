// Random directories and random questions: what must hold for all of them. Seeded, so that a failure can be had again.

import DirectoryTesting
import MailAddress
import MailboxDirectory
import Testing

/// SplitMix64: small, and the same everywhere.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

/// Makes lines that `DirectoryText` reads.
private struct Maker {
    var random: Seeded

    init(seed: UInt64) { random = Seeded(state: seed) }

    mutating func pick(_ words: [String]) -> String { words.randomElement(using: &random) ?? "" }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    mutating func address() -> String {
        let local = "u\(Int.random(in: 0..<10, using: &random))" + (chance(10) ? "+d" : "")
        return "\(local)@\(pick(["a", "b", "c", "a", "b", "c", "elsewhere"]))"
    }

    mutating func standing() -> String {
        var address = address()
        while address.hasSuffix("elsewhere") { address = self.address() }
        return address
    }

    mutating func targets() -> String {
        Set((0..<Int.random(in: 1...3, using: &random)).map { _ in address() }).sorted().joined(separator: " ")
    }

    mutating func domain(_ name: String) -> String {
        var line = "domain \(name)"
        if name != "a", chance(25) { line += " alias-of=a" } else if chance(15) { line += " relay" }
        if chance(30) { line += " catch-all=\(address())" }
        return line
    }

    mutating func record() -> String {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<3:
            "user \(standing()) (\(pick(["Fred", "Jane", "Ann"])) Claude) status=\(pick(["active", "active", "full", "disabled", "suspended"]))"
        case 3..<6: "alias \(standing()) \(targets())"
        case 6..<8: "forward \(standing()) \(targets())" + (chance(40) ? " keep" : "")
        case 8: "list \(standing()) (List) expn=\(pick(["anyone", "trusted", "nobody"])) : \(targets())"
        default: "moved \(standing()) to=\(address())"
        }
    }

    mutating func question() -> String {
        chance(80) ? address() : pick(["<postmaster>", "claude", "fred claude", "u1", "u2+d", "jane", "nobody"])
    }

    mutating func purpose() -> Purpose {
        [.verify, .resolve, .expand(.anyone), .expand(.trusted), .expand(.administrator)].randomElement(using: &random)
            ?? .verify
    }
}

/// A store with whatever of 30 random records it takes.
private func store(_ maker: inout Maker, name: String = "memory") throws -> MemoryStore {
    let store = try MemoryStore(name: name)
    for line in ["a", "b", "c"].map({ maker.domain($0) }) + (0..<30).map({ _ in maker.record() }) {
        try? store.write { writing in for record in try records(line)[0] { try writing.insert(record) } }
    }
    return store
}

private func resolve(_ sources: [any Source], _ question: String, _ purpose: Purpose, isTracing: Bool = false)
    -> Resolution
{
    Expansion(
        Question(text: question), purpose: purpose, sources: sources.map(\.name),
        defaultDomain: ResolveRow.defaultDomain, isTracing: isTracing
    ).run(sources)
}

@Suite struct Properties {
    @Test(arguments: 0..<300 as Range<UInt64>)
    func resolving(_ seed: UInt64) throws {
        var maker = Maker(seed: seed)
        let first = try store(&maker)
        let second = try store(&maker, name: "second")
        let sources: [any Source] = maker.chance(50) ? [first.source] : [first.source, second.source]
        let asked = (0..<20).map { _ in (maker.question(), maker.purpose()) }
        let answers = asked.map { resolve(sources, $0.0, $0.1) }
        for ((question, purpose), answer) in zip(asked, answers) {
            #expect(resolve(sources, question, purpose).text == answer.text)
            #expect(resolve(sources, question, purpose, isTracing: true).text == answer.text)
            #expect(Set(answer.recipients.map(\.address)).count == answer.recipients.count)
            #expect(Set(answer.failures.map(\.mailbox)).count == answer.failures.count)
            if let end = answer.end { #expect(answer.recipients == [end]) }
            guard case .answered = answer.outcome else {
                #expect(answer.recipients.isEmpty && answer.failures.isEmpty && answer.end == nil)
                continue
            }
            // Somebody is reached, or there is a reason why not; a list alone may be empty.
            let isList = answer.chain.contains { if case .list = $0 { true } else { false } }
            #expect(
                !answer.recipients.isEmpty || !answer.failures.isEmpty || isList || answer.asked == nil
                    || purpose != .verify)
            // The asked address is either reached or unknown, not both.
            if let asked = answer.asked, answer.failures.contains(Failure(mailbox: asked, reason: .unknown)) {
                #expect(answer.recipients.isEmpty)
            }
            if case .verify = purpose {} else { continue }
            #expect(!answer.recipients.isEmpty || !answer.failures.isEmpty)
        }
        // What nobody asks for or points to changes nothing.
        try first.write { writing in
            for record in try records("domain far\nuser zz@far (Zed)\nalias yy@far zz@far\nuser unrelated@a")[0] {
                if case .user = record, record.domain == ResolveRow.defaultDomain,
                    case .domain(let domain) = writing.answer(.domain(record.domain)), domain.kind != .local
                {
                    continue
                }
                try writing.insert(record)
            }
        }
        for ((question, purpose), answer) in zip(asked, answers) {
            #expect(resolve(sources, question, purpose).text == answer.text, "after an unrelated record")
        }
    }

    /// Whatever is written through the editor, no address of the directory is on a loop.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func editing(_ seed: UInt64) throws {
        var maker = Maker(seed: seed ^ 0xE417)
        let store = try MemoryStore()
        let editor = RecordEditor(store: store, defaultDomain: ResolveRow.defaultDomain)
        for name in ["a", "b", "c"] { _ = try? editor.apply("force add \(maker.domain(name))") }
        for _ in 0..<80 {
            let force = maker.chance(60) ? "force " : ""
            let change: String
            switch maker.pick(["add", "add", "add", "domain", "set", "set domain", "rm", "join"]) {
            case "domain": change = "add \(maker.domain(maker.pick(["a", "b", "c", "elsewhere"])))"
            case "set": change = "set \(maker.record())"
            case "set domain":
                change = "set \(maker.domain(maker.pick(["a", "b", "c"]))) separators=\(maker.pick(["", "+", "-"]))"
            case "rm":
                let record = maker.record().split(separator: " ")
                change = "rm \(record[0]) \(record[1])"
            case "join": change = "join \(maker.standing()) \(maker.address())"
            default: change = "add \(maker.record())"
            }
            let before = try contents(of: store)
            do throws(EditError) {
                _ = try editor.apply(force + change)
            } catch {
                #expect(try contents(of: store) == before)
                continue
            }
            for number in 0..<10 {
                for domain in ["a", "b", "c", "elsewhere"] {
                    for detail in ["", "+d", "+other", "-x"] {
                        let address = "u\(number)\(detail)@\(domain)"
                        let answer = resolve([store.source], address, .resolve)
                        if case .answered = answer.outcome { continue }
                        Issue.record("\(force)\(change) left \(address) with \(answer.text)")
                        return
                    }
                }
            }
        }
        #expect(try contents(of: store).count > 5)
    }
}
