// Where lines end (RFC 5321 2.3.8, 4.5.3.1.4): however the octets are cut, the lines are the same.

import SMTPProtocol
import Testing

/// Feeds the pieces as a connection would: what is not consumed is kept. Overlong lines come out as "!".
func frame(_ pieces: [[UInt8]]) -> (lines: [String], held: Int) {
    var framing = LineFraming()
    var buffer: [UInt8] = []
    var lines: [String] = []
    var most = 0
    for piece in pieces {
        buffer += piece
        var at = 0
        reading: while true {
            switch framing.next(buffer.span, from: at) {
            case .line(let end, let next):
                lines.append(String(decoding: buffer[at..<end], as: UTF8.self))
                at = next
            case .overlong(let next, _):
                lines.append("!")
                at = next
            case .incomplete(let consumed):
                buffer.removeFirst(consumed)
                break reading
            }
        }
        most = max(most, buffer.count)
    }
    return (lines, most)
}

struct FramingTests {
    static let longest = String(repeating: "x", count: SMTPLimits.longestLine - 2)
    static let cases: [(String, [String])] = [
        ("NOOP\r\n", ["NOOP"]), ("\r\n", [""]), ("\r\n\r\n", ["", ""]), ("a\r\nb\r\nc", ["a", "b"]),
        ("a\nb\r\n", ["a\nb"]), ("a\rb\r\n", ["a\rb"]), ("a\r\r\n", ["a\r"]), ("\n\r\n", ["\n"]),
        ("a\n\rb\r\n", ["a\n\rb"]), ("\r\r\n\n\r\n", ["\r", "\n"]),
        (longest + "\r\nb\r\n", [longest, "b"]), (longest + "x\r\nb\r\n", ["!", "b"]),
        (longest + "\rx\r\nb\r\n", ["!", "b"]), (longest + "x\nb\r\nc\r\n", ["!", "c"]),
        (longest + longest + "\r\r\nb\r\n\r\n", ["!", "b", ""]),
        (longest + "xx\r\n" + longest + "y\r\n" + longest + "\r\n", ["!", "!", longest]),
    ]

    @Test(arguments: cases.indices)
    func everyCut(index: Int) {
        let (text, lines) = Self.cases[index]
        let octets = Array(text.utf8)
        for cut in 0...octets.count {
            #expect(frame([Array(octets[..<cut]), Array(octets[cut...])]).lines == lines, "cut at \(cut)")
        }
        #expect(frame(octets.map { [$0] }).lines == lines)
    }

    @Test func hundredKilobytes() {
        let line = [UInt8](repeating: 120, count: 100_000) + Array("\r\nNOOP\r\n".utf8)
        for size in [1, 2, 511, 4096, 100_001, 200_000] {
            let pieces = stride(from: 0, to: line.count, by: size).map { Array(line[$0..<min($0 + size, line.count)]) }
            let (lines, held) = frame(pieces)
            #expect(lines == ["!", "NOOP"])
            #expect(held <= SMTPLimits.longestLine)
        }
    }
}
