// What happens to the file of an SQLite directory, as lines of the log.

import Logging
import SQLiteDirectory

extension Logger {
    func tell(_ event: SQLiteUpkeep.Event, source: String) {
        switch event {
        case .reopened(let reason):
            warning("source-reopened", metadata: ["source": "\(source)", "reason": "\(reason)"])
        case .failed(let reason):
            error("source-failed", metadata: ["source": "\(source)", "reason": "\(reason)"])
        case .examined(let findings) where findings.isEmpty:
            debug("source-examined", metadata: ["source": "\(source)", "findings": "0"])
        case .examined(let findings): tell(findings, source: source)
        }
    }
}
