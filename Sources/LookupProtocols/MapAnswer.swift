// What a map says of a key. Each wire has a form of its own for each of the four; none has a fifth.

/// The answer to one key of one map.
public enum MapAnswer: Hashable, Sendable {
    /// The value; never empty, for Postfix before 3.11 takes an empty one for "not found".
    case found([UInt8])
    /// The map surely has no such key.
    case absent
    /// It can't be told, or not now: ask again later.
    case temporary([UInt8])
    /// The question can't be answered, now or later. No mail server takes it for "not found".
    case permanent([UInt8])

    public static func temporary(_ text: String) -> MapAnswer { .temporary(Array(text.utf8)) }
    public static func permanent(_ text: String) -> MapAnswer { .permanent(Array(text.utf8)) }

    /// What is said in place of a value that has no room in a reply.
    public static func tooLong(_ octets: Int) -> MapAnswer {
        .temporary("4.3.0 The value is longer than the \(octets) octets of a reply")
    }

    /// The kind of answer as a word with stable spelling, for logs.
    public var word: String {
        switch self {
        case .found: "found"
        case .absent: "absent"
        case .temporary: "temporary"
        case .permanent: "permanent"
        }
    }
}

/// One question to one map, as a wire brings it. Neither part has been looked at.
public struct MapRequest: Hashable, Sendable {
    public var map: [UInt8]
    public var key: [UInt8]

    public init(map: [UInt8], key: [UInt8]) {
        self.map = map
        self.key = key
    }
}
