// The commands that need no answer from the directory (RFC 5321 4.1.1, 4.1.4).

import MailAddress

extension Session {
    mutating func carryOut(_ command: Command) -> Action {
        switch command {
        case .hello(let name):
            client = (name, isExtended: false)
            say(ReplyCatalogue.hello(configuration.hostname))
            return endTransaction()
        case .extendedHello(let name):
            client = (name, isExtended: true)
            say(ReplyCatalogue.extendedHello(configuration.hostname, client: name, keywords: keywords))
            return endTransaction()
        case .mail(let sender, let parameters): return mail(sender, parameters)
        case .data: return data()
        case .chunk(let size, let isLast): return chunk(size, isLast: isLast)
        case .reset:
            say(ReplyCatalogue.ok)
            return endTransaction()
        case .noOperation:
            say(ReplyCatalogue.ok)
            return .go
        case .quit: return quit()
        case .help:
            say(ReplyCatalogue.help(verbs))
            return .go
        case .startTLS: return startTLS()
        case .recipient, .verify, .expand:
            return .go
        }
    }

    private mutating func mail(_ sender: ReversePath, _ parameters: Command.MailParameters) -> Action {
        if transaction != nil { return refused(ReplyCatalogue.nestedMail) }
        if parameters.asksForNotification, !configuration.offersNotifications {
            return refused(ReplyCatalogue.unknownParameter)
        }
        if let limit = configuration.messageSize, let size = parameters.size, size > limit {
            say(ReplyCatalogue.messageTooBig)
            return .go
        }
        transaction = Transaction(utf8: parameters.utf8)
        say(ReplyCatalogue.senderOK)
        return configuration.takesMail ? .begin(sender, parameters) : .go
    }

    /// Where there is no next hop, there is nowhere to put mail, and that is said before a message is sent.
    private mutating func data() -> Action {
        guard let transaction else { return refused(ReplyCatalogue.noTransaction) }
        // DATA and BDAT don't go together (RFC 3030 2).
        if message != nil { return refused(ReplyCatalogue.chunkExpected) }
        if transaction.recipients == 0 {
            say(ReplyCatalogue.noRecipients)
            return .go
        }
        if configuration.takesMail {
            phase = .opening
            return .openMessage
        }
        self.transaction = nil
        say(ReplyCatalogue.noMailTaken)
        return .go
    }

    /// What there was of a transaction is over, with no message.
    private mutating func endTransaction() -> Action {
        let isForgotten = transaction != nil && configuration.takesMail
        transaction = nil
        message = nil
        return isForgotten ? .forget : .go
    }

    /// Nothing is listed that would get 500 or 502 (RFC 5321 4.2.4).
    private var keywords: [[UInt8]] {
        var keywords = ["PIPELINING", "8BITMIME"]
        keywords.append(configuration.messageSize.map { "SIZE \($0)" } ?? "SIZE")
        if configuration.takesMail { keywords.append("CHUNKING") }
        if configuration.offersNotifications { keywords.append("DSN") }
        if configuration.form == .enhanced { keywords.append("ENHANCEDSTATUSCODES") }
        keywords.append("SMTPUTF8")
        if configuration.offersTLS { keywords.append("STARTTLS") }
        if configuration.offersVerify { keywords.append("VRFY") }
        if configuration.offersExpand { keywords.append("EXPN") }
        keywords.append("HELP")
        return keywords.map { Array($0.utf8) }
    }

    private var verbs: [StaticString] {
        var verbs: [StaticString] = [
            "EHLO", "HELO", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT", "VRFY", "EXPN", "HELP",
        ]
        if configuration.takesMail { verbs.append("BDAT") }
        if configuration.offersTLS { verbs.append("STARTTLS") }
        return verbs
    }
}
