// Every example address of the RFCs that this room follows, read and said again. A new example is a new line.

import MailAddress
import Testing

@Suite struct ExampleTests {
    static let rfc821 = """
        ABC@MIT-MC.ARPA Account.Person@SU-SCORE.ARPA Admin.MRC@SU-SCORE.ARPA Brown@Beta.ARPA EAK@MIT-MC.ARPA
        Fonebone@USC-ISIQ.ARPA Fonebone@USC-ISIQA.ARPA Green@Beta.ARPA Green@ISI-VAXA.ARPA JOE@ABC.ARPA JOE@ABLE.ARPA
        JOE@HOSTW.ARPA JOE@THREE JQP@MIT-AI.ARPA John.Smith@USC-ISI.ARPA Jones@BBN-UNIX.ARPA Jones@BBN-VAX.ARPA
        Jones@Beta.ARPA Jones@MIT-Multics.ARPA Jones@USC-ISI.ARPA Jones@USC-ISIQ.ARPA Mockapetris@USC-ISIF.ARPA
        Paul@USC-ISIB.ARPA Postel@USC-ISI.ARPA Postel@USC-ISIF.ARPA Q-Smith@ISI-VAXA.ARPA SAM@HOSTZ.ARPA SAM@JKL.ARPA
        SMTP@HOSTY.ARPA SQSmith@USC-ISIQ.ARPA Smith@Alpha.ARPA Smith@ISI-VAXA.ARPA Smith@PDQ.ARPA Smith@USC-ISIF.ARPA
        Smith@USC-ISIQ.ARPA USERC@HOSTD.ARPA USERX@HOSTY.ARPA XYZ@MIT-AI.ARPA eric@BERKELEY.ARPA fabry@BERKELEY.ARPA
        fred@BBN-UNIX.ARPA fred@USC-ISIF.ARPA joe@foo-unix.ARPA mo@LBL-UNIX.ARPA user@domain xyz@bar-unix.ARPA
        """
    static let rfc5321 = """
        Admin.MRC@foo.com Brown@foo.com EAK@bar.com Fonebone@physics.foo-u.edu Green@foo.com JOE@THREE JQP@bar.com
        Jones@XYZ.COM Jones@foo.com Jones@xyz.com Postel@isi.edu SQSmith@specific.generic.com Smith@bar.com
        dweep@foo.com hsmith@foo.com ietf-ipr@ietf.org john+smtp@jck.com jsmith@foo.com local-part@domain user@d
        userc@d.bar.org userx@y.foo.org x@[123.255.37.2]
        """
    static let rfc6531 = "ima@ietf.org maowei_ietf@cnnic.cn yaojk@cnnic.cn"
    static let rfc5233 = """
        5551212#123@example.com ietf-ipr@ietf.org ietf-mta-filters@imc.org iana@iana.org ken+sieve@example.org
        ken@example.com ken@example.net murch@andrew.cmu.edu postmaster@example.com
        """
    static let mailboxes = (rfc821 + " " + rfc5321 + " " + rfc6531 + " " + rfc5233)
        .split(whereSeparator: \.isWhitespace).map(String.init)

    @Test(arguments: mailboxes) func mailboxIsReadAndSaid(_ example: String) throws {
        let mailbox = try Mailbox(example)
        #expect(mailbox.description == example)
        #expect(mailbox.isASCII)
        #expect(!mailbox.localPart.needsQuotes)
        #expect(try forwardPath("<\(example)>") == .mailbox(mailbox))
        #expect(try reversePath("<\(example)>") == .mailbox(mailbox))
        #expect(try Mailbox(example.lowercased()) == mailbox)
    }

    /// Paths with a source route, which is dropped (RFC 5321 appendix C, F.2).
    static let routes: [Spelling] = [
        Spelling("<@ONE,@TWO:JOE@THREE>", "JOE@THREE"),
        Spelling("<@USC-ISIF.ARPA:Q-Smith@ISI-VAXA.ARPA>", "Q-Smith@ISI-VAXA.ARPA"),
        Spelling("<@HOSTX.ARPA:JOE@HOSTW.ARPA>", "JOE@HOSTW.ARPA"),
        Spelling("<@HOSTA.ARPA,@HOSTB.ARPA:USERC@HOSTD.ARPA>", "USERC@HOSTD.ARPA"),
        Spelling("<@HOSTA.ARPA:USERX@HOSTY.ARPA>", "USERX@HOSTY.ARPA"),
        Spelling("<@HOSTB.ARPA:USERC@HOSTD.ARPA>", "USERC@HOSTD.ARPA"),
        Spelling("<@GHI.ARPA,@DEF.ARPA,@ABC.ARPA:JOE@ABC.ARPA>", "JOE@ABC.ARPA"),
        Spelling("<@CHARLIE.ARPA,@BAKER.ARPA:JOE@ABLE.ARPA>", "JOE@ABLE.ARPA"),
        Spelling("<@USC-ISIE.ARPA:Jones@BBN-VAX.ARPA>", "Jones@BBN-VAX.ARPA"),
        Spelling("<@USC-ISIE.ARPA:JQP@MIT-AI.ARPA>", "JQP@MIT-AI.ARPA"),
        Spelling("<@USC-ISIE.ARPA:ABC@MIT-MC.ARPA>", "ABC@MIT-MC.ARPA"),
        Spelling("<@USC-ISIE.ARPA:Fonebone@USC-ISIQA.ARPA>", "Fonebone@USC-ISIQA.ARPA"),
        Spelling("<@USC-ISIE.ARPA:XYZ@MIT-AI.ARPA>", "XYZ@MIT-AI.ARPA"),
        Spelling("<@USC-ISIE.ARPA,@USC-ISIF.ARPA:Q-Smith@ISI-VAXA.ARPA>", "Q-Smith@ISI-VAXA.ARPA"),
        Spelling("<@USC-ISIE.ARPA:joe@FOO-UNIX.ARPA>", "joe@FOO-UNIX.ARPA"),
        Spelling("<@USC-ISIE.ARPA:xyz@BAR-UNIX.ARPA>", "xyz@BAR-UNIX.ARPA"),
        Spelling("<@USC-ISIE.ARPA:fred@BBN-UNIX.ARPA>", "fred@BBN-UNIX.ARPA"),
        Spelling("<@hosta.int,@jkl.org:userc@d.bar.org>", "userc@d.bar.org"),
        Spelling("<@jkl.org:userc@d.bar.org>", "userc@d.bar.org"),
        Spelling("<@a,@b:user@d>", "user@d"),
        Spelling("<@[10.0.0.1]:user@d>", "user@d"),
    ]

    @Test(arguments: routes) func sourceRouteIsDropped(_ route: Spelling) throws {
        let mailbox = try Mailbox(route.least)
        #expect(try forwardPath(route.given) == .mailbox(mailbox))
        #expect(try reversePath(route.given) == .mailbox(mailbox))
    }

    /// RFC 5321 4.1.2: a single nine-character name, the comma being the fourth.
    @Test func joeSmith() throws {
        let mailbox = try Mailbox(#""Joe\,Smith"@example.com"#)
        #expect(mailbox.localPart.octets == Array("Joe,Smith".utf8))
        #expect(mailbox.description == #""Joe,Smith"@example.com"#)
    }
}
