import Testing

@testable import Server

/// Silences over HTTP.
@Suite struct `Silence routes` {
    @Test func `add, show and end a silence`() async throws {
        try await withServer { client, _, _ in
            let body = #"{"matchers":[{"name":"alertname","value":"A"}],"duration":"2h"}"#
            let added = try await client.post("/v1/silences", body, [("Authorization", "Basic YW5uOng=")])
            #expect(added.status == 200 && added.body == #"{"silenceID":"s1 by http:ann"}"#)
            let list = try await client.get("/v1/silences")
            #expect(list.body == #"{"silences":["# + body + "]}")
            let ended = try await client.send("DELETE", "/v1/silences/s1")
            #expect(ended.status == 200)
            let missing = try await client.send("DELETE", "/v1/silences/s2")
            #expect(missing.status == 404 && missing.body.contains("there is no silence `s2`"))
        }
    }

    @Test func `what is wrong is told`() async throws {
        try await withServer { client, _, _ in
            for (body, told) in [("{", "the body is not JSON"), ("{}", "`matchers` is missing")] {
                let answer = try await client.post("/v1/silences", body)
                #expect(answer.status == 400 && answer.body.contains(told), "\(answer.body)")
            }
        }
    }

    @Test func `nothing without a token`() async throws {
        try await withServer(tokens: ["0123456789abcdef"]) { client, _, _ in
            for (method, path) in [("GET", "/v1/silences"), ("POST", "/v1/silences"), ("DELETE", "/v1/silences/s1")] {
                let answer = try await client.send(method, path)
                #expect(answer.status == 401, "\(method) \(path)")
            }
        }
    }
}
