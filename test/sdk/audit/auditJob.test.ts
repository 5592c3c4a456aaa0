import { expect } from "chai";
import { zeroHash } from "viem";
import { auditJob, BadJobIdError } from "../../../sdk/audit/auditJob.ts";
import { formatAudit } from "../../../sdk/audit/formatAudit.ts";
import { type Story, startStory } from "./story.ts";

describe("auditJob", () => {
  let story: Story;
  before(async () => {
    story = await startStory();
    await story.settle(await story.receiptOk());
  });
  after(() => story.close());

  it("prints", async () => {
    const report = await auditJob({
      chain: story.chain.public,
      deployment: story.deployment,
      jobId: story.jobId,
      workerUrl: story.workerUrl,
      resultIdentity: story.resultIdentity,
    });
    console.log(formatAudit(report));
  });
});
