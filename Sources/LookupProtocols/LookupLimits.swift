// The limits of the lookup wires, each with the manual that sets it.

public enum LookupLimits {
    /// Octets of a socketmap request, as Postfix keeps it (socketmap_table(5), "SECURITY").
    public static let socketmapRequest = 10_000
    /// Octets of a socketmap reply that Postfix takes (socketmap_table(5)).
    public static let socketmapReply = 100_000
    /// Octets of a policy request. Postfix states no limit; its own attributes take a few thousand at most.
    public static let policyRequest = 65_536
    /// Octets of a tcp_table request. Postfix states no limit; an address is some hundreds, escapes and all.
    public static let tcpTableRequest = 10_000
    /// Octets of a tcp_table reply, its end included (tcp_table(5), "REPLY FORMAT").
    public static let tcpTableReply = 4096
    /// Octets of a readsocket question. Exim states no limit; a word and an address are some hundreds.
    public static let readsocketRequest = 10_000
    /// Octets of a map's value by readsocket. Exim states no limit; this is a hundred times what Postfix takes, more than as
    /// many addresses have as a walk follows.
    public static let readsocketValue = 10_000_000
    /// Digits of a netstring's length. A longer number is no length that anybody means to send.
    public static let netstringDigits = 9
    /// Octets of a milter packet after its length: a command, and MILTER_MAX_DATA_SIZE of data (mfdef.h). Mail servers that
    /// can do more do it only when a filter asks for it.
    public static let milterPacket = 65_536
    /// Octets of a request target; an address with every octet escaped is a tenth of it.
    public static let qmailDeliverableRequest = 10_000
    /// Octets of a line from OpenSMTPD; its own keys are 1023 at most (table_lookup in table.c).
    public static let tableProcRequest = 10_000
    /// Octets of a value: OpenSMTPD cuts a line up in a buffer of LINE_MAX, its end included (expand_line in expand.c).
    public static let tableProcValue = 2047
    /// Octets of an error's text. OpenSMTPD states no limit; a line of a log is some hundreds.
    public static let tableProcText = 500
    /// Seconds that a mail server may be silent in, as libmilter has it (MI_TIMEOUT in libmilter.h): nothing is said to a
    /// filter while the SMTP client sends a message, or nothing.
    public static let milterSilence = 7_210
}
