// A walk over sources some of which answer later, and on threads of their own. It is resumed on its event loop, and only
// ever touched there.

import MailboxDirectory
import NIOCore

/// One walk that may have to wait.
final class WaitingWalk {
    private var expansion: Expansion
    private let loop: LoopContext
    /// Those that it began with, whatever the configuration has become meanwhile.
    private let sources: [any Source]
    private let finished: (Resolution) -> Void

    /// - Parameter finished: called once, on the event loop, unless `begin()` returns the resolution.
    init(_ expansion: consuming Expansion, loop: LoopContext, finished: @escaping (Resolution) -> Void) {
        self.expansion = expansion
        self.loop = loop
        sources = loop.sources
        self.finished = finished
    }

    /// Walks as far as it goes without waiting, in the batch at hand.
    /// - Returns: the resolution, when that is to the end.
    func begin() -> Resolution? { go(on: expansion.next()) }

    /// In a batch of its own, so that nobody is answered later from the view of this one.
    private func resume(with answer: Answer) {
        loop.beginBatch()
        if let resolution = go(on: expansion.answered(answer)) { finished(resolution) }
        loop.endBatch()
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
        let eventLoop = loop.eventLoop
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        return source.ask(lookup) { answer in
            eventLoop.execute { bound.value.resume(with: answer) }
        }
    }
}
