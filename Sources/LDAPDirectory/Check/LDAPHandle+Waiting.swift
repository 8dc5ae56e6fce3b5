// A search whose answer is waited for, by the one who owns the handle. What `ConnectionLoop` does for many at once.

import CLDAP

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension LDAPHandle {
    /// Carries out a search, page by page.
    /// - Parameter patience: for each page.
    func carryOut(_ search: LDAPSearch, patience: Nanoseconds) -> SearchOutcome {
        var all: [LDAPEntry] = []
        let outcome = carryOut(search, patience: patience) { entries in
            all += entries
            return search.sizeLimit == 0 || all.count < search.sizeLimit
        }
        switch outcome {
        case .found: return .found(all)
        case .partial(_, let failure): return .partial(all, failure)
        case .noSuchObject, .failed: return outcome
        }
    }

    /// The same without keeping the entries, for results of any length: the outcome has none.
    /// - Parameter take: gets those of each page, and returns whether to ask for the next. When more were to be had, the
    ///   outcome is that of a size limit where the search has one, else as if that had been all.
    func carryOut(
        _ search: LDAPSearch, patience: Nanoseconds, _ take: ([LDAPEntry]) -> Bool
    ) -> SearchOutcome {
        do throws(LDAPFailure) {
            var cookie: [UInt8] = []
            while true {
                let page = try page(of: search, cookie: cookie, deadline: MonotonicTime.now() + patience)
                let goesOn = take(page.entries)
                if page.code != LDAP_SUCCESS { return outcome(page, search, []) }
                if page.hasReferences, !search.ignoresReferences {
                    let said = "a part of it is on another server"
                    return .failed(.result(LDAP_REFERRAL, said: said, uri: uri, base: search.base))
                }
                if page.cookie.isEmpty || search.page == 0 { return .found([]) }
                if !goesOn { return search.sizeLimit > 0 ? outcome(page, search, []) : .found([]) }
                cookie = page.cookie
            }
        } catch {
            return .failed(error)
        }
    }

    private func outcome(_ page: SearchPage, _ search: LDAPSearch, _ entries: [LDAPEntry]) -> SearchOutcome {
        let code = page.code == LDAP_SUCCESS ? LDAP_SIZELIMIT_EXCEEDED : page.code
        let failure = page.failure(code, of: search, entries: entries, uri: uri)
        switch code {
        case LDAP_NO_SUCH_OBJECT: return .noSuchObject(failure)
        case LDAP_SIZELIMIT_EXCEEDED, LDAP_ADMINLIMIT_EXCEEDED:
            return search.isPartialWelcome ? .partial(entries, failure) : .failed(failure)
        default: return .failed(failure)
        }
    }

    private func page(
        of search: LDAPSearch, cookie: [UInt8], deadline: Nanoseconds
    ) throws(LDAPFailure) -> SearchPage {
        var id: Int32?
        while true {
            let left = deadline - MonotonicTime.now()
            if left <= 0 {
                if let id { abandon(id) }
                throw LDAPFailure(
                    .timedOut,
                    "\(uri), base \"\(search.base)\": no answer in time; look at the server's load and indexes")
            }
            // Nil while the socket takes no more.
            if id == nil { id = try send(search, cookie: cookie, milliseconds: left / 1_000_000) }
            switch nextAnswer() {
            case .answer(let number, let page): if number == id { return page }
            case .lost(let reason): throw LDAPFailure(.lost, reason)
            case .nothing: pause(id == nil ? POLLOUT : POLLIN, left)
            }
        }
    }

    /// No longer than a moment, for TLS may hold what the socket does not show.
    private func pause(_ events: Int32, _ left: Nanoseconds) {
        var entry = pollfd(fd: socket, events: Int16(events), revents: 0)
        _ = poll(&entry, 1, Int32(clamping: min(left / 1_000_000 + 1, 100)))
    }
}
