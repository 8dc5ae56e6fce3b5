// `addressee bench` against a responder in this process.

import AddresseeConfiguration
import Foundation
import Glibc
import MailboxDirectory
import Synchronization
import Testing
import Verification

@testable import AddresseeCommands

// One at a time: a measurement has its time, and SIGINT is one for the process.
@Suite(.serialized) struct BenchTests {
    private func measure(_ responder: BenchResponder, _ change: (inout BenchPlan) -> Void = { _ in }) throws
        -> BenchReport
    {
        let file = NSTemporaryDirectory() + "bench-\(UUID().uuidString)"
        try Data("fred@example.org\nsam@example.org\n".utf8).write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        var plan = BenchPlan(server: try ListenAddress(responder.address), seconds: 0.2, warmUp: 0)
        change(&plan)
        return try plan.measured(names: file)
    }

    /// What the command line says; nothing is measured.
    private func refusal(_ options: [String]) async -> (status: Int32, text: String) {
        let text = Mutex("")
        let output = Output(
            isTerminal: false, isColoured: false, isErrorTerminal: false, standardOutput: { _ in },
            standardError: { more in text.withLock { $0 += more } })
        let none = Trouble(source: "none", reason: "not needed")
        let wiring = Wiring(
            openSource: { _ in throw none }, openStore: { _ in throw none }, createStore: { _ in throw none },
            serve: { _, _ in })
        let status = await Program.run(["bench"] + options, wiring: wiring, output: output)
        return (status, text.withLock { $0 })
    }

    @Test(arguments: [(1, 1), (1, 8), (3, 1), (4, 32)])
    func asksAndCounts(_ connections: Int, _ inFlight: Int) throws {
        let responder = try BenchResponder()
        let report = try measure(responder) {
            $0.connections = connections
            $0.inFlight = inFlight
        }
        #expect(report.tally.questions > 10)
        #expect(report.tally.replies.map(\.code) == [250, 550])
        #expect(report.tally.replies.reduce(0) { $0 + $1.count } == report.tally.questions)
        #expect(report.microseconds(0.5) > 0)
        #expect(report.microseconds(0.5) <= report.microseconds(0.99))
        #expect((0.19...0.3).contains(report.seconds))
        #expect(responder.greeted == connections)
        #expect(responder.mostRecipients == 90)
    }

    @Test func beginsTransactionsAnew() throws {
        let responder = try BenchResponder()
        let report = try measure(responder) {
            $0.connections = 1
            $0.inFlight = 10
            $0.recipientsPerTransaction = 1
        }
        #expect(responder.mostRecipients == 1)
        #expect(report.tally.replies.map(\.code) == [250, 550])
    }

    @Test(arguments: [BenchPlan.Verb.vrfy, .expn]) func asksOtherVerbs(_ verb: BenchPlan.Verb) throws {
        let responder = try BenchResponder()
        let report = try measure(responder) { $0.verb = verb }
        #expect(report.tally.replies.map(\.code) == [verb == .vrfy ? 252 : 250])
        #expect(responder.mostRecipients == 0)
    }

    @Test(arguments: [BenchResponder.Place.unix, .ipv6]) func connectsElsewhere(_ place: BenchResponder.Place) throws {
        let responder = try BenchResponder(place)
        #expect(try measure(responder) { $0.connections = 2 }.tally.questions > 10)
    }

    @Test func keepsTheRate() throws {
        let report = try measure(try BenchResponder()) { $0.rate = 500 }
        #expect((50...101).contains(report.tally.questions))
    }

    @Test func knowsServersWithoutEHLO() throws {
        let responder = try BenchResponder { $0.hasPrefix("EHLO") ? "500 what?\r\n" : nil }
        #expect(try measure(responder).tally.questions > 10)
    }

    /// A server that does something else, and what is said of it.
    struct Failure: Sendable, CustomTestStringConvertible {
        let status: Verification.ExitStatus
        let message: String
        var greeting = "220 x\r\n"
        var answer: @Sendable (String) -> String? = { _ in nil }

        var testDescription: String { message }
    }

    static let failures = [
        Failure(status: .data, message: "does not speak SMTP: SSH-2.0-OpenSSH", greeting: "SSH-2.0-OpenSSH\r\n"),
        Failure(
            status: .temporary, message: "refuses the connection: 554 5.7.1 not you",
            greeting: "220-hello\r\n554 5.7.1 not you\r\n"),
        Failure(
            status: .temporary, message: "refuses the connection: 421 4.7.0 too many",
            greeting: "421 4.7.0 too many\r\n"),
        Failure(status: .temporary, message: "refuses EHLO: 550 go") { $0.hasSuffix("invalid") ? "550 go\r\n" : nil },
        Failure(status: .temporary, message: "refuses MAIL FROM:<>: 530 no") {
            $0.hasPrefix("MAIL") ? "530 no\r\n" : nil
        },
        Failure(status: .temporary, message: "closes the connection: 421 4.7.0 too many questions") {
            $0.hasPrefix("RCPT") ? "421 4.7.0 too many questions\r\n" : nil
        },
        Failure(status: .data, message: "does not speak SMTP: hm?") { $0.hasPrefix("RCPT") ? "hm?\r\n" : nil },
    ]

    @Test(arguments: failures) func failsInOneLine(_ failure: Failure) throws {
        let responder = try BenchResponder(greeting: failure.greeting, failure.answer)
        #expect(throws: CommandFailure(failure.status, "\(responder.address) \(failure.message)")) {
            try measure(responder)
        }
    }

    @Test func toldThatTheServerHasGone() throws {
        let responder = try BenchResponder { $0.hasPrefix("RCPT") ? "" : nil }
        #expect(
            throws: CommandFailure(
                .temporary, "lost the connection to \(responder.address): it closed the connection")
        ) { try measure(responder) }
    }

    @Test func toldThatThereIsNoServer() throws {
        let responder = try BenchResponder()
        responder.stop()
        #expect(
            throws: CommandFailure(
                .temporary,
                "can't connect to \(responder.address): Connection refused; is the server running there?")
        ) { try measure(responder) }
    }

    @Test func stopsOnControlC() throws {
        let responder = try BenchResponder()
        Thread.detachNewThread {
            // Who connects has a handler: sooner, the signal would end these tests.
            while responder.greeted == 0 { usleep(10_000) }
            usleep(300_000)
            kill(getpid(), SIGINT)
        }
        let report = try measure(responder) { $0.seconds = 60 }
        #expect(report.tally.questions > 10)
        #expect((0.1...50).contains(report.seconds))
    }

    @Test(arguments: [
        ["--connections", "0"], ["--in-flight", "65537"], ["--seconds", "0"], ["--warm-up", "-1"], ["--rate", "0"],
        ["--verb", "data"], ["--recipients-per-transaction", "0"], ["--wire", "milter"], ["--map", "aliases"],
        ["--map", "nomap", "--wire", "socketmap"], ["--verb", "vrfy", "--wire", "tcp-table"],
        ["--verb", "expn", "--wire", "policy"],
    ])
    func refusesOptions(_ options: [String]) async {
        let refusal = await refusal(["--host", "127.0.0.1:25", "--names", "x"] + options)
        #expect(refusal.status == 64)
        #expect(refusal.text.contains(options[0]))
    }

    @Test func refusesNames() async {
        let refusal = await refusal(["--host", "localhost:25", "--names", "x"])
        #expect(refusal.status == 64)
        #expect(
            refusal.text
                == "addressee: --host can't be \"localhost:25\": names are not looked up; write 127.0.0.1:25 or"
                + " [::1]:25\n")
    }
}
