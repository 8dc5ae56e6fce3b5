// The connection of a command, which waits: searches and changes, one after the other. Not for event loops.

import CLDAP
import MailboxDirectory

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A connection to the servers of one source. Confined to its owner.
final class StoreSession {
    private let settings: LDAPSettings
    private var handle: LDAPHandle?
    /// Whether the server takes assertions about the old state of an entry (RFC 4528).
    private(set) var takesAssertions = false
    /// The attributes that the server sets itself, once they have been asked for.
    var ownAttributes: Set<String>?

    init(_ settings: LDAPSettings) { self.settings = settings }

    /// On one of the servers alone.
    init(_ settings: LDAPSettings, uri: String) {
        var settings = settings
        settings.uris = [uri]
        settings.mustFind = []
        self.settings = settings
    }

    /// The server in use; empty while there is none.
    var uri: String { handle?.uri ?? "" }

    /// Ends the connection; the next question opens another.
    func close() { handle = nil }

    /// Why what is not found may be there all the same; nil while there is no reason.
    var doubt: String? {
        if case .incomplete(let reason)? = handle?.wholeness { reason } else { nil }
    }

    /// The connection, opened if need be: the best server that can be reached.
    private func connected() throws(LDAPFailure) -> LDAPHandle {
        if let handle { return handle }
        var last = LDAPFailure(.unreachable, "no LDAP server is configured; name one at least")
        var round = ServerRound(settings.uris)
        while let index = round.next() {
            do throws(LDAPFailure) {
                let new = try LDAPHandle(uri: settings.uris[index], settings: settings)
                switch round.choose(new, index) {
                case .used: return try use(new)
                case .later: break
                case .leftOut(let reason): last = LDAPFailure(.unreachable, reason)
                }
            } catch {
                handle = nil
                last = error
            }
        }
        if let (best, _) = round.best() { return try use(best) }
        throw last
    }

    private func use(_ new: LDAPHandle) throws(LDAPFailure) -> LDAPHandle {
        handle = new
        try readAbilities(new)
        return new
    }

    private func readAbilities(_ handle: LDAPHandle) throws(LDAPFailure) {
        let root = LDAPSearch(
            base: "", scope: .base, filter: LDAPFilter.present("objectClass").text, attributes: ["supportedControl"])
        let outcome = try exchange([root], on: handle).first
        takesAssertions =
            outcome?.anyEntries.first?.texts("supportedControl").contains(LDAP_CONTROL_ASSERT) ?? false
    }

    private var deadline: Nanoseconds { MonotonicTime.now() + settings.timeout.nanoseconds }

    // MARK: Searches

    /// Carries out all of these at once; each gets its outcome. A connection that is lost meanwhile is opened again, once,
    /// and what a server has no time for is asked of another.
    func outcomes(_ searches: [LDAPSearch]) -> [SearchOutcome] {
        var failure = LDAPFailure(.closed, "")
        for attempt in 0..<2 {
            do throws(LDAPFailure) {
                let outcomes = try exchange(searches, on: try connected())
                let isOverload = outcomes.contains { if case .failed(let why) = $0 { why.isOverload } else { false } }
                if attempt == 0, isOverload, leaves() { continue }
                return outcomes
            } catch {
                failure = error
                if case .lost = error.kind { continue }
                break
            }
        }
        return searches.map { _ in .failed(failure) }
    }

    /// Lets go of a server that has too much to do, where there is another.
    private func leaves() -> Bool {
        guard ServerMemory.shared.leaves(uri, among: settings.uris) else { return false }
        handle = nil
        return true
    }

    /// Carries out lookups in step, the searches of all at once.
    func answers(_ works: [any LookupWork], source: String) -> [Answer] {
        var works = works
        var steps = works.indices.map { works[$0].begin() }
        while true {
            var searches: [LDAPSearch] = []
            for case .search(let more) in steps { searches += more }
            if searches.isEmpty { break }
            var outcomes = outcomes(searches)[...]
            for (index, step) in steps.enumerated() {
                guard case .search(let asked) = step else { continue }
                steps[index] = works[index].take(Array(outcomes.prefix(asked.count)))
                outcomes = outcomes.dropFirst(asked.count)
            }
        }
        return steps.map { step in
            if case .answered(let answer) = step { return answer.certain(in: source, doubt: doubt) }
            return .trouble(source, "a lookup came to no search; this is a fault of the program")
        }
    }

    /// Hands out the entries of a long result page by page, so that they need not all be kept.
    func pages(_ search: LDAPSearch, _ take: ([LDAPEntry]) throws(ReadFault) -> Void) throws(ReadFault) {
        var cookie: [UInt8] = []
        while true {
            let page: SearchPage
            let uri: String
            do throws(LDAPFailure) {
                let handle = try connected()
                uri = handle.uri
                page = try self.page(search, cookie, on: handle)
            } catch {
                throw ReadFault(error.description)
            }
            if page.isOverload, cookie.isEmpty, leaves() { continue }
            try take(page.entries)
            switch page.end(of: search, entries: [], uri: uri) {
            case .more: cookie = page.cookie
            case .ended(let outcome):
                _ = try outcome.entries()
                return
            }
        }
    }

    private func page(
        _ search: LDAPSearch, _ cookie: [UInt8], on handle: LDAPHandle
    ) throws(LDAPFailure) -> SearchPage {
        let deadline = deadline
        var id: Int32?
        while true {
            let left = deadline - MonotonicTime.now()
            if left <= 0 {
                if let id { handle.abandon(id) }
                throw timedOut(handle.uri, search.base)
            }
            if id == nil { id = try handle.send(search, cookie: cookie, milliseconds: left / 1_000_000) }
            switch handle.nextAnswer(waiting: Int(left / 1000)) {
            case .nothing: break
            case .lost(let reason): throw lost(reason)
            case .answer(let answered, let page): if answered == id { return page }
            }
        }
    }

    /// - Throws: `.lost`, when the connection is of no more use.
    private func exchange(
        _ searches: [LDAPSearch], on handle: LDAPHandle
    ) throws(LDAPFailure) -> [SearchOutcome] {
        var deadline = deadline
        var outcomes = [SearchOutcome?](repeating: nil, count: searches.count)
        var entries = [[LDAPEntry]](repeating: [], count: searches.count)
        var waiting = Array(searches.indices.reversed().map { (index: $0, cookie: [UInt8]()) })
        var inFlight: [Int32: Int] = [:]
        let most = handle.isAnonymous ? LDAPLimits.anonymousInFlight : LDAPLimits.boundInFlight
        while !waiting.isEmpty || !inFlight.isEmpty {
            let left = deadline - MonotonicTime.now()
            if left <= 0 { break }
            while inFlight.count < most, let next = waiting.last {
                let id: Int32?
                do throws(LDAPFailure) {
                    id = try handle.send(searches[next.index], cookie: next.cookie, milliseconds: left / 1_000_000)
                } catch {
                    if case .result(LDAP_SERVER_DOWN) = error.kind { throw lost(error.description) }
                    outcomes[next.index] = .failed(error)
                    waiting.removeLast()
                    continue
                }
                guard let id else { break }
                inFlight[id] = next.index
                waiting.removeLast()
            }
            if inFlight.isEmpty, waiting.isEmpty { break }
            switch handle.nextAnswer(waiting: Int(left / 1000)) {
            case .nothing: break
            case .lost(let reason): throw lost(reason)
            case .answer(let id, let page):
                guard let index = inFlight.removeValue(forKey: id) else { break }
                entries[index] += page.entries
                switch page.end(of: searches[index], entries: entries[index], uri: handle.uri) {
                case .more:
                    waiting.append((index, page.cookie))
                    // The time is that of a page.
                    deadline = self.deadline
                case .ended(let outcome): outcomes[index] = outcome
                }
            }
        }
        for id in inFlight.keys { handle.abandon(id) }
        return outcomes.enumerated().map { index, outcome in
            outcome ?? .failed(timedOut(handle.uri, searches[index].base))
        }
    }

    private func timedOut(_ uri: String, _ base: String) -> LDAPFailure {
        LDAPFailure(
            .timedOut,
            "\(uri), base \"\(base)\": no answer in \(settings.timeout); look at the server's load, and whether the"
                + " attributes that are asked for are indexed")
    }

    private func lost(_ reason: String) -> LDAPFailure {
        handle = nil
        return LDAPFailure(.lost, reason)
    }
}

// MARK: Changes

extension StoreSession {
    /// What came of a change.
    enum Result {
        case done
        /// Nothing was done.
        case refused(LDAPFailure)
        /// It was sent, and no answer came.
        case unknown(LDAPFailure)
    }

    /// Sends a change and waits for what comes of it.
    func carryOut(_ operation: LDAPOperation, assertion: LDAPFilter?) -> Result {
        let handle: LDAPHandle
        do throws(LDAPFailure) {
            handle = try connected()
        } catch {
            return .refused(error)
        }
        let id: Int32
        do throws(LDAPFailure) {
            id = try handle.send(operation, assertion: takesAssertions ? assertion : nil)
        } catch {
            if case .result(LDAP_SERVER_DOWN) = error.kind { return .unknown(lost(error.description)) }
            return .refused(error)
        }
        let end = MonotonicTime.now() + max(settings.timeout.nanoseconds, LDAPLimits.writePatience)
        while true {
            let left = end - MonotonicTime.now()
            if left <= 0 {
                handle.abandon(id)
                return .unknown(
                    LDAPFailure(.timedOut, "\(handle.uri), \"\(operation.dn)\": no answer to the change in time"))
            }
            switch handle.nextAnswer(waiting: Int(left / 1000)) {
            case .nothing: break
            case .lost(let reason): return .unknown(lost(reason))
            case .answer(let answered, let page) where answered == id:
                if page.code == LDAP_SUCCESS { return .done }
                return .refused(.refusal(page, of: operation, uri: handle.uri))
            case .answer: break
            }
        }
    }

    /// The entry of this name with all its attributes, for changing it.
    /// - Returns: nil when there is none.
    func entry(_ dn: String) throws(ReadFault) -> LDAPEntry? {
        let search = LDAPSearch(
            base: dn, scope: .base, filter: LDAPFilter.present("objectClass").text,
            attributes: Self.everything)
        let outcome = outcomes([search]).first
        if case .noSuchObject = outcome { return nil }
        return try outcome?.entries().first
    }

    /// All that people may have written, and what tells one state of an entry from another.
    static let everything = ["*", "entryCSN"]
}
