/**
 * Room: enclave/http/attestationPage. What `GET /` shows a person: what this machine is, what of that is proven and by what,
 * and how to check it. No script, nothing loaded from anywhere; everything is escaped.
 */
import type { Attestation, EnclaveView } from "./workerApi.ts";

/** The page's own policy: its style, and nothing else. */
export const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/**
 * Writes the page.
 *
 * @param attestation - undefined: the enclave is not registered yet.
 * @returns an HTML document.
 * @example
 * ctx.body = attestationPage(await api.enclave(), await api.attestation())
 */
export function attestationPage(enclave: EnclaveView, attestation: Attestation | undefined): string {
  const { simulated } = enclave;
  const warning = simulated
    ? `<p class="warning"><b>SIMULATED.</b> The root key of this deployment is not Intel's: the platform is software, and keeps
nothing secret from whoever runs it.</p>`
    : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>An enclave of data-collab-market</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>An enclave of data-collab-market</h1>
<p>Inside of this machine private data sets are computed on and never handed over: it opens encrypted inputs, runs exactly the
program that their owners agreed to, and signs the result with a key that was made in here. <b>Believe nothing on this page.</b>
It says what to check, and how.</p>
${warning}
<h2>What it says of itself</h2>
<table>${factRows(enclave, attestation)}</table>
<h2>How you check it</h2>
<ol>
<li><b>The keys were made inside of measured code.</b> <code>GET /attestation?nonce=0x&lt;64 hex&gt;</code> gives a fresh quote, signed by the
CPU, over your nonce and these keys. Verify it up to the root key with any DCAP verifier, or:
<pre>curl -s ${word(`${enclave.endpoint}/attestation?nonce=0x${"5a".repeat(32)}`)} &gt; attestation.json
dcm cvm verify --attestation attestation.json --nonce 0x${"5a".repeat(32)}</pre></li>
<li><b>The contract verified it, too.</b> Registry <code>${text(enclave.registry)}</code> on chain ${enclave.chainId} keeps each enclave whose quote
it checked, signature by signature:
<pre>dcm enclave show ${text(enclave.signingKey)}</pre></li>
<li><b>The code is what you think.</b> The measured compose file is in <code>appCompose</code>: its SHA-256 is in the quote. Build the images that
it names from source, compare their digests, and compute the workload id:
<pre>npm run image:verify
npm run deploy:expect -- --help</pre></li>
<li><b>A job was done as agreed.</b> Every claim about it, one by one, also offline:
<pre>dcm audit JOBID --worker ${word(enclave.endpoint)}
dcm bundle JOBID --worker ${word(enclave.endpoint)} -o job.dcb</pre></li>
</ol>
<h2>What nobody can show you</h2>
<ul>
<li>That nobody reads the memory of this machine by a physical attack or a side channel.</li>
<li>Which processes run now: a quote measures what was started.</li>
<li>Values of the variables that its host set; only their names are measured.</li>
<li>That the chain it looks at is the one you mean: compare blocks with a source of your own.</li>
</ul>
<h2>More</h2>
<p><a href="/attestation">attestation</a> <a href="/enclave">enclave</a> <a href="/readyz">readiness</a> <a href="/logs">logs</a></p>
</main>
</body>
</html>
`;
}

function factRows(enclave: EnclaveView, attestation: Attestation | undefined): string {
  const registered = enclave.registered
    ? `until ${time(enclave.expiresAt)}, TCB status ${enclave.tcbStatus ?? "unknown"}`
    : "not yet";
  const rows: readonly (readonly [string, string])[] = [
    ["Signing key", enclave.signingKey],
    ["Vault key", enclave.vaultKey],
    ["Workload", enclave.workloadId],
    ["Operator", enclave.operator],
    ["Registered", registered],
    ["Registration", attestation?.registrationTx ?? "none"],
    ["Images", attestation?.images.join(", ") || "none: it runs from no published image"],
    ["Build manifest", attestation?.buildManifest ?? "none: it runs from no published image"],
    ["Engines", enclave.engines.map(({ engine, version }) => `${engine} ${version}`).join(", ")],
  ];
  return rows.map(([name, value]) => `<tr><th>${name}</th><td><code>${text(value)}</code></td></tr>`).join("\n");
}

function time(seconds: string | undefined): string {
  const ms = Number(seconds) * 1000;
  return Number.isFinite(ms) && ms < 8.64e15 ? new Date(ms).toISOString() : "an unknown time";
}

/** One word of a command that a reader may copy into a shell: the host chose the endpoint, and must not choose commands. */
function word(value: string): string {
  return text(`'${value.replaceAll("'", "'\\''")}'`);
}

/** Text in HTML: the operator's words are a stranger's. */
function text(value: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return value.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}

const style = `
:root { color-scheme: light dark; --ink: #1c2330; --dim: #5b6577; --paper: #fff; --edge: #d7dce5; --soft: #f5f7fa; --warn: #8a5a00; --warn-soft: #fdf3df; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --dim: #9aa5b8; --paper: #14181f; --edge: #323a48; --soft: #1b212b; --warn: #f0b95a; --warn-soft: #34280f; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 820px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 28px; margin: 0 0 12px; } h2 { font-size: 20px; margin: 36px 0 8px; } li { margin: 12px 0; }
table { width: 100%; border-collapse: collapse; } th, td { text-align: left; vertical-align: top; padding: 8px 12px; border-top: 1px solid var(--edge); }
th { width: 140px; } code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { font: 13px/1.5 ui-monospace, monospace; background: var(--soft); padding: 12px; border-radius: 8px; overflow-x: auto; }
.warning { background: var(--warn-soft); border-left: 6px solid var(--warn); padding: 10px 16px; border-radius: 4px; }
a { color: inherit; margin-right: 16px; }
`;
