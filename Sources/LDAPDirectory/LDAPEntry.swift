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

    /// Whether this value is in its name: of the values of an attribute the only one that a server tells from the others.
    func isNamed(by value: [UInt8], as name: AttributeName) -> Bool {
        let folded = Folding.fold(value)
        return DistinguishedName.naming(Array(dn.utf8)).contains {
            $0.attribute.elementsEqual(name.key.utf8) && $0.value == folded
        }
    }

    /// Whether an address is in its name, be it by its local-part alone: `uid=anna,…`.
    func isNamed(by address: Mailbox, _ value: [UInt8], as name: AttributeName) -> Bool {
        isNamed(by: value, as: name)
            || DistinguishedName.naming(Array(dn.utf8)).contains { $0.value == address.localPart.key }
    }

    /// Whether it is of this class.
    func isOf(_ classes: [AttributeName]) -> Bool {
        let own = attributes["objectclass"] ?? []
        return classes.contains { wanted in
            own.contains { $0.count == wanted.key.utf8.count && Folding.fold($0).elementsEqual(wanted.key.utf8) }
        }
    }
}
