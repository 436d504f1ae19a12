/// Where something stands in a file a person wrote. Lines and columns count from 1, columns in Unicode scalars.
package struct Place: Hashable, Sendable {
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}

extension Place: Comparable, CustomStringConvertible {
    package static func < (a: Place, b: Place) -> Bool {
        (a.file, a.line, a.column) < (b.file, b.line, b.column)
    }

    package var description: String { "\(file):\(line):\(column)" }
}

/// One thing wrong with a file, told so that its author knows what to change.
package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    package var place: Place
    package var message: String

    package init(_ message: String, at place: Place) {
        self.place = place
        self.message = message
    }

    /// `rules/fraud.yaml:4:7: error: …`, a form editors and terminals turn into a link.
    package var description: String { "\(place): error: \(message)" }
}

/// Everything wrong with some files, in the order of their lines; never empty when thrown by `ProblemCollector`.
package struct Problems: Error, Sendable, CustomStringConvertible {
    package let list: [Problem]

    package init(_ list: [Problem]) {
        self.list = list.sorted { ($0.place, $0.message) < ($1.place, $1.message) }
    }

    package var description: String { list.map(\.description).joined(separator: "\n") }
}

/// Collects problems while a file is read, so that its author sees all of them at once.
package struct ProblemCollector: Sendable {
    /// More than this from one run says nothing new.
    package static let maximum = 1_000

    package private(set) var list: [Problem] = []
    private var seen: Set<Problem> = []

    package init() {}

    package var isEmpty: Bool { list.isEmpty }
    package var problems: Problems { Problems(list) }

    /// Adds a problem once, however many ways lead to it.
    package mutating func add(_ message: String, at place: Place) {
        let problem = Problem(message, at: place)
        guard list.count < Self.maximum, seen.insert(problem).inserted else { return }
        list.append(problem)
    }

    package mutating func add(_ problems: Problems) {
        for problem in problems.list { add(problem.message, at: problem.place) }
    }

    /// Throws what was collected, if anything was.
    package func throwIfAny() throws(Problems) {
        if !list.isEmpty { throw problems }
    }
}
