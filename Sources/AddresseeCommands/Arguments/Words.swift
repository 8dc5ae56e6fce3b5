// The closed sets of words that options take, in the words of the directory.

public import ArgumentParser
public import MailboxDirectory
public import Verification

extension AccountStatus: ExpressibleByArgument {}
extension ExpansionAccess: ExpressibleByArgument {}
extension ForwardReply: ExpressibleByArgument {}
extension DirectoryMap: ExpressibleByArgument {}
extension ConflictWord: ExpressibleByArgument {}

/// The kinds of domain that `--kind` names; the third, an alias, needs its target and is `--alias-of`.
enum DomainKindWord: String, CaseIterable, ExpressibleByArgument {
    case local
    case relay

    var kind: DomainKind {
        switch self {
        case .local: .local
        case .relay: .relay
        }
    }
}
