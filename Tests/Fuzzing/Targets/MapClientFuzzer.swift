// libFuzzer's door: the first octet chooses what is spoken and the pieces, the rest is what a server of maps says.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = octets.first else { return 0 }
    if let fault = ServerProbe.map(Array(octets.dropFirst()), seed: UInt64(first)) { preconditionFailure(fault) }
    return 0
}
