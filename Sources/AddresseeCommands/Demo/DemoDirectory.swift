// The directory of `addressee demo`. On the plain listener it gives the old dialogues of RFC 821 and its neighbours to
// the letter (a test says which), so a name in it can't be changed without looking at that test.

import MailAddress
import MailboxDirectory

/// What there is to try.
enum DemoDirectory {
    /// So spelled.
    static let defaultDomain = "assisprogramming.com"

    /// All records, in an order in which each may be added.
    static func records() throws(AddressSyntaxError) -> [Record] {
        try domains() + people() + redirections() + lists()
    }

    /// Writes the records as an administrator would.
    static func seed(_ store: any RecordStore) throws {
        let editor = RecordEditor(store: store, defaultDomain: try Domain(defaultDomain))
        for record in try records() { try editor.add(record) }
        // Where a catch-all leads must be there before it.
        let sales = try Mailbox("sales@assisprogramming.com")
        try editor.setDomain(try Domain("shop.assisprogramming.com")) { shop throws(EditError) in
            var shop = shop
            shop.catchAll = sales
            return shop
        }
    }

    private static func domains() throws(AddressSyntaxError) -> [Record] {
        [
            try domain(defaultDomain),
            try domain("assistprogramming.com"),
            try domain("USC-ISI.ARPA"),
            try domain("assisprogramming.net", .alias(of: try Domain(defaultDomain))),
            try domain("relay.assisprogramming.com", .relay),
            try domain("shop.assisprogramming.com"),
        ]
    }

    private static func people() throws(AddressSyntaxError) -> [Record] {
        [
            try user("claudiu@assisprogramming.com", "Fred claude"),
            // Several mailboxes bear one name.
            try user("hanna@assisprogramming.com", "Hanna Hkhjkghj"),
            try user("hugo@assisprogramming.com", "Hugo Hkhjkghj"),
            try user("anna@assisprogramming.com", "Anna Ionescu", login: "aionescu"),
            try user("bjorn@assisprogramming.com", "Björn Ångström"),
            try user("sam@assisprogramming.com", "Sam Hall"),
            try user("ruth@assisprogramming.com", "Ruth Moss", .disabled),
            try user("leo@assisprogramming.com", "Leo Park", .suspended),
            try user("max@assisprogramming.com", "Max Weber", .full),
            try user("sender@assistprogramming.com"),
            try user("test@assistprogramming.com"),
            try user("receiver1@assistprogramming.com"),
            try user("receiver3@assistprogramming.com"),
        ]
    }

    private static func redirections() throws(AddressSyntaxError) -> [Record] {
        [
            try alias("info@assisprogramming.com", to: "claudiu@assisprogramming.com"),
            try alias("sales@assisprogramming.com", to: "anna@assisprogramming.com", "sam@assisprogramming.com"),
            try forward("test@assisprogramming.com", to: "test@assistprogramming.com", reply: .announced),
            try forward("Postel@USC-ISI.ARPA", to: "Postel@USC-ISIF.ARPA"),
            try forward("anna@assisprogramming.com", to: "anna.ionescu@example.net", keepsCopy: true),
            try moved("user1@assisprogramming.com", to: "user4@assitprogramming.com"),
            try moved("user2@assisprogramming.com"),
        ]
    }

    private static func lists() throws(AddressSyntaxError) -> [Record] {
        [
            try list(
                "programmers@assisprogramming.com", "The programmers",
                members: [member("claudiu@assisprogramming.com"), member("bjorn@assisprogramming.com")]),
            // A list and an alias in a list, and somebody who is on it twice.
            try list(
                "everyone@assisprogramming.com", "Everyone", .anyone, owner: "claudiu@assisprogramming.com",
                members: [
                    member("programmers@assisprogramming.com"), member("sales@assisprogramming.com"),
                    member("claudiu@assisprogramming.com"), member("Fonebone@USC-ISIQ.ARPA", "Fred Fonebone"),
                ]),
            // RFC 821 3.3, without the source route that it prints.
            try list(
                "Example-People@USC-ISI.ARPA", "", .anyone,
                members: [
                    member("Postel@USC-ISIF.ARPA", "Jon Postel"), member("Fonebone@USC-ISIQ.ARPA", "Fred Fonebone"),
                    member("SQSmith@USC-ISIQ.ARPA", "Sam Q. Smith"), member("Q-Smith@ISI-VAXA.ARPA", "Quincy Smith"),
                    member("joe@foo-unix.ARPA"), member("xyz@bar-unix.ARPA"),
                ]),
            try list("Executive-Washroom-List@USC-ISI.ARPA", "", .nobody, members: [member("Postel@USC-ISI.ARPA")]),
        ]
    }
}

extension DemoDirectory {
    private static func domain(_ name: String, _ kind: DomainKind = .local) throws(AddressSyntaxError) -> Record {
        .domain(DomainRecord(domain: try Domain(name), kind: kind))
    }

    private static func user(
        _ address: String, _ name: String = "", _ status: AccountStatus = .active, login: String? = nil
    ) throws(AddressSyntaxError) -> Record {
        .user(User(address: try Mailbox(address), fullName: name, login: login, status: status))
    }

    private static func alias(_ address: String, to targets: String...) throws(AddressSyntaxError) -> Record {
        var mailboxes: [Mailbox] = []
        for target in targets { mailboxes.append(try Mailbox(target)) }
        return .alias(Alias(address: try Mailbox(address), targets: mailboxes))
    }

    private static func forward(
        _ address: String, to target: String, keepsCopy: Bool = false, reply: ForwardReply = .auto
    ) throws(AddressSyntaxError) -> Record {
        .forward(
            Forward(
                address: try Mailbox(address), targets: [try Mailbox(target)], keepsCopy: keepsCopy, reply: reply))
    }

    private static func moved(_ address: String, to target: String? = nil) throws(AddressSyntaxError) -> Record {
        var moved = Moved(address: try Mailbox(address))
        if let target { moved.newAddress = try Mailbox(target) }
        return .moved(moved)
    }

    private static func list(
        _ address: String, _ title: String, _ access: ExpansionAccess = .trusted, owner: String? = nil,
        members: [ListMember]
    ) throws(AddressSyntaxError) -> Record {
        var list = MailingList(address: try Mailbox(address), name: title, expansion: access)
        if let owner { list.owner = try Mailbox(owner) }
        return .list(list, members: members)
    }

    private static func member(_ address: String, _ name: String = "") throws(AddressSyntaxError) -> ListMember {
        ListMember(mailbox: try Mailbox(address), name: name)
    }
}
