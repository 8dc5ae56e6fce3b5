// Taking in very many users at once, in the words that every store shares.

public import MailboxDirectory

extension SQLiteStore: BulkUserStore {
    public func importUsers(next: () throws -> User?, progress: (Int) -> Void) throws -> Int {
        do {
            return try importUsers(progress: progress, next)
        } catch let error as UserImportError {
            throw BulkError(index: error.index, reason: error.error)
        }
    }
}
