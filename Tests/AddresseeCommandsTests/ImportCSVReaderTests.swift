// CSV as RFC 4180 has it, however it is cut into pieces.

import Testing

@testable import AddresseeCommands

@Suite struct ImportCSVReaderTests {
    /// A record with its line, or a fault with its line.
    enum Row: Equatable {
        case record(Int, [String])
        case fault(Int, CSVFault)
    }

    static func reader(_ bytes: [UInt8], pieces: Int = 65536) -> CSVReader {
        var rest = bytes[...]
        return CSVReader { buffer in
            let piece = rest.prefix(min(pieces, buffer.count))
            buffer.copyBytes(from: piece)
            rest = rest.dropFirst(piece.count)
            return piece.count
        }
    }

    private func rows(_ bytes: [UInt8], pieces: Int) throws -> [Row] {
        var reader = Self.reader(bytes, pieces: pieces)
        var rows: [Row] = []
        while true {
            do {
                guard try reader.advance() else { break }
                let fields = (0..<reader.fieldCount).map { String(decoding: reader.field($0), as: UTF8.self) }
                rows.append(.record(reader.line, fields))
            } catch let fault as CSVFault {
                rows.append(.fault(reader.line, fault))
            }
        }
        #expect(reader.consumed == bytes.count)
        return rows
    }

    static let files: [(text: String, rows: [Row])] = [
        ("", []),
        ("\n\r\n\n", []),
        ("a", [.record(1, ["a"])]),
        ("a,b\n", [.record(1, ["a", "b"])]),
        ("a,b\r\nc,d\r\n", [.record(1, ["a", "b"]), .record(2, ["c", "d"])]),
        ("a,b\nc,d", [.record(1, ["a", "b"]), .record(2, ["c", "d"])]),
        ("a\r", [.record(1, ["a"])]),
        (",\n,,", [.record(1, ["", ""]), .record(2, ["", "", ""])]),
        ("a,\r\n", [.record(1, ["a", ""])]),
        ("\u{FEFF}a,b\nc", [.record(1, ["a", "b"]), .record(2, ["c"])]),
        ("\n\na\r\n\r\nb\n", [.record(3, ["a"]), .record(5, ["b"])]),
        ("\"a\",\"b\"\r\nc", [.record(1, ["a", "b"]), .record(2, ["c"])]),
        ("\"\"\n", [.record(1, [""])]),
        ("\"a,b\",c\n", [.record(1, ["a,b", "c"])]),
        ("\"say \"\"hi\"\"\",\"\"\"\"\n", [.record(1, ["say \"hi\"", "\""])]),
        ("\"a\nb\r\nc\",d\ne\n", [.record(1, ["a\nb\r\nc", "d"]), .record(4, ["e"])]),
        (" a , b \n", [.record(1, [" a ", " b "])]),
        ("a\rb\n", [.record(1, ["a\rb"])]),
        ("jürg,ünï\n", [.record(1, ["jürg", "ünï"])]),
        // What is wrong costs its line only.
        ("a\"b\nc\n", [.fault(1, .strayQuote), .record(2, ["c"])]),
        ("a,b\"\nc\n", [.fault(1, .strayQuote), .record(2, ["c"])]),
        ("\"a\"b\nc\n", [.fault(1, .strayQuote), .record(2, ["c"])]),
        ("\"a\" ,b\nc\n", [.fault(1, .strayQuote), .record(2, ["c"])]),
        ("\"a\"\rb\nc\n", [.fault(1, .strayQuote), .record(2, ["c"])]),
        ("\"a\nb\n\nc", [.fault(1, .unterminatedQuote), .record(2, ["b"]), .record(4, ["c"])]),
        ("x\n\"a,b\nc,\"d\"\n", [.record(1, ["x"]), .fault(2, .strayQuote), .record(3, ["c", "d"])]),
        ("\"", [.fault(1, .unterminatedQuote)]),
        ("\"\"\"", [.fault(1, .unterminatedQuote)]),
    ]

    @Test(arguments: files, [1, 2, 7, 65536]) func reads(_ file: (text: String, rows: [Row]), pieces: Int) throws {
        #expect(try rows(Array(file.text.utf8), pieces: pieces) == file.rows)
    }

    @Test(arguments: [[0x80], [0xC3], [0xED, 0xA0, 0x80], [0xFF]] as [[UInt8]])
    func refusesWhatIsNotUTF8(_ octets: [UInt8]) throws {
        let bytes = Array("a,".utf8) + octets + Array("\nb\n".utf8)
        #expect(try rows(bytes, pieces: 3) == [.fault(1, .notUTF8), .record(2, ["b"])])
    }

    @Test func boundsWhatALineTakes() throws {
        let limit = CSVReader.recordLimit
        let fits = String(repeating: "x", count: limit - 1)
        for length in [limit, limit + 1, 3 * limit, 1_000_000] {
            let long = String(repeating: "x", count: length)
            #expect(
                try rows(Array("a\n\(fits)\n\(long)\nb\n".utf8), pieces: 10_000)
                    == [.record(1, ["a"]), .record(2, [fits]), .fault(3, .tooLong), .record(4, ["b"])])
        }
        let lines = String(repeating: "x\n", count: limit)
        let open = try rows(Array("\"a\n\(lines)".utf8), pieces: 10_000)
        #expect(open.count == limit + 1)
        #expect(open.first == .fault(1, .unterminatedQuote))
        #expect(open.last == .record(limit + 1, ["x"]))
    }

    @Test func readsOverChunks() throws {
        let text = (1...100_000).map { "user\($0)@example.org,\"Name, \($0)\"\r\n" }.joined()
        let all = try rows(Array(text.utf8), pieces: .max)
        #expect(all.count == 100_000)
        #expect(all[77_776] == .record(77_777, ["user77777@example.org", "Name, 77777"]))
    }

    @Test func linesOfUsers() {
        var lines = LineNumbers()
        for line in [2, 3, 4, 7, 8, 10, 11, 12] { lines.append(line) }
        #expect((0..<9).map { lines[$0] } == [2, 3, 4, 7, 8, 10, 11, 12, 0])
        #expect(lines[-1] == 0)
    }
}
