// Sending a search and reading its answer. Values are copied by their length, for they may hold NUL.

import CLDAP

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension LDAPHandle {
    /// Sends a search.
    /// - Parameter milliseconds: the time that the server is given; it counts in whole seconds.
    /// - Returns: its message id; nil when the socket takes no more just now.
    func send(_ search: LDAPSearch, cookie: [UInt8], milliseconds: Int64) throws(LDAPFailure) -> Int32? {
        var names: [UnsafeMutablePointer<CChar>?] = search.attributes.map { Self.copy($0) } + [nil]
        defer { for case let name? in names { name.deallocate() } }
        let control = try pageControl(search, cookie: cookie)
        defer { if let control { ldap_control_free(control) } }
        var controls: [UnsafeMutablePointer<LDAPControl>?] = control == nil ? [nil] : [control, nil]
        let scope =
            switch search.scope {
            case .base: CLDAP_SCOPE_BASE
            case .one: CLDAP_SCOPE_ONE
            case .subtree: CLDAP_SCOPE_SUBTREE
            }
        var time = timeval(tv_sec: Int(max(1, (milliseconds + 999) / 1000)), tv_usec: 0)
        var id: Int32 = 0
        let code = ldap_search_ext(
            ld, search.base, Int32(scope), search.filter, &names, 0, &controls, nil, &time,
            Int32(clamping: search.sizeLimit), &id)
        if code == LDAP_BUSY { return nil }
        if code != LDAP_SUCCESS { throw failure(code, base: search.base) }
        return id
    }

    /// Asks for a page of a result (RFC 2696), nil for all of it. It is not critical: a server that has no pages is to
    /// give what it gives. Whoever calls frees it.
    func pageControl(
        _ search: LDAPSearch, cookie: [UInt8]
    ) throws(LDAPFailure) -> UnsafeMutablePointer<LDAPControl>? {
        if search.page == 0 { return nil }
        var control: UnsafeMutablePointer<LDAPControl>?
        let code = Self.withValue(cookie) { value in
            ldap_create_page_control(ld, ber_int_t(search.page), value, 0, &control)
        }
        if code != LDAP_SUCCESS { throw failure(code, base: search.base) }
        return control
    }

    func abandon(_ id: Int32) { ldap_abandon_ext(ld, id, nil, nil) }

    /// A complete answer that has arrived.
    enum Arrival {
        case nothing
        case answer(id: Int32, SearchPage)
        /// The connection is of no more use.
        case lost(String)
    }

    /// Takes the next answer.
    /// - Parameter microseconds: how long to wait for one; an event loop never does.
    func nextAnswer(waiting microseconds: Int = 0) -> Arrival {
        var message: OpaquePointer?
        let type = cldap_next_answer(ld, microseconds, &message)
        defer { if let message { ldap_msgfree(message) } }
        if type == 0 { return .nothing }
        guard type > 0, let message else {
            return .lost(failure(cldap_result_code(ld), base: "").description)
        }
        let id = ldap_msgid(message)
        // An unsolicited notification says that the server is about to close (RFC 4511 4.4.1).
        if id == 0 { return .lost("\(uri): the server has ended the connection; look at its log") }
        return .answer(id: id, page(message))
    }

    private func page(_ first: OpaquePointer) -> SearchPage {
        var page = SearchPage()
        var message = ldap_first_message(ld, first)
        while let current = message {
            switch Int(ldap_msgtype(current)) {
            case CLDAP_ENTRY: page.entries.append(entry(current))
            case CLDAP_REFERENCE: page.hasReferences = true
            case CLDAP_DONE, CLDAP_ADDED, CLDAP_MODIFIED, CLDAP_DELETED: finish(&page, current)
            default: break
            }
            message = ldap_next_message(ld, current)
        }
        return page
    }

    private func finish(_ page: inout SearchPage, _ message: OpaquePointer) {
        var code: Int32 = LDAP_OTHER
        var said: UnsafeMutablePointer<CChar>?
        var referrals: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        var controls: UnsafeMutablePointer<UnsafeMutablePointer<LDAPControl>?>?
        let parsed = ldap_parse_result(ld, message, &code, nil, &said, &referrals, &controls, 0)
        page.code = parsed == LDAP_SUCCESS ? code : parsed
        if let said {
            page.said = String(cString: said)
            ldap_memfree(said)
        }
        if let referrals {
            page.referral = referrals[0].map { String(cString: $0) } ?? ""
            ldap_memvfree(UnsafeMutableRawPointer(referrals).assumingMemoryBound(to: UnsafeMutableRawPointer?.self))
        }
        guard let controls else { return }
        defer { ldap_controls_free(controls) }
        guard let control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, nil) else { return }
        var count: ber_int_t = 0
        var cookie = berval()
        guard ldap_parse_pageresponse_control(ld, control, &count, &cookie) == LDAP_SUCCESS else { return }
        page.cookie = Self.octets(cookie)
        ber_memfree(cookie.bv_val)
    }

    func entry(_ message: OpaquePointer) -> LDAPEntry {
        var entry = LDAPEntry(dn: "", attributes: [:])
        if let dn = ldap_get_dn(ld, message) {
            entry.dn = String(cString: dn)
            ldap_memfree(dn)
        }
        var cursor: OpaquePointer?
        var name = ldap_first_attribute(ld, message, &cursor)
        while let current = name {
            var values: [[UInt8]] = []
            if let list = ldap_get_values_len(ld, message, current) {
                var index = 0
                while let value = list[index] {
                    values.append(Self.octets(value.pointee))
                    index += 1
                }
                ldap_value_free_len(list)
            }
            entry.attributes[String(cString: current).lowercased(), default: []] += values
            ldap_memfree(current)
            name = ldap_next_attribute(ld, message, cursor)
        }
        if let cursor { ber_free(cursor, 0) }
        return entry
    }

    static func octets(_ value: berval) -> [UInt8] {
        guard let bytes = value.bv_val, value.bv_len > 0 else { return [] }
        return bytes.withMemoryRebound(to: UInt8.self, capacity: Int(value.bv_len)) {
            Array(UnsafeBufferPointer(start: $0, count: Int(value.bv_len)))
        }
    }

    private static func withValue<Result>(
        _ octets: [UInt8], _ body: (UnsafeMutablePointer<berval>) -> Result
    ) -> Result {
        var bytes = octets.map { CChar(bitPattern: $0) }
        return bytes.withUnsafeMutableBufferPointer { buffer in
            var value = berval(bv_len: ber_len_t(buffer.count), bv_val: buffer.baseAddress)
            return body(&value)
        }
    }

    private static func copy(_ text: String) -> UnsafeMutablePointer<CChar> {
        let bytes = text.utf8CString
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        for (index, byte) in bytes.enumerated() { (copy + index).initialize(to: byte) }
        return copy
    }
}

/// One answer to a search, or one page of it; or, without entries, to a change.
struct SearchPage {
    var entries: [LDAPEntry] = []
    /// Whether there was a reference to another server, whose entries are missing here (RFC 4511 4.5.3).
    var hasReferences = false
    var code: Int32 = LDAP_OTHER
    var said = ""
    /// Where the server sends its client instead (RFC 4511 4.1.10).
    var referral = ""
    /// Not empty when there are more pages (RFC 2696 3).
    var cookie: [UInt8] = []
}
