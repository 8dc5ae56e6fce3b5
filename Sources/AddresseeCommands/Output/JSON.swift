// What `--json` prints. Keys are the names of the options in camelCase, and `record` tells the kind of record; a key is
// never left out: what there is none of is null. The shapes are in Record+JSON.swift, Verdict+JSON.swift and
// Resolution+JSON.swift.

import Foundation

/// A JSON value.
enum JSON: Hashable, Sendable, Encodable {
    case null
    case bool(Bool)
    case number(Int)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// A string, or null for none.
    init(_ text: String?) {
        self = text.map(JSON.string) ?? .null
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let values): try container.encode(values)
        case .object(let members): try container.encode(members)
        }
    }

    /// On one line, keys in alphabetical order.
    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}

extension Output {
    /// Writes one value on a line of its own.
    func json(_ value: JSON) throws {
        try write(try value.text() + "\n")
    }
}

/// An array that is written element by element, one a line.
struct JSONArray {
    private var lines: Lines
    private var isEmpty = true

    init(to output: Output) {
        lines = Lines(to: output)
    }

    mutating func add(_ value: JSON) throws {
        try lines.write((isEmpty ? "[\n" : ",\n") + (try value.text()))
        isEmpty = false
    }

    mutating func finish() throws {
        try lines.write(isEmpty ? "[]\n" : "\n]\n")
        try lines.finish()
    }
}
