// From an address to a connection that can be asked.

import AddresseeConfiguration
import Glibc
import Verification

extension BenchConnection {
    /// Seconds that a server may take to greet: some look the client up first, or make it wait.
    static let patience = 30

    /// Connects, and goes as far as the first question. The socket waits 100 ms for what it reads.
    static func opened(_ plan: BenchPlan, longestName: Int, stop: StopSignal) throws(CommandFailure) -> BenchConnection
    {
        var connection = BenchConnection(
            socket: try plan.server.connected(), plan: plan, longestName: longestName)
        try connection.begin(stop)
        return connection
    }

    private mutating func begin(_ stop: StopSignal) throws(CommandFailure) {
        // Elsewhere nobody greets.
        guard wire == .smtp else { return }
        let greeting = try reply(stop)
        guard greeting.code == 220 else { throw failure(.temporary, "refuses the connection", greeting.line) }
        var hello = try ask("EHLO addressee-bench.invalid\r\n", stop)
        // A server of RFC 821 knows no EHLO.
        if hello.code >= 500 { hello = try ask("HELO addressee-bench.invalid\r\n", stop) }
        guard hello.code == 250 else { throw failure(.temporary, "refuses EHLO", hello.line) }
        guard isTransaction else { return }
        let mail = try ask("MAIL FROM:<>\r\n", stop)
        guard mail.code == 250 else { throw failure(.temporary, "refuses MAIL FROM:<>", mail.line) }
    }

    private mutating func ask(_ command: StaticString, _ stop: StopSignal) throws(CommandFailure) -> (
        code: Int, line: String
    ) {
        say(command)
        let answer = try reply(stop)
        if answer.code == 421 { throw closing(answer.line) }
        return answer
    }

    private mutating func reply(_ stop: StopSignal) throws(CommandFailure) -> (code: Int, line: String) {
        for _ in 0..<(Self.patience * 10) {
            if let answer = try takeReply() { return answer }
            if stop.isRaised { throw CommandFailure(.temporary, "stopped before anything was measured") }
            try receive()
        }
        throw CommandFailure(.temporary, "\(server) took the connection, but said nothing for \(Self.patience) s")
    }

    /// From here on nothing waits.
    func stopBlocking() {
        _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
    }
}

extension ListenAddress {
    /// A blocking socket whose reads end after 100 ms.
    fileprivate func connected() throws(CommandFailure) -> Int32 {
        var storage = sockaddr_storage()
        let length = fill(&storage)
        let descriptor = socket(Int32(storage.ss_family), Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw unreachable() }
        var one: Int32 = 1
        var wait = timeval(tv_sec: 0, tv_usec: 100_000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        let status = withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) }
        }
        guard status == 0 else {
            let failure = unreachable()
            close(descriptor)
            throw failure
        }
        if case .ip = self {
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        }
        return descriptor
    }

    private func unreachable() -> CommandFailure {
        let code = errno
        let reason = String(cString: strerror(code))
        let hint = code == EMFILE ? "; allow more files with ulimit -n" : "; is the server running there?"
        return CommandFailure(.temporary, "can't connect to \(self): \(reason)\(hint)")
    }

    /// - Returns: how many octets of it count.
    private func fill(_ storage: inout sockaddr_storage) -> socklen_t {
        withUnsafeMutableBytes(of: &storage) { bytes in
            switch self {
            case .unix(let path):
                var address = sockaddr_un()
                address.sun_family = sa_family_t(AF_UNIX)
                withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
                bytes.storeBytes(of: address, as: sockaddr_un.self)
                return socklen_t(MemoryLayout<sockaddr_un>.size)
            case .ip(let host, let port) where host.contains(":"):
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_port = in_port_t(port).bigEndian
                inet_pton(AF_INET6, host, &address.sin6_addr)
                bytes.storeBytes(of: address, as: sockaddr_in6.self)
                return socklen_t(MemoryLayout<sockaddr_in6>.size)
            case .ip(let host, let port):
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = in_port_t(port).bigEndian
                inet_pton(AF_INET, host, &address.sin_addr)
                bytes.storeBytes(of: address, as: sockaddr_in.self)
                return socklen_t(MemoryLayout<sockaddr_in>.size)
            }
        }
    }
}
