import Values

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `ProveDecoder SEED COUNT`: COUNT messages of the corpus SEED and what the decoder makes of them, for `judge.py`.
func emit(_ bytes: Bytes, to file: Int32 = 1) {
    bytes.withUnsafeBytes { buffer in
        var rest = buffer[...]
        while !rest.isEmpty {
            let written = write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            // The judge stops at the first differences and closes the pipe.
            if written <= 0 { exit(1) }
            rest = rest.dropFirst(written)
        }
    }
}

guard CommandLine.arguments.count == 3, let seed = UInt64(CommandLine.arguments[1]),
    let count = Int(CommandLine.arguments[2])
else {
    emit(Array("usage: ProveDecoder SEED COUNT\n".utf8), to: 2)
    exit(2)
}
let description = Models.description
emit(withUnsafeBytes(of: UInt32(description.count).littleEndian) { Array($0) } + description)
var corpus = Corpus(seed: seed)
var recorder = Recorder()
for number in 0..<count {
    var message = corpus.next()
    // Once at each side of the limit: ten mebibytes are read, a byte more is not.
    if number == 1_000 || number == 1_001 {
        let size = 10 * 1024 * 1024 + number - 1_000
        message.bytes = Array(#"{"model":"fraud","ts":0,"prediction":1}"#.utf8)
        message.bytes += Bytes(repeating: 0x20, count: size - message.bytes.count)
    }
    recorder.add(message)
    if recorder.out.count > 1 << 20 {
        emit(recorder.out)
        recorder.removeAll()
    }
}
emit(recorder.out)
