import HTTPTypes
import StreamsHTTP
import Testing

/// Produce: one message, a batch, NDJSON.
extension HTTPConformance {
    static var produceChecks: [Check] {
        [
            Check("a single message answers its topic and offset, and reads back") { front in
                let first = try await front.produce(#"{"payload":{"id":1}}"#)
                first.expect(json: #"{"topic":"orders","offset":1}"#)
                let second = try await front.produce(
                    #"{"payload":"tea","key":"k","headers":{"a":"b"}}"#, contentType: "application/json")
                second.expect(json: #"{"topic":"orders","offset":2}"#)
                try await front.get("/topics/orders/consume").expect(
                    messages: #"{"offset":1,"payload":{"id":1},"timestamp":T},"#
                        + #"{"offset":2,"payload":"tea","timestamp":T,"key":"k","headers":{"a":"b"}}"#,
                    next: 3, end: 3)
            },
            Check("a batch gets consecutive offsets, and its answer tells first, last and count") { front in
                try await front.produce(
                    #"{"messages":[{"payload":1},{"key":"k","payload":2},{"payload":3,"headers":{}}]}"#
                ).expect(json: #"{"topic":"orders","offset":1,"last_offset":3,"count":3}"#)
                try await front.produce(#"{"messages":[{"payload":4}]}"#)
                    .expect(json: #"{"topic":"orders","offset":4,"last_offset":4,"count":1}"#)
                try await front.get("/topics/orders/consume").expect(
                    messages: #"{"offset":1,"payload":1,"timestamp":T},"#
                        + #"{"offset":2,"payload":2,"timestamp":T,"key":"k"},"#
                        + #"{"offset":3,"payload":3,"timestamp":T,"headers":{}},"#
                        + #"{"offset":4,"payload":4,"timestamp":T}"#,
                    next: 5, end: 5)
            },
            Check("the members of a message come in any order, and their names may be escaped") { front in
                try await front.produce(
                    #" { "headers" : { "a" : "1", "a" : "2" } , "pay\u006coad" : [ 1 , 2 ] , "\u006bey" : "k\n" } "#
                ).expect(json: #"{"topic":"orders","offset":1}"#)
                try await front.get("/topics/orders/consume").expect(
                    messages: #"{"offset":1,"payload":[ 1 , 2 ],"timestamp":T,"key":"k\n","#
                        + #""headers":{ "a" : "1", "a" : "2" }}"#, next: 2, end: 2)
            },
        ]
    }

    static var lineChecks: [Check] {
        [
            Check("lines become a batch, blank ones aside, and the last may lack its line break") { front in
                for (contentType, offset) in [("application/x-ndjson", 1), ("application/jsonl", 3)] {
                    try await front.produce("\n1\r\n  \n\t{\"payload\":2} \n\n", contentType: contentType).expect(
                        json: #"{"topic":"orders","offset":\#(offset),"last_offset":\#(offset + 1),"count":2}"#)
                }
                try await front.produce("5", contentType: "application/x-ndjson; charset=utf-8")
                    .expect(json: #"{"topic":"orders","offset":5,"last_offset":5,"count":1}"#)
                try await front.get("/topics/orders/consume").expect(
                    messages: #"{"offset":1,"payload":1,"timestamp":T},"#
                        + #"{"offset":2,"payload":{"payload":2},"timestamp":T},"#
                        + #"{"offset":3,"payload":1,"timestamp":T},"#
                        + #"{"offset":4,"payload":{"payload":2},"timestamp":T},"#
                        + #"{"offset":5,"payload":5,"timestamp":T}"#, next: 6, end: 6)
            },
            Check("the media type counts without its parameters and in any case") { front in
                for contentType in ["Application/JSON", "application/json;charset=utf-8", "application/json ; a=b"] {
                    let answer = try await front.produce(#"{"payload":null}"#, contentType: contentType)
                    #expect(answer.status == .ok)
                }
                let request = APIRequest(
                    method: .post, target: "/topics/orders/produce", headers: [.contentEncoding: "Identity"],
                    body: Array(#"{"payload":null}"#.utf8))
                try await front.send(request).expect(json: #"{"topic":"orders","offset":4}"#)
            },
            Check("every message of a batch has the time of its append") { front in
                try await front.produceNumbers(3)
                try await front.produceNumbers(2)
                let stamps = try await front.get("/topics/orders/consume").timestamps
                try #require(stamps.count == 5)
                #expect(Set(stamps[..<3]).count == 1 && Set(stamps[3...]).count == 1)
                #expect(stamps[0] <= stamps[4])
            },
            Check("concurrent producers get offsets of their own, none missing and none twice") { front in
                let ranges = try await withThrowingTaskGroup(of: String.self) { group in
                    for number in 1...40 {
                        group.addTask { try await front.produce(#"{"payload":\#(number)}"#).text }
                    }
                    return try await group.reduce(into: Set<String>()) { $0.insert($1) }
                }
                #expect(ranges == Set((1...40).map { #"{"topic":"orders","offset":\#($0)}"# }))
                let lines = try await front.get("/topics/orders/consume?limit=100", accept: "application/x-ndjson")
                let payloads = lines.text.matches(of: /"payload":([0-9]+)/).compactMap { Int($0.output.1) }
                #expect(payloads.sorted() == Array(1...40))
            },
        ]
    }
}
