// Who else may read or write the files that a configuration is made of, and which of them a symbolic link leads to. Only
// stat() and lstat() look at them.

import Foundation

/// One of the files of a configuration that others may get at.
public struct ExposedFile: Hashable, Sendable, CustomStringConvertible {
    /// What it is, in words that follow "the".
    public var what: String
    public var path: String
    /// What is so, in words that follow the path.
    public var fault: String
    /// A command that mends it.
    public var remedy: String

    public var description: String { "\(what) \(path) \(fault)" }
}

extension Configuration {
    /// The files that others than their owner may change, and the secret ones that every user may read. A group may read
    /// them: so a server reads what belongs to root.
    public var exposedFiles: [ExposedFile] {
        var files = [("the configuration", file, false)]
        if let tls {
            files.append(("the certificate", tls.certificate, false))
            files.append(("the private key", tls.privateKey, true))
        }
        for source in sources {
            guard case .ldap(let ldap) = source.kind, case .simple(_, .file(let path), _) = ldap.bind else { continue }
            files.append(("the password file", path, true))
        }
        var found: [ExposedFile] = []
        for (what, path, isSecret) in files {
            if let exposed = Self.exposure(of: path, what, isSecret: isSecret), !found.contains(exposed) {
                found.append(exposed)
            }
        }
        return found
    }

    private static func exposure(of path: String, _ what: String, isSecret: Bool) -> ExposedFile? {
        guard let rights = Rights(path) else { return nil }
        func exposed(_ fault: String, _ remedy: String) -> ExposedFile {
            ExposedFile(what: what, path: path, fault: fault, remedy: "\(remedy) \(path)")
        }
        if rights.mode & 0o002 != 0 { return exposed("may be written by every user of this machine", "chmod o-w") }
        if isSecret, rights.mode & 0o004 != 0 {
            return exposed("may be read by every user of this machine", "chmod o-r")
        }
        // Many systems give each user a group of the same number, with nobody else in it.
        if rights.mode & 0o020 != 0, rights.group != rights.owner {
            return exposed("may be written by the group \(rights.group)", "chmod g-w")
        }
        let folder = (path as NSString).deletingLastPathComponent
        if let above = Rights(folder.isEmpty ? "." : folder), above.mode & 0o1002 == 0o002 {
            return ExposedFile(
                what: what, path: path, fault: "may be replaced by every user of this machine",
                remedy: "chmod o-w \(folder.isEmpty ? "." : folder)")
        }
        return nil
    }

    /// Where a symbolic link at the place of the configuration leads; nil where there is none. Relative paths are taken from
    /// the folder of the link all the same.
    public var linkTarget: String? { try? FileManager.default.destinationOfSymbolicLink(atPath: file) }
}

/// What stat() says of a file.
private struct Rights {
    var mode: Int
    var owner: Int
    var group: Int

    init?(_ path: String) {
        // Of what a link leads to, which is what is read.
        let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: real),
            let mode = attributes[.posixPermissions] as? Int,
            let owner = (attributes[.ownerAccountID] as? NSNumber)?.intValue,
            let group = (attributes[.groupOwnerAccountID] as? NSNumber)?.intValue
        else { return nil }
        (self.mode, self.owner, self.group) = (mode, owner, group)
    }
}
