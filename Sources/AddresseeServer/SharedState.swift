// The little that the event loops share: counters and budgets.

import AddresseeConfiguration
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SMTPProtocol
import Verification

/// State of the whole server. Thread-safe.
final class SharedState: Sendable {
    let log: ServerLog
    /// Threads that write messages: as many may wait for a disk at a time. They run where there is a next hop.
    let files = NIOThreadPool(numberOfThreads: 16)
    /// What each mail server offered when it was last spoken to.
    private let known = NIOLockedValueBox<[MailServer: ServerExtensions]>([:])
    private let connections = NIOLockedValueBox(0)
    private let tasks = NIOLockedValueBox<(last: Int, running: [Int: Task<Void, Never>])>((0, [:]))
    private let budget = NIOLockedValueBox(QuestionBudget())

    init(log: ServerLog) {
        self.log = log
    }

    /// - Returns: false when there are as many already.
    func admitConnection(limit: Int) -> Bool {
        connections.withLockedValue { count in
            if count >= limit { return false }
            count += 1
            return true
        }
    }

    func connectionClosed() {
        connections.withLockedValue { $0 -= 1 }
    }

    func learn(_ server: MailServer, _ extensions: ServerExtensions) {
        known.withLockedValue { $0[server] = extensions }
    }

    /// What a mail server offers; nil while it has not been spoken to.
    func extensions(of server: MailServer) -> ServerExtensions? { known.withLockedValue { $0[server] } }

    var openConnections: Int { connections.withLockedValue { $0 } }

    /// Runs in a task what serves one connection until that is closed.
    func run(_ body: @escaping @Sendable () async -> Void) {
        tasks.withLockedValue { tasks in
            tasks.last += 1
            tasks.running[tasks.last] = Task { [number = tasks.last] in
                await body()
                self.tasks.withLockedValue { $0.running[number] = nil }
            }
        }
    }

    /// Waits for those tasks: their event loops have to outlive them.
    func endOfTasks() async {
        while let task = tasks.withLockedValue({ $0.running.first?.value }) { await task.value }
    }

    func admitQuestion(
        of client: ClientAddress, perMinute: Int, now: NIODeadline
    ) -> QuestionBudget.Admission {
        let admission = budget.withLockedValue { $0.ask(client, perMinute: perMinute, now: now.seconds) }
        if admission == .refused { log.limited(client, perMinute: perMinute) }
        return admission
    }

    /// Charges a client for a walk that took so many lookups.
    func charge(_ client: ClientAddress, lookups: Int, perMinute: Int, now: NIODeadline) {
        let questions = lookups / QuestionBudget.lookups
        if questions == 0 { return }
        budget.withLockedValue { $0.charge(client, questions: questions, perMinute: perMinute, now: now.seconds) }
    }
}

extension NIODeadline {
    fileprivate var seconds: Double { Double(uptimeNanoseconds) / 1e9 }
}
