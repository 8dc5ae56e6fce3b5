// Every file *.session again, over a socket.

import DialogueTesting
import Testing

struct SocketDialogueTests {
    /// With a directory that answers at once, and with one that has to be waited for: no client can tell which.
    @Test(arguments: DialogueFiles.sessions, [false, true])
    func play(name: String, isLate: Bool) async throws {
        let dialogue = try DialogueFiles.dialogue(name)
        if !dialogue.isForSockets { return }
        try await ServedDirectory.serve(dialogue, isLate: isLate) { port in
            for cutting in Cutting.allCases where cutting != .pipelined || dialogue.isPipelined {
                let differences = try await SocketPeer.connected(port: port) { peer in
                    try await dialogue.play(to: peer, cutting)
                }
                for difference in differences { Issue.record("\(difference)") }
            }
        }
    }

    @Test func thereAreDialogues() {
        #expect(DialogueFiles.sessions.count >= 40)
    }
}
