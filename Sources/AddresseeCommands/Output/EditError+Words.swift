// Why a change is refused, in the words of the command line: commands and options, where the editor names its own parameters.

import MailboxDirectory

extension EditError {
    /// One line: what is wrong, and what to do.
    var line: String { advice.map { "\(fault); \($0)" } ?? description }

    /// What to do, where it is said in other words than the editor's.
    var advice: String? {
        switch self {
        case .addressTaken(let address, let kind):
            "one address is one thing: change it (addressee \(kind.rawValue) set \(address)) or remove it first (addressee"
                + " \(kind.rawValue) rm \(address))"
        case .domainTaken(let domain): "change it with: addressee domain set \(domain)"
        case .noSuchDomain(let domain): "add it first: addressee domain add \(domain)"
        case .noAliasedDomain(let domain): "add it before its alias: addressee domain add \(domain)"
        case .dangling: "add that first, correct it, or use --force to write it all the same"
        case .noMailboxToCopy: "add the user first, or leave out --keep-copy"
        case .noTargets: "give it at least one --to"
        case .aliasOfAlias(_, let target): "use --alias-of \(target)"
        case .pointedTo: "change these first, or use --force to leave them dangling"
        default: nil
        }
    }
}
