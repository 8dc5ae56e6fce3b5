// Where a command writes, and what reads it there: a person at a terminal, or a program at the end of a pipe.

import Foundation
import Verification

/// Standard output and standard error, or what stands for them in a test.
struct Output: Sendable {
    /// The reader of standard output has gone. Nobody need be told.
    struct Closed: Error {}

    /// Whether a person reads standard output.
    var isTerminal: Bool
    /// Whether that person wants colour.
    var isColoured: Bool
    /// Whether a person reads standard error, and may be shown progress there.
    var isErrorTerminal: Bool
    /// Throws `Closed`, or a `CommandFailure` such as for a full disk.
    var standardOutput: @Sendable (String) throws -> Void
    var standardError: @Sendable (String) -> Void
    /// Cells of a line; nil where a line may be of any length.
    var width: Int?
    /// Reads a line from the person at the terminal; gives nil at the end of the input. Nil where there is no terminal.
    var answer: (@Sendable () -> String?)?

    @TaskLocal static var current = Output.process

    /// Writes text as it is.
    func write(_ text: String) throws {
        try standardOutput(text)
    }

    /// Writes one line; what a terminal would obey rather than show is escaped.
    func line(_ text: String) throws {
        try standardOutput(text.printable + "\n")
    }

    /// Writes as much as somebody reads, for a command whose exit status is an answer too: that must be given even
    /// where the words go nowhere.
    func untilClosed(_ body: () throws -> Void) throws {
        do { try body() } catch is Closed {}
    }

    /// Whether a person says yes; true where there is no terminal.
    func confirms(_ question: String) -> Bool {
        guard let answer, isErrorTerminal else { return true }
        standardError("addressee: \(question.printable) [y/N] ")
        return ["y", "yes"].contains(answer()?.lowercased() ?? "")
    }

    /// Writes one line to standard error, after the program's name.
    func error(_ text: String) {
        standardError("addressee: " + text.printable + "\n")
    }
}

extension Output {
    /// Those of the process.
    static let process: Output = {
        let environment = ProcessInfo.processInfo.environment
        let isTerminal = isatty(STDOUT_FILENO) == 1
        // https://no-color.org: any value but an empty one.
        let mayColour = environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
        var output = Output(
            isTerminal: isTerminal, isColoured: isTerminal && mayColour, isErrorTerminal: isatty(STDERR_FILENO) == 1,
            standardOutput: { try write($0, to: STDOUT_FILENO) },
            standardError: { try? write($0, to: STDERR_FILENO) })
        output.width = columns(isTerminal: isTerminal, environment)
        if isatty(STDIN_FILENO) == 1 { output.answer = { readLine() } }
        return output
    }()

    /// What `COLUMNS` says, else the terminal.
    private static func columns(isTerminal: Bool, _ environment: [String: String]) -> Int? {
        if let columns = environment["COLUMNS"].flatMap({ Int($0) }), columns > 0 { return columns }
        guard isTerminal else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    private static func write(_ text: String, to descriptor: Int32) throws {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                bytes = bytes.dropFirst(count)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                // Whoever shares the terminal or the pipe has made it non-blocking.
                var descriptor = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&descriptor, 1, -1)
            // EINVAL: standard output was closed before the start, and its number is something else's by now.
            case EPIPE, EBADF, EINVAL: throw Closed()
            default:
                let reason = String(cString: strerror(errno))
                throw CommandFailure(.temporary, "standard output can't be written: \(reason); write it elsewhere")
            }
        }
    }
}
