// What another server offers (RFC 5321 4.1.1.1), as far as it matters to who hands it messages.

import MailAddress

/// The extensions that a server has named in its reply to EHLO or LHLO.
public struct ServerExtensions: Hashable, Sendable {
    /// RFC 2920.
    public var pipelining = false
    /// RFC 6152.
    public var eightBit = false
    /// RFC 6531.
    public var utf8 = false
    /// RFC 3461.
    public var notifications = false
    /// RFC 3207.
    public var startTLS = false
    /// RFC 1870.
    public var size = false
    /// Octets that a message may have, where that is told.
    public var sizeLimit: UInt64?

    public init() {}

    /// Reads the reply; a keyword in any case (RFC 5321 2.4), parameters after a space.
    public init(_ reply: HeardReply) {
        for line in reply.lines.dropFirst() {
            let words = line.split(separator: UInt8(ascii: " "))
            guard let keyword = words.first else { continue }
            switch String(decoding: keyword, as: UTF8.self).uppercased() {
            case "PIPELINING": pipelining = true
            case "8BITMIME": eightBit = true
            case "SMTPUTF8": utf8 = true
            case "DSN": notifications = true
            case "STARTTLS": startTLS = true
            case "SIZE":
                size = true
                // 0 states no limit (RFC 1870 3).
                let number = words.dropFirst().first.flatMap { UInt64(String(decoding: $0, as: UTF8.self)) }
                sizeLimit = number == 0 ? nil : number
            default: break
            }
        }
    }
}
