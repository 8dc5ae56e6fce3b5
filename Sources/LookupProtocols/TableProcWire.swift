// OpenSMTPD's table process, protocol 0.1: lines with "|" between fields, on standard input and output (smtpd-tables(7),
// OpenSMTPD 7.6 and later; table_proc.c). smtpd ends itself at any reply that it can't read, and at an empty value: every
// line that it is sent is made here.

import MailAddress

/// What smtpd looks for in a table. It may ask for others too: those get an error.
public enum TableService: String, Hashable, Sendable, CaseIterable {
    /// The targets of an address, with "," between them.
    case alias
    case domain
    case mailaddr
}

/// A request.
public enum TableProcRequest: Hashable, Sendable {
    /// `config|NAME|VALUE`: what smtpd tells before it asks.
    case setting(name: [UInt8], value: [UInt8])
    /// `config|ready`: smtpd waits to hear what it may ask.
    case ready
    case ask(TableQuestion)
    /// `update`: to read again what a table is made of.
    case update(id: [UInt8])
    /// What smtpd would never send. It has no identifier, so that no reply to it can be told from one to another request.
    case unintelligible
}

/// `lookup` or `check` of one key. The key has not been looked at.
public struct TableQuestion: Hashable, Sendable {
    public var head: TableProcHead
    public var service: TableService
    public var key: [UInt8]

    public init(head: TableProcHead, service: TableService, key: [UInt8]) {
        self.head = head
        self.service = service
        self.key = key
    }
}

/// What a reply begins with.
public struct TableProcHead: Hashable, Sendable {
    public enum Operation: String, Hashable, Sendable, CaseIterable {
        case lookup, check, fetch, update
    }

    public var operation: Operation
    /// smtpd's own name for the request.
    public var id: [UInt8]

    public init(_ operation: Operation, id: [UInt8]) {
        self.operation = operation
        self.id = id
    }
}

/// A reply.
public enum TableProcReply: Hashable, Sendable {
    /// What may be asked; never empty.
    case services([TableService])
    /// `found`; the value is told where `lookup` asks for it.
    case found(TableProcHead, [UInt8])
    case absent(TableProcHead)
    /// It can't be told: smtpd writes the text to its log, and lets the client try again later.
    case trouble(TableProcHead, [UInt8])
    case updated(id: [UInt8])
}

/// The conversation with one smtpd.
public struct TableProcWire: LookupWire, Hashable {
    private var framing = NewlineFraming(limit: LookupLimits.tableProcRequest)
    /// Of the line at hand, when it is read past.
    private var overlongHead: TableProcHead?

    public init() {}

    public mutating func next(_ bytes: Span<UInt8>) -> LookupStep<TableProcRequest, TableProcReply> {
        switch framing.next(bytes) {
        case .incomplete(let consumed):
            if consumed > 0 { noteHead(of: bytes) }
            return .incomplete(consumed: consumed)
        case .overlong(let next):
            noteHead(of: bytes)
            defer { overlongHead = nil }
            guard let head = overlongHead else { return .ask(.unintelligible, next: next) }
            return .answer(.trouble(head, Self.overlong), next: next)
        case .line(let end, let next): return Self.step(bytes.array(0..<end), next: next)
        }
    }

    /// Keeps whom an overlong line is to be answered as, of its first octets.
    private mutating func noteHead(of bytes: Span<UInt8>) {
        if overlongHead == nil, bytes.count > LookupLimits.tableProcRequest {
            overlongHead = Fields(bytes.array(0..<LookupLimits.tableProcRequest))?.head
        }
    }

    private static func step(_ line: [UInt8], next: Int) -> LookupStep<TableProcRequest, TableProcReply> {
        if line.elementsEqual("config|ready".utf8) { return .ask(.ready, next: next) }
        if line.starts(with: "config|".utf8) {
            let setting = line[7...].split(separator: bar, maxSplits: 1, omittingEmptySubsequences: false)
            return .ask(
                .setting(name: Array(setting[0]), value: setting.count > 1 ? Array(setting[1]) : []), next: next)
        }
        guard let fields = Fields(line) else { return .ask(.unintelligible, next: next) }
        switch fields.head.operation {
        case .update: return .ask(.update(id: fields.head.id), next: next)
        case .fetch: return .answer(.trouble(fields.head, notServed), next: next)
        case .lookup, .check:
            guard let service = TableService(rawValue: String(decoding: fields.service, as: UTF8.self)) else {
                return .answer(.trouble(fields.head, notServed), next: next)
            }
            guard let key = fields.key else { return .answer(.trouble(fields.head, noKey), next: next) }
            guard String(validating: key, as: UTF8.self) != nil, !key.contains(where: { $0 < 32 || $0 == 127 }) else {
                return .answer(.trouble(fields.head, noText), next: next)
            }
            return .ask(.ask(TableQuestion(head: fields.head, service: service, key: key)), next: next)
        }
    }

    /// `table|VERSION|TIME|TABLE|OPERATION|SERVICE|ID|KEY`; `fetch` has no key, and `update` no service either. Only the
    /// last may hold a "|".
    private struct Fields {
        var head: TableProcHead
        var service: ArraySlice<UInt8> = []
        var key: [UInt8]?

        /// Nil where there is no identifier, or no operation that tells where it stands.
        init?(_ line: [UInt8]) {
            let parts = line.split(separator: bar, maxSplits: 7, omittingEmptySubsequences: false)
            guard parts.count >= 6, parts[0].elementsEqual("table".utf8),
                let operation = TableProcHead.Operation(rawValue: String(decoding: parts[4], as: UTF8.self))
            else { return nil }
            let place = operation == .update ? 5 : 6
            guard parts.indices.contains(place), !parts[place].isEmpty,
                parts[place].allSatisfy({ $0 > 32 && $0 < 127 })
            else { return nil }
            head = TableProcHead(operation, id: Array(parts[place]))
            if operation == .update { return }
            service = parts[5]
            if parts.count == 8 { key = Array(parts[7]) }
        }
    }

    public static func append(_ reply: TableProcReply, to output: inout [UInt8]) { output += lines(reply) }

    private static func lines(_ reply: TableProcReply) -> [UInt8] {
        switch reply {
        case .services(let services):
            return Array(services.map { "register|\($0.rawValue)\n" }.joined().utf8) + Array("register|ready\n".utf8)
        case .found(let head, let value):
            if head.operation == .check { return line(head, "found") }
            // smtpd ends itself at an empty value, and would take what follows a line end for another reply.
            guard !value.isEmpty, !value.contains(where: { $0 < 32 || $0 == 127 }) else {
                return lines(.trouble(head, noValue))
            }
            guard value.count <= LookupLimits.tableProcValue else { return lines(.trouble(head, tooLong)) }
            return line(head, "found", value)
        case .absent(let head): return line(head, "not-found")
        case .trouble(let head, let text):
            let shown = text.prefix(LookupLimits.tableProcText).map { $0 < 32 || $0 > 126 ? UInt8(ascii: "?") : $0 }
            return line(head, "error", shown.isEmpty ? Array("could not tell".utf8) : shown)
        case .updated(let id): return line(TableProcHead(.update, id: id), "ok")
        }
    }

    private static func line(_ head: TableProcHead, _ result: String, _ text: [UInt8]? = nil) -> [UInt8] {
        let start = Array("\(head.operation.rawValue)-result|".utf8) + head.id + [bar] + Array(result.utf8)
        return start + (text.map { [bar] + $0 } ?? []) + [UInt8(ascii: "\n")]
    }

    private static var bar: UInt8 { UInt8(ascii: "|") }

    static let notServed = Array(
        "5.5.4 The services are \(TableService.allCases.map(\.rawValue).joined(separator: ", "))".utf8)
    static let noKey = Array("5.5.4 A request has a service, an identifier and a key".utf8)
    static let noText = Array("5.5.2 The key is no text".utf8)
    static let noValue = Array("4.3.0 The value can't be said in one line".utf8)
    static let overlong = Array("5.5.2 The request is longer than \(LookupLimits.tableProcRequest) octets".utf8)
    public static let tooLong = Array(
        "4.3.0 The value is longer than the \(LookupLimits.tableProcValue) octets that smtpd takes".utf8)
}
