// The directory could not tell, at any lookup of any question: 451 4.4.3 on every wire and for every client.

import DirectoryTesting
import MailboxDirectory
import SMTPProtocol
import Testing
import Verification

@Test(arguments: resolveTable)
func couldNotTell(_ row: ResolveRow) throws {
    for wire in [Wire.verify, .expand, .recipient] {
        if wire == .recipient, case .name = Question(text: row.question) { continue }
        for disclosure in [Disclosure.full, .existence, .least] {
            if wire != .recipient, disclosure == .least { continue }
            try expectTrouble(
                Asking(directory: row.directory, question: row.question, wire: wire, disclosure: disclosure))
        }
    }
}

private func expectTrouble(_ asking: Asking) throws {
    var asking = asking
    var lookups = 0
    asking.tamper = { number, _, answer in
        lookups = number + 1
        return answer
    }
    _ = try asking.verdict()
    #expect(lookups > 0)
    for failing in 0..<lookups {
        asking.tamper = { number, _, answer in
            number == failing ? .couldNotTell(Trouble(source: "memory", reason: "gone")) : answer
        }
        let verdict = try asking.verdict()
        #expect(verdict == .couldNotTell, "at lookup \(failing)")
        #expect(verdict.exitStatus == .temporary)
        #expect(try asking.reply() == "451 4.4.3 The directory could not tell, try again later")
        #expect(try asking.reply(.plain) == "451 The directory could not tell, try again later")
    }
}
