// Why a change to the directory is refused, and what to do about it.

public import MailAddress

/// A refused change. Nothing was written.
public enum EditError: Error, Hashable, Sendable {
    case addressTaken(Mailbox, by: RecordKind)
    /// Another source has something at the address.
    case addressTakenElsewhere(Mailbox, by: RecordKind, source: String)
    case domainTaken(Domain)
    case loginTaken(String)
    case noSuchDomain(Domain)
    case notFound(RecordKind, String)
    case pointsToItself(Mailbox)
    /// The path that would lead back to where it began.
    case cycle([Mailbox])
    /// The walk from the new record would pass a limit.
    case tooDeep(ExpansionLimits.Kind, [Mailbox])
    /// A target in a local domain that nobody has.
    case dangling(Mailbox)
    case noMailboxToCopy(Mailbox)
    case noTargets(RecordKind, Mailbox)
    case repeated(Mailbox)
    case aliasOfAlias(Domain, target: Domain)
    /// An alias domain's target is not on record.
    case noAliasedDomain(Domain)
    case pointedTo(String, by: [Reference], more: Bool)
    case notEmpty(Domain, [Reference], more: Bool)
    /// The schema of the directory can't hold it; the schemas that can.
    case noPlace(String, preset: String, others: [String])
    case unsuitable(String)
    case couldNotTell(Trouble)
}

extension EditError {
    /// The reason that a person is given for what a store throws.
    public init(_ error: StoreError) {
        switch error {
        case .addressTaken(let address, let kind): self = .addressTaken(address, by: kind)
        case .domainTaken(let domain): self = .domainTaken(domain)
        case .loginTaken(let login): self = .loginTaken(login)
        case .noSuchDomain(let domain): self = .noSuchDomain(domain)
        case .notFound(let kind, let name): self = .notFound(kind, name)
        case .notEmpty(let domain): self = .notEmpty(domain, [], more: true)
        case .noPlace(let what, let preset, let others): self = .noPlace(what, preset: preset, others: others)
        case .refused(let reason): self = .unsuitable(reason)
        case .trouble(let trouble): self = .couldNotTell(trouble)
        }
    }
}

extension EditError: CustomStringConvertible {
    /// One line: what is wrong, and what to do.
    public var description: String {
        switch self {
        case .addressTaken(let address, let kind):
            return "\(address) is \(kind.withArticle) already; one address is one thing: change it (addressee"
                + " \(kind.rawValue) set \(address)) or remove it first (addressee \(kind.rawValue) rm \(address))"
        case .addressTakenElsewhere(let address, let kind, let source):
            return "\(address) is \(kind.withArticle) in the source \(source) already; choose another address"
        case .domainTaken(let domain):
            return "the domain \(domain) is on record already; change it with: addressee domain set \(domain)"
        case .loginTaken(let login): return "the login \(login) belongs to another user already; choose another"
        case .noSuchDomain(let domain):
            return "the domain \(domain) is not on record; add it first: addressee domain add \(domain)"
        case .notFound(let kind, let name): return "there is no \(kind.rawValue) \(name)"
        case .pointsToItself(let address): return "\(address) would point to itself; leave that target out"
        case .cycle(let path):
            return "this would make a loop: \(path.arrows); leave out one of these steps"
        case .tooDeep(let kind, let path):
            return "this would pass the limit on \(kind.rawValue): \(path.arrows); point closer to the mailbox"
        case .dangling(let target):
            return "nobody is at \(target); add that first, correct it, or use --force to write it all the same"
        case .noMailboxToCopy(let address):
            return "there is no mailbox at \(address) to keep a copy in; add the user first, or leave out --keep-copy"
        case .noTargets(let kind, let address): return "the \(kind.rawValue) \(address) needs at least one --to"
        case .repeated(let address): return "\(address) is given twice; once is enough"
        case .aliasOfAlias(let domain, let target):
            return "\(domain) is an alias of \(target) itself; use --alias-of \(target)"
        case .noAliasedDomain(let domain):
            return "the domain \(domain) is not on record; add it before its alias: addressee domain add \(domain)"
        case .pointedTo(let name, let references, let more):
            return "\(name) is still pointed to by \(references.listed(more: more));"
                + " change these first, or use --force to leave them dangling"
        case .notEmpty(let domain, let references, _) where references.isEmpty:
            return "the domain \(domain) is still in use; remove or change what stands in it or points into it first"
        case .notEmpty(let domain, let references, let more):
            return
                "the domain \(domain) is still used by \(references.listed(more: more)); remove or change these first"
        case .noPlace(let what, let preset, let others):
            return "the preset \(preset) has no place for \(what); "
                + (others.isEmpty ? "no preset has" : "these have: \(others.joined(separator: ", "))")
        case .unsuitable(let reason): return reason
        case .couldNotTell(let trouble): return "the directory could not tell: \(trouble.reason); try again"
        }
    }
}

extension RecordKind {
    /// `an alias`, `a user`, and for a relocated user, `a moved address`.
    public var withArticle: String {
        switch self {
        case .alias: "an alias"
        case .moved: "a moved address"
        case .domain, .user, .forward, .list: "a \(rawValue)"
        }
    }
}

extension [Mailbox] {
    /// The path as people write it: `a -> b -> a`.
    public var arrows: String { map(\.description).joined(separator: " -> ") }
}

extension [Reference] {
    fileprivate func listed(more: Bool) -> String {
        var names: [String] = []
        // A list's owner may be a member of it too.
        for reference in self where !names.contains(reference.description) { names.append(reference.description) }
        return names.sorted().joined(separator: ", ") + (more ? " and others" : "")
    }
}
