// Every reply that is ever given. 251 and 551 are read by machines: their form is exact (RFC 5321 4.2). The plain form
// is that of RFC 821, which prints a full stop in two places where today's form has none.

public import MailAddress

/// How replies look on a listener.
public enum ReplyForm: Hashable, Sendable {
    /// With enhanced status codes (RFC 2034).
    case enhanced
    /// As RFC 821 prints them.
    case plain
}

/// A mailbox with the name that goes with it, as a reply line shows them.
public struct NamedMailbox: Hashable, Sendable {
    /// The name for people; may be empty.
    public var name: String
    public var mailbox: Mailbox

    public init(name: String, mailbox: Mailbox) {
        self.name = name
        self.mailbox = mailbox
    }

    /// `Full Name <mailbox>`; without the name where the line would be too long for a reply (RFC 5321 4.5.3.1.5), or
    /// where the name itself looks like another mailbox. A control character never gets into a reply, whatever a
    /// directory holds.
    func append(to line: inout [UInt8]) {
        let start = line.count
        if !name.isEmpty, !name.utf8.contains(where: { $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: ">") }) {
            for octet in name.utf8 { line.append(octet < 32 || octet == 127 ? UInt8(ascii: " ") : octet) }
            line.append(UInt8(ascii: " "))
        }
        let afterName = line.count
        line.append(UInt8(ascii: "<"))
        mailbox.append(to: &line)
        line.append(UInt8(ascii: ">"))
        // "250-2.1.5 " and CRLF.
        if line.count + 12 > SMTPLimits.replyLine { line.removeSubrange(start..<afterName) }
    }

    var line: [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(name.utf8.count + mailbox.localPart.octets.count + mailbox.domain.octets.count + 8)
        append(to: &line)
        return line
    }
}

public enum ReplyCatalogue {
    // MARK: Session

    public static func greeting(_ hostname: [UInt8], form: ReplyForm) -> Reply {
        let text = form == .plain ? " Simple Mail Transfer Service Ready" : " ESMTP Addressee"
        return Reply(220, nil, hostname + Array(text.utf8))
    }

    public static func hello(_ hostname: [UInt8]) -> Reply { Reply(250, nil, hostname) }

    /// RFC 5321 4.1.1.1: `ehlo-greet`, then a keyword a line.
    public static func extendedHello(_ hostname: [UInt8], client: [UInt8], keywords: [[UInt8]]) -> Reply {
        let line = hostname + Array(" greets ".utf8) + client
        // "250-" and CRLF; two names of full length do not fit a line (RFC 5321 4.5.3.1.5).
        return Reply(250, nil, line.count + 6 > SMTPLimits.replyLine ? hostname : line, more: keywords)
    }

    public static func closing(_ hostname: [UInt8]) -> Reply {
        Reply(221, .other, hostname + Array(" Service closing transmission channel".utf8))
    }

    public static func shuttingDown(_ hostname: [UInt8]) -> Reply {
        Reply(421, .notAccepting, hostname + Array(" Service not available, closing transmission channel".utf8))
    }

    public static func idle(_ hostname: [UInt8]) -> Reply {
        Reply(421, .badConnection, hostname + Array(" Nothing heard for too long, closing transmission channel".utf8))
    }

    public static func tooManyConnections(_ hostname: [UInt8]) -> Reply {
        Reply(421, .notAccepting, hostname + Array(" Too many connections, try again later".utf8))
    }

    public static func tooManyErrors(_ hostname: [UInt8]) -> Reply {
        Reply(421, .security, hostname + Array(" Too many errors, closing transmission channel".utf8))
    }

    public static func tooManyQuestions(_ hostname: [UInt8]) -> Reply {
        Reply(421, .security, hostname + Array(" Too many questions, closing transmission channel".utf8))
    }

    public static func clientNotAdmitted(_ hostname: [UInt8]) -> Reply {
        Reply(554, .notAuthorized, hostname + Array(" No service for you".utf8))
    }

    public static let ok = Reply(250, .other, "OK")
    public static let senderOK = Reply(250, .sender, "OK")
    public static let readyForTLS = Reply(220, .other, "Ready to start TLS")
    public static let tlsNotOffered = Reply(502, .invalidCommand, "TLS is not offered here")
    public static let tlsActive = Reply(503, .invalidCommand, "TLS is active already")

    public static func help(_ verbs: [StaticString]) -> Reply {
        var line = Array("Commands:".utf8)
        for verb in verbs {
            line.append(UInt8(ascii: " "))
            verb.withUTF8Buffer { line.append(contentsOf: $0) }
        }
        return Reply(214, .other, line)
    }

    // MARK: Syntax and order

    public static let unknownCommand = Reply(500, .syntaxError, "Command unrecognized")
    public static let lineTooLong = Reply(500, .syntaxError, "Line too long")
    public static let strayControl = Reply(501, .syntaxError, "A control character, bare CR or bare LF is in the line")
    public static let notImplemented = Reply(502, .invalidCommand, "Command not implemented")
    public static let badArguments = Reply(501, .invalidArguments, "Syntax error in arguments")
    /// An answer to HELO or EHLO, and so without an enhanced code (RFC 2034 4).
    public static let badClientName = Reply(501, nil, "Syntax: EHLO domain, or HELO domain")
    public static let malformedUTF8 = Reply(501, .invalidArguments, "Malformed UTF-8")
    public static let nestedMail = Reply(503, .invalidCommand, "A mail transaction is open already: RSET first")
    public static let noTransaction = Reply(503, .invalidCommand, "MAIL first")
    public static let noRecipients = Reply(554, .invalidCommand, "No valid recipients")
    public static let unknownParameter = Reply(555, .invalidArguments, "Parameter not recognized or not implemented")
    public static let parameterNotImplemented = Reply(504, .invalidArguments, "Parameter value not implemented")
    public static let messageTooBig = Reply(552, .tooBig, "Message size exceeds the limit")
    public static let nonASCIIPath = Reply(553, .nonASCIIAddress, "A non-ASCII address needs the SMTPUTF8 parameter")
    /// For MAIL (RFC 6531 3.5).
    public static let nonASCIISender = Reply(550, .nonASCIIAddress, "A non-ASCII address needs the SMTPUTF8 parameter")
    public static let tooManyRecipients = Reply(452, .tooManyRecipients, "Too many recipients")
    public static let tooManyMailboxes = Reply(
        452, .tooManyRecipients, "The recipients lead to too many mailboxes: send to this one in another transaction")
    /// One message goes to one server, from one sender: this recipient needs another, so the client sends it anew
    /// (RFC 5321 4.5.3.1.10).
    public static let anotherServer = Reply(
        452, .tooManyRecipients,
        "Mail for this recipient goes to another server than for those before: send to it in another transaction")
    public static let anotherSender = Reply(
        452, .tooManyRecipients,
        "Mail for this recipient goes on from another sender than for those before: send to it in another transaction")
    public static let anotherTransaction = Reply(
        452, .tooManyRecipients,
        "Mail for this recipient needs SMTPUTF8, and goes without for those before: send to it in another transaction")

    public static func badAddress(_ error: AddressSyntaxError) -> Reply {
        Reply(501, .badSyntax, Array(error.description.utf8))
    }

    public static func badSender(_ error: AddressSyntaxError) -> Reply {
        Reply(501, .badSenderSyntax, Array(error.description.utf8))
    }

    // MARK: Messages

    /// This server has nowhere to put mail.
    public static let noMailTaken = Reply(
        554, .notAccepting, "This server answers questions about mailboxes and takes no mail")
    /// An enhanced code belongs to 2yz, 4yz and 5yz only (RFC 2034 4).
    public static let startMail = Reply(354, nil, "Start mail input; end with <CRLF>.<CRLF>")
    public static let bareLineEnd = Reply(
        550, .syntaxError, "A bare CR or bare LF is in the message: lines end with CR LF")
    public static let nulInMessage = Reply(550, .syntaxError, "A NUL is in the message: it has no place there")
    public static let messageLoops = Reply(554, .routingLoop, "The message goes in a loop")
    public static let storageFull = Reply(452, .systemFull, "Insufficient system storage, try again later")
    public static let notHandedOn = Reply(451, .mailSystem, "The message can't be handed on now, try again later")
    /// RFC 5321 4.2.3: 553 is for mailbox names that are not allowed.
    public static let nameNotAllowed = Reply(553, .badSyntax, "Mailbox name not allowed: no folder can bear it")
    public static let noRoute = Reply(550, .noRoute, "No way is known to where mail for this recipient goes")

    public static let chunkExpected = Reply(503, .invalidCommand, "The message goes on with BDAT, or RSET")

    /// RFC 3030 4.2 has such a text in its examples.
    public static func chunkTaken(_ size: UInt64) -> Reply { Reply(250, .other, Array("\(size) octets received".utf8)) }

    // MARK: Next hops

    public static let nextHopDown = Reply(451, .noAnswer, "The next mail server can't be reached now, try again later")
    public static let nextHopBusy = Reply(
        451, .notAccepting, "All connections to the next mail server are in use, try again later")
    public static let nextHopLost = Reply(451, .badConnection, "The next mail server broke off, try again later")
    public static let twoWays = Reply(
        550, .noRoute, "Mail for this recipient would have to go to two mail servers, both or neither")
    public static let eightBitRefused = Reply(
        554, .noConversion, "The next mail server takes 7-bit messages only, and this one has 8-bit octets")
    public static let utf8Refused = Reply(550, .nonASCIIAddress, "The next mail server does not take SMTPUTF8")
    /// Of several recipients some have the message, and some never will: only its sender can tell them (RFC 2033 4.2).
    public static func partlyDelivered(to count: Int, of all: Int) -> Reply {
        Reply(
            554, .mailSystem, Array("The message reached \(count) of \(all) mailboxes; don't send it again to all".utf8)
        )
    }

    /// What the next server has refused.
    ///
    /// Its code is passed on where it means the same to our client; one that speaks of our command, or of another address,
    /// does not.
    /// - Parameters:
    ///   - isTold: whether its words may be told too; they may name addresses that the client does not know.
    ///   - isOfRecipient: whether it is about one recipient, and not about the message. One who is too many is never refused
    ///     for good, whatever the next server says (RFC 5321 4.5.3.1.10).
    public static func nextHopRefused(_ reply: HeardReply, isTold: Bool, isOfRecipient: Bool = false) -> Reply {
        if isOfRecipient, reply.code >= 500, !reply.refusesRecipient {
            return Reply(452, .tooManyRecipients, Array("The next mail server takes no more recipients at once".utf8))
        }
        let code: UInt16
        switch reply.code {
        case 450, 451, 452, 550, 552, 553, 554: code = reply.code
        case 551: code = 550
        case 521, 556: code = 554
        // Whatever else it does not understand may be mended: nobody's mail should bounce for it.
        default: code = 451
        }
        let enhanced = code / 100 == reply.code / 100 ? reply.enhancedCode ?? .other : .mailSystem
        if isTold, let first = reply.texts.first, !first.isEmpty, code / 100 == reply.code / 100 {
            let texts = reply.texts.prefix(8).map { $0.prefix(480).map { $0 < 128 ? $0 : UInt8(ascii: "?") } }
            return Reply(code, enhanced, texts[0], more: Array(texts.dropFirst()))
        }
        let text =
            code < 500 ? "The next mail server can't take it now, try again later" : "The next mail server refuses it"
        return Reply(code, enhanced, Array(text.utf8))
    }

    // MARK: Verdicts

    public static let recipientOK = Reply(250, .validAddress, "OK")
    public static let recipientUnknown = Reply(550, .badMailbox, "No such user here")
    public static let relayingDenied = Reply(550, .notAuthorized, "Relaying denied: not a domain of this server")
    public static let domainNotServed = Reply(550, .badSystem, "Not a domain of this server")
    public static let movedAway = Reply(550, .moved, "User has moved")
    public static let disabled = Reply(550, .disabled, "Mailbox disabled")
    public static let suspended = Reply(450, .disabled, "Mailbox suspended, try again later")
    public static let full = Reply(452, .full, "Mailbox full")
    public static let noMembers = Reply(550, .listExpansion, "The list has no members that take mail")
    public static let accessDenied = Reply(550, .expansionProhibited, "Access Denied to You")
    public static let accessDeniedPlain = Reply(550, .expansionProhibited, "Access Denied to You.")
    public static let couldNotTell = Reply(451, .directoryFailure, "The directory could not tell, try again later")
    public static let loop = Reply(451, .routingLoop, "Forwarding goes in a loop or too far, try again later")
    public static let tooManyQuestionsNow = Reply(450, .notAuthorized, "Too many questions, try again later")
    public static let notVerified = Reply(
        252, .validAddress, "Cannot VRFY user, but will accept message and attempt delivery")
    public static let closed = Reply(252, .security, "Cannot VRFY user, but will accept message and attempt delivery")
    /// RFC 5321 3.5.1 has the words.
    public static let expansionClosed = Reply(252, .security, "Unable to verify members of mailing list")
    /// RFC 5321 3.5.1 has the words for members that another server knows, 3.5.3 the promise.
    public static let membersNotVerified = Reply(
        252, .validAddress,
        "Unable to verify members of mailing list, but will accept message and attempt delivery")
    public static let utf8Required = Reply(
        252, .utf8Required, "The answer needs UTF-8: give the SMTPUTF8 parameter")

    public static func noMatch(_ form: ReplyForm) -> Reply { form == .plain ? noMatchPlain : noMatchEnhanced }
    private static let noMatchEnhanced = Reply(550, .badMailbox, "String does not match anything")
    private static let noMatchPlain = Reply(550, .badMailbox, "String does not match anything.")

    public static func ambiguous(_ form: ReplyForm) -> Reply { form == .plain ? ambiguousPlain : ambiguousEnhanced }
    private static let ambiguousEnhanced = Reply(553, .ambiguous, "User ambiguous")
    private static let ambiguousPlain = Reply(553, .ambiguous, "User ambiguous.")

    /// RFC 5321 3.5.1.
    public static func possibilities(_ mailboxes: [NamedMailbox]) -> Reply {
        Reply(553, .ambiguous, Array("Ambiguous; Possibilities are".utf8), more: mailboxes.map(\.line))
    }

    public static func verified(_ mailbox: NamedMailbox) -> Reply { Reply(250, .validAddress, mailbox.line) }

    /// A mailbox a line (RFC 5321 3.5.1); nil when there is none to show.
    public static func members(_ mailboxes: [NamedMailbox]) -> Reply? {
        guard let first = mailboxes.first else { return nil }
        return Reply(250, .validAddress, first.line, mailboxes: mailboxes.dropFirst())
    }

    public static func willForward(to mailbox: Mailbox) -> Reply {
        Reply(251, .validAddress, rerouted("User not local; will forward to ", mailbox))
    }

    public static func pleaseTry(_ mailbox: Mailbox) -> Reply {
        Reply(551, .moved, rerouted("User not local; please try ", mailbox))
    }

    private static func rerouted(_ text: StaticString, _ mailbox: Mailbox) -> [UInt8] {
        var line = text.withUTF8Buffer { Array($0) }
        NamedMailbox(name: "", mailbox: mailbox).append(to: &line)
        return line
    }
}
