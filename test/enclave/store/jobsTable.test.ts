import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import type { Address } from "viem";
import { openDatabase } from "../../../enclave/store/database.ts";
import { jobsTable } from "../../../enclave/store/jobsTable.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf } from "../../../protocol/eip712.ts";
import { sampleJob } from "../../support/emitter.ts";

const jobMarket: Address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const deployment = { chainId: 31337, contracts: { jobMarket } } as Deployment; // all that samples need

describe("jobsTable, of rows that are read again", () => {
  let dir: string;
  let db: DatabaseSync;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "dcm-jobs-"));
    db = openDatabase(dir);
  });
  afterEach(() => {
    db.close();
    rmSync(dir, { recursive: true });
  });

  it("proves anew whatever differs in a byte, and sees every change", () => {
    const jobs = jobsTable(db, domainOf(31337, jobMarket));
    const { jobId, order, programUri, params } = sampleJob(deployment, 1);
    jobs.addOrder(jobId, { order, programUri, params, requesterSignature: "0x01", payerSignature: "0x" });
    const read = jobs.byId(jobId);
    expect(read).to.deep.include({ jobId, params, programUri, closedAs: null });
    expect([jobs.countOrders(), jobs.openOrdersOf(order)]).to.deep.equal([1, [read?.order]]);

    db.exec("UPDATE jobs SET program_uri = 'blob:other'");
    expect(jobs.byId(jobId)).to.deep.include({ programUri: "blob:other" });
    jobs.lapse(jobId, "Expired");
    expect(jobs.byId(jobId)).to.deep.include({ closedAs: "Expired" });

    const corrupt = [
      "params = x'7b7d'",
      "params = x'7b226e223a327d'",
      "order_json = json_set(order_json, '$.nonce', '2')",
      "requester_signature = NULL",
      "deadline = deadline + 1",
    ];
    for (const change of corrupt) {
      db.exec("SAVEPOINT before");
      db.exec(`UPDATE jobs SET ${change}`);
      expect(() => jobs.byId(jobId), change).to.throw(`Row ${jobId} of table jobs is corrupt.`);
      db.exec("ROLLBACK TO before; RELEASE before");
      expect(jobs.byId(jobId)).to.deep.include({ closedAs: "Expired" });
    }
  });
});
