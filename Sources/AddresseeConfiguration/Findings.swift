// What comes up while one file is read. Reading goes on after a problem, so that all of them are told at once.

/// The problems of one file, and the keys that were asked for.
final class Findings {
    let file: String
    private(set) var problems: [ConfigurationError.Problem] = []
    /// Every key that the reading looked for, such as `limits.connections`; a test compares them with the sample.
    private(set) var keys: Set<String> = []

    init(file: String) {
        self.file = file
    }

    func report(_ line: Int?, _ text: String) {
        problems.append(ConfigurationError.Problem(file: file, line: line, text: text))
    }

    func look(for key: String) { keys.insert(key) }

    /// The problems in the order of the file, or nil when there are none.
    var error: ConfigurationError? {
        guard !problems.isEmpty else { return nil }
        let order = problems.indices.sorted { (problems[$0].line ?? 0, $0) < (problems[$1].line ?? 0, $1) }
        return ConfigurationError(problems: order.map { problems[$0] })
    }

    /// `path`, taken from the folder of the configuration file when it is relative.
    func resolve(_ path: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }
}

extension String {
    /// For a message: in double quotes, on one line, and no longer than a person wants to read.
    /// Line ends and invisible characters of any script are escaped: the message may stand in a log.
    var quoted: String {
        let short = count > 60 ? prefix(59) + "…" : self
        let escaped = short.unicodeScalars.map { scalar in
            switch scalar.properties.generalCategory {
            case .lineSeparator, .paragraphSeparator, .format,
                .control where scalar.value > 0x7F:
                "\\u{\(String(scalar.value, radix: 16))}"
            default: String(String(scalar).debugDescription.dropFirst().dropLast())
            }
        }
        return "\"\(escaped.joined())\""
    }
}
