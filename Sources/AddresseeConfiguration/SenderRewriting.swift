// Who rewrites the senders of what is forwarded, and the recipients of what comes back (SRS).

/// Where senders are rewritten, by somebody else's maps.
public enum SenderRewriting: Hashable, Sendable {
    /// The maps `forward` and `reverse` of one server, as postsrsd 2 serves them.
    case socketmap(ServerAddress)
    /// A server each, as postsrsd 1 has them, over tcp_table(5).
    case tcpTables(forward: ServerAddress, reverse: ServerAddress)
}

extension SenderRewriting {
    /// Reads `srs`; nil when it is absent, or when something was wrong with it.
    static func read(from root: inout Section, hasNextHops: Bool) -> SenderRewriting? {
        guard let setting = root.setting("srs"), !setting.node.isNull, var section = setting.section() else {
            return nil
        }
        if !hasNextHops { setting.report("srs has no use without next-hops: nothing is forwarded") }
        let socketmap = section.setting("socketmap")
        let forward = section.setting("forward")
        let reverse = section.setting("reverse")
        defer { section.close() }
        if let socketmap {
            if let other = forward ?? reverse {
                other.report("\(other.name) has no use beside srs.socketmap, which has both maps")
            }
            return socketmap.server(such: "unix:/run/postsrsd/socketmap").map(SenderRewriting.socketmap)
        }
        guard let forward, let reverse else {
            switch (forward, reverse) {
            case (nil, nil): section.require("socketmap", for: "socketmap: unix:/run/postsrsd/socketmap")
            case (nil, _): section.require("forward", for: "forward: 127.0.0.1:10001")
            case (_, _): section.require("reverse", for: "reverse: 127.0.0.1:10002")
            }
            return nil
        }
        guard let first = forward.server(such: "127.0.0.1:10001"), let second = reverse.server(such: "127.0.0.1:10002")
        else { return nil }
        return .tcpTables(forward: first, reverse: second)
    }
}
