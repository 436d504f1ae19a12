/// The pages' markup (mustache). `{{x}}` is escaped; `{{{x}}}` is markup made by this module from escaped text.
enum PageTemplate {
    static let fragment = """
        <div id="live" data-title="{{title}}">
        <header class="top"><div class="wide">
        \(PageFrame.brand)
        <span class="state {{stateClass}}" role="status"><i></i>{{state}}</span>
        <span class="now"><span class="lost">connection lost · </span>as of {{now}}</span>
        </div></header>
        <main class="wide">
        {{#problems}}<p class="problem"><b>Not ready</b> {{.}}</p>
        {{/problems}}

        \(alerts)
        \(models)
        \(history)
        <footer>Distances are in nats against the reference; PSI from 0.2 on is drift, from 0.1 on worth a look. \
        {{#hasTracking}}<a href="/experiments">experiments</a> · {{/hasTracking}}<a href="/registry">registry</a> · \
        <a href="/v1/models">models</a> · <a href="/v1/alerts">alerts</a> · <a href="/metrics">metrics</a> · \
        <a href="/openapi.json">API</a></footer>
        </main>
        </div>
        """

    private static let alerts = """
        <section aria-label="Open alerts">
        <h2>Open alerts</h2>
        {{#isCalm}}<div class="empty good"><b>Nothing is firing.</b> Rules are judged each time a window of a model \
        closes; an alert appears here with the evidence for it.</div>{{/isCalm}}
        {{#firing}}\(alert){{/firing}}
        {{#pending}}\(alert){{/pending}}
        </section>
        """

    /// The page of one alert.
    static let alertContent = """
        <section aria-label="Alert">{{#card}}\(alert){{/card}}</section>
        {{#timeline}}<section aria-label="Timeline"><h2>{{#about}}{{.}}{{/about}} before and since</h2>
        <div class="card timeline">{{{timeline}}}<div class="axis"><span>{{timelineFirst}}</span>\
        <span>{{timelineLast}}</span></div>
        <details><summary>The last windows as numbers</summary><div class="scroll"><table>
        <thead><tr><th>window</th><th class="num">rows</th><th class="num">value</th></tr></thead><tbody>
        {{#windows}}<tr><td>{{name}}</td><td class="num">{{before}}</td><td class="num">{{now}}</td></tr>
        {{/windows}}</tbody></table></div></details></div></section>{{/timeline}}
        {{#hasEvidence}}<section aria-label="Evidence"><h2>Seen beside it</h2><div class="card list">
        {{#evidence}}<div class="item">{{.}}</div>{{/evidence}}</div></section>{{/hasEvidence}}
        {{#hasDrivers}}<section aria-label="Segments"><h2>Segments that drive it</h2><div class="card figures-table">
        <div class="scroll"><table><thead><tr><th>segment</th><th class="num">share</th><th class="num">from its size</th>\
        <th class="num">from its values</th><th class="num">±</th></tr></thead><tbody>
        {{#drivers}}<tr><td><b>{{name}}</b></td><td class="num">{{share}}</td><td class="num">{{mix}}</td>\
        <td class="num">{{within}}</td><td class="num soft">{{error}}</td></tr>
        {{/drivers}}</tbody></table></div></div></section>{{/hasDrivers}}
        <section aria-label="Numbers"><h2>Numbers</h2><div class="card figures-table"><div class="scroll"><table>
        {{#hasQuantiles}}<thead><tr><th></th><th class="num">reference</th><th class="num">this window</th></tr></thead>\
        <tbody>{{#quantiles}}<tr><td>{{name}}</td><td class="num">{{before}}</td><td class="num">{{now}}</td></tr>
        {{/quantiles}}</tbody>{{/hasQuantiles}}</table></div>
        <dl class="facts">{{#facts}}<div><dt>{{name}}</dt><dd>{{before}}</dd></div>{{/facts}}</dl></div></section>
        <section aria-label="History"><h2>What was told</h2><div class="card list">
        {{#steps}}<div class="item {{kind}}"><b>{{what}}</b> <span class="soft">{{at}}</span></div>{{/steps}}
        </div></section>
        """

    private static let alert = """
        <article class="alert {{severityClass}} {{status}}">
        <div class="head"><span class="pill">{{severity}}</span><h3>{{#href}}<a href="{{.}}">{{name}}</a>{{/href}}\
        {{^href}}{{name}}{{/href}}</h3>
        <span class="where">{{model}}{{#column}} <em>/</em> {{.}}{{/column}}</span>
        {{#segments}}<span class="tag">{{.}}</span>{{/segments}}
        <span class="when">{{status}}{{#until}} {{.}}{{/until}}{{^until}}{{#since}} since {{.}}{{/since}}{{/until}}</span></div>
        <div class="body{{^hasEvidence}} plain{{/hasEvidence}}">
        <div class="story">
        {{#summary}}<p class="summary">{{.}}</p>{{/summary}}
        {{#likely}}<p class="likely"><span>Likely cause</span>{{.}}</p>{{/likely}}
        {{#value}}<div class="figures"><div><span>{{valueName}}</span><b>{{.}}</b></div>\
        {{#threshold}}<div><span>{{thresholdName}}</span><b class="soft">{{.}}</b></div>{{/threshold}}\
        {{#rows}}<div><span>rows in window</span><b class="soft">{{.}}</b></div>{{/rows}}</div>{{/value}}
        {{#metric}}<p class="metric">{{.}}</p>{{/metric}}
        <ul class="actions">{{#actions}}<li class="{{kind}}">{{text}}</li>{{/actions}}\
        {{#related}}<li class="noted">{{.}}</li>{{/related}}</ul>
        {{#runbook}}<p class="metric"><a href="{{.}}" rel="noopener noreferrer">Runbook</a></p>{{/runbook}}
        </div>
        {{#hasEvidence}}<div class="evidence">
        {{#chart}}<div class="legend"><span class="key ref"></span>reference\
        <span class="key cur"></span>this window{{#chartTitle}} <span class="soft">· {{.}}</span>{{/chartTitle}}</div>\
        {{{.}}}{{/chart}}
        <div class="drivers">{{#drivers}}\
        <div class="driver"><span class="name" title="{{name}}">{{name}}</span>{{{bar}}}\
        <span class="num">{{share}} of the shift</span></div>{{/drivers}}</div>
        </div>{{/hasEvidence}}
        </div>
        </article>
        """

    private static let models = """
        <section aria-label="Models">
        <div class="heading"><h2>Models</h2><div class="legend"><span class="key ref"></span>reference\
        <span class="key cur"></span>last window</div></div>
        {{^models}}<div class="empty"><b>No model is configured yet.</b> Name one under <code>models:</code> in \
        holdfast.yaml with a reference (<code>holdfast reference build</code> learns one from data), \
        then start the service again.</div>{{/models}}
        {{#models}}\(modelCard){{/models}}
        </section>
        """

    private static let modelCard = """
        <article class="model">
        <div class="head"><h3><a href="{{href}}">{{name}}</a></h3><span class="task">{{task}}</span>
        <span class="chips">{{#chips}}<span class="chip {{kind}}"><span>{{label}}</span><b>{{version}}</b></span>\
        {{/chips}}\
        {{#unregistered}}<span class="soft">no champion registered</span>{{/unregistered}}</span></div>
        <dl class="facts">
        <div><dt>last window</dt><dd>{{#window}}{{.}}{{/window}}{{^window}}none yet{{/window}}</dd></div>
        <div class="rows"><dt>rows</dt><dd>{{rows}} {{{rowTrend}}}</dd></div>
        {{#versions}}<div><dt>versions seen</dt><dd>{{.}}</dd></div>{{/versions}}
        {{#watermark}}<div><dt>complete up to</dt><dd>{{.}}</dd></div>{{/watermark}}
        {{#late}}<div><dt>late rows</dt><dd>{{.}}</dd></div>{{/late}}
        {{#labels}}<div><dt>labels</dt><dd>{{.}}</dd></div>{{/labels}}
        <div><dt>reference</dt><dd>{{reference}}</dd></div>
        </dl>
        {{^window}}<div class="empty"><b>No window has closed yet.</b> A window of {{windowSize}} closes once events \
        with later times arrive. Publish predictions to the topic, or post them to <code>/v1/events</code>; \
        old events work too, since time is taken from the events.</div>{{/window}}
        {{#performance}}\(performance){{/performance}}
        {{#hasColumns}}<div class="columns">{{#drawn}}\(column){{/drawn}}</div>{{/hasColumns}}
        {{#hasOthers}}<details open data-key="others-{{name}}">\
        <summary>Other columns</summary><div class="scroll"><table>
        <thead><tr><th>column</th><th>kind</th><th class="num">PSI</th><th>trend</th><th class="num">missing</th>\
        <th>worst segment</th></tr></thead><tbody>
        {{#others}}<tr><td><b>{{name}}</b></td><td class="soft">{{kind}}</td>\
        <td class="num"><span class="psi {{level}}">{{psi}}</span></td><td class="trend">{{{trend}}}</td>\
        <td class="num">{{nullRate}}</td><td>{{#worst}}{{segment}} <span class="psi {{level}}">{{psi}}</span>{{/worst}}\
        {{^worst}}<span class="soft">none</span>{{/worst}}</td></tr>
        {{/others}}</tbody></table></div></details>{{/hasOthers}}
        </article>
        """

    /// The page of one model.
    static let model = """
        {{#problems}}<p class="problem"><b>Not shown</b> {{.}}</p>
        {{/problems}}
        <section aria-label="Model">{{#models}}\(modelCard){{/models}}</section>
        <section aria-label="Alerts"><h2>Open alerts</h2>
        {{#isCalm}}<div class="empty good"><b>Nothing is firing</b> for this model.</div>{{/isCalm}}
        {{#open}}\(alert){{/open}}
        </section>
        <section aria-label="Windows"><h2>Last windows</h2>
        {{^hasWindows}}<div class="empty">No window has closed yet.</div>{{/hasWindows}}
        {{#hasWindows}}<div class="card figures-table"><div class="scroll"><table><thead><tr><th>window</th>\
        <th class="num">rows</th>{{#hasPerformance}}<th class="num">{{performanceName}}</th>\
        <th class="num">labelled</th>{{/hasPerformance}}<th>drifting</th></tr></thead><tbody>
        {{#windows}}<tr><td>{{name}}</td><td class="num">{{rows}}</td>\
        {{#hasPerformance}}<td class="num">{{performance}}</td><td class="num">{{labelled}}</td>{{/hasPerformance}}\
        <td>{{#drifting}}{{name}} <span class="psi {{level}}">{{psi}}</span> {{/drifting}}\
        {{^drifting}}<span class="soft">none</span>{{/drifting}}</td></tr>
        {{/windows}}</tbody></table></div></div>{{/hasWindows}}
        </section>
        {{#hasSegments}}<section aria-label="Segments"><h2>Segments in the last window</h2>
        <div class="card figures-table"><div class="scroll"><table><thead><tr><th>segment</th><th class="num">rows</th>\
        <th>drifts most</th><th class="num">missing at most</th></tr></thead><tbody>
        {{#segments}}<tr><td><b>{{name}}</b></td><td class="num">{{rows}}</td>\
        <td>{{#worst}}{{name}} <span class="psi {{level}}">{{psi}}</span>{{/worst}}\
        {{^worst}}<span class="soft">too few rows</span>{{/worst}}</td><td class="num">{{missing}}</td></tr>
        {{/segments}}</tbody></table></div></div></section>{{/hasSegments}}
        \(resolved)
        <footer>PSI from 0.2 on is drift, from 0.1 on worth a look; a small segment reaches it by chance. \
        <a href="{{snapshots}}">all numbers</a></footer>
        """

    private static let performance = """
        <div class="performance"><div class="story"><div class="title"><b>{{metric}}</b></div>
        <div class="figures"><div><span>{{about}}</span><b>{{value}}</b></div>\
        {{#estimate}}<div><span>estimated, newest window</span><b class="soft">{{.}}</b></div>{{/estimate}}\
        <div><span>labelled, newest window</span><b class="soft">{{coverage}}</b></div></div></div>
        <div class="over">{{{chart}}}<div class="axis"><span>{{first}}</span><span>{{last}}</span></div>
        <div class="legend"><span class="key cur"></span>judged <span class="key soft"></span>labels still coming \
        <span class="key guess"></span>estimated <span class="key ref"></span>labelled share; drawn from {{scale}}, the level \
        line is the reference's</div></div>
        {{#reliability}}<div class="calibration">{{{.}}}<div class="axis"><span>0</span><span>mean score</span>\
        <span>1</span></div><div class="soft">{{reliabilityAbout}}</div></div>{{/reliability}}
        </div>
        """

    private static let column = """
        <div class="column {{level}}"><div class="title"><b title="{{name}}">{{name}}</b>\
        <span class="psi {{level}}">PSI {{psi}}</span></div><div class="kind soft">{{kind}}</div>
        {{{chart}}}{{#trend}}<div class="trend"><span class="soft">PSI</span>{{{.}}}</div>{{/trend}}
        {{#nulls}}<p class="nulls">{{.}}</p>{{/nulls}}
        {{#worst}}<div class="worst"><div class="title"><span class="soft">worst in</span>\
        <b title="{{segment}}">{{segment}}</b>\
        <span class="psi {{level}}">PSI {{psi}}</span></div>{{{chart}}}</div>{{/worst}}
        </div>
        """

    private static let resolved = """
        <section aria-label="Recently resolved">
        <h2>Recently resolved</h2>
        <div class="card list">
        {{^resolved}}<p class="soft">No alert has been resolved yet.</p>{{/resolved}}
        {{#resolved}}<div class="item"><div><b>{{#href}}<a href="{{.}}">{{name}}</a>{{/href}}{{^href}}{{name}}{{/href}}</b>
        <span class="soft">{{model}}{{#column}} / {{.}}{{/column}}</span>
        {{#segments}}<span class="tag">{{.}}</span>{{/segments}}</div>
        {{#summary}}<div>{{.}}</div>{{/summary}}
        <div class="soft">{{#until}}resolved {{.}}{{/until}}{{#lasted}}, after {{.}}{{/lasted}}</div></div>{{/resolved}}
        </div>
        </section>
        """

    private static let history = """
        <div class="two">
        \(resolved)
        <section aria-label="Registry">
        <h2>Registry</h2>
        <div class="card list">
        {{^audit}}<p class="soft">Nothing is registered yet. <code>holdfast registry</code> registers models and \
        versions and promotes a champion, as do MLflow clients.</p>{{/audit}}
        {{#audit}}<div class="item {{kind}}"><div><b>{{model}}</b> {{what}} <span class="soft">by {{actor}}</span></div>
        {{#reason}}<div>{{.}}</div>{{/reason}}
        <div class="soft">{{at}}</div></div>{{/audit}}
        </div>
        </section>
        </div>
        """
}
