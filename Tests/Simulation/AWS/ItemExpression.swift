import StreamsAWS

/// The expressions of DynamoDB that the log writes: conditions and updates.
///
/// Amazon DynamoDB Developer Guide, "Condition and filter expressions", "Update expressions". What it does not know it
/// refuses, so that a new expression does not pass for something else.
enum ItemExpression {
    indirect enum Operand: Sendable {
        case name(String)
        case value(String)
        case ifNotExists(String, Operand)
        case sum(Operand, Operand)
        case difference(Operand, Operand)
    }

    indirect enum Condition: Sendable {
        case exists(String)
        case notExists(String)
        case compares(Operand, String, Operand)
        case between(Operand, Operand, Operand)
        case and(Condition, Condition)
        case or(Condition, Condition)
    }

    struct Update: Sendable {
        var assignments: [(name: String, operand: Operand)] = []
        var removals: [String] = []
    }

    /// An expression that is not understood.
    struct Unknown: Error {
        var text: String
    }
}

/// Reads expressions.
struct ItemExpressionParser {
    private var tokens: ArraySlice<Substring>
    private let text: String

    init(_ text: String) {
        self.text = text
        var tokens: [Substring] = []
        var rest = text[...]
        while let first = rest.first {
            switch first {
            case " ": rest = rest.dropFirst()
            case "(", ")", ",", "+", "-":
                tokens.append(rest.prefix(1))
                rest = rest.dropFirst()
            case "=", "<", ">":
                let symbol = rest.prefix { "=<>".contains($0) }
                tokens.append(symbol)
                rest = rest.dropFirst(symbol.count)
            default:
                let word = rest.prefix { !" (),+-=<>".contains($0) }
                tokens.append(word)
                rest = rest.dropFirst(word.count)
            }
        }
        self.tokens = tokens[...]
    }

    static func condition(_ text: String) throws -> ItemExpression.Condition {
        var parser = ItemExpressionParser(text)
        let condition = try parser.disjunction()
        guard parser.tokens.isEmpty else { throw ItemExpression.Unknown(text: text) }
        return condition
    }

    static func update(_ text: String) throws -> ItemExpression.Update {
        var parser = ItemExpressionParser(text)
        var update = ItemExpression.Update()
        while let clause = parser.tokens.popFirst() {
            repeat {
                switch clause {
                case "SET":
                    let name = try parser.name()
                    try parser.expect("=")
                    update.assignments.append((name: name, operand: try parser.sum()))
                case "REMOVE": update.removals.append(try parser.name())
                default: throw ItemExpression.Unknown(text: text)
                }
            } while parser.accept(",")
        }
        return update
    }

    private mutating func disjunction() throws -> ItemExpression.Condition {
        var condition = try conjunction()
        while accept("OR") { condition = .or(condition, try conjunction()) }
        return condition
    }

    private mutating func conjunction() throws -> ItemExpression.Condition {
        var condition = try term()
        while accept("AND") { condition = .and(condition, try term()) }
        return condition
    }

    private mutating func term() throws -> ItemExpression.Condition {
        if accept("(") {
            let condition = try disjunction()
            try expect(")")
            return condition
        }
        if accept("attribute_exists") { return .exists(try argument()) }
        if accept("attribute_not_exists") { return .notExists(try argument()) }
        let left = try sum()
        if accept("BETWEEN") {
            let low = try sum()
            try expect("AND")
            return .between(left, low, try sum())
        }
        guard let symbol = tokens.popFirst(), ["=", "<>", "<", "<=", ">", ">="].contains(symbol) else {
            throw ItemExpression.Unknown(text: text)
        }
        return .compares(left, String(symbol), try sum())
    }

    private mutating func sum() throws -> ItemExpression.Operand {
        let left = try operand()
        if accept("+") { return .sum(left, try operand()) }
        if accept("-") { return .difference(left, try operand()) }
        return left
    }

    private mutating func operand() throws -> ItemExpression.Operand {
        if accept("if_not_exists") {
            try expect("(")
            let name = try name()
            try expect(",")
            let otherwise = try sum()
            try expect(")")
            return .ifNotExists(name, otherwise)
        }
        if let token = tokens.first, token.hasPrefix(":") {
            tokens.removeFirst()
            return .value(String(token))
        }
        return .name(try name())
    }

    private mutating func argument() throws -> String {
        try expect("(")
        let name = try name()
        try expect(")")
        return name
    }

    private mutating func name() throws -> String {
        guard let token = tokens.popFirst(), token.hasPrefix("#") else { throw ItemExpression.Unknown(text: text) }
        return String(token)
    }

    private mutating func accept(_ token: String) -> Bool {
        guard let next = tokens.first, next == token else { return false }
        tokens.removeFirst()
        return true
    }

    private mutating func expect(_ token: String) throws {
        guard accept(token) else { throw ItemExpression.Unknown(text: text) }
    }
}

/// Computes expressions on an item.
struct ItemExpressionEvaluator {
    let names: [String: String]
    let values: DynamoDBItem

    func holds(_ condition: ItemExpression.Condition, on item: DynamoDBItem) throws -> Bool {
        switch condition {
        case .exists(let name): return item[try attribute(name)] != nil
        case .notExists(let name): return item[try attribute(name)] == nil
        case .and(let left, let right): return try holds(left, on: item) && holds(right, on: item)
        case .or(let left, let right): return try holds(left, on: item) || holds(right, on: item)
        case .between(let operand, let low, let high):
            return try compare(operand, ">=", low, item) && compare(operand, "<=", high, item)
        case .compares(let left, let symbol, let right): return try compare(left, symbol, right, item)
        }
    }

    func apply(_ update: ItemExpression.Update, to item: DynamoDBItem) throws -> DynamoDBItem {
        var changed = item
        for (name, operand) in update.assignments {
            // All right sides see the item as it was.
            guard let value = try value(operand, in: item) else { throw ItemExpression.Unknown(text: name) }
            changed[try attribute(name)] = value
        }
        for name in update.removals { changed[try attribute(name)] = nil }
        return changed
    }

    private func compare(
        _ left: ItemExpression.Operand, _ symbol: String, _ right: ItemExpression.Operand, _ item: DynamoDBItem
    ) throws -> Bool {
        // A comparison with an attribute that is not there never holds, but for `<>`.
        guard let left = try value(left, in: item), let right = try value(right, in: item) else {
            return symbol == "<>"
        }
        if symbol == "=" { return left == right }
        if symbol == "<>" { return left != right }
        let isLess: Bool
        if let left = left.integer, let right = right.integer {
            isLess = left < right
        } else if let left = left.string, let right = right.string {
            isLess = left < right
        } else {
            return false
        }
        switch symbol {
        case "<": return isLess
        case "<=": return isLess || left == right
        case ">": return !isLess && left != right
        default: return !isLess
        }
    }

    private func value(_ operand: ItemExpression.Operand, in item: DynamoDBItem) throws -> AttributeValue? {
        switch operand {
        case .name(let name): return item[try attribute(name)]
        case .value(let value): return try constant(value)
        case .ifNotExists(let name, let otherwise):
            return try item[try attribute(name)] ?? value(otherwise, in: item)
        case .sum(let left, let right): return .integer(try number(left, item) &+ number(right, item))
        case .difference(let left, let right): return .integer(try number(left, item) &- number(right, item))
        }
    }

    private func number(_ operand: ItemExpression.Operand, _ item: DynamoDBItem) throws -> Int64 {
        guard let number = try value(operand, in: item)?.integer else {
            throw ItemExpression.Unknown(text: "no number")
        }
        return number
    }

    private func attribute(_ name: String) throws -> String {
        guard let attribute = names[name] else { throw ItemExpression.Unknown(text: name) }
        return attribute
    }

    private func constant(_ name: String) throws -> AttributeValue {
        guard let value = values[name] else { throw ItemExpression.Unknown(text: name) }
        return value
    }
}
