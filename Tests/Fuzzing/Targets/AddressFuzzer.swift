// libFuzzer's door: any octets as a mailbox.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: start, count: count))
    if let fault = LineChecks.address(octets) { preconditionFailure(fault) }
    return 0
}
