// Long lists on one event loop: others are answered first, what was found is remembered, and who reads slowly is not cut.

import AddresseeConfiguration
import DialogueTesting
import Foundation
import MailAddress
import MailboxDirectory
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing
import Verification

@testable import AddresseeServer

/// Counts what it is asked, and tells that nothing ever changes.
private final class CountingSource: Source {
    let base: any Source
    let counts: Counts

    init(base: any Source, counts: Counts) {
        self.base = base
        self.counts = counts
    }

    var name: String { base.name }

    func answer(_ lookup: Lookup) -> Answer {
        counts.note(lookup)
        return base.answer(lookup)
    }

    func version() -> UInt64? { 1 }
}

/// What the sources of a server were asked, on its one event loop.
private final class Counts: Sendable {
    private let all = NIOLockedValueBox(0)
    private let strangers = NIOLockedValueBox([Int]())
    /// Where it is set, a list is opened only when this is signalled: meanwhile other clients can ask.
    let gate: DispatchSemaphore?

    init(gate: DispatchSemaphore? = nil) { self.gate = gate }

    var lookups: Int { all.withLockedValue { $0 } }
    /// After how many lookups each question for somebody who is on no list came up.
    var whenStrangers: [Int] { strangers.withLockedValue { $0 } }

    func note(_ lookup: Lookup) {
        let count = all.withLockedValue { count in
            count += 1
            return count
        }
        switch lookup {
        case .entries(let keys) where keys[0].localPart.octets.starts(with: "stranger".utf8):
            strangers.withLockedValue { $0.append(count) }
        case .members: if let gate { _ = gate.wait(timeout: .now() + .seconds(600)) }
        default: break
        }
    }
}

struct LongListServerTests {
    /// A server of one event loop, with a list of so many users whose names have so many octets.
    private func serve(
        members: Int, nameLength: Int = 0, takesMail: Bool = false,
        limit: Int? = nil, write: Duration? = nil, counts: Counts = Counts(),
        _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let domain = try Domain("example.org")
        var settings = Configuration(
            file: "none", hostname: "mx.example", defaultDomain: domain,
            sources: [SourceConfiguration(name: "first", kind: .sqlite(path: "/nowhere"))],
            listeners: [ListenerConfiguration(wire: .smtp, address: .ip(host: "127.0.0.1", port: 0))],
            clients: [.trusted], limits: SessionLimits(), threads: 1)
        if takesMail { settings.nextHops = try ServedDirectory.nextHops(in: "/nowhere") }
        if let limit { settings.limits.rememberedRecipients = limit }
        if let write { settings.timeouts.write = write }
        let name = String(repeating: "n", count: nameLength)
        let users = try (0..<members).map { number in
            User(
                address: Mailbox(localPart: try LocalPart(octets: Array("u\(number)".utf8)), domain: domain),
                fullName: name)
        }
        let big = Record.list(
            MailingList(address: try Mailbox("big@example.org")),
            members: users.map { ListMember(mailbox: $0.address) })
        let records = [.domain(DomainRecord(domain: domain))] + users.map { .user($0) } + [big]
        try await ServedDirectory.serve(
            settings,
            openSources: { [CountingSource(base: try MemoryStore(name: "first", records).source, counts: counts)] },
            body)
    }

    /// Sends lines and gets the lines of as many replies.
    private static func ask(_ lines: String..., of peer: SocketPeer) async throws -> [[String]] {
        try await peer.send(Array((lines.joined(separator: "\r\n") + "\r\n").utf8))
        return try await replies(lines.count, of: peer)
    }

    /// So many replies, whatever the pieces that they come in.
    private static func replies(_ count: Int, of peer: SocketPeer) async throws -> [[String]] {
        var (held, start) = ([UInt8](), 0)
        var (replies, lines) = ([[String]](), [String]())
        while replies.count < count {
            let more = try await peer.receive()
            if more.isEmpty { break }
            held += more
            while let end = held[start...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: held[start..<end], as: UTF8.self)
                start = end + 1
                lines.append(line)
                if line.dropFirst(3).first == " " {
                    replies.append(lines)
                    lines = []
                }
            }
        }
        return replies
    }

    /// While one client's list is walked, others are answered: all on the same event loop.
    @Test(arguments: [true, false])
    func othersGoFirst(takesMail: Bool) async throws {
        let (count, gate) = (20_000, DispatchSemaphore(value: 0))
        let counts = Counts(gate: gate)
        try await serve(members: count, takesMail: takesMail, counts: counts) { port in
            try await SocketPeer.connected(port: port) { peer in
                _ = try await Self.replies(1, of: peer)
                try await SocketPeer.connected(port: port) { other in
                    _ = try await Self.replies(1, of: other)
                    let lines = takesMail ? "MAIL FROM:<>\r\nRCPT TO:<big@example.org>\r\n" : "EXPN big@example.org\r\n"
                    try await peer.send(Array(lines.utf8))
                    let questions = (0..<5).map { "VRFY stranger\($0)@example.org\r\n" }.joined()
                    try await other.send(Array(questions.utf8))
                    gate.signal()
                    #expect(try await Self.replies(5, of: other).allSatisfy { $0[0].hasPrefix("550") })
                }
                let replies = try await Self.replies(takesMail ? 2 : 1, of: peer)
                #expect(replies.last?.count == (takesMail ? 1 : count))
                #expect(replies.allSatisfy { $0.allSatisfy { $0.hasPrefix("250") } })
            }
        }
        // All of that in less time than the list took.
        #expect(counts.whenStrangers.count >= 5)
        #expect(counts.whenStrangers.allSatisfy { $0 < count / 2 }, "\(counts.whenStrangers)")
    }

    /// What a long walk found is found once for all who ask meanwhile, and for all who ask later.
    @Test(arguments: [true, false])
    func longWalksAreRemembered(takesMail: Bool) async throws {
        let (count, counts) = (2000, Counts())
        try await serve(members: count, takesMail: takesMail, counts: counts) { port in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 {
                    group.addTask {
                        try await SocketPeer.connected(port: port) { peer in
                            _ = try await Self.replies(1, of: peer)
                            let replies =
                                takesMail
                                ? try await Self.ask("MAIL FROM:<>", "RCPT TO:<big@example.org>", of: peer)
                                : try await Self.ask("EXPN big@example.org", of: peer)
                            #expect(replies.last?.count == (takesMail ? 1 : count))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(counts.lookups < count + 300)
    }

    /// `remembered-recipients`: what was found of an address is found again from memory, or, with 0, from the source.
    @Test(arguments: [nil, 0])
    func recipientsAreRemembered(limit: Int?) async throws {
        let counts = Counts()
        try await serve(members: 10, limit: limit, counts: counts) { port in
            try await SocketPeer.connected(port: port) { peer in
                _ = try await Self.replies(1, of: peer)
                _ = try await Self.ask("MAIL FROM:<>", of: peer)
                for address in ["u1@example.org", "nobody@example.org", "big@example.org"] {
                    var taken: [Int] = []
                    for _ in 0..<2 {
                        let before = counts.lookups
                        let reply = try await Self.ask("RCPT TO:<\(address)>", of: peer)
                        #expect(reply.first?.first?.prefix(3) == (address.hasPrefix("nobody") ? "550" : "250"))
                        taken.append(counts.lookups - before)
                    }
                    #expect(taken[0] > 0)
                    #expect(taken[1] == (limit == nil ? 0 : taken[0]))
                }
            }
        }
    }

    /// A client that takes little at a time, but goes on taking, gets all of its reply, though the kernel makes no room for
    /// more of it in a whole time-out.
    @Test func slowReadersAreServed() async throws {
        let count = 8000
        try await serve(members: count, nameLength: 440, write: .seconds(2)) { port in
            let octets = await withCheckedContinuation { continuation in
                DispatchQueue.global().async { continuation.resume(returning: Self.readSlowly(from: port)) }
            }
            #expect(octets > count * 440)
        }
    }

    /// EXPN of the list, of which so little is read for some seconds that nothing more can be sent; then all; then QUIT.
    /// - Returns: the octets that came.
    private static func readSlowly(from port: Int) -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var size: Int32 = 4096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return 0 }
        let line = Array("EXPN big@example.org\r\nQUIT\r\n".utf8)
        guard send(descriptor, line, line.count, 0) == line.count else { return 0 }
        var reads = 0
        var (sum, buffer) = (0, [UInt8](repeating: 0, count: 4096))
        while true {
            let count = recv(descriptor, &buffer, reads < 50 ? 1024 : buffer.count, 0)
            if count <= 0 { return sum }
            sum += count
            reads += 1
            // The pace of the client.
            if reads < 50 { usleep(100_000) }
        }
    }
}
