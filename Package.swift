// swift-tools-version: 6.2
import PackageDescription

/// Every room is compiled alike: Swift 6, `any` spelled out, and nothing re-exported by accident.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

func room(
    _ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil, exclude: [String] = [],
    resources: [Resource] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: path, exclude: exclude, resources: resources,
        swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], path: String? = nil) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: path ?? "Tests/\(name)", swiftSettings: settings)
}

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let hummingbird: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioConcurrency: Target.Dependency = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "addressee",
    platforms: [.macOS(.v26)],
    products: [
        .executable(name: "addressee", targets: ["addressee"]),
        .library(name: "MailboxDirectory", targets: ["MailAddress", "MailboxDirectory"]),
        .library(name: "SQLiteDirectory", targets: ["MailAddress", "MailboxDirectory", "SQLiteDirectory"]),
        .library(name: "LDAPDirectory", targets: ["MailAddress", "MailboxDirectory", "LDAPDirectory"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        room("MailAddress"),
        room("MailboxDirectory", ["MailAddress"]),
        room("SMTPProtocol", ["MailAddress"]),
        room("LookupProtocols", ["MailAddress"]),
        room("Verification", ["MailAddress", "MailboxDirectory", "SMTPProtocol", "LookupProtocols"]),
        room(
            "AddresseeSchema", path: "schema", exclude: ["README.md", "sqlite/README.md", "ldap/README.md"],
            resources: [
                .embedInCode("sqlite/0001-directory.sql"), .embedInCode("sqlite/0002-transport.sql"),
                .embedInCode("ldap/addressee.schema"),
                .embedInCode("ldap/addressee.ldif"),
            ]),
        room(
            "AddresseeSample", path: "config",
            exclude: ["README.md", "ldap.yaml", "dovecot", "exim", "haraka", "opensmtpd", "postfix", "sendmail"],
            resources: [.embedInCode("addressee.yaml")]),
        .target(name: "CSQLiteSettings", linkerSettings: [.linkedLibrary("sqlite3")]),
        room(
            "SQLiteDirectory",
            ["MailAddress", "MailboxDirectory", "AddresseeSchema", "CSQLiteSettings", grdb, sqlite]),
        .target(name: "CLDAP"),
        .target(name: "CMemory"),
        room("LDAPDirectory", ["MailAddress", "MailboxDirectory", "AddresseeSchema", "CLDAP"]),
        room(
            "AddresseeConfiguration",
            ["MailAddress", "MailboxDirectory", "SMTPProtocol", "Verification", "AddresseeSample", yams]),
        room(
            "AddresseeCommands",
            [
                "MailAddress", "MailboxDirectory", "SMTPProtocol", "LookupProtocols", "Verification",
                "AddresseeConfiguration", argumentParser,
            ]),
        room(
            "AddresseeServer",
            [
                "MailAddress", "MailboxDirectory", "SMTPProtocol", "LookupProtocols", "Verification",
                "AddresseeConfiguration", nioCore, nioPosix, nioHTTP, nioConcurrency, nioSSL, nioTLS, hummingbird,
                httpTypes, unixSignals, logging,
            ]),
        .executableTarget(
            name: "addressee",
            dependencies: [
                "MailAddress", "MailboxDirectory", "Verification", "SQLiteDirectory", "LDAPDirectory",
                "AddresseeConfiguration", "AddresseeCommands", "AddresseeServer", "CMemory", logging,
            ],
            swiftSettings: settings),
        tests("MailAddressTests", ["MailAddress"]),
        tests(
            "VerificationTests",
            [
                "MailAddress", "MailboxDirectory", "SMTPProtocol", "LookupProtocols", "Verification",
                "DirectoryTesting",
            ]),
        tests("SMTPProtocolTests", ["MailAddress", "SMTPProtocol"]),
        tests("LookupProtocolsTests", ["MailAddress", "LookupProtocols"]),
        room(
            "DirectoryTesting", ["MailAddress", "MailboxDirectory"], path: "Tests/DirectoryTesting"),
        room(
            "DialogueTesting", ["MailAddress", "MailboxDirectory", "SMTPProtocol", "Verification"],
            path: "Tests/DialogueTesting"),
        tests("Dialogues", ["DialogueTesting"], path: "Tests/Dialogues/Runner"),
        tests("FuzzingTests", ["MailAddress", "SMTPProtocol", "LookupProtocols"], path: "Tests/Fuzzing/Generated"),
        .target(name: "FileWatch", path: "Tests/FileWatch"),
        tests(
            "AddresseeServerTests",
            [
                "MailAddress", "MailboxDirectory", "SMTPProtocol", "LookupProtocols", "Verification",
                "AddresseeConfiguration", "AddresseeServer", "DialogueTesting", "FileWatch", nioCore, nioConcurrency,
                nioEmbedded, nioPosix, logging,
            ]),
        tests(
            "MailboxDirectoryTests",
            ["MailAddress", "MailboxDirectory", "SMTPProtocol", "Verification", "DirectoryTesting"]),
        tests(
            "SQLiteDirectoryTests",
            [
                "MailAddress", "MailboxDirectory", "AddresseeSchema", "SQLiteDirectory", "DirectoryTesting", grdb,
                sqlite,
            ]),
        tests(
            "LDAPDirectoryTests",
            [
                "MailAddress", "MailboxDirectory", "SMTPProtocol", "Verification", "AddresseeSchema", "LDAPDirectory",
                "CLDAP", "DirectoryTesting", "DialogueTesting",
            ]),
        tests(
            "AddresseeCommandsTests",
            [
                "MailAddress", "MailboxDirectory", "SMTPProtocol", "LookupProtocols", "Verification",
                "AddresseeConfiguration", "AddresseeCommands",
            ]),
        tests(
            "AddresseeConfigurationTests",
            [
                "MailAddress", "MailboxDirectory", "Verification", "AddresseeSample", "AddresseeConfiguration",
                "LDAPDirectory", yams,
            ]),
    ]
)
