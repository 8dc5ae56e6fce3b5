// Classes of clients from `clients`. Whatever a class leaves out is what `everyone` has: the least.

public import Verification

extension ClientClass {
    /// Questions a minute of one client address, in `everyone` and in classes that say nothing.
    public static let standardQuestionsPerMinute = 600

    /// The classes when the file names none.
    static var standard: [ClientClass] { [.trusted, .remaining] }

    /// `everyone`, with its limit.
    static var remaining: ClientClass {
        var everyone = ClientClass.everyone
        everyone.questionsPerMinute = standardQuestionsPerMinute
        return everyone
    }

    /// Reads `clients`. When no class without networks ends the list, `everyone` is appended.
    static func read(from root: inout Section) -> [ClientClass] {
        let items = root.list("clients", empty: "name one class at least, or leave the key out")
        guard let items else { return standard }
        var names = UniqueNames(of: "class", such: "partners")
        var classes: [ClientClass] = []
        for item in items {
            guard var section = item.section() else { continue }
            let name = names.read(from: &section)
            if let last = classes.last, last.networks.isEmpty {
                item.report("no client gets here: \(last.name.quoted) has no networks, so it must be the last class")
            }
            let networks = section.setting("networks")
            if let networks, name == remaining.name {
                networks.report("the class \"everyone\" has no networks; choose another name for this one")
            }
            var client = remaining
            client.networks = networks?.networks() ?? []
            // A class whose networks were refused must not look like the one that ends the list.
            if networks != nil, client.networks.isEmpty { client.networks = Network.thisMachine }
            client.read(from: &section)
            section.close()
            guard let name else { continue }
            client.name = name
            classes.append(client)
        }
        if classes.last?.networks.isEmpty != true { classes.append(remaining) }
        return classes
    }

    private mutating func read(from section: inout Section) {
        if let value = section.setting("trusted")?.flag() { isTrusted = value }
        if let value = section.setting("relay")?.flag() { mayRelay = value }
        if let value = section.setting("vrfy")?.choice(of: VRFYDisclosure.self) { disclosure.vrfy = value }
        if let value = section.setting("expn")?.choice(of: EXPNDisclosure.self) { disclosure.expn = value }
        if let value = section.setting("rcpt")?.choice(of: RCPTDisclosure.self) { disclosure.rcpt = value }
        if let setting = section.setting("questions-per-minute") {
            let isUnlimited = setting.isWord("unlimited")
            questionsPerMinute = isUnlimited ? nil : setting.number(in: 1...1_000_000_000, or: "unlimited")
        }
    }
}

extension Setting {
    fileprivate func networks() -> [Network]? {
        guard let items = items(empty: "leave the key out for any client") else { return nil }
        return items.compactMap { item in
            guard let text = item.text("a network such as 192.0.2.0/24, or unix") else { return nil }
            do {
                return try Network(text)
            } catch {
                item.report("\(text.quoted) is no network; \(error)")
                return nil
            }
        }
    }
}
