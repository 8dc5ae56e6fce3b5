// The search for an octet, beside one octet after the other.

import MailAddress
import Testing

struct OctetTests {
    @Test(arguments: [0x0A, 0x00, 0x01, 0x3D, 0x7F, 0x80, 0xFF] as [UInt8])
    func index(of octet: UInt8) {
        // The neighbours of an octet are what a search by arithmetic might take for it.
        let near = [octet, octet &+ 1, octet &- 1, octet ^ 0x80, 0]
        var state: UInt64 = 821
        for _ in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var bits = state >> 16
            let octets = (0..<Int(state >> 60 &* 2)).map { _ in
                defer { bits = bits >> 2 | bits << 62 }
                return near[1 + Int(bits % 3)]
            }
            var some = octets
            if let last = some.indices.last { some[Int(bits % UInt64(last + 1))] = octet }
            for octets in [octets, some] {
                for start in 0...octets.count {
                    #expect(octets.span.index(of: octet, from: start) == octets[start...].firstIndex(of: octet))
                }
            }
        }
    }
}
