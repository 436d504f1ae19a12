import CZlib
import CZstd
import Glibc

/// The bytes of a file, unpacked: plain, gzip or Zstandard, told apart by their first bytes, not their name. `-` is standard
/// input. One owner at a time.
package final class ByteStream {
    private enum Packing {
        case plain
        case gzip(UnsafeMutablePointer<z_stream>)
        case zstd(OpaquePointer)
    }

    package let path: String
    /// Size on disk, `nil` for pipes; with `consumed` it says how far a reader has come.
    package let size: Int?
    /// Packed bytes read so far.
    package private(set) var consumed = 0

    private let descriptor: Int32
    private let closes: Bool
    private var packing = Packing.plain
    private var input = [UInt8](repeating: 0, count: 1 << 17)
    private var inputStart = 0
    private var inputEnd = 0
    private var atEnd = false
    /// Inside a packed frame: the file must not end here.
    private var unfinished = false

    package init(path: String) throws(FileError) {
        self.path = path
        if path == "-" {
            descriptor = 0
            closes = false
        } else {
            descriptor = open(path, O_RDONLY | O_CLOEXEC)
            closes = true
            if descriptor < 0 { throw FileError(path, String(cString: strerror(errno))) }
        }
        var status = stat()
        let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            close(descriptor)
            throw FileError(path, "is a folder, not a file")
        }
        size = isFile ? Int(status.st_size) : nil
        try fill()
        try detect()
    }

    deinit {
        switch packing {
        case .plain: break
        case .gzip(let stream):
            inflateEnd(stream)
            stream.deallocate()
        case .zstd(let stream): ZSTD_freeDStream(stream)
        }
        if closes { close(descriptor) }
    }

    private func detect() throws(FileError) {
        let magic = input[inputStart..<min(inputEnd, inputStart + 4)]
        if magic.starts(with: [0x1f, 0x8b]) {
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            stream.initialize(to: z_stream())
            // 16 more than the largest window: gzip framing.
            guard inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
                stream.deallocate()
                throw FileError(path, "zlib cannot start")
            }
            packing = .gzip(stream)
        } else if magic.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) {
            guard let stream = ZSTD_createDStream() else { throw FileError(path, "zstd cannot start") }
            packing = .zstd(stream)
        } else if magic.starts(with: "PAR1".utf8) {
            throw FileError(path, "is Parquet, which this version does not read; convert it to JSON lines or CSV first")
        }
    }

    private func fill() throws(FileError) {
        if inputStart > 0 {
            input.withUnsafeMutableBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                memmove(base, base + inputStart, inputEnd - inputStart)
            }
            inputEnd -= inputStart
            inputStart = 0
        }
        while inputEnd < 4 || inputEnd == 0 {
            let end = inputEnd
            let n = input.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress?.advanced(by: end), $0.count - end)
            }
            if n < 0 {
                if errno == EINTR { continue }
                throw FileError(path, String(cString: strerror(errno)))
            }
            if n == 0 {
                atEnd = true
                return
            }
            inputEnd += n
            consumed += n
        }
    }

    /// Unpacks into the buffer; returns how many bytes, 0 at the end.
    package func read(into output: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        while true {
            if inputStart == inputEnd, !atEnd { try fill() }
            if inputStart == inputEnd, atEnd {
                if unfinished { throw FileError(path, "ends in the middle of its compressed data: it was cut short") }
                return 0
            }
            let produced: Int
            switch packing {
            case .plain:
                produced = min(output.count, inputEnd - inputStart)
                input.withUnsafeBytes {
                    output.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[inputStart..<inputStart + produced]))
                }
                inputStart += produced
            case .gzip(let stream): produced = try inflate(stream, output)
            case .zstd(let stream): produced = try decompress(stream, output)
            }
            if produced > 0 { return produced }
        }
    }

    private func inflate(
        _ stream: UnsafeMutablePointer<z_stream>, _ output: UnsafeMutableRawBufferPointer
    ) throws(FileError) -> Int {
        let available = inputEnd - inputStart
        let (status, left, room) = input.withUnsafeMutableBytes { bytes -> (Int32, Int, Int) in
            stream.pointee.next_in = bytes.baseAddress?.advanced(by: inputStart).assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_in = UInt32(available)
            stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(min(output.count, 1 << 30))
            let status = CZlib.inflate(stream, Z_NO_FLUSH)
            return (status, Int(stream.pointee.avail_in), Int(stream.pointee.avail_out))
        }
        inputStart += available - left
        switch status {
        case Z_OK, Z_BUF_ERROR: unfinished = true
        case Z_STREAM_END:
            // Files may be several gzip members one after the other.
            unfinished = false
            inflateReset(stream)
        default: throw FileError(path, "is damaged: its gzip data cannot be unpacked")
        }
        return min(output.count, 1 << 30) - room
    }

    private func decompress(_ stream: OpaquePointer, _ output: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        let (result, used, produced) = input.withUnsafeBytes { bytes -> (Int, Int, Int) in
            var source = ZSTD_inBuffer(
                src: bytes.baseAddress?.advanced(by: inputStart), size: inputEnd - inputStart, pos: 0)
            var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
            let result = ZSTD_decompressStream(stream, &target, &source)
            return (result, source.pos, target.pos)
        }
        guard ZSTD_isError(result) == 0 else { throw FileError(path, "is damaged: its zstd data cannot be unpacked") }
        inputStart += used
        unfinished = result != 0
        return produced
    }
}
