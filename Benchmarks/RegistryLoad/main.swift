import Foundation
import Synchronization

/// `RegistryLoad load PORT THREADS SECONDS < REQUEST`: the request, over and over, by each thread on a connection of its own.
/// `RegistryLoad watch PORT COUNT < REQUEST`: once by each of COUNT connections; says `ready` when all were sent, and then when
/// each was answered.
///
/// The request is a head without `Content-Length`, an empty line, and a body; see `Template` for what changes in it. Prints
/// one line of JSON. `Benchmarks/registry.py` and `champions.py` are what calls it.
func run(_ arguments: [String]) throws -> String {
    func number(_ i: Int) throws -> Int {
        guard i < arguments.count, let value = Int(arguments[i]), value > 0 else {
            throw LoadError("use: load PORT THREADS SECONDS, or watch PORT COUNT, with a request on the standard input")
        }
        return value
    }
    let port = UInt16(try number(1))
    let request = try Request(FileHandle.standardInput.readDataToEndOfFile())
    switch arguments.first {
    case "load": return try load(request, port: port, threads: try number(2), seconds: try number(3))
    case "watch": return try watch(request, port: port, count: try number(2))
    default: return try "\(number(arguments.count))"
    }
}

do {
    print(try run(Array(CommandLine.arguments.dropFirst())))
} catch {
    FileHandle.standardError.write(Data("RegistryLoad: \(error)\n".utf8))
    exit(1)
}
