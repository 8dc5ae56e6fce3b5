// How the tables of these tests hand their lines to the parsers, and what they keep of the answer.

import MailAddress
import Testing

/// A well-formed spelling, and the spelling with the least quoting.
struct Spelling: Sendable, CustomTestStringConvertible {
    let given: String
    let least: String

    init(_ given: String, _ least: String? = nil) {
        self.given = given
        self.least = least ?? given
    }

    var testDescription: String { given }
}

/// A spelling that must be refused, and why.
struct Fault: Sendable, CustomTestStringConvertible {
    let given: [UInt8]
    let error: AddressSyntaxError

    init(_ given: String, _ error: AddressSyntaxError) { self.init(Array(given.utf8), error) }

    init(_ given: [UInt8], _ error: AddressSyntaxError) {
        self.given = given
        self.error = error
    }

    var testDescription: String { "\(String(decoding: given.prefix(60), as: UTF8.self)): \(error)" }
}

/// Reads a path and wants all of it to be read.
func forwardPath(_ given: [UInt8]) throws(AddressSyntaxError) -> ForwardPath {
    var index = 0
    let path = try ForwardPath.parse(given.span, from: &index)
    #expect(index == given.count)
    return path
}

func forwardPath(_ given: String) throws(AddressSyntaxError) -> ForwardPath { try forwardPath(Array(given.utf8)) }

func reversePath(_ given: [UInt8]) throws(AddressSyntaxError) -> ReversePath {
    var index = 0
    let path = try ReversePath.parse(given.span, from: &index)
    #expect(index == given.count)
    return path
}

func reversePath(_ given: String) throws(AddressSyntaxError) -> ReversePath { try reversePath(Array(given.utf8)) }

func mailbox(_ given: [UInt8]) throws(AddressSyntaxError) -> Mailbox { try Mailbox(octets: given.span) }

func spelled(_ mailbox: Mailbox) -> [UInt8] {
    var bytes: [UInt8] = []
    mailbox.append(to: &bytes)
    return bytes
}

func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }
