// The verdict as an OpenSMTPD alias (aliases(5)): addresses, the user who is delivered to, or an error with code and text.
// What OpenSMTPD would take for a command, a file or an include is never said, whatever a directory holds.

import LookupProtocols
import MailAddress
import MailboxDirectory
import SMTPProtocol

extension Judgement {
    /// What is said of an address in a table of virtual users.
    enum Targets {
        case value([UInt8])
        /// The address is none that this server has to know.
        case absent
        /// It can't be told, or not said so that OpenSMTPD would take it.
        case trouble([UInt8])
    }

    /// The targets. Every address in a local domain is answered, with an error where RCPT refuses it: so OpenSMTPD says
    /// that, and asks for no other key.
    ///
    /// DEVIATION: a full mailbox is delivered to, where RCPT says 452, and a list is left to its other members when one is
    /// suspended. OpenSMTPD asks for each target again, and refuses the mail to all of them for one that is refused. Tests:
    /// TargetsTests.
    func targets(on resolution: Resolution, asked: Mailbox, user: String?) -> Targets {
        guard case .answered = resolution.outcome else { return .trouble(Self.line(verdict(on: resolution))) }
        var verdict = verdict(on: resolution)
        if case .full(let mailbox) = verdict { verdict = .verified(mailbox) }
        switch verdict {
        case .notServed: return .absent
        case .couldNotTell, .loop: return .trouble(Self.line(verdict))
        // Relay domains are for another rule of OpenSMTPD's; what leads there is on record.
        case .notVerifiable where resolution.chain.isEmpty && resolution.step.isEmpty: return .absent
        // `error:CODE TEXT`, as `alias_is_error` in to.c wants it.
        case _ where !verdict.isPositive: return .value(Array("error:".utf8) + Self.escaped(Self.line(verdict)))
        default: break
        }
        switch redirection(resolution, verdict, asked) {
        case .refused(.temporary(let text)): return .trouble(text)
        case .refused: return .trouble(Self.line(verdict))
        case .none: return join([resolution.recipients.first.map { Self.user($0, user) } ?? .absent])
        case .targets(let mailboxes):
            return join(
                mailboxes.map { target in
                    // The address itself would be asked for again, and dropped: the copy that is kept is the user's.
                    guard target == asked, let own = resolution.recipients.first(where: { $0.address == target })
                    else { return Self.address(target) }
                    return Self.user(own, user)
                })
        }
    }

    private static func line(_ verdict: Verdict) -> [UInt8] {
        Array((verdict.reply(on: .recipient, form: .enhanced).lines(withEnhancedCode: true).first ?? "").utf8)
    }

    /// All of them, with "," between; no value where one can't be said.
    private func join(_ targets: [Targets]) -> Targets {
        var value: [UInt8] = []
        for target in targets {
            guard case .value(let text) = target else { return target }
            if !value.isEmpty { value.append(UInt8(ascii: ",")) }
            value += text
        }
        return .value(value)
    }

    private static func user(_ recipient: Recipient, _ user: String?) -> Targets {
        guard let name = user ?? recipient.login else {
            return .trouble(Array("4.3.5 \(recipient.mailbox) has no login name; start with --user".utf8))
        }
        guard name.utf8.isOpenSMTPDUser else {
            return .trouble(
                Array("4.3.5 The login name of \(recipient.mailbox) is no OpenSMTPD user; start with --user".utf8))
        }
        return .value(Array(name.utf8))
    }

    /// The characters are those of `alias_is_address` in to.c. What begins with "|" or "/" is a command or a file to
    /// OpenSMTPD before it is an address.
    private static func address(_ mailbox: Mailbox) -> Targets {
        var octets: [UInt8] = []
        mailbox.append(to: &octets)
        let parts = octets.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, let first = octets.first, first != UInt8(ascii: "|"), first != UInt8(ascii: "/"),
            parts[0].allSatisfy({ $0.isAlphanumeric || "!#$%*/?|^{}`~&'+-=_.".utf8.contains($0) }),
            parts[1].allSatisfy({ $0.isAlphanumeric || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") })
        else { return .trouble(Array("4.3.5 OpenSMTPD takes no target such as \(mailbox)".utf8)) }
        return .value(escaped(octets))
    }

    /// With a backslash before what would quote or end a target (`expand_line_split` in expand.c).
    private static func escaped(_ text: some Sequence<UInt8>) -> [UInt8] {
        text.flatMap { "\\\"',".utf8.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
    }
}

extension String.UTF8View {
    /// Whether OpenSMTPD takes it for the name of a user (`alias_is_username` in to.c).
    public var isOpenSMTPDUser: Bool {
        !isEmpty && count < 256 && allSatisfy { $0.isAlphanumeric || "_.-+".utf8.contains($0) }
    }
}

extension UInt8 {
    var isAlphanumeric: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
