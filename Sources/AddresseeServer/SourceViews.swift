// The sources of a long walk: each at one state that does not change while others write, as far as a source has that.

import MailboxDirectory

/// Views of all sources, made at the same time, which several walks may share.
final class SourceViews {
    /// A view of each source; the source itself where it has none.
    let sources: [any Source]
    /// Whether they see what the sources saw in the batch in which they were made.
    let areOfBatch: Bool
    private let views: [(view: any Source, stamp: UInt64?)]

    /// In a batch of these sources, which is begun anew.
    init(of sources: [any Source]) {
        let before = sources.map { $0.version() }
        let made = sources.map { $0.view() }
        for source in sources { source.beginBatch() }
        var isSame = true
        for (index, source) in sources.enumerated() where made[index] != nil {
            // What has not changed from before to after was so in between.
            if before[index] == nil || source.version() != before[index] { isSame = false }
        }
        areOfBatch = isSame
        self.sources = zip(made, sources).map { $0 ?? $1 }
        views = made.compactMap { view in view.map { (view: $0, stamp: $0.version()) } }
    }

    /// Whether they still see what they saw first: a view that failed is opened anew, and sees something else.
    var areIntact: Bool { views.allSatisfy { $0.view.version() == $0.stamp } }
}
