import DirectoryTesting
import MailboxDirectory
import Testing

@Test(arguments: resolveTable)
func resolves(_ row: ResolveRow) throws {
    #expect(try row.answer { try MemoryStore() }.text == row.expected)
}
