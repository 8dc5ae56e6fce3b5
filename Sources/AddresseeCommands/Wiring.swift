// What the commands need of the rooms that they may not import: the stores and the server. The executable gives it.

public import AddresseeConfiguration
import MailAddress
public import MailboxDirectory

/// Opens directories and runs the server, on behalf of the commands.
public struct Wiring: Sendable {
    /// Opens a configured source for questions.
    public var openSource: @Sendable (SourceConfiguration) throws -> any Source
    /// Opens a configured source for administration; it must exist.
    public var openStore: @Sendable (SourceConfiguration) throws -> any RecordStore
    /// Makes a new, empty directory; it must not exist.
    public var createStore: @Sendable (SourceConfiguration) throws -> any RecordStore
    /// Examines a configured source. `RecordCheck` examines its records, among those of the other sources.
    public var checkSource: @Sendable (SourceConfiguration, RecordCheck) throws -> [Finding]
    /// Serves until SIGTERM or SIGINT. `ready` is called once every listener is open, with the addresses they have.
    public var serve:
        @Sendable (_ configuration: Configuration, _ ready: @escaping @Sendable ([ListenAddress]) -> Void) async throws
            ->
            Void

    public init(
        openSource: @escaping @Sendable (SourceConfiguration) throws -> any Source,
        openStore: @escaping @Sendable (SourceConfiguration) throws -> any RecordStore,
        createStore: @escaping @Sendable (SourceConfiguration) throws -> any RecordStore,
        checkSource: @escaping @Sendable (SourceConfiguration, RecordCheck) throws -> [Finding] = { source, _ in
            throw Trouble(source: source.name, reason: "this program was built without the examination of sources")
        },
        serve:
            @escaping @Sendable (
                _ configuration: Configuration, _ ready: @escaping @Sendable ([ListenAddress]) -> Void
            ) async throws -> Void
    ) {
        self.openSource = openSource
        self.openStore = openStore
        self.createStore = createStore
        self.checkSource = checkSource
        self.serve = serve
    }

    @TaskLocal static var current: Wiring?

    /// Tells the administrator, on standard error, what should be known although the command has done its work.
    public static func notify(_ text: String) { Output.current.error(text) }
}
