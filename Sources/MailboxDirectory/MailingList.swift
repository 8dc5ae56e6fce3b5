// A list and its members.

public import MailAddress

/// Who may see a list's members by EXPN.
public enum ExpansionAccess: String, Hashable, Sendable, CaseIterable {
    /// Every client to whom EXPN is open.
    case anyone
    /// Clients of a trusted class only.
    case trusted
    /// No client; the administrator's own command line still does.
    case nobody
}

/// How the members of a list are known.
public enum ListMembership: Hashable, Sendable {
    /// By their addresses. Lists that hold each other are a fault.
    case addresses
    /// By the entries of a directory, where groups may hold each other: each is opened once.
    case entries
    /// To another server alone, as those whom a rule chooses. The list takes mail at its address, and is not opened here.
    case elsewhere
}

/// One member of a list: here, elsewhere, or another list.
public struct ListMember: Hashable, Sendable {
    public var mailbox: Mailbox
    /// The name shown when the mailbox itself has none on record; empty when there is none.
    public var name: String

    public init(mailbox: Mailbox, name: String = "") {
        self.mailbox = mailbox
        self.name = name
    }
}

/// A mailing list. Its members are looked up apart from it, for there may be very many.
public struct MailingList: Hashable, Sendable {
    public var address: Mailbox
    /// The list's title, for people; may be empty.
    public var name: String
    /// Who answers for the list.
    public var owner: Mailbox?
    public var expansion: ExpansionAccess
    public var membership: ListMembership

    public init(
        address: Mailbox, name: String = "", owner: Mailbox? = nil, expansion: ExpansionAccess = .trusted,
        membership: ListMembership = .addresses
    ) {
        self.address = address
        self.name = name
        self.owner = owner
        self.expansion = expansion
        self.membership = membership
    }
}
