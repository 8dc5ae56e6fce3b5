// libFuzzer's door: any octets as one command line.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: start, count: count))
    if let fault = LineChecks.line(octets) { preconditionFailure(fault) }
    return 0
}
