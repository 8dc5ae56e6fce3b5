// How long the server waits.

/// How long the server waits.
public struct Timeouts: Hashable, Sendable {
    /// For the next command; RFC 5321 4.5.3.2.7 asks for 5 minutes at least, where no load demands less.
    public var idle: Duration
    /// For a client that does not read its replies.
    public var write: Duration
    /// For the questions that were asked before the server was told to stop.
    public var shutdown: Duration

    public init(idle: Duration = .seconds(300), write: Duration = .seconds(60), shutdown: Duration = .seconds(10)) {
        self.idle = idle
        self.write = write
        self.shutdown = shutdown
    }
}

extension Timeouts {
    /// Reads `timeouts`.
    static func read(from root: inout Section) -> Timeouts {
        var timeouts = Timeouts()
        guard var section = root.section("timeouts") else { return timeouts }
        let (second, hour) = (Duration.seconds(1), Duration.seconds(3600))
        if let value = section.setting("idle")?.duration(in: second...(hour * 24)) { timeouts.idle = value }
        if let value = section.setting("write")?.duration(in: second...hour) { timeouts.write = value }
        if let value = section.setting("shutdown")?.duration(in: second...hour) { timeouts.shutdown = value }
        section.close()
        return timeouts
    }
}
