// Whether what is searched by is in step with what is shown: the folded keys of addresses and logins, and the words of
// full names. The commands keep them so; whoever writes with SQL can't fold.

import GRDB
import MailAddress
import MailboxDirectory

struct NameIndexCheck {
    let view: StoreView
    let path: String
    let progress: (_ done: Int, _ total: Int?) -> Void

    private static let entries = """
        SELECT e.kind, e.key, e.local_part, d.key, d.name, e.full_name, e.login_key, e.login, e.domain_id
        FROM entry e CROSS JOIN domain d ON d.id = e.domain_id
        """

    func examine(_ list: inout FindingList) throws {
        let total = try Int.fetchOne(view.database, sql: "SELECT count(*) FROM entry")
        let rows = try view.statement(Self.entries)
        let index = try view.statement("SELECT 1 FROM name WHERE word = ?1 AND key = ?2 AND domain_id = ?3")
        defer {
            rows.reset()
            index.reset()
        }
        var (done, words) = (0, 0)
        while try rows.step() {
            done += 1
            if done.isMultiple(of: 1024) { progress(done, total) }
            guard let key = rows.octets(1), let domainKey = rows.octets(3) else { continue }
            let shown = Mailbox(
                localPart: LocalPart(stored: rows.octets(2) ?? key, key: key),
                domain: Domain(stored: rows.octets(4) ?? domainKey, key: domainKey))
            checkKeys(rows, key, shown, &list)
            guard rows.text(0)?.first == UInt8(ascii: "u") else { continue }
            guard let name = String(validating: rows.octets(5) ?? [], as: UTF8.self) else {
                list.add(
                    Finding(
                        .error, .directory, "the full name of \(shown) is not UTF-8",
                        advice: "addressee user set \(shown) --name NAME"),
                    topic: "names that are not UTF-8")
                continue
            }
            var isComplete = true
            for word in NameFolding.keys(ofFullName: name) {
                words += 1
                index.bind(1, word)
                index.bind(2, key)
                index.bind(3, rows.int(8))
                if try !index.step() { isComplete = false }
                index.reset()
            }
            if !isComplete { addMissing(name, of: shown, &list) }
        }
        try examineRest(expected: words, &list)
    }

    private func checkKeys(_ row: PreparedStatement, _ key: [UInt8], _ shown: Mailbox, _ list: inout FindingList) {
        let spelled = row.octets(2) ?? key
        if (try? LocalPart(octets: spelled))?.key != key {
            list.add(
                Finding(
                    .error, .directory, "\(shown) is kept under the key \"\(text(key))\", which is not its folded form",
                    advice: "remove the row with sqlite3, and add the record with addressee"),
                topic: "addresses that nobody finds")
        }
        if let loginKey = row.octets(6), NameFolding.fold(row.octets(7) ?? loginKey) != loginKey {
            list.add(
                Finding(
                    .error, .directory,
                    "the login of \(shown) is kept under the key \"\(text(loginKey))\", which is not its folded form",
                    advice: "addressee user set \(shown) --login LOGIN"),
                topic: "logins that nobody finds")
        }
    }

    private func addMissing(_ name: String, of address: Mailbox, _ list: inout FindingList) {
        list.add(
            Finding(
                .error, .directory, "\(address) is not found by every word of its full name, \"\(name)\"",
                advice: "addressee user set \(address) --name \"\(name)\""),
            topic: "users who are not found by their names")
    }

    /// Words that are no user's. Looked for only when there are more rows than there should be.
    private func examineRest(expected: Int, _ list: inout FindingList) throws {
        let count = try Int.fetchOne(view.database, sql: "SELECT count(*) FROM name") ?? 0
        if count <= expected { return }
        let rows = try view.statement(
            """
            SELECT n.word, n.key, e.full_name, d.key FROM name n
            LEFT JOIN entry e ON e.key = n.key AND e.domain_id = n.domain_id AND e.kind = 'user'
            LEFT JOIN domain d ON d.id = n.domain_id
            """)
        defer { rows.reset() }
        var left = 0
        while try rows.step() {
            guard let word = rows.octets(0) else { continue }
            if rows.isNull(2) {
                left += 1
                continue
            }
            let name = rows.octets(2).flatMap { String(validating: $0, as: UTF8.self) } ?? ""
            if NameFolding.keys(ofFullName: name).contains(word) { continue }
            let address = "\(text(rows.octets(1) ?? []))@\(text(rows.octets(3) ?? []))"
            list.add(
                Finding(
                    .error, .directory,
                    "\(address) is found by \"\(text(word))\", which is not in its full name, \"\(name)\"",
                    advice: "remove that row of the table \"name\" with: sqlite3 \(path)"),
                topic: "users who are found by another's name")
        }
        if left > 0 {
            list.add(
                Finding(
                    .note, .directory, "the table \"name\" has \(left) rows of users who are gone; they are passed over"
                ))
        }
    }

    private func text(_ octets: [UInt8]) -> String { String(decoding: octets, as: UTF8.self) }
}
