/** Consent that is not there: forged, for something else, over, revoked, used up; and data set keys that were stolen. */
import { expect } from "chai";
import { bytesToHex, type Hex, keccak256, toHex, zeroAddress } from "viem";
import { datasetRegistryAbi } from "../../../protocol/abi.ts";
import { domainOf, type Grant, hashGrant, type SignedGrant } from "../../../protocol/eip712.ts";
import type { Program } from "../../../protocol/program.ts";
import { testAccount } from "../../../scripts/localChain.ts";
import { ServerRefusedError } from "../../../sdk/boundedFetch.ts";
import { addressOf } from "../../../sdk/client.ts";
import { getDataset, newDatasetId, registerDataset } from "../../../sdk/datasets.ts";
import { decryptResult, newResultIdentity } from "../../../sdk/encryption.ts";
import {
  chainTime,
  GrantBadSignatureError,
  GrantNotInForceError,
  revokeAllGrants,
  revokeGrantNonce,
} from "../../../sdk/grants.ts";
import { GrantNotForJobError, prepareJob } from "../../../sdk/prepareJob.ts";
import { send } from "../../../sdk/send.ts";
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
  oneInputProgram,
  openRaw,
  signAs,
} from "../../support/hostile.ts";
import { failureOf, releasedResult, settlement } from "../../support/outcomes.ts";
import { rejection } from "../../support/rejection.ts";
import { type Provider, type Scenario, startScenario } from "../../support/scenario.ts";

describe("a grant that does not consent", () => {
  let s: Scenario;
  let program: Program;
  let provider: Provider;
  const stranger = testAccount(9).address;

  before(async () => {
    s = await startScenario({ env: { GRANT_WAIT_SECONDS: "1" } });
    program = countingProgram(s);
    provider = s.providers[0];
  });
  after(async () => {
    await expectNoEscrowLeft(s);
    await s.stop();
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

  const refusedPost = async (signed: SignedGrant, sealed: Parameters<typeof bring>[2] = { key: provider.datasetKey }) => {
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

    it("is refused if it is for another price, higher or lower, than the order offers", async () => {
      const signed = await consent(s, provider, program);
      const [use] = (await prepare([signed])).order.datasets;
      for (const price of [fees.price - 1n, fees.price + 1n, 0n]) {
        const datasets = [{ ...(use as NonNullable<typeof use>), price }];
        await expectFailure(s, "GrantRefused", () => openRaw(s, { program, grants: [signed], changes: { datasets } }));
      }
    });

    it("is refused if it is for another data set", async () => {
      const signed = await consent(s, provider, program);
      const grantHash = hashGrant(s.requester.marketDomain, signed.grant);
      const datasets = [{ datasetId: s.providers[1].datasetId, grantHash, price: fees.price }];
      await expectFailure(s, "GrantRefused", () => openRaw(s, { program, grants: [signed], changes: { datasets } }));
    });

    it("is refused before its time, after its time, and under another epoch than the data set's", async () => {
      const changes: Partial<Grant>[] = [{ notBefore: (await now()) + 3000n }, { notAfter: (await now()) - 1n }, { epoch: 1 }];
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
        expect(error.message).to.contain(vaultError("it is not signed by the data set's owner for this chain and market"));
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
        expect(error.message).to.contain(vaultError("it is not signed by the data set's owner for this chain and market"));
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
      const { control } = s.market.chain;
      for (const revoke of [
        ({ grant }: SignedGrant) => revocation(provider, "revokeGrantNonce", [grant.nonce]),
        () => revocation(provider, "revokeAllGrants", [provider.datasetId]),
      ]) {
        const { epoch } = await getDataset(s.requester, provider.datasetId);
        const signed = await consent(s, provider, program, { epoch });
        const before = await credits(s);
        const job = await openWithoutMining(s, { program, grants: [signed] });
        await s.worker().child.waitForLine((line) => (isStep(line, "sending", job.jobId) ? true : undefined), 20_000);
        // The settlement waits in the pool; the revocation pays more and is mined before it.
        await revoke(signed);
        await control.setAutomine(true);
        await control.mine({ blocks: 1 });
        expect(await failureOf(s, job.jobId)).to.equal("GrantRefused");
        const gained = (await credits(s)).map((credit, i) => credit - (before[i] ?? 0n));
        expect(gained).to.deep.equal([fees.failureFee, 0n, 0n, job.cost - fees.failureFee]);
        await settlement(s, job.jobId);
        expect(s.worker().child.lines.stdout.filter((line) => isStep(line, "ran", job.jobId))).to.have.length(1);
        expect((await fetch(`${s.worker().url}/results/${job.jobId}`)).status).to.equal(404);
      }
    });
  });
});
