// What other mail servers take for the target of an alias, and what a whole domain is for them. Here an address leads to
// addresses; so what is asked for instead is said.

import MailAddress

/// A text that is no address, but a target elsewhere.
enum ForeignTarget: Equatable {
    /// `|/usr/bin/procmail`, in quotes or not.
    case program
    /// `/var/mail/fred`, or a folder.
    case file
    /// `:include:/etc/mail/friends` of sendmail.
    case included
    /// `:blackhole:` and its like, of Exim.
    case special
    /// `\fred` of sendmail: the mailbox, without its aliases.
    case unaliased
    /// `@example.org`.
    case domain(Domain)

    /// Nil for a text that is none of them. To be asked where it is no address, for `|a@example.org` is one.
    init?(_ text: String) {
        var word = text.drop { $0 == " " || $0 == "\"" }
        if word.hasPrefix("|") {
            self = .program
        } else if word.hasPrefix("/") || word.hasPrefix("~/") || word.hasPrefix("./") {
            self = .file
        } else if word.lowercased().hasPrefix(":include:") {
            self = .included
        } else if word.hasPrefix(":"), word.dropFirst().contains(":") {
            self = .special
        } else if word.hasPrefix("\\") {
            self = .unaliased
        } else if word.hasPrefix("@"), let domain = try? Domain(String(word.removingFirst())) {
            self = .domain(domain)
        } else {
            return nil
        }
    }
}

extension ForeignTarget: CustomStringConvertible {
    /// The same of where an address is to lead: a domain there need not be one of ours.
    var asTarget: String {
        if case .domain = self { return "is a whole domain; name the address in it that is to get the mail" }
        return description
    }

    /// What it is, and what to do: the end of a sentence that begins with the text.
    var description: String {
        switch self {
        case .program:
            "is a program, and none is run here: an address leads to addresses; let the mail server that delivers run it"
                + " (/etc/aliases, Sieve) for an address of its own, and name that"
        case .file:
            "is a file or a folder, and mail is not written there by an address here: an address leads to addresses; let"
                + " the mail server that delivers write it (/etc/aliases, Sieve) for an address of its own, and name that"
        case .included:
            "is a file of addresses, and none is read here; name them with --to, or make a list: addressee list add ADDRESS"
                + " --member …"
        case .special:
            "is a word of another mail server; here mail goes to addresses, or is refused: addressee moved add ADDRESS, or"
                + " addressee user set ADDRESS --status disabled"
        case .unaliased:
            "is another mail server's word for the mailbox itself; here a forward keeps a copy there: addressee forward"
                + " add ADDRESS --to … --keep-copy"
        case .domain(let domain):
            "is a whole domain; for the same names as in another: addressee domain add \(domain) --alias-of DOMAIN (domain"
                + " set, if it is on record); for the names that are not on record: addressee domain set \(domain) --catch-all ADDRESS"
        }
    }
}

extension Substring {
    fileprivate mutating func removingFirst() -> Substring {
        removeFirst()
        return self
    }
}
