/// What goes wrong in a world for the most part: some harm needs several rare things at once.
package enum Climate: String, CaseIterable, Sendable {
    /// Nothing goes wrong, or some requests take long.
    case fair
    /// Minutes of any faults but the two that take their time.
    case rough
    /// The same once more, since most harm is done there.
    case stormy
    /// Days in which messages expire, and processes stand still.
    case expiring
    /// Hours in which the item is lost or set back, and writes come late.
    case forgetful
    /// Topics are trimmed, deleted, made again and branched, while minutes of any faults go by.
    case changing
    /// Minutes in which consumers of a group work, stand still and die.
    case grouped
    /// Everything.
    case any
    /// One of the ``Story``s: what hardly ever comes together by chance.
    case told
    /// Hours in which maintainers merge and delete, while processes stand still and writes come late.
    case merging
    /// One of the ``Story``s of maintainers.
    case toldMerging
    /// One of the ``Story``s of consumer groups.
    case toldGrouped
    /// Writers that repeat their appends under idempotency keys, in rough weather.
    case keyed
    /// The same, over days in which messages expire.
    case keyedExpiring
    /// Writers that append where they have read up to, and others who disturb them.
    case contested
    /// Owners who take a topic over from one another.
    case fenced
    /// Keys, conditions or owners, a group, maintainers, trims, deletes and branches in one world.
    case together
    /// Any of the others, by the seed.
    case mixed

    /// Those of worlds that are drawn at random: what goes wrong there concerns every topic.
    package static let everyday: [Climate] = [.fair, .rough, .stormy, .expiring, .forgetful, .any, .told]

    /// The others of ``mixed``.
    static let all: [Climate] = allCases.filter { $0 != .mixed }

    /// What is told in its worlds, one of these in each; `nil` where clients do as they like.
    var stories: [Story]? {
        switch self {
        case .told: Story.everyday
        case .toldMerging: Story.ofMerging
        case .toldGrouped: Story.ofGroups
        default: nil
        }
    }

    func faults(_ choices: Choices) -> FaultProfile {
        let slow: [Fault] = [.expiry, .lostItem]
        switch self {
        case .keyed, .contested: return .drawn(from: choices, among: Fault.allCases.filter { !slow.contains($0) })
        case .keyedExpiring:
            var profile = FaultProfile.drawn(from: choices, among: Fault.allCases.filter { $0 != .lostItem })
            profile.permille[.expiry] = 50
            return profile
        case .fenced:
            var profile = FaultProfile.drawn(from: choices, among: Fault.allCases.filter { !slow.contains($0) })
            profile.permille[.duplicate] = choices.one(of: [0, 80, 400])
            return profile
        case .told, .toldMerging, .toldGrouped, .mixed: return FaultProfile()
        case .fair: return choices.happens(permille: 500) ? FaultProfile() : FaultProfile([.slow: 100])
        case .rough, .stormy, .changing, .grouped:
            return .drawn(from: choices, among: Fault.allCases.filter { !slow.contains($0) })
        case .expiring:
            var profile = FaultProfile.drawn(from: choices, among: Fault.allCases.filter { $0 != .lostItem })
            profile.permille[.expiry] = 50
            profile.permille[.freeze] = choices.one(of: [20, 80])
            return profile
        case .forgetful:
            var profile = FaultProfile.drawn(from: choices, among: Fault.allCases.filter { $0 != .expiry })
            profile.permille[.lostItem] = 200
            profile.permille[.late] = choices.one(of: [20, 80])
            profile.permille[.freeze] = choices.one(of: [0, 20, 80])
            return profile
        case .together:
            var profile = FaultProfile.drawn(from: choices, among: Fault.allCases.filter { !slow.contains($0) })
            profile.permille[.freeze] = choices.one(of: [5, 20, 80])
            profile.permille[.throttling] = nil
            return profile
        case .merging:
            let hasExpiry = choices.happens(permille: 250)
            var profile = FaultProfile.drawn(
                from: choices, among: Fault.allCases.filter { $0 != .lostItem && $0 != .expiry })
            if hasExpiry { profile.permille[.expiry] = 50 }
            profile.permille[.freeze] = choices.one(of: [5, 20, 80])
            profile.permille[.late] = choices.one(of: [0, 5, 20])
            profile.permille[.throttling] = nil
            return profile
        case .any: return .drawn(from: choices)
        }
    }
}
