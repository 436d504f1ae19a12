/// The page's style sheet. Colours carry meaning: grey is the reference, blue the window that is judged, red drift.
enum PageStyle {
    static let text = colours + layout + alerts + models + page + tracking

    private static let colours = """
        :root{--bg:#f6f7f9;--card:#fff;--line:#e4e7ec;--text:#171b24;--soft:#667085;--faint:#f0f2f5;--ref:#c4cad6;
        --cur:#4457d6;--bad:#cf3a3a;--badbg:#fdecec;--warn:#b86a09;--warnbg:#fdf3e1;--ok:#1f8a5b;--okbg:#e6f5ee;
        --shadow:0 1px 2px rgba(16,24,40,.05),0 1px 3px rgba(16,24,40,.06)}
        @media (prefers-color-scheme:dark){:root{--bg:#0e1117;--card:#161b23;--line:#262d38;--text:#e8ebf0;
        --soft:#94a0b3;--faint:#1d242e;--ref:#4a5568;--cur:#8794ff;--bad:#ff7b72;--badbg:#3a1d20;--warn:#f0b458;
        --warnbg:#33270f;
        --ok:#4cc38a;--okbg:#12301f;--shadow:none}}

        """

    private static let layout = """
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--bg);color:var(--text);font:14px/1.5 Inter,ui-sans-serif,system-ui,-apple-system,
        "Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-feature-settings:"tnum" 1}
        a{color:var(--cur);text-decoration:none}a:hover{text-decoration:underline}
        code{font:12.5px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--faint);padding:1px 5px;
        border-radius:4px}
        .wide{max-width:1240px;margin:0 auto;padding:0 24px}
        .top{position:sticky;top:0;z-index:2;background:var(--card);border-bottom:1px solid var(--line)}
        .top .wide{display:flex;align-items:center;gap:16px;height:56px}
        .brand{display:flex;align-items:center;gap:10px;color:var(--text);font-size:16px;letter-spacing:-.01em}
        .brand:hover{text-decoration:none}
        .brand img{display:block}
        .state{display:inline-flex;align-items:center;gap:8px;padding:3px 12px;border-radius:99px;font-weight:600;
        font-size:13px;white-space:nowrap}
        .state i{width:8px;height:8px;border-radius:50%;background:currentColor}
        .calm{color:var(--ok);background:var(--okbg)}.alarm{color:var(--bad);background:var(--badbg)}
        .waiting{color:var(--warn);background:var(--warnbg)}
        .now{margin-left:auto;color:var(--soft);font-size:12.5px;white-space:nowrap}
        .lost{display:none;color:var(--bad);font-weight:600}.stale .lost{display:inline}.stale main{opacity:.6}
        main{padding-top:8px!important;padding-bottom:48px!important}
        h2{font-size:12px;font-weight:600;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);
        margin:28px 0 10px}
        .heading{display:flex;align-items:baseline;justify-content:space-between;gap:12px}.heading .legend{margin:0}
        h3{font-size:16px;margin:0;letter-spacing:-.01em}
        p{margin:0}
        .soft{color:var(--soft);font-weight:400}
        .num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
        .card,.alert,.model,.empty{background:var(--card);border:1px solid var(--line);border-radius:10px;
        box-shadow:var(--shadow);overflow-wrap:anywhere}
        .empty{padding:20px 24px;color:var(--soft)}.empty b{color:var(--text)}
        .model .empty{box-shadow:none;background:var(--faint);border:0;margin:0 20px 20px}
        .empty.good b{color:var(--ok)}
        .problem{margin-top:16px;padding:10px 16px;border-radius:8px;background:var(--warnbg);overflow-wrap:anywhere}
        .problem b{color:var(--warn);margin-right:8px}
        .tag{display:inline-block;padding:1px 8px;border-radius:5px;background:var(--faint);
        border:1px solid var(--line);font-size:12.5px}
        .two{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:0 20px}
        .list{padding:6px 20px}.list>p{padding:12px 0}
        .item{padding:11px 0;border-bottom:1px solid var(--line)}.item:last-child{border:0}
        .item.back{box-shadow:-16px 0 0 var(--card),-19px 0 0 var(--bad)}
        .item.forward{box-shadow:-16px 0 0 var(--card),-19px 0 0 var(--ok)}
        .item .soft{font-size:12.5px}
        footer{margin-top:32px;color:var(--soft);font-size:12.5px}
        @media (max-width:860px){.two{grid-template-columns:minmax(0,1fr)}}
        @media (max-width:620px){.wide{padding:0 14px}.top .wide{gap:10px;height:auto;min-height:52px;flex-wrap:wrap;
        padding-top:8px;padding-bottom:8px}.now{width:100%;margin:0;font-size:11.5px}.state{margin-left:auto}}

        """

    private static let alerts = """
        .alert{margin-bottom:14px;border-left:4px solid var(--tone);--tone:var(--warn);--tonebg:var(--warnbg)}
        .alert.critical{--tone:var(--bad);--tonebg:var(--badbg)}
        .alert.info{--tone:var(--cur);--tonebg:var(--faint)}
        .alert.pending{border-left-style:dashed}
        .alert .head{display:flex;flex-wrap:wrap;align-items:center;gap:6px 10px;padding:14px 20px 0}
        .pill{padding:1px 9px;border-radius:99px;background:var(--tonebg);color:var(--tone);font-size:12px;
        font-weight:600}
        .where{color:var(--soft)}.where em{font-style:normal;opacity:.6}
        .when{margin-left:auto;color:var(--soft);font-size:12.5px}
        .alert .body{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1.15fr);gap:12px 36px;
        padding:12px 20px 18px}
        .summary{font-size:15px;margin-bottom:10px}
        .likely{margin-bottom:12px}.likely span{display:block;color:var(--soft);font-size:12px}
        .figures{display:flex;flex-wrap:wrap;gap:8px 28px;margin:2px 0 6px}
        .figures span{display:block;color:var(--soft);font-size:12px}
        .figures b{font-size:24px;line-height:1.25;letter-spacing:-.02em;color:var(--tone);font-weight:650}
        .figures b.soft{color:var(--text);font-weight:450}
        .metric{color:var(--soft);font-size:12.5px}
        .actions{list-style:none;margin:12px 0 0;padding:0;display:flex;flex-wrap:wrap;gap:6px}
        .actions:empty{display:none}
        .actions li{padding:2px 10px;border-radius:6px;font-size:12.5px;background:var(--faint)}
        .actions .done{background:var(--okbg);color:var(--ok);font-weight:600}
        .actions .refused{background:var(--warnbg);color:var(--warn);font-weight:600}
        .legend{display:flex;flex-wrap:wrap;align-items:center;gap:6px;color:var(--soft);font-size:12px;margin-bottom:6px}
        .key{width:10px;height:10px;border-radius:2px;background:var(--ref)}
        .key.cur{background:var(--cur);margin-left:10px}
        .evidence .hist{height:120px}
        .drivers{margin-top:12px}.drivers:empty{display:none}
        .driver,.cat{display:grid;grid-template-columns:minmax(80px,34%) minmax(0,1fr) auto;gap:10px;align-items:center;
        font-size:12.5px;min-height:22px}
        .driver .num,.cat .num{color:var(--soft);min-width:92px}
        .name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
        svg{display:block;width:100%}
        .hist{height:84px;border-bottom:1px solid var(--line)}
        .hist .hit{fill:transparent}.hist g:hover .hit{fill:var(--faint)}
        .ref{fill:var(--ref)}.cur{fill:var(--cur)}
        .share{height:6px}.share .track{fill:var(--faint)}.share .fill{fill:var(--tone,var(--cur))}
        .cat svg{height:12px}
        .axis{display:flex;justify-content:space-between;color:var(--soft);font-size:11.5px;margin-top:3px}
        .alert .body.plain{grid-template-columns:minmax(0,1fr)}
        @media (max-width:860px){.alert .body{grid-template-columns:minmax(0,1fr)}.when{margin-left:0;width:100%}}
        @media (max-width:620px){.alert .head,.alert .body{padding-left:14px;padding-right:14px}
        .cat{grid-template-columns:minmax(70px,28%) minmax(0,1fr) auto;gap:8px}
        .driver{grid-template-columns:minmax(0,1fr) auto;gap:2px 8px;margin-bottom:6px}.driver svg{grid-area:2/1/3/3}
        .driver .num,.cat .num{min-width:84px;font-size:11.5px}}

        """

    private static let models = """
        .model{margin-bottom:18px;overflow:hidden}
        .model>.head{display:flex;flex-wrap:wrap;align-items:center;gap:8px 12px;padding:16px 20px 12px}
        .model>.head h3{font-size:18px}
        .task{color:var(--soft);font-size:12.5px}
        .chips{display:flex;flex-wrap:wrap;gap:6px;margin-left:auto}
        .chip{display:inline-flex;border:1px solid var(--line);border-radius:6px;overflow:hidden;font-size:12.5px}
        .chip span{padding:1px 8px;color:var(--soft);background:var(--faint)}.chip b{padding:1px 9px;font-weight:600}
        .chip.champion{border-color:var(--ok)}.chip.champion span{background:var(--okbg);color:var(--ok)}
        .chip.quarantined{border-color:var(--bad)}.chip.quarantined span{background:var(--badbg);color:var(--bad)}
        .facts{display:flex;flex-wrap:wrap;gap:10px 32px;margin:0;padding:0 20px 16px}
        .facts dt{color:var(--soft);font-size:12px}.facts dd{margin:0}
        .facts .rows dd{display:flex;align-items:center;gap:10px}
        .facts .spark{width:110px;height:20px}.model>.facts:last-child{padding-bottom:20px}
        .columns{display:grid;grid-template-columns:repeat(auto-fill,minmax(262px,1fr));gap:1px;
        border-top:1px solid var(--line);border-bottom:1px solid var(--line);overflow:hidden}
        .column{background:var(--card);padding:14px 20px 16px;min-width:0;box-shadow:0 0 0 1px var(--line)}
        .title{display:flex;align-items:baseline;gap:8px}.title b{font-weight:600;min-width:0;overflow:hidden;
        text-overflow:ellipsis;white-space:nowrap}
        .title .soft,.kind{font-size:12px;white-space:nowrap}
        .kind{margin-bottom:8px}.worst .title{margin-bottom:8px}
        .psi{font-variant-numeric:tabular-nums;font-weight:600;font-size:12.5px;padding:0 7px;border-radius:5px;
        white-space:nowrap}
        .title .psi{margin-left:auto}
        .psi.bad{color:var(--bad);background:var(--badbg)}.psi.warn{color:var(--warn);background:var(--warnbg)}
        .psi.ok{color:var(--ok);background:var(--okbg)}.psi.none{color:var(--soft)}
        .trend{display:flex;align-items:center;gap:8px;margin-top:10px;font-size:11.5px}.trend span{white-space:nowrap}
        .spark{height:30px;overflow:visible}
        .spark path{fill:none;vector-effect:non-scaling-stroke;stroke-linecap:round;stroke-linejoin:round}
        .line{stroke:var(--cur);stroke-width:1.6}.dot{stroke:var(--cur);stroke-width:5}
        .limit{stroke:var(--bad);stroke-width:1;stroke-dasharray:3 4;opacity:.7}
        .nulls{margin-top:8px;font-size:12.5px;color:var(--warn)}
        .worst{margin-top:12px;padding-top:10px;border-top:1px dashed var(--line)}.worst .hist{height:52px}
        .column .cat{grid-template-columns:minmax(56px,28%) minmax(0,1fr) auto;gap:8px;font-size:12px;min-height:19px}
        .column .cat .num{min-width:78px;font-size:11.5px}
        details{padding:10px 20px 14px}summary{cursor:pointer;color:var(--soft);font-size:12.5px}
        .scroll{overflow-x:auto}
        table{width:100%;border-collapse:collapse;margin-top:6px}
        th{font-size:12px;font-weight:500;color:var(--soft);text-align:left}th.num{text-align:right}
        th,td{padding:6px 16px 6px 0;border-bottom:1px solid var(--line);white-space:nowrap}
        tbody tr:last-child td{border:0}
        td.trend{display:table-cell;width:170px}td.trend .spark{height:18px;width:150px}
        .performance{display:grid;grid-template-columns:minmax(150px,1fr) minmax(0,3fr) minmax(120px,1fr);gap:8px 28px;
        padding:14px 20px 18px;border-top:1px solid var(--line)}
        .performance .figures b{font-size:18px;color:var(--text)}.performance .figures b.soft{font-size:14px}
        .perf{height:120px;border-bottom:1px solid var(--line)}.perf .hit{fill:transparent}
        .perf g:hover .hit{fill:var(--faint)}.perf .cover{fill:var(--ref);opacity:.5}
        .perf path,.reliable path{fill:none;vector-effect:non-scaling-stroke;stroke-linecap:round}
        .perf .band{fill:var(--cur);opacity:.12}.guess{stroke:var(--cur);stroke-width:1.2;stroke-dasharray:4 4}
        .level{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 4}.early{stroke:var(--warn);stroke-width:4}
        .reliable{max-width:150px;border:1px solid var(--line);border-width:0 0 1px 1px;overflow:visible}
        .performance .key.soft{background:var(--warn);margin-left:10px}
        .performance .key.guess{background:none;border:1px dashed var(--cur);margin-left:10px}
        .performance .key.ref{margin-left:10px}.calibration{font-size:12px}.calibration .axis{max-width:150px}
        @media (max-width:860px){.performance{grid-template-columns:minmax(0,1fr)}}
        @media (max-width:620px){.performance,.model>.head,.facts,.column,details{padding-left:14px;padding-right:14px}
        .chips{margin-left:0}.facts{gap:10px 22px}.columns{grid-template-columns:minmax(0,1fr)}}
        """

    /// Experiments, runs and registered models.
    private static let tracking = """

        .tracking{padding-top:20px!important}.tracking .empty{margin-bottom:14px}
        .tracking table.wrap{table-layout:fixed}.tracking table.wrap td{white-space:normal;overflow-wrap:anywhere;
        vertical-align:top}.tracking table.wrap td:first-child{width:38%}
        .tracking thead th{white-space:nowrap}.tracking .two .figures-table{max-height:420px;overflow:auto}
        .tracking .note{padding:0 20px 16px;white-space:pre-line}.tracking .columns{border:0}
        .tracking .column .spark{margin-top:4px}.tracking .chip:not(:has(b)) span{padding:1px 10px}
        """

    /// The page of one alert.
    private static let page = """
        .one{max-width:860px}.one .alert .body{grid-template-columns:minmax(0,1fr)}
        .one .story{display:flex;flex-direction:column}
        .one .likely{order:-1;font-size:17px;line-height:1.4;font-weight:600}.one .likely span{font-weight:400}
        .one .evidence .hist{height:150px}
        .timeline{padding:16px 20px}.timeline .spark{height:110px}.timeline details{padding:10px 0 0}
        .figures-table{padding:6px 20px 12px}.figures-table .facts{padding:12px 0 4px}
        .one h3 a{color:inherit}
        @media (max-width:620px){.timeline,.figures-table,.list{padding-left:14px;padding-right:14px}
        .timeline .spark{height:80px}}
        """
}
