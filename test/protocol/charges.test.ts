import { expect } from "chai";
import { keccak256, toHex } from "viem";
import { costOf, countedGrantsOf, isCounted, operatorFeeOf, priceOf, splitOf } from "../../protocol/charges.ts";
import { priceUnits } from "../../protocol/eip712.ts";

const use = (maxPrice: bigint) => ({ datasetId: keccak256("0x01"), grantHash: keccak256("0x02"), maxPrice });

describe("charges", () => {
  it("escrows every ceiling, and the fee for each enclave", () => {
    expect(costOf({ datasets: [use(5n), use(7n)], operatorFee: 3n, quorum: 1 })).to.equal(15n);
    expect(costOf({ datasets: [use(5n)], operatorFee: 3n, quorum: 5 })).to.equal(20n);
    expect(costOf({ datasets: [use(2n ** 255n), use(2n ** 255n)], operatorFee: 0n, quorum: 1 })).to.equal(2n ** 256n);
  });

  it("prices a use flat, by rows of the result, or by bytes of the ciphertext", () => {
    expect(priceOf({ price: 10n, priceUnit: priceUnits.use }, 1000, 7n)).to.equal(10n);
    expect(priceOf({ price: 10n, priceUnit: priceUnits.outputRow }, 1000, 7n)).to.equal(70n);
    expect(priceOf({ price: 10n, priceUnit: priceUnits.outputRow }, 1000, 0n)).to.equal(0n);
    expect(priceOf({ price: 10n, priceUnit: priceUnits.inputByte }, 1000, 7n)).to.equal(10_000n);
    expect(priceOf({ price: 10n, priceUnit: priceUnits.inputByte }, 2n ** 47n, 7n)).to.equal(10n * 2n ** 47n);
  });

  it("charges an offer's prices up to the order's fee, and that fee without an offer", () => {
    const offer = { fee: 100n, pricePerSecond: 10n };
    expect(operatorFeeOf({ operatorFee: 500n }, undefined, 9)).to.equal(500n);
    expect(operatorFeeOf({ operatorFee: 500n }, offer, 9)).to.equal(190n);
    expect(operatorFeeOf({ operatorFee: 500n }, offer, 41)).to.equal(500n);
    expect(operatorFeeOf({ operatorFee: 50n }, offer, 0)).to.equal(50n);
  });

  it("counts the grants that are paid or limited", () => {
    const [free, paid, limited] = [
      { price: 0n, maxUses: 0n },
      { price: 1n, maxUses: 0n },
      { price: 0n, maxUses: 1n },
    ];
    expect([free, paid, limited].map(isCounted)).to.deep.equal([false, true, true]);
    expect(countedGrantsOf([free, paid, limited, free])).to.equal(0b0110);
    expect(countedGrantsOf([])).to.equal(0);
    expect(countedGrantsOf(Array(16).fill(paid))).to.equal(0xffff);
  });

  it("splits a price by shares, rounded down, the rest to the last, and loses nothing", () => {
    expect(splitOf(10n, "o", [])).to.deep.equal([{ account: "o", amount: 10n }]);
    const payees = [3333, 3333, 3334].map((shareBps, i) => ({ account: String(i), shareBps }));
    expect(splitOf(10n, "o", payees).map(({ amount }) => amount)).to.deep.equal([3n, 3n, 4n]);
    for (let round = 0; round < 50; round++) {
      const amount = BigInt(keccak256(toHex(round))) >> BigInt(round * 5);
      const sixteen = Array.from({ length: 16 }, (_, i) => ({ account: String(i), shareBps: 625 }));
      const parts = splitOf(amount, "o", sixteen);
      expect(parts.reduce((sum, part) => sum + part.amount, 0n)).to.equal(amount);
      expect(parts.slice(0, 15).every((part) => part.amount === (amount * 625n) / 10_000n)).to.equal(true);
    }
  });
});
