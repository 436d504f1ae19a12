/// Text with `{{ … }}`, the part of Go's text/template that Prometheus users write in annotations: variables, pipes,
/// calls, `if`/`else if`/`else`/`end`. Checked when loaded; what still fails at run time renders its error in place and
/// never stops an alert.
package struct Template: Sendable {
    /// The names a template may use.
    enum Scope: Sendable {
        case annotation
        /// A label is identity: only other labels may decide it.
        case label
    }

    indirect enum Node: Sendable {
        case text(String)
        case output(Pipeline)
        case branch([(condition: Pipeline, body: [Node])], otherwise: [Node])
    }

    struct Pipeline: Sendable {
        var commands: [Command]
    }

    indirect enum Operand: Sendable {
        case literal(TemplateValue)
        case variable(String, fields: [String])
        case group(Pipeline)
    }

    enum Command: Sendable {
        case operand(Operand)
        case call(TemplateFunction, [Operand])
    }

    package let text: String
    let nodes: [Node]

    /// Names of the variables it uses, without the `$`.
    package var variables: Set<String> { Self.variables(of: nodes) }

    private static func variables(of nodes: [Node]) -> Set<String> {
        nodes.reduce(into: []) { out, node in
            switch node {
            case .text: break
            case .output(let pipeline): out.formUnion(variables(of: pipeline))
            case .branch(let cases, let otherwise):
                for (condition, body) in cases { out.formUnion(variables(of: condition).union(variables(of: body))) }
                out.formUnion(variables(of: otherwise))
            }
        }
    }

    private static func variables(of pipeline: Pipeline) -> Set<String> {
        let operands = pipeline.commands.flatMap { command -> [Operand] in
            switch command {
            case .operand(let operand): [operand]
            case .call(_, let operands): operands
            }
        }
        return operands.reduce(into: []) { out, operand in
            switch operand {
            case .literal: break
            case .variable(let name, _): out.insert(name)
            case .group(let inner): out.formUnion(variables(of: inner))
            }
        }
    }

    /// The text after variables are filled in.
    package func render(_ scope: TemplateScope) -> String {
        var out = ""
        do {
            try Self.render(nodes, scope, &out)
        } catch {
            return "<error expanding template: \(error.message)>"
        }
        return out
    }

    private static func render(
        _ nodes: [Node], _ scope: TemplateScope, _ out: inout String
    ) throws(TemplateFailure) {
        for node in nodes {
            switch node {
            case .text(let text): out += text
            case .output(let pipeline): out += try evaluate(pipeline, scope).text
            case .branch(let cases, let otherwise):
                var chosen = otherwise
                for (condition, body) in cases where try evaluate(condition, scope).isTrue {
                    chosen = body
                    break
                }
                try render(chosen, scope, &out)
            }
            // A template cannot loop, but long values in many places could still flood a receiver.
            if out.utf8.count > 64 << 10 { throw TemplateFailure(message: "the text is longer than 64 KiB") }
        }
    }

    private static func evaluate(
        _ pipeline: Pipeline, _ scope: TemplateScope
    ) throws(TemplateFailure) -> TemplateValue {
        var piped: TemplateValue?
        for command in pipeline.commands {
            switch command {
            case .operand(let operand): piped = try evaluate(operand, scope)
            case .call(let function, let operands):
                var arguments: [TemplateValue] = []
                for operand in operands { arguments.append(try evaluate(operand, scope)) }
                if let piped { arguments.append(piped) }
                piped = try function.apply(arguments)
            }
        }
        return piped ?? .nothing
    }

    private static func evaluate(
        _ operand: Operand, _ scope: TemplateScope
    ) throws(TemplateFailure) -> TemplateValue {
        switch operand {
        case .literal(let value): return value
        case .group(let pipeline): return try evaluate(pipeline, scope)
        case .variable(let name, let fields):
            guard var value = scope.variables[name] else { throw TemplateFailure(message: "no $\(name) here") }
            for field in fields {
                guard case .record(let members, _) = value else {
                    throw TemplateFailure(message: "$\(name) has no field \(field)")
                }
                // As Prometheus: a label an alert does not have is empty.
                value = members[field] ?? .string("")
            }
            return value
        }
    }
}

/// Why a template could not be filled in.
struct TemplateFailure: Error {
    var message: String
}

/// The variables of one alert.
package struct TemplateScope: Sendable {
    var variables: [String: TemplateValue]

    static func labels(_ labels: [String: String]) -> TemplateScope {
        TemplateScope(variables: ["labels": .record(labels.mapValues { .string($0) }, shown: .nothing)])
    }
}
