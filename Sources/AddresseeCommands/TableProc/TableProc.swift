// `addressee table-proc`

import AddresseeConfiguration
import ArgumentParser
import LookupProtocols
import Verification

/// Answers one smtpd of OpenSMTPD, which starts it and ends it.
struct TableProc: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "table-proc",
        abstract: "Answer OpenSMTPD, on standard input and output.",
        discussion: """
            OpenSMTPD 7.6 and later starts this for a table of smtpd.conf, and asks it about recipients and domains: see \
            config/opensmtpd. Each question is answered in turn; the answer to "update" reads the configuration again.

            Example: addressee table-proc --user vmail
            """)

    @Option(
        help: ArgumentHelp(
            "Answer with this map. (default: what smtpd asks for says which)", valueName: "map"))
    var map: TableMapWord?

    @Option(
        help: ArgumentHelp(
            "Deliver to every mailbox as this user of the system. (default: the mailbox's own login name)",
            valueName: "name"))
    var user: String?

    @OptionGroup var options: ConfigurationOption

    func validate() throws {
        if let user, !user.utf8.isOpenSMTPDUser {
            throw ValidationError("the name \(user.quoted) is no user's to OpenSMTPD; use letters, digits and \"_.-+\"")
        }
    }

    func run() throws {
        let conversation = try TableConversation(
            table: TableInquiry.Table(map: map?.map, user: user), open: { try options.directory() })
        try conversation.run()
    }
}

/// A map that OpenSMTPD can ask.
struct TableMapWord: ExpressibleByArgument {
    static var allValueStrings: [String] { TableService.allCases.flatMap(\.maps).map(\.rawValue) }

    let map: DirectoryMap

    init?(argument: String) {
        guard Self.allValueStrings.contains(argument), let map = DirectoryMap(rawValue: argument) else { return nil }
        self.map = map
    }
}
