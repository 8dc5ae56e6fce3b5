// Every file *.session is played to the state machine: line by line, octet by octet, all at once, and with answers that
// come late and in the wrong order.

import DialogueTesting
import Testing

struct DialogueTests {
    @Test(arguments: DialogueFiles.sessions)
    func play(name: String) async throws {
        let dialogue = try DialogueFiles.dialogue(name)
        let directory = try DialogueFiles.directory(dialogue.directory)
        for answering in Answering.allCases {
            for cutting in Cutting.allCases where cutting != .pipelined || dialogue.isPipelined {
                let peer = try SessionPeer(dialogue, directory, answering)
                for difference in try await dialogue.play(to: peer, cutting) {
                    Issue.record("\(answering): \(difference)")
                }
            }
        }
    }

    @Test func thereAreDialogues() {
        #expect(DialogueFiles.sessions.count >= 40)
    }
}
