// What a walk starts from, and what for.

public import MailAddress

/// What somebody asks about.
public enum Question: Hashable, Sendable {
    /// A full address.
    case address(Mailbox)
    /// `<postmaster>` with no domain (RFC 5321 4.5.1).
    case postmaster
    /// A bare name: a local-part, a login, a full name or a word of one; octets with any quoting undone.
    case name([UInt8])
}

/// How far a walk goes.
public enum Purpose: Hashable, Sendable {
    /// VRFY: a list is an answer in itself and is not opened.
    case verify
    /// RCPT: a list has to reach somebody. It is opened, and left again as soon as one mailbox is found that takes mail:
    /// whatever else is on it changes nothing of the answer.
    case recipient
    /// EXPN: lists are opened where the viewer may see their members; a member's own forward is left alone.
    case expand(ExpansionViewer)
    /// Every final recipient: lists are opened and forwards followed.
    case resolve
    /// How the domain of an address is served, and nothing of what stands at the address.
    case domain
}

/// Who asks for the members of a list.
public enum ExpansionViewer: Hashable, Sendable {
    case administrator
    case trusted
    case anyone

    func maySee(_ access: ExpansionAccess) -> Bool {
        switch self {
        case .administrator: true
        case .trusted: access != .nobody
        case .anyone: access == .anyone
        }
    }
}
