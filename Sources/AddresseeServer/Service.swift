// What a configuration means for a connection: made once a configuration, shared by all connections, never changed.

import AddresseeConfiguration
import Foundation
import NIOCore
import NIOSSL
import SMTPProtocol
import Verification

/// One configuration, ready for use.
struct Service: Sendable {
    let configuration: Configuration
    let inquiries: Inquiry.Context
    let hostname: [UInt8]
    let tls: NIOSSLContext?

    /// Recipients that each event loop may remember.
    var rememberedRecipients: Int {
        configuration.limits.rememberedRecipients / (configuration.threads ?? System.coreCount)
    }

    /// - Throws: `ServerError.tls` when the certificate or its key can't be used.
    init(_ configuration: Configuration) throws(ServerError) {
        self.configuration = configuration
        hostname = Array(configuration.hostname.utf8)
        inquiries = Inquiry.Context(
            sources: configuration.sources.map(\.name), defaultDomain: configuration.defaultDomain,
            limits: configuration.expansion)
        tls = try configuration.tls.map { files throws(ServerError) in try Self.context(files) }
    }

    /// How a client of this class is served at this listener.
    func session(of client: ClientClass, at listener: ListenerConfiguration) -> SessionConfiguration {
        let limits = configuration.limits
        return SessionConfiguration(
            hostname: hostname, form: listener.enhancedCodes ? .enhanced : .plain,
            offersVerify: client.disclosure.vrfy != .closed, offersExpand: client.disclosure.expn != .closed,
            offersTLS: listener.startTLS && tls != nil, takesMail: !configuration.nextHops.isEmpty,
            traceFields: limits.traceFields,
            messageSize: limits.messageSize == 0 ? nil : UInt64(limits.messageSize), recipients: limits.recipients,
            slots: limits.pipelinedQuestions, errors: limits.errors)
    }

    private static func context(_ files: AddresseeConfiguration.TLSConfiguration) throws(ServerError) -> NIOSSLContext {
        for file in [files.certificate, files.privateKey] where !FileManager.default.isReadableFile(atPath: file) {
            throw .tls(certificate: files.certificate, key: files.privateKey, reason: "\(file) can't be read")
        }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(files.certificate).map {
                NIOSSLCertificateSource.certificate($0)
            }
            let key = try NIOSSLPrivateKey(file: files.privateKey, format: .pem)
            var settings = NIOSSL.TLSConfiguration.makeServerConfiguration(
                certificateChain: chain, privateKey: .privateKey(key))
            settings.minimumTLSVersion = .tlsv12
            return try NIOSSLContext(configuration: settings)
        } catch {
            throw .tls(certificate: files.certificate, key: files.privateKey, reason: "\(error)")
        }
    }
}

/// Why the server does not start.
public enum ServerError: Error, Hashable, Sendable, CustomStringConvertible {
    case tls(certificate: String, key: String, reason: String)
    case listen(String, reason: String)
    /// A new configuration failed, and listeners of the old one could not be opened again.
    case lost(because: String, lost: [String])

    public var description: String {
        switch self {
        case .tls(let certificate, let key, let reason):
            "can't use the certificate \(certificate) with the key \(key): \(reason)"
        case .lost(let reason, let lost):
            "\(reason); and of the old listeners: \(lost.joined(separator: "; "))"
        case .listen(let address, let reason): "can't listen on \(address): \(reason)"
        }
    }
}
