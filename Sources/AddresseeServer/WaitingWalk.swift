// A walk over sources some of which answer later, and on threads of their own. It is resumed on its event loop, and only
// ever touched there.

import MailboxDirectory
import NIOCore

/// One walk that may have to wait.
final class WaitingWalk {
    private var expansion: Expansion
    private let sources: [any Source]
    private let eventLoop: any EventLoop
    private let beginBatch: () -> Void
    private let finished: (Resolution) -> Void

    /// - Parameters:
    ///   - sources: in the order of the names that the walk was made with.
    ///   - beginBatch: called before sources are asked.
    ///   - finished: called once, on the event loop, unless `begin()` returns the resolution.
    init(
        _ expansion: consuming Expansion, sources: [any Source], eventLoop: any EventLoop,
        beginBatch: @escaping () -> Void, finished: @escaping (Resolution) -> Void
    ) {
        self.expansion = expansion
        self.sources = sources
        self.eventLoop = eventLoop
        self.beginBatch = beginBatch
        self.finished = finished
    }

    /// Walks as far as it goes without waiting.
    /// - Returns: the resolution, when that is to the end.
    func begin() -> Resolution? {
        beginBatch()
        return go(on: expansion.next())
    }

    private func resume(with answer: Answer) {
        beginBatch()
        if let resolution = go(on: expansion.answered(answer)) { finished(resolution) }
    }

    private func go(on first: Expansion.Step) -> Resolution? {
        var step = first
        while case .lookUp(let lookup, let index) = step {
            guard sources.indices.contains(index) else {
                let trouble = Trouble(source: "number \(index)", reason: "there is no such source")
                step = expansion.answered(.couldNotTell(trouble))
                continue
            }
            guard let answer = ask(sources[index], lookup) else { return nil }
            step = expansion.answered(answer)
        }
        guard case .finished(let resolution) = step else { return nil }
        return resolution
    }

    private func ask(_ source: any Source, _ lookup: Lookup) -> Answer? {
        if source.answersAtOnce { return source.answer(lookup) }
        let (bound, eventLoop) = (NIOLoopBound(self, eventLoop: eventLoop), eventLoop)
        return source.ask(lookup) { answer in
            eventLoop.execute { bound.value.resume(with: answer) }
        }
    }
}
