// What of an outage reaches the log.

import MailboxDirectory
import NIOCore
import Testing

@testable import AddresseeServer

struct LogLimitTests {
    private let gone = Trouble(source: "people", reason: "gone")

    @Test func oneLineASecondForEachTrouble() {
        let limit = LogLimit<Trouble>()
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

    @Test func reasonsWithoutEndTakeNeitherMemoryNorDisk() {
        let limit = LogLimit<Trouble>(lines: 10)
        let start = NIODeadline.now()
        func told(_ numbers: Range<Int>, _ milliseconds: Int64) -> Int {
            numbers.count { number in
                limit.admit(Trouble(source: "people", reason: "\(number)"), now: start + .milliseconds(milliseconds))
                    != nil
            }
        }
        #expect(told(0..<10_000, 0) == 10)
        #expect(told(10_000..<20_000, 999) == 0)
        #expect(told(20_000..<30_000, 1000) == 10)
    }
}
