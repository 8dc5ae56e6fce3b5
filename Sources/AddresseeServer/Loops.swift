// The event loops with what each of them owns.

import AddresseeConfiguration
import MailAddress
import MailboxDirectory
import NIOCore
import NIOPosix

/// Every event loop's context, to be reached on its own loop only.
struct Loops: Sendable {
    private let contexts: [ObjectIdentifier: NIOLoopBound<LoopContext>]

    init(
        _ group: MultiThreadedEventLoopGroup, service: Service, shared: SharedState,
        openSources: @Sendable (Configuration) throws -> @Sendable () throws -> [any Source]
    ) async throws {
        let makeSources = try openSources(service.configuration)
        var contexts: [ObjectIdentifier: NIOLoopBound<LoopContext>] = [:]
        for eventLoop in group.makeIterator() {
            contexts[ObjectIdentifier(eventLoop)] = try await eventLoop.submit {
                let sources = try makeSources()
                return NIOLoopBound(
                    LoopContext(service: service, sources: sources, shared: shared, eventLoop: eventLoop),
                    eventLoop: eventLoop)
            }.get()
        }
        self.contexts = contexts
    }

    /// The context of the loop that this is called on.
    func context(on eventLoop: any EventLoop) -> LoopContext? {
        contexts[ObjectIdentifier(eventLoop)]?.value
    }

    /// Gives every loop the new configuration, after all of them have opened its sources.
    func replace(
        service: Service, openSources: @Sendable (Configuration) throws -> @Sendable () throws -> [any Source]
    ) async throws {
        let makeSources = try openSources(service.configuration)
        var opened: [NIOLoopBound<[any Source]>] = []
        for bound in contexts.values {
            let eventLoop = bound.eventLoop
            opened.append(
                try await eventLoop.submit {
                    NIOLoopBound(try makeSources(), eventLoop: eventLoop)
                }.get())
        }
        for (bound, sources) in zip(contexts.values, opened) {
            try await bound.eventLoop.submit { bound.value.replace(service: service, sources: sources.value) }.get()
        }
    }

    /// Learns what the mail servers among the next hops offer. Does not wait for them.
    func introduce() {
        guard let bound = contexts.values.first else { return }
        bound.eventLoop.execute { bound.value.introduce() }
    }

    /// Whether every source says that it does not have this domain. False where that would have to be waited for.
    func isMissing(_ domain: Domain) async throws -> Bool {
        guard let bound = contexts.values.first else { return false }
        return try await bound.eventLoop.submit {
            bound.value.sources.allSatisfy { $0.answersAtOnce && $0.answer(.domain(domain)) == .absent }
        }.get()
    }

    /// Lets every connection finish, and cuts those that have not after the time-out.
    func stop(shared: SharedState, timeout: Duration) async throws {
        for bound in contexts.values { try await bound.eventLoop.submit { bound.value.drainAll() }.get() }
        let clock = ContinuousClock()
        let deadline = clock.now + timeout
        while shared.openConnections > 0, clock.now < deadline { try await Task.sleep(for: .milliseconds(10)) }
        for bound in contexts.values { try await bound.eventLoop.submit { bound.value.stopAll() }.get() }
    }
}
