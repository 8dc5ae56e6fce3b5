// Every golden session again, with its directory in a real slapd.

import DialogueTesting
import LDAPDirectory
import MailboxDirectory
import Testing

@Suite(.enabled(if: hasSlapd)) struct DialogueTests {
    @Test(arguments: DialogueFiles.sessions)
    func play(name: String) async throws {
        let dialogue = try DialogueFiles.dialogue(name)
        let text = try DialogueFiles.directory(dialogue.directory)
        let sources = try text.sources.map { try directory(try .shared(), $0.name, $0.records) }
        defer { for source in sources { source.close() } }
        for cutting in Cutting.allCases where cutting != .pipelined || dialogue.isPipelined {
            var rest = sources[...]
            let peer = try SessionPeer(dialogue, text) { _ in rest.removeFirst() }
            for difference in try await dialogue.play(to: peer, cutting) { Issue.record("\(difference)") }
        }
    }

    @Test func thereAreDialogues() {
        #expect(DialogueFiles.sessions.count >= 40)
    }
}
