import ArgumentParser
import Monitor
import StrictYAML

/// Reading what a command needs; what is wrong is printed with its place and ends the program with status 2.
enum Load {
    static func configuration(_ path: String) throws -> Configuration {
        try problems { () throws(Problems) in try ConfigurationReader.read(path) }
    }

    static func problems<T>(_ body: () throws(Problems) -> T) throws -> T {
        do throws(Problems) {
            return try body()
        } catch {
            for problem in error.list { Terminal.error("\(problem)") }
            throw ExitCode(2)
        }
    }
}
