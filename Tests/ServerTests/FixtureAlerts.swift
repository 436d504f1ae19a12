/// Lines of `alerts.jsonl` as the incident leaves them: two firing, one pending, two resolved.
enum FixtureAlerts {
    static let all = [predictionDrift, featureDrift, incomeMissing, resolved, resolvedCategory]

    static let predictionDrift = """
        {"at":"2026-03-01T14:00:00Z","status":"firing","labels":{"alertname":"PredictionDriftAfterDeploy",\
        "column":"prediction","country":"BR","model":"fraud","severity":"critical"},"annotations":{"summary":\
        "Scores of country=BR rose after the deploy of version 14: PSI 0.41","runbook_url":\
        "https://runbooks.example/prediction-drift"},"startsAt":"2026-03-01T13:00:00Z","endsAt":null,\
        "fingerprint":"9f3c2a7711e0b4d2","segment":{"country":"BR"},"revision":3,"context":{"revision":3,\
        "value":0.4127,"threshold":0.2,"metric":"psi (nats, jeffreys, 10 bins)","window":{"start":\
        "2026-03-01T13:00:00Z","end":"2026-03-01T14:00:00Z","rows":4211,"reference_rows":10500},"comparison":{"edges":\
        [0.01,0.03,0.06,0.11,0.19,0.33,0.5,0.72,0.9],"reference":[24,18,14,11,9,8,6,5,3,2],"current":\
        [6,7,9,11,13,14,13,12,9,6],"null":[0,0]},"segments":[{"segment":{"country":"BR"},"share":0.78,"mix":0.02,\
        "within":0.3,"se":0.01},{"segment":{"country":"BR","device":"android"},"share":0.61,"mix":0.01,"within":0.2,\
        "se":0.01},{"segment":{"country":"MX"},"share":0.09,"mix":0.01,"within":0.02,"se":0.01}],"correlated":\
        [{"kind":"deploy","what":"champion 13 → 14","at":"2026-03-01T12:40:00Z"}],"also_firing":\
        ["FeatureDrift/amount"],"likely":"version 14 scores country=BR differently; its inputs did not all move",\
        "actions":[{"rollback":"done","from":"14","to":"13","reason":"the champion went from '14' to '13'"}]}}
        """

    /// Not among `all`: what the watch over mature windows tells.
    static let performanceDrop = """
        {"at":"2026-03-05T13:00:00Z","status":"firing","labels":{"alertname":"PerformanceDrop","column":"performance",\
        "model":"fraud","severity":"critical"},"annotations":{"summary":"performance has changed"},"startsAt":\
        "2026-03-01T13:00:00Z","endsAt":null,"fingerprint":"9f3c2a7711e0b4d2","segment":{},"revision":1,"context":{"value":1,\
        "threshold":0,"metric":"concept_drift","change_start":"2026-03-01T12:00:00Z","window":{"start":\
        "2026-03-01T12:00:00Z","end":"2026-03-01T13:00:00Z","rows":500,"reference_rows":2492},"evidence":{"ln_e":20,\
        "ln_threshold":9,"effect":0.39,"statistic":"auroc"},"comparison":{"metrics":{"auroc":[0.91,0.523],"brier":\
        [0.12,0.38]},"reliability":{"reference":[0.05,null,0.25,0.35,0.45,0.55,0.65,0.75,0.85,0.95],"current":\
        [0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5],"reference_rows":[249,0,249,249,249,249,249,249,249,249],"rows":\
        [50,50,50,50,50,50,50,50,50,50]}},"segments":[],"likely":"scores rank worse"}}
        """

    static let featureDrift = """
        {"at":"2026-03-01T14:00:00Z","status":"firing","labels":{"alertname":"FeatureDrift","column":\
        "merchant_category","model":"fraud","severity":"warning"},"annotations":{"summary":\
        "merchant_category shifted in all traffic: PSI 0.21"},"startsAt":"2026-03-01T12:00:00Z","endsAt":null,\
        "fingerprint":"11aa","segment":{},"revision":2,"context":{"value":0.2113,"threshold":0.2,"metric":\
        "psi (nats, jeffreys, 11 bins)","window":{"rows":18412},"comparison":{"edges":[],"categories":["grocery",\
        "travel","electronics","fuel","fashion","gaming"],"reference":[31,12,10,14,9,7],"current":[24,19,17,11,8,6]},\
        "segments":[{"segment":{"device":"android"},"share":0.55,"mix":0.01,"within":0.1,"se":0.02}],\
        "likely":"more travel and electronics from device=android"}}
        """

    static let incomeMissing = """
        {"at":"2026-03-01T14:00:00Z","status":"pending","labels":{"alertname":"IncomeMissing","column":"income",\
        "model":"fraud","severity":"ticket"},"annotations":{"summary":\
        "income is missing in 9.4% of rows, 1.2% before"},\
        "startsAt":"2026-03-01T14:00:00Z","endsAt":null,"fingerprint":"22bb","segment":{},"revision":1,\
        "context":{"value":0.094,"threshold":0.036,"metric":"null_rate"}}
        """

    static let resolved = """
        {"at":"2026-03-01T03:00:00Z","status":"resolved","labels":{"alertname":"FeatureDrift","column":"age",\
        "model":"churn","severity":"warning"},"annotations":{"summary":"age shifted in plan=team: PSI 0.24"},\
        "startsAt":"2026-02-28T23:00:00Z","endsAt":"2026-03-01T03:00:00Z","fingerprint":"33cc","segment":\
        {"plan":"team"},"revision":5,"context":{}}
        """

    static let resolvedCategory = """
        {"at":"2026-02-27T09:00:00Z","status":"resolved","labels":{"alertname":"VolumeLow","column":"volume",\
        "model":"fraud","severity":"page"},"annotations":{"summary":"half the usual rows of the hour"},\
        "startsAt":"2026-02-27T07:00:00Z","endsAt":"2026-02-27T09:00:00Z","fingerprint":"44dd","segment":{},\
        "revision":4,"context":{}}
        """
}
