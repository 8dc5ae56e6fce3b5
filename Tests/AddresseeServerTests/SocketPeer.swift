// A client of a real server, over a socket.

import DialogueTesting
import NIOCore
import NIOPosix

final class SocketPeer: DialoguePeer {
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private let channel: any Channel

    private init(
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        _ channel: any Channel
    ) {
        self.inbound = inbound.makeAsyncIterator()
        self.outbound = outbound
        self.channel = channel
    }

    /// Sends, and returns when the kernel has it: the writer of the asynchronous channel returns before.
    func send(_ octets: [UInt8]) async throws {
        // A server that has said its last word may have closed already; what it said is still to be read.
        try? await channel.writeAndFlush(ByteBuffer(bytes: octets))
    }

    /// Sends nothing more, and still receives.
    func end() { outbound.finish() }

    func receive() async throws -> [UInt8] {
        guard let buffer = try await inbound.next() else { return [] }
        return Array(buffer.readableBytesView)
    }

    /// Connects, does `body`, and closes.
    static func connected<Result: Sendable>(
        port: Int, _ body: @escaping (SocketPeer) async throws -> Result
    ) async throws -> Result {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            // All servers of all tests are made at the same time, on a machine that may do other things too.
            .connectTimeout(.seconds(60))
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await body(SocketPeer(inbound, outbound, channel.channel))
        }
    }
}
