// The configured sources, opened as a command needs them.

import AddresseeConfiguration
import MailAddress
import MailboxDirectory
import Verification

/// The directory that a configuration describes.
struct ConfiguredDirectory {
    let configuration: Configuration

    init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    /// What the executable gave.
    static func wiring() throws(CommandFailure) -> Wiring {
        guard let wiring = Wiring.current else {
            throw CommandFailure(.temporary, "this program was built without a directory; build it anew")
        }
        return wiring
    }

    /// Every source for questions, in order.
    func sources() throws -> [any Source] {
        let wiring = try Self.wiring()
        return try configuration.sources.map { try wiring.openSource($0) }
    }

    /// The source that is written to: the one named, or the first.
    func index(ofSource name: String?) throws(CommandFailure) -> Int {
        guard let name else { return 0 }
        guard let index = configuration.sources.firstIndex(where: { $0.name == name }) else {
            let names = configuration.sources.map(\.name).joined(separator: ", ")
            throw CommandFailure(.usage, "no source is called \(name.quoted); the configuration has: \(names)")
        }
        return index
    }

    /// The stores that are read: the one named, or all of them in order.
    func stores(_ name: String?) throws -> [any RecordStore] {
        let wiring = try Self.wiring()
        if name != nil { return [try wiring.openStore(configuration.sources[try index(ofSource: name)])] }
        return try configuration.sources.map { try wiring.openStore($0) }
    }

    /// The store that is written to, with the rules for it.
    func writing(to name: String?) throws -> (editor: RecordEditor, store: any RecordStore) {
        let wiring = try Self.wiring()
        let index = try index(ofSource: name)
        let store = try wiring.openStore(configuration.sources[index])
        var others = configuration.sources
        others.remove(at: index)
        let editor = RecordEditor(
            store: store, at: index, otherSources: try others.map { try wiring.openSource($0) },
            referencesElsewhere: { [others] address, limit in
                var found: [Reference] = []
                for other in others where found.count < limit {
                    let store = try wiring.openStore(other)
                    found += try store.read { try $0.references(to: address, limit: limit - found.count) }
                }
                return found
            },
            defaultDomain: configuration.defaultDomain, limits: configuration.expansion)
        return (editor, store)
    }

    /// What to do about a record that is not there: it may be of another kind, or in another source.
    func absence(of kind: RecordKind, at address: Mailbox, in source: String?) throws -> CommandFailure {
        let known = configuration.sources
        let shown = "there is no \(kind.phrase) \(address)"
        for (index, other) in try sources().enumerated() {
            let entry: Entry
            switch other.answer(.entries([address])) {
            case .entry(let found, _): entry = found
            case .absent: continue
            // Whether it is anywhere can't be told then.
            case let answer: throw other.trouble(in: answer)
            }
            let isOfKind = entry.kind == kind || (kind == .forward && entry.forward != nil)
            if isOfKind, known.count > 1 {
                let asked = source ?? known[0].name
                return CommandFailure(
                    .noUser, "\(shown) in the source \(asked), but in \(other.name); use --source \(known[index].name)")
            }
            if !isOfKind {
                let found = entry.kind
                return CommandFailure(
                    .noUser, "\(shown); it is \(found.withArticle): addressee \(found.rawValue) show \(entry.address)")
            }
        }
        return CommandFailure(
            .noUser, "\(shown); see which there are: addressee \(kind.rawValue) ls \(address.domain)")
    }
}
