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

    /// The domain of bare names.
    var defaultDomain: Domain { configuration.defaultDomain }

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

    /// Whether any source has the domain.
    func isOnRecord(_ domain: Domain) throws -> Bool {
        for source in try sources() {
            switch source.answer(.domain(domain)) {
            case .domain: return true
            case .absent: continue
            case let answer: throw source.trouble(in: answer)
            }
        }
        return false
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
            otherRecords: { [others] body in
                for other in others { try wiring.openStore(other).read(body) }
            },
            defaultDomain: configuration.defaultDomain, limits: configuration.expansion)
        return (editor, store)
    }

    /// Writes, and says in the words of the command line why a change is refused.
    func write<Result>(
        to name: String?, _ body: (RecordEditor, any RecordStore) throws -> Result
    ) throws -> Result {
        let (editor, store) = try writing(to: name)
        do {
            return try body(editor, store)
        } catch EditError.noSuchDomain(let domain) {
            throw absence(of: domain, in: name, advice: EditError.noSuchDomain(domain).advice, status: .data)
        } catch EditError.noAliasedDomain(let domain) {
            throw absence(of: domain, in: name, advice: EditError.noAliasedDomain(domain).advice, status: .data)
        }
    }

    /// What to do about a domain that is not on record: it may be so in another source than this, or misspelled.
    func absence(
        of domain: Domain, in source: String?, advice: String?, status: ExitStatus = .noUser
    ) -> CommandFailure {
        let shown = "the domain \(domain) is not on record"
        let asked = source ?? configuration.sources[0].name
        for place in configuration.sources where place.name != asked {
            guard let store = try? Self.wiring().openStore(place),
                case .domain? = try? store.read({ $0.answer(.domain(domain)) })
            else { continue }
            return CommandFailure(
                status, "\(shown) in the source \(asked), but in \(place.name); use --source \(place.name)")
        }
        guard let near = nearest(to: domain) else {
            return CommandFailure(status, advice.map { "\(shown); \($0)" } ?? shown)
        }
        let question = "\(shown); did you mean \(near)?"
        return CommandFailure(status, advice.map { "\(question) If not, \($0)" } ?? question)
    }

    /// The domain on record that was probably meant. What can't be read now can't be suggested.
    func nearest(to domain: Domain) -> String? {
        var known: [String] = []
        for place in configuration.sources {
            guard let store = try? Self.wiring().openStore(place) else { continue }
            try? store.read { reading in
                try reading.forEach(.domain, in: nil) { record in
                    guard known.count < Self.domainsToCompare else { throw Enough() }
                    known.append(record.domain.description)
                }
            }
        }
        return NearestWord.misspelled(domain.description, among: known)
    }

    /// Domains that a misspelled one is compared with.
    private static let domainsToCompare = 100_000

    /// Thrown to end a reading.
    private struct Enough: Error {}

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
                // There it is in a domain that is not served.
                if asked == other.name { continue }
                return CommandFailure(
                    .noUser, "\(shown) in the source \(asked), but in \(other.name); use --source \(known[index].name)")
            }
            if !isOfKind {
                let found = entry.kind
                return CommandFailure(
                    .noUser, "\(shown); it is \(found.withArticle): addressee \(found.rawValue) show \(entry.address)")
            }
        }
        if try !isOnRecord(address.domain) {
            return absence(of: address.domain, in: source, advice: "see: addressee domain ls")
        }
        return CommandFailure(
            .noUser, "\(shown); see which there are: addressee \(kind.rawValue) ls \(address.domain)")
    }
}
