// Every statement of the question path. None may scan: SchemaTests.noQuestionScans reads the plan of each.

enum QuestionSQL {
    /// The columns that `EntryRow` reads, in its order.
    static let entryColumns =
        "e.kind, e.local_part, e.status, e.forward, e.full_name, e.login_key, e.login, e.keep_copy, e.expn"
    /// And for an entry whose address is not known beforehand.
    static let addressColumns = "e.key, e.domain_id, d.key, d.name"

    static let dataVersion = "PRAGMA data_version"
    static let userVersion = "PRAGMA user_version"

    static let domain = """
        SELECT id, name, kind, target_key, target, catch_all_key, catch_all_local_part, catch_all_domain_key,
            catch_all_domain, detail_separators, transport
        FROM domain WHERE key = ?1
        """

    static let entry = "SELECT \(entryColumns) FROM entry e WHERE e.key = ?1 AND e.domain_id = ?2"

    static let references = """
        SELECT to_key, to_local_part, to_domain_key, to_domain, name FROM reference
        WHERE key = ?1 AND domain_id = ?2 AND role = ?3 ORDER BY position
        """

    /// Members, or targets, after one position: the columns of `references`, and the position.
    static let page = """
        SELECT to_key, to_local_part, to_domain_key, to_domain, name, position FROM reference
        WHERE key = ?1 AND domain_id = ?2 AND role = ?5 AND position > ?3 ORDER BY position LIMIT ?4
        """

    /// Whether a forward has this target.
    static let pointsTo = """
        SELECT 1 FROM reference
        WHERE to_domain_key = ?4 AND to_key = ?3 AND key = ?1 AND domain_id = ?2 AND role = 'target'
        """

    // Bare names are looked for in local domains only. Which they are stands in the domain, so those elsewhere are read
    // and passed over, `Questions.candidateLimit` of them at most. CROSS JOIN and LEFT JOIN keep SQLite from turning the
    // tables round. The column after those of the address: whether the row counts.
    static let byLocalPart = """
        SELECT \(entryColumns), \(addressColumns), d.kind = 'local' FROM entry e CROSS JOIN domain d ON d.id = e.domain_id
        WHERE e.key = ?1
        """

    static let byLogin = """
        SELECT \(entryColumns), \(addressColumns), d.kind = 'local' FROM entry e CROSS JOIN domain d ON d.id = e.domain_id
        WHERE e.login_key = ?1
        """

    static let byFullName = """
        SELECT \(entryColumns), \(addressColumns), e.kind = 'user' AND d.kind = 'local' FROM name n
        LEFT JOIN entry e ON e.key = n.key AND e.domain_id = n.domain_id
        LEFT JOIN domain d ON d.id = e.domain_id
        WHERE n.word = ?1
        """

    static let all = [domain, entry, references, page, pointsTo, byLocalPart, byLogin, byFullName]
}
