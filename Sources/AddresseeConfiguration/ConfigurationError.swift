// What is wrong with a configuration: every problem at once, a line each, so that one look is enough.

/// A configuration that can't be used.
public struct ConfigurationError: Error, Hashable, Sendable {
    /// One thing that is wrong.
    public struct Problem: Hashable, Sendable {
        /// The file as it was named.
        public var file: String
        /// From 1; nil when the file could not be read at all.
        public var line: Int?
        /// What is wrong; what was expected; the nearest right word. One line.
        public var text: String

        public init(file: String, line: Int?, text: String) {
            self.file = file
            self.line = line
            self.text = text
        }
    }

    /// All that was found, in the order of the file; never empty.
    public var problems: [Problem]

    public init(problems: [Problem]) {
        self.problems = problems
    }
}

extension ConfigurationError.Problem: CustomStringConvertible {
    /// `FILE:LINE: TEXT`
    public var description: String {
        line.map { "\(file):\($0): \(text)" } ?? "\(file): \(text)"
    }
}

extension ConfigurationError: CustomStringConvertible {
    /// One line a problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
