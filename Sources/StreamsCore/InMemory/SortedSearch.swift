extension RandomAccessCollection {
    /// The first index at which `isBelow` does not hold, by binary search; it must hold for a beginning of the
    /// collection and for nothing after it.
    package func firstIndex(past isBelow: (Element) throws -> Bool) rethrows -> Index {
        var low = startIndex
        var count = distance(from: startIndex, to: endIndex)
        while count > 0 {
            let half = count / 2
            let middle = index(low, offsetBy: half)
            if try isBelow(self[middle]) {
                low = index(after: middle)
                count -= half + 1
            } else {
                count = half
            }
        }
        return low
    }
}
