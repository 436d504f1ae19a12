import Registry
import Testing
import Values

/// Long polls. Timeouts here are bounds that are not reached; what is waited for comes at once.
struct WaitingTests {
    @Test func `an old sequence is answered at once`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1")
        let state = try await registry.waitForChange(model: "fraud", after: 0, timeout: .seconds(60))
        #expect(state?.slots == ["1", nil, nil])
        #expect(registry.waiterCount == 0)
    }

    @Test func `a thousand waiters wake with the commit`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1")
        let sequence = try await registry.champion(model: "fraud").sequence
        let states = try await withThrowingTaskGroup { group in
            for _ in 0..<1_000 {
                group.addTask {
                    try await registry.waitForChange(model: "fraud", after: sequence, timeout: .seconds(600))
                }
            }
            while registry.waiterCount < 1_000 { await Task.yield() }
            try await Fixture.promote(registry, "2")
            return try await group.reduce(into: Set<ChampionState?>()) { $0.insert($1) }
        }
        // Those that are not woken are answered nothing.
        #expect(states.map { $0?.slots } == [["2", "1", nil]])
        #expect(registry.waiterCount == 0)
    }

    @Test func `other models do not wake a waiter and time runs out`() async throws {
        let registry = try await Fixture.registry()
        _ = try await registry.registerModel("churn", actor: "ann", at: Fixture.time(0))
        async let waiting = registry.waitForChange(model: "churn", after: 0, timeout: .milliseconds(50))
        try await Fixture.promote(registry, "1", "2")
        #expect(try await waiting == nil)
        #expect(registry.waiterCount == 0)
    }

    @Test func `each waits as long as it asked to, whoever came first`() async throws {
        let registry = try await Fixture.registry()
        let patient = Task { try await registry.waitForChange(model: "fraud", after: 0, timeout: .seconds(600)) }
        while registry.waiterCount == 0 { await Task.yield() }
        for _ in 0..<2 {
            #expect(try await registry.waitForChange(model: "fraud", after: 0, timeout: .milliseconds(20)) == nil)
        }
        #expect(registry.waiterCount == 1)
        try await Fixture.promote(registry, "1")
        #expect(try await patient.value?.slots == ["1", nil, nil])
    }

    @Test func `a cancelled waiter leaves`() async throws {
        let registry = try await Fixture.registry()
        let task = Task { try await registry.waitForChange(model: "fraud", after: 0, timeout: .seconds(600)) }
        while registry.waiterCount == 0 { await Task.yield() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(registry.waiterCount == 0)
    }

    @Test func `a wait that is ended from outside leaves, also where the end came first`() async throws {
        let registry = try await Fixture.registry()
        let end = WaitEnd()
        let task = Task {
            try await registry.waitForChange(model: "fraud", after: 0, timeout: .seconds(600), until: end)
        }
        while registry.waiterCount == 0 { await Task.yield() }
        end.end()
        await #expect(throws: CancellationError.self) { try await task.value }
        await #expect(throws: CancellationError.self) {
            try await registry.waitForChange(model: "fraud", after: 0, timeout: .seconds(600), until: end)
        }
        #expect(registry.waiterCount == 0)
    }

    @Test func `one too many is told so`() async throws {
        let registry = try await Registry.inMemory(waitersMaximum: 2)
        try await Fixture.fill(registry)
        let tasks = (0..<2).map { _ in
            Task { try await registry.waitForChange(model: "fraud", after: 0, timeout: .seconds(600)) }
        }
        while registry.waiterCount < 2 { await Task.yield() }
        let error = await refusal {
            _ = try await registry.waitForChange(model: "fraud", after: 0, timeout: .seconds(600))
        }
        #expect(error?.code == .unavailable)
        try await Fixture.promote(registry, "1")
        for task in tasks { #expect(try await task.value?.slots == ["1", nil, nil]) }
    }

    @Test func `waiting for an unknown model is an error and frees the place`() async throws {
        let registry = try await Fixture.registry()
        let error = await refusal {
            _ = try await registry.waitForChange(model: "nope", after: 0, timeout: .seconds(600))
        }
        #expect(error?.code == .notFound && registry.waiterCount == 0)
    }

    @Test func `a commit by another connection wakes a waiter`() async throws {
        try await Fixture.withFile { path in
            let serving = try await Registry(path: path)
            try await Fixture.fill(serving)
            let other = try await Registry(path: path)
            // Twice: the watch of the first wait has ended when the second begins.
            for version in ["1", "2"] {
                let sequence = try await serving.champion(model: "fraud").sequence
                let waiting = Task {
                    try await serving.waitForChange(model: "fraud", after: sequence, timeout: .seconds(60))
                }
                while serving.waiterCount == 0 { await Task.yield() }
                try await Fixture.promote(other, version)
                #expect(try await waiting.value?.champion?.version == version)
            }
        }
    }

    @Test func `no wait misses a change however they race`() async throws {
        let registry = try await Fixture.registry()
        for i in 0..<100 {
            let sequence = try await registry.champion(model: "fraud").sequence
            async let state = registry.waitForChange(model: "fraud", after: sequence, timeout: .seconds(60))
            try await Fixture.promote(registry, String(i % 6 + 1))
            #expect(try await state?.champion?.version == String(i % 6 + 1))
        }
    }

    @Test func `the end of a champion is news like its beginning`() async throws {
        let registry = try await Fixture.registry()
        func point(_ alias: String, _ version: String) async throws -> Int64 {
            try await registry.pointAlias(
                model: "fraud", alias: alias, version: version, mayPromote: false, actor: "ann", at: Fixture.time(1))
            return try await registry.champion(model: "fraud").sequence
        }
        let first = try await point("champion", "1")
        let second = try await point("champion-1", "2")
        #expect(second > first, "the set changed")
        async let waiting = registry.waitForChange(model: "fraud", after: second, timeout: .seconds(60))
        while registry.waiterCount == 0 { await Task.yield() }
        try await registry.dropAlias(model: "fraud", alias: "champion", actor: "ann", at: Fixture.time(2))
        let heard = try await waiting
        #expect(heard != nil && heard?.champion == nil && (heard?.sequence ?? 0) > second)
        #expect(try await registry.champions(after: second).map(\.champion) == [nil])
        let third = try await point("champion", "3")
        try await registry.deleteVersion(model: "fraud", version: "3", actor: "ann", reason: "", at: Fixture.time(3))
        #expect(try await registry.champion(model: "fraud").sequence > third)
    }
}
