// Taking in very many users at once.

/// A store that can take in users in bulk.
public protocol BulkUserStore: RecordStore {
    /// Adds users in one transaction: all of them, or none.
    ///
    /// - Parameters:
    ///   - next: the next user, or nil at the end. What it throws undoes everything, and is passed on once `fault` has
    ///     been told what else is wrong with the users until then.
    ///   - conflict: what becomes of a user who is on record already.
    ///   - fault: is told of every user that can't be added, in no particular order; nothing is added then.
    ///   - progress: called now and then with how many have been taken in.
    /// - Throws: `BulkRefused` after a fault; `StoreError.trouble`; what `next` threw.
    func importUsers(
        next: () throws -> User?, onConflict conflict: BulkConflict, fault: (BulkError) -> Void,
        progress: (Int) -> Void
    ) throws -> BulkResult
}

extension BulkUserStore {
    /// Adds users who are not on record yet, all or none.
    ///
    /// - Returns: how many were added.
    /// - Throws: `BulkError` about the first that can't be added; `StoreError.trouble`; what `next` threw.
    @discardableResult
    public func importUsers(next: () throws -> User?, progress: (Int) -> Void = { _ in }) throws -> Int {
        var first: BulkError?
        do {
            return try importUsers(
                next: next, onConflict: .refuse,
                fault: { fault in
                    if fault.index < first?.index ?? .max { first = fault }
                }, progress: progress
            ).added
        } catch let refusal as BulkRefused {
            if let first { throw first }
            throw refusal
        }
    }
}

/// What becomes of a user of an import whose address is that of a user on record. Anything else there is a fault, and so
/// is an address that comes twice.
public enum BulkConflict: Hashable, Sendable {
    /// It is a fault.
    case refuse
    /// The one on record stays as it is.
    case keep
    /// The one on record gets these fields of the other, and the spelling of its address; the rest stays as it is.
    case replace(Set<UserField>)
}

/// The fields of a user that an import may have.
public enum UserField: Hashable, Sendable, CaseIterable {
    case fullName
    case login
    case status
}

/// What an import has done.
public struct BulkResult: Hashable, Sendable {
    /// Users who were not on record.
    public var added: Int
    /// Users on record who stayed as they are.
    public var kept: Int
    /// Users on record who were changed.
    public var replaced: Int

    public init(added: Int, kept: Int = 0, replaced: Int = 0) {
        self.added = added
        self.kept = kept
        self.replaced = replaced
    }
}

/// A user that an import can't add, counted from 0.
public struct BulkError: Error, Hashable, Sendable {
    public var index: Int
    public var reason: StoreError

    public init(index: Int, reason: StoreError) {
        self.index = index
        self.reason = reason
    }
}

/// Nothing was imported, for the faults that were told.
public struct BulkRefused: Error, Hashable, Sendable {
    public init() {}
}
