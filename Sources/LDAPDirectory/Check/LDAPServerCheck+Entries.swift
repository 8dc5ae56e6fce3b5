// Whether anybody is there, and whether a sample of the entries says what it must: each is read as a question reads it,
// and asked for by its own addresses.

import CLDAP
import MailAddress
import MailboxDirectory

extension LDAPServerCheck {
    /// Entries of the sample.
    static let sample = 100
    /// Addresses that are asked for, and the longest that all of them may take: without an index each may take seconds.
    private static let questions = 200
    private static let sampleTime: Nanoseconds = 15_000_000_000

    /// - Returns: whether there is an entry of a user, so that there may be a sample.
    mutating func examineUsers(_ handle: LDAPHandle) throws(LDAPFailure) -> Bool {
        let classes = SearchPlan.once(plan.userRules.flatMap(\.classes))
        var search = plan.search(Self.filter(classes), plan.userRules, limit: 1)
        search.attributes = ["1.1"]
        search.isPartialWelcome = true
        let outcome = try ask(handle, search)
        note(outcome, "looking for a user")
        if !outcome.some.isEmpty { return true }
        guard case .found = outcome else { return false }
        let text = "no entry below \(settings.base) is a user (\(classes.listed)), as far as this account may see"
        let advice = try presetAdvice(handle)
        // Our own schema has been loaded for nothing else, and the first user may still be to come.
        if plan.schema.keys != nil, advice == nil {
            list.add(Finding(.warning, .directory, text, advice: "add one: addressee user add"))
        } else {
            list.add(
                Finding(
                    .error, .configuration, text,
                    advice: advice ?? "check base, preset, and what the account may read"))
        }
        return false
    }

    mutating func examineSample(_ handle: LDAPHandle) throws(LDAPFailure) {
        let rules = plan.recordRules
        var search = plan.search(Self.filter(SearchPlan.once(rules.flatMap(\.classes))), rules, limit: Self.sample)
        search.isPartialWelcome = true
        let outcome = try ask(handle, search)
        note(outcome, "reading a sample of the entries")
        var asked: [(Mailbox, dn: String, own: [Mailbox])] = []
        var served: [Domain: Bool] = [:]
        var seen: Set<Mailbox> = []
        var (users, without) = (0, 0)
        for entry in outcome.some {
            let rules = plan.reader.rules(of: entry)
            examineValues(entry, rules)
            let addresses = plan.reader.addresses(of: entry, rules)
            if rules.contains(where: { $0.kind == .user }) {
                users += 1
                if addresses.all.isEmpty { without += 1 }
            }
            for address in addresses.all {
                if try isServed(address.domain, handle, &served) {
                    if seen.insert(address).inserted { asked.append((address, entry.dn, addresses.all)) }
                } else {
                    noteForeign(address, of: entry, rules)
                }
            }
        }
        if without > 0 {
            list.add(
                Finding(
                    without == users ? .error : .note, without == users ? .configuration : .directory,
                    "\(without) of \(users) users that were read have no address that this account may see",
                    advice: "nothing if they have none; else let the account read it, or correct roles"))
        }
        try ask(handle, for: asked)
    }

    static func filter(_ classes: [AttributeName]) -> LDAPFilter {
        .anyOf(classes.map { .equal("objectClass", Array($0.description.utf8)) })
    }

    /// Values that stand for addresses and are none.
    private mutating func examineValues(_ entry: LDAPEntry, _ rules: [LDAPRule]) {
        for role in [LDAPRole.address, .aliasAddress] {
            let bare = plan.schema.names(.localPart, rules)
            for name in plan.schema.names(role, rules) where !bare.contains(name) {
                let prefix = plan.schema.prefixes[name]
                for value in entry.values(name) {
                    // What has another prefix is no mail address, and no fault.
                    guard let value = prefix.map({ $0.strip(value) }) ?? EntryReader.trimmed(value) else { continue }
                    do {
                        _ = try Mailbox(octets: value.span)
                    } catch {
                        let text = String(decoding: value, as: UTF8.self)
                        list.add(
                            Finding(
                                .warning, .directory,
                                "the entry \(entry.dn) has \"\(text)\" as \(name), which is no address: \(error)",
                                advice: "correct it; it is passed over"),
                            topic: "values that are no addresses")
                    }
                }
            }
        }
    }

    private func isServed(
        _ domain: Domain, _ handle: LDAPHandle, _ known: inout [Domain: Bool]
    ) throws(LDAPFailure) -> Bool {
        if let isServed = known[domain] { return isServed }
        let isServed = try answer(handle, DomainWork(plan: plan, domain: domain)) != .absent
        known[domain] = isServed
        return isServed
    }

    /// An address in a domain of others leads nowhere, unless it is where the entry redirects mail to, as a contact does.
    private mutating func noteForeign(_ address: Mailbox, of entry: LDAPEntry, _ rules: [LDAPRule]) {
        let targets = plan.reader.values(.forwardTarget, of: entry, rules)
        if targets.contains(where: { (try? Mailbox(octets: $0.span)) == address }) { return }
        list.add(
            Finding(
                .warning, .directory,
                "the entry \(entry.dn) has the address \(address), in a domain that this source does not serve, so that"
                    + " nothing is taken or sent there",
                advice: "take it out, or name \(address.domain) under domains if it is yours"),
            topic: "addresses in domains that are not served")
    }

    /// Puts a question for each address, which shows two entries at one, and entries that can't be told.
    private mutating func ask(
        _ handle: LDAPHandle, for addresses: [(Mailbox, dn: String, own: [Mailbox])]
    ) throws(LDAPFailure) {
        let start = MonotonicTime.now()
        for (count, (address, dn, own)) in addresses.prefix(Self.questions).enumerated() {
            if MonotonicTime.now() - start > Self.sampleTime {
                let each = (MonotonicTime.now() - start) / Int64(max(count, 1)) / 1_000_000
                list.add(
                    Finding(
                        .warning, .directory, "a question for an address takes the server \(each) ms",
                        advice: "index what is searched by: \(SearchedAttributes(plan).equality.listed)"))
                return
            }
            switch try answer(handle, EntriesWork(plan: plan, keys: [address])) {
            case .couldNotTell(let trouble):
                list.add(Finding(.error, .directory, reason: trouble.reason), topic: "addresses that can't be told")
            case .absent:
                list.add(
                    Finding(
                        .error, .directory, "the entry \(dn) has the address \(address), and is not found by it",
                        advice: "check how the server compares the attribute, and what this account may search"),
                    topic: "addresses that are not found")
            case .entry(let entry, _) where !plan.schema.prefixes.isEmpty && !own.contains(entry.address):
                list.add(
                    Finding(
                        .warning, .directory,
                        "the entry \(dn) has the address \(address), which mail servers take for \(entry.address), so that"
                            + " its mail goes there",
                        advice: "correct it if that is not meant"), topic: "addresses of others")
            default: break
            }
        }
    }

    /// What a question would be answered.
    private func answer(_ handle: LDAPHandle, _ work: some LookupWork) throws(LDAPFailure) -> Answer {
        var work = work
        var step = work.begin()
        while case .search(let searches) = step {
            var outcomes: [SearchOutcome] = []
            for search in searches { outcomes.append(try ask(handle, search)) }
            step = work.take(outcomes)
        }
        if case .answered(let answer) = step { return answer }
        return .absent
    }
}
