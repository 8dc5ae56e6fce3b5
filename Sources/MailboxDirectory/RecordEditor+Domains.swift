// Changing and removing domains.

public import MailAddress

extension RecordEditor {
    /// Changes a domain's record.
    public func setDomain(
        _ domain: Domain, isForced: Bool = false, change: (DomainRecord) throws(EditError) -> DomainRecord
    ) throws(EditError) {
        try transaction { writing throws(EditError) in
            guard case .domain(let old) = writing.answer(.domain(domain)) else {
                throw .notFound(.domain, domain.description)
            }
            let record = Record.domain(try change(old))
            try checkForm(record)
            if case .domain(let new) = record, case .alias = new.kind, old.kind != new.kind {
                try checkDomainIsNoTarget(domain, in: writing)
            }
            try EditError.wrapping { try writing.replace(record) }
            try checkTargets(of: record, in: writing, isForced: isForced)
        }
    }

    /// Removes a domain that nothing stands in and nothing points into.
    public func removeDomain(_ domain: Domain) throws(EditError) {
        try transaction { writing throws(EditError) in
            guard case .domain = writing.answer(.domain(domain)) else {
                throw .notFound(.domain, domain.description)
            }
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
