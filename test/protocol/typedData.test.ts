import { expect } from "chai";
import { hashTypedData as viemHash } from "viem";
import { domainOf, orderTypes, receiptTypes } from "../../protocol/eip712.ts";
import { hashTypedData } from "../../protocol/typedData.ts";
import { sampleJob, sampleReceipt } from "../support/emitter.ts";

const jobMarket = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const deployment = { chainId: 31337, contracts: { jobMarket } } as unknown as Parameters<typeof sampleJob>[0];

describe("hashTypedData", () => {
  it("is viem's, for nested types and whatever domain came before", () => {
    for (let chainId = 1; chainId < 200; chainId++) {
      const domain = domainOf(chainId % 70, jobMarket);
      const job = sampleJob(deployment, chainId);
      const order = { domain, types: orderTypes, primaryType: "JobOrder", message: job.order } as const;
      const receipt = { domain, types: receiptTypes, primaryType: "Receipt", message: sampleReceipt(job) } as const;
      expect(hashTypedData(order)).to.equal(viemHash(order));
      expect(hashTypedData(receipt)).to.equal(viemHash(receipt));
    }
    const other = { ...domainOf(1, jobMarket), version: "2" };
    const message = sampleReceipt(sampleJob(deployment, 1));
    const typed = { domain: other, types: receiptTypes, primaryType: "Receipt", message } as const;
    expect(hashTypedData(typed)).to.equal(viemHash(typed));
  });

  it("takes no value that is not of its type", () => {
    const message = sampleReceipt(sampleJob(deployment, 1));
    const hash = (changes: object) =>
      hashTypedData({
        domain: domainOf(1, jobMarket),
        types: receiptTypes,
        primaryType: "Receipt",
        message: { ...message, ...changes },
      });
    for (const changes of [
      { status: 256 },
      { status: -1 },
      { fuelUsed: 2n ** 64n },
      { jobId: "0x12" },
      { jobId: `${message.jobId}00` },
      { jobId: undefined },
      { fuelUsed: undefined },
    ])
      expect(
        () => hash(changes),
        JSON.stringify(changes, (_, value) => String(value)),
      ).to.throw();
  });
});
