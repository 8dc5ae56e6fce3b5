import Foundation
import Synchronization
import Testing

@testable import AddresseeCommands

@Suite struct OutputTests {
    @Test(arguments: [
        ("fred", 4), ("Ångström", 8), ("A\u{30A}ngstro\u{308}m", 8), ("山田", 4), ("ﾔﾏﾀ", 3), ("👩‍👩‍👧", 2), ("한국", 4),
        ("", 0),
        ("Иван", 4),
    ])
    func columns(_ text: String, _ columns: Int) {
        #expect(text.columns == columns)
    }

    @Test(arguments: [
        ("fred", "fred"), ("Björn", "Björn"), ("a\u{1B}[31mb", "a\\u{1B}[31mb"), ("a\tb\r\n", "a\\tb\\r\\n"),
        ("\u{202E}evil", "\\u{202E}evil"), ("\u{9B}1m", "\\u{009B}1m"),
    ])
    func printable(_ text: String, _ shown: String) {
        #expect(text.printable == shown)
    }

    @Test(arguments: [("plain/a-b.yaml", "plain/a-b.yaml"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("", "''")])
    func shellWords(_ text: String, _ word: String) {
        #expect(text.shellWord == word)
    }

    @Test func tablesTakeTheirWidthsFromTheFirstRows() throws {
        let text = Mutex("")
        let pieces = Mutex(0)
        let output = Output(
            isTerminal: true, isColoured: false, isErrorTerminal: true,
            standardOutput: { piece in
                text.withLock { $0 += piece }
                pieces.withLock { $0 += 1 }
            }, standardError: { _ in })
        var table = Table(["ADDRESS", "NAME", "STATUS"], to: output)
        for _ in 0..<Table.sample { try table.add(["山田@example.org", "山田", "active"]) }
        for _ in 0..<10_000 { try table.add(["somebody.else@example.org", "", "full"]) }
        #expect(pieces.withLock { $0 } > 5)
        try table.finish()
        let lines = text.withLock { $0.split(separator: "\n") }
        #expect(lines[0] == "ADDRESS           NAME  STATUS")
        #expect(lines[1] == "山田@example.org  山田  active")
        #expect(lines[Table.sample + 1] == "somebody.else@example.org        full")
        #expect(lines.count == Table.sample + 10_001)
    }

    /// At a terminal no line is broken: what does not fit is cut, with a mark.
    @Test func linesFit() throws {
        let text = Mutex("")
        let output = Output(
            isTerminal: true, isColoured: false, isErrorTerminal: true,
            standardOutput: { piece in text.withLock { $0 += piece } }, standardError: { _ in }, width: 46)
        var table = Table(["ADDRESS", "NAME", "STATUS"], to: output)
        try table.add(["fred@example.org", "Fred Ferdinand Claude the Third", "active"])
        try table.add(["山田@example.org", "山田山田山田山田山田", "full"])
        try table.add([
            "a\u{30A}@example.org", "A\u{30A}ngstro\u{308}m-A\u{30A}ngstro\u{308}m-A\u{30A}ngstro\u{308}m", "disabled",
        ])
        try table.finish()
        #expect(
            text.withLock { $0 } == """
                ADDRESS           NAME                STATUS
                fred@example.org  Fred Ferdinand Cl…  active
                山田@example.org  山田山田山田山田…   full
                a\u{30A}@example.org     A\u{30A}ngstro\u{308}m-A\u{30A}ngstro\u{308}m…  disabled

                """)
    }

    @Test(arguments: [
        ([10, 10, 10], 34, [10, 10, 10]), ([10, 10, 10], 33, [10, 9, 10]), ([16, 40, 6], 40, [16, 14, 6]),
        ([40, 40, 8], 40, [20, 8, 8]), ([30, 9, 9], 20, [8, 4, 4]), ([5, 5], 3, [1, 1]), ([500], 80, [80]),
        // One long address leaves the others what can be read.
        ([60, 20, 8], 80, [52, 16, 8]), ([60, 25, 12, 9], 80, [40, 13, 12, 9]), ([70, 6], 80, [70, 6]),
    ])
    func widths(_ natural: [Int], _ limit: Int, _ fitted: [Int]) {
        #expect(Table.fitted(natural, to: limit) == fitted)
    }

    @Test(arguments: [
        ("fred", 4, "fred"), ("fred", 3, "fr…"), ("山田山田", 5, "山田…"), ("山田山田", 4, "山…"),
        ("A\u{30A}b\u{308}c", 2, "A\u{30A}…"),
        ("fred", 1, "…"), ("fred", 0, ""), ("👩‍👩‍👧👩‍👩‍👧", 3, "👩‍👩‍👧…"),
    ])
    func isCut(_ text: String, _ columns: Int, _ cut: String) {
        #expect(text.cut(to: columns) == cut)
        #expect(text.cut(to: columns).columns <= columns)
    }

    /// A row that is wider than the first two hundred has the room that there is.
    @Test func laterRowsFitToo() throws {
        let text = Mutex("")
        let output = Output(
            isTerminal: true, isColoured: false, isErrorTerminal: true,
            standardOutput: { piece in text.withLock { $0 += piece } }, standardError: { _ in }, width: 40)
        var table = Table(["ADDRESS", "TO"], to: output)
        for _ in 0..<Table.sample { try table.add(["a@example.org", "b@example.org"]) }
        try table.add(["somebody@example.org", "b@example.org"])
        try table.add(["somebody@example.org", "b@example.org, c@example.org, d@example.org"])
        try table.finish()
        let lines = text.withLock { $0.split(separator: "\n") }
        #expect(lines[Table.sample + 1] == "somebody@example.org  b@example.org")
        #expect(lines[Table.sample + 2] == "somebody@exa…  b@example.org, c@example…")
    }

    @Test func cellsCannotBreakTheLine() throws {
        let text = Mutex("")
        let output = Output(
            isTerminal: false, isColoured: false, isErrorTerminal: false,
            standardOutput: { piece in text.withLock { $0 += piece } }, standardError: { _ in })
        var table = Table(["A", "B"], to: output)
        try table.add(["a\tb", "c\nd"])
        try table.finish()
        #expect(text.withLock { $0 } == "a\\tb\tc\\nd\n")
    }

    @Test(arguments: [
        ["user", "ls"], ["user", "ls", "--json"], ["verify", "fred"], ["--help"], ["user", "show", "fred@example.org"],
    ])
    func readerThatHasGone(_ arguments: [String]) async throws {
        let site = try Site()
        let said = Mutex("")
        let output = Output(
            isTerminal: false, isColoured: false, isErrorTerminal: false,
            standardOutput: { _ in throw Output.Closed() }, standardError: { text in said.withLock { $0 += text } })
        let option = arguments[0] == "--help" ? [] : ["--config", site.configuration]
        let status = await Program.run(arguments + option, wiring: site.wiring, output: output)
        #expect(status == 0)
        #expect(said.withLock { $0 } == "")
    }

    /// Whatever adds, changes, removes or shows a record tells it as JSON, on one line.
    @Test(arguments: [
        "domain show example.org", "domain add new.example", "domain set relay.example --no-transport",
        "domain rm relay.example", "user show fred@example.org", "user add new@example.org",
        "user set fred@example.org --no-login", "user rm betty@example.org", "alias show info@example.org",
        "alias add new@example.org --to fred@example.org", "alias set info@example.org --to barney@example.org",
        "alias rm info@example.org", "forward show away@example.org",
        "forward add new@example.org --to fred@example.org", "forward set away@example.org --reply 251",
        "forward rm away@example.org", "moved show old@example.org", "moved add new@example.org",
        "moved set old@example.org --no-to", "moved rm old@example.org", "list show staff@example.org",
        "list add new@example.org --member fred@example.org", "list set staff@example.org --no-owner",
        "list rm staff@example.org", "list join staff@example.org barney@example.org",
        "list leave staff@example.org fred@example.org",
    ])
    func recordsAsJSON(_ command: String) async throws {
        let words = command.split(separator: " ").map(String.init)
        let site = try Site()
        let run = await site.run(bare: words + ["--json", "--config", site.configuration])
        #expect(run.status == 0 && run.err == "")
        #expect(run.out.hasSuffix("}\n") && run.out.split(separator: "\n").count == 1, "\(run.out)")
        let members = try JSONSerialization.jsonObject(with: Data(run.out.utf8)) as? [String: Any]
        #expect(members?["record"] as? String == words[0])
        #expect(members?[words[0] == "domain" ? "domain" : "address"] as? String == words[2])
        #expect(members?["source"] as? String == "main")
    }

    /// Whoever asks for the exit status alone gets the same as one who reads.
    @Test(arguments: [
        ("verify", "nobody"), ("verify", "stone"), ("verify", "wilma"), ("expand", "closed"), ("resolve", "nobody"),
        ("resolve", "fred"), ("resolve", "stone"),
    ])
    func verdictWithoutAReader(_ command: String, _ name: String) async throws {
        let site = try Site()
        let output = Output(
            isTerminal: false, isColoured: false, isErrorTerminal: false,
            standardOutput: { _ in throw Output.Closed() }, standardError: { _ in })
        for options in [[], ["--json"]] {
            let arguments = [command, name, "--config", site.configuration] + options
            let expected = await site.run(bare: arguments).status
            #expect(await Program.run(arguments, wiring: site.wiring, output: output) == expected)
        }
    }
}
