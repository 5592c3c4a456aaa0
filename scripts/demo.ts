/**
 * `npm start`: one paid job on real private data, end to end. Every actor is a process of its own and does what a user
 * would: the people run `dcm`, the worker runs in front of a simulated TDX platform, the chain is a Hardhat node.
 * Exits 0 only if the result, the balances and every line of the audit are as expected. `--json`: one JSON object as the
 * last line of stdout.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Address, formatUnits, type Hex, parseAbi, parseUnits } from "viem";
import { formatAudit } from "../sdk/audit/formatAudit.ts";
import type { AuditLine } from "../sdk/audit/line.ts";
import { type AuditReport, linesOf } from "../sdk/audit/report.ts";
import { demoExpectations } from "./demoExpectations.ts";
import { startLocalMarket, whenReady } from "./localMarket.ts";
import { person } from "./people.ts";

const asJson = process.argv.includes("--json");
const root = fileURLToPath(new URL("..", import.meta.url));
const dir = join(root, "out", "demo");
const bundleFile = join(root, "out", "job.dcb");
const data = join(root, "node_modules", "vega-datasets", "data");
const decimals = 6;
const tokenAbi = parseAbi([
  "function mint(address to, uint256 amount)",
  "function balanceOf(address) view returns (uint256)",
]);

const start = performance.now();
const gas: Record<string, number> = {};
const short = (hash: string) => `${hash.slice(0, 8)}..${hash.slice(-4)}`;

function say(who: string, what: string, gasUsed?: number | string): void {
  const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(5);
  const cost = gasUsed === undefined ? "" : `  [gas ${Number(gasUsed).toLocaleString("en")}]`;
  console.log(`${seconds} s  ${who.padEnd(10)}  ${what}${cost}`);
}

const words: Record<string, string> = {
  programChecked: "program fetched, its files hash to the id in the order",
  grantsChecked: "both grants signed by the owners, in force, for this job",
  inputsFetched: "ciphertexts fetched, their hashes are the registered ones",
  inputsDecrypted: "data set keys unsealed, data decrypted in memory",
  ran: "program ran in a disposable sandbox, data destroyed",
  sealed: "result sealed to the requester",
  signed: "receipt signed by the attested key",
  settled: "receipt settled on chain",
};

/** Items of collateral, as Intel calls them. */
const items: Record<string, string> = {
  pckCa: "PCK Platform CA certificate",
  tcbSigning: "TCB signing certificate",
  rootCrl: "root CA's revocation list",
  pckCrl: "PCK CA's revocation list",
  qeIdentity: "identity of the TD quoting enclave",
  tcbInfo: "TCB info of its FMSPC",
};

type Sent = { hash: Hex; gasUsed: string };

rmSync(dir, { recursive: true, force: true });
rmSync(bundleFile, { force: true });
mkdirSync(dir, { recursive: true });
console.log(`
A paid job on real private data. Platform: SIMULATED (quotes under a throwaway root key; see README.md).
`);
const market = await startLocalMarket(dir);
process.exitCode = 1;
try {
  await demo();
} finally {
  await market.stop();
}

async function demo(): Promise<void> {
  const { chain, deployment, token } = market;
  say(
    "chain",
    `Hardhat node, chain ${deployment.chainId}; contracts deployed, market ${short(deployment.contracts.jobMarket)}`,
  );
  say("platform", `simulated TDX platform, root key ${short(deployment.rootKey)}`);

  const worker = await market.startWorker();
  await whenReady(worker, 30_000);
  const enclave = (await (await fetch(`${worker.url}/enclave`)).json()) as {
    signingKey: Address;
    workloadId: Hex;
    registrationTx: Hex;
    tcbStatus: string;
    expiresAt: string;
  };
  const recorded = worker.child.lines.stdout.flatMap((line) => (line.includes("collateral.recorded") ? [line] : []));
  for (const line of recorded) {
    const { item, transaction } = JSON.parse(line) as { item: string; transaction: Hex };
    gas[`collateral ${item}`] = await gasOf(transaction);
    say("worker", `brings the chain the platform's collateral: ${items[item] ?? item}`, gas[`collateral ${item}`]);
  }
  gas.registerEnclave = await gasOf(enclave.registrationTx);
  say(
    "worker",
    `keys made in memory, quote verified on chain: enclave ${short(enclave.signingKey)}, workload ${short(enclave.workloadId)}`,
    gas.registerEnclave,
  );
  say("chain", `platform is ${enclave.tcbStatus}; the registration ends ${dateOf(enclave.expiresAt)} unless renewed`);

  const providerA = person(market, "provider A", 2, dir);
  const providerB = person(market, "provider B", 3, dir);
  const requester = person(market, "requester", 4, dir);
  const operator = person(market, "operator", 1, dir);
  const budget = parseUnits("100", decimals);
  const mint = { address: token, abi: tokenAbi, functionName: "mint", args: [requester.address, budget] } as const;
  await chain.public.waitForTransactionReceipt({ hash: await chain.wallet(0).writeContract(mint) });
  say("requester", "has 100.00 tUSD");

  const { programId } = await requester.dcm<{ programId: Hex }>(["program", "id", "programs/yearly-correlation"]);
  say("requester", `proposes program "yearly correlation", ${short(programId)}`);

  const publish = async (provider: typeof providerA, file: string, title: string, price: string) => {
    const args = ["dataset", "add", join(data, file), "--title", title, "--price", price, "--token", token];
    const added = await provider.dcm<Sent & { datasetId: Hex }>([...args, "--upload", worker.url]);
    say(provider.name, `encrypts ${file}, keeps the key, registers data set ${short(added.datasetId)}`, added.gasUsed);
    const grantFile = join(dir, `${file}.grant.json`);
    const terms = ["--dataset", added.datasetId, "--program", programId, "--workload", enclave.workloadId];
    await provider.dcm(["grant", "create", ...terms, "--max-uses", "1", "--out", grantFile]);
    say(provider.name, `signs a grant: this program, this workload, ${price} tUSD, one use`);
    const broker = provider.serve(["provider", "serve", "--poll-seconds", "1"]);
    return { ...added, grantFile, broker };
  };
  const [a, b] = await Promise.all([
    publish(providerA, "co2-concentration.csv", "Atmospheric CO2 at Mauna Loa", "2.50"),
    publish(providerB, "global-temp.csv", "Global temperature anomaly", "1.50"),
  ]);
  gas.registerDatasetA = Number(a.gasUsed);
  gas.registerDatasetB = Number(b.gasUsed);

  const order = ["--program", "programs/yearly-correlation", "--dataset", a.datasetId, "--dataset", b.datasetId];
  const grants = ["--grant-file", a.grantFile, "--grant-file", b.grantFile];
  const money = ["--token", token, "--fee", "1.00", "--failure-fee", "0.10", "--max-total", "5.00"];
  const job = await requester.dcm<Sent & { jobId: Hex }>([
    "job",
    "create",
    ...order,
    ...grants,
    ...money,
    "--workload",
    enclave.workloadId,
    "--worker",
    worker.url,
  ]);
  gas.openJob = Number(job.gasUsed);
  say("requester", `escrows 5.00 tUSD by permit: job ${short(job.jobId)}`, job.gasUsed);

  const shown = [
    "programChecked",
    "grantsChecked",
    "inputsFetched",
    "inputsDecrypted",
    "ran",
    "sealed",
    "signed",
    "settled",
  ];
  for (const step of shown) {
    await worker.child.waitForLine(
      (line) => (line.includes(`"job.${step}"`) && line.includes(job.jobId) ? true : undefined),
      30_000,
    );
    say("worker", words[step] ?? step);
  }
  const settled = await requester.dcm<{ state: string; settledHash: Hex }>(["job", "status", job.jobId]);
  gas.settle = await gasOf(settled.settledHash);
  say("chain", `receipt verified, providers and operator credited: job is ${settled.state}`, gas.settle);
  await Promise.all([a.broker.stop(), b.broker.stop()]);

  const { output } = await requester.dcm<{ output: unknown }>(["job", "result", job.jobId, "--wait", "10"]);
  say("requester", `opens the result: ${JSON.stringify(output)}`);

  const report = await requester.dcm<AuditReport>(["audit", job.jobId, "--worker", worker.url], [0, 1, 2]);
  say("requester", "audits the job");
  type Bundled = { lines: AuditLine[]; sizeBytes: number };
  const bundled = await requester.dcm<Bundled>(["bundle", job.jobId, "--worker", worker.url, "--out", bundleFile]);
  say("requester", `leaves all that proves it in out/job.dcb, ${bundled.sizeBytes.toLocaleString("en")} bytes`);

  for (const one of [providerA, providerB, operator]) {
    const drawn = await one.dcm<Sent>(["credit", "withdraw", "--token", token]);
    gas[`withdraw ${one.name}`] = Number(drawn.gasUsed);
    say(one.name, "withdraws its credit", drawn.gasUsed);
  }
  const balances: Record<string, string> = {};
  for (const one of [requester, providerA, providerB, operator]) {
    const args = [one.address] as const;
    const balance = await chain.public.readContract({ address: token, abi: tokenAbi, functionName: "balanceOf", args });
    balances[one.name] = formatUnits(balance, decimals);
  }
  const inMarket = [deployment.contracts.jobMarket] as const;
  const left = await chain.public.readContract({
    address: token,
    abi: tokenAbi,
    functionName: "balanceOf",
    args: inMarket,
  });
  balances.market = formatUnits(left, decimals);

  console.log(`\nResult (decrypted by the requester)\n  ${JSON.stringify(output)}`);
  console.log("\nBalances, tUSD");
  for (const [who, amount] of Object.entries(balances)) console.log(`  ${who.padEnd(12)}${amount.padStart(8)}`);
  console.log(`\n${formatAudit(report)}`);

  const unexpected = demoExpectations({ state: settled.state, output, balances, report });
  for (const { id, verdict } of bundled.lines)
    if (verdict === "not verified") unexpected.push(`offline, audit line ${id} is "${verdict}"`);
  const wallSeconds = Number(((performance.now() - start) / 1000).toFixed(1));
  for (const fact of unexpected) console.error(`UNEXPECTED: ${fact}`);
  console.log(
    unexpected.length === 0
      ? `All as expected, in ${wallSeconds} s.`
      : `${unexpected.length} things are not as expected.`,
  );
  if (asJson) {
    const audit = linesOf(report).map(({ claim, verdict, reason }) => ({ claim, verdict, reason }));
    console.log(
      JSON.stringify({ jobId: job.jobId, status: settled.state, result: output, gas, balances, audit, wallSeconds }),
    );
  }
  process.exitCode = unexpected.length === 0 ? 0 : 1;
}

function dateOf(unixSeconds: string): string {
  return new Date(Number(unixSeconds) * 1000).toISOString().slice(0, 16).replace("T", " ");
}

async function gasOf(hash: Hex): Promise<number> {
  return Number((await market.chain.public.getTransactionReceipt({ hash })).gasUsed);
}
