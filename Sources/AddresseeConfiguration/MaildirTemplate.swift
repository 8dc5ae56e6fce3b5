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

        /// Whether each mailbox, or each domain, has another.
        var isOfMailbox: Bool { if case .text = self { false } else { true } }

        /// Of the file system; empty where a mailbox has it.
        var name: String { if case .text(let octets) = self { String(decoding: octets, as: UTF8.self) } else { "" } }
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
                // "{local-part}/.." is one folder for all.
                if part == "." || part == "..", components.contains(where: \.isOfMailbox) { throw .dots(String(part)) }
                components.append(.text(Array(part.utf8)))
            }
        }
        guard components.contains(.domain), components.contains(.localPart) else { throw .missing }
        self.components = components
    }

    /// The part of the path before the first that a mailbox fills, without a slash at its end: that of every mailbox.
    public var base: String {
        let parts = components[..<fixed].map(\.name)
        if text.utf8.first == UInt8(ascii: "/") { return "/" + parts.joined(separator: "/") }
        return parts.isEmpty ? "." : parts.joined(separator: "/")
    }

    /// The names of the folders below `base` down to that of a mailbox, both parts folded, so that all spellings of one
    /// mailbox have one folder.
    ///
    /// - Returns: nil when a part is no plain name: see `isPlainName`.
    public func names(for mailbox: Mailbox) -> [String]? {
        var names: [String] = []
        for component in components[fixed...] {
            switch component {
            case .text: names.append(component.name)
            case .domain:
                guard Self.isPlainName(mailbox.domain.key) else { return nil }
                names.append(String(decoding: mailbox.domain.key, as: UTF8.self))
            case .localPart:
                guard Self.isPlainName(mailbox.localPart.key) else { return nil }
                names.append(String(decoding: mailbox.localPart.key, as: UTF8.self))
            }
        }
        return names
    }

    /// The levels below `base`: the name of each folder, or nil where there is one for each domain or local-part.
    public var levels: [String?] {
        components[fixed...].map { component in if case .text = component { component.name } else { nil } }
    }

    /// How many components stand before the first that a mailbox fills.
    private var fixed: Int {
        components.firstIndex(where: \.isOfMailbox) ?? 0
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
    /// A step up or on the spot below the part of one mailbox or domain.
    case dots(String)

    public var description: String {
        switch self {
        case .missing: "must have both {domain} and {local-part}, so that no two mailboxes share a folder"
        case .brace(let part):
            "has \(part); only {domain} and {local-part} can stand there, each alone between two slashes"
        case .dots(let part):
            "has \(part) after {domain} or {local-part}, where mailboxes would share a folder; write the path without it"
        }
    }
}
