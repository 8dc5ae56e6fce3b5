// A line an event on standard error: time, level, event, then key=value. A value never brings a second line about.

import Foundation
public import Logging
import NIOConcurrencyHelpers

/// The least level that is written. Thread-safe.
public final class LogThreshold: Sendable {
    private let level: NIOLockedValueBox<Logger.Level>

    public init(_ level: Logger.Level) {
        self.level = NIOLockedValueBox(level)
    }

    public var value: Logger.Level {
        get { level.withLockedValue { $0 } }
        set { level.withLockedValue { $0 = newValue } }
    }
}

/// Writes `2026-11-23T14:00:00.123Z info listening on=127.0.0.1:2525 sources=main`.
public struct LineLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    private let level: LogThreshold

    /// - Parameter level: what is written; shared by all copies, so that it can be changed while the program runs.
    public init(level: LogThreshold) {
        self.level = level
    }

    public var logLevel: Logger.Level {
        get { level.value }
        set { level.value = newValue }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var line = "\(Date().ISO8601Format(.init(includingFractionalSeconds: true))) \(event.level) \(event.message)"
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(Self.quoted("\(value)"))"
        }
        line += "\n"
        Self.write(line)
    }

    /// One write a line, so that lines of several threads do not mix. What can't be written is lost: a full disk must
    /// not end the service.
    private static func write(_ line: String) {
        var line = line
        line.withUTF8 { SystemCall.writeToStandardError(UnsafeRawBufferPointer($0)) }
    }

    /// As it is when it is one plain word; else in quotes, with what is not printable escaped.
    static func quoted(_ value: String) -> String {
        let isPlain =
            !value.isEmpty && value.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 34 && $0 != 61 && $0 != 92 }
        if isPlain { return value }
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case _ where scalar.value < 32 || (127...159).contains(scalar.value) || scalar.value == 0x2028:
                text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
