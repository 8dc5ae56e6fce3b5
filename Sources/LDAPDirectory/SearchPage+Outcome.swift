// What a search comes to when a page of its result has arrived. The same for whoever owns the connection.

import CLDAP

/// Whether a search has ended.
enum PageEnd {
    /// There are more pages to ask for, with the cookie of this one.
    case more
    case ended(SearchOutcome)
}

extension SearchPage {
    /// Whether the server has too much to do, or is stopping.
    var isOverload: Bool { LDAPFailure.isOverload(code) }

    /// Why there is no more. Where as many came as were asked for, it is by our own limit.
    func failure(_ code: Int32, of search: LDAPSearch, entries: [LDAPEntry], uri: String) -> LDAPFailure {
        if code == LDAP_SIZELIMIT_EXCEEDED, search.sizeLimit > 0, entries.count >= search.sizeLimit {
            return .tooMany(search.sizeLimit, uri: uri, base: search.base)
        }
        return .result(code, said: said, uri: uri, base: search.base)
    }

    /// - Parameter entries: all that have come, those of this page too.
    func end(of search: LDAPSearch, entries: [LDAPEntry], uri: String) -> PageEnd {
        if code == LDAP_SUCCESS, hasReferences, !search.ignoresReferences {
            let failure = LDAPFailure.result(
                LDAP_REFERRAL, said: "a part of it is on another server", uri: uri, base: search.base)
            return .ended(.failed(failure))
        }
        if code == LDAP_SUCCESS {
            if cookie.isEmpty || search.page == 0 { return .ended(.found(entries)) }
            if search.sizeLimit == 0 || entries.count < search.sizeLimit { return .more }
        }
        let code = code == LDAP_SUCCESS ? LDAP_SIZELIMIT_EXCEEDED : code
        let failure = failure(code, of: search, entries: entries, uri: uri)
        switch code {
        case LDAP_NO_SUCH_OBJECT: return .ended(.noSuchObject(failure))
        case LDAP_SIZELIMIT_EXCEEDED, LDAP_ADMINLIMIT_EXCEEDED:
            return .ended(search.isPartialWelcome ? .partial(entries, failure) : .failed(failure))
        default: return .ended(.failed(failure))
        }
    }
}
