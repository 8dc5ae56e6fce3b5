// The directory of `addressee demo`. On the plain listener it gives the old dialogues of RFC 821 and its neighbours to
// the letter (a test says which), so a name in it can't be changed without looking at that test.

import MailAddress
import MailboxDirectory

/// The records, in an order in which each may be added.
enum DemoDirectory {
    /// `assisprogramming.com`: so spelled.
    static let defaultDomain = domain("assisprogramming.com")

    static let records: [Record] = domains + users + redirections + lists + catchAlls

    /// Writes the records as an administrator would.
    static func seed(_ store: any RecordStore) throws(EditError) {
        let editor = RecordEditor(store: store, defaultDomain: defaultDomain)
        for record in records {
            if case .domain(let domain) = record, domain.catchAll != nil {
                try editor.setDomain(domain.domain) { _ throws(EditError) in domain }
            } else {
                try editor.add(record)
            }
        }
    }

    private static let domains: [Record] = [
        .domain(DomainRecord(domain: defaultDomain)),
        .domain(DomainRecord(domain: domain("assistprogramming.com"))),
        .domain(DomainRecord(domain: domain("USC-ISI.ARPA"))),
        .domain(DomainRecord(domain: domain("assisprogramming.net"), kind: .alias(of: defaultDomain))),
        .domain(DomainRecord(domain: domain("relay.assisprogramming.com"), kind: .relay)),
        .domain(DomainRecord(domain: domain("shop.assisprogramming.com"))),
    ]

    private static let users: [Record] = [
        user("claudiu@assisprogramming.com", "Fred claude"),
        // Several mailboxes bear one name.
        user("hanna@assisprogramming.com", "Hanna Hkhjkghj"),
        user("hugo@assisprogramming.com", "Hugo Hkhjkghj"),
        user("anna@assisprogramming.com", "Anna Ionescu", login: "aionescu"),
        user("bjorn@assisprogramming.com", "Björn Ångström"),
        user("sam@assisprogramming.com", "Sam Hall"),
        user("ruth@assisprogramming.com", "Ruth Moss", .disabled),
        user("leo@assisprogramming.com", "Leo Park", .suspended),
        user("max@assisprogramming.com", "Max Weber", .full),
        user("sender@assistprogramming.com", ""),
        user("test@assistprogramming.com", ""),
        user("receiver1@assistprogramming.com", ""),
        user("receiver3@assistprogramming.com", ""),
    ]

    private static let redirections: [Record] = [
        .alias(
            Alias(
                address: mailbox("info@assisprogramming.com"), targets: [mailbox("claudiu@assisprogramming.com")])),
        .alias(
            Alias(
                address: mailbox("sales@assisprogramming.com"),
                targets: [mailbox("anna@assisprogramming.com"), mailbox("sam@assisprogramming.com")])),
        .forward(
            Forward(
                address: mailbox("test@assisprogramming.com"), targets: [mailbox("test@assistprogramming.com")],
                reply: .announced)),
        .forward(
            Forward(address: mailbox("Postel@USC-ISI.ARPA"), targets: [mailbox("Postel@USC-ISIF.ARPA")])),
        .forward(
            Forward(
                address: mailbox("anna@assisprogramming.com"), targets: [mailbox("anna.ionescu@example.net")],
                keepsCopy: true)),
        .moved(
            Moved(
                address: mailbox("user1@assisprogramming.com"), newAddress: mailbox("user4@assitprogramming.com"))),
        .moved(Moved(address: mailbox("user2@assisprogramming.com"))),
    ]

    private static let lists: [Record] = [
        list(
            "programmers@assisprogramming.com", "The programmers",
            members: [member("claudiu@assisprogramming.com"), member("bjorn@assisprogramming.com")]),
        // A list in a list, and somebody who is on both.
        list(
            "everyone@assisprogramming.com", "Everyone", owner: "claudiu@assisprogramming.com", .anyone,
            members: [
                member("programmers@assisprogramming.com"), member("sales@assisprogramming.com"),
                member("claudiu@assisprogramming.com"),
                member("Fonebone@USC-ISIQ.ARPA", "Fred Fonebone"),
            ]),
        // RFC 821 3.3, without the source route that it prints.
        list(
            "Example-People@USC-ISI.ARPA", "", .anyone,
            members: [
                member("Postel@USC-ISIF.ARPA", "Jon Postel"), member("Fonebone@USC-ISIQ.ARPA", "Fred Fonebone"),
                member("SQSmith@USC-ISIQ.ARPA", "Sam Q. Smith"), member("Q-Smith@ISI-VAXA.ARPA", "Quincy Smith"),
                member("joe@foo-unix.ARPA"), member("xyz@bar-unix.ARPA"),
            ]),
        list(
            "Executive-Washroom-List@USC-ISI.ARPA", "", .nobody,
            members: [member("Postel@USC-ISI.ARPA")]),
    ]

    /// A catch-all's target must be there before it.
    private static let catchAlls: [Record] = [
        .domain(
            DomainRecord(
                domain: domain("shop.assisprogramming.com"), catchAll: mailbox("sales@assisprogramming.com")))
    ]
}

extension DemoDirectory {
    private static func user(
        _ address: String, _ name: String, _ status: AccountStatus = .active, login: String? = nil
    ) -> Record {
        .user(User(address: mailbox(address), fullName: name, login: login, status: status))
    }

    private static func list(
        _ address: String, _ name: String, owner: String? = nil, _ access: ExpansionAccess = .trusted,
        members: [ListMember]
    ) -> Record {
        .list(
            MailingList(address: mailbox(address), name: name, owner: owner.map(mailbox), expansion: access),
            members: members)
    }

    private static func member(_ address: String, _ name: String = "") -> ListMember {
        ListMember(mailbox: mailbox(address), name: name)
    }

    private static func mailbox(_ text: String) -> Mailbox {
        do { return try Mailbox(text) } catch { preconditionFailure("\(text): \(error)") }
    }

    private static func domain(_ text: String) -> Domain {
        do { return try Domain(text) } catch { preconditionFailure("\(text): \(error)") }
    }
}
