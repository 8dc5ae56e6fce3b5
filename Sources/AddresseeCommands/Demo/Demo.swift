// `addressee demo`

import AddresseeConfiguration
import ArgumentParser
import Foundation
import MailboxDirectory
import Verification

/// Serves a ready directory until it is stopped, and leaves nothing behind.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve a ready directory, and say what to try with it.",
        discussion: """
            The directory, and the mail that it takes, are in a temporary folder, which is removed at the end.

            Example: addressee demo --port 10025
            """)

    @Option(help: "The port on 127.0.0.1 for the replies of today; 0 for any free one.")
    var port = 2525

    @Option(help: "The port on 127.0.0.1 for the plain replies of RFC 821; 0 for any free one.")
    var plainPort = 2521

    func validate() throws {
        for (option, value) in [("--port", port), ("--plain-port", plainPort)] where !(0...65535).contains(value) {
            throw ValidationError("\(option) takes 0 to 65535, not \(value).")
        }
        if port == plainPort, port != 0 { throw ValidationError("--port and --plain-port must differ.") }
    }

    func run() async throws {
        let wiring = try ConfiguredDirectory.wiring()
        try checkFree(port, option: "--port")
        try checkFree(plainPort, option: "--plain-port")
        let folder = try TemporaryFolder(named: "addressee-demo")
        defer { folder.remove() }
        let file = folder.path + "/addressee.yaml"
        var files = NewFiles()
        try files.write(text, to: file)
        let configuration = try Configuration.load(file: file)
        try DemoDirectory.seed(try wiring.createStore(configuration.sources[0]))
        let output = Output.current
        try await wiring.serve(configuration) { addresses in
            let guide = DemoGuide(addresses: addresses, configuration: file, program: CommandLine.arguments[0])
            // The server goes on even if nobody reads this.
            try? output.write(guide.text(for: output))
        }
    }

    private var text: String {
        """
        # The configuration of "addressee demo", removed when that ends.
        hostname: demo.\(DemoDirectory.defaultDomain)
        default-domain: \(DemoDirectory.defaultDomain)
        sources:
          - name: main
            sqlite: directory.sqlite
        listeners:
          - smtp: 127.0.0.1:\(port)
          - smtp: 127.0.0.1:\(plainPort)
            enhanced-codes: false
            possibilities: false
        # What goes elsewhere does not leave this machine either: it is put where you can read it.
        next-hops:
          - name: mailboxes
            maildir: mail/{domain}/{local-part}
          - name: elsewhere
            maildir: elsewhere/{domain}/{local-part}
            takes: [relay-domains, elsewhere]
        log:
          level: warning

        """
    }

    /// Tries the port before anything is made, to name the option that helps.
    private func checkFree(_ port: Int, option: String) throws(CommandFailure) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var reuse: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result == 0 { return }
        let reason = errno == EADDRINUSE ? "is taken" : "can't be had (\(String(cString: strerror(errno))))"
        throw CommandFailure(
            .temporary,
            "the port \(port) of 127.0.0.1 \(reason); stop what has it, or choose another with \(option), or 0 for any")
    }
}
