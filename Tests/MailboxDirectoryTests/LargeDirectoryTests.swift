// Long chains and large lists: no recursion, no quadratic time, and limits that are told.

import DirectoryTesting
import MailAddress
import MailboxDirectory
import Testing

@Suite struct LargeDirectories {
    private func resolve(_ store: MemoryStore, _ question: String, _ limits: ExpansionLimits) throws -> Resolution {
        Expansion(
            Question(text: question), purpose: .resolve, sources: ["memory"], defaultDomain: ResolveRow.defaultDomain,
            limits: limits
        ).run([store.source])
    }

    private func mailbox(_ number: Int, _ domain: Domain) throws -> Mailbox {
        Mailbox(localPart: try LocalPart(octets: Array("x\(number)".utf8)), domain: domain)
    }

    @Test func chain() throws {
        let domain = ResolveRow.defaultDomain
        let store = try MemoryStore([.domain(DomainRecord(domain: domain))])
        let length = 10_000
        try store.write { writing in
            for number in 0..<length {
                try writing.insert(
                    .alias(Alias(address: try mailbox(number, domain), targets: [try mailbox(number + 1, domain)])))
            }
            try writing.insert(.user(User(address: try mailbox(length, domain))))
        }
        let deep = try resolve(store, "x0@a", ExpansionLimits(depth: 100_000))
        #expect(deep.recipients.map(\.mailbox) == [try mailbox(length, domain)])
        #expect(deep.chain.count == length + 1)
        #expect(try resolve(store, "x0@a", ExpansionLimits()).text == "limit depth")
    }

    @Test func list() throws {
        let domain = ResolveRow.defaultDomain
        let store = try MemoryStore([.domain(DomainRecord(domain: domain))])
        let count = 100_000
        let address = try Mailbox("list@a")
        let nested = try Mailbox("nested@a")
        try store.write { writing in
            var members: [ListMember] = []
            for number in 0..<count { members.append(ListMember(mailbox: try mailbox(number, domain))) }
            for member in members { try writing.insert(.user(User(address: member.mailbox))) }
            try writing.insert(.list(MailingList(address: address), members: members))
            try writing.insert(.list(MailingList(address: nested), members: [ListMember(mailbox: address)]))
        }
        #expect(try resolve(store, "list@a", ExpansionLimits()).recipients.count == count)
        #expect(try resolve(store, "nested@a", ExpansionLimits()).text == "limit addresses")
        #expect(try resolve(store, "nested@a", ExpansionLimits(addresses: count + 1)).recipients.count == count)
    }
}
