extension ModelReader {
    /// Finds out what the text stands for that a program met for the first time, writes it to where it goes, and takes the program
    /// on. A failure leaves the registers where they are.
    mutating func look(
        _ program: UnsafePointer<AvroProgram.View>, _ scratch: AvroScratch, _ row: AvroRow
    ) -> AvroFailure.Kind? {
        let registers = scratch.registers
        let text = registers.pointee.text
        let step = registers.pointee.code.pointee
        guard text.isSound else {
            registers.pointee.place = text.start
            return .badUTF8
        }
        let known: UInt16?
        switch step.operation {
        case .codeText, .codeOfText:
            let code = code(of: text, step)
            row.codes[Int(step.cell)] = code
            known = code
        case .segmentText, .segmentOfText:
            known = knownSegment(text.bytes, dimension: Int(step.cell))
            row.segments[Int(step.cell)] = known ?? AvroRegisters.pendingSegment
            // A new value gets its number when the event is counted.
            if known == nil {
                scratch.keep(text, Int(step.cell))
                registers.pointee.hasPending = true
            }
        default:
            known = knownVersion(text.bytes)
            registers.pointee.version = known ?? AvroRegisters.pendingVersion
            if known == nil { scratch.keep(text, scratch.versionSlot) }
        }
        if let known, text.count <= AvroMemo.maximumBytes {
            program.pointee.memo(step.a).remember(AvroMemo.Key(text), known)
        }
        registers.pointee.code += 1
        return nil
    }

    private func code(of text: AvroText, _ step: AvroInstruction) -> UInt16 {
        let code = categoryCode(text.bytes, column: Int(step.cell))
        // A reference is built without these words (`DataTable`), so they are no new category either.
        return Int32(code) == step.b && NonFiniteWord.matches(text.bytes) ? Hole.invalid.asCode : code
    }
}
