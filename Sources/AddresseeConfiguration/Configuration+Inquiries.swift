// What inquiries need to know of a configuration.

import Foundation
import MailAddress
public import Verification

extension Configuration {
    /// What every inquiry under this configuration has in common. Made once a configuration: it asks the system for the
    /// addresses of this machine.
    public var inquiries: Inquiry.Context {
        Inquiry.Context(
            sources: sources.map(\.name), defaultDomain: defaultDomain, literals: literals, limits: expansion)
    }

    private static let allOfIPv6 = ClientAddress(ipv6High: 0, low: 0)
    fileprivate static let wildcards: Set = [ClientAddress(ipv4: (0, 0, 0, 0)), allOfIPv6]

    /// The addresses that listeners have, in brackets. A listener for all addresses has those of this machine's interfaces.
    private var literals: Set<Domain> {
        var addresses = listeners.compactMap { listener -> ClientAddress? in
            guard case .ip(let host, _) = listener.address else { return nil }
            return ClientAddress(host)
        }
        let wildcards = Set(addresses.filter { Self.wildcards.contains($0) })
        if !wildcards.isEmpty {
            // Without its interface, which an address of one link may have behind it.
            let all = (Host.current().addresses + ["127.0.0.1", "::1"]).compactMap { text in
                ClientAddress(String(text.prefix { $0 != "%" }))
            }
            // A listener for all of IPv6 has those of IPv4 too.
            addresses += all.filter { address in
                if case .ipv4 = address { return true }
                return wildcards.contains(Self.allOfIPv6)
            }
        }
        return Set(addresses.filter { !Self.wildcards.contains($0) }.compactMap(\.literal))
    }
}

extension ListenAddress {
    /// Whether it stands for all addresses of the machine.
    public var isForAll: Bool {
        guard case .ip(let host, _) = self, let address = ClientAddress(host) else { return false }
        return Configuration.wildcards.contains(address)
    }
}
