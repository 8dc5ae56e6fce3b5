// The levels of the log; their names are those of swift-log, less `critical`, which nobody sets.

/// The least that the log takes.
public enum LogLevel: String, Hashable, Sendable, CaseIterable {
    case trace
    case debug
    case info
    case notice
    case warning
    case error
}

extension LogLevel {
    /// Reads `log`.
    static func read(from root: inout Section) -> LogLevel {
        guard var section = root.section("log") else { return .info }
        let level = section.setting("level")?.choice(of: LogLevel.self)
        section.close()
        return level ?? .info
    }
}
