// CSV as RFC 4180 has it, with CRLF or LF, UTF-8 and perhaps a byte order mark. Read in chunks: memory is bounded
// however long the file is. Blank lines are passed over.

import MailAddress

/// Hands out the records of a file, one at a time.
struct CSVReader {
    /// Longest record in octets; a user's takes a tenth of it. It bounds what an open quote can swallow.
    static let recordLimit = 8192
    private static let chunk = 262_144

    /// Fills the start of a buffer; gives how many octets it has put there, 0 at the end.
    typealias Source = (UnsafeMutableRawBufferPointer) throws -> Int

    private let source: Source
    private var buffer = [UInt8](repeating: 0, count: chunk)
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    private var isAtStart = true
    private var record = CSVRecord()
    private var nextLine = 1

    /// The line on which the current record, or the faulty one, begins; from 1.
    private(set) var line = 0
    /// The text of the faulty one, as far as it can be read.
    private(set) var faultyLine = ""
    /// Octets that are read and done with.
    private(set) var consumed = 0

    init(source: @escaping Source) {
        self.source = source
    }

    /// How many fields the current record has.
    var fieldCount: Int { record.fields.count }

    /// The octets of a field of the current record, its quoting undone.
    func field(_ index: Int) -> ArraySlice<UInt8> { buffer[record.fields[index]] }

    /// What `body` makes of the octets of a field.
    func withField<Result, Failure: Error>(
        _ index: Int, _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(buffer.span.extracting(record.fields[index]))
    }

    /// Goes on to the next record.
    /// - Returns: false at the end.
    /// - Throws: `CSVFault` for a record, after which the next call goes on with the line after the one on which it
    ///   begins; and what the source throws.
    mutating func advance() throws -> Bool {
        while true {
            if end - start < Self.recordLimit { try fill() }
            guard start < end else { return false }
            line = nextLine
            let blank = blankLength
            if blank == 0 { break }
            pass(blank, lines: 1)
        }
        try readRecord()
        return true
    }

    private mutating func readRecord() throws {
        // Taken out, so that it can be written while the buffer is read.
        var record = CSVRecord()
        swap(&record, &self.record)
        defer { swap(&record, &self.record) }
        let limit = min(end, start + Self.recordLimit)
        do throws(CSVFault) {
            try record.read(buffer.span.extracting(..<limit), from: start, isWhole: isAtEnd && limit == end)
            let octets = buffer.span.extracting(start..<record.end)
            guard record.isASCII || Folding.isWellFormedUTF8(octets) else { throw .notUTF8 }
        } catch {
            let line = buffer[start..<limit].prefix { $0 != UInt8(ascii: "\n") }
            faultyLine = String(decoding: line, as: UTF8.self)
            try passLine()
            throw error
        }
        record.undouble(in: &buffer)
        pass(record.end - start, lines: record.lines)
    }

    /// The octets of a line without anything, which is no record; 0 when there is something.
    private var blankLength: Int {
        if buffer[start] == UInt8(ascii: "\n") { return 1 }
        guard buffer[start] == UInt8(ascii: "\r") else { return 0 }
        if start + 1 == end { return 1 }
        return buffer[start + 1] == UInt8(ascii: "\n") ? 2 : 0
    }

    private mutating func pass(_ count: Int, lines: Int) {
        start += count
        consumed += count
        nextLine += lines
    }

    /// Goes to the next line, however long this one is.
    private mutating func passLine() throws {
        while true {
            if let newline = buffer[start..<end].firstIndex(of: UInt8(ascii: "\n")) {
                return pass(newline + 1 - start, lines: 1)
            }
            pass(end - start, lines: 0)
            if isAtEnd { return }
            try fill()
        }
    }

    /// Makes a whole record be there, or all that is left.
    private mutating func fill() throws {
        if isAtEnd { return }
        let rest = start..<end
        buffer.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[rest])) }
        (start, end) = (0, rest.count)
        while end < Self.recordLimit, !isAtEnd {
            let got = try buffer.withUnsafeMutableBytes { bytes in
                try source(UnsafeMutableRawBufferPointer(rebasing: bytes[end...]))
            }
            isAtEnd = got == 0
            end += got
        }
        if isAtStart, buffer[..<end].starts(with: [0xEF, 0xBB, 0xBF]) { pass(3, lines: 0) }
        isAtStart = false
    }
}
