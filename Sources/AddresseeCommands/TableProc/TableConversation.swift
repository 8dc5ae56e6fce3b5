// One conversation with smtpd: requests from standard input, in whatever pieces, and a reply to each, in order.

import AddresseeConfiguration
import Foundation
import LookupProtocols
import MailboxDirectory
import Verification

/// The conversation. It lasts until smtpd closes its side.
final class TableConversation {
    private var table: TableInquiry.Table
    private let open: () throws -> ConfiguredDirectory
    private var directory: ConfiguredDirectory
    private var sources: [any Source]
    private var inquiries: Inquiry.Context
    private let output = Output.current

    /// - Parameter open: reads the configuration; called once here, and for each `update`.
    /// - Throws: what `open` does, and `CommandFailure` where a source can't be made.
    init(table: TableInquiry.Table, open: @escaping () throws -> ConfiguredDirectory) throws {
        self.table = table
        self.open = open
        directory = try open()
        sources = try directory.sources()
        inquiries = directory.configuration.inquiries
    }

    /// - Throws: `Output.Closed` where smtpd takes no replies; `CommandFailure`.
    func run() throws {
        var wire = TableProcWire()
        var held: [UInt8] = []
        while let more = try Self.read() {
            held += more
            var start = 0
            requests: while true {
                switch wire.next(held.span.extracting(start...)) {
                case .incomplete(let consumed):
                    start += consumed
                    break requests
                case .ask(let request, let next):
                    start += next
                    if let reply = answer(request) { try write(reply) }
                case .answer(let reply, let next):
                    start += next
                    try write(reply)
                case .fail(let reply): return try write(reply)
                }
            }
            held.removeFirst(start)
        }
    }

    /// At once: smtpd asks nothing more before it has its answer.
    private func write(_ reply: TableProcReply) throws {
        try output.write(String(decoding: TableProcWire.reply(reply), as: UTF8.self))
    }

    /// Nil where nothing is to be said.
    func answer(_ request: TableProcRequest) -> TableProcReply? {
        switch request {
        case .setting(let name, let value):
            if name.elementsEqual("tablename".utf8) { table.name = value }
            return nil
        case .ready: return .services(table.services)
        case .ask(let question): return answer(question)
        case .update(let id):
            do {
                try reopen()
                return .updated(id: id)
            } catch {
                return .trouble(TableProcHead(.update, id: id), Array("\(error)".utf8))
            }
        case .unintelligible:
            output.error("a line that is no request of smtpd's was not answered")
            return nil
        }
    }

    private func reopen() throws {
        let directory = try open()
        sources = try directory.sources()
        inquiries = directory.configuration.inquiries
        self.directory = directory
    }

    private func answer(_ question: TableQuestion) -> TableProcReply {
        // smtpd does not say whom it passes the words on to: then it is nobody's friend.
        let stranger = directory.configuration.clientClass(of: ClientAddress(ipv6High: 0, low: 0))
        let inquiry = TableInquiry(question, to: table, for: stranger, in: inquiries)
        guard let expansion = inquiry.expansion else { return inquiry.reply(on: nil) }
        for source in sources { source.beginBatch() }
        defer { for source in sources { source.endBatch() } }
        let resolution = expansion.run(sources)
        // smtpd writes the reason to its log; no client sees it.
        if let trouble = resolution.outcome.trouble { return .trouble(question.head, Array(trouble.utf8)) }
        return inquiry.reply(on: resolution)
    }

    /// What has come in; nil at the end.
    private static func read() throws -> [UInt8]? {
        let size = 65_536
        while true {
            var count = 0
            let octets = [UInt8](unsafeUninitializedCapacity: size) { buffer, used in
                count = Foundation.read(STDIN_FILENO, buffer.baseAddress, size)
                used = max(0, count)
            }
            if count > 0 { return octets }
            if count == 0 { return nil }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
                poll(&descriptor, 1, -1)
            // smtpd has died: there is nobody to answer.
            case ECONNRESET: return nil
            default:
                throw CommandFailure(.temporary, "standard input can't be read: \(String(cString: strerror(errno)))")
            }
        }
    }
}
