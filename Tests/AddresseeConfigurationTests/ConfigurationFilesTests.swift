// Who else may get at the files of a configuration.

import Foundation
import Testing

@testable import AddresseeConfiguration

@Suite struct ConfigurationFilesTests {
    private static let faults: [String: String] = [
        "addressee.yaml": "the configuration", "certificate.pem": "the certificate", "key.pem": "the private key",
        "password": "the password file",
    ]

    /// The files that are told of when one of them has this mode, and the others are in order.
    private func exposed(_ name: String, _ mode: Int, folder: Int = 0o755) throws -> [ExposedFile] {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("addressee-\(UUID())")
        defer { try? FileManager.default.removeItem(at: root) }
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        for file in Self.faults.keys {
            let path = root.appendingPathComponent(file).path
            try Data().write(to: URL(fileURLWithPath: path))
            // Its group is another than its owner's own, where this user may say so.
            try? FileManager.default.setAttributes([.groupOwnerAccountID: 12], ofItemAtPath: path)
            let secret = file == "key.pem" || file == "password"
            let right = file == name ? mode : secret ? 0o640 : 0o644
            try FileManager.default.setAttributes([.posixPermissions: right], ofItemAtPath: path)
        }
        try FileManager.default.setAttributes([.posixPermissions: folder], ofItemAtPath: root.path)
        let yaml = """
            default-domain: example.org
            tls: {certificate: certificate.pem, private-key: key.pem}
            sources:
              - name: people
                ldap:
                  uris: ldap://127.0.0.1
                  base: dc=example,dc=org
                  preset: inetorgperson
                  domains: [example.org]
                  bind-dn: cn=addressee
                  password-file: password

            """
        let configuration = try Configuration.parse(yaml, file: root.appendingPathComponent("addressee.yaml").path)
        return configuration.exposedFiles
    }

    @Test(
        arguments: [
            ("addressee.yaml", 0o644, nil), ("addressee.yaml", 0o640, nil),
            ("addressee.yaml", 0o666, "written by every user"),
            ("addressee.yaml", 0o602, "written by every user"), ("certificate.pem", 0o644, nil),
            ("certificate.pem", 0o646, "written by every user"), ("key.pem", 0o600, nil), ("key.pem", 0o640, nil),
            ("key.pem", 0o644, "read by every user"), ("key.pem", 0o604, "read by every user"),
            ("key.pem", 0o666, "written by every user"), ("password", 0o600, nil),
            ("password", 0o644, "read by every user"),
            ("password", 0o602, "written by every user"),
        ] as [(String, Int, String?)])
    func modes(name: String, mode: Int, fault: String?) throws {
        let found = try exposed(name, mode)
        guard let fault else {
            #expect(found.isEmpty)
            return
        }
        #expect(found.count == 1)
        let first = try #require(found.first)
        #expect(first.fault == "may be \(fault) of this machine" && first.what == Self.faults[name])
        #expect(first.path.hasSuffix(name) && first.remedy.hasPrefix("chmod o-") && first.remedy.hasSuffix(first.path))
    }

    /// Only root can give a file any group.
    @Test(.enabled(if: geteuid() == 0)) func groups() throws {
        for name in Self.faults.keys {
            #expect(try exposed(name, 0o660).map(\.fault) == ["may be written by the group 12"])
        }
    }

    @Test func folders() throws {
        #expect(try exposed("key.pem", 0o600, folder: 0o777).count == 4)
        // As /tmp is: nobody may take away what is another's.
        #expect(try exposed("key.pem", 0o600, folder: 0o1777).isEmpty)
    }

    /// Paths are taken from the folder of the link, which is told.
    @Test func links() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("addressee-\(UUID())")
        defer { try? FileManager.default.removeItem(at: root) }
        for folder in ["real", "linked"] {
            try FileManager.default.createDirectory(
                at: root.appendingPathComponent(folder), withIntermediateDirectories: true)
        }
        let (real, link) = (
            root.appendingPathComponent("real/a.yaml").path, root.appendingPathComponent("linked/a.yaml").path
        )
        try Data("default-domain: a.example\nsources: [{name: main, sqlite: d.sqlite}]\n".utf8)
            .write(to: URL(fileURLWithPath: real))
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "../real/a.yaml")
        let configuration = try Configuration.load(file: link)
        #expect(configuration.sources.map(\.kind) == [.sqlite(path: "\(root.path)/linked/d.sqlite")])
        #expect(configuration.linkTarget == "../real/a.yaml")
        #expect(try Configuration.load(file: real).linkTarget == nil)
    }
}
