// Where messages go that are accepted. Without a next hop the server answers questions and takes no mail.

import MailAddress
public import Verification

/// Where messages go, and whose. The first that takes a recipient has it.
public struct NextHopConfiguration: Hashable, Sendable {
    /// What takes the messages.
    public enum Kind: Hashable, Sendable {
        /// Folders on this machine.
        case maildir(MaildirTemplate)
        /// Another mail server.
        case server(MailServer)
    }

    /// Unique; for logs.
    public var name: String
    public var kind: Kind
    /// Whose mail it takes.
    public var route: Route
    /// Of folders: whether symbolic links below the fixed part of their path are followed.
    public var followsLinks: Bool

    /// - Parameter route: its `dropsDetails` is always true for folders.
    public init(name: String, kind: Kind, route: Route? = nil, followsLinks: Bool = false) {
        self.name = name
        self.kind = kind
        self.route = route ?? kind.route
        self.followsLinks = followsLinks
        if case .maildir = kind { self.route.dropsDetails = true }
    }

    /// The mail server; nil for folders.
    public var server: MailServer? {
        if case .server(let server) = kind { server } else { nil }
    }
}

extension NextHopConfiguration.Kind {
    /// Whose mail is taken when nothing else is said: folders and LMTP (RFC 2033 1) are the end of the way, so they take
    /// mail for mailboxes only.
    var route: Route {
        switch self {
        case .maildir: Route(places: [.mailboxes])
        case .server(let server):
            Route(places: server.dialect == .lmtp ? [.mailboxes] : Set(RecipientPlace.allCases))
        }
    }
}

extension NextHopConfiguration {
    private static let kinds = ["maildir", "smtp", "lmtp"]

    /// What becomes of the detail of a recipient (RFC 5233).
    private enum DetailRule: String, CaseIterable {
        case keep
        case drop
    }

    /// Reads `next-hops`; none when the key is absent.
    static func read(from root: inout Section) -> [NextHopConfiguration] {
        guard let items = root.list("next-hops", empty: "name one next hop at least, or leave the key out") else {
            return []
        }
        var names = UniqueNames(of: "next hop", such: "mailboxes")
        return items.compactMap { item in
            guard var section = item.section() else { return nil }
            let name = names.read(from: &section)
            let kind = readKind(from: &section)
            var route = kind?.route ?? Route(places: [])
            if let places = section.setting("takes")?.places() { route.places = places }
            if let domains = section.setting("domains")?.domains() { route.domains = domains }
            if let mailboxes = section.setting("recipients")?.mailboxes() { route.mailboxes = mailboxes }
            var followsLinks = false
            switch kind {
            case .maildir?: followsLinks = section.setting("follow-links")?.flag() ?? false
            case .server?: route.dropsDetails = section.setting("detail")?.choice(of: DetailRule.self) == .drop
            case nil: section.know(["follow-links", "detail"])
            }
            section.close()
            guard let name, let kind else { return nil }
            return NextHopConfiguration(name: name, kind: kind, route: route, followsLinks: followsLinks)
        }
    }

    private static func readKind(from section: inout Section) -> Kind? {
        let settings = kinds.compactMap { section.setting($0) }
        guard let setting = settings.first else {
            section.require("maildir", for: "maildir: mail/{domain}/{local-part}")
            // What belongs to a server is not wrong besides.
            section.know(MailServer.keys)
            return nil
        }
        if settings.count > 1 {
            settings[1].report("a next hop is one of \(kinds.joined(separator: ", ")); give each a name of its own")
        }
        if let dialect = MailServer.Dialect(rawValue: setting.key) {
            return MailServer.read(dialect, at: setting, from: &section).map(Kind.server)
        }
        guard let text = setting.text("a path such as mail/{domain}/{local-part}") else { return nil }
        do {
            return .maildir(try MaildirTemplate(setting.findings.resolve(text)))
        } catch {
            setting.report("\(setting.name) \(text.quoted) \(error)")
            return nil
        }
    }
}

extension Setting {
    /// The places whose recipients are taken, each at most once.
    fileprivate func places() -> Set<RecipientPlace>? {
        guard let items = items(empty: "leave the key out for the default") else { return nil }
        return Set(items.compactMap { $0.choice(of: RecipientPlace.self) })
    }

    fileprivate func domains() -> Set<Domain>? {
        guard let items = items(empty: "leave the key out for all domains") else { return nil }
        return Set(items.compactMap { $0.domain(such: "example.org") })
    }

    fileprivate func mailboxes() -> Set<Mailbox>? {
        guard let items = items(empty: "leave the key out for all recipients") else { return nil }
        return Set(items.compactMap { $0.mailbox(such: "fred@example.org") })
    }
}
