/** `dcm cvm verify` as a stranger runs it: no chain, no wallet, files only. */
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { challengeReportData } from "../../protocol/attestationBinding.ts";
import { verifyCvm } from "../../sdk/cvm/verifyCvm.ts";
import { at, binding, simulatedVm, workerAnswer } from "../sdk/cvm/vms.ts";
import { dcm, forEach } from "./support/dcm.ts";

const vectors = "test/vectors";
const nearMpc = [
  "--quote",
  `${vectors}/dstack/near-mpc/quote.json`,
  "--info",
  `${vectors}/audit/near-mpc.tcb_info.json`,
];
const verify = (...args: string[]) => dcm(["cvm", "verify", ...args], {});

describe("dcm cvm verify", () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dcm-cvm-"));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it("prints every line of a real VM, as text and as one JSON value, and exits 1 if one is false", async () => {
    const args = [...nearMpc, "--at", "1787184000"];
    const [text, json] = await Promise.all([verify(...args), verify(...args, "--json")]);
    expect(text).to.include({ code: 1, stderr: "" });
    expect(text.stdout).to.match(/^dstack VM\nreport data {2}0x0001e4/);
    expect(text.stdout).to.contain(
      "\n  X No container reaches the VM around it, but for the socket of dstack's guest agent\n      not verified: launcher mounts /var/run/docker.sock",
    );
    expect(text.stdout).to.match(/\n {2}! anyone may read the containers' logs \(public_logs\)\n/);
    expect(text.stdout).to.match(/\n17 verified, 1 not verified, 3 cannot be verified\n$/);
    expect(json).to.include({ code: 1, stderr: "" });
    const report = JSON.parse(json.stdout);
    expect(report.lines.map(({ verdict }: { verdict: string }) => verdict === "not verified").indexOf(true)).to.equal(
      13,
    );
    expect(report).to.include({ simulated: false });
  });

  it("judges the platform by Intel's collateral, if there is any", async () => {
    const collateral = `${vectors}/tdx/collateral/nearmpc_B0C06F_2026-08-14_50328c652_eval20`;
    const old = `${vectors}/tdx/quotes/nearmpc_2026-01-28_832c32113.bin`;
    const cases = [
      [[...nearMpc, "--collateral", collateral, "--at", "1786621538"], /^verified: UpToDate: platform UpToDate, /],
      [["--quote", old, "--collateral", collateral, "--at", "1786621538"], /^not verified: .*OutOfDate; allowed: /],
      [[...nearMpc, "--collateral", collateral, "--at", "1790000000"], /^not verified: .*1790000000/],
    ] as const;
    await forEach(cases, async ([args, expected]) => {
      const { lines } = JSON.parse((await verify(...args, "--json")).stdout);
      const found = lines.find(({ id }: { id: string }) => id === "quote.tcb");
      expect(`${found.verdict}: ${found.reason}`).to.match(expected);
    });
    const missing = await verify(...nearMpc, "--collateral", directory);
    expect(missing.code).to.equal(2);
    expect(missing.stderr).to.match(/^error: Cannot be checked: .*tcb_info.json does not exist/);
  });

  it("exits 2 while something is open, with the options that close the rest", async () => {
    const { evidence, platform, policy } = simulatedVm({
      manifest: { allowed_envs: ["A", "B"], pre_launch_script: "echo \u001b[31mred" },
    });
    const { measured, scripts } = await verifyCvm(evidence, policy);
    const files = { quote: "quote.bin", log: "log.json", manifest: "app-compose.json", root: "root.der" };
    await writeFile(join(directory, files.root), platform.certificates.root);
    await writeFile(join(directory, files.quote), evidence.answer.quote);
    await writeFile(join(directory, files.log), evidence.answer.eventLog ?? "");
    await writeFile(join(directory, files.manifest), evidence.appCompose ?? "");
    const { code, stdout, stderr } = await verify(
      ...["--quote", join(directory, files.quote), "--event-log", join(directory, files.log)],
      ...["--app-compose", join(directory, files.manifest), "--root", join(directory, files.root)],
      ...["--at", String(policy.at), "--allow-env", "A", "B", "--accept-script", scripts[0]?.sha256 ?? ""],
      ...["--allow-os-image", Buffer.from(platform.osImageHash).toString("hex")],
      ...["--expect-workload", measured.workloadId ?? "", "--expect-compose-hash", measured.composeHash ?? ""],
    );
    expect(stderr).to.equal("");
    expect(code).to.equal(2);
    expect(stdout).to.match(/\n18 verified, 0 not verified, 2 cannot be verified\nSIMULATED: /);
    expect(stdout).to.contain("\n  | echo  [31mred\n");
    expect(stdout).to.contain("cannot be verified: TCB not evaluated");
  });

  it("verifies a worker's attestation, from a file or by asking it with a nonce of its own, and says which field lies", async () => {
    const nonce = `0x${"17".repeat(32)}` as const;
    const { answer, platform } = workerAnswer(challengeReportData(binding, nonce), "challenge");
    const files = {
      attestation: "attestation.json",
      forged: "forged.json",
      known: "known.json",
      deployment: "deployment.json",
      root: "root.der",
    };
    const path = (name: keyof typeof files) => join(directory, files[name]);
    await writeFile(path("root"), platform.certificates.root);
    await writeFile(path("attestation"), JSON.stringify(answer));
    const operator = `0x${"ee".repeat(20)}`;
    await writeFile(path("forged"), JSON.stringify({ ...answer, binding: { ...answer.binding, operator } }));
    await writeFile(path("known"), JSON.stringify(answer.binding));
    const contracts = Object.fromEntries(
      ["tdxCollateral", "tdxVerifier", "enclaveRegistry", "endorsements", "datasetRegistry", "jobMarket"].map(
        (name) => [name, binding.registry],
      ),
    );
    const deployment = { chainId: 31_337, fromBlock: 0, contracts, rootKey: platform.rootKey };
    await writeFile(path("deployment"), JSON.stringify(deployment));
    const deployed = ["--deployment", path("deployment"), "--expect-binding", path("known")];
    const args = ["--at", String(at), "--json"];
    let asked = "";
    const server = createServer((request, response) => {
      asked = request.url ?? "";
      response.end(JSON.stringify(answer));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const worker = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const cases: [args: string[], code: number, wrong: Record<string, string>][] = [
      [["--attestation", path("attestation"), "--nonce", nonce, "--deployment", path("deployment")], 2, {}],
      [
        ["--attestation", worker, ...deployed],
        1,
        { "bound.reportData": "they are of another nonce", "bound.nonce": "it was made for another nonce" },
      ],
      [
        ["--attestation", path("forged"), "--nonce", nonce, "--report-data", "12", ...deployed],
        1,
        {
          "bound.expected": "the quote has 0x",
          "bound.reportData": "with binding.operator",
          "bound.operator": `binding.operator is ${operator}`,
        },
      ],
      [
        ["--attestation", path("attestation"), "--block", `17:${nonce}`, "--root", path("root")],
        1,
        { "bound.reportData": "they are of another block.number", "bound.kind": "reportDataKind is challenge" },
      ],
    ];
    try {
      await forEach(cases, async ([more, code, wrong]) => {
        const ran = await verify(...args, ...more);
        expect(ran.stderr).to.equal("");
        const lines: { id: string; verdict: string; reason: string }[] = JSON.parse(ran.stdout).lines;
        const found = lines.filter(({ verdict }) => verdict === "not verified");
        expect(found.map(({ id }) => id)).to.deep.equal(Object.keys(wrong));
        for (const { id, reason } of found) expect(reason.startsWith(wrong[id] ?? "?"), reason).to.equal(true);
        expect(ran.code).to.equal(code);
      });
    } finally {
      server.close();
    }
    expect(asked).to.match(/^\/attestation\?nonce=0x[0-9a-f]{64}$/);
  });

  it("says which file or argument is wrong", async () => {
    const empty = join(directory, "empty");
    const hash = `0x${"17".repeat(32)}`;
    await writeFile(empty, "");
    const cases: [string[], number, string][] = [
      [[], 2, "Cli.UsageError"],
      [["--quote", "x", "--attestation", "x"], 2, "Cli.UsageError"],
      [["--quote", "x", "--nonce", hash], 2, "Cli.UsageError"],
      [["--attestation", "x", "--block", "17"], 2, "Cli.UsageError"],
      [["--attestation", "http://127.0.0.1:1"], 2, "Cli.UsageError"],
      [["--quote", "x", "--at", "-1"], 2, "Cli.UsageError"],
      [["--quote", "x", "--expect-workload", "12"], 2, "Cli.UsageError"],
      [["--quote", "x", "--accept-script", "12"], 2, "Cli.UsageError"],
      [["--quote", "/nonexistent"], 2, "Cli.UsageError"],
      [[...nearMpc, "--event-log", empty], 2, "Cli.UsageError"],
      [[...nearMpc, "--info", empty], 2, "Cli.UsageError"],
      [[...nearMpc, "--root", empty], 2, "Cli.UsageError"],
      [["--quote", empty], 2, "Cli.UsageError"],
      [["--quote", `${vectors}/tdx/sgx_v3.quote.bin`], 1, "Quote.UnsupportedQuoteError"],
    ];
    await forEach(cases, async ([args, code, name]) => {
      const ran = await verify(...args, "--json");
      expect(ran.code, args.join(" ")).to.equal(code);
      expect(JSON.parse(ran.stderr).error.name, args.join(" ")).to.equal(name);
      expect(ran.stdout).to.equal("");
    });
  });
});
