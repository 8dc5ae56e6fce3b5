// Which sockets are ready: epoll, and waiting shorter than a millisecond. Swift's Glibc doesn't show epoll, ppoll and
// prctl, so they are looked up by name.

import Glibc
import Verification

/// Waits for many sockets, each known by its index.
final class ReadySockets {
    /// The calls of Linux, as their manual pages have them.
    private struct Calls {
        typealias Create = @convention(c) (Int32) -> Int32
        typealias Change = @convention(c) (Int32, Int32, Int32, UnsafeMutableRawPointer?) -> Int32
        typealias Wait = @convention(c) (Int32, UnsafeMutableRawPointer, Int32, Int32) -> Int32
        typealias Poll =
            @convention(c) (
                UnsafeMutablePointer<pollfd>, nfds_t, UnsafePointer<timespec>, UnsafeRawPointer?
            ) -> Int32

        let create: Create
        let change: Change
        let wait: Wait
        let poll: Poll

        init?() {
            guard let create = dlsym(nil, "epoll_create1"), let change = dlsym(nil, "epoll_ctl"),
                let wait = dlsym(nil, "epoll_wait"), let poll = dlsym(nil, "ppoll")
            else { return nil }
            self.create = unsafeBitCast(create, to: Create.self)
            self.change = unsafeBitCast(change, to: Change.self)
            self.wait = unsafeBitCast(wait, to: Wait.self)
            self.poll = unsafeBitCast(poll, to: Poll.self)
        }
    }

    /// struct epoll_event: 32 bits of events and 64 of data, which are packed on x86-64 alone.
    private enum Event {
        #if arch(x86_64)
            static let dataOffset = 4
            static let size = 12
        #else
            static let dataOffset = 8
            static let size = 16
        #endif
        static let input: UInt32 = 0x001
        static let output: UInt32 = 0x004
        static let add: Int32 = 1
        static let modify: Int32 = 3
    }

    private static let capacity = 256
    private let calls: Calls
    private let descriptor: Int32
    private let events = UnsafeMutableRawPointer.allocate(byteCount: capacity * Event.size, alignment: 8)

    init() throws(CommandFailure) {
        guard let calls = Calls() else { throw CommandFailure(.temporary, "this system has no epoll") }
        self.calls = calls
        descriptor = calls.create(0)
    }

    deinit {
        close(descriptor)
        events.deallocate()
    }

    func add(_ socket: Int32, index: Int) { set(socket, index: index, events: Event.input, by: Event.add) }

    /// Whether the socket is also ready when it can be written to.
    func watch(_ socket: Int32, index: Int, forOutput: Bool) {
        set(socket, index: index, events: forOutput ? Event.input | Event.output : Event.input, by: Event.modify)
    }

    private func set(_ socket: Int32, index: Int, events wanted: UInt32, by change: Int32) {
        withUnsafeTemporaryAllocation(byteCount: Event.size, alignment: 8) { event in
            event.storeBytes(of: wanted, as: UInt32.self)
            event.storeBytes(of: UInt64(index), toByteOffset: Event.dataOffset, as: UInt64.self)
            _ = calls.change(descriptor, change, socket, event.baseAddress)
        }
    }

    /// Waits for the first that is ready.
    /// - Returns: how many are, for `index(_:)`.
    func wait(milliseconds: Int32) -> Int {
        max(0, Int(calls.wait(descriptor, events, Int32(Self.capacity), milliseconds)))
    }

    /// The same, to the nanosecond as far as the system can.
    func wait(nanoseconds: Nanoseconds) -> Int {
        let ready = wait(milliseconds: 0)
        if ready > 0 || nanoseconds == 0 { return ready }
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        return calls.poll(&poll, 1, &time, nil) > 0 ? wait(milliseconds: 0) : 0
    }

    /// The index of a socket that is ready.
    func index(_ position: Int) -> Int {
        let offset = position * Event.size + Event.dataOffset
        return Int(truncatingIfNeeded: events.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Lets this thread's waits end on time; Linux rounds them up by 50 µs otherwise.
    static func sharpenWaits() {
        typealias Control = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
        let setTimerSlack: Int32 = 29
        guard let control = dlsym(nil, "prctl") else { return }
        _ = unsafeBitCast(control, to: Control.self)(setTimerSlack, 1, 0, 0, 0)
    }
}
