// A slapd of the tests' own: one for the whole run, in a temporary folder, with our schema. It ends with this process.

import CLDAP
import Foundation
import LDAPDirectory
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Whether there is a slapd. In CI there must be one.
let hasSlapd: Bool = {
    if FileManager.default.isExecutableFile(atPath: "/usr/sbin/slapd") { return true }
    FileHandle.standardError.write(
        Data("skipped: the tests that need slapd; install it with: apt-get install slapd\n".utf8))
    return ProcessInfo.processInfo.environment["CI"] == "true"
}()

/// A running slapd.
final class Slapd: Sendable {
    static let suffix = "o=test"
    static let rootDN = "cn=root,o=test"
    static let password = "secret"

    let folder: URL
    let port: UInt16
    let pid: Int32
    /// While it is open, the daemon runs.
    private let lifeline: Int32

    var uri: String { "ldap://127.0.0.1:\(port)" }
    var ldapi: String { "ldapi://\(socket.replacingOccurrences(of: "/", with: "%2F"))" }
    private var socket: String { folder.appending(path: "ldapi").path }

    private static let started = Result { try Slapd() }

    /// The one that tests share; each works below a base of its own.
    static func shared() throws -> Slapd { try started.get() }

    init(more: String = "", database: String = "") throws {
        folder = FileManager.default.temporaryDirectory.appending(
            path: "addressee-slapd-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder.appending(path: "db"), withIntermediateDirectories: true)
        port = try freePort()
        let schema = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../schema/ldap/addressee.schema")
        let configuration = """
            include /etc/ldap/schema/core.schema
            include /etc/ldap/schema/cosine.schema
            include /etc/ldap/schema/inetorgperson.schema
            include /etc/ldap/schema/nis.schema
            include /etc/ldap/schema/misc.schema
            include /etc/ldap/schema/dyngroup.schema
            include \(schema.standardizedFileURL.path)
            modulepath /usr/lib/ldap
            moduleload back_mdb
            pidfile \(folder.path)/pid
            threads 4
            authz-regexp "gidNumber=[0-9]*\\\\+uidNumber=\(getuid()),cn=peercred,cn=external,cn=auth" "\(Slapd.rootDN)"
            \(more)
            database mdb
            suffix \(Slapd.suffix)
            rootdn \(Slapd.rootDN)
            rootpw \(Slapd.password)
            directory \(folder.path)/db
            maxsize 1073741824
            envflags nosync
            index objectClass,addresseeKey,addresseeLocalPartKey,addresseeDomainKey,addresseeLoginKey eq
            index addresseeNameKey,addresseeRefersTo,addresseeRefersToDomain eq
            index uid,mail,mailLocalAddress eq
            index cn eq,sub
            \(database)
            """
        try configuration.write(to: folder.appending(path: "slapd.conf"), atomically: true, encoding: .utf8)
        let socket = folder.appending(path: "ldapi").path.replacingOccurrences(of: "/", with: "%2F")
        let urls = "ldap://127.0.0.1:\(port)/ ldapi://\(socket)/"
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [
            "-c",
            """
            /usr/sbin/slapd -d 0 -f "$1/slapd.conf" -h "$2" & echo $!
            cat >/dev/null
            kill -CONT $!; kill -9 $!; rm -rf "$1"
            """,
            "slapd", folder.path, urls,
        ]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.runUnblocked()
        // Kept open by a number of its own, for the pipe goes with this scope.
        lifeline = dup(input.fileHandleForWriting.fileDescriptor)
        _ = fcntl(lifeline, F_SETFD, FD_CLOEXEC)
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        pid = Int32(line.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
        let writer = try LDAPWriter(uri: uri, patience: 10)
        try writer.add(Slapd.suffix, [("objectClass", ["organization"]), ("o", ["test"])])
    }

    deinit { close(lifeline) }

}

/// A port that nobody listens on.
func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
        }
    }
    guard code == 0 else { throw LDAPTestError("no free port") }
    return UInt16(bigEndian: address.sin_port)
}

struct LDAPTestError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Writes entries, as an administrator would.
final class LDAPWriter {
    private let ld: OpaquePointer

    init(uri: String, dn: String = Slapd.rootDN, password: String = Slapd.password, patience: Int = 1) throws {
        var made: OpaquePointer?
        guard ldap_initialize(&made, uri) == LDAP_SUCCESS, let made else { throw LDAPTestError("bad URI \(uri)") }
        ld = made
        _ = cldap_set_int(ld, LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3)
        var code = LDAP_OTHER
        for _ in 0..<(patience * 50) {
            code = password.withCString { cldap_bind_simple(ld, dn, $0, UInt(strlen($0))) }
            if code != LDAP_SERVER_DOWN { break }
            usleep(20_000)
        }
        try check(code, "bind to \(uri)")
    }

    deinit { ldap_unbind_ext(ld, nil, nil) }

    func add(_ dn: String, _ attributes: [(String, [String])]) throws {
        try add(dn, octets: attributes.map { ($0.0, $0.1.map { Array($0.utf8) }) })
    }

    func add(_ dn: String, _ attributes: AddresseeSchemaEncoder.Attributes) throws {
        try add(dn, octets: attributes.map { ($0.name.description, $0.values) })
    }

    private func add(_ dn: String, octets: [(String, [[UInt8]])]) throws {
        var owned: [() -> Void] = []
        defer { for free in owned { free() } }
        var modifications: [UnsafeMutablePointer<LDAPMod>?] = []
        for (name, values) in octets {
            let list = UnsafeMutablePointer<UnsafeMutablePointer<berval>?>.allocate(capacity: values.count + 1)
            for (index, value) in values.enumerated() {
                let bytes = UnsafeMutablePointer<CChar>.allocate(capacity: value.count + 1)
                for (offset, octet) in value.enumerated() { bytes[offset] = CChar(bitPattern: octet) }
                let one = UnsafeMutablePointer<berval>.allocate(capacity: 1)
                one.initialize(to: berval(bv_len: ber_len_t(value.count), bv_val: bytes))
                list[index] = one
                owned.append {
                    bytes.deallocate()
                    one.deallocate()
                }
            }
            list[values.count] = nil
            let type = strdup(name)
            let modification = UnsafeMutablePointer<LDAPMod>.allocate(capacity: 1)
            modification.pointee.mod_op = LDAP_MOD_ADD | LDAP_MOD_BVALUES
            modification.pointee.mod_type = type
            modification.pointee.mod_vals.modv_bvals = list
            modifications.append(modification)
            owned.append {
                free(type)
                list.deallocate()
                modification.deallocate()
            }
        }
        modifications.append(nil)
        try check(ldap_add_ext_s(ld, dn, &modifications, nil, nil), "add \(dn)")
    }

    func remove(_ dn: String) throws { try check(ldap_delete_ext_s(ld, dn, nil, nil), "remove \(dn)") }

    private func check(_ code: Int32, _ what: String) throws {
        if code == LDAP_SUCCESS { return }
        let said = cldap_diagnostic(ld).map { String(cString: $0) } ?? ""
        throw LDAPTestError("\(what): \(String(cString: ldap_err2string(code))) \(said)")
    }
}
