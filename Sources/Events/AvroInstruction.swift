/// One step of reading a message: what stands next in it, and where that goes.
///
/// A union of null and a double that fills the third number of the row is three of them: `nullable`, `numberDouble`, and
/// aside `numberHole` with a `jump` back.
struct AvroInstruction: BitwiseCopyable {
    enum Operation: UInt8 {
        // Where to go on.
        /// The event is read whole; bytes left over are an error. With `flag`, the program is over, too.
        case end
        /// The program is over.
        case halt
        /// `a`: target.
        case jump
        /// A union of two with null: on branch `flag` / 2 goes on, on the other one goes to `a`.
        case nullable
        /// The same with the one value that follows, into `cell`; `b`: where to go after it.
        case nullableDouble
        case nullableCode
        case nullableSegment
        /// A union of `b` branches; their targets stand from `a` on in the table of numbers.
        case branch
        /// `a`: a routine that ends with `return`.
        case call
        case `return`
        /// A block of an array or map; `a`: where to go after it. With `flag`, a block that states its size is jumped over.
        case blocks
        /// The next item of the block, or the next block.
        case next
        /// Blocks of items that take no bytes.
        case emptyBlocks
        /// A map's key, kept for `best…`.
        case keepKey
        /// A map's key; `a`: the table of keys, which knows where each key's value is read; `b`: the memo.
        case key
        /// The same for a key that the memo does not have: it follows on `key`.
        case otherKey
        /// `a`: an entry in the table of texts, kept as if it were a map's key.
        case constantKey
        /// Keeps the place and takes it up again.
        case mark
        case rewind
        /// The same for parts that are read after all others.
        case postpone
        case resume
        /// Goes to `a` if an output of higher rank was there already.
        case unlessGiven
        case given

        // Passing values over. `a`: bytes (`flag`: of a number), or how many symbols an enum has.
        case skipBytes
        case skipInteger
        case skipText
        case skipSymbol

        // Numbers of the row. `cell`: which; `flag`: the integer has 32 bits.
        case numberInteger
        case numberFloat
        /// `b`: how many more like it follow, each for the next cell.
        case numberDouble
        /// `a`: digits after the point; `b`: bytes of a fixed, negative where a length stands before them.
        case numberDecimal
        /// The text taken last is no number.
        case numberOfText
        /// `a`: the hole's raw value. With `flag`, only where nothing but a missing value stands.
        case numberHole

        // Values as text, for the instruction that follows. `flag` of an integer: 32 bits.
        case text
        /// `a`: first of the symbols in the table of texts; `b`: their number.
        case textSymbol
        case textBoolean
        case textInteger
        /// With all digits, not as the double it stands for.
        case textDigits
        case textFloat
        case textDouble
        case textDecimal
        case textUUID

        // Texts of the row. `cell`: which; `a`: the memo; `b`: the code of texts without one.
        case codeText
        case codeOfText
        case codeHole
        case segmentText
        case segmentOfText
        case segmentNone
        case versionText
        case versionOfText

        // Parts of the event.
        case modelOfText
        case modelNull
        case kindOfText
        /// A text that only has to be there; `a`: its bit of `found`.
        case identity
        /// Keeps the text taken last for the join; `cell`: which one it is (`AvroOutcomeText`), `a`: bits of `found`.
        case keepText
        case timeOfText
        /// `a`: microseconds in a unit; negative: units in a microsecond.
        case timeInteger
        case timeEpochInteger
        case timeEpochFloat
        case timeEpochDouble
        case timeBad
        /// `a`: a bit of `AvroRegisters.found`.
        case found
        /// `a`: the part that has a type an event cannot have.
        case bad
        /// `a`: how many of the features nobody knows.
        case unknown

        // The best of the scores.
        case bestNone
        case bestInteger
        case bestFloat
        case bestDouble
        case bestDecimal
        /// Takes the best one's key as the text; goes to `a` if there is none.
        case bestText
        /// Keeps the score just taken, and its class, for the join.
        case keepScore
    }

    var operation: Operation
    var flag: UInt8 = 0
    var cell: UInt16 = 0
    var a: Int32 = 0
    var b: Int32 = 0
    /// Index of the path in the program's names.
    var path: Int32 = 0
}
