import AddresseeConfiguration
import Foundation
import MailAddress
import Testing

@testable import AddresseeCommands

@Suite struct InitTests {
    private func site() throws -> Site { try Site([], sources: ["main"]) }

    @Test func makesBoth() async throws {
        let site = try site()
        let file = site.folder.path + "/new/etc/addressee.yaml"
        let database = site.folder.path + "/new/etc/directory.sqlite"
        #expect(
            await site.run(bare: ["init", "--domain", "Example.org", "--listen", "127.0.0.1:0", "--config", file])
                == Run(
                    0,
                    out: """
                        made \(file)
                        made \(database), with the domain Example.org

                        Now add somebody, and serve:
                          addressee user add fred@Example.org --name "Fred Claude" --config \(file)
                          addressee serve --config \(file)

                        """))
        let configuration = try Configuration.load(file: file)
        #expect(configuration.defaultDomain == Site.domain("example.org"))
        #expect(configuration.listeners.map(\.address) == [.ip(host: "127.0.0.1", port: 0)])
        #expect(configuration.sources == [SourceConfiguration(name: "main", kind: .sqlite(path: database))])
        #expect(FileManager.default.fileExists(atPath: database))
        #expect(
            await site.run(bare: ["domain", "ls", "--config", file]) == Run(0, out: "Example.org\tlocal\t\t\t+\t\n"))
    }

    @Test func databaseElsewhere() async throws {
        let site = try site()
        let file = site.folder.path + "/etc/addressee.yaml"
        let database = site.folder.path + "/var/lib/it's.sqlite"
        let run = await site.run(
            bare: ["init", "--domain", "example.org", "--database", database, "--config", file])
        #expect(run.status == 0)
        #expect(
            try Configuration.load(file: file).sources
                == [SourceConfiguration(name: "main", kind: .sqlite(path: database))])
    }

    /// What is in the folder of the configuration, or below, goes with it; what is beside it does not.
    @Test(arguments: [
        ("etc/d.sqlite", "sqlite: d.sqlite"), ("etc/x/d.sqlite", "sqlite: x/d.sqlite"),
        ("etc/../etc/d.sqlite", "sqlite: d.sqlite"), ("etc-data/d.sqlite", "sqlite: FOLDER/etc-data/d.sqlite"),
        ("d.sqlite", "sqlite: FOLDER/d.sqlite"),
    ])
    func databasesByTheirPath(path: String, line: String) async throws {
        let site = try site()
        let folder = URL(fileURLWithPath: site.folder.path).standardizedFileURL.path
        let file = folder + "/etc/addressee.yaml"
        let run = await site.run(
            bare: ["init", "--domain", "example.org", "--database", "\(folder)/\(path)", "--config", file])
        #expect(run.status == 0, "\(run.err)")
        let text = try String(contentsOfFile: file, encoding: .utf8).replacing("\"", with: "")
        let lines = text.split(separator: "\n").map { $0.drop { " -".contains($0) } }
        #expect(lines.contains { $0 == line.replacing("FOLDER", with: folder) }, "\(text.prefix(600))")
    }

    @Test func overwritesNothing() async throws {
        let site = try site()
        let before = try Data(contentsOf: URL(fileURLWithPath: site.configuration))
        #expect(
            await site.run("init", "--domain", "example.org")
                == Run(
                    65,
                    err:
                        "addressee: \(site.configuration) is there already, and nothing is overwritten; use it, or name"
                        + " another file\n"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: site.configuration)) == before)
        let database = site.folder.path + "/directory.sqlite"
        try Data().write(to: URL(fileURLWithPath: database))
        let other = site.folder.path + "/other.yaml"
        #expect(
            await site.run(bare: ["init", "--domain", "example.org", "--config", other])
                == Run(
                    65,
                    err:
                        "addressee: \(database) is there already, and nothing is overwritten; use it, or name another file\n"
                ))
        #expect(!FileManager.default.fileExists(atPath: other))
    }

    @Test func leavesNothingBehind() async throws {
        let site = try site()
        let file = site.folder.path + "/a/b/addressee.yaml"
        site.failing = ["main"]
        #expect(
            await site.run(bare: ["init", "--domain", "example.org", "--config", file]).status == 75)
        #expect(!FileManager.default.fileExists(atPath: site.folder.path + "/a"))
        // And when the store is made, but the domain can't be added.
        let full = try Site()
        let second = full.folder.path + "/a/b/addressee.yaml"
        #expect(await full.run(bare: ["init", "--domain", "example.org", "--config", second]).status == 65)
        #expect(!FileManager.default.fileExists(atPath: full.folder.path + "/a"))
    }

    @Test func refusesWhatCannotWork() async throws {
        let site = try site()
        let file = site.folder.path + "/new.yaml"
        #expect(
            await site.run(bare: ["init", "--domain", "example.org", "--listen", "localhost:25", "--config", file])
                == Run(
                    64,
                    err: "addressee: --listen can't be \"localhost:25\"; names are not looked up; write 127.0.0.1:25 or"
                        + " [::1]:25\n"))
        #expect(await site.run(bare: ["init", "--domain", "a..b", "--config", file]).status == 65)
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test(arguments: [
        ("mail.example.org", "example.org"), ("example.org", "example.org"), ("a.b.example.org", "b.example.org"),
        ("box", nil), ("box.local", nil), ("localhost.localdomain", nil), ("", nil),
    ])
    func domainOfMachine(_ machine: String, _ domain: String?) {
        #expect(Init.domain(ofMachine: machine)?.description == domain)
    }
}
