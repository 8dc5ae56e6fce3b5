// Asks and listens, on one thread: it shares the machine with what it measures. Three ways: as fast as replies come;
// the same for a single question in flight, without polling; and at a set rate, however slow the replies are.

import Glibc
import Verification

/// One measurement.
struct LoadGenerator: ~Copyable {
    private let plan: BenchPlan
    private let names: NameList
    private let stop: StopSignal
    private let connections: UnsafeMutableBufferPointer<BenchConnection>
    private let ready: ReadySockets
    private var random: RandomIndex
    private var tally = BenchTally()
    /// What is counted begins and ends here.
    private var from: Nanoseconds = 0
    private var until: Nanoseconds = 0
    private var now: Nanoseconds = 0

    /// Opens all connections.
    init(_ plan: BenchPlan, names: NameList, stop: StopSignal) throws(CommandFailure) {
        let ready = try ReadySockets()
        let memory = UnsafeMutableBufferPointer<BenchConnection>.allocate(capacity: plan.connections)
        var opened = 0
        do throws(CommandFailure) {
            while opened < plan.connections {
                let connection = try BenchConnection.opened(plan, longestName: names.longest, stop: stop)
                memory.initializeElement(at: opened, to: connection)
                opened += 1
            }
        } catch {
            memory.extracting(..<opened).deinitialize()
            memory.deallocate()
            throw error
        }
        self.plan = plan
        self.names = names
        self.stop = stop
        random = RandomIndex(seed: plan.seed)
        self.ready = ready
        connections = memory
        for index in connections.indices { ready.add(connections[index].socket, index: index) }
    }

    deinit {
        connections.deinitialize()
        connections.deallocate()
    }

    /// Measures, until the time is over or Ctrl-C.
    mutating func run() throws(CommandFailure) -> BenchReport {
        now = Self.clock()
        from = now + Nanoseconds(plan.warmUp * 1e9)
        until = from + Nanoseconds(plan.seconds * 1e9)
        if let rate = plan.rate {
            ReadySockets.sharpenWaits()
            try askAtRate(rate)
        } else if plan.connections == 1, plan.inFlight == 1 {
            try askOneByOne()
        } else {
            try askAsFastAsPossible()
        }
        // Ctrl-C may have come early; what is answered from here on does not count.
        until = min(now, until)
        takeLeave()
        if tally.questions == 0, !stop.isRaised {
            throw CommandFailure(.temporary, "\(plan.server) did not answer one question in \(plan.seconds) s")
        }
        return BenchReport(plan: plan, tally: tally, seconds: until > from ? Double(until - from) / 1e9 : 0)
    }

    static func clock() -> Nanoseconds {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Nanoseconds(time.tv_sec) * 1_000_000_000 + Nanoseconds(time.tv_nsec)
    }

    /// After so long it is looked whether the time is over.
    private static let longestPause: Nanoseconds = 100_000_000
    /// At a set rate, what is due within so long is sent together, over one connection as long as that has room: a write
    /// for each question would take the processor that the server needs. A question counts from when it was due, so this
    /// shows in its latency.
    private static let shortestPause: Nanoseconds = 200_000

    private var isOver: Bool { now >= until || stop.isRaised }

    /// For one question in flight, polling would cost as much as the question.
    private mutating func askOneByOne() throws(CommandFailure) {
        while !isOver {
            if connections[0].outstanding == 0 { ask(0, due: now) }
            connections[0].flush()
            try listen(to: 0)
        }
    }

    private mutating func askAsFastAsPossible() throws(CommandFailure) {
        for index in connections.indices {
            connections[index].stopBlocking()
            refill(index)
        }
        while !isOver {
            let count = ready.wait(milliseconds: 100)
            if count == 0 { now = Self.clock() }
            for position in 0..<count {
                let index = ready.index(position)
                try listen(to: index)
                refill(index)
            }
        }
    }

    private mutating func refill(_ index: Int) {
        while connections[index].outstanding < plan.inFlight { ask(index, due: now) }
        send(index)
    }

    /// Questions have their times whatever the server does, so that its pauses are measured and not waited out.
    private mutating func askAtRate(_ rate: Double) throws(CommandFailure) {
        for index in connections.indices { connections[index].stopBlocking() }
        let interval = 1e9 / rate
        let start = now
        var asked = 0
        var turn = 0
        var next = start
        while !isOver {
            var isBehind = false
            // Replies come in between, and are no reason to ask sooner.
            if now >= next {
                isBehind = askWhatIsDue(start: start, interval: interval, asked: &asked, turn: &turn)
                if !isBehind { next = max(start + Nanoseconds(Double(asked) * interval), now + Self.shortestPause) }
            }
            now = Self.clock()
            let pause = isBehind ? Self.longestPause : min(max(next, now) - now, Self.longestPause)
            let count = ready.wait(nanoseconds: pause)
            now = Self.clock()
            for position in 0..<count { try listen(to: ready.index(position)) }
        }
    }

    /// - Returns: whether questions are due that no connection has room for.
    private mutating func askWhatIsDue(
        start: Nanoseconds, interval: Double, asked: inout Int, turn: inout Int
    ) -> Bool {
        let due = Int(Double(now - start) / interval) + 1
        var full = 0
        while asked < due, full < connections.count {
            if connections[turn].outstanding < plan.inFlight {
                ask(turn, due: start + Nanoseconds(Double(asked) * interval))
                asked += 1
                full = 0
            } else {
                full += 1
                turn = (turn + 1) % connections.count
            }
        }
        turn = (turn + 1) % connections.count
        for index in connections.indices where connections[index].hasUnsent { send(index) }
        return asked < due
    }

    /// Lets the last replies come, so that the server is idle when the next measurement begins, and says QUIT.
    private mutating func takeLeave() {
        let patience = now + 1_000_000_000
        for index in connections.indices { connections[index].stopBlocking() }
        while isAwaitingReplies, now < patience {
            let count = ready.wait(milliseconds: 100)
            if count == 0 { now = Self.clock() }
            for position in 0..<count {
                let index = ready.index(position)
                send(index)
                // What was measured stands, even if the server goes now.
                do { try listen(to: index) } catch { return }
            }
        }
        for index in connections.indices where connections[index].outstanding == 0 { connections[index].leave() }
    }

    private var isAwaitingReplies: Bool {
        for index in connections.indices where connections[index].outstanding > 0 { return true }
        return false
    }

    private mutating func ask(_ index: Int, due: Nanoseconds) {
        connections[index].ask(names.name(random.next(below: names.count)), due: due)
    }

    private func send(_ index: Int) {
        connections[index].flush()
        let isBlocked = connections[index].hasUnsent
        if isBlocked == connections[index].isWatchedForOutput { return }
        connections[index].isWatchedForOutput = isBlocked
        ready.watch(connections[index].socket, index: index, forOutput: isBlocked)
    }

    private mutating func listen(to index: Int) throws(CommandFailure) {
        let hasReplies = try connections[index].receive()
        now = Self.clock()
        tally.isCounting = now >= from && now < until
        if hasReplies { try connections[index].takeReplies(at: now, &tally) }
    }
}
