/// Markup of the pages of experiments, runs and models (mustache), as `PageTemplate`.
enum TrackingTemplate {
    static let run = """
        <article class="model"><div class="head"><h3>{{name}}</h3><span class="task">{{id}}</span>
        <span class="chips"><span class="chip {{statusKind}}"><span>{{status}}</span></span>\
        {{#isDeleted}}<span class="chip quarantined"><span>deleted</span></span>{{/isDeleted}}</span></div>
        <dl class="facts">{{#facts}}<div><dt>{{name}}</dt><dd>{{#href}}<a href="{{.}}">{{value}}</a>{{/href}}\
        {{^href}}{{value}}{{/href}}</dd></div>{{/facts}}</dl>
        {{#description}}<p class="note">{{.}}</p>{{/description}}
        </article>

        <section aria-label="Metrics"><div class="heading"><h2>Metrics</h2>\
        {{#moreMetrics}}<span class="soft">{{.}} more are in the API</span>{{/moreMetrics}}</div>
        {{^metrics}}<div class="empty">This run has logged no metric.</div>{{/metrics}}
        {{#hasMetrics}}<div class="card"><div class="columns">{{#metrics}}<div class="column"><div class="title">\
        <b title="{{name}}">{{name}}</b><span class="psi none">{{value}}</span></div>
        <div class="kind soft">{{about}}</div>{{{chart}}}</div>{{/metrics}}</div></div>{{/hasMetrics}}
        </section>

        <div class="two">
        <section aria-label="Parameters"><h2>Parameters</h2><div class="card figures-table">
        {{^params}}<p class="soft">none</p>{{/params}}
        <table class="wrap"><tbody>{{#params}}<tr><td><b>{{name}}</b></td><td>{{value}}</td></tr>{{/params}}</tbody></table>
        </div></section>
        <section aria-label="Tags"><h2>Tags</h2><div class="card figures-table">
        {{^tags}}<p class="soft">none</p>{{/tags}}
        <table class="wrap"><tbody>{{#tags}}<tr><td><b>{{name}}</b></td><td>{{value}}</td></tr>{{/tags}}</tbody></table>
        </div></section>
        </div>

        <section aria-label="Lineage"><h2>From data to champion</h2><div class="card list">
        {{^hasLineage}}<p class="soft">Neither a dataset nor a model is told of this run.</p>{{/hasLineage}}
        {{#datasets}}<div class="item"><span class="tag">dataset</span> <b>{{name}}</b> \
        <span class="soft">{{value}}</span></div>{{/datasets}}
        {{#models}}<div class="item"><span class="tag">logged model</span> <b>{{name}}</b> \
        <span class="soft">{{value}}</span></div>{{/models}}
        {{#versions}}<div class="item"><span class="tag">version</span> <a href="{{modelHref}}"><b>{{model}}</b></a> {{label}} \
        {{#aliases}}<span class="tag">@{{.}}</span> {{/aliases}}\
        {{#isQuarantined}}<span class="psi bad">quarantined</span> {{/isQuarantined}}\
        <a href="{{lineageHref}}">deployments and incidents</a></div>{{/versions}}
        </div></section>

        <section aria-label="Artifacts"><h2>Artifacts</h2><div class="card list">
        {{#elsewhere}}<p class="soft">They are kept at {{.}}.</p>{{/elsewhere}}
        {{#folder}}<div class="item"><b>{{name}}</b> <a href="{{href}}">up</a></div>{{/folder}}
        {{#isEmpty}}<p class="soft">none here</p>{{/isEmpty}}
        {{#files}}<div class="item"><a href="{{href}}">{{name}}</a> <span class="soft">{{value}}</span></div>{{/files}}
        </div></section>
        """

    static let experiment = """
        <article class="model"><div class="head"><h3>{{name}}</h3><span class="task">experiment {{id}}</span>
        <span class="chips">{{#isDeleted}}<span class="chip quarantined"><span>deleted</span></span>{{/isDeleted}}</span></div>
        <dl class="facts">{{#facts}}<div><dt>{{name}}</dt><dd>{{value}}</dd></div>{{/facts}}</dl></article>
        <section aria-label="Runs"><div class="heading"><h2>Runs</h2>\
        <span class="soft">{{range}}{{#previous}} · <a href="{{.}}">first page</a>{{/previous}}\
        {{#next}} · <a href="{{.}}">next page</a>{{/next}}</span></div>
        {{^runs}}<div class="empty"><b>There are no runs here.</b> <code>mlflow.start_run()</code> begins one.</div>{{/runs}}
        {{#hasRuns}}<div class="card figures-table"><div class="scroll"><table><thead><tr>
        {{#heads}}<th class="{{kind}}">{{#href}}<a href="{{.}}">{{name}}</a>{{/href}}{{^href}}{{name}}{{/href}}\
        {{#arrow}} {{.}}{{/arrow}}</th>{{/heads}}</tr></thead><tbody>
        {{#runs}}<tr><td><a href="{{href}}"><b>{{name}}</b></a></td><td><span class="psi {{kind}}">{{status}}</span></td>\
        <td>{{started}}</td><td class="num">{{lasted}}</td>{{#metrics}}<td class="num">{{.}}</td>{{/metrics}}\
        {{#params}}<td>{{.}}</td>{{/params}}</tr>{{/runs}}
        </tbody></table></div></div>{{/hasRuns}}
        </section>
        """

    static let experiments = """
        <section aria-label="Experiments"><h2>Experiments</h2><div class="card figures-table"><div class="scroll"><table>
        <thead><tr><th>name</th><th class="num">id</th><th>made</th><th>changed</th></tr></thead><tbody>
        {{#experiments}}<tr><td><a href="{{href}}"><b>{{name}}</b></a></td><td class="num">{{id}}</td><td>{{made}}</td>\
        <td>{{changed}}</td></tr>{{/experiments}}
        </tbody></table></div>{{#next}}<p><a href="{{.}}">older ones</a></p>{{/next}}</div></section>
        """

    static let models = """
        <section aria-label="Registered models"><h2>Registered models</h2>
        {{^models}}<div class="empty"><b>Nothing is registered yet.</b> MLflow's clients and \
        <code>holdfast registry register</code> do.</div>{{/models}}
        {{#hasModels}}<div class="card figures-table"><div class="scroll"><table>
        <thead><tr><th>name</th><th>champion</th><th>kept warm</th><th>registered</th></tr></thead><tbody>
        {{#models}}<tr><td><a href="{{href}}"><b>{{name}}</b></a></td><td>{{champion}}</td><td>{{warm}}</td><td>{{made}}</td>\
        </tr>{{/models}}</tbody></table></div></div>{{/hasModels}}</section>
        """

    static let model = """
        <article class="model"><div class="head"><h3>{{name}}</h3>
        <span class="chips">{{#chips}}<span class="chip {{kind}}"><span>{{label}}</span><b>{{version}}</b></span>\
        {{/chips}}</span></div>
        {{#description}}<p class="note">{{.}}</p>{{/description}}</article>
        <section aria-label="Versions"><h2>Versions</h2>
        {{^versions}}<div class="empty">No version is registered yet.</div>{{/versions}}
        {{#hasVersions}}<div class="card figures-table"><div class="scroll"><table><thead><tr><th>version</th><th>aliases</th>\
        <th>registered</th><th>run</th><th>source</th><th></th></tr></thead><tbody>
        {{#versions}}<tr><td><b>{{label}}</b></td><td>{{#aliases}}<span class="tag">@{{.}}</span> {{/aliases}}\
        {{#isQuarantined}}<span class="psi bad">quarantined</span>{{/isQuarantined}}</td><td>{{made}}</td>\
        <td>{{#runHref}}<a href="{{.}}">{{run}}</a>{{/runHref}}</td><td class="soft">{{source}}</td>\
        <td><a href="{{lineageHref}}">lineage</a></td></tr>{{/versions}}
        </tbody></table></div></div>{{/hasVersions}}</section>
        """
}
