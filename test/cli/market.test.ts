/** The market's other paths on the command line, with a real worker: orders that are never opened, sponsors, offers, sessions. */
import { generateKeyPairSync, verify } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Address, type Hex, parseAbi } from "viem";
import { jobMarketAbi } from "../../protocol/abi.ts";
import { type LocalMarket, type LocalWorker, startLocalMarket, whenReady } from "../../scripts/localMarket.ts";
import { type Person, person } from "../../scripts/people.ts";
import { preAuthEncoding } from "../../sdk/node/dsse.ts";
import { failureOf } from "../support/failureOf.ts";

const program = "programs/yearly-correlation";
const files = ["co2-concentration.csv", "global-temp.csv"];
const mintAbi = parseAbi(["function mint(address to, uint256 amount)"]);
const unit = 1_000_000n;
type Line = { id: string; verdict: string; reason: string };

describe("dcm: the market's paths", () => {
  let dir: string;
  let market: LocalMarket;
  let worker: LocalWorker;
  let [operator, a, b, requester, sponsor]: Person[] = [];
  let terms: string[];
  let sessionTerms: string[];
  let meteredSession: string[];
  let offerFile: string;
  let offerHash: Hex;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "dcm-market-"));
    market = await startLocalMarket(dir);
    const first = await market.startWorker();
    const { workloadId } = (await (await fetch(`${first.url}/enclave`)).json()) as { workloadId: Hex };
    await first.child.stop();
    const people = ["operator", "a", "b", "requester", "sponsor"].map((name, i) => person(market, name, i + 1, dir));
    [operator, a, b, requester, sponsor] = people;
    offerFile = join(dir, "offer.json");
    const prices = ["--workload", workloadId, "--token", market.token, "--fee", "0.50", "--per-second", "0.01"];
    ({ offerHash } = await run<{ offerHash: Hex }>(operator, "offer", "sign", ...prices, "--out", offerFile));
    worker = await market.startWorker({ env: { OFFER_FILE: offerFile } });
    await whenReady(worker, 20_000);
    for (const { address } of [requester, sponsor] as Person[]) await mint(address);

    const { programId } = await run<{ programId: Hex }>(requester, "program", "id", program);
    const consent = async (who: Person | undefined, file: string, price: string[], name = file) => {
      const data = join("node_modules/vega-datasets/data", file);
      const about = ["--title", file, ...price, "--token", market.token, "--upload", worker.url];
      const { datasetId } = await run<{ datasetId: Hex }>(who, "dataset", "add", data, ...about);
      const out = join(dir, `${name}.json`);
      const use = ["--dataset", datasetId, "--program", programId, "--workload", workloadId];
      await run(who, "grant", "create", ...use, "--out", out);
      await run(who, "provider", "serve", "--once");
      return ["--dataset", datasetId, "--grant-file", out];
    };
    const given = await Promise.all([
      consent(a, files[0] ?? "", ["--price", "2.50"]),
      consent(b, files[1] ?? "", ["--price", "0.10", "--per", "row"]),
    ]);
    const flat = await consent(b, files[1] ?? "", ["--price", "0.50"], "flat");
    const where = ["--workload", workloadId, "--worker", worker.url, "--token", market.token];
    terms = ["--program", program, ...given.flat(), ...where, "--max-rows", "5"];
    sessionTerms = ["--program", program, ...(given[0] ?? []), ...flat, ...where];
    const metered = ["--program", program, ...given.flat(), ...where, "--fee", "0.50", "--max-jobs", "2"];
    meteredSession = ["session", "open", ...metered, "--out", join(dir, "metered.json")];
  });
  after(async () => {
    await market.stop();
    await rm(dir, { recursive: true, force: true });
  });

  async function mint(to: Address): Promise<void> {
    const call = { address: market.token, abi: mintAbi, functionName: "mint", args: [to, 100n * unit] } as const;
    await market.chain.public.waitForTransactionReceipt({ hash: await market.chain.wallet(0).writeContract(call) });
  }

  function run<T>(who: Person | undefined, ...args: string[]): Promise<T> {
    if (who === undefined) throw new Error("nobody");
    return who.dcm<T>(args);
  }

  /** Read from the chain: a process for each look would take most of the time. */
  async function creditOf(who: Person | undefined): Promise<bigint> {
    if (who === undefined) throw new Error("nobody");
    const call = {
      address: market.deployment.contracts.jobMarket,
      abi: jobMarketAbi,
      functionName: "creditOf",
    } as const;
    return await market.chain.public.readContract({ ...call, args: [who.address, market.token] });
  }

  async function settled(jobId: Hex): Promise<void> {
    await worker.child.waitForLine(
      (line) => (line.includes('"job.settled"') && line.includes(jobId) ? true : undefined),
      15_000,
    );
  }

  /** What a command that must fail says. */
  async function refusal(who: Person | undefined, ...args: string[]): Promise<string> {
    const text = (await failureOf(run(who, ...args))).message;
    return text.match(/"message":"([^"]*)/)?.[1] ?? text;
  }

  it("pays in by permit and by approval", async () => {
    const money = ["--token", market.token, "--amount"];
    expect(await run(requester, "credit", "deposit", ...money, "20")).to.include({ way: "permit" });
    expect(await run(sponsor, "credit", "deposit", ...money, "5", "--by", "approve")).to.include({ way: "approve" });
    expect([await creditOf(requester), await creditOf(sponsor)]).to.deep.equal([20n * unit, 5n * unit]);
  });

  it("has an order settled that was never opened, and audits it from calldata", async () => {
    const { jobId, cost } = await run<{ jobId: Hex; cost: string }>(
      requester,
      ...["job", "order", ...terms, "--fee", "1.00", "--send", "--out", join(dir, "sent.json")],
    );
    expect(cost).to.equal("4000000"); // 2.50, five rows of 0.10, the fee
    await settled(jobId);
    expect(await run(requester, "job", "status", jobId)).to.include({ state: "SettledOk", failure: "None" });
    const { output } = await run<{ output: object }>(requester, "job", "result", jobId, "--wait", "10");
    expect(output).to.include({ firstYear: 1958, lastYear: 2020, n: 63 });
    // One row of five was made.
    expect(await creditOf(requester)).to.equal(20n * unit - 3_600_000n);
    expect([await creditOf(a), await creditOf(b), await creditOf(operator)]).to.deep.equal([
      2_500_000n,
      100_000n,
      1_000_000n,
    ]);
    const audited = ["audit", jobId, "--worker", worker.url];
    const { claims: lines } = await (requester as Person).dcm<{ claims: Line[] }>(
      [...audited, "--order-file", join(dir, "sent.json")],
      [2],
    );
    expect(lines.filter(({ verdict }) => verdict === "not verified")).to.deep.equal([]);
    const verdicts = Object.fromEntries(lines.map(({ id, verdict }) => [id, verdict]));
    expect(verdicts).to.include({
      "order.id": "verified",
      "order.state": "verified",
      "order.params": "verified",
      "code.program": "verified",
      "receipt.signature": "verified",
      "receipt.order": "verified",
      "receipt.inputs": "verified",
      "receipt.grants": "verified",
      "result.output": "verified",
    });

    const receipts = join(dir, "receipts.ndjson");
    const exported = await (requester as Person).dcm<{ receipts: number }>(["receipt", "export", "--out", receipts]);
    const audit = (codes: number[], ...believed: string[]) =>
      (requester as Person).dcm<{ verdict: string; verified: number }>(
        ["receipt", "audit", receipts, ...believed],
        codes,
      );
    const all = { verified: exported.receipts };
    expect(await audit([0], "--believe-rpc")).to.include({ verdict: "verified", ...all });
    expect(await audit([2])).to.include({ verdict: "cannot be verified", ...all });
  });

  it("has a sponsor pay, who must have signed", async () => {
    const [file, address] = [join(dir, "order.json"), (sponsor as Person).address];
    const order = ["job", "order", ...terms, "--fee", "1.00", "--payer", address];
    expect(await refusal(requester, ...order, "--send")).to.match(/not settled before that account has signed/);
    await run(requester, ...order, "--out", file);
    expect(await refusal(requester, "job", "open", file)).to.match(
      new RegExp(`is not signed by ${address}, its payer`),
    );
    const { jobId } = await run<{ jobId: Hex }>(sponsor, "job", "sponsor", file, "--worker", worker.url);
    await settled(jobId);
    expect(await creditOf(sponsor)).to.equal(5n * unit - 3_600_000n);
    expect(await refusal(sponsor, "job", "sponsor", file)).to.match(/its nonce was used or taken back/);
  });

  it("charges by the worker's offer, up to what was escrowed", async () => {
    expect(await run(requester, "offer", "show", worker.url)).to.include({ offerHash, fee: "500000" });
    const before = await creditOf(operator);
    const { jobId, cost } = await run<{ jobId: Hex; cost: string }>(
      requester,
      ...["job", "create", ...terms, "--offer-file", offerFile, "--fee", "0.60"],
    );
    expect(cost).to.equal("3600000");
    await settled(jobId);
    const charged = (await creditOf(operator)) - before;
    expect([510_000n, 520_000n]).to.include(charged); // one second that was begun, or two
  });

  it("lets anyone submit a signed withdrawal, once and unaltered", async () => {
    const [file, forged] = [join(dir, "withdrawal.json"), join(dir, "forged.json")];
    const to = (b as Person).address;
    const signed = ["credit", "sign-withdrawal", "--token", market.token, "--amount", "1", "--to", to, "--out", file];
    await run(requester, ...signed);
    await writeFile(forged, (await readFile(file, "utf8")).replace('"1000000"', '"2000000"'));
    const submit = ["credit", "submit-withdrawal"];
    expect(await refusal(b, ...submit, forged)).to.match(/^The contract refused: Ledger_BadSignature/);
    const before = await creditOf(requester);
    expect(await run(b, ...submit, file)).to.include({ to, amount: "1000000" });
    expect(await creditOf(requester)).to.equal(before - unit);
    expect(await refusal(b, ...submit, file)).to.match(/^The contract refused: JobMarket_NonceUsed/);
  });

  const later = async (seconds: number) => {
    await market.chain.control.increaseTime({ seconds });
    await market.chain.control.mine({ blocks: 1 });
  };

  const reached = (step: string, sessionId: Hex) =>
    worker.child.waitForLine(
      (line) => (line.includes(`"session.${step}"`) && line.includes(sessionId) ? true : undefined),
      15_000,
    );

  it("tells a session to its end: opened, ordered, claimed, verified, disputed, closed; results and audits of its jobs", async () => {
    const file = join(dir, "session.json");
    const before = await creditOf(operator);
    const open = ["session", "open", ...sessionTerms, "--fee", "0.50", "--max-jobs", "3", "--challenge-hours", "1"];
    const { sessionId, cost } = await run<{ sessionId: Hex; cost: string }>(requester, ...open, "--out", file);
    expect(cost).to.equal("10500000");
    await market.chain.control.mine({ blocks: 1 });
    const where = ["--worker", worker.url];
    const sign = ["session", "sign-order", file, "--program", program, ...where];
    const { jobId: first } = await run<{ jobId: Hex }>(requester, ...sign);
    const { jobId: second } = await run<{ jobId: Hex }>(requester, ...sign);
    expect(await run(requester, "session", "claim", file, ...where)).to.include({ jobs: 2 });
    await reached("claimed", sessionId);
    const shown = await run<{ worker: object }>(requester, "session", "show", sessionId, ...where);
    expect(shown.worker).to.deep.include({ phase: "claimed", taken: 2, ran: 2 });
    expect(await run(sponsor, "session", "verify", sessionId, ...where)).to.include({ inOrder: true });

    await run(requester, "session", "dispute", file, "0");
    await reached("shown", sessionId);
    const early = await run<{ output: object }>(requester, "job", "result", first, ...where, "--wait", "5");
    expect(early.output).to.have.property("firstYear");
    expect(await refusal(requester, "job", "result", second, ...where)).to.match(/held back/);
    await run(sponsor, "session", "settle-leaf", file, "1", ...where);
    await later(3_601);
    await reached("closed", sessionId);
    expect((await creditOf(operator)) - before).to.equal(3n * (unit / 2n)); // two fees and the bond
    expect(await run(requester, "job", "result", second, ...where, "--wait", "5")).to.have.property("output");

    const { claims: lines } = await (requester as Person).dcm<{ claims: Line[] }>(["audit", second, ...where], [2]);
    const verdicts = new Map(lines.map(({ id, verdict }) => [id, verdict]));
    const wanted = [
      "order.session",
      "order.signed",
      "order.id",
      "receipt.claimed",
      "receipt.signature",
      "receipt.anchor",
    ];
    for (const id of [...wanted, "consent.2.grant", "consent.2.force", "money.escrow", "money.paid", "result.output"])
      expect(verdicts.get(id), id).to.equal("verified");
    const bundle = join(dir, "second.dcb");
    const bundled = await run<{ lines: Line[]; sizeBytes: number }>(sponsor, "bundle", second, ...where, "-o", bundle);
    expect(bundled.sizeBytes).to.be.below(200 * 1024);
    const proven = await (requester as Person).dcm<{ claims: Line[] }>(["audit", second, ...where, "--prove"], [2]);
    const provenVerdicts = new Map(proven.claims.map(({ id, verdict }) => [id, verdict]));
    for (const id of ["chain.deployment", "chain.code", "result.output", "receipt.claimed"])
      expect(provenVerdicts.get(id), id).to.equal("verified");
    expect([provenVerdicts.get("chain.anchor"), provenVerdicts.has("chain.rpc")]).to.deep.equal([
      "cannot be verified",
      false,
    ]);
    for (const { id, verdict } of bundled.lines)
      if (verdicts.has(id) && !id.startsWith("chain.") && id !== "result.output")
        expect(verdict, id).to.equal(verdicts.get(id));
    const [key, envelope] = [join(dir, "auditor.pem"), join(dir, "second.dsse.json")];
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    await writeFile(key, privateKey.export({ type: "pkcs8", format: "pem" }));
    await run(sponsor, "export", bundle, "--key", key, "--out", envelope);
    const { payload, payloadType, signatures } = JSON.parse(await readFile(envelope, "utf8"));
    const signed = preAuthEncoding(payloadType, Buffer.from(payload, "base64"));
    expect(verify(null, signed, publicKey, Buffer.from(signatures[0].sig, "base64"))).to.equal(true);
    expect(JSON.parse(Buffer.from(payload, "base64").toString()).predicate.jobId).to.equal(second);
    expect(lines.filter(({ verdict }) => verdict === "not verified")).to.deep.equal([]);
  });

  it("gives a session back that nobody claimed by its deadline, and opens none at metered prices", async () => {
    expect(await refusal(requester, ...meteredSession)).to.match(/its price is not flat/);
    const file = join(dir, "unclaimed.json");
    const before = await creditOf(requester); // what it lacks comes from the wallet, and back as credit
    const { sessionId } = await run<{ sessionId: Hex }>(
      requester,
      ...["session", "open", ...sessionTerms, "--fee", "0.50", "--max-jobs", "2"],
      ...["--deadline-minutes", "1", "--out", file],
    );
    await market.chain.control.mine({ blocks: 1 });
    const sign = ["session", "sign-order", file, "--program", program];
    expect(await refusal(requester, ...sign, "--worker", worker.url)).to.match(/claim deadline is less than/);
    expect(await refusal(requester, "session", "dispute", file, "0")).to.match(
      /Sessions_WrongState\(sessionId: 0x[0-9a-f]{64}, state: Open\)/,
    );
    expect(await refusal(requester, "session", "expire", file)).to.match(/JobMarket_DeadlineNotPassed/);
    await later(120);
    expect(await refusal(requester, ...sign)).to.match(/takes no jobs any more/);
    await run(sponsor, "session", "expire", file);
    expect(await run(requester, "session", "show", sessionId)).to.include({ state: "Expired" });
    expect(await creditOf(requester)).to.equal(before > 7n * unit ? before : 7n * unit);
  });
});
