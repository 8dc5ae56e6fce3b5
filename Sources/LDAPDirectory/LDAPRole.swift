// What an attribute can mean to a mailbox directory.

import MailboxDirectory

/// A role that attributes play. A preset names them; a configuration may name others.
public enum LDAPRole: String, Hashable, Sendable, CaseIterable {
    /// The addresses of whoever stands there; the first is the canonical one.
    case address
    /// Further addresses of the same.
    case aliasAddress = "alias-address"
    /// A local-part, in each of the source's configured domains.
    case localPart = "local-part"
    case login
    /// Names for people; the first that has a value is shown, and a bare name is looked for in all.
    case fullName = "full-name"
    /// Where mail is redirected to.
    case forwardTarget = "forward-target"
    /// The same as the distinguished name of an entry that has an address.
    case forwardTargetDN = "forward-target-dn"
    /// Whether a redirected mailbox keeps a copy.
    case keepCopy = "keep-copy"
    /// How a forward is answered for.
    case reply
    case status
    /// The new address of a user who has gone.
    case newAddress = "new-address"
    case aliasTarget = "alias-target"
    case memberAddress = "member-address"
    case memberDN = "member-dn"
    case memberUID = "member-uid"
    /// A search whose results are members (RFC 4516).
    case memberURL = "member-url"
    /// The lists that a user is in, by their addresses: a list is then whatever somebody is in.
    case memberOf = "member-of"
    case owner
    /// Who may see a list's members by EXPN.
    case expansion
    case title
    case domainName = "domain-name"
    case domainKind = "domain-kind"
    case domainTarget = "domain-target"
    case catchAll = "catch-all"
    case detailSeparators = "detail-separators"
    /// How mail servers that ask are to deliver the mail of a domain.
    case transport

    /// Whether records of this kind have such a thing: for others its attributes are never read.
    func isOf(_ kind: RecordKind) -> Bool {
        switch self {
        case .address, .aliasAddress, .localPart, .fullName, .memberOf: kind != .domain
        case .login, .status: kind == .user
        case .forwardTarget, .forwardTargetDN, .keepCopy, .reply: kind == .user || kind == .forward
        case .newAddress: kind == .moved
        case .aliasTarget: kind == .alias
        case .memberAddress, .memberDN, .memberUID, .memberURL, .owner, .expansion, .title: kind == .list
        case .domainName, .domainKind, .domainTarget, .catchAll, .detailSeparators, .transport: kind == .domain
        }
    }

    /// The roles that say who is in a list, of whose attributes there may be very many values.
    static let members: [LDAPRole] = [.memberAddress, .memberDN, .memberUID, .memberURL]
}
