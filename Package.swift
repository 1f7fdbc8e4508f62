// swift-tools-version: 6.2
import PackageDescription

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let heapModule = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let dequeModule = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")

let package = Package(
    name: "serverless-streams",
    platforms: [.macOS(.v26)],
    products: [
        .executable(name: "streams", targets: ["streams"]),
        .executable(name: "bootstrap", targets: ["bootstrap"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.5.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.11.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.26.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
    ],
    targets: [
        // The domain, without I/O.
        .target(name: "StreamsModel"),
        .target(name: "StreamsCore", dependencies: ["StreamsModel", dequeModule, logging]),
        // Storage.
        .target(name: "StreamsSQLite", dependencies: ["StreamsCore", "StreamsModel", grdb, logging]),
        .target(name: "AWSSigning", dependencies: ["StreamsModel", crypto]),
        .target(
            name: "StreamsAWS",
            dependencies: [
                "AWSSigning", "StreamsCore", "StreamsModel", asyncHTTPClient, crypto, logging, nioCore, nioHTTP1,
                nioPosix,
            ]),
        // HTTP: the contract, the handlers, a server for them, a client.
        .target(name: "StreamsAPI", dependencies: ["StreamsModel", httpTypes]),
        .target(
            name: "StreamsHTTP",
            dependencies: ["StreamsAPI", "StreamsCore", "StreamsModel", crypto, httpTypes]),
        .target(
            name: "StreamsServer",
            dependencies: [
                "StreamsHTTP", "StreamsCore", "StreamsMetrics", "StreamsModel", dequeModule, httpTypes,
                hummingbirdCore, logging, nioCore, nioHTTP1, nioPosix, serviceLifecycle,
            ]),
        .target(name: "StreamsMetrics", dependencies: ["StreamsCore", coreMetrics]),
        .target(
            name: "StreamsClient",
            dependencies: ["StreamsAPI", "StreamsModel", asyncHTTPClient, nioCore, nioHTTP1, nioPosix]),
        // On AWS Lambda.
        .target(name: "LambdaRuntime", dependencies: [logging, nioCore, nioHTTP1, nioPosix]),
        .target(
            name: "StreamsLambda",
            dependencies: [
                "LambdaRuntime", "StreamsAPI", "StreamsCore", "StreamsHTTP", "StreamsMetrics", "StreamsModel",
                httpTypes, logging,
            ]),
        .executableTarget(
            name: "bootstrap",
            dependencies: [
                "LambdaRuntime", "StreamsAWS", "StreamsCore", "StreamsHTTP", "StreamsLambda", "StreamsMetrics",
                "StreamsModel", coreMetrics, logging, nioCore, nioPosix, unixSignals,
            ]),
        .target(name: "CAllocator"),
        .executableTarget(
            name: "streams",
            dependencies: [
                "CAllocator", "StreamsAWS", "StreamsClient", "StreamsCore", "StreamsHTTP", "StreamsMetrics",
                "StreamsModel",
                "StreamsServer", "StreamsSQLite",
                argumentParser, coreMetrics, logging, serviceLifecycle, unixSignals,
            ]),
        // Tests.
        .target(name: "StreamsTesting", dependencies: ["StreamsCore", "StreamsHTTP", "StreamsModel", httpTypes]),
        .testTarget(
            name: "StreamsHTTPTests",
            dependencies: [
                "StreamsAPI", "StreamsCore", "StreamsHTTP", "StreamsModel", "StreamsTesting", httpTypes, logging,
            ]),
        .testTarget(
            name: "StreamsSQLiteTests",
            dependencies: ["StreamsCore", "StreamsModel", "StreamsSQLite", "StreamsTesting", logging]),
        .target(
            name: "SocketTesting",
            dependencies: ["StreamsHTTP", "StreamsTesting", asyncHTTPClient, httpTypes, nioCore, nioHTTP1, nioPosix],
            path: "Tests/SocketTesting"),
        .testTarget(
            name: "StreamsServerTests",
            dependencies: [
                "SocketTesting", "StreamsCore", "StreamsHTTP", "StreamsMetrics", "StreamsModel", "StreamsServer",
                "StreamsTesting", asyncHTTPClient, coreMetrics, httpTypes, logging, nioCore, nioHTTP1, nioPosix,
                serviceLifecycle,
            ]),
        .testTarget(name: "StreamsMetricsTests", dependencies: ["StreamsMetrics", coreMetrics]),
        .testTarget(
            name: "LambdaRuntimeTests", dependencies: ["LambdaRuntime", logging, nioCore, nioHTTP1, nioPosix]),
        .testTarget(
            name: "StreamsLambdaTests",
            dependencies: [
                "LambdaRuntime", "StreamsAPI", "StreamsCore", "StreamsHTTP", "StreamsLambda", "StreamsMetrics",
                "StreamsModel", "StreamsTesting", coreMetrics, httpTypes, logging,
            ]),
        .executableTarget(
            name: "aws-probe", dependencies: ["AWSSigning", "StreamsAWS", "StreamsCore", "StreamsModel", logging],
            path: "Tests/aws-probe"),
        .testTarget(name: "AWSSigningTests", dependencies: ["AWSSigning", "StreamsModel"]),
        .testTarget(
            name: "StreamsAWSTests",
            dependencies: [
                "AWSSigning", "SocketTesting", "StreamsAWS", "StreamsCore", "StreamsModel", "StreamsTesting",
                "bootstrap", "streams", asyncHTTPClient, logging, nioCore, nioHTTP1, nioPosix,
            ]),
        .testTarget(name: "TidyTests"),
        .target(
            name: "Simulation",
            dependencies: [
                "AWSSigning", "StreamsAWS", "StreamsCore", "StreamsModel", "StreamsTesting", heapModule, logging,
                nioCore, nioHTTP1,
            ],
            path: "Tests/Simulation", exclude: ["README.md"]),
        .executableTarget(
            name: "simulate", dependencies: ["Simulation", "StreamsCore", argumentParser],
            path: "Tests/simulate-command"),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "Simulation", "StreamsAWS", "StreamsCore", "StreamsModel", "StreamsTesting", "simulate", logging,
            ]),
        .testTarget(
            name: "StreamsCoreTests", dependencies: ["StreamsCore", "StreamsModel", "StreamsTesting", logging]),
    ]
)

for target in package.targets where target.name != "CAllocator" {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        // The wrong variants of the protocol, for tests: never in a release.
        .define("MUTANTS", .when(configuration: .debug)),
    ]
}

// `make test` has the core optimised in builds for debugging too: it runs tens of thousands of simulated worlds, and what
// is shipped is optimised as well.
if Context.environment["STREAMS_OPTIMIZED_TESTS"] != nil {
    let optimised = ["StreamsModel", "StreamsCore", "AWSSigning", "StreamsAWS", "StreamsTesting", "Simulation"]
    for target in package.targets where optimised.contains(target.name) {
        target.swiftSettings?.append(.unsafeFlags(["-O"], .when(configuration: .debug)))
    }
}
