import HTTPTypes
import LambdaRuntime
import StreamsAPI
import StreamsHTTP
import StreamsLambda
import Testing

@Suite("Events of gateways")
struct ProxyEventTests {
    private func event(_ json: String) throws -> ProxyEvent { try ProxyEvent(Array(json.utf8)) }

    @Test("a REST event gives its method, path, query, fields and body")
    func rest() throws {
        let event = try event(
            #"""
            {"resource":"/topics/{topic}/consume","path":"/topics/orders/consume","httpMethod":"GET",
             "headers":{"Accept":"application/json","X-Two":"b"},
             "multiValueHeaders":{"Accept":["application/json"],"X-Two":["a","b"]},
             "queryStringParameters":{"since":"2026-01-31T12:00:00+01:00","limit":"5"},
             "multiValueQueryStringParameters":{"since":["2026-01-31T12:00:00+01:00"],"limit":["5"]},
             "pathParameters":{"topic":"orders"},"stageVariables":null,
             "requestContext":{"accountId":"123456789012","resourceId":"abc","stage":"prod","requestId":"r",
              "path":"/prod/topics/orders/consume","protocol":"HTTP/1.1","apiId":"x","httpMethod":"GET",
              "identity":{"sourceIp":"192.0.2.1","userAgent":"curl","cognitoIdentityId":null}},
             "body":null,"isBase64Encoded":false}
            """#)
        #expect(event.shape == .first)
        #expect(event.request.method == .get)
        #expect(
            event.request.target == "/topics/orders/consume?limit=5&since=2026-01-31T12%3A00%3A00%2B01%3A00")
        #expect(event.request.headers[.accept] == "application/json")
        #expect(try event.request.headers[values: #require(HTTPField.Name("X-Two"))] == ["a", "b"])
        #expect(event.request.body.isEmpty)
    }

    @Test("a REST event with only the single-value members gives the same")
    func restSingle() throws {
        let event = try event(
            #"""
            {"path":"/topics/orders/produce","httpMethod":"POST","headers":{"Content-Type":"application/json"},
             "multiValueHeaders":null,"queryStringParameters":{"a":""},"requestContext":{},
             "body":"{\"payload\":\"é\\n\"}","isBase64Encoded":false}
            """#)
        #expect(event.request.target == "/topics/orders/produce?a=")
        #expect(event.request.headers[.contentType] == "application/json")
        #expect(event.request.body == Array(#"{"payload":"é\n"}"#.utf8))
    }

    @Test("an HTTP API event loses its stage, and keeps its query as it was sent")
    func http() throws {
        let event = try event(
            #"""
            {"version":"2.0","routeKey":"$default","rawPath":"/dev/topics/orders/consume",
             "rawQueryString":"offset=1&limit=%32&limit=3&x=+","cookies":["a=1","b=2"],
             "headers":{"accept":"text/html,application/json","host":"x.execute-api.us-east-1.amazonaws.com"},
             "requestContext":{"accountId":"123456789012","apiId":"x","domainName":"x","stage":"dev","time":"t",
              "http":{"method":"GET","path":"/dev/topics/orders/consume","protocol":"HTTP/1.1","sourceIp":"192.0.2.1"}},
             "isBase64Encoded":false}
            """#)
        #expect(event.shape == .second)
        #expect(event.request.target == "/topics/orders/consume?offset=1&limit=%32&limit=3&x=+")
        #expect(event.request.headers[.accept] == "text/html,application/json")
        #expect(event.request.headers[.cookie] == "a=1; b=2")
    }

    @Test("a function URL's event has no stage, and a body in base64")
    func functionURL() throws {
        let event = try event(
            #"""
            {"version":"2.0","routeKey":"$default","rawPath":"/topics/a%2Fb/produce","rawQueryString":"",
             "headers":{"content-type":"application/octet-stream"},
             "requestContext":{"accountId":"anonymous","apiId":"u","domainName":"u.lambda-url.us-east-1.on.aws",
              "http":{"method":"POST","path":"/topics/a%2Fb/produce","protocol":"HTTP/1.1"},"stage":"$default"},
             "body":"/wDw/w==","isBase64Encoded":true}
            """#)
        #expect(event.request.target == "/topics/a%2Fb/produce")
        #expect(event.request.body == [0xFF, 0x00, 0xF0, 0xFF])
    }

    @Test("a load balancer's event keeps its query encoded")
    func loadBalancer() throws {
        let event = try event(
            #"""
            {"requestContext":{"elb":{"targetGroupArn":"arn:aws:elasticloadbalancing:x"}},"httpMethod":"GET",
             "path":"/topics","queryStringParameters":{"prefix":"a%2Db"},"headers":{"host":"x"},"body":"",
             "isBase64Encoded":false}
            """#)
        #expect(event.shape == .loadBalancer(multiValue: false))
        #expect(event.request.target == "/topics?prefix=a%2Db")
        let multiple = try self.event(
            #"""
            {"requestContext":{"elb":{"targetGroupArn":"x"}},"httpMethod":"GET","path":"/",
             "multiValueQueryStringParameters":{"x":["1","2"]},"multiValueHeaders":{"host":["x"]},"body":""}
            """#)
        #expect(multiple.shape == .loadBalancer(multiValue: true) && multiple.request.target == "/?x=1&x=2")
    }

    @Test(
        "the stage goes where it is one, and nowhere else",
        arguments: [
            (#""stage":"prod","path":"/prod/topics""#, "/topics", "/topics"),
            (#""stage":"topics","path":"/topics/topics/x""#, "/topics/x", "/topics/x"),
            (#""stage":"prod","path":"/prod/topics""#, "/prod/topics", "/topics"),
            (#""stage":"prod","path":"/prod""#, "/prod", "/"),
            (#""stage":"prod","path":"/product""#, "/product", "/product"),
            (#""stage":"$default","path":"/$default/topics""#, "/$default/topics", "/$default/topics"),
            (#""stage":"""#, "/topics", "/topics"), (#""x":1"#, "", "/"),
        ])
    func stages(context: String, path: String, target: String) throws {
        let event = try event(#"{"path":"\#(path)","httpMethod":"GET","requestContext":{\#(context)}}"#)
        #expect(event.request.target == target)
    }

    @Test("what a gateway has decoded in a path becomes a target again, and what it has not stays")
    func paths() throws {
        for (path, target) in [
            ("/topics/a b", "/topics/a%20b"), ("/topics/é", "/topics/%C3%A9"), ("/topics/a?b", "/topics/a%3Fb"),
            ("/topics/a#b", "/topics/a%23b"), ("/topics/a%20b", "/topics/a%20b"), ("/topics/%zz", "/topics/%zz"),
            ("/topics/a+b", "/topics/a+b"), ("//topics", "//topics"), ("topics", "/topics"),
            ("/%", "/%"), ("/a:b@c;d=e,f~", "/a:b@c;d=e,f~"),
        ] {
            let event = try event(
                #"{"rawPath":"\#(path)","requestContext":{"http":{"method":"GET"},"stage":"$default"}}"#)
            #expect(event.request.target == target)
        }
    }

    @Test("odd characters in decoded parameters reach the API as the client meant them")
    func parameters() throws {
        let event = try event(
            #"""
            {"path":"/topics","httpMethod":"GET","requestContext":{},"multiValueQueryStringParameters":
             {"a&b=c":["+ %41","é","",null],"":["x"],"none":null}}
            """#.replacing(",null]", with: "]"))
        let target = try RequestTarget(event.request.target)
        let pairs = target.query.map { "\($0.name)|\($0.value)" }
        #expect(pairs == ["|x", "a&b=c|+ %41", "a&b=c|é", "a&b=c|"])
    }

    @Test(
        "an event that is no HTTP request is refused with a sentence",
        arguments: [
            "", "x", "null", "[]", "1", "\"a\"", "{}", #"{"httpMethod":"GET"}"#, #"{"path":"/"}"#,
            #"{"rawPath":"/","requestContext":{"http":{}}}"#,
            #"{"version":"0","source":"aws.events","detail-type":"Scheduled Event","detail":{}}"#,
            #"{"Records":[{"eventSource":"aws:s3"}]}"#, #"{"httpMethod":1,"path":"/"}"#,
            #"{"httpMethod":"GET","path":"/","headers":[]}"#, #"{"httpMethod":"G T","path":"/"}"#,
            #"{"httpMethod":"","path":"/"}"#, #"{"httpMethod":"POST","path":"/","body":"a","isBase64Encoded":true}"#,
            #"{"httpMethod":"POST","path":"/","body":"a=b=","isBase64Encoded":true}"#,
            #"{"httpMethod":"POST","path":"/","body":"\ud800"}"#, #"{"httpMethod":"GET","path":"/""#,
        ])
    func refusals(json: String) throws {
        do {
            _ = try event(json)
            Issue.record("it was taken")
        } catch let failure as InvocationFailure {
            #expect(failure.type.hasPrefix("Function.Event") && failure.message.hasSuffix("."))
        }
    }

    @Test("field names that are none are left out")
    func oddFields() throws {
        let event = try event(
            #"{"httpMethod":"GET","path":"/","headers":{"a b":"1","":"2","ok":"3","nothing":null}}"#)
        #expect(try event.request.headers[#require(HTTPField.Name("ok"))] == "3")
        #expect(event.request.headers.count == 2)
    }
}
