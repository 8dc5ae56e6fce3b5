// Why a server's certificate was not taken. libldap does not say, so the certificate itself is looked at, on a connection
// of its own that takes any and carries nothing else.

import CLDAP

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension LDAPHandle {
    /// A failure of connecting or of TLS; where it is the certificate's, what is wrong with it.
    func tlsFailure(_ code: Int32, _ settings: LDAPSettings) -> LDAPFailure {
        let plain = failure(code, base: "")
        if let deadline, MonotonicTime.now() >= deadline { return failure(LDAP_TIMEOUT, base: "") }
        let isTLS = uri.lowercased().hasPrefix("ldaps:") || settings.tls.startTLS
        guard isTLS, settings.tls.verifies, code == LDAP_CONNECT_ERROR || code == LDAP_SERVER_DOWN else { return plain }
        guard let octets = certificate(settings), let host else { return plain }
        let fault = PeerCertificate(octets).fault(host: host, now: Self.now)
        return LDAPFailure(.certificate, "\(uri): \(fault)")
    }

    /// The server's certificate; nil where the server does not even show one.
    private func certificate(_ settings: LDAPSettings) -> [UInt8]? {
        var settings = settings
        settings.tls.verifies = false
        settings.tls.caFile = nil
        do throws(LDAPFailure) {
            let other = try LDAPHandle(unconnected: uri, settings: settings)
            other.begin(until: deadline ?? MonotonicTime.now() + Self.patience)
            try other.connect(settings)
            try other.protect(settings)
            var value = berval()
            guard cldap_peer_certificate(other.ld, &value) == LDAP_OPT_SUCCESS else { return nil }
            return Self.octets(value)
        } catch {
            return nil
        }
    }

    private var host: String? {
        var parsed: UnsafeMutablePointer<LDAPURLDesc>?
        guard ldap_url_parse(uri, &parsed) == LDAP_URL_SUCCESS, let parsed else { return nil }
        defer { ldap_free_urldesc(parsed) }
        return parsed.pointee.lud_host.map { String(cString: $0) }
    }

    /// The time as certificates have it.
    private static var now: String {
        var (seconds, fields) = (time(nil), tm())
        gmtime_r(&seconds, &fields)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%Y%m%d%H%M%S", &fields)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
