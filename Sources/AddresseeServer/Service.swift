// What a configuration means for a connection: made once a configuration, shared by all connections, never changed.

import AddresseeConfiguration
import Foundation
import MailboxDirectory
import NIOCore
import NIOSSL
import SMTPProtocol
import Verification

/// One configuration, ready for use.
struct Service: Sendable {
    let configuration: Configuration
    var inquiries: Inquiry.Context
    let hostname: [UInt8]
    let tls: NIOSSLContext?
    /// Of the next hops in their order; nil for folders.
    let hops: [Hop?]

    /// Recipients that each event loop may remember.
    var rememberedRecipients: Int {
        configuration.limits.rememberedRecipients / (configuration.threads ?? System.coreCount)
    }

    /// Mailboxes that each event loop may keep of what long walks have found; none where nothing is to be remembered.
    var longAnswers: Int { rememberedRecipients > 0 ? configuration.expansion.addresses : 0 }

    /// - Throws: `ServerError.tls` when the certificate or its key can't be used.
    init(_ configuration: Configuration) throws(ServerError) {
        self.configuration = configuration
        hostname = Array(configuration.hostname.utf8)
        inquiries = configuration.inquiries
        tls = try configuration.tls.map { files throws(ServerError) in try Self.context(files) }
        hops = try configuration.nextHops.map { next throws(ServerError) in
            guard let server = next.server else { return nil }
            return Hop(name: next.name, server: server, tls: try Self.clientContext(server, of: next.name))
        }
    }

    /// How a client of this class is served at this listener.
    /// - Parameter notifies: whether all next hops do what RFC 3461 asks for.
    func session(
        of client: ClientClass, at listener: ListenerConfiguration, notifies: Bool = false
    ) -> SessionConfiguration {
        let limits = configuration.limits
        return SessionConfiguration(
            hostname: hostname, form: listener.enhancedCodes ? .enhanced : .plain,
            offersVerify: client.disclosure.vrfy != .closed, offersExpand: client.disclosure.expn != .closed,
            offersTLS: listener.startTLS && tls != nil, takesMail: !configuration.nextHops.isEmpty,
            offersNotifications: notifies, traceFields: limits.traceFields,
            messageSize: limits.messageSize == 0 ? nil : UInt64(limits.messageSize), recipients: limits.recipients,
            slots: limits.pipelinedQuestions, errors: limits.errors)
    }

    /// The certificate of a next hop is verified, whatever it is used for.
    private static func clientContext(_ server: MailServer, of hop: String) throws(ServerError) -> NIOSSLContext? {
        if server.security == .none { return nil }
        do {
            var settings = NIOSSL.TLSConfiguration.makeClientConfiguration()
            settings.minimumTLSVersion = .tlsv12
            if let file = server.authorities {
                guard FileManager.default.isReadableFile(atPath: file) else {
                    throw ServerError.nextHop(hop, reason: "\(file) can't be read")
                }
                settings.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file))
            }
            return try NIOSSLContext(configuration: settings)
        } catch let error as ServerError {
            throw error
        } catch {
            throw .nextHop(hop, reason: "\(server.authorities ?? "the system's certificates") can't be used: \(error)")
        }
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
    /// A next hop, whose TLS can't be made ready.
    case nextHop(String, reason: String)
    case listen(String, reason: String)
    /// A new configuration failed, and listeners of the old one could not be opened again.
    case lost(because: String, lost: [String])

    public var description: String {
        switch self {
        case .tls(let certificate, let key, let reason):
            "can't use the certificate \(certificate) with the key \(key): \(reason)"
        case .nextHop(let name, let reason): "can't use the next hop \(name): \(reason)"
        case .lost(let reason, let lost):
            "\(reason); and of the old listeners: \(lost.joined(separator: "; "))"
        case .listen(let address, let reason): "can't listen on \(address): \(reason)"
        }
    }
}
