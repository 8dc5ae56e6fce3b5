// Looks through all Maildirs, at start and once a day, for what a server that was killed has left in `tmp`. A mailbox that
// gets mail is looked after as that comes; this is for the others.

import AddresseeConfiguration
import Foundation
import NIOConcurrencyHelpers
import NIOPosix

/// One round after the other, until it is stopped.
final class MaildirSweep: Sendable {
    /// So many mailboxes are looked at without a pause, and so long is that in microseconds: the disk is for the mail.
    private static let burst = 100
    private static let pause: UInt32 = 10_000

    private let task = NIOLockedValueBox<Task<Void, Never>?>(nil)

    /// Begins at once, in one of the threads for files.
    /// - Parameter interval: between two rounds.
    init(_ nextHops: [NextHopConfiguration], shared: SharedState, interval: Duration = .seconds(24 * 3600)) {
        let hops = nextHops.filter { $0.server == nil }
        if hops.isEmpty { return }
        task.withLockedValue { task in
            task = Task { [self] in
                while !Task.isCancelled {
                    for hop in hops {
                        let removed = try? await shared.files.runIfActive { [self] in sweep(hop) }
                        if let removed, removed > 0 { shared.log.removedStale(removed, of: hop.name) }
                    }
                    try? await Task.sleep(for: interval)
                }
            }
        }
    }

    func stop() { task.withLockedValue { $0?.cancel() } }

    private var hasStopped: Bool { task.withLockedValue { $0?.isCancelled ?? true } }

    /// - Returns: how many files were removed.
    private func sweep(_ hop: NextHopConfiguration) -> Int {
        guard case .maildir(let template) = hop.kind else { return 0 }
        let base = open(template.base, MaildirFolder.toPass)
        if base < 0 { return 0 }
        defer { close(base) }
        var round = Round(now: time(nil), followsLinks: hop.followsLinks)
        sweep(base, template.levels[...], &round)
        return round.removed
    }

    private struct Round {
        let now: Int
        let followsLinks: Bool
        var mailboxes = 0
        var removed = 0
    }

    private func sweep(_ folder: Int32, _ levels: ArraySlice<String?>, _ round: inout Round) {
        guard let level = levels.first else {
            round.mailboxes += 1
            if round.mailboxes % Self.burst == 0 { usleep(Self.pause) }
            enter("tmp", in: folder, &round) { tmp, round in
                round.removed += MaildirFolder.removeStale(in: tmp, now: round.now)
            }
            return
        }
        if let level {
            enter(level, in: folder, &round) { sweep($0, levels.dropFirst(), &$1) }
            return
        }
        MaildirFolder.forEachEntry(of: folder) { name in
            if hasStopped { return false }
            enter(name, in: folder, &round) { sweep($0, levels.dropFirst(), &$1) }
            return true
        }
    }

    private func enter(_ name: String, in folder: Int32, _ round: inout Round, _ body: (Int32, inout Round) -> Void) {
        let flags = MaildirFolder.toPass | (round.followsLinks ? 0 : O_NOFOLLOW)
        let next = openat(folder, name, flags)
        if next < 0 { return }
        defer { close(next) }
        body(next, &round)
    }
}
