// Who may learn what (RFC 5321 7.3, 7.4).

/// What VRFY tells.
public enum VRFYDisclosure: String, Hashable, Sendable, CaseIterable {
    /// Names, forwards, new addresses and possibilities.
    case full
    /// Only whether the mailbox is here.
    case existence
    /// 252 to whatever is asked.
    case closed
}

/// What EXPN tells.
public enum EXPNDisclosure: String, Hashable, Sendable, CaseIterable {
    case full
    /// 252 to whatever is asked.
    case closed
}

/// What RCPT tells.
public enum RCPTDisclosure: String, Hashable, Sendable, CaseIterable {
    /// 251 and 551 with the other address.
    case full
    /// 250 and 550 instead.
    case existence
}

/// What a client may learn, command by command.
public struct Disclosure: Hashable, Sendable {
    public var vrfy: VRFYDisclosure
    public var expn: EXPNDisclosure
    public var rcpt: RCPTDisclosure

    public init(vrfy: VRFYDisclosure, expn: EXPNDisclosure, rcpt: RCPTDisclosure) {
        self.vrfy = vrfy
        self.expn = expn
        self.rcpt = rcpt
    }

    /// Everything: for clients on this machine, unless the configuration says otherwise.
    public static let full = Disclosure(vrfy: .full, expn: .full, rcpt: .full)
    /// Whether a recipient exists, by RCPT only: for everyone else.
    public static let least = Disclosure(vrfy: .closed, expn: .closed, rcpt: .existence)

    /// What may be told to both: to the one who asks, and to the one whom it is passed on to.
    public func limited(to other: Disclosure) -> Disclosure {
        Disclosure(
            vrfy: vrfy == .closed || other.vrfy == .closed
                ? .closed : vrfy == .existence || other.vrfy == .existence ? .existence : .full,
            expn: expn == .closed ? .closed : other.expn,
            rcpt: rcpt == .existence ? .existence : other.rcpt)
    }
}
