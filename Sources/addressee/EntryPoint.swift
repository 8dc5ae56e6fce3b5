// The program: gives the commands what they need, and ends with their status.

import AddresseeCommands

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@main
enum EntryPoint {
    static func main() async {
        exit(await Program.main(wiring: .rooms))
    }
}
