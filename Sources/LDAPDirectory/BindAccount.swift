// The account that binds, as all connections of the process share it. A directory may lock an account after a few binds
// with a wrong password (Active Directory: lockoutThreshold), so one that was refused is not tried again at once.

import Synchronization

/// One bind name with one place for its password, at servers that hold the same directory.
final class BindAccount: Sendable {
    private struct State {
        var refusal: Refusal?
    }

    private struct Refusal {
        var failure: LDAPFailure
        /// Of the credentials that were refused; they themselves are not kept.
        var digest: Int
        var time: Nanoseconds
    }

    private let state = Mutex(State())

    init() {}

    /// The account of a source; nil for an anonymous bind, which nobody counts.
    static func of(_ settings: LDAPSettings) -> BindAccount? {
        let name: String
        switch settings.bind {
        case .anonymous: return nil
        case .external: name = "external"
        case .simple(let dn, let password, _): name = "\(dn) \(password.place)"
        }
        return known.withLock { known in
            let index = known.firstIndex { $0.name == name && !$0.uris.isDisjoint(with: settings.uris) }
            guard let index else {
                let account = BindAccount()
                known.append(Known(name: name, uris: Set(settings.uris), account: account))
                return account
            }
            known[index].uris.formUnion(settings.uris)
            return known[index].account
        }
    }

    private struct Known {
        var name: String
        var uris: Set<String>
        var account: BindAccount
    }

    private static let known = Mutex<[Known]>([])

    /// - Throws: that these credentials were refused less than a minute ago.
    func check(_ digest: Int, now: Nanoseconds = MonotonicTime.now()) throws(LDAPFailure) {
        try state.withLock { state throws(LDAPFailure) in try Self.check(digest, state, now) }
    }

    private static func check(_ digest: Int, _ state: State, _ now: Nanoseconds) throws(LDAPFailure) {
        guard let refusal = state.refusal, refusal.digest == digest, now - refusal.time < LDAPLimits.bindPause else {
            return
        }
        throw LDAPFailure(.bindPaused, refusal.failure.description)
    }

    /// Binds, one at a time: who waits for the turn learns what came of the one before.
    /// - Parameter bind: nil when it was done, else why not.
    func bind(
        _ digest: Int, now: () -> Nanoseconds = MonotonicTime.now, _ bind: () -> LDAPFailure?
    ) throws(LDAPFailure) {
        try state.withLock { state throws(LDAPFailure) in
            try Self.check(digest, state, now())
            guard var failure = bind() else {
                state.refusal = nil
                return
            }
            if failure.isRefusedBind {
                failure = LDAPFailure(
                    failure.kind,
                    "\(failure.description); no bind is tried for a minute, or until the password is another")
                state.refusal = Refusal(failure: failure, digest: digest, time: now())
            }
            throw failure
        }
    }
}
