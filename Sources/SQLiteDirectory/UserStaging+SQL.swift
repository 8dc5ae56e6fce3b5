// The statements of an import.

import MailboxDirectory

extension UserStaging {
    static let dropTables = "DROP TABLE IF EXISTS temp.staged_user; DROP TABLE IF EXISTS temp.staged_name"

    static let tables = """
        CREATE TEMP TABLE staged_user (
            number INTEGER PRIMARY KEY, key TEXT, domain_id INTEGER, local_part TEXT, status TEXT, full_name TEXT,
            login_key TEXT, login TEXT);
        CREATE TEMP TABLE staged_name (word TEXT, key TEXT, domain_id INTEGER);
        """

    /// A user joins a forward that is alone, and takes the place of a user where that is wanted. Where anything else
    /// stands, the kind becomes NULL, which the schema refuses.
    static func storeUsers(_ conflict: BulkConflict) -> String {
        func value(_ field: UserField, _ column: String) -> String {
            guard case .replace(let fields) = conflict, !fields.contains(field) else { return "excluded.\(column)" }
            return "iif(entry.kind = 'user', entry.\(column), excluded.\(column))"
        }
        return """
            INSERT INTO main.entry (key, domain_id, kind, local_part, status, full_name, login_key, login)
            SELECT key, domain_id, 'user', local_part, status, full_name, login_key, login
            FROM temp.staged_user WHERE true ORDER BY key, domain_id
            ON CONFLICT (key, domain_id) DO UPDATE SET kind = iif(entry.kind IN (\(conflict.joined)), 'user', NULL),
                local_part = excluded.local_part, status = \(value(.status, "status")),
                full_name = \(value(.fullName, "full_name")), login_key = \(value(.login, "login_key")),
                login = \(value(.login, "login"))
            """
    }

    static let storeNames = """
        INSERT OR IGNORE INTO main.name (word, key, domain_id)
        SELECT word, key, domain_id FROM temp.staged_name ORDER BY word, key, domain_id
        """

    /// Whether a row of another table is of a user on record.
    private static func isKnown(_ row: String) -> String {
        """
        EXISTS (SELECT 1 FROM main.entry k
            WHERE k.key = \(row).key AND k.domain_id = \(row).domain_id AND k.kind = 'user')
        """
    }

    static let leaveOutUsers = "DELETE FROM temp.staged_user WHERE \(isKnown("staged_user"))"
    static let leaveOutNames = "DELETE FROM temp.staged_name WHERE \(isKnown("staged_name"))"

    static let indexStaged = "CREATE INDEX IF NOT EXISTS temp.staged_address ON staged_user (key, domain_id)"
    static let countKnown = "SELECT count(*) FROM temp.staged_user s WHERE \(isKnown("s"))"

    /// Before the new ones are written, so that two users can swap theirs.
    static let clearLogins = """
        UPDATE main.entry SET login_key = NULL, login = NULL
        WHERE kind = 'user' AND (key, domain_id) IN (SELECT key, domain_id FROM temp.staged_user)
        """

    static let knownNames = """
        SELECT e.key, e.domain_id, e.full_name FROM temp.staged_user s
        CROSS JOIN main.entry e ON e.key = s.key AND e.domain_id = s.domain_id
        WHERE e.kind = 'user' AND e.full_name IS NOT NULL
        """

    /// Addresses where something else stands, or that come twice. The time that it takes does not matter: on the way out
    /// after an error, or where users on record are wanted.
    static func takenAddresses(_ conflict: BulkConflict) -> String {
        """
        SELECT s.number, s.key, s.local_part, d.key, d.name, s.kind FROM (
            SELECT number, key, domain_id, local_part, CASE WHEN earlier THEN 'user' ELSE kind END AS kind FROM (
                SELECT s.*, row_number() OVER (PARTITION BY s.key, s.domain_id ORDER BY s.number) > 1 AS earlier,
                    e.kind AS kind
                FROM temp.staged_user s LEFT JOIN main.entry e ON e.key = s.key AND e.domain_id = s.domain_id)
            WHERE earlier OR kind NOT IN (\(conflict.joined))) s
        JOIN main.domain d ON d.id = s.domain_id ORDER BY s.number
        """
    }

    /// Logins that somebody else has, or that come twice.
    static func takenLogins(_ conflict: BulkConflict) -> String {
        var (whoHas, whoWants) = ("", "")
        if case .replace(let fields) = conflict {
            if fields.contains(.login) {
                // Those give theirs up.
                whoHas = "AND (e.key, e.domain_id) NOT IN (SELECT key, domain_id FROM temp.staged_user)"
            } else {
                whoWants = "AND NOT \(isKnown("s"))"
            }
        }
        return """
            SELECT number, coalesce(login, login_key) FROM (
                SELECT s.number, s.login, s.login_key,
                    row_number() OVER (PARTITION BY s.login_key ORDER BY s.number) > 1
                        OR EXISTS (SELECT 1 FROM main.entry e WHERE e.login_key = s.login_key \(whoHas)) AS taken
                FROM temp.staged_user s WHERE s.login_key IS NOT NULL \(whoWants))
            WHERE taken ORDER BY number
            """
    }
}

extension BulkConflict {
    /// The kinds of entries that a user of the import may join or replace, for SQL.
    fileprivate var joined: String { self == .refuse ? "'forward'" : "'forward', 'user'" }
}
