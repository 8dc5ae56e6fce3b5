// An entry as it is to be, and what has to be sent for that.

import MailAddress
import MailboxDirectory

/// An entry under change. What is not set stays as it is.
struct EntryDraft {
    /// As the server has it; without attributes for one that is to be made.
    let original: LDAPEntry
    private(set) var entry: LDAPEntry
    /// In the order in which they were first set.
    private var names: [AttributeName] = []

    init(_ original: LDAPEntry) {
        self.original = original
        entry = original
    }

    mutating func set(_ name: AttributeName, _ values: [[UInt8]]) {
        entry.attributes[name.key] = values.isEmpty ? nil : values
        if !names.contains(name) { names.append(name) }
    }

    /// Puts a value beside those that are there.
    mutating func add(_ name: AttributeName, _ value: [UInt8]) {
        if !entry.values(name).contains(value) { set(name, entry.values(name) + [value]) }
    }

    mutating func addClass(_ name: AttributeName) {
        if !entry.isOf([name]) { set("objectClass", entry.values("objectClass") + [Array(name.description.utf8)]) }
    }

    mutating func removeClasses(_ names: [AttributeName]) {
        let kept = entry.values("objectClass").filter { value in
            !names.contains { $0.key == String(decoding: value, as: UTF8.self).lowercased() }
        }
        if kept.count < entry.values("objectClass").count { set("objectClass", kept) }
    }

    /// By value: what somebody else has changed meanwhile is refused.
    var modifications: [LDAPModification] {
        original.modifications(to: names.map { ($0, entry.values($0)) })
    }
}

extension Mailbox {
    /// As spelled, with the least quoting.
    var spelling: [UInt8] {
        var octets: [UInt8] = []
        append(to: &octets)
        return octets
    }

    /// The spelling that all spellings have in common.
    var foldedSpelling: [UInt8] {
        Mailbox(
            localPart: LocalPart(stored: localPart.key, key: localPart.key),
            domain: Domain(stored: domain.key, key: domain.key)
        ).spelling
    }
}
