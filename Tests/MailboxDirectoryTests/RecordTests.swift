// Names on record, kinds of entry, and what a store's errors are for people.

import DirectoryTesting
import MailAddress
import MailboxDirectory
import Testing

@Test(
    arguments: [
        ("", nil), (" ", .blank), ("   ", .blank), (" x", nil), ("Fred Claude", nil), ("山田 太郎", nil), ("\u{A0}x", nil),
        ("é\u{9F}", .controlCharacter),
        ("x\u{80}", .controlCharacter), ("\u{7F}", .controlCharacter), ("a\tb", .controlCharacter),
        ("a\r\nb", .controlCharacter), ("Fred <fred@a>", .angleBracket), (">", .angleBracket),
        (String(repeating: "x", count: 200), nil), (String(repeating: "x", count: 201), .tooLong),
        (String(repeating: "é", count: 100), nil), (String(repeating: "é", count: 101), .tooLong),
    ] as [(String, NameFault?)])
func names(_ name: String, _ expected: NameFault?) throws {
    #expect(NameFault(name.utf8.span) == expected)
    // The editor has the same rule.
    let store = try MemoryStore(try records("domain a")[0])
    let editor = RecordEditor(store: store, defaultDomain: ResolveRow.defaultDomain)
    let user = Record.user(User(address: try Mailbox("u@a"), fullName: name))
    if let expected {
        #expect(throws: EditError.unsuitable("the full name \(expected)")) { try editor.add(user) }
    } else {
        try editor.add(user)
    }
}

@Test func kindsOfEntry() throws {
    let store = try MemoryStore(
        try records(
            "domain a\nuser user@a\nforward user@a x@e keep\nalias alias@a user@a\nforward forward@a x@e\nmoved moved@a"
                + "\nlist list@a : x@e")[0])
    for kind in RecordKind.allCases where kind != .domain {
        guard case .entry(let entry, _) = store.source.answer(.entries([try Mailbox("\(kind)@a")])) else {
            Issue.record("nothing at \(kind)@a")
            continue
        }
        #expect(entry.kind == kind)
        #expect(entry.kindName == "\(kind)")
        // Whoever takes its address is told what it is.
        let editor = RecordEditor(store: store, defaultDomain: ResolveRow.defaultDomain)
        let moved = Record.moved(Moved(address: entry.address))
        #expect(throws: EditError.addressTaken(entry.address, by: kind)) { try editor.add(moved) }
        let other = try MemoryStore(try records("domain a")[0])
        #expect(throws: EditError.addressTakenElsewhere(entry.address, by: kind, source: "memory")) {
            try RecordEditor(store: other, otherSources: [store.source], defaultDomain: ResolveRow.defaultDomain)
                .add(moved)
        }
    }
}

@Test func errorsOfStores() throws {
    let address = try Mailbox("u@a")
    let trouble = Trouble(source: "s", reason: "disk full")
    let cases: [(StoreError, EditError)] = [
        (.addressTaken(address, by: .list), .addressTaken(address, by: .list)),
        (.domainTaken(address.domain), .domainTaken(address.domain)), (.loginTaken("u"), .loginTaken("u")),
        (.noSuchDomain(address.domain), .noSuchDomain(address.domain)),
        (.notFound(.user, "u@a"), .notFound(.user, "u@a")),
        (.notEmpty(address.domain), .notEmpty(address.domain, [], more: true)),
        (.trouble(trouble), .couldNotTell(trouble)),
    ]
    for (error, expected) in cases { #expect(EditError(error) == expected) }
}

/// By which words somebody is found: without the marks around them, each once.
@Test(
    arguments: [
        ("Fred Claude", ["fred claude", "fred", "claude"]),
        ("  Claude,\tFred ", ["claude, fred", "claude", "fred"]),
        ("\"Fred\" (Sales) O'Neil-Smith.", ["\"fred\" (sales) o'neil-smith.", "fred", "sales", "o'neil-smith"]),
        ("Fred fred FRED", ["fred fred fred", "fred"]), ("fred", ["fred"]), ("- fred -", ["- fred -", "fred"]),
        ("fred.", ["fred.", "fred"]), (".fred", [".fred", "fred"]),
        ("Ärger & Söhne", ["ärger & söhne", "ärger", "söhne"]),
        ("", []), (" \t", []), ("---", ["---"]),
    ])
func wordsOfAName(name: String, words: [String]) {
    #expect(NameFolding.keys(ofFullName: name).map { String(decoding: $0, as: UTF8.self) } == words)
}

/// What is so, and what to do: the words after the last semicolon.
@Test(
    arguments: [
        ("it is so; mend it", "it is so", "mend it"), ("a; b; mend it", "a; b", "mend it"),
        ("it is so", "it is so", ""),
        ("a;b", "a;b", ""), ("a; ", "a", ""), ("", "", ""),
    ])
func findingsOfReasons(reason: String, text: String, advice: String) {
    let finding = Finding(.error, .directory, reason: reason)
    #expect(finding.text == text)
    #expect(finding.advice == advice)
    #expect(finding.line == (advice.isEmpty ? text : reason))
}

/// Of many that are alike twenty are named, and the others counted.
@Test(arguments: [0, 1, 20, 21, 45])
func findingsOfATopic(count: Int) {
    var list = FindingList()
    list.add(Finding(.note, .directory, "before"))
    for number in 0..<count {
        // Told twice, counted once.
        for _ in 0..<(number < 20 ? 2 : 1) {
            list.add(Finding(.error, .directory, "\(number) is wrong"), topic: "wrong ones")
        }
    }
    list.add(Finding(.warning, .configuration, "another"), topic: "others")
    var expected = ["before"] + (0..<min(count, 20)).map { "\($0) is wrong" } + ["another"]
    if count > 20 { expected.append("there are \(count - 20) more wrong ones") }
    #expect(list.all.map(\.text) == expected)
    #expect(list.all.last?.severity == (count > 20 ? .error : .warning))
}

/// Whoever is on the way round, or leads there, a loop is told once.
@Test func loopsAreToldOnce() throws {
    let store = try MemoryStore(
        try records(
            "domain a\nalias x@a y@a\nalias y@a z@a\nalias z@a x@a\nalias in@a y@a\nlist l@a : z@a\nalias me@a you@a"
                + "\nalias you@a me@a")[0])
    let findings = try store.read { RecordCheck(defaultDomain: ResolveRow.defaultDomain).findings(in: $0) }
    #expect(findings.map(\.severity) == [.error, .error])
    #expect(findings.allSatisfy { $0.text.hasPrefix("there is a loop: ") }, "\(findings)")
}

/// Who has moved gets nothing that is sent to a list. An alias of one tells where he is, and an owner is for people.
@Test func membersWhoHaveMovedAreTold() throws {
    let store = try MemoryStore(
        try records(
            "domain a\nuser u@a\nmoved gone@a\nmoved new@a to=x@else\nalias to@a gone@a\nlist l@a owner=new@a : gone@a u@a"
                + " new@a to@a")[0])
    let findings = try store.read { RecordCheck(defaultDomain: ResolveRow.defaultDomain).findings(in: $0) }
    #expect(findings.map(\.severity) == [.warning, .warning])
    #expect(
        findings.map(\.text) == [
            "the list l@a has the member gone@a, who has moved",
            "the list l@a has the member new@a, who has moved to x@else",
        ])
}

/// What is wrong at one record is told of that one, and not of all that lead to it.
@Test func whatLeadsToWhatDanglesIsInOrder() throws {
    let store = try MemoryStore(
        try records("domain a catch-all=x@a\ndomain b\nalias x@a y@b\nlist l@a : x@a\nforward f@a x@a\nalias z@a x@a")[
            0])
    let findings = try store.read { RecordCheck(defaultDomain: ResolveRow.defaultDomain).findings(in: $0) }
    #expect(findings.map(\.text) == ["the alias x@a leads to y@b, where nobody is (target)"])
}
