// How full names and bare names are compared: without case, and by whole words.

import MailAddress

public enum NameFolding {
    /// Lower case (NFC where it is not ASCII), with runs of white space made one space and none at the ends.
    public static func fold(_ name: [UInt8]) -> [UInt8] {
        var tidy: [UInt8] = []
        tidy.reserveCapacity(name.count)
        for octet in name {
            if isSpace(octet) {
                if let last = tidy.last, last != space { tidy.append(space) }
            } else {
                tidy.append(octet)
            }
        }
        if tidy.last == space { tidy.removeLast() }
        return Folding.fold(tidy)
    }

    /// The folded full name and each whole word of it, once each: the keys under which a person is found.
    ///
    /// A word ends at white space; punctuation around it does not count, so `Claude, Fred` has the words `claude` and
    /// `fred`, and `O'Brien` and `Jean-Luc` are one word each.
    public static func keys(ofFullName name: String) -> [[UInt8]] {
        let whole = fold(Array(name.utf8))
        if whole.isEmpty { return [] }
        var keys = [whole]
        for part in whole.split(separator: space) {
            let word = trimmed(part)
            if !word.isEmpty, !keys.contains(where: { $0.elementsEqual(word) }) { keys.append(Array(word)) }
        }
        return keys
    }

    /// The octets that may stand beside a word and are no part of it: white space and ASCII punctuation.
    public static let betweenWords: [UInt8] = (0..<0x80).filter { isSpace($0) || isPunctuation($0) }

    private static let space = UInt8(ascii: " ")

    private static func isSpace(_ octet: UInt8) -> Bool { octet == space || (9...13).contains(octet) }

    private static func isPunctuation(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
        default: false
        }
    }

    private static func trimmed(_ word: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var word = word
        while let first = word.first, isPunctuation(first) { word.removeFirst() }
        while let last = word.last, isPunctuation(last) { word.removeLast() }
        return word
    }
}
