// Lines that HTTP requests have become, whole and in pieces; answers to lines.

import LookupProtocols
import Testing

struct QmailDeliverableTests {
    enum Found: Hashable, Sendable {
        case deliverable(String)
        case close
        case answer(QmailDeliverableAnswer)
        case fail
    }

    static let long = String(repeating: "x", count: 10_000)

    static let rows: [(String, [Found])] = [
        ("GET /qd1/deliverable?a@b\n", [.deliverable("a@b")]), ("GET /qd1/deliverable?a%40b\n", [.deliverable("a@b")]),
        ("GET /qd1/deliverable?j%C3%bcrgen%40b\n", [.deliverable("jürgen@b")]),
        ("GET /qd1/deliverable?%22a%20b%22@b\n", [.deliverable("\"a b\"@b")]),
        ("GET /qd1/deliverable?a+x@b\n", [.deliverable("a+x@b")]),
        ("GET /qd1/deliverable?a%2Bx@b\n", [.deliverable("a+x@b")]),
        ("GET /qd1/deliverable?\n", [.deliverable("")]), ("GET /qd1/deliverable?a?b\n", [.deliverable("a?b")]),
        ("GET /qd1/deliverable?%00\n", [.deliverable("\0")]),
        ("GET /qd1/deliverable?a@b\nclose\n", [.deliverable("a@b"), .close]),
        ("GET /qd1/deliverable?%\n", [.answer(.malformed)]), ("GET /qd1/deliverable?a%4\n", [.answer(.malformed)]),
        ("GET /qd1/deliverable?%g0\n", [.answer(.malformed)]), ("GET /qd1/deliverable\n", [.answer(.noSuchPage)]),
        ("GET /qd1/deliverable/?a@b\n", [.answer(.noSuchPage)]), ("GET /\n", [.answer(.noSuchPage)]),
        ("GET http://x/qd1/deliverable?a@b\n", [.answer(.noSuchPage)]), ("GET \n", [.answer(.noSuchPage)]),
        ("get /qd1/deliverable?a@b\n", [.answer(.noSuchMethod)]),
        ("POST /qd1/deliverable?a@b\n", [.answer(.noSuchMethod)]),
        ("close /\n", [.answer(.noSuchMethod)]), (" /\n", [.answer(.noSuchMethod)]),
        ("GET /\(long)\nGET /\n", [.answer(.malformed), .answer(.noSuchPage)]),
        ("\n", [.fail]), ("GET\n", [.fail]), ("GET /qd1/deliverable?a@b", []),
    ]

    @Test(arguments: rows, [1, 7, 100_000])
    func read(row: (octets: String, found: [Found]), size: Int) {
        let found = steps(of: Array(row.octets.utf8), by: QmailDeliverableWire(), pieces: size).map { step -> Found in
            switch step {
            case .ask(.deliverable(let address), _): .deliverable(String(decoding: address, as: UTF8.self))
            case .ask(.close, _): .close
            case .answer(let answer, _): .answer(answer)
            case .fail, .incomplete: .fail
            }
        }
        #expect(found == row.found)
    }

    @Test(arguments: [
        (QmailDeliverableAnswer.deliverable, "200 241\n"), (.undeliverable, "200 0\n"), (.temporary, "503 34\n"),
        (.notLocal, "200 255\n"), (.noSuchPage, "404 Ask /qd1/deliverable?ADDRESS\n"),
        (.noSuchMethod, "405 Ask with GET\n"),
        (.malformed, "400 This is no request for /qd1/deliverable?ADDRESS\n"), (.silence, ""),
    ])
    func reply(answer: QmailDeliverableAnswer, line: String) {
        #expect(String(decoding: QmailDeliverableWire().reply(answer), as: UTF8.self) == line)
    }
}
