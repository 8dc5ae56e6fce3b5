// What every store has to answer: a rule a row. `DirectoryText.swift` says how directories and answers are written.

import MailAddress
import MailboxDirectory

/// Every row.
public let resolveTable: [ResolveRow] =
    addressRows + detailRows + domainRows + forwardRows + listRows + sourceRows + nameRows + loopRows + limitRows
    + spellingRows + splitRows + lenientRows

private let plain = """
    domain a
    user fred@a (Fred Claude) login=fc
    user fred+exact@a (Exact)
    alias info@a fred@a
    user gone@a status=disabled
    user away@a status=suspended
    user big@a status=full
    moved old@a to=new@elsewhere
    moved lost@a
    """

/// A detail goes on to what an alias leads to, and to nothing else.
private let details = """
    domain a
    domain b alias-of=a
    domain c
    domain n separators=
    domain m separators=-=
    domain r relay
    domain p relay separators=
    user fred@a (Fred)
    user Jane@c (Jane)
    user u@n
    user u@m
    user away@a status=suspended
    user keep@a
    forward keep@a k@elsewhere keep
    alias sales@a fred@a
    alias june@a fred+june@a
    alias far@a bob@elsewhere
    alias many@a fred@a jane@c bob@elsewhere any@r any@p u@n u@m
    alias chain@a june@a
    alias own@a fred+x@a
    user fred+own@a (Own)
    alias two@a fred+a@a fred+b@a fred@a fred+A@a
    alias twice@a sales+x@a sales@a sales+y@a sales+x@a
    alias copies@a keep+x@a keep+y@a keep@a
    alias waits@a away+x@a away@a away+y@a fred@a
    list l@a (L) : fred@a bob@elsewhere sales+z@a
    forward f@a fred@a
    alias long@a \(nearlyLongest)@elsewhere
    """

private let nearlyLongest = String(repeating: "f", count: AddressLimits.localPart - 20)

private let detailRows: [ResolveRow] = [
    ResolveRow("as spelled", details, "FRED+Lists@A", "asked fred@a; chain user fred@a; => fred@a{Lists} (Fred)"),
    ResolveRow(
        "alias", details, "sales+tag@a", "asked sales@a; chain alias sales@a, user fred@a; => fred@a{tag} (Fred)"),
    ResolveRow(
        "alias, in an alias domain", details, "sales+tag@b",
        "asked sales@a; chain alias sales@a, user fred@a; => fred@a{tag} (Fred)"),
    ResolveRow(
        "alias, empty detail", details, "sales+@a",
        "asked sales@a; chain alias sales@a, user fred@a; => fred@a{} (Fred)"),
    ResolveRow(
        "the target's own detail", details, "june@a",
        "asked june@a; chain alias june@a, user fred@a; => fred@a{june} (Fred)"),
    ResolveRow(
        "after the target's own detail", details, "june+tag@a",
        "asked june@a; chain alias june@a, user fred@a; => fred@a{june+tag} (Fred)"),
    ResolveRow(
        "two aliases", details, "chain+tag@a",
        "asked chain@a; chain alias chain@a, alias june@a, user fred@a; => fred@a{june+tag} (Fred)"),
    ResolveRow(
        "a target that is on record with it", details, "sales+own@a",
        "asked sales@a; chain alias sales@a, user fred+own@a; => fred+own@a (Own)"),
    ResolveRow(
        "elsewhere", details, "far+tag@a", "asked far@a; chain alias far@a; => bob+tag@elsewhere{tag} elsewhere"),
    ResolveRow(
        "only where a domain has that separator", details, "many+t@a",
        "asked many@a; chain alias many@a; to fred@a{t} (Fred), Jane@c{t} (Jane), bob+t@elsewhere{t} elsewhere, "
            + "any+t@r{t} relay, any@p relay, u@n, u@m"),
    ResolveRow(
        "several details of one mailbox", details, "two@a",
        "asked two@a; chain alias two@a; to fred@a{a} (Fred), fred@a{b} (Fred), fred@a (Fred)"),
    ResolveRow(
        "an alias with several details", details, "twice@a",
        "asked twice@a; chain alias twice@a; to fred@a{x} (Fred), fred@a (Fred), fred@a{y} (Fred)"),
    ResolveRow(
        "a copy that is kept with several details", details, "copies@a",
        "asked copies@a; chain alias copies@a; "
            + "to keep@a{x}, k@elsewhere elsewhere, keep@a{y}, keep@a"),
    ResolveRow(
        "who is suspended", details, "waits@a",
        "asked waits@a; chain alias waits@a; to fred@a (Fred); not away+x@a suspended"),
    ResolveRow(
        "not to members", details, "l+tag@a",
        "asked l@a; chain list l@a; to fred@a (Fred), bob@elsewhere elsewhere, fred@a{z} (Fred)"),
    ResolveRow("not by a forward", details, "f+tag@a", "asked f@a; chain forward f@a, user fred@a; => fred@a (Fred)"),
    ResolveRow(
        "dropped where it would be too long", details, "long+\(String(repeating: "x", count: 30))@a",
        "asked long@a; chain alias long@a; => \(nearlyLongest)@elsewhere elsewhere"),
]

private let addressRows: [ResolveRow] = [
    ResolveRow("a user", plain, "fred@a", "asked fred@a; chain user fred@a; => fred@a (Fred Claude)"),
    ResolveRow("case", plain, "FRED@A", "asked fred@a; chain user fred@a; => fred@a (Fred Claude)"),
    ResolveRow("unknown", plain, "nobody@a", "asked nobody@a; not nobody@a unknown"),
    ResolveRow("not served", plain, "fred@elsewhere", "asked fred@elsewhere; not fred@elsewhere not served"),
    ResolveRow(
        "a detail", plain, "fred+x+y@a", "asked fred@a; chain user fred@a; => fred@a{x+y} (Fred Claude)"),
    ResolveRow("an empty detail", plain, "fred+@a", "asked fred@a; chain user fred@a; => fred@a{} (Fred Claude)"),
    ResolveRow(
        "exact beats stripped", plain, "fred+exact@a",
        "asked fred+exact@a; chain user fred+exact@a; => fred+exact@a (Exact)"),
    ResolveRow("a base may not be empty", plain, "+fred@a", "asked +fred@a; not +fred@a unknown"),
    ResolveRow("unknown base", plain, "nobody+x@a", "asked nobody+x@a; not nobody+x@a unknown"),
    ResolveRow(
        "an alias", plain, "info@a", "asked info@a; chain alias info@a, user fred@a; => fred@a (Fred Claude)"),
    ResolveRow(
        "an alias with a detail", plain, "info+x@a",
        "asked info@a; chain alias info@a, user fred@a; => fred@a{x} (Fred Claude)"),
    ResolveRow("disabled", plain, "gone@a", "asked gone@a; chain user gone@a; not gone@a disabled"),
    ResolveRow("suspended", plain, "away@a", "asked away@a; chain user away@a; not away@a suspended"),
    ResolveRow("full", plain, "big@a", "asked big@a; chain user big@a; => big@a full"),
    ResolveRow("moved", plain, "old@a", "asked old@a; chain moved old@a; not old@a moved to new@elsewhere"),
    ResolveRow("moved away", plain, "lost@a", "asked lost@a; chain moved lost@a; not lost@a moved"),
    ResolveRow(
        "moved through an alias", plain + "\nalias x@a old@a", "x@a",
        "asked x@a; chain alias x@a, moved old@a; not old@a moved to new@elsewhere"),
    ResolveRow(
        "a dangling target", plain + "\nalias x@a nobody@a", "x@a",
        "asked x@a; chain alias x@a; not nobody@a unknown"),
    ResolveRow(
        "some targets take no mail", plain + "\nalias x@a nobody@a gone@a fred@a away@a", "x@a",
        "asked x@a; chain alias x@a; to fred@a (Fred Claude); not nobody@a unknown, gone@a disabled, away@a suspended"),
    ResolveRow(
        "an alias elsewhere", plain + "\nalias x@a t@elsewhere", "x@a",
        "asked x@a; chain alias x@a; => t@elsewhere elsewhere"),
    ResolveRow(
        "targets keep their order", plain + "\nalias x@a big@a fred@a t@elsewhere", "x@a",
        "asked x@a; chain alias x@a; to big@a full, fred@a (Fred Claude), t@elsewhere elsewhere"),
    ResolveRow(
        "two ways to one mailbox", plain + "\nalias x@a info@a fred@a fred+d@a", "x@a",
        "asked x@a; chain alias x@a; to fred@a (Fred Claude), fred@a{d} (Fred Claude)"),
    ResolveRow("postmaster, bare", plain, "<postmaster>", "asked postmaster@a; => postmaster@a postmaster"),
    ResolveRow("postmaster", plain, "PostMaster@a", "asked PostMaster@a; => PostMaster@a postmaster"),
    ResolveRow(
        "postmaster with a detail", plain, "postmaster+x@a", "asked postmaster@a; => postmaster@a{x} postmaster"),
    ResolveRow(
        "postmaster on record", plain + "\nalias postmaster@a fred@a", "<postmaster>",
        "asked postmaster@a; chain alias postmaster@a, user fred@a; => fred@a (Fred Claude)"),
    ResolveRow(
        "postmaster on record who is nobody", plain + "\nalias postmaster@a nobody@a", "postmaster@a",
        "asked postmaster@a; => postmaster@a postmaster; not nobody@a unknown"),
    ResolveRow(
        "postmaster who is disabled", plain + "\nuser postmaster@a status=disabled", "postmaster@a",
        "asked postmaster@a; => postmaster@a postmaster; not postmaster@a disabled"),
    ResolveRow(
        "postmaster who is suspended", plain + "\nuser postmaster@a status=suspended", "postmaster@a",
        "asked postmaster@a; chain user postmaster@a; not postmaster@a suspended"),
    ResolveRow(
        "postmaster of a domain not served", plain, "postmaster@elsewhere",
        "asked postmaster@elsewhere; not postmaster@elsewhere not served"),
    ResolveRow(
        "postmaster, bare, no domain on record", "domain b", "<postmaster>",
        "asked postmaster@a; => postmaster@a postmaster"),
    ResolveRow("postmaster as a name", "domain b", "postmaster", "asked postmaster@a; => postmaster@a postmaster"),
]

private let domains = """
    domain a
    domain b alias-of=a
    domain c catch-all=all@c
    domain d catch-all=fred@a
    domain r relay
    domain n separators=
    domain m separators=-=
    domain e alias-of=c
    domain s alias-of=r
    user fred@a
    user own@b
    alias both@b fred@a
    user both@a
    user both+x@a
    user all@c
    user real@c
    user off@c status=disabled
    alias to@c t@elsewhere
    user known@r
    user u@n
    user u@m
    """

private let domainRows: [ResolveRow] = [
    ResolveRow("alias domain", domains, "fred@b", "asked fred@a; chain user fred@a; => fred@a"),
    ResolveRow("alias domain, detail", domains, "fred+x@b", "asked fred@a; chain user fred@a; => fred@a{x}"),
    ResolveRow("alias domain, its own user", domains, "own@b", "asked own@b; chain user own@b; => own@b"),
    ResolveRow(
        "the domain as given comes first", domains, "both@b", "asked both@b; chain alias both@b, user fred@a; => fred@a"
    ),
    ResolveRow(
        "exact in the other domain beats stripped here", domains, "both+x@b",
        "asked both+x@a; chain user both+x@a; => both+x@a"),
    ResolveRow(
        "stripped here beats stripped in the other domain", domains, "both+y@b",
        "asked both@b; chain alias both@b, user fred@a; => fred@a{y}"),
    ResolveRow("alias domain, unknown", domains, "nobody@b", "asked nobody@b; not nobody@b unknown"),
    ResolveRow("alias domain, its own user elsewhere", domains, "own@a", "asked own@a; not own@a unknown"),
    ResolveRow("alias domain, postmaster", domains, "postmaster@b", "asked postmaster@b; => postmaster@b postmaster"),
    ResolveRow("catch-all", domains, "any@c", "asked any@c; chain user all@c; => all@c"),
    ResolveRow("catch-all in another domain", domains, "any@d", "asked any@d; chain user fred@a; => fred@a"),
    ResolveRow("catch-all, detail of nobody", domains, "any+x@c", "asked any+x@c; chain user all@c; => all@c"),
    ResolveRow("catch-all shadows no user", domains, "real@c", "asked real@c; chain user real@c; => real@c"),
    ResolveRow("catch-all shadows no base", domains, "real+x@c", "asked real@c; chain user real@c; => real@c{x}"),
    ResolveRow(
        "catch-all shadows no disabled user", domains, "off@c", "asked off@c; chain user off@c; not off@c disabled"),
    ResolveRow(
        "catch-all shadows no disabled base", domains, "off+x@c", "asked off@c; chain user off@c; not off@c disabled"),
    ResolveRow("catch-all shadows no alias", domains, "to@c", "asked to@c; chain alias to@c; => t@elsewhere elsewhere"),
    ResolveRow(
        "catch-all shadows no postmaster", domains, "postmaster@c", "asked postmaster@c; => postmaster@c postmaster"),
    ResolveRow("catch-all of the domain behind an alias", domains, "any@e", "asked any@e; chain user all@c; => all@c"),
    ResolveRow("relay", domains, "any@r", "asked any@r; => any@r relay"),
    ResolveRow(
        "relay, on record", domains, "known@r", "asked known@r; chain user known@r; => known@r in a relay domain"),
    ResolveRow(
        "relay, on record behind an alias", domains, "known@s",
        "asked known@r; chain user known@r; => known@r in a relay domain"),
    ResolveRow(
        "relay, postmaster", domains, "postmaster@r",
        "asked postmaster@r; => postmaster@r postmaster in a relay domain"),
    ResolveRow("relay, detail", domains, "any+x@r", "asked any+x@r; => any+x@r{x} relay"),
    ResolveRow(
        "relay, postmaster on record who is nobody", domains + "\nalias postmaster@r nobody@a", "postmaster+x@r",
        "asked postmaster@r; => postmaster@r{x} postmaster in a relay domain; not nobody+x@a unknown"),
    ResolveRow("relay behind an alias", domains, "any@s", "asked any@s; => any@s relay"),
    ResolveRow("no separators", domains, "u+x@n", "asked u+x@n; not u+x@n unknown"),
    ResolveRow("other separators", domains, "u=x@m", "asked u@m; chain user u@m; => u@m{x}"),
    ResolveRow(
        "the shortest base, where no longer one is on record", domains, "u-x=y@m",
        "asked u@m; chain user u@m; => u@m{x=y}"),
    ResolveRow("not a separator there", domains, "u+x@m", "asked u+x@m; not u+x@m unknown"),
    ResolveRow("catch-all that is unknown itself", "domain a catch-all=x@a", "y@a", "asked y@a; not x@a unknown"),
    ResolveRow(
        "catch-all that is unknown itself, asked", "domain a catch-all=x@a", "x@a", "asked x@a; not x@a unknown"),
    ResolveRow("catch-all elsewhere", "domain a catch-all=x@elsewhere", "y@a", "asked y@a; => x@elsewhere elsewhere"),
    ResolveRow(
        "catch-all of a relay domain", "domain a relay catch-all=x@elsewhere", "y@a",
        "asked y@a; => x@elsewhere elsewhere"),
    ResolveRow(
        "catch-all of an alias domain comes first",
        "domain a catch-all=x@elsewhere\ndomain b alias-of=a catch-all=y@elsewhere", "z@b",
        "asked z@b; => y@elsewhere elsewhere"),
    ResolveRow("alias of a domain that no source has", dangling, "fred@b", "could not tell"),
    ResolveRow("alias of a domain that no source has, detail", dangling, "own+x@b", "could not tell"),
    ResolveRow(
        "alias of a domain that no source has, its own user", dangling, "own@b",
        "asked own@b; chain user own@b; => own@b"),
    ResolveRow(
        "alias of a domain that no source has, postmaster", dangling, "postmaster@b",
        "asked postmaster@b; => postmaster@b postmaster"),
    ResolveRow("alias of a domain that no source has, as a target", dangling, "x@a", "could not tell"),
    ResolveRow("alias of a domain that no source has, by VRFY", dangling, "y@b", .verify, "could not tell"),
    ResolveRow("alias of an alias", dangling, "fred@c", "could not tell"),
    ResolveRow("alias of an alias, its own user", dangling, "own@c", "asked own@c; chain user own@c; => own@c"),
    ResolveRow(
        "alias of a domain in another source", "domain b alias-of=c\nsource\ndomain c\nuser u@c", "u@b",
        "asked u@c; chain user u@c; => u@c"),
    ResolveRow(
        "the default domain is an alias of one that no source has", "domain a alias-of=z", "u", "could not tell"),
]

/// The store takes such records; rules about them are in RecordEditor.
private let dangling = """
    domain a
    domain b alias-of=z catch-all=fred@a
    domain c alias-of=b
    user fred@a
    alias x@a fred@b
    user own@b
    user own@c
    """

private let forwards = """
    domain a
    user fred@a (Fred)
    forward fred@a f@elsewhere
    user keep@a (Keep)
    forward keep@a k@elsewhere keep
    forward only@a o@elsewhere
    user off@a status=disabled
    forward off@a f@elsewhere
    user offkeep@a status=disabled
    forward offkeep@a f@elsewhere keep
    user away@a status=suspended
    forward away@a f@elsewhere
    user awaykeep@a status=suspended
    forward awaykeep@a f@elsewhere keep
    user fullkeep@a status=full
    forward fullkeep@a f@elsewhere keep
    user many@a
    forward many@a x@elsewhere keep@a
    user self@a
    forward self@a self@a
    user selfand@a
    forward selfand@a selfand@a x@elsewhere
    forward selfonly@a selfonly@a
    user selfoff@a status=disabled
    forward selfoff@a selfoff@a
    list l@a (L) : fred@a keep@a only@a off@a awaykeep@a fullkeep@a via@a
    alias via@a many@a
    """

private let forwardRows: [ResolveRow] = [
    ResolveRow(
        "forward before mailbox", forwards, "fred@a", "asked fred@a; chain user fred@a; => f@elsewhere elsewhere"),
    ResolveRow("forward, detail", forwards, "fred+x@a", "asked fred@a; chain user fred@a; => f@elsewhere elsewhere"),
    ResolveRow(
        "forward, EXPN", forwards, "fred@a", .expand(.anyone),
        "asked fred@a; chain user fred@a; => f@elsewhere elsewhere"),
    ResolveRow(
        "keep a copy", forwards, "keep@a", "asked keep@a; chain user keep@a; to keep@a (Keep), k@elsewhere elsewhere"),
    ResolveRow(
        "keep a copy, detail", forwards, "keep+x@a",
        "asked keep@a; chain user keep@a; to keep@a{x} (Keep), k@elsewhere elsewhere"),
    ResolveRow(
        "forward without a user", forwards, "only@a", "asked only@a; chain forward only@a; => o@elsewhere elsewhere"),
    ResolveRow(
        "forward of a disabled user", forwards, "off@a", "asked off@a; chain user off@a; => f@elsewhere elsewhere"),
    ResolveRow(
        "forward with a copy, disabled", forwards, "offkeep@a",
        "asked offkeep@a; chain user offkeep@a; => f@elsewhere elsewhere"),
    ResolveRow(
        "forward of a suspended user", forwards, "away@a", "asked away@a; chain user away@a; => f@elsewhere elsewhere"),
    ResolveRow(
        "forward with a copy, suspended", forwards, "awaykeep@a",
        "asked awaykeep@a; chain user awaykeep@a; not awaykeep@a suspended"),
    ResolveRow(
        "forward with a copy, full", forwards, "fullkeep@a",
        "asked fullkeep@a; chain user fullkeep@a; to fullkeep@a full, f@elsewhere elsewhere"),
    ResolveRow(
        "forward to several", forwards, "many@a",
        "asked many@a; chain user many@a; to x@elsewhere elsewhere, keep@a (Keep), k@elsewhere elsewhere"),
    ResolveRow("forward to itself is keeping a copy", forwards, "self@a", "asked self@a; chain user self@a; => self@a"),
    ResolveRow(
        "forward to itself and another", forwards, "selfand@a",
        "asked selfand@a; chain user selfand@a; to selfand@a, x@elsewhere elsewhere"),
    ResolveRow(
        "forward to itself without a mailbox", forwards, "selfonly@a",
        "asked selfonly@a; chain forward selfonly@a; not selfonly@a unknown"),
    ResolveRow(
        "forward to itself, disabled", forwards, "selfoff@a",
        "asked selfoff@a; chain user selfoff@a; not selfoff@a disabled"),
    ResolveRow(
        "members' own forwards are left alone in EXPN", forwards, "l@a", .expand(.trusted),
        "asked l@a; chain list l@a; to fred@a (Fred), keep@a (Keep), only@a, off@a, fullkeep@a full, many@a;"
            + " not awaykeep@a suspended"),
    ResolveRow(
        "and followed to find all recipients", forwards, "l@a",
        "asked l@a; chain list l@a; to f@elsewhere elsewhere, keep@a (Keep), k@elsewhere elsewhere,"
            + " o@elsewhere elsewhere, fullkeep@a full, x@elsewhere elsewhere; not awaykeep@a suspended"),
    ResolveRow(
        "a chain", "domain a\nalias x@a y@a\nforward y@a z@a\nuser z@a (Z)", "x@a",
        "asked x@a; chain alias x@a, forward y@a, user z@a; => z@a (Z)"),
]

private let lists = """
    domain a
    user u@a (You)
    user v@a
    user off@a status=disabled
    list any@a (Any) expn=anyone : u@a v@a (Vee) t@elsewhere (Tea) nobody@a off@a
    list trusted@a : u@a
    list none@a (None) expn=nobody : u@a
    list outer@a (Outer) expn=anyone : any@a trusted@a none@a x@elsewhere
    list empty@a
    list dead@a : off@a nobody@a
    alias toany@a any@a
    alias tonone@a none@a
    """

private let listRows: [ResolveRow] = [
    ResolveRow(
        "a list is not opened by VRFY", lists, "any@a", .verify,
        "asked any@a; chain list any@a; => any@a list anyone (Any)"),
    ResolveRow(
        "a list's members", lists, "any@a", .expand(.anyone),
        "asked any@a; chain list any@a; to u@a (You), v@a (Vee), t@elsewhere elsewhere (Tea); not nobody@a unknown, off@a disabled"
    ),
    ResolveRow(
        "a list through an alias", lists, "toany@a", .expand(.anyone),
        "asked toany@a; chain alias toany@a, list any@a; to u@a (You), v@a (Vee), t@elsewhere elsewhere (Tea); not nobody@a unknown, off@a disabled"
    ),
    ResolveRow(
        "for trusted clients", lists, "trusted@a", .expand(.trusted),
        "asked trusted@a; chain list trusted@a; to u@a (You)"),
    ResolveRow(
        "for trusted clients, asked by others", lists, "trusted@a", .expand(.anyone),
        "asked trusted@a; chain list trusted@a; => trusted@a list trusted"),
    ResolveRow(
        "for nobody", lists, "none@a", .expand(.trusted),
        "asked none@a; chain list none@a; => none@a list nobody (None)"),
    ResolveRow(
        "for nobody, through an alias", lists, "tonone@a", .expand(.trusted),
        "asked tonone@a; chain alias tonone@a, list none@a; => none@a list nobody (None)"),
    ResolveRow(
        "for nobody but the administrator", lists, "none@a", .expand(.administrator),
        "asked none@a; chain list none@a; to u@a (You)"),
    ResolveRow("for nobody, but mail goes there", lists, "none@a", "asked none@a; chain list none@a; to u@a (You)"),
    ResolveRow(
        "a hidden list in a list", lists, "outer@a", .expand(.anyone),
        "asked outer@a; chain list outer@a; to u@a (You), v@a (Vee), t@elsewhere elsewhere (Tea), trusted@a list trusted, none@a list nobody (None), x@elsewhere elsewhere; not nobody@a unknown, off@a disabled"
    ),
    ResolveRow(
        "a member of two lists", lists, "outer@a",
        "asked outer@a; chain list outer@a; to u@a (You), v@a (Vee), t@elsewhere elsewhere (Tea), x@elsewhere elsewhere; not nobody@a unknown, off@a disabled"
    ),
    ResolveRow("an empty list", lists, "empty@a", "asked empty@a; chain list empty@a"),
    ResolveRow(
        "a list nobody of which takes mail", lists, "dead@a",
        "asked dead@a; chain list dead@a; not off@a disabled, nobody@a unknown"),
    ResolveRow(
        "a detail of a list", lists, "trusted+x@a", .expand(.administrator),
        "asked trusted@a; chain list trusted@a; to u@a (You)"),
]

private let sources = """
    domain a catch-all=all@a
    forward fred@a f@elsewhere keep
    alias late@a x@elsewhere
    user here@a (Here)
    moved gone@a to=n@elsewhere
    alias base@a b@elsewhere
    list l@a : fred@a late@a
    source
    domain a
    domain b alias-of=a
    user fred@a (Fred)
    user late@a (Late)
    user here@a (There)
    user gone@a
    user base+x@a (Exact)
    forward here@a never@elsewhere
    user all@a (All)
    list m@a : here@a
    user second@a (Second)
    """

private let sourceRows: [ResolveRow] = [
    ResolveRow(
        "a forward on a user of a later source", sources, "fred@a",
        "asked fred@a; chain user fred@a; to fred@a (Fred), f@elsewhere elsewhere"),
    ResolveRow(
        "the same with a detail", sources, "fred+x@a",
        "asked fred@a; chain user fred@a; to fred@a{x} (Fred), f@elsewhere elsewhere"),
    ResolveRow(
        "the same in an alias domain", sources, "fred@b",
        "asked fred@a; chain user fred@a; to fred@a (Fred), f@elsewhere elsewhere"),
    ResolveRow(
        "an alias shadows no mailbox of a later source", sources, "late@a",
        "asked late@a; chain user late@a; => late@a (Late)"),
    ResolveRow(
        "an alias shadows no mailbox, detail", sources, "late+x@a",
        "asked late@a; chain user late@a; => late@a{x} (Late)"),
    ResolveRow("the earlier user", sources, "here@a", "asked here@a; chain user here@a; => here@a (Here)"),
    ResolveRow(
        "moved is said first", sources, "gone@a", "asked gone@a; chain moved gone@a; not gone@a moved to n@elsewhere"),
    ResolveRow(
        "an exact hit in a later source", sources, "base+x@a",
        "asked base+x@a; chain user base+x@a; => base+x@a (Exact)"),
    ResolveRow("no exact hit", sources, "base+y@a", "asked base@a; chain alias base@a; => b+y@elsewhere{y} elsewhere"),
    ResolveRow(
        "a user of a later source", sources, "second@a", "asked second@a; chain user second@a; => second@a (Second)"),
    ResolveRow(
        "the catch-all shadows no later user", sources, "second+x@a",
        "asked second@a; chain user second@a; => second@a{x} (Second)"),
    ResolveRow("the catch-all", sources, "nobody@a", "asked nobody@a; chain user all@a; => all@a (All)"),
    ResolveRow(
        "members in the earlier source", sources, "l@a",
        "asked l@a; chain list l@a; to fred@a (Fred), f@elsewhere elsewhere, late@a (Late)"),
    ResolveRow("members in the later source", sources, "m@a", "asked m@a; chain list m@a; to here@a (Here)"),
    ResolveRow(
        "a domain of the later source", sources, "second@b", "asked second@a; chain user second@a; => second@a (Second)"
    ),
    ResolveRow("a name in the later source", sources, "There", "asked here@a; chain user here@a; => here@a (Here)"),
    ResolveRow(
        "a name, and a forward in the earlier source", sources + "\nuser fr@a (Claudia)\nsource\ndomain a", "Claudia",
        "asked fr@a; chain user fr@a; => fr@a (Claudia)"),
    ResolveRow(
        "a name whose forward is in the earlier source",
        "domain a\nforward f@a x@elsewhere\nsource\ndomain a\nuser f@a (Fred Claude)", "claude",
        "asked f@a; chain user f@a; => x@elsewhere elsewhere"),
    ResolveRow(
        "a better rank in the later source", "domain b\nuser f@b (Fred)\nsource\ndomain b\nuser g@b login=fred", "fred",
        "asked g@b; chain user g@b; => g@b"),
    ResolveRow(
        "one address in two sources is one match", "domain b\nforward f@b x@elsewhere\nsource\ndomain b\nuser f@b", "f",
        "asked f@b; chain user f@b; => x@elsewhere elsewhere"),
]

private let names = """
    domain a
    domain b
    domain c
    domain r relay
    domain s alias-of=a
    user fred@a (Fred Claude) login=fc
    user jane@b (Jane Claude) login=jc
    user mary@c (Mary Ann O'Brien)
    user both@b
    user both@c
    user rel@r (Relay Person) login=relogin
    user onlys@s (Shadow Person) login=slogin
    alias desk@b jane@b
    list staff@b (Staff) : jane@b
    user fc@b (Another)
    alias same@b mary@c
    user same@c
    user jc+x@a
    alias twin@b mary@c
    alias twin@c mary@c
    alias chain@b chain@c
    alias chain@c chain@b
    user "fred claude"@b (Quoted)
    user anna@c (Ånna Müller)
    """

private let nameRows: [ResolveRow] = [
    ResolveRow("in the default domain", names, "fred", "asked fred@a; chain user fred@a; => fred@a (Fred Claude)"),
    ResolveRow(
        "in the default domain, detail", names, "fred+x", "asked fred@a; chain user fred@a; => fred@a{x} (Fred Claude)"),
    ResolveRow("in another local domain", names, "JANE", "asked jane@b; chain user jane@b; => jane@b (Jane Claude)"),
    ResolveRow(
        "an alias in another local domain", names, "desk",
        "asked desk@b; chain alias desk@b, user jane@b; => jane@b (Jane Claude)"),
    ResolveRow("a list", names, "staff", .verify, "asked staff@b; chain list staff@b; => staff@b list trusted (Staff)"),
    ResolveRow("a login", names, "JC", "asked jane@b; chain user jane@b; => jane@b (Jane Claude)"),
    ResolveRow("a local-part comes before a login", names, "fc", "asked fc@b; chain user fc@b; => fc@b (Another)"),
    ResolveRow("a full name", names, "jane  claude", "asked jane@b; chain user jane@b; => jane@b (Jane Claude)"),
    ResolveRow(
        "a local-part with a space comes before a full name", names, "Fred Claude",
        "asked \"fred claude\"@b; chain user \"fred claude\"@b; => \"fred claude\"@b (Quoted)"),
    ResolveRow("a word", names, "o'brien", "asked mary@c; chain user mary@c; => mary@c (Mary Ann O'Brien)"),
    ResolveRow("not two words of three", names, "mary ann", "asked nothing; not \"mary ann\"@a unknown"),
    ResolveRow("not a part of a word", names, "brien", "asked nothing; not brien@a unknown"),
    ResolveRow("a word that is not ASCII", names, "ånna", "asked anna@c; chain user anna@c; => anna@c (Ånna Müller)"),
    ResolveRow(
        "a word in other case that is not ASCII", names, "MÜLLER",
        "asked anna@c; chain user anna@c; => anna@c (Ånna Müller)"),
    ResolveRow("a word of two names", names, "claude", "ambiguous fred@a, jane@b"),
    ResolveRow("a local-part in two domains", names, "both", "ambiguous both@b, both@c"),
    ResolveRow("an alias and another user", names, "same", "ambiguous same@b, same@c"),
    ResolveRow(
        "two aliases of one mailbox", names, "twin",
        "asked twin@b; chain alias twin@b, user mary@c; => mary@c (Mary Ann O'Brien)"),
    ResolveRow(
        "an alias of the other match", "domain b\ndomain c\nuser x@c\nalias x@b x@c", "x",
        "asked x@c; chain user x@c; => x@c"),
    ResolveRow(
        "a forward to the other match", "domain b\ndomain c\nuser x@c\nforward x@b x@c", "x",
        "asked x@c; chain user x@c; => x@c"),
    ResolveRow(
        "a forward to the other match and elsewhere", "domain b\ndomain c\nuser x@c\nforward x@b x@c y@elsewhere", "x",
        "ambiguous x@b, x@c"),
    ResolveRow(
        "an alias of the other match and elsewhere", "domain b\ndomain c\nuser x@c\nalias x@b x@c y@elsewhere", "x",
        "ambiguous x@b, x@c"),
    ResolveRow(
        "a user whose mail goes to the other match", "domain b\ndomain c\nuser x@c\nuser x@b\nforward x@b x@c", "x",
        "ambiguous x@b, x@c"),
    ResolveRow("two aliases of each other", names, "chain", "ambiguous chain@b, chain@c"),
    ResolveRow("nobody", names, "zaphod", "asked nothing; not zaphod@a unknown"),
    ResolveRow("a local-part in a relay domain only", names, "rel", "asked nothing; not rel@a unknown"),
    ResolveRow("a login in a relay domain only", names, "relogin", "asked nothing; not relogin@a unknown"),
    ResolveRow("a name in a relay domain only", names, "relay person", "asked nothing; not \"relay person\"@a unknown"),
    ResolveRow("a local-part in an alias domain only", names, "onlys", "asked nothing; not onlys@a unknown"),
    ResolveRow("a login in an alias domain only", names, "slogin", "asked nothing; not slogin@a unknown"),
    ResolveRow("a name in an alias domain only", names, "shadow", "asked nothing; not shadow@a unknown"),
    ResolveRow(
        "no default domain on record", "domain b\nuser fred@b", "fred", "asked fred@b; chain user fred@b; => fred@b"),
    ResolveRow(
        "the default domain is a relay domain", "domain a relay\ndomain b\nuser fred@b", "fred",
        "asked fred@b; chain user fred@b; => fred@b"),
    ResolveRow(
        "the default domain has a catch-all", "domain a catch-all=x@elsewhere\ndomain b\nuser fred@b", "fred",
        "asked fred@b; chain user fred@b; => fred@b"),
    ResolveRow(
        "the default domain has a catch-all, nobody's name", "domain a catch-all=x@elsewhere", "fred",
        "asked nothing; not fred@a unknown"),
    ResolveRow("postmaster as a name", names, "Postmaster", "asked Postmaster@a; => Postmaster@a postmaster"),
    ResolveRow("too long for a local-part", names, String(repeating: "x", count: 256), "asked nothing"),
    ResolveRow(
        "a full name too long for a local-part",
        "domain a\nuser x@a (\(String(repeating: "abcdefgh ", count: 9)))",
        String(repeating: "ABCDEFGH ", count: 9),
        "asked x@a; chain user x@a; => x@a (\(String(repeating: "abcdefgh ", count: 9)))"),
    ResolveRow("as many as may be named", manyNames(20), "smith", "ambiguous " + manyAddresses(20)),
    ResolveRow(
        "more than may be named", manyNames(4), "smith", limits: ExpansionLimits(possibilities: 3),
        "ambiguous " + manyAddresses(3) + " and more"),
    ResolveRow(
        "a name leads on", "domain b\nuser f@b (Fred)\nforward f@b t@elsewhere", "fred",
        "asked f@b; chain user f@b; => t@elsewhere elsewhere"),
    ResolveRow(
        "a name that moved", "domain b\nmoved f@b to=t@elsewhere", "f",
        "asked f@b; chain moved f@b; not f@b moved to t@elsewhere"),
]

private func manyNames(_ count: Int) -> String {
    "domain a\n" + (0..<count).map { "user u\(10 + $0)@a (S Smith)" }.joined(separator: "\n")
}

private func manyAddresses(_ count: Int) -> String {
    (0..<count).map { "u\(10 + $0)@a" }.joined(separator: ", ")
}

private let loops = """
    domain a
    domain b catch-all=c@b
    domain x catch-all=any@y
    domain y catch-all=any@x
    user u@a
    alias one@a two@a
    alias two@a one@a
    alias self@a self@a
    forward f@a g@a
    forward g@a f@a keep
    list l@a : u@a m@a
    list m@a : l@a
    list own@a : own@a u@a
    alias into@a one@a
    alias c@b d@b
    alias p@a q@a r@a
    alias q@a s@a
    alias r@a s@a
    alias s@a u@a
    list both@a : p@a q@a r@a s@a u@a
    alias det@a det+x@a
    alias back@a there@a
    alias there+x@a back@a
    user there@a
    forward over@a under@a
    alias under+x@a over@a
    alias under@a over@a
    """

private let loopRows: [ResolveRow] = [
    ResolveRow("two aliases", loops, "one@a", "loop one@a -> two@a -> one@a"),
    ResolveRow("an alias to itself", loops, "self@a", "loop self@a -> self@a"),
    ResolveRow("an alias to a detail of itself", loops, "det@a", "loop det@a -> det@a"),
    ResolveRow(
        "back without the detail, and to an end", loops, "back+x@a",
        "asked back@a; chain alias back@a, alias there+x@a, alias back@a, user there@a; => there@a"),
    ResolveRow("a forward in a loop, detail", loops, "under+x@a", "loop under+x@a -> over@a -> under@a -> over@a"),
    ResolveRow("a loop on the way", loops, "into@a", "loop into@a -> one@a -> two@a -> one@a"),
    ResolveRow("two forwards", loops, "f@a", "loop f@a -> g@a -> f@a"),
    ResolveRow("a list in a list", loops, "l@a", "loop l@a -> m@a -> l@a"),
    ResolveRow("a list in a list, EXPN", loops, "l@a", .expand(.trusted), "loop l@a -> m@a -> l@a"),
    ResolveRow(
        "a list is not opened by VRFY, so there is no loop", loops, "l@a", .verify,
        "asked l@a; chain list l@a; => l@a list trusted"),
    ResolveRow("a list in itself", loops, "own@a", "loop own@a -> own@a"),
    ResolveRow("through a catch-all", loops, "c@b", "loop c@b -> d@b -> c@b"),
    ResolveRow("through a catch-all, from a name that is not on record", loops, "e@b", "loop e@b -> c@b -> d@b -> c@b"),
    ResolveRow("two catch-alls", loops, "u@x", "loop u@x -> any@y -> any@x -> any@y"),
    ResolveRow("ways that meet are no loop", loops, "p@a", "asked p@a; chain alias p@a; to u@a"),
    ResolveRow("ways that meet in a list", loops, "both@a", "asked both@a; chain list both@a; to u@a"),
    ResolveRow("through an alias domain", "domain a\ndomain b alias-of=a\nalias x@a x@b", "x@a", "loop x@a -> x@a"),
]

private let limitRows: [ResolveRow] = [
    ResolveRow(
        "as deep as may be", deep(5), "x0@a", limits: ExpansionLimits(depth: 5),
        "asked x0@a; chain \(deepChain(5)), user x5@a; => x5@a"),
    ResolveRow("too deep", deep(6), "x0@a", limits: ExpansionLimits(depth: 5), "limit depth"),
    ResolveRow(
        "as many addresses as may be", wide(5), "l@a", limits: ExpansionLimits(addresses: 5),
        "asked l@a; chain list l@a; to x0@b elsewhere, x1@b elsewhere, x2@b elsewhere, x3@b elsewhere, x4@b elsewhere"),
    ResolveRow("too many addresses", wide(6), "l@a", limits: ExpansionLimits(addresses: 5), "limit addresses"),
    ResolveRow("too many lookups", wide(6), "l@a", limits: ExpansionLimits(lookups: 3), "limit lookups"),
    ResolveRow(
        "as many lookups as may be", wide(6), "l@a", .verify, limits: ExpansionLimits(lookups: 2),
        "asked l@a; chain list l@a; => l@a list trusted"),
]

private func deep(_ count: Int) -> String {
    "domain a\nuser x\(count)@a\n" + (0..<count).map { "alias x\($0)@a x\($0 + 1)@a" }.joined(separator: "\n")
}

private func deepChain(_ count: Int) -> String { (0..<count).map { "alias x\($0)@a" }.joined(separator: ", ") }

private func wide(_ count: Int) -> String {
    "domain a\nlist l@a : " + (0..<count).map { "x\($0)@b" }.joined(separator: " ")
}

private let spellings = """
    domain a
    domain bücher.example
    domain [192.0.2.1]
    domain [IPv6:2001:db8::1]
    user "fred claude"@a (Fred)
    user "ab"@a
    user "x\\"y"@a
    user josé@a (José)
    user Mixed.Case@a
    user u@bücher.example
    user u@[192.0.2.1]
    user u@[IPv6:2001:db8::1]
    alias t@a u@xn--bcher-kva.example
    """

private let spellingRows: [ResolveRow] = [
    ResolveRow(
        "quoted", spellings, "\"Fred Claude\"@a",
        "asked \"fred claude\"@a; chain user \"fred claude\"@a; => \"fred claude\"@a (Fred)"),
    ResolveRow(
        "quoted more than needed", spellings, "\"f\\red\\ claude\"@a",
        "asked \"fred claude\"@a; chain user \"fred claude\"@a; => \"fred claude\"@a (Fred)"),
    ResolveRow("quoted on record, not quoted here", spellings, "ab@a", "asked ab@a; chain user ab@a; => ab@a"),
    ResolveRow(
        "a quote in quotes", spellings, "\"x\\\"y\"@a", "asked \"x\\\"y\"@a; chain user \"x\\\"y\"@a; => \"x\\\"y\"@a"),
    ResolveRow(
        "quoted, with a detail", spellings, "\"fred claude+a b\"@a",
        "asked \"fred claude\"@a; chain user \"fred claude\"@a; => \"fred claude\"@a{a b} (Fred)"),
    ResolveRow("UTF-8", spellings, "JOSÉ@a", "asked josé@a; chain user josé@a; => josé@a (José)"),
    ResolveRow(
        "UTF-8 with combining marks", spellings, "jose\u{301}@a", "asked josé@a; chain user josé@a; => josé@a (José)"),
    ResolveRow("UTF-8 detail", spellings, "josé+é@a", "asked josé@a; chain user josé@a; => josé@a{é} (José)"),
    ResolveRow(
        "shown as stored", spellings, "mixed.case@A", "asked Mixed.Case@a; chain user Mixed.Case@a; => Mixed.Case@a"),
    ResolveRow(
        "U-label", spellings, "u@BÜCHER.example",
        "asked u@bücher.example; chain user u@bücher.example; => u@bücher.example"),
    ResolveRow(
        "A-label", spellings, "u@XN--BCHER-kva.example",
        "asked u@bücher.example; chain user u@bücher.example; => u@bücher.example"),
    ResolveRow(
        "A-label in a target", spellings, "t@a",
        "asked t@a; chain alias t@a, user u@bücher.example; => u@bücher.example"),
    ResolveRow(
        "IPv4 literal", spellings, "u@[192.0.2.1]", "asked u@[192.0.2.1]; chain user u@[192.0.2.1]; => u@[192.0.2.1]"),
    ResolveRow(
        "IPv6 literal", spellings, "u@[IPv6:2001:DB8:0:0:0:0:0:1]",
        "asked u@[IPv6:2001:db8::1]; chain user u@[IPv6:2001:db8::1]; => u@[IPv6:2001:db8::1]"),
    ResolveRow("another literal", spellings, "u@[192.0.2.2]", "asked u@[192.0.2.2]; not u@[192.0.2.2] not served"),
]

private let split = """
    domain a separators=+-
    domain b alias-of=a
    domain c separators=+- catch-all=jean@a
    domain r relay separators=+-
    user jean@a
    user jean-luc@a (Jean-Luc)
    user jean@b
    user off-line@c status=disabled
    alias off@c jean@a
    user ann@r
    list jean-list@a : jean@a
    moved jean-old@a to=x@elsewhere
    user p-1-2-3-4-5-6-7@a
    user q-1-2-3-4-5-6-7-8@a
    """

private let manySeparators = String(repeating: "+x", count: 60)

private let splitRows: [ResolveRow] = [
    ResolveRow(
        "the longest base on record", split, "jean-luc+news@a",
        "asked jean-luc@a; chain user jean-luc@a; => jean-luc@a{news} (Jean-Luc)"),
    ResolveRow(
        "the longest base, whatever separates", split, "jean-luc-news+x@a",
        "asked jean-luc@a; chain user jean-luc@a; => jean-luc@a{news+x} (Jean-Luc)"),
    ResolveRow("a shorter base", split, "jean-news@a", "asked jean@a; chain user jean@a; => jean@a{news}"),
    ResolveRow(
        "a shorter base, long detail", split, "jean-x+y-z@a", "asked jean@a; chain user jean@a; => jean@a{x+y-z}"),
    ResolveRow(
        "an empty detail of each", split, "jean-luc-@a",
        "asked jean-luc@a; chain user jean-luc@a; => jean-luc@a{} (Jean-Luc)"),
    ResolveRow(
        "exact beats every base", split, "JEAN-LUC@a",
        "asked jean-luc@a; chain user jean-luc@a; => jean-luc@a (Jean-Luc)"),
    ResolveRow("no base of several", split, "jeanne-luc+x@a", "asked jeanne-luc+x@a; not jeanne-luc+x@a unknown"),
    ResolveRow(
        "a longer base in the other domain beats a shorter one here", split, "jean-luc+x@b",
        "asked jean-luc@a; chain user jean-luc@a; => jean-luc@a{x} (Jean-Luc)"),
    ResolveRow(
        "the same base here beats the other domain", split, "jean-x+y@b",
        "asked jean@b; chain user jean@b; => jean@b{x+y}"),
    ResolveRow(
        "a disabled longer base is not passed over", split, "off-line+x@c",
        "asked off-line@c; chain user off-line@c; not off-line@c disabled"),
    ResolveRow(
        "several bases before the catch-all", split, "off-x-y@c",
        "asked off@c; chain alias off@c, user jean@a; => jean@a{x-y}"),
    ResolveRow("the catch-all after all bases", split, "x-y+z@c", "asked x-y+z@c; chain user jean@a; => jean@a"),
    ResolveRow(
        "a base in a relay domain", split, "ann-x-y@r",
        "asked ann@r; chain user ann@r; => ann@r{x-y} in a relay domain"),
    ResolveRow("no base in a relay domain", split, "bob-x-y@r", "asked bob-x-y@r; => bob-x-y@r{x-y} relay"),
    ResolveRow(
        "a list for a base", split, "jean-list-x@a", .verify,
        "asked jean-list@a; chain list jean-list@a; => jean-list@a list trusted"),
    ResolveRow(
        "moved for a base", split, "jean-old-x@a",
        "asked jean-old@a; chain moved jean-old@a; not jean-old@a moved to x@elsewhere"),
    ResolveRow(
        "postmaster with several separators", split, "postmaster-x+y@a",
        "asked postmaster@a; => postmaster@a{x+y} postmaster"),
    ResolveRow(
        "the longest base, whichever source has it",
        "domain a separators=+-\nuser jean@a\nsource\ndomain a separators=+-\nuser jean-luc@a", "jean-luc+x@a",
        "asked jean-luc@a; chain user jean-luc@a; => jean-luc@a{x}"),
    ResolveRow(
        "the shortest base of very many", "domain a separators=+-\nuser b@a", "b\(manySeparators)@a",
        "asked b@a; chain user b@a; => b@a{\(manySeparators.dropFirst())}"),
    ResolveRow(
        "a base with seven separators", split, "p-1-2-3-4-5-6-7+x@a",
        "asked p-1-2-3-4-5-6-7@a; chain user p-1-2-3-4-5-6-7@a; => p-1-2-3-4-5-6-7@a{x}"),
    ResolveRow(
        "a base with more separators than are tried", split, "q-1-2-3-4-5-6-7-8+x@a",
        "asked q-1-2-3-4-5-6-7-8+x@a; not q-1-2-3-4-5-6-7-8+x@a unknown"),
    ResolveRow(
        "one with more separators than are tried, exact", split, "q-1-2-3-4-5-6-7-8@a",
        "asked q-1-2-3-4-5-6-7-8@a; chain user q-1-2-3-4-5-6-7-8@a; => q-1-2-3-4-5-6-7-8@a"),
]

private let long = String(repeating: "l", count: 70)
private let longest = String(repeating: "m", count: 255)

private let lenient = """
    domain a
    domain c catch-all=fred@a
    domain r relay
    domain exa\u{200B}mple
    user fred@a
    user "x..y"@a
    user u@exam\u{AD}ple
    alias far@a \(long)@elsewhere "a..b"@elsewhere a.@elsewhere .a@elsewhere www@web_01.elsewhere
    alias wide@a x@\u{FF45}lsewhere
    """

/// What others have is taken as it is (RFC 5321 4.5.3.1); no wire may think otherwise than another.
private let lenientRows: [ResolveRow] = [
    ResolveRow("70 octets, local", lenient, "\(long)@a", "asked \(long)@a; not \(long)@a unknown"),
    ResolveRow("70 octets, catch-all", lenient, "\(long)@c", "asked \(long)@c; chain user fred@a; => fred@a"),
    ResolveRow("70 octets, relay", lenient, "\(long)@r", "asked \(long)@r; => \(long)@r relay"),
    ResolveRow("70 octets, not served", lenient, "\(long)@x", "asked \(long)@x; not \(long)@x not served"),
    ResolveRow("255 octets, local", lenient, "\(longest)@a", "asked \(longest)@a; not \(longest)@a unknown"),
    ResolveRow("255 octets, catch-all", lenient, "\(longest)@c", "asked \(longest)@c; chain user fred@a; => fred@a"),
    ResolveRow("255 octets, relay", lenient, "\(longest)@r", "asked \(longest)@r; => \(longest)@r relay"),
    ResolveRow("255 octets, not served", lenient, "\(longest)@x", "asked \(longest)@x; not \(longest)@x not served"),
    ResolveRow(
        "a long detail", lenient, "fred+\(longest.dropLast(5))@a",
        "asked fred@a; chain user fred@a; => fred@a{\(longest.dropLast(5))}"),
    ResolveRow("two dots, local", lenient, "a..b@a", "asked \"a..b\"@a; not \"a..b\"@a unknown"),
    ResolveRow("a last dot, local", lenient, "fred.@a", "asked \"fred.\"@a; not \"fred.\"@a unknown"),
    ResolveRow("two dots, on record", lenient, "X..Y@a", "asked \"x..y\"@a; chain user \"x..y\"@a; => \"x..y\"@a"),
    ResolveRow("a first dot, catch-all", lenient, ".a@c", "asked \".a\"@c; chain user fred@a; => fred@a"),
    ResolveRow("a last dot, relay", lenient, "a.@r", "asked \"a.\"@r; => \"a.\"@r relay"),
    ResolveRow("nothing but dots, relay", lenient, "..@r", "asked \"..\"@r; => \"..\"@r relay"),
    ResolveRow("two dots, not served", lenient, "a..b@x", "asked \"a..b\"@x; not \"a..b\"@x not served"),
    ResolveRow("an underscore in a domain", lenient, "www@web_01.x", "asked www@web_01.x; not www@web_01.x not served"),
    ResolveRow(
        "targets that only others have", lenient, "far@a",
        "asked far@a; chain alias far@a; to \(long)@elsewhere elsewhere, \"a..b\"@elsewhere elsewhere,"
            + " \"a.\"@elsewhere elsewhere, \".a\"@elsewhere elsewhere, www@web_01.elsewhere elsewhere"),
    ResolveRow(
        "a domain as it was mapped", lenient, "u@example", "asked u@example; chain user u@example; => u@example"),
    ResolveRow(
        "a domain to be mapped", lenient, "u@EXAM\u{FEFF}PLE", "asked u@example; chain user u@example; => u@example"),
    ResolveRow(
        "a target whose domain was mapped", lenient, "wide@a",
        "asked wide@a; chain alias wide@a; => x@elsewhere elsewhere"),
    ResolveRow(
        "what can't be seen in a local-part", lenient, "fr\u{200B}ed@a",
        "asked fr\u{200B}ed@a; not fr\u{200B}ed@a unknown"),
    ResolveRow(
        "a space that is none of ASCII", lenient, "fred\u{A0}@a", "asked fred\u{A0}@a; not fred\u{A0}@a unknown"),
]
