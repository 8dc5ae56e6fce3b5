// What every store has to refuse, in which words, and what it has to take: a change a row.

import MailboxDirectory

private let small = """
    domain a
    domain b alias-of=a
    domain c catch-all=fred@a
    domain r relay
    domain free
    user fred@a (Fred) login=fc
    user jane@a
    alias info@a fred@a
    forward fwd@a t@elsewhere
    forward jane@a t@elsewhere
    moved old@a to=fred@a
    list l@a owner=jane@a : fred@a x@elsewhere (Ex)
    list empty@a
    """

private let taken = "; one address is one thing: change that record, or remove it first"
private let pointed = "; change these first, or pass isForced: true to leave them dangling"
private let nobody = "add that first, correct it, or pass isForced: true to write it all the same"
private let step = "leave out one of these steps"

/// Every row.
public let editTable: [EditRow] =
    formRows + addressRows + takenRows + targetRows + loopRows + removalRows + domainRows + listRows

private let formRows: [EditRow] = [
    EditRow(small, "add alias x@a", "the alias x@a has no target; it needs at least one"),
    EditRow(small, "add forward x@a", "the forward x@a has no target; it needs at least one"),
    EditRow(small, "set alias info@a", "the alias info@a has no target; it needs at least one"),
    EditRow(small, "add alias x@a x@a", "x@a would point to itself; leave that target out"),
    EditRow(small, "add alias x@a fred@a FRED@A", "FRED@A is given twice; once is enough"),
    EditRow(small, "add moved x@a to=X@a", "x@a would point to itself; leave that target out"),
    EditRow(small, "add list x@a : x@a", "x@a would point to itself; leave that target out"),
    EditRow(small, "add list x@a owner=x@a : fred@a", "done"),
    EditRow(small, "add list x@a owner=fred@a : fred@a", "done"),
    EditRow(
        small, "add user x@a (A < B)",
        "the full name holds < or >, which in a reply enclose the mailbox; leave them out"),
    EditRow(small, "add user x@a (A\tB)", "the full name holds a control character; leave it out"),
    EditRow(small, "add user x@a (A\u{85}B)", "the full name holds a control character; leave it out"),
    EditRow(small, "add user x@a (\(String(repeating: "é", count: 100)))", "done"),
    EditRow(
        small, "add user x@a (\(String(repeating: "é", count: 101)))",
        "the full name is longer than 200 octets; shorten it"),
    EditRow(small, "add user x@a login=", "the login is empty; leave it out to have none"),
    EditRow(small, "add user x@a ( )", "the full name is nothing but spaces; leave it out to have none"),
    EditRow(
        small, "add user x@a login=a<b", "the login holds < or >, which in a reply enclose the mailbox; leave them out"),
    EditRow(small, "add list x@a (A\rB)", "the list's name holds a control character; leave it out"),
    EditRow(
        small, "add list x@a : y@elsewhere (A > B)",
        "the name of y@elsewhere holds < or >, which in a reply enclose the mailbox; leave them out"),
    EditRow(
        small, "add domain x separators=+a",
        "a detail separator is a punctuation character such as + or -, not a letter, digit, dot, quote or space"),
    EditRow(small, "add domain x separators=", "done"),
    EditRow(small, "add domain x transport=smtp:[mx.example.org]:25", "done"),
    EditRow(small, "add domain x transport=smtp:[mx", "the transport smtp:[mx\(bracket)"),
    EditRow(small, "add domain x transport=smtp:mx]:25", "the transport smtp:mx]:25\(bracket)"),
    EditRow(small, "add domain x transport=smtp:[mx]25", "the transport smtp:[mx]25\(bracket)"),
    EditRow(small, "add domain x transport=smtp:[]", "the transport smtp:[]\(bracket)"),
    EditRow(small, "set domain r relay transport=smtp:[[mx]]", "the transport smtp:[[mx]]\(bracket)"),
    EditRow(small, "add domain x transport=smtp:[mx1]:25,[mx2]", "done"),
    EditRow(small, "add domain x transport=lmtp:inet:[::1]:24", "done"),
    EditRow(small, "add domain x transport=lmtp:unix:/run/[x", "done"),
    EditRow(small, "add domain x transport=:", notATransport),
    EditRow(small, "add domain x transport=smtp", notATransport),
    EditRow(small, "add domain x transport=smtp:m\u{fc}x", notATransport),
    EditRow(small, "add domain x transport=smtp:a\tb", notATransport),
    EditRow(small, "add domain x transport=smtp:" + String(repeating: "x", count: 507), "done"),
    EditRow(small, "add domain x transport=smtp:" + String(repeating: "x", count: 508), notATransport),
    EditRow(small, "add domain [192.0.2.1]", "done"),
    EditRow(small, "add domain [192.0.2.1] alias-of=a", "an address literal can't be an alias of a domain"),
]

private let long = String(repeating: "x", count: 64)
private let tooLong =
    "x\(long)@a has more than 64 octets before \"@\", which many servers do not take; choose a shorter name"
private let catchAll =
    "*@a would be a mailbox of that name; a catch-all is part of the domain: addressee domain set a --catch-all ADDRESS"

/// What a mailbox of ours may be called, and what others may be.
private let addressRows: [EditRow] = [
    EditRow(small, "add user \(long)@a", "done"),
    EditRow(small, "add user x\(long)@a", tooLong),
    EditRow(small, "add alias x\(long)@a fred@a", tooLong),
    EditRow(small, "add forward x\(long)@a fred@a", tooLong),
    EditRow(small, "add moved x\(long)@a", tooLong),
    EditRow(small, "add list x\(long)@a : fred@a", tooLong),
    EditRow(small, "add user x\(long)@r", tooLong.replacing("@a ", with: "@r ")),
    EditRow(small, "add alias x@a x\(long)@elsewhere", "done"),
    EditRow(small, "add alias x@a a..b@elsewhere .a@elsewhere a.@elsewhere y@my_host.elsewhere", "done"),
    EditRow(
        small, "add forward x@a y@my_host.elsewhere keep",
        "there is no mailbox at x@a to keep a copy in; add the user first, or keep no copy"),
    EditRow(small, "add moved x@a to=a..b@my_host.elsewhere", "done"),
    EditRow(small, "add list x@a owner=a..b@elsewhere : x\(long)@elsewhere y@my_host.elsewhere", "done"),
    EditRow(small, "join l@a a..b@elsewhere", "added 1"),
    EditRow(small, "add alias x@a x\(long)@a", "nobody is at x\(long)@a; \(nobody)"),
    EditRow(small, "add user \"a..b\"@a", "done"),
    EditRow(small, "add alias *@a fred@a", catchAll),
    EditRow(small, "add user *@a", catchAll),
    EditRow(small, "add forward *@a t@elsewhere", catchAll),
    EditRow(small, "add moved *@a", catchAll),
    EditRow(small, "add list *@a : fred@a", catchAll),
    EditRow(small, "add alias \"*\"@a fred@a", catchAll),
    EditRow(small, "add alias **@a fred@a", "done"),
    EditRow(small, "add alias x@a *@elsewhere", "done"),
    EditRow(
        small, "add user fr\u{200B}ed@a",
        "fr<U+200B>ed@a holds U+200B zero width space, which can't be seen; leave it out"),
    EditRow(
        small, "add user fr\u{202E}ed@a",
        "fr<U+202E>ed@a holds U+202E right-to-left override, which can't be seen; leave it out"),
    EditRow(
        small, "add user fred\u{A0}@a", "fred<U+A0>@a holds U+00A0 no-break space, which can't be seen; leave it out"),
    EditRow(
        small, "add user \u{FEFF}fred@a",
        "<U+FEFF>fred@a holds U+FEFF zero width no-break space, which can't be seen; leave it out"),
    EditRow(small, "add user fr\u{AD}ed@a", "fr<U+AD>ed@a holds U+00AD soft hyphen, which can't be seen; leave it out"),
    // Letters and marks that are nothing to the eye.
    EditRow(
        small, "add user fr\u{34F}ed@a",
        "fr<U+34F>ed@a holds U+034F combining grapheme joiner, which can't be seen; leave it out"),
    EditRow(
        small, "add user fred\u{3164}@a", "fred<U+3164>@a holds U+3164 hangul filler, which can't be seen; leave it out"
    ),
    EditRow(
        small, "add alias x@a t\u{FE0F}@elsewhere",
        "t<U+FE0F>@elsewhere holds U+FE0F variation selector-16, which can't be seen; leave it out"),
    EditRow(
        small, "add user a\u{2028}b@a", "a<U+2028>b@a holds U+2028 line separator, which can't be seen; leave it out"),
    EditRow(
        small, "add user a\u{85}b@a", "a<U+85>b@a holds U+0085 control character, which can't be seen; leave it out"),
    EditRow(
        small, "add user a\u{3000}b@a", "a<U+3000>b@a holds U+3000 ideographic space, which can't be seen; leave it out"
    ),
    EditRow(
        small, "add user a\u{2066}b@a",
        "a<U+2066>b@a holds U+2066 left-to-right isolate, which can't be seen; leave it out"),
    EditRow(
        small, "add alias x@a t\u{2060}@elsewhere",
        "t<U+2060>@elsewhere holds U+2060 word joiner, which can't be seen; leave it out"),
    EditRow(
        small, "set alias info@a t\u{200E}@elsewhere",
        "t<U+200E>@elsewhere holds U+200E left-to-right mark, which can't be seen; leave it out"),
    EditRow(
        small, "join l@a t\u{200D}@elsewhere",
        "t<U+200D>@elsewhere holds U+200D zero width joiner, which can't be seen; leave it out"),
    EditRow(
        small, "add user \u{201C}p@a",
        "\u{201C}p@a holds U+201C left double quotation mark, which nobody types in an address; leave it out"),
    EditRow(
        small, "add alias p\u{201D}@a fred@a",
        "p\u{201D}@a holds U+201D right double quotation mark, which nobody types in an address; leave it out"),
    EditRow(
        small, "add user \u{201E}p@a",
        "\u{201E}p@a holds U+201E double low-9 quotation mark, which nobody types in an address; leave it out"),
    EditRow(
        small, "add list \u{AB}p\u{BB}@a : fred@a",
        "\u{AB}p\u{BB}@a holds U+00AB left-pointing double angle quotation mark, which nobody types in an address; leave it"
            + " out"),
    EditRow(
        small, "add user o\u{2019}neil@a",
        "o\u{2019}neil@a holds U+2019 right single quotation mark, which nobody types in an address; write ' in its place"
    ),
    EditRow(
        small, "add user neil\u{2019}@a",
        "neil\u{2019}@a holds U+2019 right single quotation mark, which nobody types in an address; leave it out"),
    EditRow(
        small, "add user a\u{FFFD}b@a",
        "a\u{FFFD}b@a holds U+FFFD replacement character, which nobody types in an address; leave it out"),
    EditRow(
        small, "add user a\u{E000}b@a",
        "a\u{E000}b@a holds U+E000 a character without a name, which nobody types in an address; leave it out"),
    EditRow(
        small, "add alias x@a \u{2018}t@elsewhere",
        "\u{2018}t@elsewhere holds U+2018 left single quotation mark, which nobody types in an address; leave it out"),
    EditRow(small, "add user o'neil@a", "done"),
    EditRow(small, "add user d\u{2BC}angelo@a", "done"),
    EditRow(small, "add user \u{926}\u{947}\u{935}@a", "done"),
    EditRow(small, "add user \u{2603}\u{20AC}@a", "done"),
    EditRow(small, "add user x@a login=\u{A0}", blank),
    EditRow(small, "add user x@a login=a\u{3000}b", blank),
    EditRow(small + "\nuser y@a login=b\u{A0}c", "set user y@a (Y) login=b\u{A0}c", "done"),
    EditRow(small + "\nuser y@a login=b\u{A0}c", "set user y@a login=b\u{A0}d", blank),
    EditRow(small, "add user jürgen@a", "done"),
    EditRow(small, "add user \"fred claude\"@a", "done"),
    EditRow(
        small, "add domain my_host.example",
        "the domain my_host.example has a \"_\", which no domain for mail may have (RFC 5321 4.1.2); use another name"),
    EditRow(small, "add domain exam\u{200B}ple.org", "done"),
    EditRow(
        small + "\ndomain exam\u{200B}ple.org", "add domain example.org",
        "the domain example.org is on record already; change its record instead"),
]

private let blank = "the login holds a space; it is one word, by which somebody logs in"
private let bracket = " has a bracket without the other; a host stands between both: smtp:[mx.example.org]:25"

private let notATransport =
    "a transport is TRANSPORT:NEXTHOP without spaces, such as smtp:[mx.example.org]:25 or lmtp:unix:/run/lmtp, of 512"
    + " octets at most"

private let takenRows: [EditRow] = [
    EditRow(small, "add user x@a", "done"),
    EditRow(
        small, "add user FRED@a",
        "FRED@a is a user already\(taken)"),
    EditRow(
        small, "add alias fred@a x@elsewhere",
        "fred@a is a user already\(taken)"),
    EditRow(
        small, "add user info@a",
        "info@a is an alias already\(taken)"),
    EditRow(
        small, "add list old@a",
        "old@a is a moved address already\(taken)"),
    EditRow(
        small, "add moved l@a", "l@a is a list already\(taken)"
    ),
    EditRow(
        small, "add forward fwd@a x@elsewhere",
        "fwd@a is a forward already\(taken)"),
    EditRow(
        small, "add forward jane@a x@elsewhere",
        "jane@a is a forward already\(taken)"),
    EditRow(small, "add forward fred@a x@elsewhere", "done"),
    EditRow(small, "add user fwd@a", "done"),
    EditRow(
        small, "add alias fwd@a fred@a",
        "fwd@a is a forward already\(taken)"),
    EditRow(
        small, "add user x@elsewhere",
        "the domain elsewhere is not on record; add it first"),
    EditRow(small, "add user x@a login=FC", "the login FC belongs to another user already; choose another"),
    EditRow(small, "set user jane@a login=fc", "the login fc belongs to another user already; choose another"),
    EditRow(small, "set user fred@a (Frederic) login=FC", "done"),
    EditRow(small, "set user x@a", "there is no user x@a"),
    EditRow(small, "set user fwd@a", "there is no user fwd@a"),
    EditRow(small, "set alias fred@a x@elsewhere", "there is no alias fred@a"),
    EditRow(small, "add domain A", "the domain A is on record already; change its record instead"),
    EditRow(
        "domain a\nsource\ndomain a\nalias x@a t@elsewhere", "add user x@a",
        "x@a is an alias in the source other already; choose another address"),
    EditRow(
        "domain a\nsource\ndomain a\nuser x@a", "add user x@a",
        "x@a is a user in the source other already; choose another address"),
    EditRow("domain a\nsource\ndomain a\nuser x@a", "add forward x@a t@elsewhere keep", "done"),
    EditRow("domain a\nforward x@a t@elsewhere\nsource\ndomain a", "add user x@a", source: 1, "done"),
    EditRow(
        "domain a\nsource\ndomain a\nforward x@a t@elsewhere", "add user x@a",
        "x@a is a forward in the source other already; choose another address"),
    EditRow(
        "domain a\nuser x@a\nsource\ndomain a", "add forward x@a t@elsewhere", source: 1,
        "x@a is a user in the source other, which is asked first, so that a forward here would not be followed; write it there"
    ),
]

private let targetRows: [EditRow] = [
    EditRow(small, "add alias x@a fred@a", "done"),
    EditRow(small, "add alias x@a fred+x@a", "done"),
    EditRow(small, "add alias x@a fred@b", "done"),
    EditRow(small, "add alias x@a any@elsewhere", "done"),
    EditRow(small, "add alias x@a any@r", "done"),
    EditRow(small, "add alias x@a any@c", "done"),
    EditRow(small, "add alias x@a postmaster@a", "done"),
    EditRow(small, "add alias x@a old@a", "done"),
    EditRow(small, "add alias x@a y@a", "nobody is at y@a; \(nobody)"),
    EditRow(small, "add alias x@a fred@a y@b", "nobody is at y@b; \(nobody)"),
    EditRow(small, "force add alias x@a y@a", "done"),
    EditRow(small, "set alias info@a y@a", "nobody is at y@a; \(nobody)"),
    EditRow(small, "set alias info@a jane@a", "done"),
    EditRow(small, "force set alias info@a y@a", "done"),
    EditRow(small, "add moved x@a to=y@a", "nobody is at y@a; \(nobody)"),
    EditRow(small, "add moved x@a", "done"),
    EditRow(small, "add list x@a owner=y@a", "nobody is at y@a; \(nobody)"),
    EditRow(small, "add domain x catch-all=y@a", "nobody is at y@a; \(nobody)"),
    EditRow(small, "add domain x catch-all=y@x", "nobody is at y@x; \(nobody)"),
    EditRow(small, "force add domain x catch-all=y@x", "done"),
    EditRow(
        small, "add forward x@a t@elsewhere keep",
        "there is no mailbox at x@a to keep a copy in; add the user first, or keep no copy"),
    EditRow(small, "force add forward x@a t@elsewhere keep", "done"),
    EditRow(small, "add forward fred@a t@elsewhere keep", "done"),
    EditRow(
        small, "set forward fwd@a t@elsewhere keep",
        "there is no mailbox at fwd@a to keep a copy in; add the user first, or keep no copy"),
    EditRow(small, "set forward jane@a t@elsewhere keep", "done"),
]

private let loopRows: [EditRow] = [
    EditRow("domain a\nalias x@a y@a", "add alias y@a x@a", "this would make a loop: y@a -> x@a -> y@a; \(step)"),
    EditRow(small, "add moved x@a to=x@b", "this would make a loop: x@a -> x@b -> x@a; \(step)"),
    EditRow(small, "force add moved x@a to=x@b", "this would make a loop: x@a -> x@b -> x@a; \(step)"),
    EditRow("domain a\nmoved y@a to=x@a", "add moved x@a to=y@a", "this would make a loop: x@a -> y@a -> x@a; \(step)"),
    EditRow(
        "domain a\nmoved y@a to=z@a\nmoved z@a to=x@a", "add moved x@a to=y@a",
        "this would make a loop: x@a -> y@a -> z@a -> x@a; \(step)"),
    EditRow("domain a\nmoved y@a to=z@c", "add moved x@a to=y@a", "done"),
    EditRow(
        "domain a\nmoved y@a to=y@c", "add domain c alias-of=a",
        "this would make a loop: y@a -> y@c -> y@a; \(step)"),
    EditRow(
        "domain a\ndomain c\nmoved y@a to=x@c\nmoved x@a to=y@a", "set domain c alias-of=a",
        "this would make a loop: y@a -> x@c -> y@a; \(step)"),
    EditRow("domain a\nmoved y@a to=x@c\nuser x@a", "add domain c alias-of=a", "done"),
    EditRow("domain a\nalias x@a y@a", "force add alias y@a x@a", "this would make a loop: y@a -> x@a -> y@a; \(step)"),
    EditRow(
        "domain a\nalias x@a y@a\nlist z@a : x@a", "add forward y@a z@a",
        "this would make a loop: y@a -> z@a -> x@a -> y@a; \(step)"),
    EditRow(
        "domain a\nuser u@a\nalias x@a y@a\nalias y@a u@a", "set alias y@a x@a",
        "this would make a loop: y@a -> x@a -> y@a; \(step)"),
    EditRow("domain a\nlist l@a\nlist m@a : l@a", "join l@a m@a", "this would make a loop: l@a -> m@a -> l@a; \(step)"),
    EditRow(
        "domain a\nlist l@a\nlist m@a : l@a", "set list l@a : m@a", "this would make a loop: l@a -> m@a -> l@a; \(step)"
    ),
    EditRow(
        "domain a catch-all=x@a\nuser u@a\nalias x@a u@a", "set alias x@a y@a",
        "this would make a loop: x@a -> y@a -> x@a; \(step)"),
    EditRow(
        "domain a\nalias x@a y@a", "set domain a catch-all=x@a", "this would make a loop: x@a -> y@a -> x@a; \(step)"),
    EditRow(
        "domain a\ndomain b\nalias x@a y@b", "force set domain b catch-all=x@a",
        "this would make a loop: x@a -> y@b -> x@a; \(step)"),
    EditRow(
        "domain a\nalias x@a y@b", "add domain b catch-all=x@a", "this would make a loop: x@a -> y@b -> x@a; \(step)"),
    EditRow("domain a\nalias x@a x@b", "add domain b alias-of=a", "this would make a loop: x@a -> x@a; \(step)"),
    EditRow(
        "domain a\ndomain b relay\nalias x@a x@b", "set domain b alias-of=a",
        "this would make a loop: x@a -> x@a; \(step)"),
    EditRow(
        "domain a separators=\nalias x@a x+y@a", "set domain a separators=+",
        "this would make a loop: x@a -> x@a; \(step)"),
    EditRow(
        "domain a separators=\ndomain b alias-of=a\nalias x@a x+y@b", "set domain a separators=+",
        "this would make a loop: x@a -> x@a; \(step)"),
    EditRow(
        "domain a\nuser x+y@a\nalias x@a x+y@a", "force rm user x+y@a", "this would make a loop: x@a -> x@a; \(step)"),
    EditRow(
        "domain a catch-all=x@a\nuser u@a\nalias x@a u+y@a", "force rm user u@a",
        "this would make a loop: x@a -> u+y@a -> x@a; \(step)"),
    EditRow(
        "domain a\ndomain b alias-of=a catch-all=x@a\nuser u@a\nalias x@a u@b", "force rm user u@a",
        "this would make a loop: u@b -> x@a -> u@b; \(step)"),
    EditRow(
        "domain a\nalias x@a y@a\nalias y@a x@a", "rm alias x@a",
        "x@a is still pointed to by alias y@a\(pointed)"),
    EditRow("domain a\nalias x@a y@a\nalias y@a x@a", "force rm alias x@a", "done"),
    EditRow("domain a\nalias x@a y@a\nalias y@a x@a", "force set alias x@a z@elsewhere", "done"),
    // What goes round with it and without it is not of its making.
    EditRow("domain a\nalias x@a y@a\nalias y@a x@a\nalias x+z@a x@a", "force rm alias x+z@a", "done"),
    EditRow(
        "domain a\nsource\ndomain a\nalias x@a y@a", "add alias y@a x@a",
        "this would make a loop: y@a -> x@a -> y@a; \(step)"),
    EditRow(
        "domain a\nuser u@a status=suspended\nforward u@a x@a keep\nalias x@a u@a", "set user u@a",
        "this would make a loop: u@a -> x@a -> u@a; \(step)"),
    EditRow(
        "domain a\nuser u@a\nalias x@a u@a", "add alias y@a x@a", limits: ExpansionLimits(depth: 1),
        "this would pass the limit on depth: y@a -> x@a; point closer to the mailbox"),
    EditRow("domain a\nuser u@a\nalias x@a u@a", "add alias y@a x@a", limits: ExpansionLimits(depth: 2), "done"),
    EditRow(
        "domain a\nuser u@a", "add list l@a : u@a x@elsewhere", limits: ExpansionLimits(addresses: 1),
        "this would pass the limit on addresses: l@a; point closer to the mailbox"),
]

private let removalRows: [EditRow] = [
    EditRow(small, "rm alias info@a", "done"),
    EditRow(small, "rm moved old@a", "done"),
    EditRow(small, "rm list empty@a", "done"),
    EditRow(small, "rm user x@a", "there is no user x@a"),
    EditRow(small, "rm alias fred@a", "there is no alias fred@a"),
    EditRow(
        small, "rm user fred@a",
        "fred@a is still pointed to by alias info@a, domain c, list l@a, moved old@a\(pointed)"),
    EditRow(small, "force rm user fred@a", "done"),
    EditRow(small, "rm forward fwd@a", "done"),
    // The forward there still answers, so nobody is left dangling.
    EditRow(small, "rm user jane@a", "done"),
    EditRow(small, "rm forward jane@a", "done"),
    EditRow(
        "domain a\nuser u@a\nforward u@a t@elsewhere keep", "rm user u@a",
        "u@a is still pointed to by forward u@a\(pointed)"),
    EditRow("domain a\nuser u@a\nforward u@a t@elsewhere keep", "force rm user u@a", "done"),
    EditRow("domain a\nuser u@a\nforward u@a t@elsewhere keep", "rm forward u@a", "done"),
    EditRow("domain a\nforward u@a t@elsewhere\nalias x@a u@a\nsource\ndomain a\nuser u@a", "rm forward u@a", "done"),
    EditRow(
        "domain a\nuser u@a\nsource\ndomain a\nalias x@a u@a", "rm user u@a",
        "u@a is still pointed to by alias x@a\(pointed)"),
    EditRow("domain a\nuser u@a\nsource\ndomain a\nalias x@a u@a", "force rm user u@a", "done"),
    EditRow(
        "domain a\nalias y@a u@a\nlist l@a : u@a\nsource\ndomain a\nuser u@a", "rm user u@a", source: 1,
        "u@a is still pointed to by alias y@a, list l@a\(pointed)"),
    EditRow(
        "domain a\nforward u@a t@elsewhere keep\nsource\ndomain a\nuser u@a", "rm user u@a", source: 1,
        "u@a is still pointed to by forward u@a\(pointed)"),
    EditRow(
        "domain a\nforward u@a t@elsewhere\nalias y@a u@a\nsource\ndomain a\nuser u@a", "rm user u@a", source: 1,
        "done"),
    EditRow(
        "domain a\nuser u@a\n" + (0..<7).map { "alias x\($0)@a u@a" }.joined(separator: "\n"), "rm user u@a",
        "u@a is still pointed to by alias x0@a, alias x1@a, alias x2@a, alias x3@a, alias x4@a and others\(pointed)"),
    EditRow(
        "domain a\nuser u@a\nlist l@a owner=u@a : u@a", "rm user u@a",
        "u@a is still pointed to by list l@a\(pointed)"),
    // A target with a detail, in an alias domain, or both.
    EditRow(
        "domain a\nuser eve@a\nalias x@a eve+x@a", "rm user eve@a", "eve@a is still pointed to by alias x@a\(pointed)"),
    EditRow(
        "domain a\ndomain b alias-of=a\nuser eve@a\nalias x@a eve@b\nlist y@a owner=Eve+Y@B : t@elsewhere",
        "rm user eve@a",
        "eve@a is still pointed to by alias x@a, list y@a\(pointed)"),
    EditRow(
        "domain a\nuser eve@a\ndomain c catch-all=eve+c@a\nforward f@a eve+f@a\nmoved m@a to=eve+m@a", "rm user eve@a",
        "eve@a is still pointed to by domain c, forward f@a, moved m@a\(pointed)"),
    EditRow("domain a\nuser eve@a\nalias x@a eve+x@a", "force rm user eve@a", "done"),
    EditRow(
        "domain a\nalias eve@a t@elsewhere\nlist x@a : eve+x@a", "rm alias eve@a",
        "eve@a is still pointed to by list x@a\(pointed)"),
    // A longer name is somebody else's.
    EditRow("domain a\nuser eve@a\nuser eve+x@a\nalias x@a eve+x@a", "rm user eve@a", "done"),
    EditRow("domain a\nuser eve@a\nuser eve+x@a\nalias x@a eve+x+y@a", "rm user eve@a", "done"),
    EditRow(
        "domain a\nuser eve@a\nuser eve+x@a\nalias x@a eve+x+y@a", "rm user eve+x@a",
        "eve+x@a is still pointed to by alias x@a\(pointed)"),
    EditRow(
        "domain a separators=+-\nuser jean@a\nuser jean-luc@a\nalias x@a jean-luc+n@a\nalias y@a jean-n@a",
        "rm user jean@a", "jean@a is still pointed to by alias y@a\(pointed)"),
    EditRow(
        "domain a\ndomain b alias-of=a\nuser eve@a\nuser eve@b\nalias x@a eve@b\nalias y@a eve+y@b", "rm user eve@a",
        "done"),
    // What is no separator of the domain begins no detail.
    EditRow("domain a separators=-\nuser eve@a\nalias x@a eve+x@a", "rm user eve@a", "done"),
    EditRow("domain a separators=\nuser eve@a\nalias x@a t@elsewhere", "rm user eve@a", "done"),
    EditRow("domain a\nuser eve@a\nalias x@a eve-x@a evelyn+x@a", "rm user eve@a", "done"),
    EditRow(
        "domain a\nuser \"e v\"@a\nalias x@a \"e v+x\"@a", "rm user \"e v\"@a",
        "\"e v\"@a is still pointed to by alias x@a\(pointed)"),
    EditRow(
        "domain a\nuser eve@a\nalias x@a \"eve+x y\"@a", "rm user eve@a",
        "eve@a is still pointed to by alias x@a\(pointed)"),
    // The same across sources.
    EditRow(
        "domain a\nuser eve@a\nsource\ndomain b alias-of=a\nalias x@b eve+x@b", "rm user eve@a",
        "eve@a is still pointed to by alias x@b\(pointed)"),
    EditRow(
        "domain a\nuser eve@a\nalias x@a eve+x@a\nsource\ndomain a\nuser eve+x@a", "rm user eve@a", "done"),
    EditRow(
        "domain a separators=-\nalias x@a eve+x@a\nsource\ndomain a\nuser eve@a", "rm user eve@a", source: 1, "done"),
    EditRow(
        "domain a\nalias x@a eve+x@a\nsource\ndomain a separators=-\nuser eve@a", "rm user eve@a", source: 1,
        "eve@a is still pointed to by alias x@a\(pointed)"),
    // What it says of itself goes with it.
    EditRow("domain a\nlist l@a owner=l+owner@a : t@elsewhere", "rm list l@a", "done"),
    // Postmaster is deliverable without a record, so that nothing dangles.
    EditRow("domain a\nuser u@a\nalias postmaster@a u@a\nalias x@a postmaster@a", "rm alias postmaster@a", "done"),
    EditRow("domain a\nuser Postmaster@a\nlist l@a owner=postmaster@a", "rm user postmaster@a", "done"),
    EditRow(
        "domain a\nalias postmaster@a t@elsewhere\nsource\ndomain a\nalias x@a postmaster@a", "rm alias postmaster@a",
        "done"),
    EditRow(
        "domain a\nuser postmaster@a\nforward postmaster@a t@elsewhere keep", "rm user postmaster@a",
        "postmaster@a is still pointed to by forward postmaster@a\(pointed)"),
    EditRow(
        "domain a\nuser u@a\nalias postmaster+x@a u@a\nalias x@a postmaster+x@a", "rm alias postmaster+x@a",
        "postmaster+x@a is still pointed to by alias x@a\(pointed)"),
]

private let domainRows: [EditRow] = [
    EditRow(small, "add domain x", "done"),
    EditRow(small, "add domain x alias-of=a", "done"),
    EditRow(small, "add domain x alias-of=x", "a domain can't be an alias of itself"),
    EditRow(small, "add domain x alias-of=b", "b is an alias of a itself; make it an alias of a"),
    EditRow(
        small, "add domain x alias-of=y",
        "the domain y is not on record; add it before its alias"),
    EditRow(small, "set domain y", "there is no domain y"),
    EditRow(small, "set domain free relay", "done"),
    EditRow(small, "set domain free alias-of=a", "done"),
    EditRow(small, "set domain a alias-of=c", "the domain a is still used by domain b; remove or change these first"),
    EditRow(small, "rm domain free", "done"),
    EditRow(small, "rm domain y", "there is no domain y"),
    EditRow(
        "domain a\ndomain b alias-of=a", "rm domain a",
        "the domain a is still used by domain b; remove or change these first"),
    EditRow(
        "domain a\nuser u@a", "rm domain a", "the domain a is still used by user u@a; remove or change these first"),
    EditRow(
        "domain a\ndomain b\nalias x@b y@a", "rm domain a",
        "the domain a is still used by alias x@b; remove or change these first"),
    EditRow(
        "domain a\nuser u@a\nforward u@a t@elsewhere", "rm domain a",
        "the domain a is still used by forward u@a, user u@a; remove or change these first"),
    EditRow("domain a catch-all=x@a", "rm domain a", "done"),
    EditRow("domain a\nsource\ndomain a", "rm domain a", "done"),
    EditRow("domain a\nsource\ndomain b", "add domain c alias-of=b", "done"),
]

private let listRows: [EditRow] = [
    EditRow(small, "join l@a jane@a y@elsewhere (Why)", "added 2"),
    EditRow(small, "join l@a fred@a jane@a", "added 1"),
    EditRow(small, "join l@a FRED@a", "added 0"),
    EditRow(small, "join l@a jane@a jane@a", "jane@a is given twice; once is enough"),
    EditRow(small, "join l@a l@a", "l@a would point to itself; leave that target out"),
    EditRow(small, "join l@a nobody@a", "nobody is at nobody@a; \(nobody)"),
    EditRow(small, "force join l@a nobody@a", "added 1"),
    EditRow(small, "join x@a fred@a", "there is no list x@a"),
    EditRow(small, "join fred@a jane@a", "there is no list fred@a"),
    EditRow(
        small, "join l@a y@elsewhere (A<B)",
        "the name of y@elsewhere holds < or >, which in a reply enclose the mailbox; leave them out"),
    EditRow(small, "leave l@a fred@a x@elsewhere", "done"),
    EditRow(small, "leave l@a fred@a jane@a", "jane@a is not a member of l@a"),
    EditRow(small, "leave l@a fred@a FRED@a", "FRED@a is given twice; once is enough"),
    EditRow(small, "leave x@a fred@a", "there is no list x@a"),
]

/// A directory beside `domain a`, a change of it that is taken, and all that is there then but the domain. How a store spells
/// what is given in another spelling than it has is its own matter.
public let leavingTable: [(directory: String, change: String, expected: [String])] = [
    ("user u@a\nforward u@a t@elsewhere keep", "force rm user u@a", ["forward u@a t@elsewhere false auto"]),
    ("user u@a\nforward u@a t@elsewhere keep", "rm forward u@a", ["user u@a () - active"]),
    (
        "user u@a (U)\nforward u@a t@x", "set user u@a (V) login=v",
        ["user u@a (V) v active", "forward u@a t@x false auto"]
    ),
    ("list l@a : x@e", "join l@a y@e (Why) X@E", ["list l@a () - trusted : x@e() y@e(Why)"]),
    ("list l@a : x@e y@e z@e", "leave l@a y@e X@E", ["list l@a () - trusted : z@e()"]),
    ("list l@a (L) owner=o@e : x@e", "set list l@a (M) expn=nobody : y@e", ["list l@a (M) - nobody : y@e()"]),
]
