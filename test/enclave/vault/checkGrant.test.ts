import { expect } from "chai";
import { type Hex, zeroAddress } from "viem";
import { type ConsentState, checkBudget, checkGrant } from "../../../enclave/vault/checkGrant.ts";
import type { DatasetUse, Grant, JobOrder } from "../../../protocol/eip712.ts";

const id = (byte: string): Hex => `0x${byte.repeat(32)}`;
const requester = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const operator = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
const stranger = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
const use: DatasetUse = { datasetId: id("01"), grantHash: id("02"), maxPrice: 5n };
const order = { requester, programId: id("03"), workloadId: id("04"), token: zeroAddress } as unknown as JobOrder; // all that is read
const grant: Grant = {
  datasetId: use.datasetId,
  programId: order.programId,
  workloadId: order.workloadId,
  requester,
  operator,
  token: zeroAddress,
  priceUnit: 0,
  price: 5n,
  maxUses: 2n,
  notBefore: 100n,
  notAfter: 200n,
  resultReaders: [],
  epoch: 3,
  ownerEpoch: 7,
  nonce: 1n,
};
const state: ConsentState = { epoch: 3, ownerEpoch: 7, revoked: false, uses: 1n, timestamp: 150n };

describe("checkGrant", () => {
  it("consents, also in the first and last second and for anyone where it names nobody", () => {
    const any = { ...grant, requester: zeroAddress, operator: zeroAddress, maxUses: 0n } as const;
    expect(checkGrant(order, use, grant, operator, state)).to.equal(undefined);
    expect(checkGrant(order, use, grant, operator, { ...state, timestamp: 100n })).to.equal(undefined);
    expect(checkGrant(order, use, grant, operator, { ...state, timestamp: 200n })).to.equal(undefined);
    expect(checkGrant(order, use, any, stranger, { ...state, uses: 10n ** 9n })).to.equal(undefined);
  });

  it("names the first thing that differs", () => {
    const refusals: [Partial<Grant>, Partial<ConsentState>, string][] = [
      [{ datasetId: id("09") }, {}, "other data set"],
      [{ programId: id("09") }, {}, "other program"],
      [{ workloadId: id("09") }, {}, "other workload"],
      [{ requester: stranger }, {}, "other requester"],
      [{ operator: stranger }, {}, "other operator"],
      [{ token: stranger }, {}, "other token"],
      [{ priceUnit: 3 }, {}, "unknown price unit"],
      [{}, { timestamp: 99n }, "not yet in force"],
      [{}, { timestamp: 201n }, "expired"],
      [{}, { epoch: 4 }, "revoked with all grants of its epoch"],
      [{}, { epoch: 2 }, "revoked with all grants of its epoch"],
      [{}, { ownerEpoch: 8 }, "revoked with all grants of its owner's epoch"],
      [{}, { ownerEpoch: 6 }, "revoked with all grants of its owner's epoch"],
      [{}, { revoked: true }, "revoked by nonce, or with its data set"],
      [{}, { uses: 2n }, "used up"],
    ];
    for (const [ofGrant, ofState, refusal] of refusals) {
      const found = checkGrant(order, use, { ...grant, ...ofGrant }, operator, { ...state, ...ofState });
      expect(found, refusal).to.equal(refusal);
    }
  });
});

describe("checkBudget", () => {
  const noise = { epsilonMicros: 300_000, budgetMicros: 1_000_000, fields: [] };
  const excess = "more uses than the policy allows";

  it("wants a grant limited as the policy says: 1 to the most, and never without a limit", () => {
    const cases: [Parameters<typeof checkBudget>[0], maxUses: bigint, string | undefined][] = [
      [undefined, 0n, undefined],
      [{}, 0n, undefined],
      [{ pad: [256] }, 2n ** 32n, undefined],
      [{ maxUses: 5 }, 0n, excess],
      [{ maxUses: 5 }, 1n, undefined],
      [{ maxUses: 5 }, 5n, undefined],
      [{ maxUses: 5 }, 6n, excess],
      [{ maxUses: 5 }, 2n ** 64n - 1n, excess],
      [{ noise }, 0n, excess],
      [{ noise }, 3n, undefined], // 3 * 0.3 is 0.9 of 1
      [{ noise }, 4n, excess],
      [{ noise, maxUses: 2 }, 3n, excess],
      [{ noise, maxUses: 9 }, 4n, excess],
      [{ noise: { ...noise, budgetMicros: 300_000 } }, 1n, undefined],
      [{ noise: { ...noise, budgetMicros: 299_999 } }, 1n, excess], // no manifest says so: it would fit no grant
    ];
    for (const [policy, maxUses, expected] of cases)
      expect(checkBudget(policy, { maxUses }), `${JSON.stringify(policy)}, ${maxUses}`).to.equal(expected);
  });
});
