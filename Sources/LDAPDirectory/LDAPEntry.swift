// An entry as a server returned it, copied out of libldap.

import MailAddress

/// An entry with the attributes that were asked for.
public struct LDAPEntry: Hashable, Sendable {
    /// The distinguished name, as the server spells it.
    public var dn: String
    /// Values by attribute description in lower case, options included, in the order in which they came.
    public var attributes: [String: [[UInt8]]]

    public init(dn: String, attributes: [String: [[UInt8]]]) {
        self.dn = dn
        self.attributes = attributes
    }

    /// The values of an attribute without options; empty when there are none.
    func values(_ name: AttributeName) -> [[UInt8]] { attributes[name.key] ?? [] }

    func texts(_ name: AttributeName) -> [String] { values(name).map { String(decoding: $0, as: UTF8.self) } }

    /// Whether it is of this class.
    func isOf(_ classes: [AttributeName]) -> Bool {
        let own = attributes["objectclass"] ?? []
        return classes.contains { wanted in
            own.contains { $0.count == wanted.key.utf8.count && Folding.fold($0).elementsEqual(wanted.key.utf8) }
        }
    }
}
