// The administrator's way to an LDAP directory: whole records, read and written through a connection of its own.

import MailAddress
public import MailboxDirectory

/// An LDAP directory that can be written to.
///
/// LDAP has no transactions over several entries. A transaction here is kept in memory, is seen by all that it reads
/// itself, and is sent when its body returns; when that throws, nothing has been sent. Almost every command is one change
/// of one entry, which a server does whole or not at all. Where there are more, they are sent in an order in which
/// nothing points to what is not there; at the first that fails the rest is left out, what was done is taken back as far
/// as the server lets it, and the error says what is written.
///
/// A change is sent as what it takes away and adds by value, and with an assertion of the old state where the server
/// takes such: what somebody else has changed meanwhile is refused, not overwritten. Of two who add the same address one
/// gets `.addressTaken`, since its entry is named by the address. Two who give the same login to two users at the same
/// moment are not found out.
///
/// A view is consistent as far as it remembers what it has read: two questions for one thing get one answer.
///
/// `read` and `write` may not be nested. Confined to its owner; it waits for servers, so never on an event loop.
public final class LDAPStore: RecordStore {
    public let name: String
    private let session: StoreSession
    private let plan: SearchPlan
    private let writer: RecordWriter
    private let journal: LDAPCacheJournal?
    private let positive: Duration
    private let onNotice: (String) -> Void

    /// Nothing is connected before the first question.
    ///
    /// - Parameters:
    ///   - name: the source's name in the configuration.
    ///   - settings: its servers, and what is written to them.
    ///   - onNotice: told, in one line, what an administrator should know although the change was made.
    public init(name: String, settings: LDAPSettings, onNotice: @escaping (String) -> Void = { _ in }) {
        self.name = name
        self.onNotice = onNotice
        session = StoreSession(settings)
        plan = SearchPlan(name: name, settings: settings)
        writer = RecordWriter(plan: plan, settings: settings)
        journal = settings.cache.journal.map { LDAPCacheJournal(path: $0) }
        positive = max(settings.cache.positive, settings.cache.negative)
    }

    /// Ends the connection; the next question opens another.
    public func close() { session.close() }

    public func read<Result>(_ body: (any RecordReading) throws -> Result) throws -> Result {
        try body(view())
    }

    public func write<Result>(_ body: (any RecordWriting) throws -> Result) throws -> Result {
        let view = view()
        let result = try body(view)
        var changes: [PlannedChange] = []
        for slot in view.overlay.slots.values { changes += try writer.changes(for: slot) }
        for slot in view.overlay.domains.values { changes += try writer.changes(for: slot) }
        if changes.isEmpty { return result }
        let order = ChangeOrder(changes).sorted
        announce(order)
        // Whatever came of it: what is not known to be written may be.
        defer { announce(order, isDone: true) }
        try Commit(session: session, plan: plan, changes: order).run()
        return result
    }

    private func view() -> LDAPStoreView {
        LDAPStoreView(name: name, session: session, plan: plan, writer: writer)
    }

    /// Says in the journal what is changed: before it is sent, so that nothing asked for meanwhile is remembered, and
    /// when it is done, so that the old state is not either.
    private func announce(_ changes: [PlannedChange], isDone: Bool = false) {
        guard let journal else { return }
        do throws(JournalFailure) {
            try journal.append(changes.map(\.subject.journalName))
        } catch {
            if isDone {
                onNotice(
                    "\(error.reason); servers that run may answer as before for \(positive.components.seconds) s more")
            }
        }
    }
}

extension PlannedChange.Subject {
    /// What running servers are to forget.
    var journalName: LDAPCacheJournal.Name {
        switch self {
        case .records(let slot): .address(slot.address)
        case .domain(let slot): .domain(slot.domain)
        }
    }

    /// For a person: `user fred@example.org`.
    var description: String {
        switch self {
        case .records(let slot):
            let record = slot.after.first { !slot.before.contains($0) } ?? slot.after.first ?? slot.before.first
            return "\(record?.kind.rawValue ?? "record") \(slot.address)"
        case .domain(let slot): return "domain \(slot.domain)"
        }
    }
}
