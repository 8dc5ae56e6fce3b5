// The names that are asked about, as they are read from a file.

import Foundation
import Testing
import Verification

@testable import AddresseeCommands

@Suite struct BenchNamesTests {
    private func names(_ text: String) throws -> [String] {
        let file = NSTemporaryDirectory() + "bench-names-\(UUID().uuidString)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        do {
            let list = try NameList(file: file)
            let names = (0..<list.count).map { String(decoding: list.name($0), as: UTF8.self) }
            #expect(list.longest == names.map(\.utf8.count).max())
            return names
        } catch {
            throw CommandFailure(error.status, error.message.replacing(file, with: "FILE"))
        }
    }

    static let files: [(text: String, names: [String])] = [
        ("fred\n", ["fred"]),
        ("fred", ["fred"]),
        ("fred@example.org\r\nsam\n\n\r\nwilma", ["fred@example.org", "sam", "wilma"]),
        ("\n\nfred\n\n", ["fred"]),
        ("Fred Claude\njürg@bücher.example\n", ["Fred Claude", "jürg@bücher.example"]),
    ]

    @Test(arguments: files) func reads(_ file: (text: String, names: [String])) throws {
        #expect(try names(file.text) == file.names)
    }

    static let faults: [(text: String, message: String)] = [
        ("", "FILE is empty; it takes a name or an address a line"),
        ("\n\r\n", "FILE is empty; it takes a name or an address a line"),
        ("fred\n\nfr\ted\n", "FILE:3: the name holds a control character; leave it out"),
        ("fred\rsam\n", "FILE:1: the name holds a control character; leave it out"),
        (
            String(repeating: "x", count: 501),
            "FILE:1: the name is longer than 500 octets; a command holds no more"
        ),
    ]

    @Test(arguments: faults) func refuses(_ fault: (text: String, message: String)) {
        #expect(throws: CommandFailure(.data, fault.message)) { try names(fault.text) }
    }

    @Test func needsAFile() {
        #expect(throws: CommandFailure(.usage, "can't read /nowhere: No such file or directory; --names takes a file"))
        {
            try NameList(file: "/nowhere")
        }
    }
}
