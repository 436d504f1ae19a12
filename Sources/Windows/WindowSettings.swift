package import Values

/// How a model's events are cut into time.
package struct WindowSettings: Sendable {
    /// The smallest unit of counting; windows are merges of whole panes.
    package var pane: Span
    /// Length of a window.
    package var size: Span
    /// Distance between window starts: equal to `size` for tumbling windows, less for sliding ones.
    package var every: Span
    /// How far behind the newest event another may still come and count.
    package var lateness: Span
    package var calendar: WindowCalendar

    package init(pane: Span, size: Span, every: Span, lateness: Span, calendar: WindowCalendar) {
        self.pane = pane
        self.size = size
        self.every = every
        self.lateness = lateness
        self.calendar = calendar
    }

    package static let standard = WindowSettings(
        pane: .minutes(5), size: .hours(1), every: .minutes(5), lateness: .minutes(10), calendar: .utc)

    /// What is wrong with these lengths, in words a configuration error can use.
    package var problems: [String] {
        var found: [String] = []
        let day = Span.days(1).microseconds
        for (name, span) in [("pane", pane), ("size", size), ("every", every)] {
            let us = span.microseconds
            if us <= 0 {
                found.append("\(name) must be longer than zero")
            } else if us < day ? day % us != 0 : us % day != 0 {
                found.append(
                    "\(name) (\(span)) must divide a day evenly or be whole days, so that windows align to midnight")
            }
        }
        guard found.isEmpty else { return found }
        if every.microseconds % pane.microseconds != 0 {
            found.append("every (\(every)) must be a multiple of pane (\(pane))")
        }
        if size.microseconds % pane.microseconds != 0 {
            found.append("size (\(size)) must be a multiple of pane (\(pane))")
        }
        if every > size {
            found.append(
                "every (\(every)) must not be longer than size (\(size)): events between windows would be lost")
        }
        if size.microseconds / pane.microseconds > 10_000 {
            found.append("size (\(size)) holds over 10,000 panes of \(pane); use longer panes")
        }
        if lateness.microseconds < 0 { found.append("lateness must not be negative") }
        return found
    }
}
