// Lines of the log as they are, field by field: administrators search for them.

import AddresseeConfiguration
import Foundation
import LookupProtocols
import MailAddress
import MailboxDirectory
import NIOCore
import SMTPProtocol
import Testing
import Verification

@testable import AddresseeServer

struct ServerLogTests {
    private static func lines(_ body: (ServerLog) throws -> Void) rethrows -> [String] {
        let book = LogBook()
        try body(ServerLog(book.logger))
        return book.lines
    }

    private static let client = ClientAddress.ipv4(0xC000_0201)

    @Test func theServer() {
        #expect(
            Self.lines {
                $0.started(["127.0.0.1:25", "unix:/x"], sources: ["main", "people"])
                $0.stopping(reason: "SIGTERM", connections: 3)
                $0.stopped()
                $0.reloaded("a.yaml", addresses: ["127.0.0.1:25"])
                $0.notReloaded("a.yaml", reason: "line 3")
                $0.ignored("SIGUSR1")
                $0.needsRestart("threads")
                $0.fewFiles(1024, connections: 10_000)
            } == [
                "info listening on=127.0.0.1:25,unix:/x sources=main,people",
                "info stopping connections=3 reason=SIGTERM", "info stopped",
                "info configuration-reloaded file=a.yaml on=127.0.0.1:25",
                "error configuration-not-reloaded file=a.yaml kept=the old one reason=line 3",
                "info signal-ignored do=SIGHUP reads the configuration again signal=SIGUSR1",
                "warning needs-restart key=threads",
                "warning few-open-files connections=10000 do=raise the limit on open files (ulimit -n, LimitNOFILE), "
                    + "or lower limits.connections limit=1024",
            ])
    }

    @Test func clients() {
        #expect(
            Self.lines {
                $0.connected(Self.client, class: "everyone")
                $0.disconnected(Self.client)
                $0.refused(Self.client, reason: "why")
                $0.connectionFailed(Self.client, reason: "why")
                $0.connectionLost(Self.client, ChannelError.eof)
                $0.connectionLost(Self.client, IOError(errnoCode: EPIPE, reason: "write"))
                $0.limited(Self.client, perMinute: 7)
                $0.limited(Self.client, perMinute: 7)
            } == [
                "debug connected class=everyone client=192.0.2.1", "debug disconnected client=192.0.2.1",
                "info refused client=192.0.2.1 reason=why", "info connection-failed client=192.0.2.1 reason=why",
                "debug connection-lost client=192.0.2.1 reason=\(ChannelError.eof)",
                "debug connection-lost client=192.0.2.1 reason=Broken pipe",
                "info question-refused client=192.0.2.1 reason=more than 7 questions a minute",
            ])
    }

    @Test func questions() throws {
        let mailbox = try Mailbox("fred@example.org")
        func octets(_ text: String) -> [UInt8] { Array(text.utf8) }
        #expect(
            Self.lines {
                $0.asked(.recipient(.mailbox(mailbox), utf8: false), by: Self.client, verdict: .unknown)
                $0.asked(.recipient(.postmaster, utf8: false), by: Self.client, verdict: .noMembers)
                $0.asked(.verify(.name(octets("fred")), utf8: false), by: Self.client, verdict: .closed)
                $0.asked(.expand(.postmaster, utf8: false), by: Self.client, verdict: .membersHidden)
                $0.asked(MapRequest(map: octets("aliases"), key: octets("k")), by: Self.client, answer: .absent)
                $0.asked(
                    PolicyRequest(state: .vrfy, recipient: octets("r")), by: Self.client, answer: .dunno)
                $0.asked(
                    ReadsocketRequest(word: octets("rcpt"), key: octets("k")), by: Self.client, answer: .later([]))
                $0.asked(
                    MilterRecipient(path: octets("<p>"), address: octets("a"), client: .local), by: Self.client,
                    answer: .proceed)
                $0.asked(deliverable: octets("d"), by: Self.client, answer: .temporary)
            } == [
                "debug asked about=fred@example.org client=192.0.2.1 command=RCPT verdict=unknown",
                "debug asked about=postmaster client=192.0.2.1 command=RCPT verdict=no-members",
                "debug asked about=fred client=192.0.2.1 command=VRFY verdict=closed",
                "debug asked about=postmaster client=192.0.2.1 command=EXPN verdict=members-hidden",
                "debug asked about=k answer=absent client=192.0.2.1 map=aliases",
                "debug asked about=r answer=dunno client=192.0.2.1 policy=VRFY",
                "debug asked about=k answer=defer client=192.0.2.1 word=rcpt",
                "debug asked about=a answer=continue client=192.0.2.1 command=milter RCPT",
                "debug asked about=d answer=temporary client=192.0.2.1 command=deliverable",
            ])
    }

    /// One line for each trouble, and no others of the same second.
    @Test func trouble() throws {
        let (ann, fred) = (try Mailbox("ann@a.example"), try Mailbox("fred@a.example"))
        #expect(
            Self.lines {
                let trouble = Trouble(source: "people", reason: "gone")
                for name in ["x", "y"] { $0.couldNotTell(trouble, about: name) }
                $0.loop([ann, fred], about: "ann")
                $0.limit(.depth, [ann], about: "ann")
                $0.noRoute(to: ann, about: "list")
                $0.twoServers("one", "other", "list")
                for _ in 0..<2 { $0.nextHopFailed("inside", HopFailure(reason: "no answer")) }
                for _ in 0..<2 { $0.notRewritten(ann, reason: "why") }
                $0.leftOut([ann, fred], about: "list")
                $0.removedStale(3, of: "folders")
                for _ in 0..<2 { $0.keptSender(ann, octets: 300) }
                let reply = HeardReply(code: 550, lines: [Array("5.1.1 no".utf8)])
                $0.refusedByNextHop("inside", about: "ann", nil, reply)
                $0.refusedByNextHop("inside", about: "list", fred, reply)
                $0.leftOut(fred, about: "list", by: "inside", reply)
                $0.defaultDomainIsMissing(ann.domain)
                $0.malformed(Self.client, at: ListenerConfiguration(wire: .policy, address: .unix(path: "/x")))
            } == [
                "error could-not-tell about=x reason=gone source=people",
                "error loop about=ann path=\([ann, fred].arrows)",
                "error limit-passed about=ann limit=\(ExpansionLimits.Kind.depth.rawValue) path=\([ann].arrows)",
                "warning no-next-hop about=list do=let one of next-hops take it, see its \"takes\" "
                    + "recipient=ann@a.example",
                "warning no-next-hop about=list do=let one mail server take all that one address leads to "
                    + "reason=its mail goes to one and to other",
                "error next-hop-failed next-hop=inside reason=no answer",
                "error address-not-rewritten about=ann@a.example reason=srs: why",
                "warning left-out about=list recipients=ann@a.example,fred@a.example",
                "info stale-files-removed files=3 next-hop=folders",
                "warning address-not-rewritten about=ann@a.example reason=srs: rewritten it would have 300 octets, 255 at "
                    + "most; kept as it is",
                "warning refused-by-next-hop about=ann next-hop=inside reply=550 5.1.1 no",
                "warning refused-by-next-hop about=list next-hop=inside recipients=fred@a.example reply=550 5.1.1 no",
                "warning left-out about=list next-hop=inside recipients=fred@a.example reply=550 5.1.1 no",
                "warning default-domain-not-on-record do=addressee domain add a.example, or correct default-domain "
                    + "domain=a.example",
                "info malformed-request client=192.0.2.1 done=connection closed listener=policy on=unix:/x",
            ])
    }

    /// A message in all of its lines: whose it is, and what became of it. No line has more than ten recipients.
    @Test func messages() throws {
        var envelope = Envelope(sender: .null, parameters: Command.MailParameters())
        for number in 0..<11 {
            let mailbox = try Mailbox("u\(number)@a.example")
            let destination = Destination(mailbox: mailbox, nextHop: number % 2)
            envelope.add(.mailbox(mailbox), to: [destination], new: [destination])
        }
        // One that leads to two more.
        let more = try ["x", "y"].map { Destination(mailbox: try Mailbox("\($0)@a.example"), nextHop: 0) }
        envelope.add(.mailbox(try Mailbox("list@a.example")), to: more, new: more)
        let to = (0..<10).map { "u\($0)@a.example" }.joined(separator: ",") + ",…"
        let hops = try ["one", "two", "three"].map {
            NextHopConfiguration(name: $0, kind: .maildir(try MaildirTemplate("/mail/{domain}/{local-part}")))
        }
        #expect(
            Self.lines {
                $0.handedOn("id1", envelope, by: Self.client, size: 5, over: hops, reply: nil)
                $0.notHandedOn(
                    "id2", envelope, by: Self.client,
                    DeliveryFailure(HopFailure(reason: "spam", reply: ReplyCatalogue.ok, isRefusal: true)))
                $0.notHandedOn("id3", nil, by: Self.client, DeliveryFailure(HopFailure(reason: "gone")))
                $0.refusedMessage("id4", nil, by: Self.client, .loop)
            } == [
                "info message-delivered client=192.0.2.1 from=<> id=id1 mailboxes=13 next-hop=one,two size=5 to=\(to)",
                "warning message-not-delivered client=192.0.2.1 from=<> id=id2 reason=spam to=\(to)",
                "error message-not-delivered client=192.0.2.1 id=id3 reason=gone",
                "info message-refused client=192.0.2.1 id=id4 reply=\(MessageReader.Fault.loop.reply)",
            ])
    }
}
