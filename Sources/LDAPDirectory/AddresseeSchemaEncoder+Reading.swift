// The way back: the records in an entry of our own schema.

import MailAddress
public import MailboxDirectory

extension AddresseeSchemaEncoder {
    /// The record of this kind in an entry, whole; nil when there is none. For `.forward` the forward alone, whether a
    /// user is there or not; for `.user` the user alone.
    ///
    /// - Throws: what is wrong with the entry, with its name.
    public static func record(_ kind: RecordKind, in entry: LDAPEntry) throws(Trouble) -> Record? {
        let reader = EntryReader(schema: .addressee, domains: [])
        do throws(ReadFault) {
            let rules = reader.rules(of: entry)
            guard rules.contains(where: { $0.kind == kind }) else { return nil }
            if kind == .domain {
                let names = reader.values(.domainName, of: entry, rules).compactMap { try? Domain(octets: $0) }
                guard let name = names.first else { throw ReadFault(entry, "has no domain") }
                return try reader.domain(entry, asked: name).map { .domain($0) }
            }
            guard let address = reader.addresses(of: entry, rules).canonical else {
                throw ReadFault(entry, "has no address")
            }
            switch (kind, try reader.record(entry, at: address)) {
            case (.user, .user(let user, _)): return .user(user)
            case (.forward, let found): return found.forward.map { .forward($0) }
            case (.alias, .alias(let alias)): return .alias(alias)
            case (.moved, .moved(let moved)): return .moved(moved)
            case (.list, .list(let list)):
                let members = try reader.ordered(reader.values(.memberAddress, of: entry, rules), of: entry)
                return .list(
                    list, members: members.map { ListMember(mailbox: $0.mailbox, name: PersonName.clean($0.name)) })
            default: throw ReadFault(entry, "is two things at once")
            }
        } catch {
            throw Trouble(source: "", reason: error.reason)
        }
    }
}
