// libFuzzer's door: any octets to the wire of OpenSMTPD's table process, whole and in pieces.

import LookupProtocols

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: start, count: count))
    if let fault = WireProbe.fault(octets, by: TableProcWire(), seed: UInt64(count), limit: 10_001) {
        preconditionFailure(fault)
    }
    return 0
}
