// A record's own address in another spelling.

import MailAddress
import MailboxDirectory

extension Record {
    /// The same record, the domain of its address spelled like this one, which is equal to it.
    func spelling(_ domain: Domain) -> Record {
        guard let address, address.domain == domain, address.domain.octets != domain.octets else { return self }
        let respelled = Mailbox(localPart: address.localPart, domain: domain)
        switch self {
        case .domain: return self
        case .user(var user):
            user.address = respelled
            return .user(user)
        case .alias(var alias):
            alias.address = respelled
            return .alias(alias)
        case .forward(var forward):
            forward.address = respelled
            return .forward(forward)
        case .moved(var moved):
            moved.address = respelled
            return .moved(moved)
        case .list(var list, let members):
            list.address = respelled
            return .list(list, members: members)
        }
    }
}
