// Text from people and from directories, made safe to show on a terminal and to put in one line.

extension String {
    /// With what a terminal would obey, or a reader would not see, as an escape: controls, line ends, and the marks that
    /// turn the direction of text round.
    var printable: String {
        if utf8.allSatisfy({ $0 >= 32 && $0 < 127 }) { return self }
        var text = ""
        for scalar in unicodeScalars {
            if scalar.isShown { text.unicodeScalars.append(scalar) } else { text += scalar.escaped(asASCII: true) }
        }
        return text
    }

    /// In quotes, printable, and cut when it is too long for a message.
    var quoted: String {
        let limit = 80
        let text = printable
        return text.count > limit ? "\"\(text.prefix(limit))…\"" : "\"\(text)\""
    }

    /// Cells of a terminal that the text takes, as most terminals reckon.
    var columns: Int {
        if utf8.allSatisfy({ $0 < 128 }) { return utf8.count }
        return reduce(0) { $0 + $1.columns }
    }

    /// What fits into so many cells, with a mark at its end where something is left out.
    func cut(to columns: Int) -> String {
        if self.columns <= columns { return self }
        var text = ""
        var room = columns - 1
        for character in self {
            room -= character.columns
            if room < 0 { break }
            text.append(character)
        }
        return columns > 0 ? text + "…" : ""
    }

    /// With spaces up to so many cells.
    func padded(to columns: Int) -> String {
        self + String(repeating: " ", count: max(0, columns - self.columns))
    }
}

extension Character {
    fileprivate var columns: Int { unicodeScalars.map(\.columns).max() ?? 0 }
}

extension Unicode.Scalar {
    fileprivate var isShown: Bool {
        switch value {
        case 0..<32, 127...159, 0x2028...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0xFEFF: false
        default: true
        }
    }

    fileprivate var columns: Int {
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        if properties.isEmojiPresentation { return 2 }
        switch value {
        // East Asian Wide and Fullwidth (UAX 11).
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
