extension LearnedReader {
    /// The careful look at what follows a value: commas, braces, the next key. Its node is then `state.found`, and the node that led
    /// here learns the way.
    /// - Returns: where the next value begins, or the event ends; `nil` where the text is not what an event has there.
    @inline(never)
    func scanKeys(_ node: UnsafeMutablePointer<KeyNode>, _ start: UnsafeRawPointer) -> UnsafeRawPointer? {
        let sections = state.pointee.graph.pointee.sections
        var section = node.pointee.section
        var isOpening = node.pointee.isOpening
        var p = start
        while true {
            p = skipSpace(p)
            let next = byte(p)
            if next == 0x7d {
                p += 1
                guard section == .event else {
                    section = .event
                    isOpening = false
                    continue
                }
                state.pointee.found = state.pointee.graph.pointee.end
                node.pointee.learn(
                    UnsafeRawBufferPointer(start: start, count: p - start), state.pointee.graph.pointee.end)
                return p
            }
            if !isOpening {
                guard next == 0x2c else { return nil }
                p = skipSpace(p + 1)
            }
            guard byte(p) == 0x22, let found = key(p, sections + section.rawValue) else { return nil }
            p = skipSpace(found)
            guard byte(p) == 0x3a else { return nil }
            p = skipSpace(p + 1)
            node.pointee.learn(UnsafeRawBufferPointer(start: start, count: p - start), state.pointee.found)
            return state.pointee.readable - p < KeyNode.valueReach ? enterTail(p) : p
        }
    }

    /// Finds the node of the key whose quote is at `start`, and returns where the key ends.
    @inline(__always)
    private func key(_ start: UnsafeRawPointer, _ section: UnsafeMutablePointer<KeySection>) -> UnsafeRawPointer? {
        if state.pointee.readable - start > 8 {
            let word = WordScan.load(start, 1)
            let bits = WordScan.bitsToQuote(word)
            if bits >= 0 {
                let number = section.pointee.keys.find(plain: word & WordScan.lowBits(bits), length: bits &>> 3)
                if number >= 0 {
                    state.pointee.found = section.pointee.nodes[number]
                    return start + (bits &>> 3 &+ 2)
                }
            }
        }
        return otherKey(start, section)
    }

    /// A key of more than seven bytes, one not met before, or one with escapes.
    @inline(never)
    private func otherKey(
        _ start: UnsafeRawPointer, _ section: UnsafeMutablePointer<KeySection>
    ) -> UnsafeRawPointer? {
        let count = plainLength(start + 1)
        if count >= 0 {
            state.pointee.found = section.pointee.node(UnsafeRawBufferPointer(start: start + 1, count: count))
            return start + count + 2
        }
        let text = UnsafeRawBufferPointer(start: start, count: state.pointee.end - start)
        var scanner = JSONScanner(text)
        guard let key = try? scanner.takeString() else { return nil }
        state.pointee.found = JSONText.withUnescaped(text, key) { section.pointee.node($0) }
        return start + scanner.position
    }

    /// The length of a string without escapes in ASCII that begins at `start`, behind its quote; −1 for any other.
    @inline(__always)
    func plainLength(_ start: UnsafeRawPointer) -> Int {
        var count = 0
        while state.pointee.readable - start >= count &+ 8 {
            let plain = WordScan.plainBytes(WordScan.load(start, count))
            count &+= plain.count
            if plain.count < 8 { return plain.isEnd ? count : -1 }
        }
        return -1
    }

    @inline(__always)
    func byte(_ p: UnsafeRawPointer) -> UInt8 { p < state.pointee.end ? WordScan.byte(p) : 0 }

    @inline(__always)
    private func skipSpace(_ start: UnsafeRawPointer) -> UnsafeRawPointer {
        var p = start
        let end = state.pointee.end
        while p < end {
            switch WordScan.byte(p) {
            case 0x20, 0x0a, 0x0d, 0x09: p += 1
            default: return p
            }
        }
        return p
    }
}
