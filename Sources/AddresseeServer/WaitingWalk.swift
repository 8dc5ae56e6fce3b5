// A walk that can't be done at once: it waits for sources that answer later, on threads of their own, or it is so long that
// it lets others go first. It is resumed on its event loop, and only ever touched there.

import MailboxDirectory
import NIOCore
import NIOPosix

/// One walk that may have to wait.
final class WaitingWalk {
    /// What of a walk is done at once, in lookups and in addresses that need none.
    static let turns = 256
    /// How long one turn after that may take. With one such turn at a time nobody waits long for it.
    private static let turn = TimeAmount.milliseconds(2)
    /// Between two looks at the clock.
    private static let unwatched = 16
    /// Lookups after which a walk is a long one.
    private static let long = 5000

    private var expansion: Expansion
    private var step: Expansion.Step
    private let loop: LoopContext
    private let payer: LoopContext.Payer?
    /// Those that it began with, whatever the configuration has become meanwhile.
    private var sources: [any Source]
    private var views: SourceViews?
    private var lookups = 0
    private let finished: (Resolution) -> Void

    /// - Parameters:
    ///   - step: what it is to do next.
    ///   - finished: called once, on the event loop, unless `begin()` returns the resolution.
    init(
        _ expansion: Expansion, at step: Expansion.Step, loop: LoopContext,
        finished: @escaping (Resolution) -> Void
    ) {
        self.expansion = expansion
        self.step = step
        self.loop = loop
        payer = loop.payer
        sources = loop.sources
        self.finished = finished
    }

    /// Walks as far as it goes without waiting, in the batch that is open.
    /// - Returns: the resolution, when that is to the end.
    func begin() -> Resolution? { go() }

    /// Lets others go first.
    func pause() {
        fix()
        lookups = max(lookups, expansion.lookupCount)
        loop.turns.add(isLong: lookups > Self.long) { [self] in resume() }
    }

    /// In a batch of its own, so that nobody is answered later from the view of this one.
    private func resume(with answer: Answer? = nil) {
        loop.beginBatch()
        if let answer { step = expansion.answered(answer, turns: Self.unwatched) }
        if let views, !views.areIntact {
            let reason = "the directory was opened anew while a long list was read"
            step = expansion.answered(.couldNotTell(Trouble(source: sources[0].name, reason: reason)))
        }
        if let resolution = go() { finished(resolution) }
        loop.endBatch()
    }

    private func go() -> Resolution? {
        let end = NIODeadline.now() + Self.turn
        var turns = 0
        while true {
            switch step {
            case .finished(let resolution):
                if let payer {
                    loop.shared.charge(
                        payer.client, lookups: expansion.lookupCount, perMinute: payer.perMinute,
                        now: loop.eventLoop.now)
                }
                discard()
                return resolution
            case .pause: step = expansion.goOn(turns: Self.unwatched)
            case .lookUp(let lookup, let index):
                guard sources.indices.contains(index) else {
                    let trouble = Trouble(source: "number \(index)", reason: "there is no such source")
                    step = expansion.answered(.couldNotTell(trouble))
                    continue
                }
                guard let answer = ask(sources[index], lookup) else { return nil }
                // What the next page will be asked of has to be what this one is from.
                if answer.goesOn, views == nil, !fix() { continue }
                step = expansion.answered(answer, turns: Self.unwatched)
            }
            turns += 1
            if turns % Self.unwatched == 0, NIODeadline.now() >= end {
                pause()
                return nil
            }
        }
    }

    /// From here on it sees one state of each source that can keep one, whatever is written.
    /// - Returns: whether that is the one that it has seen in this batch; else it begins anew.
    @discardableResult private func fix() -> Bool {
        if views != nil { return true }
        let new = loop.views(of: sources)
        views = new
        sources = new.sources
        if new.areOfBatch { return true }
        expansion = expansion.anew()
        step = expansion.next(turns: Self.unwatched)
        return false
    }

    /// Lets another thread free what a long walk leaves behind.
    private func discard() {
        var rest = expansion.anew()
        swap(&rest, &expansion)
        step = .pause
        loop.letGo(rest, mailboxes: rest.addressCount)
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
