/** Certificates without a chain: made by keys of the test, then changed field by field. */
import { Encrypter, identityToRecipient } from "age-encryption";
import { expect } from "chai";
import { type Hex, keccak256, sha256, zeroAddress, zeroHash } from "viem";
import { recipientOf } from "../../protocol/ageKey.ts";
import { domainOf, hashOrder, hashReceipt, type JobOrder, type Receipt } from "../../protocol/eip712.ts";
import { type Manifest, manifestSchema, policyHashOf, programIdOf } from "../../protocol/program.ts";
import { publicIdentity, publicResultKey } from "../../protocol/publicReader.ts";
import { encodeResult, outputCommitmentOf, type ResultEnvelope } from "../../protocol/result.ts";
import { grantsRootOf, inputsRootOf } from "../../protocol/roots.ts";
import { testAccount } from "../../scripts/localChain.ts";
import {
  type Certificate,
  certificateToJson,
  checkCertificate,
  maxCertificateBytes,
  readCertificateFile,
} from "../../sdk/certificateFile.ts";
import { failureOf } from "../support/failureOf.ts";

const market = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const deployment = {
  chainId: 31337,
  fromBlock: 0,
  contracts: {
    tdxCollateral: market,
    tdxVerifier: market,
    enclaveRegistry: market,
    endorsements: market,
    datasetRegistry: market,
    jobMarket: market,
  },
  rootKey: `0x${"00".repeat(64)}`,
} as const;
const domain = domainOf(deployment.chainId, market);
const word = (byte: string): Hex => `0x${byte.repeat(32)}`;
const output = { rows: 2, columns: ["a"] };

const manifest: Manifest = manifestSchema.parse({
  v: 1,
  name: "a profile",
  runtime: { engine: "quickjs", version: "1", artifactSha256: zeroHash },
  entry: "main.js",
  files: [{ path: "main.js", sha256: zeroHash, size: 1 }],
  params: { type: "object" },
  inputs: [{ name: "data", format: "csv" }],
  output: { format: "json", schema: { type: "object" }, maxBytes: 1024 },
  limits: { fuel: 1000, memoryBytes: 1024 * 1024, wallMs: 1000 },
});

const baseOrder: JobOrder = {
  requester: zeroAddress,
  payer: zeroAddress,
  programId: programIdOf(manifest),
  workloadId: word("0b"),
  paramsHash: word("0c"),
  datasets: [{ datasetId: word("0d"), grantHash: word("0e"), maxPrice: 0n }],
  resultKey: publicResultKey,
  token: zeroAddress,
  operatorFee: 0n,
  failureFee: 0n,
  operator: zeroAddress,
  offerHash: zeroHash,
  bond: 0n,
  acceptBy: 0n,
  deadline: 1_800_000_000n,
  quorum: 1,
  session: zeroHash,
  nonce: 1n,
};

/** As an enclave would make it of this order; `said` is what a lying one would say instead. */
async function certificateOf(
  order: JobOrder = baseOrder,
  said: Partial<Receipt> = {},
  result: ResultEnvelope["output"] = output,
): Promise<Certificate> {
  const jobId = hashOrder(domain, order);
  const envelope = { v: 1 as const, jobId, salt: keccak256("0x07"), output: result };
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipientOf(publicResultKey));
  const sealedResult = await encrypter.encrypt(encodeResult(envelope));
  const [datasetId, contentHash] = [word("0d"), word("0f")];
  const receipt: Receipt = {
    jobId,
    status: 1,
    programId: order.programId,
    workloadId: order.workloadId,
    inputsRoot: inputsRootOf([{ datasetId, contentHash }]),
    grantsRoot: grantsRootOf([word("0e")]),
    paramsHash: order.paramsHash,
    resultHash: sha256(sealedResult),
    outputCommitment: outputCommitmentOf(envelope),
    policyHash: policyHashOf(manifest),
    fuelUsed: 1024n,
    outputRows: 0n,
    runSeconds: 0,
    countedGrants: 1,
    logRoot: keccak256("0x09"),
    logSize: 9n,
    anchorBlock: 7n,
    anchorHash: word("08"),
    failureCode: 0,
    ...said,
  };
  const receiptHash = hashReceipt(domain, receipt);
  const head = { v: 1 as const, chainId: deployment.chainId, jobMarket: deployment.contracts.jobMarket };
  const names = { datasetId, contentHash, programId: programIdOf(manifest), jobId, receiptHash };
  const signature = await testAccount(9).sign({ hash: receiptHash });
  return { ...head, ...names, manifest, order, receipt, signature, sealedResult, output: result };
}

describe("the public reader", () => {
  it("is the age identity of its label, for ever", async () => {
    const secret = "AGE-SECRET-KEY-1XK9JF887TR4J7WZGRVA6YCQF6ZDMMUEJRS3HW9PLG4KG8VNEPG2SEHJVQM";
    expect(publicIdentity).to.equal(secret);
    expect(publicResultKey).to.equal("0x61f13131e4708cb42e7c0d385a4722ded0907cd3eb2974e4685475f35d01a82b");
    expect(await identityToRecipient(secret)).to.equal(recipientOf(publicResultKey));
  });
});

describe("checkCertificate", () => {
  let good: Certificate;
  before(async () => {
    good = await certificateOf();
  });

  it("takes a certificate whose parts belong together, also from its file", async () => {
    const read = readCertificateFile(JSON.stringify(certificateToJson(good)), deployment);
    expect(read).to.deep.equal(good);
    await checkCertificate(deployment, read);
  });

  const other = word("ff");
  const changes: [field: string, change: (c: Certificate) => Partial<Certificate>, fact: string][] = [
    ["jobId", () => ({ jobId: other }), "its order is another job's"],
    ["order", ({ order }) => ({ order: { ...order, nonce: 2n } }), "its order is another job's"],
    ["receiptHash", () => ({ receiptHash: other }), "its receipt has another hash"],
    ["receipt", ({ receipt }) => ({ receipt: { ...receipt, logSize: 1n } }), "its receipt has another hash"],
    ["datasetId", () => ({ datasetId: other }), "its job is over another data set"],
    ["contentHash", () => ({ contentHash: other }), "the enclave computed on another content"],
    ["programId", () => ({ programId: other }), "its job ran another program"],
    ["manifest", ({ manifest: m }) => ({ manifest: { ...m, name: "PII scan" } }), "its manifest is another program's"],
    ["output", () => ({ output: { ...output, rows: 3 } }), "its output is not the one that the enclave sealed"],
  ];
  for (const [field, change, fact] of changes) {
    it(`refuses another ${field}`, async () => {
      const error = await failureOf(checkCertificate(deployment, { ...good, ...change(good) }));
      expect(error.name).to.equal("Certificate.CertificateRefusedError");
      expect(error.message).to.equal(`Certificate ${change(good).jobId ?? good.jobId} is not good: ${fact}.`);
    });
  }

  it("refuses another sealed result", async () => {
    const sealedResult = Uint8Array.from(good.sealedResult, (byte, at) => (at === 200 ? byte ^ 1 : byte));
    const error = await failureOf(checkCertificate(deployment, { ...good, sealedResult }));
    expect(error.message).to.equal("The sealed result is not the one in the receipt.");
  });

  const use = { datasetId: word("0d"), grantHash: word("0e"), maxPrice: 0n };
  const jobs: [job: string, order: Partial<JobOrder>, said: Partial<Receipt>, fact: string][] = [
    ["a private job", { resultKey: word("01") }, {}, "its result is not public"],
    ["a job over two data sets", { datasets: [use, use] }, {}, "its job is over several data sets"],
    ["another job's receipt", {}, { jobId: other }, "its receipt is of another job"],
    ["a failed job", {}, { status: 2 }, "its job failed"],
    ["a run under another grant", {}, { grantsRoot: other }, "the enclave used another grant"],
    ["a run of another program", {}, { programId: other }, "its job ran another program"],
    ["a run with another policy", {}, { policyHash: other }, "the enclave enforced another output policy"],
    ["a run with other parameters", {}, { paramsHash: other }, "its job had other parameters"],
  ];
  for (const [job, order, said, fact] of jobs) {
    it(`refuses ${job}, signed or not`, async () => {
      const made = await certificateOf({ ...baseOrder, ...order }, said);
      const error = await failureOf(checkCertificate(deployment, made));
      expect(error.message).to.equal(`Certificate ${made.jobId} is not good: ${fact}.`);
    });
  }

  it("refuses files that are none, of another market, or too long", () => {
    const json = certificateToJson(good);
    const files: [text: string, fact: string][] = [
      ["{", "it is not JSON"],
      [" ".repeat(maxCertificateBytes + 1), "it does not have the fields of one"],
      [JSON.stringify({ ...json, signer: market }), "it does not have the fields of one"],
      [JSON.stringify({ ...json, v: 2 }), "it does not have the fields of one"],
      [JSON.stringify({ ...json, manifest: {} }), "it does not have the fields of one"],
      [JSON.stringify({ ...json, sealedResult: "#" }), "it does not have the fields of one"],
      [JSON.stringify({ ...json, chainId: 1 }), `it is for chain 1, market ${market}`],
      [JSON.stringify({ ...json, jobMarket: zeroAddress }), `it is for chain 31337, market ${zeroAddress}`],
    ];
    for (const [text, fact] of files)
      expect(() => readCertificateFile(text, deployment), fact).to.throw(
        `The certificate file cannot be used: ${fact}.`,
      );
  });

  it("refuses nesting that readers would fall over, in the file and in the sealed result", async () => {
    const levels = 90_000;
    const deep = "[".repeat(levels) + "]".repeat(levels);
    const text = JSON.stringify(certificateToJson(good)).replace(JSON.stringify(output), deep);
    const inFile = await failureOf(checkCertificate(deployment, readCertificateFile(text, deployment)));
    const fact = "its output is not the one that the enclave sealed";
    expect(inFile.message).to.equal(`Certificate ${good.jobId} is not good: ${fact}.`);
    const sealed = await certificateOf(baseOrder, {}, JSON.parse(deep));
    const inResult = await failureOf(checkCertificate(deployment, sealed));
    expect(inResult.message).to.equal(`Certificate ${sealed.jobId} is not good: its output is nested too deep.`);
  });
});
