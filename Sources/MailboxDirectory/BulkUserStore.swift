// Taking in very many users at once.

/// A store that can take in users in bulk.
public protocol BulkUserStore: RecordStore {
    /// Adds users in one transaction: all of them, or none.
    /// - Parameters:
    ///   - next: the next user, or nil at the end; what it throws undoes everything and is passed on.
    ///   - progress: called now and then with how many have been taken in.
    /// - Returns: how many were added.
    /// - Throws: `BulkError` for a user that can't be added.
    func importUsers(next: () throws -> User?, progress: (Int) -> Void) throws -> Int
}

/// The user that stopped an import, counted from 0.
public struct BulkError: Error, Hashable, Sendable {
    public var index: Int
    public var reason: StoreError

    public init(index: Int, reason: StoreError) {
        self.index = index
        self.reason = reason
    }
}
