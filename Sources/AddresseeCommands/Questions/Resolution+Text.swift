// A walk in words, for the administrator.

import MailAddress
import MailboxDirectory

extension TraceStep {
    /// One line, indented by depth: what was found, where, and in which source.
    var text: String {
        var line = String(repeating: "  ", count: depth)
        if let address = address?.description, !reason.contains(address) { line += "\(address): " }
        line += reason
        if let source { line += " [\(source)]" }
        return line
    }
}

extension Recipient {
    /// One line under the trace.
    var text: String {
        let name = name.isEmpty ? "<\(mailbox)>" : "\(name) <\(mailbox)>"
        let detail = detail.isEmpty ? "" : ", detail \(String(decoding: detail, as: UTF8.self).quoted)"
        return "=> \(name)" + (kind.remark.map { ", \($0)" } ?? "") + detail
    }
}

extension Recipient.Kind {
    /// `user`, `full`, `list`, `postmaster`, `elsewhere` or `relay`.
    var word: String {
        switch self {
        case .user(.full): "full"
        case .user: "user"
        case .list: "list"
        case .postmaster: "postmaster"
        case .elsewhere: "elsewhere"
        case .relay: "relay"
        }
    }

    fileprivate var remark: String? {
        switch self {
        case .user(.full): "which has no room now"
        case .user, .list: nil
        case .postmaster: "by rule"
        case .elsewhere: "elsewhere"
        case .relay: "in a relay domain"
        }
    }
}

extension Failure.Reason {
    /// A word with stable spelling.
    var word: String {
        switch self {
        case .unknown: "unknown"
        case .notServed: "not-served"
        case .disabled: "disabled"
        case .suspended: "suspended"
        case .moved: "moved"
        }
    }
}

extension Failure {
    /// One line for standard error.
    /// - Parameter nearest: the domain on record that was probably meant.
    fileprivate func text(isAsked: Bool, nearest: (Domain) -> String?) -> String {
        switch reason {
        case .unknown where isAsked: "nobody is at \(mailbox); see who is: addressee user ls \(mailbox.domain)"
        case .unknown: "nobody is at \(mailbox), where this leads; add it, or correct what leads there"
        case .notServed:
            "the domain of \(mailbox) is not served here; "
                + (nearest(mailbox.domain).map { "did you mean \($0)? If not, " } ?? "") + "see: addressee domain ls"
        case .disabled: "\(mailbox) is disabled; to open it again: addressee user set \(mailbox) --status active"
        case .suspended: "\(mailbox) is suspended; to open it again: addressee user set \(mailbox) --status active"
        case .moved(let to?): "\(mailbox) has moved to \(to); mail for it is refused"
        case .moved(nil): "\(mailbox) has moved, nobody knows where; mail for it is refused"
        }
    }
}

extension Resolution {
    /// What is wrong, a line each, for standard error.
    /// - Parameter nearest: the domain on record that was probably meant by this one.
    func complaints(of asked: String, nearest: (Domain) -> String? = { _ in nil }) -> [String] {
        switch outcome {
        case .answered:
            if chain.isEmpty, recipients.isEmpty, !asked.contains("@") {
                return ["\(asked.quoted) is nobody's address, login or name here; see who is here: addressee user ls"]
            }
            if recipients.isEmpty, failures.isEmpty {
                return ["the list has no members; addressee list join adds some"]
            }
            return failures.map { $0.text(isAsked: $0.mailbox == self.asked, nearest: nearest) }
        case .ambiguous(let entries, let complete):
            let names = entries.map { $0.displayName.isEmpty ? "\($0.address)" : "\($0.displayName) <\($0.address)>" }
            let list = names.joined(separator: ", ") + (complete ? "" : " and others")
            return ["\(asked.quoted) may be \(list); ask for one of these"]
        case .couldNotTell, .loop, .limit: return [outcome.trouble ?? ""]
        }
    }
}
