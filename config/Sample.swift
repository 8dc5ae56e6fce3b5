// The commented configuration beside this file, as it is embedded: what an administrator reads is what `addressee init` writes.

/// The sample of a configuration.
public enum Sample {
    /// config/addressee.yaml.
    public static var configuration: String { String(decoding: PackageResources.addressee_yaml, as: UTF8.self) }
}
