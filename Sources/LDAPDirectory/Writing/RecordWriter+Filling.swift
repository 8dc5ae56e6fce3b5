// What a new entry gets in the attributes that its classes ask for and that no field of the record is.

import MailAddress
import MailboxDirectory

extension RecordWriter {
    /// Puts something into the attributes that the classes of a place ask for.
    func fill(_ draft: inout EntryDraft, _ place: LDAPPlace, _ record: Record) throws(StoreError) {
        for (name, filler) in place.required.sorted(by: { $0.key.key < $1.key.key })
        where draft.entry.values(name).isEmpty {
            var value = try value(of: filler, for: name, record)
            if let prefix = schema.prefixes[name] { value = Array(prefix.text.uppercased().utf8) + value }
            draft.set(name, [value])
        }
        // The value that names the entry must be in it.
        if place.naming == "cn", let address = record.address, draft.entry.values("cn").isEmpty {
            draft.set("cn", [address.spelling])
        }
    }

    private func value(of filler: LDAPFiller, for name: AttributeName, _ record: Record) throws(StoreError) -> [UInt8] {
        let address = record.address?.spelling ?? record.domain.octets
        let localPart = record.address?.localPart.octets ?? record.domain.octets
        var title = ""
        if case .user(let user) = record { title = user.fullName }
        if case .list(let list, _) = record { title = list.name }
        switch filler {
        case .address: return address
        case .localPart: return localPart
        case .name: return title.isEmpty ? localPart : Array(title.utf8)
        case .lastName: return title.split(separator: " ").last.map { Array($0.utf8) } ?? localPart
        case .configured:
            guard let pattern = newEntryValues[name] else {
                throw .refused(
                    "\(record.kind.withArticle) of the preset \(preset.rawValue) must have \(name), which no field of the"
                        + " record says; set what new entries get for it in the configuration")
            }
            return try expanded(pattern, record)
        }
    }

    /// A pattern with what stands for the record's address in it. Most are names of files, so that a "/" is refused.
    private func expanded(_ pattern: String, _ record: Record) throws(StoreError) -> [UInt8] {
        var octets: [UInt8] = []
        var isMarked = false
        for octet in pattern.utf8 {
            if !isMarked, octet == UInt8(ascii: "%") {
                isMarked = true
                continue
            }
            guard isMarked else {
                octets.append(octet)
                continue
            }
            isMarked = false
            var inserted = [octet]
            switch octet {
            case UInt8(ascii: "s"): inserted = record.address?.spelling ?? record.domain.octets
            case UInt8(ascii: "u"): inserted = record.address?.localPart.octets ?? []
            case UInt8(ascii: "d"): inserted = record.domain.octets
            default: break
            }
            if inserted.contains(UInt8(ascii: "/")) || inserted == Array("..".utf8) {
                throw .refused("\(record.address?.description ?? "") holds / or .., which can't be put into \(pattern)")
            }
            octets += inserted
        }
        return octets
    }
}
