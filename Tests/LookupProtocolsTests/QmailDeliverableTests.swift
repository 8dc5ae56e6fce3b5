// Requests over HTTP, and the answers to them.

import LookupProtocols
import Testing

struct QmailDeliverableTests {
    static let long = String(repeating: "x", count: 10_000)

    @Test(arguments: [
        ("/qd1/deliverable?a@b", "a@b"), ("/qd1/deliverable?a%40b", "a@b"),
        ("/qd1/deliverable?j%C3%bcrgen%40b", "jürgen@b"), ("/qd1/deliverable?jürgen@b", "jürgen@b"),
        ("/qd1/deliverable?%22a%20b%22@b", "\"a b\"@b"), ("/qd1/deliverable?a+x@b", "a+x@b"),
        ("/qd1/deliverable?a%2Bx@b", "a+x@b"), ("/qd1/deliverable?", ""), ("/qd1/deliverable?a?b", "a?b"),
        ("/qd1/deliverable?%00", "\0"),
    ])
    func deliverable(target: String, address: String) {
        #expect(QmailDeliverableRequest(method: "GET", target: target) == .deliverable(Array(address.utf8)))
    }

    @Test(arguments: [
        ("GET", "/qd1/deliverable?%", QmailDeliverableAnswer.malformed), ("GET", "/qd1/deliverable?a%4", .malformed),
        ("GET", "/qd1/deliverable?%g0", .malformed), ("GET", "/qd1/deliverable?\(long)", .malformed),
        ("GET", "/\(long)", .malformed), ("GET", "/qd1/deliverable", .noSuchPage),
        ("GET", "/qd1/deliverable/?a@b", .noSuchPage), ("GET", "/", .noSuchPage), ("GET", "", .noSuchPage),
        ("GET", "http://x/qd1/deliverable?a@b", .noSuchPage), ("get", "/qd1/deliverable?a@b", .noSuchMethod),
        ("POST", "/qd1/deliverable?a@b", .noSuchMethod), ("", "/qd1/deliverable?a@b", .noSuchMethod),
    ])
    func refused(method: String, target: String, answer: QmailDeliverableAnswer) {
        #expect(QmailDeliverableRequest(method: method, target: target) == .refused(answer))
    }

    @Test(arguments: [
        (QmailDeliverableAnswer.deliverable, 200, "241\n"), (.undeliverable, 200, "0\n"), (.temporary, 503, "34\n"),
        (.notLocal, 200, "255\n"), (.noSuchPage, 404, "Ask /qd1/deliverable?ADDRESS\n"),
        (.noSuchMethod, 405, "Ask with GET\n"),
        (.malformed, 400, "This is no request for /qd1/deliverable?ADDRESS\n"),
    ])
    func response(answer: QmailDeliverableAnswer, status: Int, text: String) {
        #expect(answer.status == status)
        #expect(answer.text == text)
    }
}
