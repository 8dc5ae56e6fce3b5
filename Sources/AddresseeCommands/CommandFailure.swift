// How a command fails: one line on standard error that says what to do, and an exit status.

public import Verification

/// A failure of a command.
public struct CommandFailure: Error, Hashable, Sendable {
    public var status: ExitStatus
    /// One line, without the program's name.
    public var message: String

    public init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }
}
