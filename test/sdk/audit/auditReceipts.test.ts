import { expect } from "chai";
import { type Hex, zeroHash } from "viem";
import { domainOf, type Receipt } from "../../../protocol/eip712.ts";
import { auditReceipts, type Expected, type ReceiptVerifier } from "../../../sdk/audit/auditReceipts.ts";
import { openVerifier } from "../../../sdk/node/receiptVerifier.ts";
import { madeUpEnclave, madeUpReceipt, signedRow } from "../../support/receipts.ts";

const domain = domainOf(31337, "0x5FbDB2315678afecb367f032d93F642f64180aa3");
const kinds = ["native", "javascript"] as const;

describe("auditReceipts", () => {
  const enclaves = new Map(
    [0, 1].map((n) => [madeUpEnclave(n).account.address.toLowerCase(), madeUpEnclave(n).workloadId]),
  );
  const verifiers = new Map<string, ReceiptVerifier>();
  let rows: string[];
  before(async () => {
    for (const kind of kinds) verifiers.set(kind, await openVerifier(domain, kind));
    rows = await Promise.all(Array.from({ length: 12 }, (_, i) => signedRow(domain, madeUpReceipt(i, i % 2), i % 2)));
  });

  /** The report, which both verifiers must give. */
  async function report(given: readonly string[], expected: Expected = { enclaves, believed: true }) {
    const reports = [];
    for (const kind of kinds) {
      const verifier = verifiers.get(kind);
      if (verifier === undefined) throw new Error("no verifier");
      const { verifier: name, ...rest } = await auditReceipts(given, verifier, expected);
      expect(name).to.equal(kind);
      reports.push(rest);
    }
    expect(reports[0]).to.deep.equal(reports[1]);
    return reports[0] as Exclude<(typeof reports)[0], undefined>;
  }

  const problemsOf = async (given: readonly string[], expected?: Expected) =>
    (await report(given, expected)).problems.map(({ row, problem }) => `${row}: ${problem}`);

  const rowOf = (i: number, n: number, changes: Partial<Receipt>) => signedRow(domain, madeUpReceipt(i, n, changes), n);

  it("verifies honest receipts, and says of whom they are", async () => {
    const found = await report(["", ...rows, "  "]);
    expect(found).to.deep.include({
      verdict: "verified",
      receipts: 12,
      verified: 12,
      registered: true,
      moreProblems: 0,
    });
    const [first, second] = found.signers;
    const { account, workloadId } = madeUpEnclave(0);
    expect(first).to.deep.equal({
      signer: account.address,
      workloadIds: [workloadId],
      receipts: 6,
      outcomes: { None: 6 },
      logSize: "67",
    });
    expect(second?.logSize).to.equal("73");
  });

  it("cannot verify what no registration was looked up for, and nothing at all", async () => {
    expect((await report(rows, {})).verdict).to.equal("cannot be verified");
    expect((await report(rows, { enclaves })).verdict).to.equal("cannot be verified");
    expect((await report(rows, { believed: true })).verdict).to.equal("cannot be verified");
    expect((await report([...rows, "{"], { enclaves })).verdict).to.equal("not verified");
    expect((await report([])).verdict).to.equal("cannot be verified");
  });

  it("refuses a change of any field, of the signature, and of the signer", async () => {
    const row = rows[3] ?? "";
    const { receipt, signature, signer } = JSON.parse(row);
    const changed: string[] = [];
    for (const [name, value] of Object.entries<string | number>(receipt)) {
      const isHash = typeof value === "string" && value.startsWith("0x");
      const other = isHash ? zeroHash : typeof value === "number" ? (value === 1 ? 2 : 1) : String(BigInt(value) + 1n);
      changed.push(JSON.stringify({ receipt: { ...receipt, [name]: other }, signature, signer }));
    }
    const bad = (hex: Hex) => JSON.stringify({ receipt, signature: hex, signer });
    const s = BigInt(`0x${signature.slice(66, 130)}`);
    const high = (0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n - s)
      .toString(16)
      .padStart(64, "0");
    const v = signature.slice(130) === "1b" ? "1c" : "1b";
    changed.push(
      bad(`0x${signature.slice(2, 130)}${v}`),
      bad(`0x${signature.slice(2, 66)}${high}${v}`),
      bad(`0x${signature.slice(2, 130)}00`),
      bad(`0x${"00".repeat(64)}1b`),
      bad(`0x${"ff".repeat(64)}1b`),
      JSON.stringify({ receipt, signature, signer: madeUpEnclave(0).account.address }),
    );
    const problems = await problemsOf(changed);
    expect(problems).to.have.length(Object.keys(receipt).length + 6);
    for (const problem of problems) expect(problem).to.match(/^\d+: it is not signed by 0x/);
  });

  it("refuses what is no signed receipt", async () => {
    const { receipt, signature, signer } = JSON.parse(rows[0] ?? "");
    const given = [
      "{",
      "null",
      "[]",
      JSON.stringify({ receipt, signature }),
      JSON.stringify({ receipt, signature, signer, more: 1 }),
      JSON.stringify({ receipt: { ...receipt, fuelUsed: "01" }, signature, signer }),
      JSON.stringify({ receipt: { ...receipt, fuelUsed: 18446744073709551616n.toString() }, signature, signer }),
      `${" ".repeat(5000)}${rows[0]}`,
    ];
    for (const problem of await problemsOf(given)) expect(problem).to.match(/: it is no signed receipt in JSON$/);
    expect((await report(given)).verified).to.equal(0);
  });

  it("refuses another domain, an unknown enclave, another workload", async () => {
    const elsewhere = await signedRow({ ...domain, chainId: 1 }, madeUpReceipt(1, 1), 1);
    expect(await problemsOf([elsewhere])).to.have.length(1);
    const stranger = madeUpEnclave(2).account.address;
    expect(await problemsOf([await rowOf(1, 2, {})])).to.deep.equal([`1: its signer ${stranger} was never registered`]);
    const workloadId = madeUpEnclave(1).workloadId;
    expect(await problemsOf([await rowOf(1, 0, { workloadId })])).to.deep.equal([
      `1: its signer is registered for workload ${madeUpEnclave(0).workloadId}, it names ${workloadId}`,
    ]);
    const expected = { enclaves, workloadId };
    expect((await problemsOf(rows, expected))[0]).to.equal(`1: it names workload ${madeUpEnclave(0).workloadId}`);
    expect(await problemsOf(rows, expected)).to.have.length(6);
  });

  it("sees a forked log, and two outputs of one job", async () => {
    const fork = await rowOf(50, 0, { logSize: 7n });
    expect(await problemsOf([...rows, fork])).to.deep.equal([
      "13: its enclave's log has two roots of 7 entries: it was forked",
    ]);
    const spelled = fork.replace(madeUpEnclave(0).account.address, madeUpEnclave(0).account.address.toLowerCase());
    expect(await problemsOf([...rows, spelled])).to.deep.equal([
      "13: its enclave's log has two roots of 7 entries: it was forked",
    ]);
    expect((await report([...rows, spelled])).signers).to.have.length(2);
    const ofOther = await rowOf(50, 1, { logSize: 7n }); // another enclave's log
    expect(await problemsOf([...rows, ofOther])).to.deep.equal([]);
    const again = madeUpReceipt(0, 0, { logSize: 1000n, anchorBlock: 1n });
    const same = await signedRow(domain, again, 0);
    const other = await signedRow(
      domain,
      { ...again, outputCommitment: zeroHash.replace("00", "11") as Hex, logSize: 1001n },
      0,
    );
    expect(await problemsOf([...rows, same, other])).to.deep.equal(["14: its enclave signed two outputs of this job"]);
    const both = await rowOf(60, 0, { failureCode: 3 });
    expect(await problemsOf([both])).to.deep.equal(["1: its status and its failure code contradict each other"]);
  });

  it("lists the first thousand problems and counts the rest", async () => {
    const found = await report(Array.from({ length: 1003 }, () => "x"));
    expect([found.problems.length, found.moreProblems, found.verdict]).to.deep.equal([1000, 3, "not verified"]);
  });
});
