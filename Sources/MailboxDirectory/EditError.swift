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
    /// One line: what is wrong, and what to do through the editor. A program that writes in other words of its own, as the
    /// command line does, puts them after `fault`.
    public var description: String { remedy.isEmpty ? fault : "\(fault); \(remedy)" }

    /// What is wrong, without a full stop. What a store refuses for a reason of its own says here what to do, too.
    public var fault: String {
        switch self {
        case .addressTaken(let address, let kind):
            "\(address) is \(kind.withArticle) already"
        case .addressTakenElsewhere(let address, let kind, let source):
            "\(address) is \(kind.withArticle) in the source \(source) already"
        case .domainTaken(let domain): "the domain \(domain) is on record already"
        case .loginTaken(let login): "the login \(login) belongs to another user already"
        case .noSuchDomain(let domain), .noAliasedDomain(let domain): "the domain \(domain) is not on record"
        case .notFound(let kind, let name): "there is no \(kind.rawValue) \(name)"
        case .pointsToItself(let address): "\(address) would point to itself"
        case .cycle(let path): "this would make a loop: \(path.arrows)"
        case .tooDeep(let kind, let path): "this would pass the limit on \(kind.rawValue): \(path.arrows)"
        case .dangling(let target): "nobody is at \(target)"
        case .noMailboxToCopy(let address): "there is no mailbox at \(address) to keep a copy in"
        case .noTargets(let kind, let address): "the \(kind.rawValue) \(address) has no target"
        case .repeated(let address): "\(address) is given twice"
        case .aliasOfAlias(let domain, let target): "\(domain) is an alias of \(target) itself"
        case .pointedTo(let name, let references, let more):
            "\(name) is still pointed to by \(references.listed(more: more))"
        case .notEmpty(let domain, let references, _) where references.isEmpty:
            "the domain \(domain) is still in use"
        case .notEmpty(let domain, let references, let more):
            "the domain \(domain) is still used by \(references.listed(more: more))"
        case .noPlace(let what, let preset, _): "the preset \(preset) has no place for \(what)"
        case .unsuitable(let reason): reason
        case .couldNotTell(let trouble): "the directory could not tell: \(trouble.reason)"
        }
    }

    /// What to do about it through the editor, without a full stop; empty where `fault` says all.
    public var remedy: String {
        switch self {
        case .addressTaken: "one address is one thing: change that record, or remove it first"
        case .addressTakenElsewhere: "choose another address"
        case .domainTaken: "change its record instead"
        case .loginTaken: "choose another"
        case .noSuchDomain: "add it first"
        case .noAliasedDomain: "add it before its alias"
        case .notFound, .unsuitable: ""
        case .pointsToItself: "leave that target out"
        case .cycle: "leave out one of these steps"
        case .tooDeep: "point closer to the mailbox"
        case .dangling: "add that first, correct it, or pass isForced: true to write it all the same"
        case .noMailboxToCopy: "add the user first, or keep no copy"
        case .noTargets: "it needs at least one"
        case .repeated: "once is enough"
        case .aliasOfAlias(_, let target): "make it an alias of \(target)"
        case .pointedTo: "change these first, or pass isForced: true to leave them dangling"
        case .notEmpty(_, let references, _) where references.isEmpty:
            "remove or change what stands in it or points into it first"
        case .notEmpty: "remove or change these first"
        case .noPlace(_, _, let others):
            others.isEmpty ? "no preset has" : "these have: \(others.joined(separator: ", "))"
        case .couldNotTell: "try again"
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
