/// What one column's counters mean: its bins, then the four special codes every column has.
package enum ColumnBins: Sendable, Hashable {
    case numeric(NumericBins, exponent: Int)
    case categorical(CategoryBins)

    /// Bins of valid values.
    package var count: Int {
        switch self {
        case .numeric(let bins, _): bins.count
        case .categorical(let bins): bins.count
        }
    }

    package var isNumeric: Bool {
        if case .numeric = self { true } else { false }
    }

    /// `numeric` or `categorical`, as the outside names it.
    package var kindName: String { isNumeric ? "numeric" : "categorical" }
}

/// Why a row has no valid value in a column. The raw value is the code's place after the column's bins.
package enum SpecialCode: Int, CaseIterable, Sendable {
    /// An explicit JSON null.
    case null
    /// The row carries this part of the event, but not this key.
    case missing
    /// NaN or an infinity.
    case invalid
    /// A value of a type the column does not have.
    case wrongType
}

/// The columns of a model and where each one's counters lie in a flat array.
package struct Layout: Sendable, Hashable {
    package struct Column: Sendable, Hashable {
        package let name: String
        package let bins: ColumnBins
        /// Index of the column's first counter.
        package let offset: Int
        /// Index into the moments, for numeric columns.
        package let momentsIndex: Int?

        /// Counters of this column: bins and special codes.
        package var codeCount: Int { bins.count + SpecialCode.allCases.count }
        package func code(_ special: SpecialCode) -> Int { bins.count + special.rawValue }
    }

    package let columns: [Column]
    package let codeCount: Int
    package let momentsCount: Int

    package init(columns: [(name: String, bins: ColumnBins)]) {
        var offset = 0
        var moments = 0
        var list: [Column] = []
        for (name, bins) in columns {
            let column = Column(
                name: name, bins: bins, offset: offset, momentsIndex: bins.isNumeric ? moments : nil)
            offset += column.codeCount
            if bins.isNumeric { moments += 1 }
            list.append(column)
        }
        self.columns = list
        codeCount = offset
        momentsCount = moments
    }

    package func index(of name: String) -> Int? { columns.firstIndex { $0.name == name } }
}
