import { expect } from "chai";
import { type Address, keccak256, zeroAddress, zeroHash } from "viem";
import { createIdentity } from "../../../enclave/attestation/identity.ts";
import { gatherConsents } from "../../../enclave/jobs/gather.ts";
import { JobStop } from "../../../enclave/jobs/jobStop.ts";
import type { ConsentAtAnchor, JobPorts, OrderProof, RunnableJob } from "../../../enclave/jobs/ports.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf, type Grant, priceUnits } from "../../../protocol/eip712.ts";
import type { Policy } from "../../../protocol/policy.ts";
import type { Manifest } from "../../../protocol/program.ts";
import { sampleJob } from "../../support/emitter.ts";
import { plainGrant } from "../../support/plainTerms.ts";
import { rejection } from "../../support/rejection.ts";

const market: Address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const owner: Address = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
const deployment = { chainId: 31337, contracts: { jobMarket: market } } as Deployment; // all that samples need
const anchor = { number: 1n, hash: zeroHash, timestamp: 150n };
const sizeBytes = 1_000;
const { jobId, order, programUri } = sampleJob(deployment, 1);
const [use] = order.datasets as [(typeof order.datasets)[number]];
const identity = await createIdentity();

const manifestOf = (policy: Policy | undefined) => ({ output: { policy } }) as Manifest; // all that is read

type World = {
  grant?: Partial<Grant>;
  consent?: Partial<ConsentAtAnchor>;
  proof?: OrderProof;
  maxPrice?: bigint;
  uses?: bigint;
  signed?: boolean;
  policy?: Policy;
};

async function gather(world: World) {
  const { grant = {}, consent = {}, proof = "signed", maxPrice = 5n, uses = 0n, signed = true, policy } = world;
  const given: Grant = {
    datasetId: use.datasetId,
    programId: order.programId,
    workloadId: order.workloadId,
    requester: zeroAddress,
    operator: zeroAddress,
    token: zeroAddress,
    ...plainGrant,
    price: 5n,
    maxUses: 0n,
    notBefore: 100n,
    notAfter: 200n,
    resultReaders: [],
    epoch: 0,
    nonce: 1n,
    ...grant,
  };
  const unused = () => Promise.reject(new Error("not reached"));
  const sealedKey = { vaultKey: zeroHash, enc: zeroHash, ciphertext: "0x" } as const;
  const ports: JobPorts = {
    domain: domainOf(31337, market),
    workloadId: order.workloadId,
    operator: market,
    identity,
    log: { sync: () => undefined, append: () => 0, head: () => ({ root: zeroHash, size: 0n }), prove: () => [] },
    grants: { find: () => ({ grant: given, signature: "0x", sealedKey, sealedKeySignature: "0x" }) },
    chain: {
      anchor: unused,
      isCanonical: unused,
      proofOf: unused,
      standing: unused,
      dataset: async () => ({ owner, sizeBytes, contentHash: keccak256("0x01"), uri: "blob:1" }),
      consent: async () => ({ owner, epoch: 0, ownerEpoch: 0, revoked: false, ...consent }),
      grantUses: async () => uses,
      isSignedBy: async () => signed,
    },
    fetch: unused,
    fetchCiphertext: unused,
    lacksWallFor: () => false,
    run: unused,
    inTurn: unused,
    observe: () => undefined,
    now: () => 0,
  };
  const changed = { ...order, datasets: [{ ...use, maxPrice }] };
  const origin = { by: "opening", index: 0n, openedHash: zeroHash } as const;
  const job: RunnableJob = { jobId, order: changed, programUri, params: new Uint8Array(), origin };
  return gatherConsents(ports, job, { anchor, proof, program: { manifest: manifestOf(policy) } });
}

async function stopOf(world: World) {
  const { code, final, message } = await rejection(gather(world), JobStop);
  return [code, final, message.replace(`${code}: grant ${use.grantHash}`, "").replace(/\.$/, "")];
}

describe("gatherConsents", () => {
  it("takes a consent that is in order, up to the ceiling", async () => {
    const [input] = await gather({});
    expect(input).to.include({ datasetId: use.datasetId, grantHash: use.grantHash, sizeBytes });
    await gather({ grant: { priceUnit: priceUnits.inputByte, price: 2n }, maxPrice: 2_000n });
    await gather({ grant: { priceUnit: priceUnits.outputRow, price: 1_000n }, maxPrice: 0n }); // rows come with the result
  });

  it("ends in PriceTooHigh where a use or its bytes cost more than the ceiling: before anything is opened", async () => {
    expect(await stopOf({ maxPrice: 4n })).to.deep.equal(["PriceTooHigh", true, ""]);
    const perByte = { priceUnit: priceUnits.inputByte, price: 2n };
    expect(await stopOf({ grant: perByte, maxPrice: 1_999n })).to.deep.equal(["PriceTooHigh", true, ""]);
  });

  it("takes a contract's order, which only the node vouches for, where the grant allows anyone and nowhere else", async () => {
    await gather({ proof: "told" });
    const why = ": it names a requester, and the order's is a contract, which only the node vouches for";
    const named = { requester: order.requester };
    expect(await stopOf({ proof: "told", grant: named })).to.deep.equal(["GrantRefused", true, why]);
    await gather({ proof: "signed", grant: named });
  });

  it("ends in BudgetExceeded where the grant is not limited as the program's policy wants, before anything is opened", async () => {
    const policy = { maxUses: 3 };
    await gather({ policy, grant: { maxUses: 3n }, uses: 2n });
    const why = ": more uses than the policy allows";
    for (const maxUses of [0n, 4n, 2n ** 64n - 1n])
      expect(await stopOf({ policy, grant: { maxUses } })).to.deep.equal(["BudgetExceeded", true, why]);
    // Used up is another thing, and is said first.
    expect(await stopOf({ policy, grant: { maxUses: 4n }, uses: 4n })).to.deep.equal([
      "GrantRefused",
      true,
      ": used up",
    ]);
  });

  it("refuses a consent that has ended, is used up, or that the owner of now has not signed", async () => {
    const cases: [World, string][] = [
      [{ consent: { epoch: 1 } }, "revoked with all grants of its epoch"],
      [{ consent: { ownerEpoch: 1 } }, "revoked with all grants of its owner's epoch"],
      [{ consent: { revoked: true } }, "revoked by nonce, or with its data set"],
      [{ consent: { owner: market } }, "its data set has two owners by the node's word"],
      [{ grant: { maxUses: 2n }, uses: 2n }, "used up"],
      [{ signed: false }, "not signed by the owner"],
    ];
    for (const [world, why] of cases) expect(await stopOf(world)).to.deep.equal(["GrantRefused", true, `: ${why}`]);
  });
});
