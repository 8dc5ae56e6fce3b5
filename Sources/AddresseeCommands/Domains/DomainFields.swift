// What can be said of a domain, when it is added and when it is changed.

import ArgumentParser
import MailAddress
import MailboxDirectory

/// The options for a domain's fields.
struct DomainFields: ParsableArguments {
    @Option(help: "local: all its mailboxes are on record; relay: mail is passed on. (a new domain is local)")
    var kind: DomainKindWord?

    @Option(help: ArgumentHelp("The domain that this one is another name of.", valueName: "domain"))
    var aliasOf: DomainText?

    @Option(help: ArgumentHelp("Where mail for names that are not on record goes.", valueName: "address"))
    var catchAll: AddressText?

    @Option(
        help: ArgumentHelp(
            "The characters that end the user part of fred+lists@example.org. (a new domain has +)",
            valueName: "characters"))
    var detailSeparator: String?

    @Flag(help: "Take every local-part as it is, without details.")
    var noDetailSeparator = false

    @Option(
        help: ArgumentHelp(
            "How mail servers that ask the map \"transport\" are to deliver its mail: smtp:[mx.example.org]:25.",
            valueName: "transport:nexthop"))
    var transport: String?

    func validate() throws {
        if kind != nil, aliasOf != nil {
            throw ValidationError("--alias-of is a kind by itself; leave out --kind.")
        }
        if detailSeparator != nil, noDetailSeparator {
            throw ValidationError("Give --detail-separator or --no-detail-separator, not both.")
        }
    }

    var isAnyGiven: Bool {
        kind != nil || aliasOf != nil || catchAll != nil || detailSeparator != nil || noDetailSeparator
            || transport != nil
    }

    /// - Throws: what is wrong with an address or a domain, before anything is opened.
    func read() throws(CommandFailure) -> DomainValues {
        DomainValues(
            kind: try aliasOf.map { text throws(CommandFailure) in .alias(of: try text.domain()) } ?? kind?.kind,
            catchAll: try catchAll?.target(),
            detailSeparators: noDetailSeparator ? [] : detailSeparator.map { Array($0.utf8) },
            transport: transport)
    }
}

/// The fields that were given; nil for those that were not.
struct DomainValues {
    var kind: DomainKind?
    var catchAll: Mailbox?
    var detailSeparators: [UInt8]?
    var transport: String?

    func apply(to record: inout DomainRecord) {
        if let kind { record.kind = kind }
        if let catchAll { record.catchAll = catchAll }
        if let detailSeparators { record.detailSeparators = detailSeparators }
        if let transport { record.transport = transport }
    }
}
