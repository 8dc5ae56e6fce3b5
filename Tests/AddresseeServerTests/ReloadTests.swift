// A server that is told to read its configuration again, and to stop: what is in force after that, and what the log says.

import AddresseeConfiguration
import DialogueTesting
import Foundation
import Logging
import MailAddress
import MailboxDirectory
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SMTPProtocol
import Testing
import Verification

@testable import AddresseeServer

struct ReloadTests {
    private struct Faulty: Error, CustomStringConvertible {
        var description: String { "line 3 is wrong" }
    }

    /// A server that a test tells what it is told, and what it reads.
    final class Running: Sendable {
        let log = LogBook()
        let threshold = LogThreshold(.info)
        let next: NIOLockedValueBox<Configuration?>
        fileprivate let events: AsyncStream<Server.Event>
        fileprivate let told: AsyncStream<Server.Event>.Continuation

        fileprivate init() {
            next = NIOLockedValueBox(nil)
            (events, told) = AsyncStream.makeStream(of: Server.Event.self)
        }

        /// Has the server read this; nil where it can't be read. Returns when it has.
        func reload(_ configuration: Configuration?) async throws {
            let before = log.lines.count { $0.contains("configuration-") }
            next.withLockedValue { $0 = configuration }
            told.yield(.reload)
            while log.lines.count(where: { $0.contains("configuration-") }) == before {
                try await Task.sleep(for: .milliseconds(5))
            }
        }

        func stop() { told.yield(.stop("enough")) }

        /// The addresses of the last line of this event.
        func ports(_ event: String) -> [Int] {
            let field = log.lines(event).last?.split(separator: " ").first { $0.hasPrefix("on=") }
            return field?.dropFirst(3).split(separator: ",").compactMap {
                $0.split(separator: ":").last.flatMap { Int($0) }
            } ?? []
        }
    }

    static func settings(_ wires: ListenerWire...) throws -> Configuration {
        Configuration(
            file: "addressee.yaml", hostname: "mx.example", defaultDomain: try .init("example.org"),
            sources: [SourceConfiguration(name: "main", kind: .sqlite(path: "/nowhere"))],
            listeners: wires.map { ListenerConfiguration(wire: $0, address: .ip(host: "127.0.0.1", port: 0)) },
            clients: [.trusted, .everyone], threads: 2)
    }

    /// Runs a server of the directory of the tables while `body` tells it what to do; then it stops.
    /// - Parameters:
    ///   - failing: the hostname of a configuration whose sources can't be opened.
    ///   - isSilent: whether the directory never answers.
    static func run(
        _ configuration: Configuration, failing: String? = nil, isSilent: Bool = false,
        _ body: @escaping @Sendable (Running) async throws -> Void
    ) async throws -> [String] {
        let running = Running()
        let records = try DialogueFiles.directory("table").sources[0].records
        let server = Server(
            logger: running.log.logger, threshold: running.threshold,
            openSources: { configuration in
                if configuration.hostname == failing { throw Faulty() }
                return {
                    let source: any Source = try MemoryStore(name: "main", records).source
                    return [isSilent ? HeldSource(base: source) : source]
                }
            },
            reload: {
                guard let next = running.next.withLockedValue({ $0 }) else { throw Faulty() }
                return next
            })
        let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // Where it does not start there is nothing to be told.
                defer { isReady.finish() }
                try await server.run(configuration, events: running.events) { _ in isReady.yield() }
            }
            group.addTask {
                guard await ready.first(where: { _ in true }) != nil else { return }
                try await body(running)
                running.stop()
            }
            try await group.waitForAll()
        }
        return running.log.lines
    }

    static func greeting(_ port: Int) async throws -> String {
        try await SocketPeer.connected(port: port) { String(decoding: try await $0.receive(), as: UTF8.self) }
    }

    @Test func startAndStop() async throws {
        let lines = try await Self.run(try Self.settings(.smtp)) { server in
            let port = try #require(server.ports("listening").first)
            #expect(try await Self.greeting(port).hasPrefix("220 mx.example"))
        }
        #expect(lines.first?.hasPrefix("info listening on=127.0.0.1:") == true)
        #expect(lines.first?.hasSuffix(" sources=main") == true)
        #expect(lines.contains { $0.hasPrefix("info stopping connections=") && $0.hasSuffix("reason=enough") })
        #expect(lines.last == "info stopped")
    }

    /// What the new file says is in force for those who connect now; connections that are open keep how they are served.
    @Test func reload() async throws {
        let lines = try await Self.run(try Self.settings(.smtp)) { server in
            let port = try #require(server.ports("listening").first)
            try await SocketPeer.connected(port: port) { early in
                _ = try await early.receive()
                var next = try Self.settings(.smtp, .socketmap)
                next.hostname = "other.example"
                next.logLevel = .debug
                next.threads = 3
                try await server.reload(next)
                #expect(server.threshold.value == .debug)
                let ports = server.ports("configuration-reloaded")
                #expect(ports.count == 2 && ports.first == port)
                #expect(try await Self.greeting(port).hasPrefix("220 other.example"))
                let answer = try await SocketPeer.connected(port: ports[1]) { peer in
                    try await peer.send(SocketmapServerTests.octets([("mailboxes", "fred@example.org")]))
                    return try await SocketmapServerTests.replies(1, from: peer)
                }
                #expect(answer == ["OK fred@example.org"])
                try await early.send(Array("NOOP\r\n".utf8))
                #expect(try await early.receive().starts(with: "250".utf8))
                // A listener that has gone is closed.
                try await server.reload(try Self.settings(.smtp))
                await #expect(throws: (any Error).self) { try await Self.greeting(ports[1]) }
            }
        }
        #expect(lines.contains { $0.hasPrefix("info configuration-reloaded file=addressee.yaml on=127.0.0.1:") })
        #expect(lines.filter { $0.contains("needs-restart") } == ["warning needs-restart key=threads"])
    }

    /// A new file that is wrong, whatever is wrong with it, leaves all as it was.
    @Test func whatCanNotBeUsedIsNot() async throws {
        let lines = try await Self.run(try Self.settings(.smtp), failing: "broken.example") {
            server in
            let port = try #require(server.ports("listening").first)
            try await server.reload(nil)
            #expect(try await Self.greeting(port).hasPrefix("220 mx.example"))
            // Its sources can't be opened; the listener with other settings was closed for it, and is opened again.
            var next = try Self.settings(.smtp)
            next.hostname = "broken.example"
            next.logLevel = .debug
            next.listeners.append(ListenerConfiguration(address: .ip(host: "127.0.0.1", port: 0)))
            try await server.reload(next)
            #expect(server.threshold.value == .info)
            #expect(try await Self.greeting(port).hasPrefix("220 mx.example"))
        }
        let failures = lines.filter { $0.contains("configuration-not-reloaded") }
        #expect(
            failures
                == Array(
                    repeating: "error configuration-not-reloaded file=addressee.yaml kept=the old one "
                        + "reason=line 3 is wrong", count: 2))
        #expect(!lines.contains { $0.contains("configuration-reloaded") })
    }

    /// A listener that was opened for a file that can't be used is closed again.
    @Test func aListenerThatIsNotUsed() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("addressee-\(UUID())").path
        _ = try await Self.run(try Self.settings(.smtp), failing: "broken.example") { server in
            var next = try Self.settings(.smtp)
            next.hostname = "broken.example"
            next.listeners.append(ListenerConfiguration(address: .unix(path: path)))
            try await server.reload(next)
            await #expect(throws: (any Error).self) {
                try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                    .connect(unixDomainSocketPath: path).get()
            }
        }
    }

    /// An address that stays, with other settings: it is closed first, and opened as it was where the rest fails.
    @Test func anAddressWithOtherSettings() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("addressee-\(UUID())").path
        func settings(mode: UInt16, hostname: String = "mx.example") throws -> Configuration {
            var settings = try Self.settings(.smtp)
            settings.hostname = hostname
            settings.listeners = [ListenerConfiguration(address: .unix(path: path), unixMode: mode)]
            return settings
        }
        @Sendable func mode() throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        let (first, second) = (try settings(mode: 0o600), try settings(mode: 0o660))
        let third = try settings(mode: 0o666, hostname: "broken.example")
        _ = try await Self.run(first, failing: "broken.example") { server in
            #expect(try mode() == 0o600)
            try await server.reload(second)
            #expect(try mode() == 0o660)
            try await server.reload(third)
            #expect(try mode() == 0o660)
            #expect(
                server.log.lines("configuration-not-reloaded").map { $0.hasSuffix("reason=line 3 is wrong") } == [true])
        }
    }

    /// An address in use is named, with what to do, and the server does not start.
    @Test func addressInUse() async throws {
        _ = try await Self.run(try Self.settings(.smtp)) { server in
            let port = try #require(server.ports("listening").first)
            var other = try Self.settings(.smtp)
            other.listeners[0].address = .ip(host: "127.0.0.1", port: port)
            do {
                _ = try await Self.run(other) { _ in }
                Issue.record("it has started")
            } catch {
                #expect(
                    "\(error)" == "can't listen on 127.0.0.1:\(port): another program listens there already; "
                        + "stop it or choose another address")
            }
        }
    }

    /// Of a configuration that can't be used no listener stays open.
    @Test func listenersOfWhatCanNotBeUsed() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("addressee-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try await Self.run(try Self.settings(.smtp), failing: "broken.example") { server in
            var next = try Self.settings(.smtp)
            next.listeners.append(ListenerConfiguration(address: .unix(path: path)))
            next.hostname = "broken.example"
            try await server.reload(next)
            // It could not be opened twice.
            next.hostname = "mx.example"
            try await server.reload(next)
            #expect(server.log.lines("configuration-not-reloaded").count == 1)
            #expect(server.log.lines("configuration-reloaded").count == 1)
        }
    }

    /// What a next hop offers is asked at start, and when one comes with another configuration.
    @Test(.timeLimit(.minutes(2))) func nextHopsAreIntroduced() async throws {
        let hop = ScriptedServer([], greeting: "220 x\r\n")
        let hello = "EHLO mx.example\r\n"
        try await hop.run { port in
            var settings = try Self.settings(.smtp)
            let server = MailServer(dialect: .smtp, address: .host("127.0.0.1", port: port))
            settings.nextHops = [NextHopConfiguration(name: "inside", kind: .server(server))]
            _ = try await Self.run(try Self.settings(.smtp)) { [settings] running in
                #expect(hop.connections == 0)
                try await running.reload(settings)
                while hop.questions != [hello] { try await Task.sleep(for: .milliseconds(5)) }
            }
            _ = try await Self.run(settings) { _ in
                while hop.questions.count(where: { $0 == hello }) < 2 {
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
        }
    }

    /// A socket that nobody listens on any more is replaced; one that another server has is not.
    @Test func socketsThatAreThere() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("addressee-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(left, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        #expect(isBound)
        close(left)
        var settings = try Self.settings(.smtp)
        settings.listeners.append(ListenerConfiguration(address: .unix(path: path)))
        let lines = try await Self.run(settings) { [settings] server in
            var other = settings
            other.listeners.removeFirst()
            do {
                _ = try await Self.run(other) { _ in }
                Issue.record("it has started")
            } catch {
                #expect(
                    "\(error)" == "can't listen on unix:\(path): another program listens there already; "
                        + "stop it or choose another address")
            }
        }
        #expect(lines.first?.contains(",unix:\(path) ") == true)
    }

    /// Mail is taken from when a next hop is in the configuration, and what lies in its folders is looked through.
    @Test(.timeLimit(.minutes(2))) func nextHopsThatCome() async throws {
        let place = MessageServerTests.Place()
        defer { place.remove() }
        let folder = "\(place.folder)/example.org/ann/tmp"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("x".utf8).write(to: URL(fileURLWithPath: "\(folder)/old"))
        let old = time(nil) - 40 * 3600
        var times = [timeval(tv_sec: old, tv_usec: 0), timeval(tv_sec: old, tv_usec: 0)]
        #expect(utimes("\(folder)/old", &times) == 0)
        let start = "MAIL FROM:<me@elsewhere.example>\r\nRCPT TO:<fred@example.org>\r\nDATA\r\n"
        _ = try await Self.run(try Self.settings(.smtp)) { server in
            let port = try #require(server.ports("listening").first)
            @Sendable func last(_ count: Int, to text: String) async throws -> String? {
                try await SocketPeer.connected(port: port) { peer in
                    try await MessageServerTests.replies(count, to: text, over: peer).last
                }
            }
            #expect(try await last(4, to: start)?.hasPrefix("554 5.3.2") == true)
            var next = try Self.settings(.smtp)
            next.nextHops = try ServedDirectory.nextHops(in: place.folder)
            try await server.reload(next)
            #expect(try await last(5, to: start + "Subject: x\r\n.\r\n") == "250 2.0.0 OK")
            #expect(place.messages("example.org/fred").count == 1)
            while server.log.lines("stale-files-removed").isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            #expect(
                server.log.lines("stale-files-removed") == ["info stale-files-removed files=1 next-hop=everywhere"])
            // And no more when it has gone.
            try await server.reload(try Self.settings(.smtp))
            #expect(try await last(4, to: start)?.hasPrefix("554 5.3.2") == true)
        }
    }

    /// What is under way when the server stops is answered, for as long as `shutdown`.
    @Test func stopping() async throws {
        let lines = try await Self.run(try Self.settings(.smtp)) { server in
            let port = try #require(server.ports("listening").first)
            try await SocketPeer.connected(port: port) { peer in
                _ = try await peer.receive()
                server.stop()
                let last = try await peer.receive()
                #expect(last.starts(with: "421 4.3.2 mx.example Service not available".utf8))
            }
        }
        #expect(lines.last == "info stopped")
    }

    /// `shutdown` is as the last file says: a question that is never answered holds nobody up for longer.
    @Test(.timeLimit(.minutes(1))) func stoppingAfterAReload() async throws {
        var settings = try Self.settings(.smtp)
        settings.timeouts.shutdown = .seconds(3600)
        let lines = try await Self.run(settings, isSilent: true) { [settings] server in
            let port = try #require(server.ports("listening").first)
            var next = settings
            next.timeouts.shutdown = .milliseconds(10)
            try await server.reload(next)
            try await SocketPeer.connected(port: port) { peer in
                _ = try await peer.receive()
                try await peer.send(Array("VRFY fred@example.org\r\n".utf8))
                server.stop()
                while let more = try? await peer.receive(), !more.isEmpty {}
            }
        }
        #expect(lines.last == "info stopped")
    }

    /// Next hops that come with a new file take mail at once, and what a mail server offers is asked before any comes.
    @Test(.timeLimit(.minutes(1))) func nextHops() async throws {
        let hop = ScriptedServer([], greeting: "220 x\r\n")
        let place = MessageServerTests.Place()
        defer { place.remove() }
        try await hop.run { hopPort in
            _ = try await Self.run(try Self.settings(.smtp)) { server in
                let port = try #require(server.ports("listening").first)
                var next = try Self.settings(.smtp)
                next.nextHops = try ServedDirectory.nextHops(in: place.folder)
                next.nextHops[0].route.places = [.mailboxes]
                let outside = MailServer(dialect: .smtp, address: .host("127.0.0.1", port: hopPort))
                next.nextHops.append(
                    NextHopConfiguration(name: "outside", kind: .server(outside), route: Route(places: [.elsewhere])))
                try await server.reload(next)
                while hop.questions.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
                #expect(hop.questions == ["EHLO mx.example\r\n"])
                try await SocketPeer.connected(port: port) { peer in
                    let text = MessageServerTests.transaction("fred@example.org", message: "Subject: x")
                    let replies = try await MessageServerTests.replies(5, to: text, over: peer)
                    #expect(replies.last == "250 2.0.0 OK")
                }
            }
        }
        #expect(place.files.count == 1)
    }

    /// A default domain that no source has is told of.
    @Test func defaultDomain() async throws {
        var settings = try Self.settings(.smtp)
        settings.defaultDomain = try .init("missing.example")
        let lines = try await Self.run(settings) { _ in }
        #expect(
            lines.filter { $0.contains("default-domain") } == [
                "warning default-domain-not-on-record "
                    + "do=addressee domain add missing.example, or correct default-domain domain=missing.example"
            ])
        let others = try await Self.run(try Self.settings(.smtp)) { _ in }
        #expect(!others.contains { $0.contains("default-domain") })
    }

    /// A file that others may change is told of at start, and when the configuration is read again.
    @Test func exposedFiles() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("exposed-\(UUID().uuidString)").path
        #expect(FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o666]))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: path)
        var settings = try Self.settings(.smtp)
        settings.file = path
        let line =
            "warning file-exposed do=chmod o-w \(path) "
            + "reason=the configuration \(path) may be written by every user of this machine"
        let lines = try await Self.run(settings) { [settings] server in
            #expect(server.log.lines("file-exposed") == [line])
            try await server.reload(settings)
        }
        #expect(lines.filter { $0.contains("file-exposed") } == [line, line])
    }

    // MARK: Settings

    @Test func whatASessionIsMadeOf() throws {
        var settings = try Self.settings(.smtp)
        settings.limits = SessionLimits(
            recipients: 101, pipelinedQuestions: 7, errors: 3, rememberedRecipients: 1000, messageSize: 0,
            traceFields: 50)
        settings.threads = 4
        settings.expansion.addresses = 77
        let service = try Service(settings)
        let listener = ListenerConfiguration(address: .ip(host: "0.0.0.0", port: 25), enhancedCodes: false)
        let open = service.session(of: .trusted, at: listener)
        #expect(open.hostname == Array("mx.example".utf8) && open.form == .plain)
        #expect(open.offersVerify && open.offersExpand && !open.takesMail && !open.offersTLS)
        #expect(
            !open.offersNotifications && service.session(of: .trusted, at: listener, notifies: true).offersNotifications
        )
        #expect(open.messageSize == nil && open.recipients == 101 && open.slots == 7)
        #expect(open.errors == 3 && open.traceFields == 50)
        let closed = service.session(of: .everyone, at: ListenerConfiguration.standard)
        #expect(!closed.offersVerify && !closed.offersExpand && closed.form == .enhanced)
        #expect(service.rememberedRecipients == 250 && service.longAnswers == 77)
        settings.limits.rememberedRecipients = 0
        settings.limits.messageSize = 5
        let none = try Service(settings)
        #expect(none.rememberedRecipients == 0 && none.longAnswers == 0)
        #expect(none.session(of: .trusted, at: listener).messageSize == 5)
    }

    /// TLS that can't be had is told of with the file.
    @Test func certificates() throws {
        var settings = try Self.settings(.smtp)
        settings.tls = TLSConfiguration(certificate: "/nowhere/cert.pem", privateKey: "/nowhere/key.pem")
        let error = #expect(throws: ServerError.self) { try Service(settings) }
        #expect(
            error?.description == "can't use the certificate /nowhere/cert.pem with the key /nowhere/key.pem: "
                + "/nowhere/cert.pem can't be read")
        settings.tls = nil
        let server = MailServer(
            dialect: .smtp, address: .host("x", port: 25), security: .startTLS, authorities: "/nowhere/ca.pem")
        settings.nextHops = [NextHopConfiguration(name: "inside", kind: .server(server))]
        let other = #expect(throws: ServerError.self) { try Service(settings) }
        #expect(other?.description == "can't use the next hop inside: /nowhere/ca.pem can't be read")
    }
}
