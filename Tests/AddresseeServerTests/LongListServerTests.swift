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
    let lookups: NIOLockedValueBox<Int>

    init(base: any Source, lookups: NIOLockedValueBox<Int>) {
        self.base = base
        self.lookups = lookups
    }

    var name: String { base.name }

    func answer(_ lookup: Lookup) -> Answer {
        lookups.withLockedValue { $0 += 1 }
        return base.answer(lookup)
    }

    func version() -> UInt64? { 1 }
}

struct LongListServerTests {
    private let lookups = NIOLockedValueBox(0)

    /// A server of one event loop, with a list of so many users whose names have so many octets.
    private func serve(
        members: Int, nameLength: Int = 0, takesMail: Bool = false,
        limit: Int? = nil, write: Duration? = nil, _ body: @escaping @Sendable (Int) async throws -> Void
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
            openSources: { [lookups] in
                [CountingSource(base: try MemoryStore(name: "first", records).source, lookups: lookups)]
            }, body)
    }

    /// Sends one line and gets the lines of its reply.
    private static func ask(_ line: String, _ peer: SocketPeer) async throws -> [String] {
        try await peer.send(Array("\(line)\r\n".utf8))
        return try await reply(of: peer)
    }

    private static func reply(of peer: SocketPeer) async throws -> [String] {
        var held: [UInt8] = []
        while true {
            let more = try await peer.receive()
            held += more
            guard more.isEmpty || held.suffix(2) == [13, 10] else { continue }
            let lines = String(decoding: held, as: UTF8.self).split(separator: "\r\n").map { String($0) }
            if more.isEmpty || lines.last?.dropFirst(3).first == " " { return lines }
        }
    }

    /// While one client's list is walked, another is answered: both on the same event loop.
    @Test(arguments: [true, false])
    func othersGoFirst(takesMail: Bool) async throws {
        let count = 20_000
        try await serve(members: count, takesMail: takesMail) { port in
            try await SocketPeer.connected(port: port) { peer in
                _ = try await Self.reply(of: peer)
                let line = takesMail ? "MAIL FROM:<>\r\nRCPT TO:<big@example.org>" : "NOOP\r\nEXPN big@example.org"
                #expect(try await Self.ask(line, peer).map { $0.prefix(3) } == ["250"])
                let before = lookups.withLockedValue { $0 }
                #expect(before < count / 2)
                try await SocketPeer.connected(port: port) { other in
                    _ = try await Self.reply(of: other)
                    for number in 0..<5 {
                        #expect(try await Self.ask("VRFY u\(number)@example.org", other).count == 1)
                    }
                }
                // All of that in less time than the list takes.
                #expect(lookups.withLockedValue { $0 } < count)
                let reply = try await Self.reply(of: peer)
                #expect(reply.count == (takesMail ? 1 : count))
                #expect(reply.allSatisfy { $0.hasPrefix("250") })
            }
        }
    }

    /// What a long walk found is found once for all who ask meanwhile, and for all who ask later.
    @Test(arguments: [true, false])
    func longWalksAreRemembered(takesMail: Bool) async throws {
        let count = 2000
        try await serve(members: count, takesMail: takesMail) { port in
            let line = takesMail ? "MAIL FROM:<>\r\nRCPT TO:<big@example.org>" : "NOOP\r\nEXPN big@example.org"
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 {
                    group.addTask {
                        try await SocketPeer.connected(port: port) { peer in
                            _ = try await Self.reply(of: peer)
                            _ = try await Self.ask(line, peer)
                            #expect(try await Self.reply(of: peer).count == (takesMail ? 1 : count))
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(lookups.withLockedValue { $0 } < count + 300)
        }
    }

    /// `remembered-recipients`: what was found of an address is found again from memory, or, with 0, from the source.
    @Test(arguments: [nil, 0])
    func recipientsAreRemembered(limit: Int?) async throws {
        try await serve(members: 10, limit: limit) { port in
            try await SocketPeer.connected(port: port) { peer in
                _ = try await Self.reply(of: peer)
                _ = try await Self.ask("MAIL FROM:<>", peer)
                for address in ["u1@example.org", "nobody@example.org", "big@example.org"] {
                    var taken: [Int] = []
                    for _ in 0..<2 {
                        let before = lookups.withLockedValue { $0 }
                        let reply = try await Self.ask("RCPT TO:<\(address)>", peer)
                        #expect(reply.first?.prefix(3) == (address.hasPrefix("nobody") ? "550" : "250"))
                        taken.append(lookups.withLockedValue { $0 } - before)
                    }
                    #expect(taken[0] > 0)
                    #expect(taken[1] == (limit == nil ? 0 : taken[0]))
                }
            }
        }
    }

    /// A client that takes little at a time, but goes on taking, gets all of its reply, however long that takes.
    @Test func slowReadersAreServed() async throws {
        let count = 8000
        try await serve(members: count, nameLength: 440, write: .milliseconds(500)) { port in
            let octets = await withCheckedContinuation { continuation in
                DispatchQueue.global().async { continuation.resume(returning: Self.readSlowly(from: port)) }
            }
            #expect(octets > count * 440)
        }
    }

    /// EXPN of the list, read some thousand octets at a time with a pause after each; then QUIT.
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
        var (sum, buffer) = (0, [UInt8](repeating: 0, count: 4096))
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { return sum }
            sum += count
            // The pace of the client.
            usleep(5000)
        }
    }
}
