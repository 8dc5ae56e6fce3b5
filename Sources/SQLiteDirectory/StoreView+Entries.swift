// How each kind of record becomes rows.

import GRDB
import GRDBSQLite
import MailAddress
import MailboxDirectory

extension StoreView {
    /// Writes a record whose address is free for it; a forward into the row of a user and the other way round.
    func store(_ record: Record, at place: Place, _ address: Mailbox, isNew: Bool) throws {
        if case .user(let user) = record { try checkLogin(of: user, at: place) }
        if isNew {
            try run(
                "INSERT INTO entry (key, domain_id, kind, forward, expn) VALUES (?, ?, ?, ?, ?)",
                [
                    place.keyText, place.domainID, record.kind.rawValue,
                    record.kind == .forward ? ForwardReply.auto.rawValue : nil,
                    record.kind == .list ? ExpansionAccess.trusted.rawValue : nil,
                ])
        }
        try run(
            "UPDATE entry SET local_part = ? WHERE key = ? AND domain_id = ?",
            [Self.spelling(address.localPart.octets, key: place.key), place.keyText, place.domainID])
        switch record {
        case .domain: break
        case .user(let user): try store(user, at: place)
        case .alias(let alias): try point(place, .target, to: alias.targets)
        case .forward(let forward):
            try run(
                "UPDATE entry SET forward = ?, keep_copy = ? WHERE key = ? AND domain_id = ?",
                [forward.reply.rawValue, forward.keepsCopy, place.keyText, place.domainID])
            try point(place, .target, to: forward.targets)
        case .moved(let moved): try point(place, .newAddress, to: moved.newAddress.map { [$0] } ?? [])
        case .list(let list, let members):
            try run(
                "UPDATE entry SET full_name = ?, expn = ? WHERE key = ? AND domain_id = ?",
                [list.name.isEmpty ? nil : list.name, list.expansion.rawValue, place.keyText, place.domainID])
            try point(place, .owner, to: list.owner.map { [$0] } ?? [])
            for (position, member) in members.enumerated() {
                try point(place, .member, to: member.mailbox, name: member.name, position: position)
            }
        }
    }

    /// Takes away all that belongs to this kind of record, but for the row of the entry itself.
    func clear(_ kind: RecordKind, at place: Place) throws {
        if kind == .user {
            let row = try statement("SELECT full_name FROM entry WHERE key = ?1 AND domain_id = ?2")
            row.bind(1, place.key)
            row.bind(2, place.domainID)
            let name = try row.step() ? try row.string(0) : ""
            row.reset()
            for word in NameFolding.keys(ofFullName: name) {
                try run(
                    "DELETE FROM name WHERE word = ? AND key = ? AND domain_id = ?",
                    [String(decoding: word, as: UTF8.self), place.keyText, place.domainID])
            }
        } else {
            try run("DELETE FROM reference WHERE key = ? AND domain_id = ?", [place.keyText, place.domainID])
        }
    }

    private func store(_ user: User, at place: Place) throws {
        let login = LoginColumns(user.login)
        try run(
            """
            UPDATE entry SET kind = 'user', status = ?, full_name = ?, login_key = ?, login = ?
            WHERE key = ? AND domain_id = ?
            """,
            [
                user.status == .active ? nil : user.status.rawValue, user.fullName.isEmpty ? nil : user.fullName,
                login.key.map { String(decoding: $0, as: UTF8.self) },
                login.spelled.map { String(decoding: $0, as: UTF8.self) }, place.keyText, place.domainID,
            ])
        for word in NameFolding.keys(ofFullName: user.fullName) {
            // A row may be left from an entry that somebody removed with SQL.
            try run(
                "INSERT OR IGNORE INTO name (word, key, domain_id) VALUES (?, ?, ?)",
                [String(decoding: word, as: UTF8.self), place.keyText, place.domainID])
        }
    }

    private func checkLogin(of user: User, at place: Place) throws {
        guard let key = LoginColumns(user.login).key else { return }
        let row = try statement("SELECT key, domain_id FROM entry WHERE login_key = ?1")
        row.bind(1, key)
        defer { row.reset() }
        if try row.step(), row.octets(0) != place.key || row.int(1) != place.domainID {
            throw StoreError.loginTaken(user.login ?? "")
        }
    }

    private func point(_ place: Place, _ role: ReferenceRole, to mailboxes: [Mailbox]) throws {
        for (position, mailbox) in mailboxes.enumerated() {
            try point(place, role, to: mailbox, name: "", position: position)
        }
    }

    func point(_ place: Place, _ role: ReferenceRole, to mailbox: Mailbox, name: String, position: Int) throws {
        let (localPart, domain) = (mailbox.localPart, mailbox.domain)
        try run(
            """
            INSERT INTO reference
                (key, domain_id, role, position, to_key, to_local_part, to_domain_key, to_domain, name)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                place.keyText, place.domainID, role.rawValue, position,
                String(decoding: localPart.key, as: UTF8.self), Self.spelling(localPart.octets, key: localPart.key),
                String(decoding: domain.key, as: UTF8.self), Self.spelling(domain.octets, key: domain.key),
                name.isEmpty ? nil : name,
            ])
    }

    /// What is kept beside a key: nothing when it is the key.
    static func spelling(_ octets: [UInt8], key: [UInt8]) -> String? {
        octets == key ? nil : String(decoding: octets, as: UTF8.self)
    }
}

/// A login name as it is kept. An empty one is none.
struct LoginColumns {
    var key: [UInt8]?
    var spelled: [UInt8]?

    init(_ login: String?) {
        guard let login else { return }
        let octets = Array(login.utf8)
        let folded = NameFolding.fold(octets)
        guard !folded.isEmpty else { return }
        key = folded
        spelled = folded == octets ? nil : octets
    }
}
