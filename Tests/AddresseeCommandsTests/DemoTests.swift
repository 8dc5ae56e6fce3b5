import AddresseeConfiguration
import Foundation
import MailAddress
import MailboxDirectory
import SMTPProtocol
import Testing
import Verification

@testable import AddresseeCommands

@Suite struct DemoTests {
    /// The old dialogues, as the plain listener answers them.
    static let dialogues = [
        ("RCPT TO:<receiver1@assistprogramming.com>", "250 OK"),
        ("RCPT TO:<receiver2@assistprogramming.com>", "550 No such user here"),
        ("RCPT TO:<receiver3@assistprogramming.com>", "250 OK"),
        ("RCPT TO:<Postel@USC-ISI.ARPA>", "251 User not local; will forward to <Postel@USC-ISIF.ARPA>"),
        ("VRFY claude", "250 Fred claude <claudiu@assisprogramming.com>"),
        ("VRFY test", "251 User not local; will forward to <test@assistprogramming.com>"),
        ("VRFY user", "550 String does not match anything."),
        ("VRFY user1", "551 User not local; please try <user4@assitprogramming.com>"),
        ("VRFY hkhjkghj", "553 User ambiguous."),
        (
            "EXPN Example-People",
            """
            250-Jon Postel <Postel@USC-ISIF.ARPA>
            250-Fred Fonebone <Fonebone@USC-ISIQ.ARPA>
            250-Sam Q. Smith <SQSmith@USC-ISIQ.ARPA>
            250-Quincy Smith <Q-Smith@ISI-VAXA.ARPA>
            250-<joe@foo-unix.ARPA>
            250 <xyz@bar-unix.ARPA>
            """
        ),
        ("EXPN Executive-Washroom-List", "550 Access Denied to You."),
        (
            "EXPN everyone",
            """
            250-Fred claude <claudiu@assisprogramming.com>
            250-Björn Ångström <bjorn@assisprogramming.com>
            250-Anna Ionescu <anna@assisprogramming.com>
            250-Sam Hall <sam@assisprogramming.com>
            250 Fred Fonebone <Fonebone@USC-ISIQ.ARPA>
            """
        ),
        ("VRFY bjorn", "250 Björn Ångström <bjorn@assisprogramming.com>"),
        ("VRFY info", "250 Fred claude <claudiu@assisprogramming.com>"),
        ("VRFY anna", "250 Anna Ionescu <anna@assisprogramming.com>"),
        ("VRFY ruth", "550 Mailbox disabled"),
        ("VRFY leo", "450 Mailbox suspended, try again later"),
        ("RCPT TO:<max@assisprogramming.com>", "452 Mailbox full"),
        ("VRFY sam+lists@assisprogramming.net", "250 Sam Hall <sam@assisprogramming.com>"),
        ("VRFY user2", "550 User has moved"),
        ("RCPT TO:<anybody@shop.assisprogramming.com>", "250 OK"),
        ("RCPT TO:<anybody@relay.assisprogramming.com>", "250 OK"),
        (
            "VRFY anybody@relay.assisprogramming.com",
            "252 Cannot VRFY user, but will accept message and attempt delivery"
        ),
    ]

    @Test(arguments: dialogues) func dialogue(_ command: String, _ reply: String) throws {
        let store = try MemoryStore(name: "main")
        try DemoDirectory.seed(store)
        let argument = Array(command.utf8.dropFirst(command.hasPrefix("RCPT") ? 8 : 5))
        let query: Query
        switch command.prefix(4) {
        case "RCPT":
            var index = 0
            query = .recipient(try ForwardPath.parse(argument.span, from: &index), utf8: true)
        case "VRFY": query = .verify(try Subject(argument.span), utf8: true)
        default: query = .expand(try Subject(argument.span), utf8: true)
        }
        let inquiry = Inquiry(query, by: .trusted)
        let context = Inquiry.Context(sources: ["main"], defaultDomain: try Domain(DemoDirectory.defaultDomain))
        let verdict = inquiry.answer(from: [store.source], in: context)
        let lines = verdict.reply(on: inquiry.wire, form: .plain, naming: false).lines(withEnhancedCode: false)
        #expect(lines.joined(separator: "\n") == reply)
    }

    @Test func everyRecordIsKept() throws {
        let store = try MemoryStore(name: "main")
        try DemoDirectory.seed(store)
        for record in try DemoDirectory.records() {
            guard let address = record.address else { continue }
            #expect(try store.read { try $0.record(record.kind, at: address) } == record)
        }
    }

    @Test func servesAndLeavesNothingBehind() async throws {
        let site = try Site([])
        let seen = Seen()
        site.onServe = { configuration in
            seen.configuration = configuration
            seen.isThere = FileManager.default.fileExists(atPath: configuration.file)
        }
        let run = await site.run(bare: ["demo", "--port", "0", "--plain-port", "0"])
        let configuration = try #require(seen.configuration)
        #expect(seen.isThere)
        #expect(!FileManager.default.fileExists(atPath: configuration.file))
        #expect(configuration.listeners.map(\.enhancedCodes) == [true, false])
        #expect(configuration.listeners.map(\.possibilities) == [true, false])
        #expect(configuration.nextHops.map(\.name) == ["mailboxes", "elsewhere"])
        #expect(run.status == 0)
        #expect(run.err == "")
        #expect(run.out.contains("curl -s smtp://127.0.0.1:0 -X \"VRFY claude\"\n"))
        #expect(run.out.contains("ADDRESSEE_CONFIG=\(configuration.file)\n"))
    }

    @Test func guide() {
        let output = Output(
            isTerminal: false, isColoured: false, isErrorTerminal: false, standardOutput: { _ in },
            standardError: { _ in })
        let addresses = [ListenAddress.ip(host: "127.0.0.1", port: 2525), .ip(host: "127.0.0.1", port: 2521)]
        let guide = DemoGuide(addresses: addresses, configuration: "/tmp/x/addressee.yaml", program: "addressee")
        #expect(
            guide.text(for: output) == """
                A directory to try is served until you press Ctrl-C.
                  127.0.0.1:2525   with the replies of today
                  127.0.0.1:2521   with the plain replies of RFC 821

                Ask it from another terminal:
                  curl -s smtp://127.0.0.1:2525 -X "VRFY claude"
                  curl -s smtp://127.0.0.1:2525 -X "VRFY test"
                  curl -s smtp://127.0.0.1:2521 -X "VRFY test"
                  curl -s smtp://127.0.0.1:2525 -X "VRFY bjorn SMTPUTF8"
                  curl -s smtp://127.0.0.1:2525 -X "EXPN everyone"
                  curl -s smtp://127.0.0.1:2521 -X "EXPN Example-People"

                curl hides the text of a refusal; this shows it:
                  curl -sv smtp://127.0.0.1:2525 -X "VRFY user1" 2>&1 | grep "^< 5"
                  curl -sv smtp://127.0.0.1:2525 -X "VRFY hkhjkghj" 2>&1 | grep "^< 5"
                  curl -sv smtp://127.0.0.1:2521 -X "VRFY hkhjkghj" 2>&1 | grep "^< 5"
                  curl -sv smtp://127.0.0.1:2521 -X "VRFY user" 2>&1 | grep "^< 5"
                  curl -sv smtp://127.0.0.1:2521 -X "EXPN Executive-Washroom-List" 2>&1 | grep "^< 5"

                Send a message, and read it in its folder (what goes elsewhere lies beside it):
                  printf 'Subject: hello\\n\\nHello.\\n' | curl -s smtp://127.0.0.1:2521 --mail-from sender@assistprogramming.com --mail-rcpt receiver1@assistprogramming.com --mail-rcpt Postel@USC-ISI.ARPA -T - --crlf
                  cat /tmp/x/mail/assistprogramming.com/receiver1/new/*
                  cat /tmp/x/elsewhere/usc-isif.arpa/postel/new/*

                Ask without the server, and see why:
                  export ADDRESSEE_CONFIG=/tmp/x/addressee.yaml
                  addressee verify user1
                  addressee resolve everyone --explain
                  addressee resolve sam+lists@assisprogramming.net --explain
                  addressee user ls

                Change it; the very next question knows:
                  addressee user add wilma@assisprogramming.com --name "Wilma Stone"
                  curl -s smtp://127.0.0.1:2525 -X "VRFY wilma"


                """)
        var elsewhere = guide
        elsewhere.program = "/opt/my programs/addressee"
        #expect(
            elsewhere.text(for: output).contains(
                "  export PATH='/opt/my programs':\"$PATH\" ADDRESSEE_CONFIG=/tmp/x/addressee.yaml\n"))
    }

    @Test func removesTheFolderWhenTheServerFails() async throws {
        let site = try Site([])
        let seen = Seen()
        site.onServe = { configuration in
            seen.configuration = configuration
            throw CommandFailure(.temporary, "the roof is on fire; leave")
        }
        #expect(
            await site.run(bare: ["demo", "--port", "0", "--plain-port", "0"]).err
                == "addressee: the roof is on fire; leave\n")
        #expect(!FileManager.default.fileExists(atPath: try #require(seen.configuration).file))
    }

    @Test func takenPort() async throws {
        let taken = try TakenPort()
        let site = try Site([])
        #expect(
            await site.run(bare: ["demo", "--port", "0", "--plain-port", "\(taken.port)"])
                == Run(
                    75,
                    err: "addressee: the port \(taken.port) of 127.0.0.1 is taken; stop what has it, or choose another"
                        + " with --plain-port, or 0 for any\n"))
    }

    /// Safe because the server calls it once, before the test looks.
    private final class Seen: @unchecked Sendable {
        var configuration: Configuration?
        var isThere = false
    }
}

/// A port that something listens on.
private final class TakenPort {
    let port: Int
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(descriptor, $0, length)
                _ = listen(descriptor, 1)
                _ = getsockname(descriptor, $0, &length)
            }
        }
        port = Int(in_port_t(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }
}
