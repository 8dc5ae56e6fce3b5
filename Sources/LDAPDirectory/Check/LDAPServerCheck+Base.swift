// What the server tells of itself, and whether it holds the base.

import MailboxDirectory

extension LDAPServerCheck {
    /// Paged results (RFC 2696).
    private static let paging = "1.2.840.113556.1.4.319"

    /// Whether long results may be had page by page.
    var canPage: Bool { root.attributes.isEmpty || root.texts("supportedControl").contains(Self.paging) }

    mutating func examineRoot(_ handle: LDAPHandle) throws(LDAPFailure) {
        let wanted =
            ["namingContexts", "subschemaSubentry", "supportedControl", "configContext"] + ServerKind.attributes
        guard let entry = try entry(handle, "", wanted) else {
            list.add(
                Finding(
                    .note, .directory,
                    "the server does not tell what it holds and can do (its root entry is not readable)",
                    advice: "let this account read the entry of the empty name"))
            return
        }
        root = entry
        if !canPage {
            list.add(
                Finding(
                    .warning, .directory, "the server gives no results in pages, so that large lists may not be told",
                    advice: "raise its size limit for this account"))
        }
    }

    /// - Returns: whether there is a base to go on with.
    mutating func examineBase(_ handle: LDAPHandle) throws(LDAPFailure) -> Bool {
        let contexts = root.texts("namingContexts")
        // The root of all is above whatever it holds.
        if !settings.base.isEmpty, !contexts.isEmpty,
            !contexts.contains(where: { DistinguishedName.isWithin(settings.base, $0) })
        {
            list.add(
                Finding(
                    .error, .configuration,
                    "the server does not hold the base \(settings.base); it holds \(contexts.joined(separator: " and "))",
                    advice: "correct base"))
            return false
        }
        let search = LDAPSearch(
            base: settings.base, scope: .base, filter: LDAPFilter.present("objectClass").text, attributes: ["1.1"],
            sizeLimit: 1)
        let outcome = try ask(handle, search)
        note(outcome, "reading the base")
        guard case .found(let entries) = outcome else { return false }
        if entries.isEmpty {
            list.add(
                Finding(
                    .warning, .configuration, "this account may not see the entry of the base, \(settings.base)",
                    advice: "give it the right to read below it"))
        }
        return true
    }
}

extension DistinguishedName {
    /// Whether a name is this one or below it.
    static func isWithin(_ name: String, _ above: String) -> Bool {
        let (name, above) = (key(Array(name.utf8)), key(Array(above.utf8)))
        if above.isEmpty || name == above { return true }
        return name.count > above.count && name.suffix(above.count) == above[...]
            && name[name.count - above.count - 1] == UInt8(ascii: ",")
    }
}
