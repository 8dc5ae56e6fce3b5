// The path of a mailbox's folder, made of its domain and local-part. What a stranger writes in an address becomes a name in
// the file system here, so that a value which could be anything but one plain name is refused.

public import MailAddress

/// A path with `{domain}` and `{local-part}`, each of which fills a component of its own: else two mailboxes could share a
/// folder.
public struct MaildirTemplate: Hashable, Sendable {
    private enum Component: Hashable {
        case text([UInt8])
        case domain
        case localPart
    }

    /// As written.
    public let text: String
    private let components: [Component]

    /// Octets of a name in the file systems that there are (NAME_MAX).
    public static let longestName = 255

    /// - Throws: what is wrong with it, as the end of a sentence that begins with the template.
    public init(_ text: String) throws(MaildirTemplateError) {
        self.text = text
        var components: [Component] = []
        for part in text.split(separator: "/", omittingEmptySubsequences: true) {
            switch part {
            case "{domain}": components.append(.domain)
            case "{local-part}": components.append(.localPart)
            default:
                if part.contains("{") || part.contains("}") { throw .brace(String(part)) }
                components.append(.text(Array(part.utf8)))
            }
        }
        guard components.contains(.domain), components.contains(.localPart) else { throw .missing }
        self.components = components
    }

    /// The folder of a mailbox, both parts folded, so that all spellings of one mailbox have one folder.
    ///
    /// - Returns: nil when a part is no plain name: see `isPlainName`.
    public func path(for mailbox: Mailbox) -> String? {
        var path: [UInt8] = text.utf8.first == UInt8(ascii: "/") ? [UInt8(ascii: "/")] : []
        for (index, component) in components.enumerated() {
            if index > 0 { path.append(UInt8(ascii: "/")) }
            switch component {
            case .text(let octets): path += octets
            case .domain:
                guard Self.isPlainName(mailbox.domain.key) else { return nil }
                path += mailbox.domain.key
            case .localPart:
                guard Self.isPlainName(mailbox.localPart.key) else { return nil }
                path += mailbox.localPart.key
            }
        }
        return String(decoding: path, as: UTF8.self)
    }

    /// Whether it can be the name of one folder and nothing else: not empty, not longer than a name may be, without "/",
    /// NUL and other control characters, and not beginning with a dot, as `.`, `..` and the subfolders of a Maildir do.
    static func isPlainName(_ octets: [UInt8]) -> Bool {
        guard let first = octets.first, first != UInt8(ascii: "."), octets.count <= longestName else { return false }
        return !octets.contains { $0 == UInt8(ascii: "/") || $0 < 32 || $0 == 127 }
    }
}

/// What is wrong with a template.
public enum MaildirTemplateError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One of the two is not there.
    case missing
    /// A brace that belongs to neither, or one of the two with more in its component.
    case brace(String)

    public var description: String {
        switch self {
        case .missing: "must have both {domain} and {local-part}, so that no two mailboxes share a folder"
        case .brace(let part):
            "has \(part); only {domain} and {local-part} can stand there, each alone between two slashes"
        }
    }
}
