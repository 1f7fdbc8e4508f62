import StreamsAPI
import StreamsCore
import StreamsModel

/// Consumer groups as JSON.
enum GroupDocument {
    /// The state of a group, as answers to changes carry it; a lease past its time is none.
    static func state(_ group: Group, at now: Timestamp) -> [UInt8] {
        var writer = JSONObjectWriter()
        writer.member("group", group.key.name.rawValue)
        writer.member("committed_offset", group.committed.rawValue)
        writer.member("lease", json: lease(of: group, at: now))
        return writer.finish()
    }

    /// A group with how far behind it is.
    static func status(_ status: GroupStatus, at now: Timestamp) -> [UInt8] {
        var writer = JSONObjectWriter()
        writer.member("group", status.group.key.name.rawValue)
        writer.member("committed_offset", status.group.committed.rawValue)
        writer.member("end_offset", status.end.rawValue)
        writer.member("lag", status.lag)
        writer.member("lag_seconds", json: Array(seconds(status.lagTime).utf8))
        writer.member("lease", json: lease(of: status.group, at: now))
        return writer.finish()
    }

    /// A list of groups.
    static func list(_ groups: [GroupStatus], at now: Timestamp) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        for (index, group) in groups.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: status(group, at: now))
        }
        return bytes + [UInt8(ascii: "]")]
    }

    /// What a consumer receives.
    static func received(_ received: Received) -> [UInt8] {
        var writer = JSONObjectWriter()
        writer.member("generation", received.generation.rawValue)
        writer.member("messages", json: received.page.messageArray)
        writer.member("next_offset", received.page.next.rawValue)
        writer.member("lease_expires_at", received.leaseExpiresAt.milliseconds)
        return writer.finish()
    }

    private static func lease(of group: Group, at now: Timestamp) -> [UInt8] {
        guard let lease = group.lease, now < lease.expiresAt else { return Array("null".utf8) }
        var writer = JSONObjectWriter()
        writer.member("consumer", lease.consumer)
        writer.member("generation", group.generation.rawValue)
        writer.member("expires_at", lease.expiresAt.milliseconds)
        return writer.finish()
    }

    /// Seconds with as many decimals as there are.
    private static func seconds(_ duration: Duration) -> String {
        let milliseconds = duration.wholeMilliseconds
        guard milliseconds % 1000 != 0 else { return String(milliseconds / 1000) }
        let decimals = String(milliseconds % 1000 + 1000).dropFirst()
        return "\(milliseconds / 1000).\(decimals)"
    }
}
