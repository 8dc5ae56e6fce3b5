// A source that can be written to. Rules about records are in RecordEditor; a store only keeps them, and enforces that
// an address is one thing.

public import MailAddress

/// A source with an administrator: SQLite, LDAP or memory.
public protocol RecordStore: AnyObject {
    /// The name it bears in the configuration.
    var name: String { get }

    /// Runs `body` on one consistent view of the store.
    func read<Result>(_ body: (any RecordReading) throws -> Result) throws -> Result

    /// Runs `body` in one transaction, which is kept whole when it returns (on disk, before this returns) and undone
    /// whole when it throws.
    func write<Result>(_ body: (any RecordWriting) throws -> Result) throws -> Result
}

/// One view of a store. It is a `Source`, so a walk sees what the transaction it runs in has written.
public protocol RecordReading: Source {
    /// The record of this kind at the address, whole; nil when there is none. For `.forward` this is the forward alone,
    /// whether a user is there or not; for `.user` the user alone.
    /// - Throws: `StoreError`.
    func record(_ kind: RecordKind, at address: Mailbox) throws -> Record?

    /// Hands out the records of one kind, whole, in the order of their domains and local-parts (for domains, of their
    /// names), one at a time, so that any number can be read in bounded memory.
    /// - Parameters:
    ///   - kind: the kind of the records.
    ///   - domain: only those in this domain; nil for all.
    ///   - faulty: told of each record that can't be read, in its place; those behind it are handed out all the same. When it
    ///     throws, that ends the reading.
    ///   - body: gets each record. When it throws, that ends the reading.
    func forEach(
        _ kind: RecordKind, in domain: Domain?, faulty: (Trouble) throws -> Void, _ body: (Record) throws -> Void
    ) throws

    /// Records that point to this address, at most `limit`.
    func references(to address: Mailbox, limit: Int) throws -> [Reference]

    /// All records that point to this address, also those that are found only by reading every list or forward. For a person
    /// who wants to know; `references(to:limit:)` is for the check of a change.
    /// - Parameter faulty: told of each record that can't be read, as by `forEach`.
    func allReferences(to address: Mailbox, faulty: (Trouble) throws -> Void) throws -> [Reference]

    /// Records that point to one of these names with a detail (RFC 5233). Whom such a target is for depends on what else is
    /// on record, so that `ReferenceSearch` asks for it.
    /// - Parameter faulty: told of each record that can't be read, as by `forEach`.
    func references(
        withDetailOf names: [AddressName], faulty: (Trouble) throws -> Void
    ) throws -> [AddressReference]

    /// The further addresses of what has this one for its canonical mailbox.
    func otherAddresses(of address: Mailbox) throws -> [Mailbox]

    /// Records that stand in this domain or point into it, or domains that are aliases of it, at most `limit`.
    func references(toDomain domain: Domain, limit: Int) throws -> [Reference]

    /// Those of `references(toDomain:limit:)` that are no users: the records that lead somewhere, and may so make a
    /// loop. There may be very many users; a store passes over them without reading them.
    func redirections(inDomain domain: Domain, limit: Int) throws -> [Reference]
}

extension RecordReading {
    /// For a store that finds all of them by an index.
    public func allReferences(to address: Mailbox, faulty: (Trouble) throws -> Void) throws -> [Reference] {
        try references(to: address, limit: .max)
    }

    /// For a store that has no index for it: all that may point there is read.
    public func references(
        withDetailOf names: [AddressName], faulty: (Trouble) throws -> Void
    ) throws -> [AddressReference] {
        var found: [AddressReference] = []
        for kind in RecordKind.allCases where kind != .user {
            try forEach(kind, in: nil, faulty: faulty) { record in
                for (role, target) in record.references where names.contains(where: { $0.isBase(of: target) }) {
                    found.append(AddressReference(Reference(record, role: role), to: target, in: name))
                }
            }
        }
        return found
    }

    /// For a store in which every address is a record of its own.
    public func otherAddresses(of address: Mailbox) throws -> [Mailbox] { [] }

    /// The same, up to the first record that can't be read.
    /// - Throws: `StoreError.trouble` for that.
    public func forEach(_ kind: RecordKind, in domain: Domain?, _ body: (Record) throws -> Void) throws {
        try forEach(kind, in: domain, faulty: { throw StoreError.trouble($0) }, body)
    }

    /// For a store that has no way to pass over users.
    public func redirections(inDomain domain: Domain, limit: Int) throws -> [Reference] {
        Array(try references(toDomain: domain, limit: .max).lazy.filter { $0.kind != .user }.prefix(limit))
    }
}

/// A transaction that writes.
public protocol RecordWriting: RecordReading {
    /// Adds a record. A forward may be added where a user is, and a user where a forward is.
    /// - Throws: `StoreError.addressTaken` when something else stands there, `.domainTaken`, `.loginTaken`,
    ///   `.noSuchDomain`.
    func insert(_ record: Record) throws

    /// Puts the record in place of the one of its kind at its address.
    /// - Throws: `StoreError.notFound` when there is none, and the same as `insert`.
    func replace(_ record: Record) throws

    /// Removes the record of this kind at the address. A forward that sits on a removed user stays, and keeps no copy.
    /// - Throws: `StoreError.notFound`.
    func remove(_ kind: RecordKind, at address: Mailbox) throws

    /// - Throws: `StoreError.notFound`; `.notEmpty` while records stand in the domain or domains are aliases of it.
    func removeDomain(_ domain: Domain) throws

    /// Adds members to the list at the address, after those it has; one that is there already is left as it is.
    /// - Returns: how many were added.
    func addMembers(_ members: [ListMember], toListAt address: Mailbox) throws -> Int

    /// - Returns: how many were removed.
    func removeMembers(_ members: [Mailbox], fromListAt address: Mailbox) throws -> Int
}

/// Why a store did not do as it was told. It never means that nothing is there: that is a nil record or `.notFound`.
public enum StoreError: Error, Hashable, Sendable {
    /// Something else stands at the address already; the kind says what.
    case addressTaken(Mailbox, by: RecordKind)
    case domainTaken(Domain)
    case loginTaken(String)
    case noSuchDomain(Domain)
    case notFound(RecordKind, String)
    case notEmpty(Domain)
    /// The store's schema can't hold it: what, in words with an article; the schema; and the schemas that can.
    case noPlace(String, preset: String, others: [String])
    /// The store won't do it, for a reason of its own that says what to do. Nothing was written.
    case refused(String)
    /// The store failed, or refuses to be written.
    case trouble(Trouble)
}
