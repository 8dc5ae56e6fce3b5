// One connection: what it has asked and not yet heard, in buffers made once. Nothing here allocates for a question.

import AddresseeConfiguration
import Glibc
import Verification

/// A pipeline of questions over one socket.
struct BenchConnection: ~Copyable {
    static let inputSize = 65536

    let socket: Int32
    let server: String
    let wire: BenchWire
    let isTransaction: Bool
    private let question: BenchQuestion
    private let recipientsPerTransaction: Int
    private var recipients = 0

    private let input: UnsafeMutableRawPointer
    private var inputCount = 0
    private let output: UnsafeMutableRawPointer
    private var outputStart = 0
    private var outputEnd = 0

    /// When each command that waits for its reply was due, oldest first; 0 for one that is no question. A ring.
    private let due: UnsafeMutablePointer<Nanoseconds>
    private let dueMask: Int
    private var dueHead = 0
    private var dueTail = 0

    /// Questions that wait for their reply.
    private(set) var outstanding = 0
    /// Whether its owner waits for the socket to take more.
    var isWatchedForOutput = false

    /// - Parameter socket: connected; it is closed with this.
    init(socket: Int32, plan: BenchPlan, longestName: Int) {
        self.socket = socket
        server = plan.server.description
        wire = plan.wire
        isTransaction = plan.isTransaction
        question = BenchQuestion(plan)
        recipientsPerTransaction = plan.isTransaction ? plan.recipientsPerTransaction : .max
        let restarts = plan.inFlight / plan.recipientsPerTransaction + 2
        let length = question.length(longestName: longestName)
        input = .allocate(byteCount: Self.inputSize, alignment: 16)
        output = .allocate(
            byteCount: plan.inFlight * length + restarts * BenchPlan.restart.utf8CodeUnitCount, alignment: 16)
        var slots = 16
        while slots < plan.inFlight + 2 * restarts { slots *= 2 }
        due = .allocate(capacity: slots)
        dueMask = slots - 1
    }

    deinit {
        close(socket)
        input.deallocate()
        output.deallocate()
        due.deallocate()
    }

    var hasUnsent: Bool { outputStart < outputEnd }

    /// Puts a question into the output; at most as many as the plan has in flight may be outstanding.
    mutating func ask(_ name: UnsafeRawBufferPointer, due time: Nanoseconds) {
        if recipients == recipientsPerTransaction {
            recipients = 0
            append(BenchPlan.restart)
            wait(0)
            wait(0)
        }
        recipients += 1
        if question.hasLength { append(length: question.prefix.count + name.count) }
        question.prefix.withUnsafeBytes { append($0) }
        if question.isEscaped { append(escaping: name) } else { append(name) }
        question.suffix.withUnsafeBytes { append($0) }
        wait(time)
        outstanding += 1
    }

    private mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func append(_ octets: UnsafeRawBufferPointer) {
        if let start = octets.baseAddress { (output + outputEnd).copyMemory(from: start, byteCount: octets.count) }
        outputEnd += octets.count
    }

    /// With %XX for what is not printing, spaces and "%" (tcp_table(5)).
    private mutating func append(escaping octets: UnsafeRawBufferPointer) {
        for octet in octets {
            if octet > 32, octet < 127, octet != UInt8(ascii: "%") {
                append(octet: octet)
            } else {
                append(octet: UInt8(ascii: "%"))
                for digit in [octet >> 4, octet & 15] {
                    append(octet: digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
                }
            }
        }
    }

    /// In decimal digits, with a colon after it.
    private mutating func append(length: Int) {
        var divisor = 1
        while length / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(octet: UInt8(ascii: "0") + UInt8(length / divisor % 10))
            divisor /= 10
        }
        append(octet: UInt8(ascii: ":"))
    }

    private mutating func append(octet: UInt8) {
        output.storeBytes(of: octet, toByteOffset: outputEnd, as: UInt8.self)
        outputEnd += 1
    }

    private mutating func wait(_ time: Nanoseconds) {
        due[dueTail & dueMask] = time
        dueTail &+= 1
    }

    /// Sends what it can without waiting, in one write.
    mutating func flush() {
        guard hasUnsent else { return }
        let sent = send(socket, output + outputStart, outputEnd - outputStart, Int32(MSG_NOSIGNAL))
        if sent < 0 {
            if errno == EAGAIN || errno == EINTR { return }
            // The server has closed. What it said before is still to be read, and then `receive` fails.
            outputEnd = outputStart
        } else {
            outputStart += sent
        }
        if hasUnsent, outputStart > 0 { memmove(output, output + outputStart, outputEnd - outputStart) }
        outputEnd -= outputStart
        outputStart = 0
    }

    /// Reads once, without waiting where the socket doesn't.
    /// - Returns: whether anything came.
    @discardableResult
    mutating func receive() throws(CommandFailure) -> Bool {
        let got = read(socket, input + inputCount, Self.inputSize - inputCount)
        if got > 0 {
            inputCount += got
            return true
        }
        if got == 0 { throw lost("it closed the connection") }
        if errno == EAGAIN || errno == EINTR { return false }
        throw lost(String(cString: strerror(errno)))
    }

    /// Counts the replies that have come.
    mutating func takeReplies(at now: Nanoseconds, _ tally: inout BenchTally) throws(CommandFailure) {
        var index = 0
        let bytes = UnsafeRawBufferPointer(start: input, count: inputCount)
        while let reply = try next(in: bytes, from: &index) {
            if reply.code == 421 { throw closing(text(reply.line)) }
            guard dueHead != dueTail else { throw failure(.data, "answers what was not asked", text(reply.line)) }
            let time = due[dueHead & dueMask]
            dueHead &+= 1
            if time == 0 { continue }
            outstanding -= 1
            tally.count(reply.code, nanoseconds: now > time ? now - time : 0)
        }
        try keep(from: index)
    }

    private func next(
        in bytes: UnsafeRawBufferPointer, from index: inout Int
    ) throws(CommandFailure) -> ReplyScanner.Reply? {
        do {
            return try ReplyScanner.next(wire, in: bytes, from: &index)
        } catch {
            throw failure(.data, "does not speak \(wire == .smtp ? "SMTP" : wire.rawValue)", text(error.line))
        }
    }

    /// Leaves only the octets of a line that is not all there.
    private mutating func keep(from index: Int) throws(CommandFailure) {
        inputCount -= index
        guard inputCount > 0, index > 0 else {
            if inputCount == Self.inputSize { throw failure(.data, "sends a line without an end", text(0..<60)) }
            return
        }
        memmove(input, input + index, inputCount)
    }

    /// The next reply while the connection is being set up, with its last line; nil when it is not all there.
    mutating func takeReply() throws(CommandFailure) -> (code: Int, line: String)? {
        var index = 0
        let reply = try next(in: UnsafeRawBufferPointer(start: input, count: inputCount), from: &index)
        let answer = reply.map { (code: $0.code, line: text($0.line)) }
        try keep(from: index)
        return answer
    }

    /// Puts a command of the set-up into the output.
    mutating func say(_ command: StaticString) {
        append(command)
        flush()
    }

    /// Says QUIT where there is such a word; nothing may be outstanding.
    mutating func leave() { if wire == .smtp { say("QUIT\r\n") } }
}

extension BenchConnection {
    /// A line of the server for a person: printable, and not too long.
    private func text(_ line: Range<Int>) -> String {
        let octets = UnsafeRawBufferPointer(start: input, count: inputCount)[line].prefix(200)
        return String(decoding: octets.map { $0 < 32 || $0 == 127 ? UInt8(ascii: "?") : $0 }, as: UTF8.self)
    }

    private func lost(_ reason: String) -> CommandFailure {
        CommandFailure(.temporary, "lost the connection to \(server): \(reason)")
    }

    func closing(_ line: String) -> CommandFailure { failure(.temporary, "closes the connection", line) }

    func failure(_ status: ExitStatus, _ what: String, _ line: String) -> CommandFailure {
        CommandFailure(status, "\(server) \(what): \(line)")
    }
}
