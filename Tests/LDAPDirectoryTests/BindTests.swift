// Who asks, and over what: TLS with good and bad certificates, simple and EXTERNAL binds.

import DirectoryTesting
import Foundation
import MailAddress
import MailboxDirectory
import Testing

@testable import LDAPDirectory

@Suite(.enabled(if: hasSlapd), .serialized) struct BindTests {
    private func reason(_ answer: Answer) -> String {
        switch answer {
        case .absent: "absent"
        case .couldNotTell(let trouble): trouble.reason
        default: "found"
        }
    }

    private func ask(_ settings: LDAPSettings) throws -> String {
        let directory = LDAPDirectory(name: "x", settings: settings)
        defer { directory.close() }
        return reason(directory.answer(.entries([try Mailbox("nobody@a")])))
    }

    /// A slapd with this certificate, and its settings over StartTLS.
    private func server(_ certificate: String, more: [String] = []) throws -> (ToolChild, LDAPSettings, URL) {
        let folder = try certificates.get()
        let schema = ToolChild.folder.appending(path: "../../schema/ldap/addressee.schema").standardizedFileURL.path
        let child = try ToolChild(
            "slapd.py",
            ["--suffix", "dc=example,dc=org", "--schema", schema, "--tls", folder.path, "--certificate", certificate]
                + more)
        var settings = LDAPSettings(uris: [child.uri], base: "dc=example,dc=org", preset: .addressee)
        settings.tls = LDAPTLS(startTLS: true, caFile: folder.appending(path: "ca.pem").path)
        return (child, settings, folder)
    }

    @Test func tls() throws {
        let (child, good, folder) = try server("server")
        #expect(try ask(good) == "absent")
        var settings = good
        settings.tls.caFile = folder.appending(path: "foreign-ca.pem").path
        #expect(try ask(settings).contains("certificate"))
        settings.tls.verifies = false
        #expect(try ask(settings) == "absent")
        settings.tls.caFile = "/no/such/file"
        #expect(try ask(settings).contains("can't be read"))
        settings = good
        setenv("ADDRESSEE_READER_PASSWORD", "reader", 1)
        settings.bind = .simple(dn: "cn=reader,dc=example,dc=org", password: .environment("ADDRESSEE_READER_PASSWORD"))
        #expect(try ask(settings) == "absent")
        if let ldaps = child.said["ldaps"] as? String {
            settings.uris = [ldaps]
            settings.tls.startTLS = false
            #expect(try ask(settings) == "absent")
        }
    }

    /// What is wrong with a certificate is told, over StartTLS and over ldaps.
    @Test(arguments: [
        ("expired", "its certificate has expired, at 20"), ("foreign", "signed by an authority that is unknown here"),
        ("othername", "its certificate is for "), ("client", "its certificate is not for servers"),
    ])
    func badCertificates(name: String, text: String) throws {
        let (child, settings, _) = try server(name)
        #expect(try ask(settings).contains(text))
        var ldaps = settings
        ldaps.uris = [try #require(child.said["ldaps"] as? String)]
        ldaps.tls.startTLS = false
        #expect(try ask(ldaps).contains(text))
        if name == "othername" { #expect(try ask(ldaps).contains("not for 127.0.0.1")) }
        let findings = LDAPCheck(name: "x", settings: ldaps).findings()
        #expect(findings.map(\.cause) == [.configuration] && findings[0].text.contains("certificate"))
        // What is no fault of a certificate is none.
        var plain = ldaps
        plain.uris = [settings.uris[0].replacingOccurrences(of: "ldap:", with: "ldaps:")]
        #expect(!(try ask(plain)).contains("its certificate is signed"))
    }

    /// Without a name for a server its common name is one (RFC 6125 6.4.4).
    @Test func namesInCertificates() throws {
        let folder = try LDAPDirectoryTests.certificates.get()
        func certificate(_ name: String) throws -> PeerCertificate {
            let text = try String(contentsOf: folder.appending(path: "\(name).pem"), encoding: .utf8)
            let base64 = text.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
            return PeerCertificate(Array(try #require(Data(base64Encoded: base64))))
        }
        let authority = try certificate("ca")
        #expect(authority.names == ["Tests CA"] && authority.isForServers)
        #expect(
            authority.fault(host: "h", now: "20260101000000").hasPrefix("its certificate is for Tests CA, not for h"))
        let server = try certificate("server")
        #expect(server.names.contains("127.0.0.1") && server.isForServers)
        let client = try certificate("client")
        #expect(client.names == ["reader"] && !client.isForServers)
        #expect(client.fault(host: "reader", now: "20260101000000").hasPrefix("its certificate is not for servers"))
    }

    /// The client's own certificate says who asks.
    @Test func clientCertificate() throws {
        let (child, plain, folder) = try server("server", more: ["--verify-client", "demand", "--no-anonymous"])
        #expect(try ask(plain) != "absent")
        var settings = plain
        settings.tls.certificateFile = folder.appending(path: "client.pem").path
        settings.tls.keyFile = folder.appending(path: "client.key").path
        settings.bind = .external
        #expect(try ask(settings) == "absent")
        _ = child
    }

    @Test func externalOverSocket() throws {
        let slapd = try Slapd.shared()
        var settings = LDAPSettings(
            uris: [slapd.ldapi], base: try filled(slapd, try records("domain a")[0]), preset: .addressee)
        settings.bind = .external
        #expect(try ask(settings) == "absent")
    }
}

@Suite struct CertificateTests {
    private func certificate(_ names: String...) -> PeerCertificate {
        var certificate = PeerCertificate([])
        (certificate.names, certificate.begin, certificate.end) = (names, "20260102000000", "20260104000000")
        return certificate
    }

    /// A star stands for one part of a name, and for no part of one.
    @Test(arguments: [
        ("ldap.example.org", "ldap.example.org", true), ("LDAP.example.org", "ldap.Example.ORG", true),
        ("ldap.example.org", "xldap.example.org", false), ("ldap.example.org", "ldap.example.orga", false),
        ("*.example.org", "ldap.example.org", true), ("*.Example.org", "LDAP.example.org", true),
        ("*.example.org", "a.ldap.example.org", false), ("*.example.org", "example.org", false),
        ("*.example.org", "ldapexample.org", false), ("l*.example.org", "ldap.example.org", false),
        ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.10", false),
    ])
    func names(name: String, host: String, fits: Bool) {
        let fault = certificate("other.example", name).fault(host: host, now: "20260103000000")
        #expect(fault.contains(fits ? "signed by an authority" : "is for other.example, \(name), not for \(host);"))
    }

    /// What is wrong is told in this order: its time, what it is for, its names.
    @Test(arguments: [
        ("20260101235959", false, "not valid before 20260102000000"), ("20260102000000", true, "not for x.example"),
        ("20260104000000", true, "not for x.example"), ("20260104000001", true, "expired, at 20260104000000"),
        ("20260103000000", false, "is not for servers"),
    ])
    func faults(now: String, isForServers: Bool, words: String) {
        var certificate = certificate("other.example")
        certificate.isForServers = isForServers
        #expect(certificate.fault(host: "x.example", now: now).contains(words))
    }
}
