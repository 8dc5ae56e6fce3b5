// What mail data means, written once more and as plainly as can be: by searching whole octets, not by states.

enum MessageRules {
    /// How many octets the message and its end have: up to the first dot alone on a line; nil when it has not come. The
    /// CR LF before the first line is that of DATA.
    static func end(of data: [UInt8]) -> Int? {
        let all = [13, 10] + data
        guard all.count >= 5 else { return nil }
        for index in 0...(all.count - 5) where Array(all[index..<index + 5]) == [13, 10, 46, 13, 10] {
            return index + 5 - 2
        }
        return nil
    }

    /// The message, from data with its end.
    static func content(of data: [UInt8]) -> [UInt8] {
        var content: [UInt8] = []
        var isLineStart = true
        for (index, octet) in data.dropLast(3).enumerated() {
            if !isLineStart || octet != 46 { content.append(octet) }
            isLineStart = octet == 10 && index > 0 && data[index - 1] == 13
        }
        return content
    }

    static func holdsBareLineEnd(_ data: [UInt8]) -> Bool {
        for index in data.indices {
            if data[index] == 10, index == 0 || data[index - 1] != 13 { return true }
            if data[index] == 13, index + 1 == data.count || data[index + 1] != 10 { return true }
        }
        return false
    }
}
