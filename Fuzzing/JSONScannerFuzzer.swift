// A libFuzzer harness for the JSON scanner; `make fuzz` builds and runs it where the toolchain has libFuzzer.
//
// fuzz: Sources/StreamsCore/Format/JSONScanner.swift
// fuzz: Sources/StreamsCore/Format/JSONText.swift

/// Scans the input as one JSON text: it must not trap, must stay within its bounds, and must agree with itself.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSONScanner(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    var scanner = JSONScanner(end: count, nestingMaximum: 128)
    do throws(JSONScanner.Failure) {
        let value = try scanner.value(in: bytes.span)
        try scanner.finish(in: bytes.span)
        precondition(value.lowerBound >= 0 && value.upperBound <= count && !value.isEmpty, "a span out of bounds")
        // A value alone is JSON again, and the same value.
        var again = JSONScanner(start: value.lowerBound, end: value.upperBound, nestingMaximum: 128)
        let sameValue = try again.value(in: bytes.span)
        precondition(sameValue == value, "a value that is not itself")
        try again.finish(in: bytes.span)
        // Without its last byte no object, array, string or literal is complete.
        if !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[value.upperBound - 1]) {
            var cut = JSONScanner(start: value.lowerBound, end: value.upperBound - 1, nestingMaximum: 128)
            let rest = try? cut.value(in: bytes.span)
            precondition(rest == nil, "a value that ends before its end")
        }
        if bytes[value.lowerBound] == UInt8(ascii: "\"") {
            let text = JSONText.decode(value, in: bytes.span)
            precondition(
                text.utf8.count == JSONText.decodedByteCount(value, in: bytes.span), "two lengths of one string")
        }
    } catch {
        switch error {
        case .syntax(let position, _): precondition((0...count).contains(position), "a position out of bounds")
        case .tooDeep(let position): precondition((0..<count).contains(position), "a position out of bounds")
        }
    }
    return 0
}
