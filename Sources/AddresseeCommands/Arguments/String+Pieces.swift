// Several addresses in one argument, with commas between them.

extension String {
    /// What stands between commas, without the blanks around it; the text as it is where there is no comma. A comma in quotes
    /// or between angle brackets is a part of an address.
    var pieces: [String] {
        let pieces = pieces(between: [","])
        return pieces.count > 1 || hasSuffix(",") || hasPrefix(",") ? pieces : [self]
    }

    /// As `pieces`, for addresses that may have a name before them: a comma ends a member where what stands before it has an
    /// address, so that `Claude, Fred <fred@example.org>` is one.
    var memberPieces: [String] {
        var members: [String] = []
        var open = ""
        for piece in pieces {
            open = open.isEmpty ? piece : "\(open), \(piece)"
            if open.hasSuffix(">") || (open.contains("@") && !open.contains("<")) {
                members.append(open)
                open = ""
            }
        }
        if !open.isEmpty { members.append(open) }
        // One with commas in its name is one as it was given.
        return members.count == 1 && pieces.count > 1 ? [trimmed(of: [" ", "\t", ","])] : members
    }

    /// What stands between any of these characters, where they are not in quotes or between angle brackets.
    func pieces(between separators: Set<Unicode.Scalar>) -> [String] {
        var pieces: [String] = []
        var piece = String.UnicodeScalarView()
        var (isQuoted, isEscaped, isBracketed) = (false, false, false)
        for scalar in unicodeScalars {
            if separators.contains(scalar), !isQuoted, !isBracketed {
                pieces.append(String(piece).trimmed(of: [" ", "\t"]))
                piece = String.UnicodeScalarView()
                continue
            }
            piece.append(scalar)
            switch scalar {
            case "\"" where !isEscaped: isQuoted.toggle()
            case "<" where !isQuoted: isBracketed = true
            case ">" where !isQuoted: isBracketed = false
            default: break
            }
            isEscaped = scalar == "\\" && isQuoted && !isEscaped
        }
        pieces.append(String(piece).trimmed(of: [" ", "\t"]))
        return pieces.filter { !$0.isEmpty }
    }

    private func trimmed(of blanks: Set<Character>) -> String {
        guard let first = firstIndex(where: { !blanks.contains($0) }),
            let last = lastIndex(where: { !blanks.contains($0) })
        else { return "" }
        return String(self[first...last])
    }
}
