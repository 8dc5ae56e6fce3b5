// What a measurement is to do.

import AddresseeConfiguration
import Verification

/// The settings of one measurement.
struct BenchPlan {
    /// A question, as it stands in a command.
    enum Verb: String, CaseIterable {
        case rcpt
        case vrfy
        case expn
    }

    var server: ListenAddress
    var wire = BenchWire.smtp
    /// Which map is asked, on a wire that has maps.
    var map = DirectoryMap.recipients
    var connections = 8
    /// Questions outstanding on each connection.
    var inFlight = 32
    var seconds = 5.0
    /// Seconds before those that are counted.
    var warmUp = 1.0
    var verb = Verb.rcpt
    /// After so many a new transaction is begun, since servers slow down when recipients pile up.
    var recipientsPerTransaction = 90
    /// Questions a second in all; nil for as many as can be.
    var rate: Double?
    var seed: UInt64 = 1

    /// Whether questions stand in a transaction.
    var isTransaction: Bool { wire == .smtp && verb == .rcpt }

    /// What is asked, in a word.
    var subject: String {
        switch wire {
        case .smtp: verb.rawValue
        case .policy: "policy \(verb.rawValue)"
        case .socketmap: "socketmap \(map.rawValue)"
        case .tcpTable: "tcp-table"
        }
    }

    /// How a transaction is begun anew; two replies that are not counted.
    static let restart: StaticString = "RSET\r\nMAIL FROM:<>\r\n"

    /// Measures; until Ctrl-C at the latest.
    /// - Parameter names: a file.
    func measured(names: String) throws(CommandFailure) -> BenchReport {
        let list = try NameList(file: names)
        let stop = StopSignal()
        var generator = try LoadGenerator(self, names: list, stop: stop)
        return try generator.run()
    }
}

/// Nanoseconds of a clock that only goes forward.
typealias Nanoseconds = UInt64
