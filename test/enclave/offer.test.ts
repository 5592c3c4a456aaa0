import { expect } from "chai";
import { zeroAddress, zeroHash } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { BadOfferError, checkOffer } from "../../enclave/offer.ts";
import { isSignedByKey } from "../../enclave/vault/ownerSignature.ts";
import { domainOf, hashOffer, type Offer } from "../../protocol/eip712.ts";
import { rejection } from "../support/rejection.ts";

const operator = privateKeyToAccount(`0x${"31".repeat(32)}`);
const domain = domainOf(31337, "0x5FbDB2315678afecb367f032d93F642f64180aa3");
const ports = {
  domain,
  operator: operator.address,
  workloadId: zeroHash,
  isSignedBy: async (...signed: Parameters<typeof isSignedByKey>) => isSignedByKey(...signed),
};
const offer: Offer = {
  operator: operator.address,
  workloadId: zeroHash,
  token: zeroAddress,
  fee: 1n,
  pricePerSecond: 2n,
  validUntil: 3n,
  nonce: 4n,
};

describe("checkOffer", () => {
  it("gives the offer its hash, and none for none", async () => {
    const hash = hashOffer(domain, offer);
    const signed = { offer, signature: await operator.sign({ hash }) };
    expect(await checkOffer(ports, signed)).to.deep.equal({ hash, offer });
    expect(await checkOffer(ports, undefined)).to.equal(undefined);
  });

  it("refuses another operator's, another workload's, and what the operator has not signed", async () => {
    const signature = await operator.sign({ hash: hashOffer(domain, offer) });
    const other = `0x${"01".repeat(32)}` as const;
    const cases: [Offer, string][] = [
      [{ ...offer, operator: zeroAddress }, "it is another operator's"],
      [{ ...offer, workloadId: other }, `it is for workload ${other}, this is ${zeroHash}`],
      [{ ...offer, fee: 2n }, "it is not signed by its operator for this chain and market"],
    ];
    for (const [changed, fact] of cases) {
      const error = await rejection(checkOffer(ports, { offer: changed, signature }), BadOfferError);
      expect(error.message).to.equal(`The operator's offer cannot be used: ${fact}.`);
    }
  });
});
