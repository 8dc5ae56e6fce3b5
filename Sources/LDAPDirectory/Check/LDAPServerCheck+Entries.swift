// Whether anybody is there, and whether the entries, or a sample of them, say what they must: each is read as a question
// reads it, and asked for by its own addresses.

import CLDAP
import MailAddress
import MailboxDirectory

/// An address that a question is put for: of which entry, and which that has besides.
private struct EntryAddress {
    var address: Mailbox
    var dn: String
    var own: [Mailbox]
}

extension LDAPServerCheck {
    /// Entries of the sample.
    static let sample = 100
    /// The longest that the questions for a sample may take.
    private static let sampleTime: Nanoseconds = 15_000_000_000
    /// Questions under way at once: few, for they share one time-out, and without an index each may take long; and one beside
    /// those of a server that starts.
    private var asked: Int { extent == .start ? 1 : 20 }
    /// Domains of which it is found out whether they are served.
    private static let knownDomains = 10_000

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

    /// Reads the entries; no more than a sample, unless all are wanted.
    mutating func examineEntries(_ handle: LDAPHandle) throws(LDAPFailure) {
        var search = recordSearch
        if extent != .everything {
            search.page = 0
            search.sizeLimit = Self.sample
        }
        search.isPartialWelcome = true
        // Of its own: a server keeps the place in one result of pages only (RFC 2696), and members come in pages too.
        let session = StoreSession(settings, uri: uri)
        var examination = EntryExamination()
        var all = self
        let outcome = try ask(handle, search) { entries in
            for start in stride(from: 0, to: entries.count, by: LDAPLimits.listedAtOnce) {
                let some = entries[start..<min(start + LDAPLimits.listedAtOnce, entries.count)]
                all.examine(Array(some), session, &examination)
            }
            return true
        }
        self = all
        note(outcome, "reading the entries")
        tell(examination)
    }

    /// Whether what is left is not worth the time: without an index each question may take seconds.
    private func isTooLong(_ examination: EntryExamination) -> Bool {
        extent != .everything && examination.time > Self.sampleTime
    }

    private mutating func examine(
        _ entries: [LDAPEntry], _ session: StoreSession, _ examination: inout EntryExamination
    ) {
        read += entries.count
        var found: [(address: Mailbox, entry: LDAPEntry, rules: [LDAPRule], own: [Mailbox])] = []
        for entry in entries {
            let rules = plan.reader.rules(of: entry)
            examineValues(entry, rules)
            let own = plan.reader.addresses(of: entry, rules).all
            if rules.contains(where: { $0.kind == .user }) {
                examination.users += 1
                if own.isEmpty { examination.usersWithout += 1 }
            }
            found += own.map { ($0, entry, rules, own) }
        }
        // Those of a directory are few; of one that is not, no more need be known.
        if examination.domains.count < Self.knownDomains {
            let unknown = Array(Set(found.map(\.address.domain)).subtracting(examination.domains.keys))
            let answers = session.answers(unknown.map { DomainWork(plan: plan, domain: $0) }, source: "")
            for (domain, answer) in zip(unknown, answers) { examination.domains[domain] = answer != .absent }
        }
        var addresses: [EntryAddress] = []
        var seen: Set<Mailbox> = []
        for (address, entry, rules, own) in found {
            if examination.domains[address.domain] == false {
                noteForeign(address, of: entry, rules)
            } else if seen.insert(address).inserted {
                addresses.append(EntryAddress(address: address, dn: entry.dn, own: own))
            }
        }
        for start in stride(from: 0, to: addresses.count, by: asked) where !isTooLong(examination) {
            ask(session, for: addresses[start..<min(start + asked, addresses.count)], &examination)
        }
    }

    private mutating func tell(_ examination: EntryExamination) {
        let (users, without) = (examination.users, examination.usersWithout)
        if without > 0 {
            list.add(
                Finding(
                    without == users ? .error : .note, without == users ? .configuration : .directory,
                    "\(without) of \(users) users that were read have no address that this account may see",
                    advice: "nothing if they have none; else let the account read it, or correct roles"))
        }
        if isTooLong(examination) {
            let each = examination.time / Int64(max(examination.questions, 1)) / 1_000_000
            list.add(
                Finding(
                    .warning, .directory, "a question for an address takes the server \(each) ms",
                    advice: "index what is searched by: \(SearchedAttributes(plan).equality.listed)"))
        }
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
                    if plan.reader.catchAllDomain(value) != nil { continue }
                    do {
                        let address = try Mailbox(octets: value.span)
                        guard let fault = AddressFault(ofRecord: address) else { continue }
                        list.add(
                            Finding(.warning, .directory, "the entry \(entry.dn), as \(name): \(fault)"),
                            topic: "addresses that others do not take")
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

    /// Puts a question for each address, which shows two entries at one, and entries that can't be told; and for the
    /// members of each list.
    private mutating func ask(
        _ session: StoreSession, for addresses: ArraySlice<EntryAddress>,
        _ examination: inout EntryExamination
    ) {
        let start = MonotonicTime.now()
        var lists: [Mailbox] = []
        let answers = session.answers(addresses.map { EntriesWork(plan: plan, keys: [$0.address]) }, source: "")
        for (asked, answer) in zip(addresses, answers) {
            let (address, dn) = (asked.address, asked.dn)
            switch answer {
            case .entry(.list(let list), _): if list.address == address { lists.append(address) }
            case .couldNotTell(let trouble): tellTrouble(trouble)
            case .absent:
                list.add(
                    Finding(
                        .error, .directory, "the entry \(dn) has the address \(address), and is not found by it",
                        advice: "check how the server compares the attribute, and what this account may search"),
                    topic: "addresses that are not found")
            case .entry(let entry, _) where !plan.schema.prefixes.isEmpty && !asked.own.contains(entry.address):
                list.add(
                    Finding(
                        .warning, .directory,
                        "the entry \(dn) has the address \(address), which mail servers take for \(entry.address), so that"
                            + " its mail goes there",
                        advice: "correct it if that is not meant"), topic: "addresses of others")
            default: break
            }
        }
        for answer in session.answers(lists.map { MembersWork(plan: plan, list: $0) }, source: "") {
            if case .couldNotTell(let trouble) = answer { tellTrouble(trouble) }
        }
        examination.questions += addresses.count + lists.count
        examination.time += MonotonicTime.now() - start
    }

    private mutating func tellTrouble(_ trouble: Trouble) {
        list.add(Finding(.error, .directory, reason: trouble.reason), topic: "addresses that can't be told")
    }
}

/// What has been read so far.
struct EntryExamination {
    var users = 0
    var usersWithout = 0
    /// Whether the source serves them.
    var domains: [Domain: Bool] = [:]
    var questions = 0
    /// What the questions took; nanoseconds.
    var time: Nanoseconds = 0
}
