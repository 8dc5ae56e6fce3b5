// What may be written, what is refused in which words, and that a refused change leaves nothing behind.

import DirectoryTesting
import MailAddress
import MailboxDirectory
import Testing

@Test(arguments: editTable)
func edits(_ row: EditRow) throws {
    let (text, before, after) = try row.outcome { try MemoryStore(name: "other") }
    #expect(text == row.expected)
    if text != "done", !text.hasPrefix("added") {
        #expect(before == after, "a refused change was written")
    } else if text != "added 0" {
        #expect(before != after, "nothing was written")
    }
}

/// What is in the store after a change that was taken.
@Test(
    arguments: leavingTable + [
        ("user u@a", "add forward U@a t@x keep", ["user u@a () - active", "forward U@a t@x true auto"]),
        ("alias x@a t@e", "set alias X@A u@e", ["alias X@A u@e"]),
    ])
func leaves(_ directory: String, _ change: String, _ expected: [String]) throws {
    let (_, _, after) = try EditRow("domain a\n" + directory, change, "").outcome { try MemoryStore() }
    #expect(Array(after.dropFirst()) == expected)
}

@Suite struct EditorTrouble {
    private struct Silent: Source {
        let name = "ldap"
        let answer: Answer

        func answer(_ lookup: Lookup) -> Answer { answer }
    }

    private func editor(_ store: MemoryStore, _ answer: Answer) throws -> RecordEditor {
        RecordEditor(
            store: store, at: 0, otherSources: [Silent(answer: answer)], defaultDomain: ResolveRow.defaultDomain)
    }

    /// What another source can't tell, nobody may take for granted: nothing is written, not even by force.
    @Test(arguments: [
        "add user new@a", "add alias x@a y@a", "force add alias x@a y@a", "add domain x alias-of=y",
        "add forward u@a t@x", "rm user u@a", "join l@a y@a", "set alias i@a y@a",
    ])
    func couldNotTell(_ change: String) throws {
        let store = try MemoryStore(try records("domain a\nuser u@a\nlist l@a\nalias i@a u@a")[0])
        let before = try contents(of: store)
        let trouble = Trouble(source: "ldap", reason: "the server is down")
        for answer in [Answer.couldNotTell(trouble), .members([])] {
            let reason =
                answer == .members([]) ? "the answer is not one to the question" : "the server is down"
            let editor = try editor(store, answer)
            var text = ""
            do throws(EditError) {
                text = try editor.apply(change)
            } catch {
                text = error.description
            }
            if change == "rm user u@a", text.hasPrefix("u@a is still") { continue }
            #expect(text == "the directory could not tell: \(reason); try again")
            #expect(try contents(of: store) == before)
        }
    }

    @Test func addressesStay() throws {
        let store = try MemoryStore(try records("domain a\nalias x@a t@e\ndomain b")[0])
        let editor = RecordEditor(store: store, defaultDomain: ResolveRow.defaultDomain)
        let address = try Mailbox("x@a")
        let other = Alias(address: try Mailbox("y@a"), targets: [try Mailbox("t@e")])
        #expect(
            throws: EditError.unsuitable("a record's address can't be changed; add another record and remove this one")
        ) {
            try editor.set(.alias, at: address) { _ in .alias(other) }
        }
        #expect(
            throws: EditError.unsuitable("a domain's name can't be changed; add another domain and remove this one")
        ) {
            try editor.setDomain(address.domain) { record in
                var record = record
                record.domain = Domain(stored: Array("b".utf8), key: Array("b".utf8))
                return record
            }
        }
        #expect(throws: EditError.notFound(.alias, "elsewhere")) {
            try editor.set(.alias, at: address) { _ throws(EditError) in throw .notFound(.alias, "elsewhere") }
        }
    }

    @Test(arguments: [
        (
            EditError.notEmpty(Domain(stored: [97], key: [97]), [], more: true),
            "the domain a is still in use; remove or change what stands in it or points into it first"
        ),
        (
            .couldNotTell(Trouble(source: "s", reason: "disk full")),
            "the directory could not tell: disk full; try again"
        ),
    ])
    func texts(_ error: EditError, _ text: String) { #expect(error.description == text) }
}
