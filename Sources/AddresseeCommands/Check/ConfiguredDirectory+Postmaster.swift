// Whether anybody reads what is sent to the postmasters.

import AddresseeConfiguration
import MailAddress
import MailboxDirectory
import Verification

extension ConfiguredDirectory {
    /// Domains that are examined.
    private static let domainsToExamine = 10_000

    /// Thrown to end the reading.
    private struct Enough: Error {}

    /// The local domains whose postmaster is taken by rule (RFC 5321 4.5.1) though no record leads from there to anybody. What
    /// can't be read is told of its source.
    var postmasterFindings: [Finding] {
        guard let sources = try? sources() else { return [] }
        var list = FindingList()
        var domains: [Domain] = []
        var seen: Set<Domain> = []
        for source in configuration.sources {
            guard let store = try? Self.wiring().openStore(source) else { continue }
            try? store.read { reading in
                try reading.forEach(.domain, in: nil) { record in
                    guard case .domain(let domain) = record, domain.kind == .local else { return }
                    if domains.count == Self.domainsToExamine { throw Enough() }
                    if seen.insert(domain.domain).inserted { domains.append(domain.domain) }
                }
            }
        }
        for domain in domains {
            let postmaster = Mailbox(localPart: .postmaster, domain: domain)
            let walk = Expansion(
                .address(postmaster), purpose: .resolve, sources: sources.map(\.name),
                defaultDomain: configuration.defaultDomain, limits: configuration.expansion)
            guard walk.run(sources).recipients.contains(where: { $0.kind == .postmaster }) else { continue }
            list.add(
                Finding(
                    .warning, .directory, "mail for \(postmaster) is taken, as it must be, and nobody reads it",
                    advice: "addressee alias add \(postmaster) --to ADDRESS"),
                topic: "postmasters whom nobody reads")
        }
        return list.all
    }
}
