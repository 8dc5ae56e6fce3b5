// From NIO's values to ours.

import AddresseeConfiguration
import NIOCore
import Verification

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}

extension ClientAddress {
    /// Where one end of a channel is that was accepted at this address.
    init(_ address: SocketAddress?, at listener: ListenAddress) {
        if case .unix = listener {
            self = .unixSocket
            return
        }
        // A link-local address comes with its interface (RFC 4007 11), which no network is told by. What can't be read is
        // nobody's friend: an address outside every network but the widest.
        let text = address?.ipAddress?.prefix { $0 != "%" }
        self = text.flatMap { ClientAddress(String($0)) } ?? ClientAddress(ipv6High: 0, low: 0)
    }
}
