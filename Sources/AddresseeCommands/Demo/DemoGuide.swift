// What to try with the demonstration, each as a line to paste.

import AddresseeConfiguration
import Foundation

/// The text that `addressee demo` prints once it serves.
struct DemoGuide {
    /// Of the listeners, in the order of the configuration.
    var addresses: [ListenAddress]
    var configuration: String
    /// The program as it was called; where it is not on the PATH, lines to paste must find it.
    var program: String

    func text(for output: Output) -> String {
        let today = addresses.first.map(\.description) ?? ""
        let plain = addresses.last.map(\.description) ?? ""
        return """
            \(heading("A directory to try is served until you press Ctrl-C.", output))
              \(today)   with the replies of today
              \(plain)   with the plain replies of RFC 821

            \(heading("Ask it from another terminal:", output))
              curl -s smtp://\(today) -X "VRFY claude"
              curl -s smtp://\(today) -X "VRFY test"
              curl -s smtp://\(plain) -X "VRFY test"
              curl -s smtp://\(today) -X "VRFY bjorn SMTPUTF8"
              curl -s smtp://\(today) -X "EXPN everyone"
              curl -s smtp://\(plain) -X "EXPN Example-People"

            \(heading("curl hides the text of a refusal; this shows it:", output))
              curl -sv smtp://\(today) -X "VRFY user1" 2>&1 | grep "^< 5"
              curl -sv smtp://\(today) -X "VRFY hkhjkghj" 2>&1 | grep "^< 5"
              curl -sv smtp://\(plain) -X "VRFY hkhjkghj" 2>&1 | grep "^< 5"
              curl -sv smtp://\(plain) -X "VRFY user" 2>&1 | grep "^< 5"
              curl -sv smtp://\(plain) -X "EXPN Executive-Washroom-List" 2>&1 | grep "^< 5"

            \(heading("Send a message, and read it in its folder (what goes elsewhere lies beside it):", output))
              printf 'Subject: hello\\n\\nHello.\\n' | curl -s smtp://\(plain) --mail-from sender@assistprogramming.com --mail-rcpt receiver1@assistprogramming.com --mail-rcpt Postel@USC-ISI.ARPA -T - --crlf
              cat \(folder)/mail/assistprogramming.com/receiver1/new/*
              cat \(folder)/elsewhere/usc-isif.arpa/postel/new/*

            \(heading("Ask without the server, and see why:", output))
              export \(path)ADDRESSEE_CONFIG=\(configuration.shellWord)
              addressee verify user1
              addressee resolve everyone --explain
              addressee resolve sam+lists@assisprogramming.net --explain
              addressee user ls

            \(heading("Change it; the very next question knows:", output))
              addressee user add wilma@assisprogramming.com --name "Wilma Stone"
              curl -s smtp://\(today) -X "VRFY wilma"


            """
    }

    private var folder: String { URL(fileURLWithPath: configuration).deletingLastPathComponent().path.shellWord }

    private var path: String {
        guard program.contains("/") else { return "" }
        return "PATH=" + URL(fileURLWithPath: program).deletingLastPathComponent().path.shellWord + ":\"$PATH\" "
    }

    private func heading(_ text: String, _ output: Output) -> String {
        output.isColoured ? "\u{1B}[1m\(text)\u{1B}[0m" : text
    }
}
