/** Consent that is not there: forged, for something else, over, revoked, used up; and data set keys that were stolen. */
import { expect } from "chai";
import { encodeFunctionData, type Hex, keccak256, toBytes, toHex } from "viem";
import { datasetRegistryAbi } from "../../../protocol/abi.ts";
import { domainOf, type Grant, hashGrant, type SignedGrant } from "../../../protocol/eip712.ts";
import type { Program } from "../../../protocol/program.ts";
import { testAccount } from "../../../scripts/localChain.ts";
import { ServerRefusedError } from "../../../sdk/boundedFetch.ts";
import { addressOf } from "../../../sdk/client.ts";
import { getDataset, newDatasetId, registerDataset } from "../../../sdk/datasets.ts";
import { decryptResult, newResultIdentity, ResultUnreadableError } from "../../../sdk/encryption.ts";
import {
  chainTime,
  GrantBadSignatureError,
  GrantNotInForceError,
  revokeAllGrants,
  revokeGrantNonce,
} from "../../../sdk/grants.ts";
import { GrantNotForJobError, prepareJob } from "../../../sdk/prepareJob.ts";
import {
  bring,
  consent,
  countingProgram,
  credits,
  expectFailure,
  expectHonestJob,
  expectNoEscrowLeft,
  fees,
  gainsOf,
  grantOf,
  mineAgain,
  oneInputProgram,
  openRaw,
  problemOf,
  signAs,
  stepSeen,
  timesSeenSoon,
  transactionPending,
  withoutCredit,
  withoutMining,
} from "../../support/hostile.ts";
import { failureOf, releasedResult, settlement } from "../../support/outcomes.ts";
import { rejection } from "../../support/rejection.ts";
import { type Provider, type Scenario, startScenario } from "../../support/scenario.ts";

const gwei = 10n ** 9n;
const zeroKey: Hex = `0x${"00".repeat(32)}`;

describe("a grant that does not consent", () => {
  let s: Scenario;
  let program: Program;
  let provider: Provider;
  const stranger = testAccount(9).address;

  before(async () => {
    s = await startScenario({ env: { GRANT_WAIT_SECONDS: "0" } });
    program = countingProgram(s);
    provider = s.providers[0];
  });
  after(async () => {
    try {
      await expectNoEscrowLeft(s);
    } finally {
      await s.stop();
    }
  });

  /** What `dcm job create` would say to these grants. */
  const prepare = (grants: readonly SignedGrant[]) =>
    prepareJob(s.requester, {
      program,
      grants,
      programUri: "blob:",
      params: {},
      workloadId: s.workloadId,
      resultKey: keccak256("0x"),
      operatorFee: fees.operatorFee,
      token: s.market.token,
      deadline: 2n ** 40n,
    });

  const refusedPost = async (
    signed: SignedGrant,
    sealed: Parameters<typeof bring>[2] = { key: provider.datasetKey },
  ) => {
    const error = await rejection(bring(s, signed, sealed), ServerRefusedError);
    expect(error.status).to.equal(422);
    return error;
  };

  const vaultError = (fact: string) => `The grant was refused: ${fact}.`;

  describe("for this job", () => {
    const now = () => chainTime(s.requester);
    const other: [string, Partial<Grant>, string | undefined][] = [
      ["program", { programId: keccak256("0x01") }, "consents to program"],
      ["requester", { requester: stranger }, `is for requester ${stranger} only`],
      ["operator", { operator: stranger }, `is for operator ${stranger} only; name it in the job`],
      ["token", { token: stranger }, `is paid in token ${stranger}`],
    ];
    for (const [field, change, fact] of other) {
      it(`is refused if it is for another ${field}`, async () => {
        const signed = await consent(s, provider, program, change);
        expect((await rejection(prepare([signed]), GrantNotForJobError)).message).to.contain(fact);
        await expectFailure(s, "GrantRefused", () => openRaw(s, { program, grants: [signed] }));
      });
    }

    it("is not used if it costs more than the order's ceiling, and is paid its price below it", async () => {
      const signed = await consent(s, provider, program);
      const [use] = (await prepare([signed])).order.datasets;
      const below = (maxPrice: bigint) => ({ datasets: [{ ...(use as NonNullable<typeof use>), maxPrice }] });
      for (const ceiling of [fees.price - 1n, 0n]) {
        const order = { program, grants: [signed], changes: below(ceiling) };
        await expectFailure(s, "PriceTooHigh", () => openRaw(s, order));
      }
      const { gained } = await gainsOf(s, async () => {
        const job = await openRaw(s, { program, grants: [signed], changes: below(fees.price + 7n) });
        expect(await failureOf(s, job.jobId)).to.equal("None");
      });
      expect(gained).to.deep.equal([fees.operatorFee, fees.price, 0n, 7n]);
    });

    it("is refused if it is for another data set", async () => {
      const signed = await consent(s, provider, program);
      const grantHash = hashGrant(s.requester.marketDomain, signed.grant);
      const datasets = [{ datasetId: s.providers[1].datasetId, grantHash, maxPrice: fees.price }];
      await expectFailure(s, "GrantRefused", () => openRaw(s, { program, grants: [signed], changes: { datasets } }));
    });

    it("is refused before its time, after its time, and under another epoch than the data set's", async () => {
      const changes: Partial<Grant>[] = [
        { notBefore: (await now()) + 3000n },
        { notAfter: (await now()) - 1n },
        { epoch: 1 },
      ];
      for (const [i, state] of (["not yet valid", "expired", "revoked"] as const).entries()) {
        const signed = await consent(s, provider, program, changes[i]);
        const grantHash = hashGrant(s.requester.marketDomain, signed.grant);
        const { message } = await rejection(prepare([signed]), GrantNotInForceError);
        expect(message).to.equal(new GrantNotInForceError(grantHash, state).message);
        await expectFailure(s, "GrantRefused", () => openRaw(s, { program, grants: [signed] }));
      }
    });

    it("is not taken at all if it is for another workload", async () => {
      const signed = await grantOf(s, provider, program, { workloadId: keccak256("0x01") });
      const error = await refusedPost(signed);
      expect(error.problem).to.equal("Vault.GrantRefusedError");
      expect(error.message).to.contain(vaultError("it is for another workload"));
      expect((await rejection(prepare([signed]), GrantNotForJobError)).message).to.contain("consents to workload");
      await expectFailure(s, "GrantMissing", () => openRaw(s, { program, grants: [signed] }));
    });
  });

  describe("of this owner, here", () => {
    it("is not taken if somebody else signed it, or a signature is malformed or high-s", async () => {
      const { grant, signature } = await grantOf(s, provider, program);
      const thief = await signAs(s.providers[1].client, grant);
      const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
      const highS = toHex(n - BigInt(`0x${signature.slice(66, 130)}`), { size: 32 });
      const flippedV = signature.endsWith("1b") ? "1c" : "1b";
      const forged: Hex[] = [
        thief.signature,
        "0x",
        signature.slice(0, -2) as Hex,
        `${signature}00`,
        `${signature.slice(0, 66)}${highS.slice(2)}${flippedV}` as Hex,
      ];
      for (const bad of forged) {
        const error = await refusedPost({ grant, signature: bad });
        expect(error.problem).to.equal("Vault.GrantRefusedError");
        expect(error.message).to.contain(
          vaultError("it is not signed by the data set's owner for this chain and market"),
        );
        const mine = await rejection(prepare([{ grant, signature: bad }]), GrantBadSignatureError);
        const grantHash = hashGrant(s.requester.marketDomain, grant);
        expect(mine.message).to.equal(new GrantBadSignatureError(grantHash, addressOf(provider.client)).message);
      }
      await expectFailure(s, "GrantMissing", () => openRaw(s, { program, grants: [thief] }));
    });

    it("is not taken if it is signed for another chain, another market, or another version", async () => {
      const here = s.requester.marketDomain;
      const domains = [
        domainOf(1, here.verifyingContract),
        domainOf(here.chainId, s.market.deployment.contracts.enclaveRegistry),
        { ...here, version: "2" },
      ];
      for (const domain of domains) {
        const signed = await grantOf(s, provider, program, {}, domain);
        const error = await refusedPost(signed);
        expect(error.message).to.contain(
          vaultError("it is not signed by the data set's owner for this chain and market"),
        );
        await rejection(prepare([signed]), GrantBadSignatureError);
      }
      const elsewhere = await grantOf(s, provider, program, {}, domainOf(1, here.verifyingContract));
      await expectFailure(s, "GrantMissing", () => openRaw(s, { program, grants: [elsewhere] }));
    });
  });

  describe("any longer", () => {
    it("is refused once its epoch or its nonce is revoked, though its key was delivered before", async () => {
      const byNonce = await consent(s, provider, program);
      await revokeGrantNonce(provider.client, byNonce.grant.nonce);
      await expectFailure(s, "GrantRefused", () => openRaw(s, { program, grants: [byNonce] }));

      const { epoch } = await getDataset(s.requester, s.providers[1].datasetId);
      const byEpoch = await consent(s, s.providers[1], program, { epoch });
      await revokeAllGrants(s.providers[1].client, s.providers[1].datasetId);
      await expectFailure(s, "GrantRefused", () => openRaw(s, { program, grants: [byEpoch] }));
      await rejection(prepare([byEpoch]), GrantNotInForceError);
    });

    it("is refused when it is used up: by an earlier job, or by the job itself that names it twice", async () => {
      const once = await consent(s, provider, program, { maxUses: 1n });
      expect(await failureOf(s, (await openRaw(s, { program, grants: [once] })).jobId)).to.equal("None");
      await expectFailure(s, "GrantRefused", () => openRaw(s, { program, grants: [once] }));

      const twoInputs = oneInputProgram(s, "export default () => 1;", {
        inputs: [
          { name: "one", format: "text" },
          { name: "two", format: "text" },
        ],
      });
      const twice = await consent(s, provider, twoInputs, { maxUses: 1n });
      await expectFailure(s, "GrantRefused", () => openRaw(s, { program: twoInputs, grants: [twice, twice] }));
      const enough = await consent(s, provider, twoInputs, { maxUses: 2n });
      const { gained } = await gainsOf(s, async () => {
        const job = await openRaw(s, { program: twoInputs, grants: [enough, enough] });
        expect(await failureOf(s, job.jobId)).to.equal("None");
      });
      expect(gained).to.deep.equal([fees.operatorFee, 2n * fees.price, 0n, 0n]);
    });

    it("pays nobody and opens nothing again if it is revoked between the run and the settlement", async () => {
      const call = { abi: datasetRegistryAbi } as const;
      for (const revocation of [
        ({ nonce }: Grant) => encodeFunctionData({ ...call, functionName: "revokeGrantNonce", args: [nonce] }),
        ({ datasetId }: Grant) => encodeFunctionData({ ...call, functionName: "revokeAllGrants", args: [datasetId] }),
      ]) {
        const { epoch } = await getDataset(s.requester, provider.datasetId);
        const signed = await consent(s, provider, program, { epoch });
        await withoutCredit(s);
        const before = await credits(s);
        const job = await withoutMining(s, () => openRaw(s, { program, grants: [signed] }));
        await stepSeen(s, "sending", job.jobId);
        await transactionPending(s);
        // The settlement waits in the pool; the revocation pays more and is mined before it.
        await s.market.chain.wallet(2).sendTransaction({
          to: s.market.deployment.contracts.datasetRegistry,
          data: revocation(signed.grant),
          maxFeePerGas: 200n * gwei,
          maxPriorityFeePerGas: 100n * gwei,
        });
        await mineAgain(s);
        expect(await failureOf(s, job.jobId)).to.equal("GrantRefused");
        const gained = (await credits(s)).map((credit, i) => credit - (before[i] ?? 0n));
        expect(gained).to.deep.equal([fees.failureFee, 0n, 0n, job.cost - fees.failureFee]);
        await settlement(s, job.jobId);
        expect(await timesSeenSoon(s, "inputsDecrypted", job.jobId)).to.equal(1);
        expect(await problemOf(`${s.worker().url}/results/${job.jobId}`)).to.equal("404 Http.UnknownJobError");
      }
    });
  });
  describe("a data set key", () => {
    it("is not taken if it was sealed under another grant, to another vault key, or is garbage", async () => {
      const signed = await grantOf(s, provider, program);
      const other = await grantOf(s, provider, program);
      const under = hashGrant(s.requester.marketDomain, other.grant);
      const copied = await refusedPost(signed, { key: provider.datasetKey, under });
      expect(copied.problem).to.equal("Sealing.SealingError");

      const { resultKey: vaultKey } = await newResultIdentity();
      const misdirected = await refusedPost(signed, { key: provider.datasetKey, vaultKey });
      expect(misdirected.problem).to.equal("Vault.OtherVaultKeyError");

      for (const key of [new Uint8Array(74), toBytes("AGE-SECRET-KEY-1"), toBytes(provider.datasetKey.toLowerCase())]) {
        const garbage = await refusedPost(signed, { key });
        expect(garbage.message).to.contain(vaultError("the sealed key is not an age identity"));
      }
      await expectFailure(s, "GrantMissing", () => openRaw(s, { program, grants: [signed] }));
    });

    it("cannot be displaced by whoever knows the grant, which is public", async () => {
      const { epoch } = await getDataset(s.requester, provider.datasetId);
      const signed = await consent(s, provider, program, { epoch });
      const { identity: key } = await newResultIdentity();
      for (const by of [s.requester, s.providers[1].client]) {
        const error = await refusedPost(signed, { key, by });
        expect(error.message).to.contain(vaultError("its sealed key is not signed by the data set's owner"));
      }
      expect(await failureOf(s, (await openRaw(s, { program, grants: [signed] })).jobId)).to.equal("None");
    });

    it("opens nothing for a thief who registers the ciphertext under its own name", async () => {
      const thief = s.providers[1];
      const { contentHash, sizeBytes, uri } = await getDataset(s.requester, provider.datasetId);
      const { salt, datasetId } = newDatasetId(thief.client, contentHash);
      const metadata = { v: 1, title: "stolen", format: "csv" } as const;
      await registerDataset(thief.client, { contentHash, salt, sizeBytes, uri, metadata });
      const stolen = { ...thief, datasetId };
      const program = oneInputProgram(s, "export default ({ data }) => data.slice(0, 99);");

      // The key that the victim's broker sealed, taken off the wire, under the thief's own grant.
      const victims = await consent(s, provider, program);
      const thiefs = await grantOf(s, stolen, program);
      const under = hashGrant(s.requester.marketDomain, victims.grant);
      const error = await refusedPost(thiefs, { key: provider.datasetKey, under });
      expect(error.problem).to.equal("Sealing.SealingError");
      await expectFailure(s, "GrantMissing", () => openRaw(s, { program, grants: [thiefs] }));

      // With a key of the thief's own the copy does not open, and under the victim's grant it is the wrong data set.
      const ownKey = await consent(s, stolen, program);
      await expectFailure(s, "DecryptionFailed", () => openRaw(s, { program, grants: [ownKey] }));
      const datasets = [{ datasetId, grantHash: under, maxPrice: fees.price }];
      await expectFailure(s, "GrantRefused", () => openRaw(s, { program, grants: [victims], changes: { datasets } }));
    });
  });

  describe("the readers of a result", () => {
    it("are those of the order and of the grants, and nobody else", async () => {
      const [reader, stranger] = [await newResultIdentity(), await newResultIdentity()];
      const { epoch } = await getDataset(s.requester, provider.datasetId);
      const signed = await consent(s, provider, program, { epoch, resultReaders: [reader.resultKey] });
      const job = await openRaw(s, { program, grants: [signed] });
      expect(await failureOf(s, job.jobId)).to.equal("None");
      const receipt = await settlement(s, job.jobId);
      const sealed = await releasedResult(s, job.jobId);
      const opened = await decryptResult(job.identity, sealed, receipt);
      expect(await decryptResult(reader.identity, sealed, receipt)).to.deep.equal(opened);
      await rejection(decryptResult(stranger.identity, sealed, receipt), ResultUnreadableError);
    });

    it("cannot be keys that everybody shares: points of low order end in OutputRefused", async () => {
      const { epoch } = await getDataset(s.requester, provider.datasetId);
      const signed = await consent(s, provider, program, { epoch });
      const lowOrder: Hex[] = [
        zeroKey,
        `0x01${"00".repeat(31)}`,
        "0x5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        `0xed${"ff".repeat(30)}7f`,
      ];
      for (const resultKey of lowOrder) {
        await expectFailure(s, "OutputRefused", () =>
          openRaw(s, { program, grants: [signed], changes: { resultKey } }),
        );
      }
      const bad = await consent(s, provider, program, { epoch, resultReaders: [zeroKey] });
      await expectFailure(s, "OutputRefused", () => openRaw(s, { program, grants: [bad] }));
    });
  });

  describe("and the worker afterwards", () => {
    it("does an honest job as before", async () => {
      const { epoch } = await getDataset(s.requester, provider.datasetId);
      await expectHonestJob(s, { epoch });
    });
  });
});
