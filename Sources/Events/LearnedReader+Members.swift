import Values

/// The members of the event itself.
extension LearnedReader {
    /// `features`, `segments` or `prediction`: an object whose brace's node is then `state.found`, a bare prediction, or null.
    @inline(__always)
    func member(_ p: Place, _ node: UnsafeMutablePointer<KeyNode>) -> Place? {
        state.pointee.found = node
        guard WordScan.byte(p) == 0x7b else { return bareMember(p, node) }
        let part = node.pointee.part
        guard state.pointee.seen & part == 0 else { return nil }
        state.pointee.seen |= part
        let section: KeySection.Name =
            switch node.pointee.action {
            case .features: .features
            case .segments: .segments
            default: .prediction
            }
        state.pointee.found = state.pointee.graph.pointee.sections[section.rawValue].opening
        return p + 1
    }

    @inline(never)
    private func bareMember(_ p: Place, _ node: UnsafeMutablePointer<KeyNode>) -> Place? {
        if isNull(p) { return p + 4 }
        guard node.pointee.action == .prediction, mark(Part.prediction) else { return nil }
        let first = WordScan.byte(p)
        guard first == 0x22 || first == 0x2d || first &- 0x30 < 10 else { return nil }
        switch tables[state.pointee.modelIndex].prediction {
        case .numeric: return numberCell(p, node)
        case .categorical:
            guard collects[state.pointee.modelIndex] == nil || slice(p, { state.pointee.predicted = $0 }) != nil else {
                return nil
            }
            return otherCategory(p, node)
        case .ignored, nil: return skipValue(p)
        }
    }

    @inline(never)
    func model(_ p: Place) -> Place? {
        let graph = state.pointee.graph.pointee
        guard mark(Part.model) else { return nil }
        // Up to 64 bytes of the text are readable; a longer name takes the careful way.
        if graph.nameBytes > 0, graph.nameBytes <= KeyNode.valueReach {
            var i = 0
            while i < graph.nameBytes &- 8, WordScan.load(p, i) == graph.name[i &>> 3] { i &+= 8 }
            if i >= graph.nameBytes &- 8,
                (WordScan.load(p, i) ^ graph.name[i &>> 3])
                    &<< UInt64(truncatingIfNeeded: (i &+ 8 &- graph.nameBytes) &<< 3) == 0
            {
                return p + graph.nameBytes
            }
        }
        return otherModel(p)
    }

    private func otherModel(_ p: Place) -> Place? {
        let text = UnsafeRawBufferPointer(start: p, count: state.pointee.end - p)
        var scanner = JSONScanner(text)
        // Null means absent, every other value but a string is refused.
        guard byte(p) == 0x22, let name = try? scanner.takeString() else {
            guard isNull(p) else { return nil }
            state.pointee.seen &= ~Part.model
            return p + 4
        }
        guard let model = JSONText.withUnescaped(text, name, { modelNames.find($0) }) else { return nil }
        if model != state.pointee.modelIndex {
            guard state.pointee.seen & Part.modelSpecific == 0 else {
                state.pointee.otherModel = model
                return nil
            }
            assume(model)
        }
        return p + scanner.position
    }

    @inline(never)
    func version(_ p: Place) -> Place? {
        if isNull(p) { return p + 4 }
        guard mark(Part.version) else { return nil }
        let word = WordScan.load(p, 1)
        let bits = WordScan.bitsToQuote(word)
        if WordScan.byte(p) == 0x22, bits >= 0 {
            let number = state.pointee.graph.pointee.versions.find(
                plain: word & WordScan.lowBits(bits), length: bits &>> 3)
            if number >= 0 {
                state.pointee.version = UInt16(truncatingIfNeeded: number)
                return p + (bits &>> 3 &+ 2)
            }
        }
        return otherVersion(p)
    }

    private func otherVersion(_ p: Place) -> Place? {
        let tables = tables[state.pointee.modelIndex]
        let text = UnsafeRawBufferPointer(start: p, count: state.pointee.end - p)
        var scanner = JSONScanner(text)
        let number: Int
        switch EventParts.value(&scanner, depth: state.pointee.depth + 1) {
        case .some(.text(let name)): number = JSONText.withUnescaped(text, name) { tables.knownVersion($0) }
        case .some(.number(let range)): number = tables.knownVersion(UnsafeRawBufferPointer(rebasing: text[range]))
        default: return nil
        }
        if number < 0 { state.pointee.hasNewName = true }
        state.pointee.version = UInt16(truncatingIfNeeded: number)
        return p + scanner.position
    }

    func type(_ p: Place) -> Place? {
        if isNull(p) { return p + 4 }
        guard mark(Part.type), byte(p) == 0x22 else { return nil }
        let count = plainLength(p + 1)
        guard count >= 0 else { return nil }
        switch (count, WordScan.load(p, 1)) {
        case (10, 0x6974_6369_6465_7270) where WordScan.byte(p, 9) == 0x6f && WordScan.byte(p, 10) == 0x6e:
            state.pointee.kind = .prediction
        case (8, 0x7365_7275_7461_6566): state.pointee.kind = .features
        case (5, let word) where WordScan.prefix(word, 5) == 0x6c_6562_616c: state.pointee.kind = .label
        default: return nil
        }
        return p + count + 2
    }

    @inline(never)
    func id(_ p: Place) -> Place? {
        let first = WordScan.byte(p)
        if first == 0x22, mark(Part.id) {
            let count = plainLength(p + 1)
            guard count >= 0 else { return nil }
            state.pointee.identity = Slice(start: p + 1, count: count, isText: true)
            return p + count + 2
        }
        if isNull(p) { return p + 4 }
        guard mark(Part.id), first == 0x2d || first &- 0x30 < 10 else { return nil }
        return slice(p) { state.pointee.identity = $0 }
    }
}
