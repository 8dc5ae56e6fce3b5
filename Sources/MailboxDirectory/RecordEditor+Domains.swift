// Changing and removing domains.

public import MailAddress

extension RecordEditor {
    /// Changes a domain's record.
    public func setDomain(
        _ domain: Domain, isForced: Bool = false, change: (DomainRecord) throws(EditError) -> DomainRecord
    ) throws(EditError) {
        try transaction { writing throws(EditError) in
            let old = try self.domain(domain, in: writing)
            let new = try change(old)
            guard new.domain == domain else {
                throw .unsuitable("a domain's name can't be changed; add another domain and remove this one")
            }
            try checkForm(.domain(new), isNew: false)
            if case .alias = new.kind, old.kind != new.kind { try checkDomainIsNoTarget(domain, in: writing) }
            try EditError.wrapping { try writing.replace(.domain(new)) }
            try checkTargets(of: .domain(new), in: writing, isForced: isForced)
            try checkNoLoop(through: domain, in: writing)
        }
    }

    /// Removes a domain that nothing stands in and nothing points into.
    public func removeDomain(_ domain: Domain) throws(EditError) {
        try transaction { writing throws(EditError) in
            _ = try self.domain(domain, in: writing)
            let references = try EditError.wrapping {
                try writing.references(toDomain: domain, limit: Self.namedReferences + 1)
            }
            if !references.isEmpty {
                throw .notEmpty(
                    domain, Array(references.prefix(Self.namedReferences)),
                    more: references.count > Self.namedReferences)
            }
            try EditError.wrapping { try writing.removeDomain(domain) }
        }
    }

    private func domain(_ domain: Domain, in writing: any RecordReading) throws(EditError) -> DomainRecord {
        switch writing.answer(.domain(domain)) {
        case .domain(let record): return record
        case .absent: throw .notFound(.domain, domain.description)
        case let answer: throw .couldNotTell(writing.trouble(in: answer))
        }
    }

    /// A domain that others are aliases of can't become an alias itself.
    private func checkDomainIsNoTarget(_ domain: Domain, in writing: any RecordReading) throws(EditError) {
        var aliases: [Reference] = []
        try EditError.wrapping {
            try writing.forEach(.domain, in: nil) { record in
                guard case .domain(let other) = record, other.kind == .alias(of: domain) else { return }
                aliases.append(Reference(kind: .domain, role: .target, name: other.domain.description))
            }
        }
        if aliases.isEmpty { return }
        throw .notEmpty(
            domain, Array(aliases.prefix(Self.namedReferences)), more: aliases.count > Self.namedReferences)
    }
}
