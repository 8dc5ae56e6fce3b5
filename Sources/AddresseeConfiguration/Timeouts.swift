// How long the server waits.

/// How long the server waits.
public struct Timeouts: Hashable, Sendable {
    /// For the next command; RFC 5321 4.5.3.2.7 asks for 5 minutes at least, where no load demands less.
    public var idle: Duration
    /// For a client that takes nothing of its replies all that time.
    public var write: Duration
    /// For the questions that were asked before the server was told to stop.
    public var shutdown: Duration
    /// For what is asked of next hops.
    public var nextHop = NextHop()

    /// How long a next hop may take; the defaults are those of RFC 5321 4.5.3.2, but for the connection, whose time it
    /// leaves open.
    public struct NextHop: Hashable, Sendable {
        /// For the connection, and for the TLS handshake.
        public var connect = Duration.seconds(30)
        /// For the greeting and for each reply, to MAIL and RCPT above all (4.5.3.2.1 to 4.5.3.2.3).
        public var reply = Duration.seconds(300)
        /// For the reply to DATA (4.5.3.2.4).
        public var data = Duration.seconds(120)
        /// For it to take more of a message (4.5.3.2.5).
        public var block = Duration.seconds(180)
        /// For the reply to the end of a message (4.5.3.2.6).
        public var end = Duration.seconds(600)

        public init() {}
    }

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
        let hop: [(String, WritableKeyPath<Timeouts.NextHop, Duration>)] = [
            ("next-hop-connect", \.connect), ("next-hop-reply", \.reply), ("next-hop-data", \.data),
            ("next-hop-block", \.block), ("next-hop-end", \.end),
        ]
        for (key, path) in hop {
            if let value = section.setting(key)?.duration(in: second...hour) { timeouts.nextHop[keyPath: path] = value }
        }
        section.close()
        return timeouts
    }
}
