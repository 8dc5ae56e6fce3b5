// The names of the items of one list: each has one, and no two the same.

struct UniqueNames {
    let what: String
    let example: String
    private(set) var lines: [String: Int] = [:]

    init(of what: String, such example: String) {
        self.what = what
        self.example = example
    }

    /// Reads `name`; a name that is missing, malformed or taken is reported.
    mutating func read(from section: inout Section) -> String? {
        guard let setting = section.setting("name") else {
            section.require("name", for: "name: \(example)")
            return nil
        }
        guard let name = setting.name(of: what) else { return nil }
        if let line = lines[name] {
            setting.report("the \(what) at line \(line) is called \(name.quoted) already; names are unique")
        } else {
            lines[name] = setting.line
        }
        return name
    }
}
