// A server that the server under test asks: of maps, or for mail.

import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A server that answers what it is sent with what a test has ready; without any it closes.
final class ScriptedServer: Sendable {
    private let answers: NIOLockedValueBox<[String]>
    private let all = NIOLockedValueBox<(questions: [String], connections: Int, closed: Int)>(([], 0, 0))
    /// What it says first.
    private let greeting: String
    /// A recipient that it never takes.
    private let refused: String?
    /// What it says to a command, by the first four letters, in place of what is usual.
    private let replies: [String: String]

    init(_ answers: [String], greeting: String = "", refused: String? = nil, replies: [String: String] = [:]) {
        self.answers = NIOLockedValueBox(answers)
        self.greeting = greeting
        self.refused = refused
        self.replies = replies
    }

    var questions: [String] { all.withLockedValue { $0.questions } }
    var connections: Int { all.withLockedValue { $0.connections } }
    /// Connections that have ended.
    var closed: Int { all.withLockedValue { $0.closed } }

    /// Commands of SMTP are taken, in whatever number; what is ready is for what is no such command.
    private func answer(to text: String) -> String? {
        if let refused, text.hasPrefix("RCPT TO:<\(refused)>") { return "550 5.1.1 no\r\n" }
        if let reply = replies[String(text.prefix(4))] { return reply + "\r\n" }
        switch text.prefix(4) {
        case "EHLO", "MAIL", "RCPT", "RSET": return "250 ok\r\n"
        case "DATA": return "354 go\r\n"
        default: return answers.withLockedValue { $0.isEmpty ? nil : $0.removeFirst() }
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let server: ScriptedServer

        init(_ server: ScriptedServer) { self.server = server }

        /// What has come of a message (RFC 5321 4.1.1.4).
        private var message: String?

        func channelActive(context: ChannelHandlerContext) {
            server.all.withLockedValue { $0.connections += 1 }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: server.greeting)), promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { server.all.withLockedValue { $0.closed += 1 } }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var text = String(buffer: unwrapInboundIn(data))
            if let start = message {
                text = start + text
                message = text
                if !text.hasSuffix("\r\n.\r\n") { return }
                message = nil
            }
            server.all.withLockedValue { $0.questions.append(text) }
            guard let answer = server.answer(to: text) else { return context.close(promise: nil) }
            if answer.hasPrefix("354") { message = "" }
            // "!" closes after the answer, as a server does that keeps no connection.
            let octets = ByteBuffer(string: answer.replacingOccurrences(of: "!", with: ""))
            context.writeAndFlush(wrapOutboundOut(octets), promise: nil)
            if answer.hasSuffix("!") { context.close(promise: nil) }
        }
    }

    /// Runs it while `body` has its port.
    func run(_ body: (Int) async throws -> Void) async throws {
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Handler(self)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(channel.localAddress?.port ?? 0)
        } catch {
            try? await channel.close()
            throw error
        }
        try? await channel.close()
    }
}
