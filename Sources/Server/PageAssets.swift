import COpenSSL
import FoundationEssentials

/// What the page brings along: nothing is loaded from anywhere else.
enum PageAssets {
    /// Replaces the changing part when it changed. A person who reads keeps what is open and where they are.
    ///
    /// MLflow's client prints addresses whose path is behind a `#`, which only a browser sees: those lead on to the pages here.
    static let script = """
        (() => {
          const lead = () => {
            let parts;
            try {
              parts = location.hash.split("?")[0].split("/").slice(1).map(p => encodeURIComponent(decodeURIComponent(p)));
            } catch {
              return;
            }
            const [kind, id, below, other] = parts;
            if (kind === "experiments") {
              location.replace(below === "runs" && other ? "/runs/" + other
                : below === "models" && other ? "/logged-models/" + other : id ? "/experiments/" + id : "/experiments");
            } else if (kind === "models" || kind === "prompts") {
              location.replace(id ? "/registry/" + id : "/registry");
            }
          };
          addEventListener("hashchange", lead);
          lead();
          const period = 2000;
          let shown = null;
          const live = () => document.getElementById("live");
          const refresh = async () => {
            try {
              const answer = await fetch("/fragment", {cache: "no-store", credentials: "same-origin"});
              if (!answer.ok) throw new Error(answer.status);
              const text = await answer.text();
              if (text !== shown) {
                const open = new Set([...document.querySelectorAll("details[open]")].map(d => d.dataset.key));
                live().outerHTML = text;
                document.querySelectorAll("details").forEach(d => { if (open.has(d.dataset.key)) d.open = true; });
                document.title = live().dataset.title;
                shown = text;
              }
              live().classList.remove("stale");
            } catch {
              live().classList.add("stale");
            }
            setTimeout(refresh, document.hidden ? 5 * period : period);
          };
          setTimeout(refresh, period);
        })();
        """

    /// A rope's hitch around a post: the page's mark.
    static let icon = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" \
        fill="#4457d6"/><path d="M11 7v18M21 7v18" stroke="#fff" stroke-width="3.2" stroke-linecap="round"/>\
        <path d="M6.5 19.5c5-5.5 14-1.500 19-7" fill="none" stroke="#ffd27a" stroke-width="3.2" \
        stroke-linecap="round"/></svg>
        """

    /// Only our own style and script, by their digests, and data from this server: a name that gets past the escaping
    /// could still load and run nothing.
    static let contentSecurityPolicy = [
        "default-src 'none'", "style-src '\(digest(PageStyle.text))'", "script-src '\(digest(script))'",
        "connect-src 'self'", "img-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    private static func digest(_ text: String) -> String {
        let input = Array(text.utf8)
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        // Both arrays outlive the call, and OpenSSL writes exactly the digest's length.
        _ = input.withUnsafeBufferPointer { source in
            digest.withUnsafeMutableBufferPointer { SHA256(source.baseAddress, source.count, $0.baseAddress) }
        }
        return "sha256-" + Data(digest).base64EncodedString()
    }
}
