import Foundation
import Testing

/// For looking at the page in a browser: `HOLDFAST_PREVIEW=FILE swift test --filter PreviewTests` writes the address of
/// a served incident into the file and goes on until it is interrupted. `HOLDFAST_PREVIEW_EMPTY=1` shows a new service.
struct PreviewTests {
    private static let environment = ProcessInfo.processInfo.environment

    @Test(.enabled(if: environment["HOLDFAST_PREVIEW"] != nil))
    func `serves the page for a look`() async throws {
        let isEmpty = Self.environment["HOLDFAST_PREVIEW_EMPTY"] != nil
        try await withServer(isEmpty ? FixtureService.State() : Fixture.incident()) { client, _, _ in
            try "http://127.0.0.1:\(client.port)/".write(
                toFile: Self.environment["HOLDFAST_PREVIEW"] ?? "", atomically: true, encoding: .utf8)
            let (forever, hold) = AsyncStream<Void>.makeStream()
            for await _ in forever {}
            hold.finish()
        }
    }
}
