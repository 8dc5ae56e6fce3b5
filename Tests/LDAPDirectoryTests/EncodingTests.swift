// What goes to a server as text: filters, names, ordered values.

import CLDAP
import MailAddress
import Testing

@testable import LDAPDirectory

private func octets(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct EncodingTests {
    static let filterRows: [(LDAPFilter, String)] = [
        (.equal("cn", octets("Babs Jensen")), "(cn=Babs Jensen)"),
        (.not(.equal("cn", octets("Tim Howes"))), "(!(cn=Tim Howes))"),
        (
            .and([
                .equal("objectClass", octets("Person")),
                .or([.equal("sn", octets("Jensen")), .substring("cn", initial: octets("Babs J"))]),
            ]), "(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))"
        ),
        (.substring("o", initial: octets("univ"), any: [octets("of"), octets("mich")]), "(o=univ*of*mich*)"),
        (.equal("seeAlso", []), "(seeAlso=)"),
        (.and([]), "(&)"), (.or([]), "(|)"), (.present("mail"), "(mail=*)"),
        (.substring("cn", any: [octets("*")]), "(cn=*\\2A*)"),
        (.substring("cn", final: octets("x")), "(cn=*x)"),
        (.substring("cn", any: [[], octets("x")]), "(cn=*x*)"),
        (
            .equal("o", octets("Parens R Us (for all your parenthetical needs)")),
            "(o=Parens R Us \\28for all your parenthetical needs\\29)"
        ),
        (.equal("filename", octets("C:\\MyFile")), "(filename=C:\\5CMyFile)"),
        (.equal("bin", [0, 0, 0, 4]), "(bin=\\00\\00\\00\\04)"),
        (.equal("sn", octets("Lučić")), "(sn=Lu\\C4\\8Di\\C4\\87)"),
        (.equal("sn", [0xFF, 0xC4]), "(sn=\\FF\\C4)"),
        (.equal("uid", octets("fred)(uid=*")), "(uid=fred\\29\\28uid=\\2A)"),
        (.equal("uid", [0x7F, 0x0A]), "(uid=\\7F\\0A)"),
    ]

    /// The examples of RFC 4515 4, among others.
    @Test(arguments: filterRows)
    func filters(filter: LDAPFilter, text: String) {
        #expect(filter.text == text)
    }

    @Test func noValueEscapesItsPlace() {
        for octet in UInt8.min...UInt8.max {
            let text = LDAPFilter.equal("a", [octet]).octets
            let value = text[3..<(text.count - 1)]
            #expect(value.count == 1 || value.first == 0x5C)
            #expect(!value.contains { [0x28, 0x29, 0x2A, 0x00].contains($0) || $0 >= 0x7F })
        }
    }

    @Test(arguments: [
        ("mail", true), ("a", true), ("mgrpRFC822MailMember", true), ("x-y", true), ("2.16.840.1.113730.3.1.13", true),
        ("0.9", true), ("", false), ("1", false), ("-a", false), ("1a", false), ("mail;lang-de", false), ("a b", false),
        ("a)(b=*", false), ("mail*", false), ("1..2", false), ("1.02", false), ("1.2.", false), ("é", false),
        ("a\0", false), (String(repeating: "a", count: 101), false),
    ])
    func attributeNames(text: String, isName: Bool) {
        #expect((AttributeName(text) != nil) == isName)
    }

    @Test func attributeNamesCompareWithoutCase() {
        #expect(AttributeName("MAIL" as String) == AttributeName("mail" as String))
        let name: AttributeName? = AttributeName("MAIL" as String)
        #expect(name?.description == "MAIL")
    }

    @Test(arguments: [
        ("fred@example.org", "fred@example.org"), ("James \"Jim\" Smith, III", "James \\22Jim\\22 Smith\\2C III"),
        (" x ", "\\20x\\20"), ("#1#", "\\231#"), ("a=b+c", "a\\3Db\\2Bc"), ("<;>\\", "\\3C\\3B\\3E\\5C"),
        ("Before\rAfter", "Before\\0DAfter"), ("Lučić", "Lu\\C4\\8Di\\C4\\87"), ("", ""), (" ", "\\20"), ("a b", "a b"),
    ])
    func namesEscaped(value: String, text: String) {
        #expect(DistinguishedName.escaped(octets(value)) == text)
    }

    /// libldap reads back what was meant.
    @Test(arguments: [" a", "a ", "#a", "a,b", "a=b", "\"", "a\\b", "é", "a+b@c", "x;y", "\u{1}", " "])
    func namesReadBack(value: String) throws {
        var parsed: LDAPDN?
        let dn = DistinguishedName.component("cn", octets(value)) + ",o=x"
        #expect(ldap_str2dn(dn, &parsed, UInt32(LDAP_DN_FORMAT_LDAPV3)) == LDAP_SUCCESS)
        let dnValue = try #require(parsed)
        defer { ldap_dnfree(dnValue) }
        let component = try #require(dnValue[0]?[0]?.pointee)
        let read = UnsafeRawBufferPointer(start: component.la_value.bv_val, count: Int(component.la_value.bv_len))
        #expect(Array(read) == octets(value))
    }

    @Test func namesCompared() {
        func key(_ text: String) -> [UInt8] { DistinguishedName.key(octets(text)) }
        #expect(key("CN=Fred Claude, O = Test") == key("cn=fred claude,o=test"))
        #expect(key("cn=a") != key("cn=b"))
    }

    @Test(arguments: [
        ("0 fred@a", 0, "fred@a", ""), ("12 \"a b\"@c Ann B", 12, "\"a b\"@c", "Ann B"),
        ("7 é@bücher.example  x", 7, "é@bücher.example", " x"), ("003 a@b", 3, "a@b", ""),
    ])
    func orderedValues(text: String, position: Int, address: String, name: String) throws {
        let value = try #require(OrderedValue(octets(text)))
        #expect(value.position == position)
        #expect(value.mailbox.description == address)
        #expect(String(decoding: value.name, as: UTF8.self) == name)
        #expect(OrderedValue(value.octets) == value)
    }

    @Test(arguments: ["", "0", "0 ", "a@b", " a@b", "x a@b", "0 a", "0 a@b,c@d", "-1 a@b", "99999999999 a@b", "0 a@"])
    func noOrderedValues(text: String) {
        #expect(OrderedValue(octets(text)) == nil)
    }

    @Test(arguments: [
        ("ldap:///ou=people,o=test??sub?(mail=*)", "ou=people,o=test", LDAPScope.subtree, "(mail=*)"),
        ("ldap:///o=test??one?(a=b%20c)", "o=test", .one, "(a=b c)"),
        ("ldap:///cn=x", "cn=x", .base, "(objectClass=*)"),
        ("ldap:///o=test?mail,cn?sub", "o=test", .subtree, "(objectClass=*)"),
    ])
    func urls(text: String, base: String, scope: LDAPScope, filter: String) throws {
        let url = try #require(LDAPURL(octets(text)))
        #expect(url.base == base)
        #expect(url.scope == scope)
        #expect(url.filter == filter)
    }

    @Test(arguments: ["", "http://x/", "ldap://elsewhere/o=x??sub", "ldap:///o=x????!ext=1", "o=x", "ldap:///o=x\0"])
    func noURLs(text: String) {
        #expect(LDAPURL(octets(text)) == nil)
    }

    @Test(arguments: [
        ("( 2.5.4.3 NAME ( 'cn' 'commonName' ) DESC 'x y' SUP name )", ["2.5.4.3", "cn", "commonname"]),
        ("( 1.2.3 NAME 'mailAlias' DESC 'd' )", ["1.2.3", "mailalias"]), ("( 1.2.3 DESC 'd' )", ["1.2.3"]), ("", []),
    ])
    func definitions(text: String, names: [String]) {
        #expect(LDAPHandle.names(octets(text)) == names)
    }

    @Test(arguments: [
        ("Fred Claude", "Fred Claude"), ("A <b>", "A  b "), ("A\r\n250 ok", "A  250 ok"), ("é\u{85}", "é "), ("  ", ""),
        ("<>", ""),
    ])
    func cleanNames(name: String, clean: String) {
        #expect(PersonName.clean(octets(name)) == clean)
    }

    @Test func cleanNamesAreShortAndWellFormed() {
        let long = PersonName.clean(octets(String(repeating: "é", count: 150)))
        #expect(long == String(repeating: "é", count: 100))
        #expect(PersonName.clean([0x41, 0xFF]) == "A\u{FFFD}")
    }

    /// What takes a change back: an entry that was removed is put there again as it was, without the server's mark.
    @Test func inverses() throws {
        let before = LDAPEntry(
            dn: "cn=x", attributes: ["cn": [octets("x")], "mail": [octets("a@b"), octets("c@d")], "entrycsn": [[1]]])
        let removal = LDAPOperation.delete(dn: "cn=x")
        let again = try #require(removal.inverse(before: before))
        #expect(again.isAdd && again.dn == "cn=x")
        #expect(again.modifications.map(\.name) == ["cn", "mail"])
        #expect(again.modifications.map(\.values) == [[octets("x")], [octets("a@b"), octets("c@d")]])
        #expect(removal.inverse(before: nil) == nil)
        let added = again.inverse(before: nil)
        #expect(added?.dn == "cn=x" && added?.modifications.isEmpty == true && added?.isAdd == false)
        let change = LDAPOperation.modify(
            dn: "cn=x",
            [
                LDAPModification(isAdded: false, name: "cn", values: [octets("x")]),
                LDAPModification(isAdded: true, name: "cn", values: [octets("y")]),
            ])
        let back = change.inverse(before: nil)?.modifications ?? []
        #expect(back.map(\.isAdded) == [false, true] && back.map(\.values) == [[octets("y")], [octets("x")]])
    }

    /// What a server will refuse again, and what it may take the next time.
    @Test(arguments: [
        (LDAP_INSUFFICIENT_ACCESS, true), (LDAP_STRONG_AUTH_REQUIRED, true), (LDAP_OBJECT_CLASS_VIOLATION, true),
        (LDAP_UNDEFINED_TYPE, true), (LDAP_CONSTRAINT_VIOLATION, true), (LDAP_INVALID_SYNTAX, true),
        (LDAP_NAMING_VIOLATION, true), (LDAP_NO_SUCH_OBJECT, true), (LDAP_REFERRAL, true),
        (LDAP_UNWILLING_TO_PERFORM, true), (LDAP_BUSY, false), (LDAP_UNAVAILABLE, false), (LDAP_OTHER, false),
        (LDAP_ASSERTION_FAILED, false), (LDAP_TIMELIMIT_EXCEEDED, false), (LDAP_SERVER_DOWN, false),
    ])
    func refusals(code: Int32, isForGood: Bool) {
        #expect(LDAPFailure.result(code, said: "", uri: "ldap://x", base: "").isForGood == isForGood)
        #expect(!LDAPFailure(.timedOut, "late").isForGood)
    }

    /// Classes and values are one set each, and a class is the same in capitals.
    @Test func drafts() {
        var draft = EntryDraft(
            LDAPEntry(dn: "cn=x", attributes: ["objectclass": ["TOP", "QMailUser"].map(octets), "cn": [octets("x")]]))
        draft.addClass("qmailUser")
        draft.add("cn", octets("x"))
        draft.removeClasses(["person"])
        #expect(draft.modifications.isEmpty)
        draft.removeClasses(["qmailUser"])
        draft.addClass("person")
        draft.add("cn", octets("X"))
        draft.set("sn", [])
        #expect(draft.entry.texts("objectClass") == ["TOP", "person"] && draft.entry.texts("cn") == ["x", "X"])
        #expect(draft.modifications.map(\.isAdded) == [false, true, true])
        #expect(draft.modifications.map(\.values) == [[octets("QMailUser")], [octets("person")], [octets("X")]])
    }

    /// What goes beside a request: a server that has no pages gives all the same, one that asserts nothing must not write.
    @Test func controls() throws {
        let settings = LDAPSettings(uris: [], base: "o=x", preset: .inetorgperson)
        let handle = try LDAPHandle(unconnected: "ldap://127.0.0.1:1", settings: settings)
        var search = LDAPSearch(base: "o=x", scope: .subtree, filter: "(a=b)", attributes: [])
        #expect(try handle.pageControl(search, cookie: []) == nil)
        search.page = 500
        let page = try #require(try handle.pageControl(search, cookie: [1, 2]))
        defer { ldap_control_free(page) }
        #expect(String(cString: page.pointee.ldctl_oid) == LDAP_CONTROL_PAGEDRESULTS)
        #expect(page.pointee.ldctl_iscritical == 0)
        let value = [0x30, 0x08, 0x02, 0x02, 0x01, 0xF4, 0x04, 0x02, 0x01, 0x02] as [UInt8]
        #expect(LDAPHandle.octets(page.pointee.ldctl_value) == value)
        let assertion = try handle.assertionControl(.equal("entryCSN", octets("x")), .delete(dn: "o=x"))
        defer { ldap_control_free(assertion) }
        #expect(String(cString: assertion.pointee.ldctl_oid) == LDAP_CONTROL_ASSERT)
        #expect(assertion.pointee.ldctl_iscritical != 0)
    }

    @Test(
        arguments: [
            (["o=a", "ou=b,o=a", "o=c"], "cn=x,ou=b,o=a", "ou=b,o=a"), (["OU=b, o=a", "o=a"], "ou=b,o=a", "OU=b, o=a"),
            (["o=a", "ou=b,o=a"], "ou=c,o=a", "o=a"), (["o=a", "ou=b,o=a"], "xou=b,o=a", "o=a"), (["o=a"], "o=b", nil),
            (["", "o=a"], "o=b", ""), ([], "o=a", nil),
        ] as [([String], String, String?)])
    func databases(contexts: [String], base: String, expected: String?) {
        #expect(LDAPHandle.innermost(contexts, with: base) == expected)
        #expect(LDAPHandle.innermost(contexts.reversed(), with: base) == expected)
    }

    /// Where a password goes no further than this machine.
    @Test(arguments: [
        ("ldap://127.0.0.1", true), ("ldap://127.9.9.9:389/", true), ("ldap://localhost", true),
        ("ldap://LOCALHOST:3389", true), ("ldap://[::1]:389", true), ("ldap://[0:0:0:0:0:0:0:1]", true),
        ("ldap://128.0.0.1", false), ("ldap://10.127.0.1", false), ("ldap://127.0.0.1.example.org", false),
        ("ldap://127.example.org", false), ("ldap://localhost.example.org", false), ("ldap://[::2]", false),
        ("ldap://127.0.0", false), ("ldap://127.0.0.0.1", false), ("ldap://127.0.0.256", false), ("nonsense", false),
    ])
    func loopback(uri: String, isLoopback: Bool) {
        #expect(LDAPURL.isLoopback(uri) == isLoopback)
    }
}
