// Why a search has no result. It becomes the reason of a "could not tell": for the log, with what to do.

import CLDAP

/// A search that failed. Never a reason to say that nobody is there.
public struct LDAPFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// A result code of the protocol (RFC 4511 4.1.9 and appendix A) or of libldap (negative).
        case result(Int32)
        /// No answer before the deadline.
        case timedOut
        /// The connection went, twice, while the search was under way.
        case lost
        /// No server could be reached.
        case unreachable
        /// The server's certificate is not good: it bears another name, is not valid now, is not for servers, or is signed
        /// by an unknown authority.
        case certificate
        /// These credentials were refused a moment ago, and are not tried again yet.
        case bindPaused
        /// Too many searches are waiting.
        case queueFull
        case closed
    }

    public var kind: Kind
    /// Which server, which base, what was said, and what to do; one line.
    public var description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        // What a server says may hold anything; a log line is one line.
        self.description = String(
            decoding: description.utf8.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
    }

    /// A result code other than success.
    static func result(_ code: Int32, said: String, uri: String, base: String) -> LDAPFailure {
        let text = ldap_err2string(code).map { String(cString: $0) } ?? "error \(code)"
        // What libldap says of TLS when TLS itself has told it nothing.
        let isSilent = said.isEmpty || said.contains("unknown error code")
        let diagnostic = isSilent ? "" : " (\(said))"
        let place = base.isEmpty ? uri : "\(uri), base \"\(base)\""
        var advice = code == LDAP_INVALID_CREDENTIALS ? bindAdvice(said) : advice(code)
        if code == LDAP_SERVER_DOWN, uri.lowercased().hasPrefix("ldaps:") {
            advice += ", and that its certificate is good"
        }
        return LDAPFailure(.result(code), "\(place): \(text)\(diagnostic); \(advice)")
    }

    /// More entries than one search reads, by a limit of ours and not of the server's.
    static func tooMany(_ count: Int, uri: String, base: String) -> LDAPFailure {
        LDAPFailure(
            .result(LDAP_SIZELIMIT_EXCEEDED),
            "\(uri), base \"\(base)\": more than \(count) entries fit, which is the most that Addressee reads for one"
                + " question; the server's limits are not to blame: ask for less, or choose a narrower base")
    }

    /// Whether the server has too much to do, so that to be asked more would not help it.
    var isOverload: Bool { [.result(LDAP_BUSY), .result(LDAP_UNAVAILABLE)].contains(kind) }

    /// Whether a result code is about the server, and not about what it was asked.
    static func isOwn(_ code: Int32) -> Bool {
        [LDAP_BUSY, LDAP_UNAVAILABLE, LDAP_UNWILLING_TO_PERFORM, LDAP_OPERATIONS_ERROR, LDAP_OTHER].contains(code)
    }

    /// What an administrator can do about a result code.
    private static func advice(_ code: Int32) -> String {
        switch code {
        case LDAP_NO_SUCH_OBJECT: "check the base, and that the account may see it"
        case LDAP_INSUFFICIENT_ACCESS, LDAP_STRONG_AUTH_REQUIRED, LDAP_CONFIDENTIALITY_REQUIRED,
            LDAP_INAPPROPRIATE_AUTH:
            "give the account the right to search there, or bind as another, or over TLS"
        case LDAP_BUSY, LDAP_UNAVAILABLE: "the server is overloaded or stopping; look at its log"
        case LDAP_TIMELIMIT_EXCEEDED: "index the attributes that are asked for, or raise the server's time limit"
        case LDAP_SIZELIMIT_EXCEEDED, LDAP_ADMINLIMIT_EXCEEDED:
            "raise the server's size limit for this account, or choose a narrower base"
        case LDAP_REFERRAL: "referrals are not followed; name the server that holds this base"
        case LDAP_UNWILLING_TO_PERFORM, LDAP_OPERATIONS_ERROR:
            "the server refuses the search; it may ask for a bind first"
        case LDAP_INVALID_DN_SYNTAX: "this is no distinguished name; correct it"
        case LDAP_FILTER_ERROR: "the filter is malformed; correct it"
        case LDAP_CONNECT_ERROR: "check that the server offers TLS and that its certificate is good"
        case LDAP_TIMEOUT: "no answer came in time; look at the server's load, and whether it hangs"
        case LDAP_SERVER_DOWN: "check that the server runs and can be reached from here"
        default: "look at the server's log"
        }
    }
}
