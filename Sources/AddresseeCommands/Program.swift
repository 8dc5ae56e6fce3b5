// The way in and out: reads the arguments, runs the command, and turns whatever goes wrong into a line and a status.

import AddresseeConfiguration
import ArgumentParser
import Foundation
import MailAddress
import MailboxDirectory
import Verification

/// The command line.
public enum Program {
    /// What `addressee --version` prints.
    public static let version = "0.1.0"

    /// Runs one command.
    /// - Parameters:
    ///   - arguments: without the program's name; nil for those of the process.
    ///   - wiring: the stores and the server.
    /// - Returns: the exit status; everything has been written.
    public static func main(_ arguments: [String]? = nil, wiring: Wiring) async -> Int32 {
        // A reader that has had enough, as in `addressee user ls | head`, is told from the write that fails.
        signal(SIGPIPE, SIG_IGN)
        // What other servers write statistics or open their logs at ends no command here.
        signal(SIGUSR1, SIG_IGN)
        signal(SIGUSR2, SIG_IGN)
        if arguments == nil, let place = malformedArgument {
            Output.process.error("argument \(place) is not UTF-8; write it in UTF-8")
            return ExitStatus.data.rawValue
        }
        return await run(arguments ?? Array(CommandLine.arguments.dropFirst()), wiring: wiring, output: .process)
    }

    static func run(_ arguments: [String], wiring: Wiring, output: Output) async -> Int32 {
        await Output.$current.withValue(output) {
            await Wiring.$current.withValue(wiring) {
                do {
                    var command = try Addressee.parseAsRoot(arguments.withAddressesJoined)
                    if var command = command as? any AsyncParsableCommand {
                        try await command.run()
                    } else {
                        try command.run()
                    }
                    return ExitStatus.yes.rawValue
                } catch {
                    return report(error, of: arguments, output: output)
                }
            }
        }
    }

    /// Swift repairs what is not UTF-8, and so could take one name for another; that must be seen before.
    private static var malformedArgument: Int? {
        (1..<max(1, Int(CommandLine.argc))).first { index in
            CommandLine.unsafeArgv[index].map { String(validatingCString: $0) == nil } ?? false
        }
    }

    /// Says what went wrong.
    /// - Returns: the exit status for it.
    private static func report(_ error: any Error, of arguments: [String], output: Output) -> Int32 {
        switch error {
        case is Output.Closed: return ExitStatus.yes.rawValue
        case let code as ExitCode: return code.rawValue
        case let error as ConfigurationError:
            for problem in error.problems { output.error("\(problem)") }
            return ExitStatus.configuration.rawValue
        default: break
        }
        if let failure = CommandFailure(error) {
            output.error(failure.message)
            return failure.status.rawValue
        }
        // What is left is the parser's: help, a completion script, or wrong usage.
        let text = Addressee.fullMessage(for: error)
        let status = Addressee.exitCode(for: error)
        if status.isSuccess {
            do { try output.write(text + "\n") } catch is Output.Closed {} catch {
                return report(error, of: arguments, output: output)
            }
        } else {
            let message = CommandWords.complaint(of: arguments) ?? Addressee.message(for: error)
            output.error(usage(message, help: text))
        }
        return status.rawValue
    }

    /// The parser's words as one line, and where there is more to read: `See 'addressee user add --help'`, as it ends.
    private static func usage(_ message: String, help: String) -> String {
        // Of a list of values, each on a line of its own.
        var line = message.replacing(":\n  - ", with: ": ").replacing("\n  - ", with: ", ")
        // Many in a row were given to the parser as one.
        if line.contains("\0"), let first = line.firstMatch(of: /'([^'\u{0}]*)/) {
            line = "Unexpected arguments from '\(first.1)' on"
        }
        // Whoever writes --no-name does not mean --name.
        line.replace(/(Unknown option '--([a-z-]+)'\.) Did you mean '--([a-z-]+)'\?/) { match in
            match.2 == "no-" + match.3 || match.3 == "no-" + match.2 ? match.1 : match.0
        }
        var sentence = line.prefix(1).lowercased() + line.dropFirst()
        if sentence.hasSuffix(".") { sentence.removeLast() }
        let more = help.matches(of: /See '(addressee [^']+)' for more/).last.map { String($0.1) }
        // A question, such as whether another option was meant, keeps its mark.
        if !sentence.hasSuffix("?") { sentence += ";" }
        return "\(sentence) see: \(more ?? "addressee --help")"
    }
}

extension CommandFailure {
    /// The failure that an error of another room amounts to; nil for an error of the argument parser.
    init?(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as EditError: self.init(error)
        case let error as StoreError: self.init(EditError(error))
        case let trouble as Trouble: self.init(.temporary, "\(trouble)")
        case let error as AddressSyntaxError: self.init(.data, error.description)
        default:
            if Self.isOfParser(error) { return nil }
            self.init(.temporary, "\(error)")
        }
    }

    init(_ error: EditError) {
        switch error {
        case .notFound: self.init(.noUser, error.line)
        // A store's reason says what to do, and names its source.
        case .couldNotTell(let trouble): self.init(.temporary, "\(trouble)")
        default: self.init(.data, error.line)
        }
    }

    /// Its own errors are not public.
    private static func isOfParser(_ error: any Error) -> Bool {
        String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
    }
}
