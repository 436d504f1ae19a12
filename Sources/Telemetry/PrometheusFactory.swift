package import CoreMetrics

/// Puts libraries that speak swift-metrics into the same registry as our own metrics.
/// `MetricsSystem.bootstrap(PrometheusFactory(registry))`, once, at start.
package struct PrometheusFactory: MetricsFactory {
    package let registry: PrometheusRegistry

    package init(_ registry: PrometheusRegistry) { self.registry = registry }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        registry.counter(named: label, dimensions)
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        registry.counter(named: label, dimensions)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        registry.gauge(named: label, dimensions)
    }

    /// A recorder that does not aggregate is swift-metrics' gauge.
    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        aggregate ? registry.histogram(named: label, dimensions) : registry.gauge(named: label, dimensions)
    }

    /// Prometheus' base unit is the second, and says so in the name.
    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        registry.histogram(named: label.hasSuffix("_seconds") ? label : label + "_seconds", dimensions)
    }

    package func destroyCounter(_ handler: any CounterHandler) { registry.remove(identity: ObjectIdentifier(handler)) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {
        registry.remove(identity: ObjectIdentifier(handler))
    }
    package func destroyMeter(_ handler: any MeterHandler) { registry.remove(identity: ObjectIdentifier(handler)) }
    package func destroyRecorder(_ handler: any RecorderHandler) {
        registry.remove(identity: ObjectIdentifier(handler))
    }
    package func destroyTimer(_ handler: any TimerHandler) { registry.remove(identity: ObjectIdentifier(handler)) }
}
