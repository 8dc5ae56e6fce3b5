// The lines of smtpd's table process, whole and in pieces; replies to lines, none of which would end smtpd.

import LookupProtocols
import Testing

struct TableProcTests {
    typealias Step = LookupStep<TableProcRequest, TableProcReply>

    /// One line without its end, and what it is.
    struct Row: Sendable, CustomTestStringConvertible {
        var line: String
        var what: What

        init(_ line: String, _ what: What) {
            self.line = line
            self.what = what
        }

        enum What: Sendable {
            case ask(TableProcRequest)
            case answer(TableProcReply)
        }

        var octets: [UInt8] { Array("\(line)\n".utf8) }

        var step: Step {
            switch what {
            case .ask(let request): .ask(request, next: octets.count)
            case .answer(let reply): .answer(reply, next: octets.count)
            }
        }

        var testDescription: String { String(line.prefix(60)) }
    }

    static func head(_ operation: TableProcHead.Operation, _ id: String) -> TableProcHead {
        TableProcHead(operation, id: Array(id.utf8))
    }

    static func ask(
        _ operation: TableProcHead.Operation, _ service: TableService, _ id: String, _ key: String
    ) -> Row.What {
        .ask(.ask(TableQuestion(head: head(operation, id), service: service, key: Array(key.utf8))))
    }

    static func setting(_ name: String, _ value: String) -> Row.What {
        .ask(.setting(name: Array(name.utf8), value: Array(value.utf8)))
    }

    static func trouble(_ operation: TableProcHead.Operation, _ id: String, _ text: String) -> Row.What {
        .answer(.trouble(head(operation, id), Array(text.utf8)))
    }

    static let services = "5.5.4 The services are alias, domain, mailaddr"
    static let noKey = "5.5.4 A request has a service, an identifier and a key"
    static let noText = "5.5.2 The key is no text"

    static let rows: [Row] = [
        // The examples of smtpd-tables(7).
        Row("config|smtpd-version|7.8.0", setting("smtpd-version", "7.8.0")),
        Row("config|protocol|0.1", setting("protocol", "0.1")),
        Row("config|tablename|devs", setting("tablename", "devs")), Row("config|ready", .ask(.ready)),
        Row("table|0.1|1713795082.354255|devs|lookup|alias|b72508d|op", ask(.lookup, .alias, "b72508d", "op")),
        Row("table|0.1|1713795097.394049|devs|update|478ff0d2", .ask(.update(id: Array("478ff0d2".utf8)))),
        Row("table|0.1|1713795103.314423|devs|check|netaddr|e58|192.168.0.7", trouble(.check, "e58", services)),
        Row("table|0.1|1713795110.354921|devs|lookup|userinfo|f993c74|op", trouble(.lookup, "f993c74", services)),
        Row("table|0.1|1713795116.227321|devs|fetch|source|189bd3ee", trouble(.fetch, "189bd3ee", services)),
        // Only the last field may hold a bar.
        Row("table|0.1|1|t|check|mailaddr|1|a|b@c", ask(.check, .mailaddr, "1", "a|b@c")),
        Row("table|0.1|1|t|lookup|domain|1|", ask(.lookup, .domain, "1", "")),
        Row("table|0.1|1|t|lookup|alias|1|@", ask(.lookup, .alias, "1", "@")),
        Row("table|0.1|1|t|lookup|alias|1|ü@b", ask(.lookup, .alias, "1", "ü@b")),
        // Whom to answer can be told.
        Row("table|0.1|1|t|lookup|alias|1", trouble(.lookup, "1", noKey)),
        Row("table|0.1|1|t|lookup|alias|1|a\u{0}b", trouble(.lookup, "1", noText)),
        Row("table|0.1|1|t|lookup|alias|1|a\tb", trouble(.lookup, "1", noText)),
        Row("table|0.1|1|t|check|auth|1|a:b", trouble(.check, "1", services)),
        Row("table|0.1|1|t|check||1|a", trouble(.check, "1", services)),
        // It can't.
        Row("", .ask(.unintelligible)), Row("table|0.1", .ask(.unintelligible)),
        Row("table|0.1|1|t|lookup|alias", .ask(.unintelligible)),
        Row("table|0.1|1|t|lookup|alias||k", .ask(.unintelligible)),
        Row("table|0.1|1|t|lookup|alias|1 2|k", .ask(.unintelligible)),
        Row("table|0.1|1|t|update", .ask(.unintelligible)), Row("table|0.1|1|t|list|alias|1|k", .ask(.unintelligible)),
        Row("lookup|alias|1|k", .ask(.unintelligible)), Row("config|", setting("", "")),
        Row("config|name", setting("name", "")),
    ]

    @Test(arguments: rows)
    func read(row: Row) {
        #expect(steps(of: row.octets, by: TableProcWire(), pieces: 10_000) == [row.step])
        #expect(steps(of: Array(row.octets.dropLast()), by: TableProcWire(), pieces: 10_000) == [])
    }

    @Test(arguments: [1, 2, 3, 7, 100_000])
    func pipelined(size: Int) {
        let found = steps(of: Self.rows.flatMap(\.octets), by: TableProcWire(), pieces: size)
        #expect(found == Self.rows.map(\.step))
    }

    @Test func keysThatAreNoText() {
        let octets = Array("table|0.1|1|t|check|domain|7|".utf8) + [0xFF, 0xFE, 10]
        let found = steps(of: octets, by: TableProcWire(), pieces: 100)
        #expect(found == [.answer(.trouble(Self.head(.check, "7"), Array(Self.noText.utf8)), next: octets.count)])
    }

    /// One too long is read past, whatever the pieces; where it can be told whom to answer, that one is answered.
    @Test(arguments: [1, 2, 3, 7, 4096, 20_000, 1_000_000], [10_000, 50_000])
    func overlong(size: Int, length: Int) {
        let key = String(repeating: "x", count: length)
        let last = Row("table|0.1|1|t|check|alias|8|k", Self.ask(.check, .alias, "8", "k"))
        let octets = Array("table|0.1|1|t|check|alias|9|\(key)\n\(key)yy\n".utf8) + last.octets
        let found = steps(of: octets, by: TableProcWire(), pieces: size)
        #expect(found.count == 3)
        if case .answer(.trouble(let head, _), _)? = found.first {
            #expect(head == Self.head(.check, "9"))
        } else {
            Issue.record("\(found)")
        }
        if found.count == 3, case .ask(.unintelligible, _) = found[1] {} else { Issue.record("\(found)") }
        #expect(found.last == last.step)
    }

    @Test(arguments: [
        (TableProcReply.services([.alias, .domain]), "register|alias\nregister|domain\nregister|ready\n"),
        (.found(head(.lookup, "a1"), Array("fred@a|b".utf8)), "lookup-result|a1|found|fred@a|b\n"),
        (.found(head(.check, "a1"), Array("fred@a".utf8)), "check-result|a1|found\n"),
        (.absent(head(.lookup, "a1")), "lookup-result|a1|not-found\n"),
        (.trouble(head(.check, "a1"), Array("4.4.3 why".utf8)), "check-result|a1|error|4.4.3 why\n"),
        (.trouble(head(.update, "a1"), []), "update-result|a1|error|could not tell\n"),
        (.trouble(head(.fetch, "a1"), Array("a\nb\u{0}ü".utf8)), "fetch-result|a1|error|a?b???\n"),
        (.updated(id: Array("a1".utf8)), "update-result|a1|ok\n"),
        // smtpd would end itself.
        (.found(head(.lookup, "a1"), []), "lookup-result|a1|error|4.3.0 The value can't be said in one line\n"),
        (
            .found(head(.lookup, "a1"), [97, 10, 98]),
            "lookup-result|a1|error|4.3.0 The value can't be said in one line\n"
        ),
        (.found(head(.check, "a1"), []), "check-result|a1|found\n"),
    ])
    func reply(reply: TableProcReply, octets: String) {
        #expect(String(decoding: TableProcWire.reply(reply), as: UTF8.self) == octets)
    }

    @Test func longValues() {
        let head = Self.head(.lookup, "1")
        let most = [UInt8](repeating: 97, count: LookupLimits.tableProcValue)
        #expect(TableProcWire.reply(.found(head, most)).starts(with: "lookup-result|1|found|".utf8))
        #expect(TableProcWire.reply(.found(head, most + [97])).starts(with: "lookup-result|1|error|4.3.0 ".utf8))
        #expect(
            TableProcWire.reply(.trouble(head, most)).count == LookupLimits.tableProcText
                + "lookup-result|1|error|\n".utf8.count
        )
    }
}
