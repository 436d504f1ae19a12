// swift-tools-version: 6.2
import PackageDescription

/// What every target of ours is compiled with: language mode 6, explicit existentials, explicit imports, no warnings.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// The modules that touch every event or every bin are optimised in debug builds too: the tests run whole streams through them.
/// Exclusive access is checked at run time in debug builds, so in every test, and not in the program that is shipped.
let hot: [SwiftSetting] =
    strict + [
        .unsafeFlags(["-O"], .when(configuration: .debug)),
        .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
    ]

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let http = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")

let package = Package(
    name: "holdfast",
    products: [.executable(name: "holdfast", targets: ["holdfast"])],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    ],
    targets: [
        // System libraries.
        .systemLibrary(
            name: "CRdkafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

        // The engine: one direction, left to right.
        .target(name: "Values", swiftSettings: hot),
        .target(name: "Sketches", dependencies: ["Values"], swiftSettings: hot),
        .target(name: "Statistics", dependencies: ["Values", "Sketches"], swiftSettings: hot),
        .target(name: "Detection", dependencies: ["Values", "Statistics"], swiftSettings: hot),
        .target(name: "Events", dependencies: ["Values"], swiftSettings: hot),
        .target(name: "Files", dependencies: ["Events", "CZlib", "CZstd"], swiftSettings: hot),
        .target(name: "Kafka", dependencies: ["CRdkafka"], swiftSettings: hot),
        .target(name: "CCounting", cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))]),
        .target(
            name: "Windows", dependencies: ["CCounting", "Values", "Events", "Sketches", "Statistics"],
            swiftSettings: hot),
        .target(name: "StrictYAML", dependencies: ["Values", yams], swiftSettings: strict),
        .target(
            name: "Rules", dependencies: ["Values", "Statistics", "Detection", "StrictYAML"],
            swiftSettings: strict),
        .target(
            name: "Ledger",
            dependencies: ["Values", "Events", "Files", "Windows", "Sketches", "Statistics", "Rules", grdb],
            exclude: ["FORMAT.md"],
            swiftSettings: strict),
        .target(
            name: "Actions", dependencies: ["Values", "Rules", "COpenSSL", http, nioCore, nioHTTP],
            swiftSettings: strict),
        .target(name: "Registry", dependencies: ["Values", "COpenSSL", grdb], swiftSettings: strict),
        // MLflow's interface over the registry's store.
        .target(
            name: "MLflow", dependencies: ["Values", "Events", "Registry", "COpenSSL", grdb, sqlite],
            swiftSettings: strict),
        .target(name: "Telemetry", dependencies: ["Values", log, coreMetrics], swiftSettings: strict),
        .target(
            name: "Server",
            dependencies: [
                "Values", "Events", "COpenSSL", "Registry", "MLflow", "Statistics",
                hummingbird,
                hummingbirdCore, mustache,
                lifecycle, nioCore, nioPosix, nioHTTP, httpTypes, log,
            ],
            swiftSettings: strict),
        .target(
            name: "Monitor",
            dependencies: [
                "Values", "Sketches", "Statistics", "Detection", "Events", "Files", "Kafka", "Windows", "StrictYAML",
                "Rules",
                "Ledger", "Actions", "Registry", "MLflow", "Telemetry", "Server", lifecycle, signals, http, nioCore,
                nioHTTP, log,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "holdfast",
            dependencies: ["Values", "Monitor", "Registry", "StrictYAML", "Telemetry", log, arguments],
            swiftSettings: strict),

        // Helpers of the demo and the tests.
        .executableTarget(name: "TestBroker", dependencies: ["CRdkafka"], swiftSettings: strict),

        // Measurements; Benchmarks/README.md says how to run them.
        .executableTarget(
            name: "HoldfastBench",
            dependencies: [
                "Values", "Events", "Kafka", "Statistics", "Windows", "Ledger", "StrictYAML", "Monitor", arguments, log,
            ],
            path: "Benchmarks/HoldfastBench", swiftSettings: strict),
        // The detector on simulated histograms: no events, no windows, only counts.
        .executableTarget(
            name: "DetectionBench", dependencies: ["Values", "Statistics", "Detection", arguments],
            path: "Benchmarks/Detection/Simulate", swiftSettings: hot),
        // The client of `make bench-registry`: plain sockets, so that the server is what is measured.
        .executableTarget(name: "RegistryLoad", path: "Benchmarks/RegistryLoad", swiftSettings: strict),
        // The corpus that `make prove-decoder` has judged by another parser.
        .executableTarget(
            name: "ProveDecoder", dependencies: ["Values", "Events"], path: "Benchmarks/Decoder/Prove",
            swiftSettings: hot),

        // Tests sit beside what they prove.
        .target(
            name: "TestSupport", dependencies: ["Values", "COpenSSL"], path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "Values", "Sketches", "Statistics", "Detection", "Events", "Files", "Windows", "Rules", "Ledger",
                "TestSupport",
            ], exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "PerformanceTests",
            dependencies: [
                "Values", "Sketches", "Statistics", "Detection", "Events", "Windows", "Ledger", "TestSupport",
            ], exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "RulesTests",
            dependencies: ["Values", "Sketches", "Statistics", "Detection", "StrictYAML", "Rules", "TestSupport"],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "KafkaTests", dependencies: ["Events", "Kafka", "TestBroker", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "RegistryTests", dependencies: ["Values", "Registry", "TestSupport", grdb], swiftSettings: strict),
        .testTarget(
            name: "MLflowTests", dependencies: ["Values", "Events", "Registry", "MLflow", "TestSupport"],
            exclude: ["session.py"], swiftSettings: strict),
        .testTarget(
            name: "ActionsTests",
            dependencies: ["Values", "Events", "Rules", "Actions", "Telemetry", "TestSupport", log, coreMetrics],
            swiftSettings: strict),
        .testTarget(
            name: "ReportTests",
            dependencies: [
                "Values", "Events", "Files", "Sketches", "Statistics", "Windows", "Monitor", "TestSupport",
            ],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Values", "Events", "Statistics", "Registry", "MLflow", "Server", "TestSupport", lifecycle, nioCore,
                nioPosix,
                nioHTTP, log,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "MonitorTests",
            dependencies: [
                "Values", "Events", "Files", "Sketches", "Statistics", "Windows", "StrictYAML", "Rules", "Ledger",
                "Kafka", "Registry", "MLflow", "Monitor", "Telemetry",
                "holdfast",
                "TestBroker", "TestSupport", http, nioCore, nioHTTP, log,
            ],
            swiftSettings: strict),
        .testTarget(name: "TidyTests", swiftSettings: strict),
    ]
)
