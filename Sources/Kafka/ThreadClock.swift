import CRdkafka

/// CPU time of the calling thread. Reading it is a system call: for batches, not for messages.
package enum ThreadClock {
    package static var nanoseconds: Int64 { holdfast_thread_nanoseconds() }
}
