// Reading a password from where a site keeps it.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension LDAPPassword {
    /// Longest password, in octets.
    private static let limit = 4096

    /// Where it is kept, for a message.
    var place: String {
        switch self {
        case .file(let path): "the file \(path)"
        case .environment(let name): "the environment variable \(name)"
        }
    }

    /// - Throws: that it is not there; never with what is there.
    func read() throws(LDAPFailure) -> [UInt8] {
        switch self {
        case .environment(let name):
            guard let value = getenv(name) else {
                throw LDAPFailure(.unreachable, "\(place) is not set; set it to the password, or name a file")
            }
            return Array(UnsafeBufferPointer(start: value, count: strlen(value)).map { UInt8(bitPattern: $0) })
        case .file(let path):
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                let what = errno == EACCES ? "rights" : "name"
                let reason = String(cString: strerror(errno))
                throw LDAPFailure(
                    .unreachable, "\(place) with the password can't be read: \(reason); check its \(what)")
            }
            defer { close(descriptor) }
            var bytes = [UInt8](repeating: 0, count: Self.limit)
            let count = bytes.withUnsafeMutableBytes { readOctets(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else {
                throw LDAPFailure(.unreachable, "\(place) with the password can't be read; check what it is")
            }
            let line = bytes[..<count].prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
            return Array(line)
        }
    }
}

/// read(2), by a name that no method hides.
private func readOctets(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}
