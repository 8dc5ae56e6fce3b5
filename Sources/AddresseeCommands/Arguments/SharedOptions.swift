// Options that many commands have.

import AddresseeConfiguration
import ArgumentParser
import Foundation

/// `--config`.
struct ConfigurationOption: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "The configuration. (default: $ADDRESSEE_CONFIG, then /etc/addressee/addressee.yaml)",
            valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var file: String?

    /// The file that is meant.
    var location: String {
        Configuration.locate(option: file, environment: ProcessInfo.processInfo.environment)
    }

    /// Reads the configuration.
    func directory() throws -> ConfiguredDirectory {
        ConfiguredDirectory(try Configuration.load(file: location))
    }
}

/// `--json`.
struct JSONOption: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print JSON.")
    var isWanted = false
}

/// `--source`, where it is read from.
struct ReadOptions: ParsableArguments {
    @OptionGroup var configuration: ConfigurationOption

    @Option(help: ArgumentHelp("Look in this source only. (default: every source, in order)", valueName: "name"))
    var source: String?

    @OptionGroup var json: JSONOption
}

/// What every command has that changes one record.
struct WriteOptions: ParsableArguments {
    @OptionGroup var configuration: ConfigurationOption

    @Option(help: ArgumentHelp("Write to this source. (default: the first)", valueName: "name"))
    var source: String?

    @OptionGroup var json: JSONOption
}

/// `--force`.
struct ForceOption: ParsableArguments {
    @Flag(name: .customLong("force"), help: "Write it even if it leads to an address that nobody has.")
    var isGiven = false
}
