// The certificate that STARTTLS shows. The server reads the files; here they are only named.

/// The files of the certificate; absolute paths, or from the working directory.
public struct TLSConfiguration: Hashable, Sendable {
    /// PEM: the certificate, then those that lead to its root.
    public var certificate: String
    /// PEM, without a passphrase.
    public var privateKey: String

    public init(certificate: String, privateKey: String) {
        self.certificate = certificate
        self.privateKey = privateKey
    }
}

extension TLSConfiguration {
    /// Reads `tls`; nil when it is absent, or when something was wrong with it.
    static func read(from root: inout Section) -> TLSConfiguration? {
        guard var section = root.section("tls") else { return nil }
        let certificate = section.setting("certificate")
        let privateKey = section.setting("private-key")
        if certificate == nil { section.require("certificate", for: "certificate: FILE") }
        if privateKey == nil { section.require("private-key", for: "private-key: FILE") }
        section.close()
        guard let certificate = certificate?.path(), let privateKey = privateKey?.path() else { return nil }
        return TLSConfiguration(certificate: certificate, privateKey: privateKey)
    }
}
