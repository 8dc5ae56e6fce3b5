// The verdict as an exit status (sysexits.h).

/// What a command ends with.
public enum ExitStatus: Int32, Hashable, Sendable {
    /// Yes.
    case yes = 0
    /// EX_USAGE: wrong usage.
    case usage = 64
    /// EX_DATAERR: ambiguous, or malformed.
    case data = 65
    /// EX_NOUSER: unknown, moved or disabled.
    case noUser = 67
    /// EX_TEMPFAIL: the directory could not tell, or only for now.
    case temporary = 75
    /// EX_NOPERM: not to be told to such a client.
    case denied = 77
    /// EX_CONFIG: wrong configuration.
    case configuration = 78
}

extension Verdict {
    public var exitStatus: ExitStatus {
        switch self {
        case .verified, .full, .willForward, .members, .notVerifiable, .needsUTF8: .yes
        case .moved, .noMembers, .unknown, .notServed, .disabled: .noUser
        case .ambiguous, .nonASCIIPath: .data
        case .suspended, .couldNotTell, .loop, .tooManyQuestions: .temporary
        case .membersHidden, .closed: .denied
        }
    }
}
