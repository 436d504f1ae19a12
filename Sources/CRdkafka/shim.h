#ifndef HOLDFAST_CRDKAFKA_SHIM_H
#define HOLDFAST_CRDKAFKA_SHIM_H

#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

// Asks for bytes that will be read soon; Swift has no word for it.
static inline void holdfast_prefetch(const void *bytes, size_t count) {
    for (size_t at = 0; at < count; at += 64) __builtin_prefetch((const char *)bytes + at);
}

// CPU time of the calling thread. Swift finds `struct timespec` in another module on each platform.
static inline int64_t holdfast_thread_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// Sets from which size on glibc maps a block on its own, what it leaves free at the end of an arena, and how an arena grows.
static inline void holdfast_keep_freed_memory(int mapped, int kept, int grown) {
#ifdef __GLIBC__
    // Refused are only blocks mapped from more than half an arena on.
    mallopt(M_MMAP_THRESHOLD, mapped);
    mallopt(M_TRIM_THRESHOLD, kept);
    mallopt(M_TOP_PAD, grown);
#else
    (void)mapped, (void)kept, (void)grown;
#endif
}

// rd_kafka_producev is variadic, which Swift cannot call. Bytes and key are copied by librdkafka before this returns.
//
// A NULL value is a tombstone and a NULL key is no key; empty ones are something else, so the caller says which it
// means and may pass any pointer for empty bytes. `headers` may be NULL; it belongs to librdkafka after success and
// stays the caller's after an error.
static inline rd_kafka_resp_err_t holdfast_produce(
    rd_kafka_t *rk, const char *topic, int32_t partition, const void *key, size_t key_size, int has_key,
    const void *value, size_t value_size, int has_value, rd_kafka_headers_t *headers, int64_t timestamp_ms,
    void *opaque) {
    const void *key_bytes = has_key ? (key ? key : "") : NULL;
    const void *value_bytes = has_value ? (value ? value : "") : NULL;
    if (headers) {
        return rd_kafka_producev(
            rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY(key_bytes, key_size), RD_KAFKA_V_VALUE((void *)value_bytes, value_size),
            RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_HEADERS(headers),
            RD_KAFKA_V_END);
    }
    return rd_kafka_producev(
        rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key_bytes, key_size), RD_KAFKA_V_VALUE((void *)value_bytes, value_size),
        RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
}

#endif
