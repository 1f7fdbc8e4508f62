/// The version of the software, one for all that is built from here.
package enum Version {
    /// The version as it is told to people and in `/health`.
    package static let current = "0.1.0"
}
