// Sending changes. Nothing here waits; what comes of a change arrives like any other answer.

import CLDAP

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension LDAPHandle {
    /// Sends a change.
    /// - Parameter assertion: what must be true of the entry, else nothing is done (RFC 4528); for servers that offer it.
    /// - Returns: its message id.
    /// - Throws: why it can't be sent; a part of it may have gone out when the connection is lost.
    func send(_ operation: LDAPOperation, assertion: LDAPFilter?) throws(LDAPFailure) -> Int32 {
        let control = try assertion.map { (filter) throws(LDAPFailure) in try assertionControl(filter, operation) }
        defer { if let control { ldap_control_free(control) } }
        var controls: [UnsafeMutablePointer<LDAPControl>?] = control == nil ? [nil] : [control, nil]
        let list = ModificationList(operation)
        var id: Int32 = 0
        let code =
            switch operation {
            case .add(let dn, _): ldap_add_ext(ld, dn, list.pointers, &controls, nil, &id)
            case .modify(let dn, _): ldap_modify_ext(ld, dn, list.pointers, &controls, nil, &id)
            case .delete(let dn): ldap_delete_ext(ld, dn, &controls, nil, &id)
            }
        if code != LDAP_SUCCESS { throw failure(code, base: operation.dn) }
        return id
    }

    /// It is critical: a server that can't assert is to change nothing (RFC 4528 3). Whoever calls frees it.
    func assertionControl(
        _ filter: LDAPFilter, _ operation: LDAPOperation
    ) throws(LDAPFailure) -> UnsafeMutablePointer<LDAPControl> {
        var control: UnsafeMutablePointer<LDAPControl>?
        let code = filter.text.withCString { text in
            ldap_create_assertion_control(ld, UnsafeMutablePointer(mutating: text), 1, &control)
        }
        guard code == LDAP_SUCCESS, let control else { throw failure(code, base: operation.dn) }
        return control
    }
}

/// The modifications of an operation in libldap's form. It keeps the memory, and frees it with itself.
private final class ModificationList {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<LDAPMod>?>
    private var freeing: [() -> Void] = []

    init(_ operation: LDAPOperation) {
        let all = operation.modifications
        pointers = .allocate(capacity: all.count + 1)
        pointers.initialize(repeating: nil, count: all.count + 1)
        for (index, one) in all.enumerated() { pointers[index] = make(one, isNew: operation.isAdd) }
    }

    deinit {
        for free in freeing { free() }
        pointers.deallocate()
    }

    private func make(_ modification: LDAPModification, isNew: Bool) -> UnsafeMutablePointer<LDAPMod> {
        let name = strdup(modification.name.description)
        // One piece for all values, for there may be very many.
        let count = modification.values.count
        let octets = UnsafeMutablePointer<CChar>.allocate(capacity: modification.values.reduce(1) { $0 + $1.count })
        let values = UnsafeMutablePointer<berval>.allocate(capacity: count)
        let list = UnsafeMutablePointer<UnsafeMutablePointer<berval>?>.allocate(capacity: count + 1)
        var place = octets
        for (index, value) in modification.values.enumerated() {
            for (offset, octet) in value.enumerated() { (place + offset).initialize(to: CChar(bitPattern: octet)) }
            (values + index).initialize(to: berval(bv_len: ber_len_t(value.count), bv_val: place))
            (list + index).initialize(to: values + index)
            place += value.count
        }
        (list + count).initialize(to: nil)
        let made = UnsafeMutablePointer<LDAPMod>.allocate(capacity: 1)
        let verb = isNew ? 0 : modification.isAdded ? LDAP_MOD_ADD : LDAP_MOD_DELETE
        made.initialize(to: LDAPMod())
        made.pointee.mod_op = Int32(verb) | Int32(LDAP_MOD_BVALUES)
        made.pointee.mod_type = name
        made.pointee.mod_vals.modv_bvals = list
        freeing.append {
            free(name)
            octets.deallocate()
            values.deallocate()
            list.deallocate()
            made.deallocate()
        }
        return made
    }
}
