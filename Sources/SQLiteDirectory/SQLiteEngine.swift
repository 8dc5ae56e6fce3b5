// What is set for SQLite once in a process, before anything else of it is used.

import CSQLiteSettings

enum SQLiteEngine {
    /// Event loops with a connection each would contend for the one lock of SQLite's memory statistics. Where SQLite is in
    /// use already, as in a program that embeds a directory, this does nothing, and all works as well, if slower.
    private static let isSetUp = sqlite_settings_without_memory_statistics()

    static func setUp() { _ = isSetUp }
}
