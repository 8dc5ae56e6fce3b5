// The statements of an import.

extension UserImport {
    static let dropTables = "DROP TABLE IF EXISTS temp.staged_user; DROP TABLE IF EXISTS temp.staged_name"

    static let tables = """
        CREATE TEMP TABLE staged_user (
            number INTEGER PRIMARY KEY, key TEXT, domain_id INTEGER, local_part TEXT, status TEXT, full_name TEXT,
            login_key TEXT, login TEXT);
        CREATE TEMP TABLE staged_name (word TEXT, key TEXT, domain_id INTEGER);
        """

    /// A user joins a forward that is alone. Where anything else stands, the kind becomes NULL, which the schema refuses.
    static let storeUsers = """
        INSERT INTO main.entry (key, domain_id, kind, local_part, status, full_name, login_key, login)
        SELECT key, domain_id, 'user', local_part, status, full_name, login_key, login
        FROM temp.staged_user WHERE true ORDER BY key, domain_id
        ON CONFLICT (key, domain_id) DO UPDATE SET kind = iif(entry.kind = 'forward', 'user', NULL),
            local_part = excluded.local_part, status = excluded.status, full_name = excluded.full_name,
            login_key = excluded.login_key, login = excluded.login
        """

    static let storeNames = """
        INSERT OR IGNORE INTO main.name (word, key, domain_id)
        SELECT word, key, domain_id FROM temp.staged_name ORDER BY word, key, domain_id
        """

    // On the way out after an error, when the time it takes does not matter.
    static let takenAddresses = """
        SELECT s.number, s.key, s.local_part, d.key, d.name, s.kind FROM (
            SELECT number, key, domain_id, local_part, CASE WHEN earlier THEN 'user' ELSE kind END AS kind FROM (
                SELECT s.*, row_number() OVER (PARTITION BY s.key, s.domain_id ORDER BY s.number) > 1 AS earlier,
                    e.kind AS kind
                FROM temp.staged_user s LEFT JOIN main.entry e ON e.key = s.key AND e.domain_id = s.domain_id)
            WHERE earlier OR kind <> 'forward') s
        JOIN main.domain d ON d.id = s.domain_id ORDER BY s.number LIMIT 1
        """

    static let takenLogins = """
        SELECT number, coalesce(login, login_key) FROM (
            SELECT s.number, s.login, s.login_key,
                row_number() OVER (PARTITION BY s.login_key ORDER BY s.number) > 1
                    OR EXISTS (SELECT 1 FROM main.entry e WHERE e.login_key = s.login_key) AS taken
            FROM temp.staged_user s WHERE s.login_key IS NOT NULL)
        WHERE taken ORDER BY number LIMIT 1
        """
}
