// A message that goes to folders and to a mail server: to all of them, or to none.

import AddresseeConfiguration
import Foundation
import MailAddress
import Testing
import Verification

@Suite(.timeLimit(.minutes(2))) struct MixedDeliveryTests {
    /// Mailboxes have folders, and what is elsewhere goes to the server at this port.
    private static func addServer(at port: Int, to configuration: inout Configuration) {
        configuration.nextHops[0].route.places = [.mailboxes]
        configuration.nextHops.append(
            NextHopConfiguration(
                name: "outside",
                kind: .server(MailServer(dialect: .smtp, address: .host("127.0.0.1", port: port))),
                route: Route(places: [.elsewhere])))
    }

    /// Sends a message to recipients of whom some have folders here, and one a mailbox at the server.
    private func deliver(
        to recipients: String..., end: String, blocking blocked: String? = nil, refusing refused: String? = nil
    ) async throws -> (reply: String?, files: [String], server: ScriptedServer) {
        let server = ScriptedServer([end + "\r\n"], greeting: "220 x\r\n", refused: refused)
        nonisolated(unsafe) var found: (reply: String?, files: [String]) = (nil, [])
        try await server.run { port in
            let change: MessageServerTests.Change = { configuration, place in
                Self.addServer(at: port, to: &configuration)
                guard let blocked else { return }
                let folder = "\(place.folder)/example.org/\(blocked)"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try Data().write(to: URL(fileURLWithPath: "\(folder)/tmp"))
            }
            try await MessageServerTests.serve(change: change) { peer, place in
                let mailboxes = recipients.map { "RCPT TO:<\($0)>\r\n" }.joined()
                let text = "MAIL FROM:<me@c.example>\r\n\(mailboxes)DATA\r\n"
                let replies = try await MessageServerTests.replies(recipients.count + 3, to: text, over: peer)
                #expect(replies.last?.hasPrefix("354") == true)
                found.reply = try await MessageServerTests.replies(1, to: "x\r\n.\r\n", over: peer).last
                if found.reply?.hasPrefix("250") == false {
                    // What is not delivered is removed after its reply.
                    while place.files.contains(where: { !$0.hasSuffix("/tmp") }) {
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    while server.closed == 0, blocked != nil { try await Task.sleep(for: .milliseconds(10)) }
                }
                found.files = place.files
            }
        }
        return (found.reply, found.files, server)
    }

    @Test func toAll() async throws {
        let (reply, files, server) = try await deliver(to: "many@example.org", end: "250 2.0.0 taken")
        #expect(reply == "250 2.0.0 OK")
        #expect(files.count == 1 && files.first?.hasPrefix("example.org/ann/new/") == true)
        #expect(server.questions.contains("RCPT TO:<kay@elsewhere.example>\r\n"))
        #expect(server.questions.contains { $0.hasSuffix("x\r\n.\r\n") })
    }

    /// What the server refuses is in no folder.
    @Test func theServerRefuses() async throws {
        let (reply, files, _) = try await deliver(to: "many@example.org", end: "554 5.7.1 no")
        #expect(reply == "554 5.7.1 The next mail server refuses it")
        #expect(files == [])
    }

    /// A server that takes nobody hears nothing of the message.
    @Test func theServerTakesNobody() async throws {
        let (reply, files, server) = try await deliver(
            to: "ann@example.org", "far@example.org", end: "250 2.0.0 taken", refusing: "fred@elsewhere.example")
        #expect(reply == "250 2.0.0 OK")
        #expect(files.count == 1 && files.first?.hasPrefix("example.org/ann/new/") == true)
        #expect(server.questions.contains("RCPT TO:<fred@elsewhere.example>\r\n"))
        #expect(!server.questions.contains("DATA\r\n"))
    }

    /// What can't be put in a folder is not given to the server: its connection ends before the message does.
    @Test func aFolderFails() async throws {
        let (reply, files, server) = try await deliver(
            to: "ann@example.org", "fred@example.org", "far@example.org", end: "250 ok", blocking: "fred")
        #expect(reply == "451 4.3.0 The message can't be handed on now, try again later")
        #expect(files == ["example.org/fred/tmp"])
        #expect(!server.questions.contains { $0.hasSuffix("\r\n.\r\n") })
    }

    /// Where a server has refused all that it was asked for, or does not take DATA: who has a folder gets the message, or nobody.
    @Test(arguments: [
        (["RCPT": "550 5.1.1 no"], "550 5.1.1 The next mail server refuses it", "354 Start"),
        (["DATA": "554 5.7.1 no"], "251 2.1.5 ", "554 5.7.1 no"),
        (["DATA": "421 4.3.2 bye"], "251 2.1.5 ", "451 4.3.2 bye"),
    ])
    func refusedBefore(replies: [String: String], recipient: String, data: String) async throws {
        let server = ScriptedServer(["250 2.0.0 taken\r\n"], greeting: "220 x\r\n", replies: replies)
        try await server.run { port in
            let change: MessageServerTests.Change = { configuration, _ in
                Self.addServer(at: port, to: &configuration)
            }
            try await MessageServerTests.serve(change: change) { peer, place in
                let text =
                    "MAIL FROM:<me@c.example>\r\nRCPT TO:<ann@example.org>\r\nRCPT TO:<far@example.org>\r\n"
                let heard = try await MessageServerTests.replies(5, to: text + "DATA\r\n", over: peer)
                #expect(heard.count == 5 && heard[3].hasPrefix(recipient))
                #expect(heard.last?.hasPrefix(String(data.prefix(9))) == true, "\(heard)")
                if data.hasPrefix("354") {
                    let end = try await MessageServerTests.replies(1, to: "x\r\n.\r\n", over: peer)
                    #expect(end == ["250 2.0.0 OK"])
                    #expect(place.messages("example.org/ann").count == 1)
                    #expect(!server.questions.contains("DATA\r\n"))
                } else {
                    #expect(try await place.isEmptySoon())
                }
            }
        }
    }
}
