// `addressee bench`: how many questions a server answers in a second, and how long one takes.

import AddresseeConfiguration
import ArgumentParser
import Verification

/// Measures a server.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure how fast a server answers questions.",
        discussion: """
            Asks any SMTP server, or one of maps or policies, about random names of a file, over some connections with some questions in flight on \
            each, and prints the rate, the latencies and the replies by their code. With --rate the questions come at \
            a set rate, however slow the replies are, and a latency counts from when its question was due, sent or not. \
            What falls due within a fifth of a millisecond goes together, over one connection after the other.

            The questions are RCPT, VRFY or EXPN; no mail is sent. With --wire they go over another wire: socketmap and \
            tcp-table ask for keys, policy asks what Postfix asks at RCPT or VRFY.
            """)

    @Option(help: ArgumentHelp("The server: 127.0.0.1:2525, [::1]:2525 or unix:/path.", valueName: "address:port"))
    var host: String

    @Option(help: ArgumentHelp("What to ask: a name or an address a line.", valueName: "file"))
    var names: String

    @Option(help: ArgumentHelp("Connections.", valueName: "count"))
    var connections = 8

    @Option(help: ArgumentHelp("Questions in flight on each connection.", valueName: "count"))
    var inFlight = 32

    @Option(help: ArgumentHelp("How long to measure.", valueName: "seconds"))
    var seconds = 5.0

    @Option(help: ArgumentHelp("How long to ask before that.", valueName: "seconds"))
    var warmUp = 1.0

    @Option(help: ArgumentHelp("The command that asks: rcpt, vrfy or expn.", valueName: "verb"))
    var verb = BenchPlan.Verb.rcpt

    @Option(help: ArgumentHelp("What the server speaks: smtp, socketmap, tcp-table or policy.", valueName: "wire"))
    var wire = BenchWire.smtp

    @Option(help: ArgumentHelp("The map that is asked, over socketmap. (default: recipients)", valueName: "map"))
    var map: DirectoryMap?

    @Option(help: ArgumentHelp("After so many RCPT begin a new transaction.", valueName: "count"))
    var recipientsPerTransaction = 90

    @Option(help: ArgumentHelp("Questions a second in all; without it, as many as can be.", valueName: "count"))
    var rate: Double?

    @Option(help: ArgumentHelp("Where the random numbers begin.", valueName: "number"))
    var seed: UInt64 = 1

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        let limits = [
            ("--connections", connections, 1...65536), ("--in-flight", inFlight, 1...65536),
            ("--recipients-per-transaction", recipientsPerTransaction, 1...1_000_000),
        ]
        for (option, value, range) in limits where !range.contains(value) {
            throw ValidationError("\(option) takes \(range.lowerBound) to \(range.upperBound), not \(value).")
        }
        if map != nil, wire != .socketmap { throw ValidationError("--map is only for --wire socketmap.") }
        if wire.hasMaps, verb != .rcpt { throw ValidationError("--verb is not for --wire \(wire.rawValue).") }
        if wire == .policy, verb == .expn { throw ValidationError("--verb can't be expn with --wire policy.") }
        let day = 86400.0
        guard seconds > 0, seconds <= day else { throw ValidationError("--seconds takes more than 0, at most 86400.") }
        guard warmUp >= 0, warmUp <= day else { throw ValidationError("--warm-up takes 0 to 86400.") }
        if let rate, !(rate > 0 && rate <= 1e8) {
            throw ValidationError("--rate takes more than 0, at most 100000000.")
        }
    }

    func run() throws {
        let report = try plan().measured(names: names)
        try Output.current.write((json ? report.json : report.table) + "\n")
    }

    private func plan() throws(CommandFailure) -> BenchPlan {
        let server: ListenAddress
        do {
            server = try ListenAddress(host)
        } catch {
            throw CommandFailure(.usage, "--host can't be \(host.quoted): \(error)")
        }
        return BenchPlan(
            server: server, wire: wire, map: map ?? .recipients, connections: connections, inFlight: inFlight,
            seconds: seconds, warmUp: warmUp,
            verb: verb, recipientsPerTransaction: recipientsPerTransaction, rate: rate, seed: seed)
    }
}

extension BenchPlan.Verb: ExpressibleByArgument {}
extension BenchWire: ExpressibleByArgument {}
