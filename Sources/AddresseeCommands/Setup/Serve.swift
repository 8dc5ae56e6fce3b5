// `addressee serve`

import AddresseeConfiguration
import ArgumentParser

/// Serves until it is stopped. Only the log is written.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answer, until stopped.",
        discussion: """
            Stops at SIGTERM or SIGINT, after answering what was asked. SIGHUP reads the configuration again; \
            SIGUSR1 and SIGUSR2 do nothing.

            Example: addressee serve --config /etc/addressee/addressee.yaml
            """)

    @OptionGroup var options: ConfigurationOption

    func run() async throws {
        let configuration = try Configuration.load(file: options.location)
        try await ConfiguredDirectory.wiring().serve(configuration) { _ in }
    }
}
