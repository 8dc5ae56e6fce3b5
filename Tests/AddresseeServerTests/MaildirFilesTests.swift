// Files of messages, away from the event loop and on it: copies, what is left of one that fails, and the sweep.

import AddresseeConfiguration
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SMTPProtocol
import Testing
import Verification

@testable import AddresseeServer

struct MaildirFilesTests {
    typealias Place = MessageServerTests.Place

    static func folder(_ place: Place, _ name: String) -> MaildirFolder {
        MaildirFolder(base: place.folder, names: [name], followsLinks: false)
    }

    static func order(_ place: Place, _ names: String...) -> MaildirOrder {
        MaildirOrder(
            name: "name", stamp: Array("Received: x\r\n".utf8),
            copies: names.map {
                MaildirOrder.Copy(folder: folder(place, $0), fields: Array("Delivered-To: \($0)\r\n".utf8))
            })
    }

    static func append(_ text: String, to files: MaildirFiles) throws {
        try Array(text.utf8).withUnsafeBytes { try files.append($0) }
    }

    static func run(_ body: (Place) throws -> Void) throws {
        let place = Place()
        defer { place.remove() }
        try body(place)
    }

    /// Every copy has its own fields, and the same message, however long.
    @Test func copies() throws {
        try Self.run { place in
            let files = try MaildirFiles(Self.order(place, "ann", "fred", "kay"))
            let line = String(repeating: "x", count: 998) + "\r\n"
            for _ in 0..<600 { try Self.append(line, to: files) }
            #expect(place.files == ["ann/tmp/name"])
            try files.prepare()
            #expect(place.files == ["ann/tmp/name", "fred/tmp/name", "kay/tmp/name"])
            try files.commit()
            #expect(place.files == ["ann/new/name", "fred/new/name", "kay/new/name"])
            let text = String(repeating: line.replacingOccurrences(of: "\r", with: ""), count: 600)
            for name in ["ann", "fred", "kay"] {
                #expect(place.messages(name) == ["Delivered-To: \(name)\nReceived: x\n\(text)"])
            }
        }
    }

    /// What is given up leaves nothing, and no descriptor either.
    @Test func givenUp() throws {
        try Self.run { place in
            for _ in 0..<20 {
                let files = try MaildirFiles(Self.order(place, "ann", "fred"))
                try Self.append("a\r\n", to: files)
                files.abandon()
                let others = try MaildirFiles(Self.order(place, "ann", "fred"))
                try others.prepare()
                others.discard()
            }
            #expect(place.files == [])
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
            }
            #expect(!open.contains { $0.hasPrefix(place.folder) })
        }
    }

    /// A name that is there already is never written over, and the message of another stays.
    @Test func namesAreTaken() throws {
        try Self.run { place in
            let first = try MaildirFiles(Self.order(place, "ann"))
            try Self.append("first\r\n", to: first)
            let error = #expect(throws: MaildirError.self) { _ = try MaildirFiles(Self.order(place, "ann")) }
            #expect(error?.reason == "make \(place.folder)/ann/tmp/name: File exists")
            try first.prepare()
            try first.commit()
            #expect(place.messages("ann").first?.hasSuffix("first\n") == true)
        }
    }

    /// Where one copy can't be made, nothing is left of the others.
    @Test func aCopyFails() throws {
        try Self.run { place in
            let files = try MaildirFiles(Self.order(place, "ann", "fred", "kay"))
            try Self.folder(place, "kay").make()
            try Data().write(to: URL(fileURLWithPath: "\(place.folder)/kay/tmp/name"))
            #expect(throws: MaildirError.self) { try files.prepare() }
            #expect(place.files == ["kay/tmp/name"])
        }
    }

    /// Nor is a descriptor left open of it.
    @Test func aCopyFailsAndAllIsClosed() throws {
        try Self.run { place in
            try Self.folder(place, "kay").make()
            try Data().write(to: URL(fileURLWithPath: "\(place.folder)/kay/tmp/name"))
            let files = try MaildirFiles(Self.order(place, "ann", "fred", "kay"))
            #expect(throws: MaildirError.self) { try files.prepare() }
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
            }
            #expect(!open.contains { $0.hasPrefix(place.folder) })
        }
    }

    /// Where one rename fails, those before it are taken back.
    @Test func aRenameFails() throws {
        try Self.run { place in
            let files = try MaildirFiles(Self.order(place, "ann", "fred", "kay"))
            try files.prepare()
            try FileManager.default.removeItem(atPath: "\(place.folder)/fred/new")
            try Data().write(to: URL(fileURLWithPath: "\(place.folder)/fred/new"))
            #expect(throws: MaildirError.self) { try files.commit() }
            #expect(place.files == ["fred/new"])
        }
    }

    @Test(arguments: [(ENOSPC, true), (EDQUOT, true), (EIO, false), (EACCES, false)])
    func whatIsSaid(number: Int32, isFull: Bool) {
        let error = MaildirError(what: "write x", number: number)
        #expect(error.isFull == isFull)
        #expect(error.reason == "write x: \(String(cString: strerror(number)))")
        let failure = DeliveryFailure(error)
        #expect(failure.reply.code == (isFull ? 452 : 451) && failure.reason == error.reason && !failure.isRefusal)
    }

    // MARK: On the event loop

    /// Does what a delivery is told on its loop, with threads of its own.
    private func onLoop(
        _ place: Place, _ body: @escaping @Sendable (MaildirDelivery, @escaping (String) -> Void) -> Void
    ) async throws -> String {
        let pool = NIOThreadPool(numberOfThreads: 2)
        pool.start()
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let order = Self.order(place, "ann", "fred")
        let said: String = await withCheckedContinuation { continuation in
            eventLoop.execute {
                body(MaildirDelivery(order, pool: pool, eventLoop: eventLoop)) { continuation.resume(returning: $0) }
            }
        }
        // What is removed is removed in the threads.
        let isEmpty = said == "delivered" ? false : try await place.isEmptySoon()
        try await pool.shutdownGracefully()
        return isEmpty ? "\(said), nothing left" : said
    }

    @Test func delivered() async throws {
        let place = Place()
        defer { place.remove() }
        let said = try await onLoop(place) { delivery, done in
            delivery.open { error in
                for _ in 0..<10 {
                    [UInt8](repeating: 97, count: 20_000).withUnsafeBytes { delivery.take($0) }
                    delivery.writeOn()
                }
                delivery.prepare { error in
                    if let error { return done(error.reason) }
                    delivery.commit { done($0?.reason ?? "delivered") }
                }
            }
        }
        #expect(said == "delivered")
        #expect(place.files == ["ann/new/name", "fred/new/name"])
        #expect(place.messages("ann").first?.hasSuffix(String(repeating: "a", count: 200_000)) == true)
    }

    /// Given up at any time, before all is delivered: nothing is left.
    @Test(arguments: ["opening", "open", "writing", "preparing", "prepared"])
    func givenUpOnLoop(when: String) async throws {
        let place = Place()
        defer { place.remove() }
        let said = try await onLoop(place) { delivery, done in
            let end = {
                delivery.abandon()
                done("given up")
            }
            delivery.open { _ in
                [UInt8](repeating: 97, count: 100_000).withUnsafeBytes { delivery.take($0) }
                if when == "open" { return end() }
                if when == "writing" {
                    delivery.writeOn()
                    return end()
                }
                delivery.prepare { _ in if when == "prepared" { end() } }
                if when == "preparing" { end() }
            }
            if when == "opening" { end() }
        }
        #expect(said == "given up, nothing left")
    }

    /// Reading pauses where the disk does not keep up, and goes on after.
    @Test(.timeLimit(.minutes(1))) func room() async throws {
        let place = Place()
        defer { place.remove() }
        let said = try await onLoop(place) { delivery, done in
            delivery.open { _ in
                [UInt8](repeating: 97, count: 262_143).withUnsafeBytes { delivery.take($0) }
                let before = delivery.isFull
                [97].withUnsafeBytes { delivery.take(UnsafeRawBufferPointer(rebasing: $0[..<1])) }
                let after = delivery.isFull
                delivery.hasRoom = {
                    delivery.hasRoom = nil
                    done("\(before) \(after) \(delivery.isFull)")
                    delivery.abandon()
                }
                delivery.writeOn()
            }
        }
        #expect(said == "false true false, nothing left")
    }

    /// What can't be written amid the message is told before its end, and nothing is left.
    @Test func failsAmidTheMessage() async throws {
        let place = Place()
        defer { place.remove() }
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let order = Self.order(place, "ann")
        let said: String = await withCheckedContinuation { continuation in
            eventLoop.execute {
                let delivery = MaildirDelivery(order, pool: pool, eventLoop: eventLoop)
                delivery.failed = { continuation.resume(returning: $0.what) }
                delivery.open { _ in
                    pool.shutdownGracefully { _ in }
                    [UInt8](repeating: 97, count: 65_536).withUnsafeBytes { delivery.take($0) }
                    delivery.writeOn()
                }
            }
        }
        #expect(said == "write, for the server is stopping")
    }

    // MARK: The sweep

    /// Every Maildir of a hop, through folders whatever their names, and no link unless links are followed.
    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func sweep(followsLinks: Bool) async throws {
        let place = Place()
        defer { place.remove() }
        let old = time(nil) - 40 * 3600
        func put(_ path: String, _ age: Int) throws {
            let file = "\(place.folder)/\(path)"
            try FileManager.default.createDirectory(
                atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data("x".utf8).write(to: URL(fileURLWithPath: file))
            var times = [timeval(tv_sec: age, tv_usec: 0), timeval(tv_sec: age, tv_usec: 0)]
            #expect(utimes(file, &times) == 0)
        }
        for path in ["mail/a.example/ann/tmp/old", "mail/a.example/ann/new/old", "mail/b.example/fred/tmp/old"] {
            try put(path, old)
        }
        try put("mail/b.example/fred/tmp/young", time(nil))
        try put("mail/b.example/tmp/old", old)
        try put("outside/tmp/old", old)
        try FileManager.default.createSymbolicLink(
            atPath: "\(place.folder)/mail/a.example/link", withDestinationPath: "\(place.folder)/outside")
        let log = LogBook()
        let shared = SharedState(log: ServerLog(log.logger))
        shared.files.start()
        let template = try MaildirTemplate("\(place.folder)/mail/{domain}/{local-part}")
        let hop = NextHopConfiguration(name: "folders", kind: .maildir(template), followsLinks: followsLinks)
        let sweep = MaildirSweep([hop], shared: shared, interval: .milliseconds(20))
        while log.lines.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        // One round after the other.
        try put("mail/a.example/ann/tmp/later", old)
        while log.lines.count < 2 { try await Task.sleep(for: .milliseconds(5)) }
        sweep.stop()
        try await shared.files.shutdownGracefully()
        #expect(
            log.lines == [followsLinks ? 3 : 2, 1].map { "info stale-files-removed files=\($0) next-hop=folders" })
        let outside = followsLinks ? [] : ["outside/tmp/old"]
        #expect(
            place.files.filter { !$0.contains("/link/") }
                == ["mail/a.example/ann/new/old", "mail/b.example/fred/tmp/young", "mail/b.example/tmp/old"] + outside)
    }
}
