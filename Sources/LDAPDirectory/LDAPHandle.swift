// One `LDAP *`, from its making to its end. It has one owner at a time: the thread that opens it hands it to the one
// that searches, and nobody keeps it. Nothing here waits but `open`.

import CLDAP

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A connection that is bound and ready to search.
///
/// `@unchecked Sendable` is safe because a handle is given from thread to thread, with a lock between, and is never
/// used by two at once.
final class LDAPHandle: @unchecked Sendable {
    let uri: String
    let isAnonymous: Bool
    let ld: OpaquePointer
    /// Whether the server has all of the directory, as it was when the connection was made.
    var wholeness = Wholeness.whole
    /// When all steps of opening it must be done.
    private(set) var deadline: Nanoseconds?
    private let opening: OpeningGuard

    /// Connects, protects, binds, and looks whether the server has all of the directory; waits up to the connect time-out
    /// for all of it. A server on which somebody waited in vain is tried after the others from then on.
    /// - Throws: why this server is of no use now; never with the password.
    convenience init(uri: String, settings: LDAPSettings) throws(LDAPFailure) {
        let start = MonotonicTime.now()
        do throws(LDAPFailure) {
            try self.init(until: start + settings.connectTimeout.nanoseconds, uri: uri, settings: settings)
        } catch {
            if MonotonicTime.now() - start > LDAPLimits.longAttempt { ServerMemory.shared.avoid(uri) }
            throw error
        }
    }

    private convenience init(until deadline: Nanoseconds, uri: String, settings: LDAPSettings) throws(LDAPFailure) {
        try BindAccount.of(settings)?.check(Self.digest(Self.credentials(settings, for: uri)))
        try self.init(unconnected: uri, settings: settings)
        begin(until: deadline)
        try connect(settings)
        try protect(settings)
        try bind(settings)
        _ = try left()
        // Before what has time-outs of its own, for at its end the socket is shut down.
        finishOpening()
        try check(settings.schema, until: deadline)
        cldap_set_nonblocking(ld)
        // Where there is another server, who asks waits for this one no longer.
        wholeness = try examine(settings, until: settings.uris.count > 1 ? deadline : .max)
    }

    /// From now on all steps of opening have this time.
    func begin(until deadline: Nanoseconds) {
        self.deadline = deadline
        opening.watch(until: deadline)
    }

    func finishOpening() {
        deadline = nil
        opening.finish()
    }

    /// Set up; `connect`, `protect` and `bind` follow, in this order.
    init(unconnected uri: String, settings: LDAPSettings) throws(LDAPFailure) {
        self.uri = uri
        var made: OpaquePointer?
        let code = ldap_initialize(&made, uri)
        guard code == LDAP_SUCCESS, let made else {
            throw LDAPFailure(
                .result(code), "\(uri): this is no LDAP URI; write ldap://host, ldaps://host or ldapi://path")
        }
        ld = made
        opening = OpeningGuard(made)
        if case .anonymous = settings.bind { isAnonymous = true } else { isAnonymous = false }
        try configure(settings)
    }

    func connect(_ settings: LDAPSettings) throws(LDAPFailure) {
        try hurry()
        let code = ldap_connect(ld)
        if code != LDAP_SUCCESS { throw tlsFailure(code, settings) }
    }

    /// Asks for TLS, where the URI does not say so itself.
    func protect(_ settings: LDAPSettings) throws(LDAPFailure) {
        if settings.tls.startTLS, !uri.lowercased().hasPrefix("ldapi:"), !uri.lowercased().hasPrefix("ldaps:") {
            try hurry()
            let code = ldap_start_tls_s(ld, nil, nil)
            if code != LDAP_SUCCESS { throw tlsFailure(code, settings) }
        }
    }

    /// Says good-bye and closes the socket.
    deinit {
        opening.finish()
        ldap_unbind_ext(ld, nil, nil)
    }

    var socket: Int32 { cldap_socket(ld) }

    private func configure(_ settings: LDAPSettings) throws(LDAPFailure) {
        try check(cldap_set_int(ld, LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3))
        try check(cldap_set_off(ld, LDAP_OPT_REFERRALS))
        try setTimeout(settings.connectTimeout.nanoseconds)
        // Where the system can't, a silent peer is found out by time-outs instead.
        _ = cldap_set_int(ld, LDAP_OPT_X_KEEPALIVE_IDLE, 60)
        _ = cldap_set_int(ld, LDAP_OPT_X_KEEPALIVE_PROBES, 3)
        _ = cldap_set_int(ld, LDAP_OPT_X_KEEPALIVE_INTERVAL, 10)
        let tls = settings.tls
        let demand = tls.verifies ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER
        try check(cldap_set_int(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, demand))
        for (option, file) in [
            (LDAP_OPT_X_TLS_CACERTFILE, tls.caFile), (LDAP_OPT_X_TLS_CERTFILE, tls.certificateFile),
            (LDAP_OPT_X_TLS_KEYFILE, tls.keyFile),
        ] {
            guard let file else { continue }
            guard access(file, R_OK) == 0 else {
                throw LDAPFailure(.unreachable, "\(uri): \(file) can't be read; check its name and who may read it")
            }
            try check(cldap_set_text(ld, option, file))
        }
        // A new context takes the options above; without one they would be those of the whole process.
        if uri.lowercased().hasPrefix("ldaps:") || tls.startTLS {
            try check(cldap_set_int(ld, LDAP_OPT_X_TLS_NEWCTX, 0))
        }
    }

    private func setTimeout(_ patience: Nanoseconds) throws(LDAPFailure) {
        let wait = Int(clamping: max(patience / 1000, 1000))
        try check(cldap_set_timeout(ld, LDAP_OPT_NETWORK_TIMEOUT, wait))
        try check(cldap_set_timeout(ld, LDAP_OPT_TIMEOUT, wait))
    }

    /// What is left of the time for opening.
    func left() throws(LDAPFailure) -> Nanoseconds {
        guard let deadline else { return Self.patience }
        let left = deadline - MonotonicTime.now()
        if left <= 0 { throw failure(LDAP_TIMEOUT, base: "") }
        return left
    }

    /// Gives the next step of opening no more than that.
    func hurry() throws(LDAPFailure) {
        if deadline != nil { try setTimeout(try left()) }
    }

    func bind(_ settings: LDAPSettings) throws(LDAPFailure) {
        guard let account = BindAccount.of(settings) else {
            try hurry()
            // Needless for the protocol, but a server that accepts connections and answers nothing is found out here.
            return try check(cldap_bind_simple(ld, "", "", 0))
        }
        var secret = try Self.credentials(settings, for: uri)
        defer { for index in secret.indices { secret[index] = 0 } }
        try account.bind(Self.digest(secret)) {
            do throws(LDAPFailure) {
                try hurry()
                try check(send(secret, settings.bind))
                return nil
            } catch {
                return error
            }
        }
    }

    private func send(_ secret: [UInt8], _ bind: LDAPBind) -> Int32 {
        guard case .simple(let dn, _, _) = bind else { return cldap_bind_external(ld) }
        return secret.withUnsafeBytes { bytes in
            cldap_bind_simple(ld, dn, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), UInt(bytes.count))
        }
    }

    /// The password; nothing where none is needed.
    private static func credentials(_ settings: LDAPSettings, for uri: String) throws(LDAPFailure) -> [UInt8] {
        guard case .simple(let dn, let password, let isClearTextAllowed) = settings.bind else { return [] }
        let scheme = uri.lowercased()
        if !isClearTextAllowed, !settings.tls.startTLS, !scheme.hasPrefix("ldaps:"), !scheme.hasPrefix("ldapi:") {
            throw LDAPFailure(
                .unreachable,
                "\(uri): a password would go in the clear; "
                    + "use ldaps: or starttls: true, or say allow-clear-text: true")
        }
        let secret = try password.read()
        // A name without a password would be taken for an anonymous bind (RFC 4513).
        if secret.isEmpty {
            throw LDAPFailure(.unreachable, "\(uri): the password for \(dn) is empty; put it into \(password.place)")
        }
        return secret
    }

    private static func digest(_ secret: [UInt8]) -> Int {
        var hasher = Hasher()
        hasher.combine(secret)
        return hasher.finalize()
    }

    private func check(_ code: Int32) throws(LDAPFailure) {
        if code != LDAP_SUCCESS { throw failure(code, base: "") }
    }

    /// A failure in the words of libldap and the server.
    func failure(_ code: Int32, base: String) -> LDAPFailure {
        var said = ""
        if let text = cldap_diagnostic(ld) {
            said = String(cString: text)
            ldap_memfree(text)
        }
        return .result(code, said: said, uri: uri, base: base)
    }
}
