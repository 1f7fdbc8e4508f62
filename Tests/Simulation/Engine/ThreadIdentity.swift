#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Tells the thread that made it from others.
struct ThreadIdentity: Sendable {
    private let number: UInt

    init() {
        number = Self.current
    }

    var isCurrent: Bool { number == Self.current }

    /// The thread's own number, which is a pointer on some systems; it is only compared.
    private static var current: UInt {
        #if canImport(Glibc)
            pthread_self()
        #else
            UInt(bitPattern: pthread_self())
        #endif
    }
}
