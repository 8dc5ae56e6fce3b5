// One server of a source: connect, protect, bind, and then one question after another. The first step that fails ends
// it, and is told.

import CLDAP
import MailboxDirectory

struct LDAPServerCheck {
    let uri: String
    let settings: LDAPSettings
    let plan: SearchPlan
    let extent: LDAPCheck.Extent
    var list = FindingList()
    /// Whether it can be reached, and whether questions are put to it then.
    private(set) var isConnected = false
    private(set) var isWorking = false
    /// Its contextCSN; nil where that says nothing.
    var marks: [String]?
    /// How many entries there are of records of any kind; nil where they were not counted to the end.
    var count: Int?
    /// How many of them were read.
    var read = 0
    /// What the server tells of itself; empty where it does not.
    var root = LDAPEntry(dn: "", attributes: [:])
    /// The schema that the server shows; nil where it shows none.
    var known: ServerSchema?

    var patience: Nanoseconds { settings.timeout.nanoseconds }

    init(uri: String, name: String, settings: LDAPSettings, extent: LDAPCheck.Extent = .start) {
        self.uri = uri
        self.settings = settings
        self.extent = extent
        plan = SearchPlan(name: name, settings: settings)
    }

    mutating func run() {
        guard let handle = open() else { return }
        isConnected = true
        isWorking = true
        do throws(LDAPFailure) {
            try examineRoot(handle)
            guard try examineBase(handle) else { return }
            if case .incomplete(let reason) = try examineWholeness(handle) {
                isWorking = false
                list.add(Finding(.error, .unreachable, reason: reason))
            }
            if try examineSchema(handle) {
                try examineDomains(handle)
                if try examineUsers(handle) { try examineEntries(handle) }
                try examineIndexes(handle)
            }
            try examineAccess(handle)
            try examineLimits(handle)
            tellRead()
        } catch {
            isWorking = !hasOthers
            list.add(Finding(.error, .unreachable, reason: error.description))
        }
    }

    /// Whether another server may answer in its place.
    private var hasOthers: Bool { settings.uris.count > 1 }

    /// - Returns: nil when a step has failed, which is told then.
    private mutating func open() -> LDAPHandle? {
        var step = "setting up the connection"
        do throws(LDAPFailure) {
            let handle = try LDAPHandle(unconnected: uri, settings: settings)
            handle.begin(until: MonotonicTime.now() + settings.connectTimeout.nanoseconds)
            // Over ldaps TLS comes with the connection.
            step = uri.lowercased().hasPrefix("ldaps:") ? "connecting, with TLS," : "connecting"
            try handle.connect(settings)
            step = "TLS"
            try handle.protect(settings)
            step = "the bind"
            try handle.bind(settings)
            handle.finishOpening()
            cldap_set_nonblocking(handle.ld)
            return handle
        } catch {
            var cause = Self.cause(error)
            // A server that has no StartTLS.
            if step == "TLS", error.kind == .result(LDAP_PROTOCOL_ERROR) { cause = .configuration }
            list.add(Finding(.error, cause, reason: "\(step) failed: \(error.description)"))
            return nil
        }
    }

    /// A server that refuses who we are, and a file or a name that is not there, are for the configuration to mend.
    private static func cause(_ failure: LDAPFailure) -> Finding.Cause {
        switch failure.kind {
        case .result(
            LDAP_INVALID_CREDENTIALS), .result(LDAP_STRONG_AUTH_REQUIRED), .result(LDAP_CONFIDENTIALITY_REQUIRED),
            .result(LDAP_INAPPROPRIATE_AUTH), .result(LDAP_AUTH_METHOD_NOT_SUPPORTED), .result(LDAP_AUTH_UNKNOWN),
            .result(LDAP_INVALID_DN_SYNTAX), .result(LDAP_PARAM_ERROR), .result(LDAP_UNWILLING_TO_PERFORM),
            .result(LDAP_INSUFFICIENT_ACCESS), .result(LDAP_NO_SUCH_OBJECT):
            .configuration
        // Ours, from before anything was sent.
        case .unreachable, .certificate, .bindPaused: .configuration
        case .result, .timedOut, .lost, .queueFull, .closed: .unreachable
        }
    }
}

extension LDAPServerCheck {
    /// Carries out a search and waits for all of it.
    ///
    /// - Throws: when the server gave no answer: then nothing further is to be had from it.
    func ask(_ handle: LDAPHandle, _ search: LDAPSearch) throws(LDAPFailure) -> SearchOutcome {
        try answered(handle.carryOut(search, patience: patience))
    }

    /// The same page by page, nothing of which is kept.
    func ask(
        _ handle: LDAPHandle, _ search: LDAPSearch, _ take: ([LDAPEntry]) -> Bool
    ) throws(LDAPFailure) -> SearchOutcome {
        try answered(handle.carryOut(search, patience: patience, take))
    }

    private func answered(_ outcome: SearchOutcome) throws(LDAPFailure) -> SearchOutcome {
        if case .failed(let failure) = outcome {
            switch failure.kind {
            case .result(let code) where code > 0: break
            default: throw failure
            }
        }
        return outcome
    }

    /// One entry, with these attributes; nil when it is not there or may not be read.
    func entry(_ handle: LDAPHandle, _ dn: String, _ attributes: [String]) throws(LDAPFailure) -> LDAPEntry? {
        let search = LDAPSearch(
            base: dn, scope: .base, filter: LDAPFilter.present("objectClass").text, attributes: attributes, sizeLimit: 1
        )
        return try ask(handle, search).some.first
    }

    /// Reports a search that the server refused; nothing for one that it answered, even if in part.
    mutating func note(_ outcome: SearchOutcome, _ what: String, _ severity: Finding.Severity = .error) {
        switch outcome {
        case .found, .partial: break
        case .noSuchObject(let failure), .failed(let failure):
            if failure.isOverload, hasOthers { isWorking = false }
            list.add(
                Finding(
                    severity, failure.isOverload ? .unreachable : .configuration,
                    reason: "\(what) failed: \(failure.description)"))
        }
    }
}

extension SearchOutcome {
    /// What came, be it all or not.
    var some: [LDAPEntry] {
        switch self {
        case .found(let entries), .partial(let entries, _): entries
        case .noSuchObject, .failed: []
        }
    }
}
