// How many questions one client may ask in a minute: a budget that fills again as time goes by. No clock of its own.

/// The budgets of clients whose class has a limit.
public struct QuestionBudget: Sendable {
    /// What a client's next question gets.
    public enum Admission: Hashable, Sendable {
        case admitted
        /// 450 4.7.1
        case refused
        /// Refused too often: 421 4.7.0 and the connection is closed.
        case closed
    }

    /// Refusals after which a connection is closed.
    public static let patience = 20
    /// Lookups of one walk that count for one question.
    public static let lookups = 100
    /// Clients that are remembered; past it, those with a full budget are forgotten.
    public static let clients = 100_000

    private struct Account {
        var questions: Double
        var seconds: Double
        var refusals = 0
    }

    private var accounts: [ClientAddress: Account] = [:]

    public init() {}

    /// How many clients are remembered.
    public var count: Int { accounts.count }

    /// - Parameters:
    ///   - perMinute: the class's limit; a client that was silent for a minute may ask so many at once.
    ///   - now: seconds on a clock that never goes back.
    public mutating func ask(_ address: ClientAddress, perMinute: Int, now: Double) -> Admission {
        let client = address.account
        let most = Double(perMinute)
        if accounts.count >= Self.clients, accounts[client] == nil { forgetIdle(now: now) }
        var account = accounts[client] ?? Account(questions: most, seconds: now)
        account.questions = min(most, account.questions + max(0, now - account.seconds) * most / 60)
        account.seconds = now
        defer { accounts[client] = account }
        if account.questions >= 1 {
            account.questions -= 1
            account.refusals = 0
            return .admitted
        }
        account.refusals += 1
        return account.refusals > Self.patience ? .closed : .refused
    }

    /// Charges a client for a question that took much more than one: it has a minute's questions less at most than none, so
    /// that it is heard again after two.
    /// - Parameters:
    ///   - questions: how many the question counts for besides itself.
    ///   - perMinute, now: as for `ask`.
    public mutating func charge(_ address: ClientAddress, questions: Int, perMinute: Int, now: Double) {
        let client = address.account
        let most = Double(perMinute)
        var account = accounts[client] ?? Account(questions: most, seconds: now)
        account.questions = max(-most, account.questions - Double(questions))
        accounts[client] = account
    }

    /// Whoever has asked nothing for a minute has a full budget, which is what a stranger has.
    private mutating func forgetIdle(now: Double) {
        accounts = accounts.filter { now - $0.value.seconds < ($0.value.questions < 0 ? 120 : 60) }
        // A flood from ever new addresses must not grow the table, nor have it searched at every question: better that
        // some start afresh.
        if accounts.count > Self.clients / 4 * 3 { accounts = [:] }
    }
}

extension ClientAddress {
    /// Who is counted as one client. An IPv6 host has a /64 to choose its addresses from (RFC 4291 2.5.4).
    fileprivate var account: ClientAddress {
        if case .ipv6(let network, _) = self { return .ipv6(network, 0) }
        return self
    }
}
