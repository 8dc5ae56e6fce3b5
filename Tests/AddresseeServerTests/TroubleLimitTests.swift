// What of an outage reaches the log.

import MailboxDirectory
import NIOCore
import Testing

@testable import AddresseeServer

struct TroubleLimitTests {
    private let gone = Trouble(source: "people", reason: "gone")

    @Test func oneLineASecondForEachTrouble() {
        let limit = TroubleLimit()
        let start = NIODeadline.now()
        func admitted(_ trouble: Trouble, _ milliseconds: Int64) -> Int? {
            limit.admit(trouble, now: start + .milliseconds(milliseconds))
        }
        #expect(admitted(gone, 0) == 0)
        for time in 1...999 { #expect(admitted(gone, Int64(time)) == nil) }
        // Another reason, and the same of another source, are news.
        #expect(admitted(Trouble(source: "people", reason: "slow"), 500) == 0)
        #expect(admitted(Trouble(source: "main", reason: "gone"), 500) == 0)
        #expect(admitted(gone, 1000) == 999)
        #expect(admitted(gone, 1001) == nil)
        #expect(admitted(gone, 5000) == 1)
    }

    @Test func reasonsWithoutEndTakeNoMemory() {
        let limit = TroubleLimit()
        let now = NIODeadline.now()
        for number in 0..<10_000 {
            #expect(limit.admit(Trouble(source: "people", reason: "\(number)"), now: now) == 0)
        }
    }
}
