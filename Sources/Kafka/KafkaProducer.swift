import CRdkafka
import Dispatch
import Foundation
import Synchronization

/// Sends messages, from any thread. Delivery reports are run by a thread of its own, `holdfast-producer`.
///
/// The queue is bounded (`queue.buffering.max.messages`, `queue.buffering.max.kbytes`): `send` throws `queueFull`
/// rather than wait. An undeliverable message is reported after `message.timeout.ms`, five minutes unless configured.
package final class KafkaProducer: Sendable {
    private let handle: ProducerHandle
    private let ended = DispatchSemaphore(value: 0)
    /// Guards queueing against closing: after `true` nothing enters the queue, so the thread's last purge is complete.
    private let isClosed = Mutex(false)

    /// `onError` hears of errors of the client and of lost messages nobody waits for; both handlers run on librdkafka's
    /// threads or the producer's.
    package init(
        configuration: KafkaConfiguration, onError: @escaping @Sendable (KafkaError) -> Void,
        onLog: @escaping @Sendable (KafkaLogLine) -> Void
    ) throws(KafkaError) {
        let callbacks = ProducerCallbacks(onError: onError, onLog: onLog)
        let handle = try ProducerHandle(configuration: configuration, callbacks: callbacks)
        self.handle = handle
        let ended = ended
        // The thread holds the handle, not the producer, so that a forgotten producer can still end it.
        let thread = Thread {
            handle.serve()
            ended.signal()
        }
        thread.name = "holdfast-producer"
        thread.start()
    }

    deinit { handle.stop() }

    package var counts: DeliveryCounts { handle.callbacks.counts.withLock { $0 } }

    /// Queues a copy of the record and returns at once. Its delivery shows in `counts`.
    package func send(_ record: KafkaRecord) throws(KafkaError) {
        try enqueue(record, opaque: nil)
    }

    /// Sends and waits until the broker has the message, as its `acks` demand, or has refused it. Not ended by
    /// cancellation, as the message may be delivered all the same.
    @discardableResult
    package func sendAndWait(_ record: KafkaRecord) async throws(KafkaError) -> KafkaDelivery {
        let result = await withCheckedContinuation { continuation in
            let opaque = DeliveryWaiter(continuation).handOver()
            do throws(KafkaError) {
                try enqueue(record, opaque: opaque)
            } catch {
                DeliveryWaiter.claim(opaque)?.continuation.resume(returning: .failure(error))
            }
        }
        return try result.get()
    }

    /// Waits until everything queued has been reported, delivered or not; `false` where time ran out first. Blocks.
    package func flush(timeoutMilliseconds: Int) -> Bool {
        rd_kafka_flush(handle.pointer, Int32(clamping: timeoutMilliseconds)) == RD_KAFKA_RESP_ERR_NO_ERROR
    }

    /// Refuses further messages, waits for those queued, gives up the rest (their senders are told), and ends the
    /// thread. Blocks. Calling it again does nothing.
    package func close(flushTimeoutMilliseconds: Int) {
        let isFirst = isClosed.withLock { closed in
            defer { closed = true }
            return !closed
        }
        guard isFirst else { return }
        _ = flush(timeoutMilliseconds: flushTimeoutMilliseconds)
        handle.stop()
        ended.wait()
    }

    private func enqueue(_ record: KafkaRecord, opaque: UnsafeMutableRawPointer?) throws(KafkaError) {
        let failure = isClosed.withLock { closed -> KafkaError? in
            guard !closed else { return .closed }
            do throws(KafkaError) {
                // Counted first: the report may come before this returns.
                handle.callbacks.counts.withLock { $0.accepted += 1 }
                try handle.produce(record, opaque: opaque)
                return nil
            } catch {
                handle.callbacks.counts.withLock { $0.accepted -= 1 }
                return error
            }
        }
        if let failure { throw failure }
    }
}
