// What a client has taken of what was written to it. A channel knows what it has given to the kernel, which may hold some
// millions of octets more: for a client that reads slowly the channel sees nothing for a long time.

import NIOCore

/// How far a client has got with its replies.
struct WriteProgress {
    /// Octets that the channel still holds.
    private var held = 0
    /// Octets that the client's kernel has acknowledged since the connection began; nil where none are counted.
    private var taken: UInt64?

    init(of channel: (any Channel)?) {
        guard let channel else { return }
        held = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        #if os(Linux)
            taken = Self.acknowledged(on: channel)
        #endif
    }

    #if os(Linux)
        private static func acknowledged(on channel: any Channel) -> UInt64? {
            guard let socket = channel as? any SocketOptionProvider else { return nil }
            var octets: UInt64?
            // On the channel's own loop the option is there at once.
            socket.unsafeGetSocketOption(level: .tcp, name: .tcp_info).assumeIsolated()
                .whenSuccess { (info: TCPInfo) in octets = info.acknowledged }
            return octets
        }
    #endif

    /// Whether the client has taken something from an earlier time to this.
    func isBeyond(_ earlier: WriteProgress) -> Bool {
        if held < earlier.held { return true }
        guard let taken, let before = earlier.taken else { return false }
        return taken > before
    }
}

/// The beginning of `struct tcp_info` in linux/tcp.h. A Unix socket has none.
private struct TCPInfo: Sendable {
    private let words: [16 of UInt64]

    /// `tcpi_bytes_acked`.
    var acknowledged: UInt64 { words[15] }
}
