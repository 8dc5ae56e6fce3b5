// An address as it comes out of another program: between angle brackets, after a name or "mailto:", in quotes. It is not
// taken for one, for a name beside it or a second address would be lost without a word; but what was meant can be said.

import Foundation
import MailAddress
import MailboxDirectory

extension String {
    /// The address in a text that is more than that; nil where there is none, or the text is an address itself.
    var pastedAddress: Mailbox? {
        var text = self[...]
        if let open = text.lastIndex(of: "<"), let close = text.lastIndex(of: ">"), open < close {
            text = text[text.index(after: open)..<close]
        }
        text = text.stripped
        let scheme = "mailto:"
        if text.prefix(scheme.count).lowercased() == scheme {
            let address = text.dropFirst(scheme.count).prefix { $0 != "?" }
            text = (address.removingPercentEncoding ?? String(address))[...]
        }
        text = text.stripped
        guard text != self, let mailbox = try? Mailbox(String(text)), AddressFault(ofTarget: mailbox) == nil else {
            return nil
        }
        return mailbox
    }
}

extension Substring {
    /// Without blanks, quotes and brackets around it, and the comma or the full stop of the sentence it stood in.
    fileprivate var stripped: Substring {
        let around: Set<Character> = ["\"", "'", "`", "“", "”", "„", "‘", "’", "«", "»", "‹", "›", "(", ")", "<", ">"]
        let after: Set<Character> = [",", ";", ".", ":"]
        var text = self
        while let first = text.first, around.contains(first) || first.isWhitespace { text.removeFirst() }
        while let last = text.last, around.contains(last) || after.contains(last) || last.isWhitespace {
            text.removeLast()
        }
        return text
    }
}
