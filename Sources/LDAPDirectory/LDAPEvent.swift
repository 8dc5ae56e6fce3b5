// What happens to connections, for whoever keeps a log. The room itself writes none.

/// An event that an administrator may want in a log. No event holds a password.
public enum LDAPEvent: Hashable, Sendable {
    case connected(uri: String)
    /// A connection that had been good is gone.
    case lost(uri: String, reason: String)
    /// A server could not be reached, or refused the bind.
    case failed(uri: String, reason: String)
    /// A server could be reached, but does not seem to have all of the directory, and another is tried.
    case leftOut(uri: String, reason: String)
    /// Such a server is used, for there is no other: from now on nothing is told to be absent.
    case doubted(uri: String, reason: String)
    /// What is not found is absent again.
    case trusted(uri: String)
    /// An answer that was remembered is given, since none can be had now.
    case servedStale(age: Duration, reason: String)
}
