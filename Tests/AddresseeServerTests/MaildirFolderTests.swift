// Maildirs as folders: what is made, what is followed, and what goes from tmp.

import Foundation
import Testing

@testable import AddresseeServer

struct MaildirFolderTests {
    private static func place() throws -> String {
        let place = FileManager.default.temporaryDirectory.appendingPathComponent("addressee-\(UUID())").path
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        return place
    }

    private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    private static func order(_ folder: MaildirFolder) -> MaildirOrder {
        MaildirOrder(
            name: "name", stamp: Array("Received: x\r\n".utf8),
            copies: [MaildirOrder.Copy(folder: folder, fields: Array("Return-Path: <>\r\n".utf8))])
    }

    private static func deliver(to folder: MaildirFolder) throws {
        let files = try MaildirFiles(order(folder))
        try Array("a\r\n".utf8).withUnsafeBytes { try files.append($0) }
        try files.prepare()
        try files.commit()
    }

    @Test func makesWhatIsNotThere() throws {
        let place = try Self.place()
        defer { try? FileManager.default.removeItem(atPath: place) }
        let folder = MaildirFolder(base: "\(place)/a/b", names: ["example.org", "fred"], followsLinks: false)
        try Self.deliver(to: folder)
        let text = try String(contentsOfFile: folder.path(.new) + "/name", encoding: .utf8)
        #expect(text == "Return-Path: <>\nReceived: x\na\n")
        for part in MaildirFolder.Part.allCases { #expect(Self.exists(folder.path(part))) }
        let mode = try FileManager.default.attributesOfItem(atPath: folder.path)[.posixPermissions] as? Int
        #expect(mode == 0o700)
    }

    /// What somebody has removed of a Maildir is made again.
    @Test(arguments: ["", "/cur", "/new", "/tmp"]) func makesWhatHasGone(_ part: String) throws {
        let place = try Self.place()
        defer { try? FileManager.default.removeItem(atPath: place) }
        let folder = MaildirFolder(base: place, names: ["example.org", "fred"], followsLinks: false)
        try Self.deliver(to: folder)
        try FileManager.default.removeItem(atPath: folder.path + part)
        try Self.deliver(to: folder)
        #expect(Self.exists(folder.path(.new) + "/name"))
    }

    /// A link below the base, wherever it is, is not followed; one on the way to the base is.
    @Test(arguments: [
        "", "/example.org", "/example.org/fred", "/example.org/fred/cur", "/example.org/fred/new",
        "/example.org/fred/tmp",
    ])
    func links(at path: String) throws {
        let place = try Self.place()
        defer { try? FileManager.default.removeItem(atPath: place) }
        var folder = MaildirFolder(base: "\(place)/mail", names: ["example.org", "fred"], followsLinks: false)
        if path != "" {
            try Self.deliver(to: folder)
        } else {
            try FileManager.default.createDirectory(atPath: folder.base, withIntermediateDirectories: true)
        }
        try? FileManager.default.removeItem(atPath: folder.path(.new) + "/name")
        let link = folder.base + path
        try FileManager.default.moveItem(atPath: link, toPath: "\(place)/outside")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "\(place)/outside")
        let outside = try FileManager.default.subpathsOfDirectory(atPath: "\(place)/outside")
        // Nothing is put in cur, but it is no folder to be relied on either when the others are made.
        if path == "" || path.hasSuffix("cur") {
            try Self.deliver(to: folder)
        } else {
            let error = #expect(throws: MaildirError.self) { try Self.deliver(to: folder) }
            #expect(
                error?.reason
                    == "open \(link): it is a symbolic link; put a folder there, or give the next hop \"follow-links: true\""
            )
            #expect(try FileManager.default.subpathsOfDirectory(atPath: "\(place)/outside") == outside)
            folder.followsLinks = true
            try Self.deliver(to: folder)
        }
        #expect(Self.exists(folder.path(.new) + "/name"))
    }

    /// A link that leads nowhere makes nothing where it leads.
    @Test func aLinkToNothing() throws {
        let place = try Self.place()
        defer { try? FileManager.default.removeItem(atPath: place) }
        let folder = MaildirFolder(base: place, names: ["example.org", "fred"], followsLinks: false)
        try FileManager.default.createSymbolicLink(
            atPath: "\(place)/example.org", withDestinationPath: "\(place)/nowhere")
        #expect(throws: MaildirError.self) { try Self.deliver(to: folder) }
        #expect(!Self.exists("\(place)/nowhere"))
    }

    /// Files of tmp go when neither their content nor their time of access is of the last 36 hours; nothing else goes.
    @Test func staleFiles() throws {
        let place = try Self.place()
        defer { try? FileManager.default.removeItem(atPath: place) }
        let folder = MaildirFolder(base: place, names: ["fred"], followsLinks: false)
        try folder.make()
        let now = time(nil)
        let old = now - 36 * 3600 - 60
        func put(_ path: String, accessed: Int, modified: Int) throws {
            try Data("x".utf8).write(to: URL(fileURLWithPath: path))
            var times = [timeval(tv_sec: accessed, tv_usec: 0), timeval(tv_sec: modified, tv_usec: 0)]
            #expect(utimes(path, &times) == 0)
        }
        let tmp = folder.path(.tmp)
        try put("\(tmp)/old", accessed: old, modified: old)
        try put("\(tmp)/read", accessed: now, modified: old)
        try put("\(tmp)/written", accessed: old, modified: now)
        try put("\(tmp)/younger", accessed: old + 120, modified: old + 120)
        try put("\(tmp)/.hidden", accessed: old, modified: old)
        try put("\(place)/target", accessed: old, modified: old)
        for part in [MaildirFolder.Part.new, .cur] { try put("\(folder.path(part))/old", accessed: old, modified: old) }
        try FileManager.default.createDirectory(atPath: "\(tmp)/folder", withIntermediateDirectories: true)
        var times = [timeval(tv_sec: old, tv_usec: 0), timeval(tv_sec: old, tv_usec: 0)]
        #expect(utimes("\(tmp)/folder", &times) == 0)
        try FileManager.default.createSymbolicLink(atPath: "\(tmp)/link", withDestinationPath: "\(place)/target")
        #expect(try folder.with(.tmp) { MaildirFolder.removeStale(in: $0, now: now) } == 1)
        let left = try FileManager.default.contentsOfDirectory(atPath: tmp).sorted()
        #expect(left == [".hidden", "folder", "link", "read", "written", "younger"])
        #expect(Self.exists(folder.path(.new) + "/old") && Self.exists(folder.path(.cur) + "/old"))
        // A delivery does it too.
        try put("\(tmp)/old", accessed: old, modified: old)
        try Self.deliver(to: folder)
        #expect(!Self.exists("\(tmp)/old"))
    }
}
