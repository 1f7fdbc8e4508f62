/// What maintenance does, and how far it goes.
package struct MaintenanceSettings: Sendable {
    /// How old a claim must be before its segment is merged.
    ///
    /// Nothing may be on its way to the range any more: a signature lives for 15 minutes, clocks may be off by as much,
    /// and a reader that saw a hole may have been as late with its filler.
    package var compactionAge: Duration = .seconds(3600)
    /// How long ago a trim must have been before what it let go is deleted.
    package var trimmedAge: Duration = .seconds(3600)
    /// Most parts of a merged segment.
    package var partsMaximum = SegmentPartsCoding.countMaximum
    /// The largest body that merging makes, in bytes.
    package var mergedBytesMaximum = 1024 * 1024
    /// Bodies from this size on are left alone.
    package var largeBytes = 512 * 1024
    /// Fewer segments than this are not worth merging: a write costs as much as a dozen reads.
    package var segmentsMinimum = 16
    /// How many merges are carried out side by side; the deletes of each follow one another.
    package var mergesSideBySide = 8
    /// How many segments are fetched at once.
    package var fetchMaximum = 64
    /// How many bytes of segments are fetched at once.
    package var fetchBytesMaximum = 8 * 1024 * 1024

    /// The usual settings.
    package init() {}
}
