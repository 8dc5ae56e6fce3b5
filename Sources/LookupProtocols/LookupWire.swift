// What the lookup wires have in common: requests are found in what has come in, and each gets one reply, in order.

/// One end of a connection over which questions come. It keeps no bytes: the caller holds what has not been consumed.
public protocol LookupWire: Sendable {
    associatedtype Request: Sendable
    associatedtype Answer: Sendable

    /// The next request in what has come in and has not been consumed.
    mutating func next(_ bytes: Span<UInt8>) -> LookupStep<Request, Answer>

    /// Nothing more will come. What is left may be a request all the same.
    mutating func inputEnded()

    /// Appends the reply as it goes on the wire; nothing where the wire has no way to say it, and only closing is left.
    static func append(_ answer: Answer, to output: inout [UInt8])
}

extension LookupWire {
    /// A request has an end of its own.
    public mutating func inputEnded() {}

    /// The reply as it goes on the wire.
    public static func reply(_ answer: Answer) -> [UInt8] {
        var output: [UInt8] = []
        append(answer, to: &output)
        return output
    }
}

/// What is to be done with what has come in.
public enum LookupStep<Request: Sendable, Answer: Sendable>: Sendable {
    /// No whole request; octets before `consumed` are done with, the rest must be kept.
    case incomplete(consumed: Int)
    /// A request is over; the next begins at `next`.
    case ask(Request, next: Int)
    /// A request that the wire itself answers is over; the next begins at `next`.
    case answer(Answer, next: Int)
    /// Where the next request begins can't be told: say this, and close.
    case fail(Answer)
}

extension LookupStep: Equatable where Request: Equatable, Answer: Equatable {}
