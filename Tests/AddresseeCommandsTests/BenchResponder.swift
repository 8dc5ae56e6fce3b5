// The least that `addressee bench` can be pointed at: a thread a connection, blocking.

import Foundation
import Glibc
import Synchronization
import Verification

@testable import AddresseeCommands

/// Knows fred, and closes after an answer of 421 or an empty one. Ends with its owner.
final class BenchResponder: Sendable {
    enum Place {
        case ipv4
        case ipv6
        case unix
    }

    /// What stands for the server in the options.
    let address: String
    private let descriptor: Int32
    private let counts: Counts

    private final class Counts: Sendable {
        let greeted = Mutex(0)
        let mostRecipients = Mutex(0)
    }

    var greeted: Int { counts.greeted.withLock { $0 } }
    var mostRecipients: Int { counts.mostRecipients.withLock { $0 } }

    /// - Parameter answer: replaces the usual answer to a line, when it gives one.
    init(
        _ place: Place = .ipv4, greeting: String = "220-responder\r\n220 ready\r\n",
        _ answer: @escaping @Sendable (String) -> String? = { _ in nil }
    ) throws {
        (descriptor, address) = try Self.listen(place)
        counts = Counts()
        let (listening, counts) = (descriptor, counts)
        Thread.detachNewThread {
            while true {
                let client = accept(listening, nil, nil)
                if client < 0 { return }
                counts.greeted.withLock { $0 += 1 }
                Thread.detachNewThread {
                    Self.serve(client, greeting: greeting, counts: counts, answer)
                    close(client)
                }
            }
        }
    }

    deinit {
        stop()
        if address.hasPrefix("unix:") { unlink(String(address.dropFirst("unix:".count))) }
    }

    func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    private static func serve(
        _ client: Int32, greeting: String, counts: Counts, _ answer: (String) -> String?
    ) {
        guard write(greeting, to: client), greeting.hasPrefix("220 ") || greeting.contains("220 ") else { return }
        var rest: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        var recipients = 0
        while true {
            let got = read(client, &piece, piece.count)
            if got <= 0 { return }
            rest += piece[..<got]
            var replies = ""
            while let newline = rest.firstIndex(of: 10) {
                let line = String(decoding: rest[..<newline], as: UTF8.self).replacing("\r", with: "")
                rest.removeSubrange(...newline)
                if line == "RSET" { recipients = 0 }
                if line.hasPrefix("RCPT") { recipients += 1 }
                let most = recipients
                counts.mostRecipients.withLock { $0 = max($0, most) }
                let reply = answer(line) ?? usual(line)
                replies += reply
                if reply.isEmpty || reply.hasPrefix("421") {
                    _ = write(replies, to: client)
                    return
                }
            }
            guard write(replies, to: client) else { return }
        }
    }

    private static func usual(_ line: String) -> String {
        switch line.prefix(4) {
        case "EHLO": "250-responder\r\n250 PIPELINING\r\n"
        case "RCPT": line == "RCPT TO:<fred@example.org>" ? "250 2.1.5 OK\r\n" : "550 5.1.1 No such user here\r\n"
        case "VRFY": "252 2.7.0 no\r\n"
        case "EXPN": "250-<fred@example.org>\r\n250-<sam@example.org>\r\n250 <wilma@example.org>\r\n"
        case "QUIT": "221 bye\r\n"
        default: "250 OK\r\n"
        }
    }

    private static func write(_ text: String, to client: Int32) -> Bool {
        let bytes = Array(text.utf8)
        return send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    private static func listen(_ place: Place) throws -> (Int32, String) {
        var storage = sockaddr_storage()
        let path = NSTemporaryDirectory() + "bench-\(UUID().uuidString.prefix(8))"
        var length = withUnsafeMutableBytes(of: &storage) { bytes in
            switch place {
            case .ipv4:
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
                bytes.storeBytes(of: address, as: sockaddr_in.self)
                return socklen_t(MemoryLayout<sockaddr_in>.size)
            case .ipv6:
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_addr = in6addr_loopback
                bytes.storeBytes(of: address, as: sockaddr_in6.self)
                return socklen_t(MemoryLayout<sockaddr_in6>.size)
            case .unix:
                var address = sockaddr_un()
                address.sun_family = sa_family_t(AF_UNIX)
                withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
                bytes.storeBytes(of: address, as: sockaddr_un.self)
                return socklen_t(MemoryLayout<sockaddr_un>.size)
            }
        }
        let descriptor = socket(Int32(storage.ss_family), Int32(SOCK_STREAM.rawValue), 0)
        let isListening = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(descriptor, address, length) == 0, Glibc.listen(descriptor, 64) == 0 else { return false }
                return getsockname(descriptor, address, &length) == 0
            }
        }
        guard isListening else { throw CommandFailure(.temporary, String(cString: strerror(errno))) }
        let port = withUnsafeBytes(of: &storage) { Int($0[2]) << 8 + Int($0[3]) }
        switch place {
        case .ipv4: return (descriptor, "127.0.0.1:\(port)")
        case .ipv6: return (descriptor, "[::1]:\(port)")
        case .unix: return (descriptor, "unix:\(path)")
        }
    }
}
