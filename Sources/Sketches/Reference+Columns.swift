extension Reference {
    /// The reference without some columns, which a configuration ignores.
    package func dropping(_ names: Set<String>) -> Reference {
        let kept = layout.columns.indices.filter { !names.contains(layout.columns[$0].name) }
        guard kept.count < layout.columns.count else { return self }
        let reduced = Layout(columns: kept.map { (layout.columns[$0].name, layout.columns[$0].bins) })
        let groups = groups.map { group in
            var profile = Profile(reduced)
            profile.rows = group.profile.rows
            for (new, old) in zip(reduced.columns, kept.map { layout.columns[$0] }) {
                profile.counts.replaceSubrange(
                    new.offset..<new.offset + new.codeCount,
                    with: group.profile.counts[old.offset..<old.offset + old.codeCount])
                if let to = new.momentsIndex, let from = old.momentsIndex {
                    profile.moments[to] = group.profile.moments[from]
                }
            }
            return Group(
                segment: group.segment, profile: profile, cuts: kept.map { group.cuts[$0] },
                seasons: kept.map { group.season($0) }, week: group.week, wobbles: kept.map { group.wobble($0) })
        }
        return Reference(
            model: model, version: version, period: period, layout: reduced, segmentations: segmentations, bins: bins,
            seasons: kept.map { season($0) }, groups: groups)
    }
}
