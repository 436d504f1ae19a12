/// Blocks of arrays and maps, and calls of the routines that pass records over.
///
/// An item takes at least one byte (those that take none are not gone through), so the message's length bounds the work whatever
/// the counts say; the depth has a limit of its own.
enum AvroBlocks {
    private typealias Registers = UnsafeMutablePointer<AvroRegisters>

    static func take(
        _ step: AvroInstruction, _ program: UnsafePointer<AvroProgram.View>, _ scratch: AvroScratch
    ) -> AvroFailure.Kind? {
        let r = scratch.registers
        switch step.operation {
        case .call:
            guard r.pointee.depth < AvroScratch.maximumDepth else { return .tooDeep }
            scratch.frames[r.pointee.depth] = .init(remaining: 0, blockEnd: nil, body: r.pointee.code, isCall: true)
            r.pointee.depth += 1
            AvroSteps.jump(step, program, r)
            return nil
        case .return:
            r.pointee.depth -= 1
            r.pointee.code = scratch.frames[r.pointee.depth].body
            return nil
        case .blocks:
            guard r.pointee.depth < AvroScratch.maximumDepth else { return .tooDeep }
            scratch.frames[r.pointee.depth] = .init(remaining: 0, blockEnd: nil, body: r.pointee.code, isCall: false)
            r.pointee.depth += 1
            return block(program, scratch)
        case .next:
            let frame = scratch.frames + (r.pointee.depth - 1)
            frame.pointee.remaining -= 1
            if frame.pointee.remaining > 0 {
                r.pointee.code = frame.pointee.body
                return nil
            }
            if let end = frame.pointee.blockEnd, end != r.pointee.place { return .blockSize }
            return block(program, scratch)
        case .emptyBlocks: return emptyBlocks(r)
        case .keepKey:
            guard let text = AvroWire.text(&r.pointee.place, r.pointee.end) else {
                return AvroWire.textFailure(r.pointee.place, r.pointee.end)
            }
            r.pointee.key = text
            return nil
        default: return key(step, program, r)
        }
    }

    /// Opens the next block of the innermost loop, or leaves it.
    private static func block(_ program: UnsafePointer<AvroProgram.View>, _ scratch: AvroScratch) -> AvroFailure.Kind? {
        let r = scratch.registers
        let frame = scratch.frames + (r.pointee.depth - 1)
        let step = frame.pointee.body.pointee
        while true {
            let (count, size, failure) = header(r)
            if let failure { return failure }
            if count == 0 {
                r.pointee.depth -= 1
                AvroSteps.jump(step, program, r)
                return nil
            }
            guard let size else {
                frame.pointee.remaining = count
                frame.pointee.blockEnd = nil
                r.pointee.code = frame.pointee.body
                return nil
            }
            if step.flag != 0 {
                r.pointee.place += size
                continue
            }
            frame.pointee.remaining = count
            frame.pointee.blockEnd = r.pointee.place + size
            r.pointee.code = frame.pointee.body
            return nil
        }
    }

    /// How many items follow, and in how many bytes where the block says so (a negative count).
    private static func header(_ r: Registers) -> (count: Int64, size: Int?, failure: AvroFailure.Kind?) {
        var place = r.pointee.place
        let end = r.pointee.end
        guard let raw = AvroWire.integer(&place, end) else { return (0, nil, AvroWire.integerFailure(place, end)) }
        let count = AvroWire.signed(raw)
        if count >= 0 {
            r.pointee.place = place
            return (count, nil, nil)
        }
        guard count > .min else { return (0, nil, .blockCount) }
        guard let raw = AvroWire.integer(&place, end) else { return (0, nil, AvroWire.integerFailure(place, end)) }
        let size = AvroWire.signed(raw)
        guard size >= 0, size <= Int64(end - place) else { return (0, nil, .blockSize) }
        r.pointee.place = place
        return (-count, Int(size), nil)
    }

    private static func emptyBlocks(_ r: Registers) -> AvroFailure.Kind? {
        while true {
            let (count, size, failure) = header(r)
            if let failure { return failure }
            if count == 0 { return nil }
            if let size { r.pointee.place += size }
        }
    }

    /// A map's key, and where its value is read.
    private static func key(_ step: AvroInstruction, _ program: UnsafePointer<AvroProgram.View>, _ r: Registers)
        -> AvroFailure.Kind?
    {
        guard let text = AvroWire.text(&r.pointee.place, r.pointee.end) else {
            return AvroWire.textFailure(r.pointee.place, r.pointee.end)
        }
        let table = program.pointee.keys + Int(step.a)
        let number = table.pointee.names.find(text.bytes) ?? table.pointee.names.count
        if text.count <= AvroMemo.maximumBytes, let short = UInt16(exactly: number) {
            program.pointee.memo(step.b).remember(AvroMemo.Key(text), short)
        }
        r.pointee.code = program.pointee.code + Int(program.pointee.numbers[table.pointee.firstTarget + number]) - 1
        return nil
    }
}
