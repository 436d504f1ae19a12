import Foundation

extension String {
    /// The one way a name from outside is written down: composed (NFC, Unicode Standard Annex 15).
    ///
    /// Swift takes two spellings of a text for one, a database and a hash of bytes for two. So a version, a segment's value, a class or a
    /// field gets this form where its bytes become a name, and from there on the two agree. Identities of events are no names: they are
    /// joined byte by byte.
    package var nameForm: String {
        utf8.allSatisfy { $0 < 0x80 } ? self : precomposedStringWithCanonicalMapping
    }
}
