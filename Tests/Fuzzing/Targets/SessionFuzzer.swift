// libFuzzer's door: the first octet chooses one of the states and the seed of the timing, the rest is what comes in.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = octets.first, let standing = Standing(rawValue: first & 7) else { return 0 }
    let probe = SessionProbe(standing, seed: UInt64(first >> 3))
    probe.play(Array(octets.dropFirst()))
    if let fault = probe.fault { preconditionFailure(fault) }
    return 0
}
