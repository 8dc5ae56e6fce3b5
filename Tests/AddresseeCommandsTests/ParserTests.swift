// Help, completion and manual pages, all of which the argument parser makes from what the commands say of themselves.

import AddresseeConfiguration
import ArgumentParser
import Foundation
import MailAddress
import MailboxDirectory
import Testing

@testable import AddresseeCommands

@Suite struct ParserTests {
    @Test(arguments: ["bash", "zsh", "fish"]) func completion(_ shell: String) async throws {
        let run = try await Site().run(bare: ["--generate-completion-script", shell])
        #expect(run.status == 0)
        #expect(run.err == "")
        #expect(run.out.contains("keep-copy"))
    }

    @Test func version() async throws {
        #expect(try await Site().run(bare: ["--version"]) == Run(0, out: "addressee \(Program.version)\n"))
    }

    @Test func everythingIsDescribed() async throws {
        let run = try await Site().run(bare: ["--experimental-dump-help"])
        #expect(run.status == 0)
        let root = try #require(
            try JSONSerialization.jsonObject(with: Data(run.out.utf8)) as? [String: Any])
        let command = try #require(root["command"] as? [String: Any])
        #expect(describe(command, path: []).sorted() == [])
    }

    /// Names what has no text, or a text that is no sentence.
    private func describe(_ command: [String: Any], path: [String]) -> [String] {
        let path = path + [command["commandName"] as? String ?? "?"]
        var missing: [String] = []
        let subcommands = command["subcommands"] as? [[String: Any]] ?? []
        if path.last == "help" { return [] }
        let abstract = command["abstract"] as? String ?? ""
        if !abstract.hasSuffix(".") { missing.append("\(path): \(abstract)") }
        for argument in command["arguments"] as? [[String: Any]] ?? [] {
            let name = argument["valueName"] as? String ?? "?"
            if (argument["abstract"] as? String ?? "").isEmpty { missing.append("\(path) \(name)") }
        }
        // These two explain themselves at length.
        let isLong = path.contains("bench") || path.contains("import")
        if subcommands.isEmpty, !isLong, !(command["discussion"] as? String ?? "").contains("Example: addressee ") {
            missing.append("\(path): no example")
        }
        return missing + subcommands.flatMap { describe($0, path: path) }
    }

    @Test func serveHandsOverTheConfiguration() async throws {
        let site = try Site()
        #expect(await site.run("serve") == Run(0))
        #expect(site.servedConfiguration?.file == site.configuration)
    }

    @Test func ofManyUnexpectedArgumentsTheFirstIsTold() async throws {
        let addresses = (0..<40).map { "l\($0)@example.org" }
        let run = try await Site().run(bare: ["list", "rm"] + addresses)
        #expect(
            run
                == Run(
                    64,
                    err: "addressee: unexpected arguments from 'l1@example.org' on; see: addressee list rm --help\n"))
    }

    /// A comma within quotes or brackets ends no address, whatever is escaped there.
    @Test(arguments: [
        ("a@x, b@x", ["a@x", "b@x"]), ("a@x,", ["a@x"]), (", ,", []), ("\"a,b\"@x,c@x", ["\"a,b\"@x", "c@x"]),
        ("\"a\\\",b\"@x,c@x", ["\"a\\\",b\"@x", "c@x"]), ("\"a\\\\\",b@x", ["\"a\\\\\"", "b@x"]),
        ("A\\\" <a@x>,b\"@x,c@x", ["A\\\" <a@x>,b\"@x", "c@x"]), ("<a,b@x>,c@x", ["<a,b@x>", "c@x"]),
        ("\"<\"@x,c@x", ["\"<\"@x", "c@x"]),
    ])
    func pieces(text: String, pieces: [String]) {
        #expect(text.pieces(between: [","]) == pieces)
    }

    /// The parser takes time with the square of the number of arguments, however the many are given.
    @Test(arguments: [
        ["list", "join", "l@example.org", "ADDRESSES"], ["list", "join", "--", "l@example.org", "ADDRESSES"],
        ["list", "join", "l@example.org", "--", "ADDRESSES"],
        ["list", "leave", "--", "l@example.org", "ADDRESSES"],
        ["alias", "add", "a@example.org", "--to", "ADDRESSES"],
        ["alias", "add", "a@example.org", "--to EACH", "--force"],
        ["forward", "add", "--to=EACH", "--keep-copy", "--", "f@example.org"],
        ["list", "add", "l@example.org", "--name", "L", "--member EACH", "--owner", "o@example.org"],
        ["list", "set", "--member=EACH", "--member", "ADDRESSES", "--", "l@example.org"],
    ])
    func manyAddressesAreFewArguments(_ words: [String]) throws {
        let addresses = (0..<500).map { "u\($0)@far.example" }
        let arguments = words.flatMap { word -> [String] in
            if word == "ADDRESSES" { return addresses }
            if word.hasSuffix(" EACH") { return addresses.flatMap { [String(word.dropLast(5)), $0] } }
            return word.hasSuffix("=EACH") ? addresses.map { word.dropLast(4) + $0 } : [word]
        }
        let joined = arguments.withAddressesJoined
        #expect(joined.count < 60)
        func given(_ arguments: [String]) throws -> [String] {
            switch try Addressee.parseAsRoot(arguments) {
            case let command as JoinList: try command.member.members().map(\.mailbox.description)
            case let command as LeaveList: try command.member.members().map(\.mailbox.description)
            case let command as AddAlias: try command.to.mailboxes().map(\.description)
            case let command as AddForward: try command.to.mailboxes().map(\.description)
            case let command as AddList: try command.member.members().map(\.mailbox.description)
            case let command as SetList: try command.member.members().map(\.mailbox.description)
            default: []
            }
        }
        #expect(try given(joined).count >= 500)
        #expect(try given(joined) == given(arguments))
    }
}
