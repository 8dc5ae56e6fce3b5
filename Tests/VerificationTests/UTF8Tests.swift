// No UTF-8 in a reply to a client that did not ask for it (RFC 6531 3.7.4), and what is said instead.

import SMTPProtocol
import Testing
import Verification

private let directory = """
    domain a
    domain b
    domain bücher.example
    user josé@a (José)
    user rene@a (René)
    user plain@a (Claude)
    user u@bücher.example (Claude)
    alias to@a josé@a
    forward out@a é@elsewhere
    moved old@a to=é@elsewhere
    list mixed@a (Gemischt) expn=anyone : rene@a josé@a
    list names@a (Größe) expn=anyone : rene@a plain@a
    user kurt@a (Kurt)
    user kürt@b (Kurt)
    user x@a (Zoë)
    user y@a (Zoë)
    """

private let needs = "252 2.6.8 The answer needs UTF-8: give the SMTPUTF8 parameter"
private let ok = "250 2.1.5 OK"

@Test(
    arguments: [
        // question, wire, without SMTPUTF8, with it
        ("josé@a", Wire.verify, needs, "250 2.1.5 José <josé@a>"),
        ("josé@a", .expand, needs, "250 2.1.5 José <josé@a>"),
        ("josé@a", .recipient, ok, ok),
        ("to@a", .verify, needs, "250 2.1.5 José <josé@a>"),
        ("to@a", .recipient, ok, ok),
        ("rene@a", .verify, "250 2.1.5 <rene@a>", "250 2.1.5 René <rene@a>"),
        ("rené", .verify, "250 2.1.5 <rene@a>", "250 2.1.5 René <rene@a>"),
        ("u@bücher.example", .verify, needs, "250 2.1.5 Claude <u@bücher.example>"),
        ("out@a", .verify, needs, "251 2.1.5 User not local; will forward to <é@elsewhere>"),
        ("out@a", .recipient, ok, "251 2.1.5 User not local; will forward to <é@elsewhere>"),
        ("out@a", .expand, needs, "250 2.1.5 <é@elsewhere>"),
        ("old@a", .verify, needs, "551 5.1.6 User not local; please try <é@elsewhere>"),
        ("old@a", .recipient, "550 5.1.6 User has moved", "551 5.1.6 User not local; please try <é@elsewhere>"),
        ("mixed@a", .verify, "250 2.1.5 Gemischt <mixed@a>", "250 2.1.5 Gemischt <mixed@a>"),
        ("mixed@a", .expand, needs, "250-2.1.5 René <rene@a>\n250 2.1.5 José <josé@a>"),
        ("names@a", .verify, "250 2.1.5 <names@a>", "250 2.1.5 Größe <names@a>"),
        (
            "names@a", .expand, "250-2.1.5 <rene@a>\n250 2.1.5 Claude <plain@a>",
            "250-2.1.5 René <rene@a>\n250 2.1.5 Claude <plain@a>"
        ),
        // 553 needs no mailbox, so those that can't be shown are left out.
        (
            "claude", .verify, "553-5.1.4 Ambiguous; Possibilities are\n553 5.1.4 Claude <plain@a>",
            "553-5.1.4 Ambiguous; Possibilities are\n553-5.1.4 Claude <plain@a>\n553 5.1.4 Claude <u@bücher.example>"
        ),
        (
            "zoë", .verify, "553-5.1.4 Ambiguous; Possibilities are\n553-5.1.4 <x@a>\n553 5.1.4 <y@a>",
            "553-5.1.4 Ambiguous; Possibilities are\n553-5.1.4 Zoë <x@a>\n553 5.1.4 Zoë <y@a>"
        ),
        ("nobodé@a", .verify, "550 5.1.1 String does not match anything", "550 5.1.1 String does not match anything"),
    ] as [(String, Wire, String, String)])
func utf8(_ question: String, _ wire: Wire, _ without: String, _ with: String) throws {
    var asking = Asking(directory: directory, question: question, wire: wire)
    #expect(try asking.reply() == without)
    asking.utf8 = true
    #expect(try asking.reply() == with)
}

/// Nothing but ASCII leaves without SMTPUTF8, whoever asks and whatever for.
@Test(arguments: [
    "josé@a", "to@a", "rene@a", "u@bücher.example", "out@a", "old@a", "mixed@a", "names@a", "claude", "zoë", "kurt",
    "kürt",
    "nobodé@a", "x@é.example",
])
func onlyASCII(_ question: String) throws {
    for wire in [Wire.verify, .expand, .recipient] {
        for disclosure in [Disclosure.full, .existence, .least] {
            if wire == .recipient, !question.contains("@") { continue }
            let asking = Asking(directory: directory, question: question, wire: wire, disclosure: disclosure)
            #expect(try asking.reply().utf8.allSatisfy { $0 < 128 })
            #expect(try asking.reply(.plain).utf8.allSatisfy { $0 < 128 })
        }
    }
}
