/** Data sets whose ciphertext is not what was registered, does not come, or does not open. */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { bytesToHex, type Hex, keccak256, sha256, toHex } from "viem";
import type { SignedGrant } from "../../../protocol/eip712.ts";
import { maxCiphertextBytes } from "../../../protocol/limits.ts";
import type { Program } from "../../../protocol/program.ts";
import { ServerRefusedError } from "../../../sdk/boundedFetch.ts";
import { newDatasetId, registerDataset } from "../../../sdk/datasets.ts";
import { encryptDataset } from "../../../sdk/encryption.ts";
import { jobStatus } from "../../../sdk/findJob.ts";
import { cancelJob } from "../../../sdk/jobs.ts";
import { uploadBlob } from "../../../sdk/worker.ts";
import { startFileServer } from "../../support/fileServer.ts";
import {
  bring,
  consent,
  countingProgram,
  expectFailure,
  expectHonestJob,
  expectNoEscrowLeft,
  fees,
  gainsOf,
  grantOf,
  openRaw,
  type RawJob,
} from "../../support/hostile.ts";
import { ended, failureOf, settlements } from "../../support/outcomes.ts";
import { rejection } from "../../support/rejection.ts";
import { type Provider, type Scenario, startScenario } from "../../support/scenario.ts";

const mebibyte = 1024 * 1024;
const data = new TextEncoder().encode("year,value\n".repeat(1000));

describe("a data set whose ciphertext is hostile", () => {
  let s: Scenario;
  let program: Program;
  let files: Awaited<ReturnType<typeof startFileServer>>;
  /** What is served under each path. */
  const served = new Map<string, Uint8Array>();
  const underWay = new Set<string>();
  let ciphertext: Uint8Array;
  let key: string;

  before(async () => {
    files = await startFileServer((request, response) => {
      const bytes = served.get(request.url ?? "");
      if (request.url === "/hangs" || request.url === "/drips") underWay.add(request.url);
      if (request.url === "/hangs") return;
      if (request.url === "/drips") {
        response.writeHead(200);
        const timer = setInterval(() => response.write("a"), 50);
        response.on("close", () => clearInterval(timer));
      } else if (bytes === undefined) response.writeHead(404).end();
      else response.end(bytes);
    });
    s = await startScenario({ env: { GRANT_WAIT_SECONDS: "0", FETCH_TIMEOUT_SECONDS: "3" } });
    program = countingProgram(s);
    ({ ciphertext, key } = await encryptDataset(data));
  });
  after(async () => {
    try {
      await expectNoEscrowLeft(s);
    } finally {
      await s.stop();
      await files.close();
    }
  });

  /** Registers a data set of provider 0's wallet as it is told to. */
  async function register(uri: string, changes: { contentHash?: Hex; sizeBytes?: bigint; key?: string } = {}) {
    const { client, ...rest } = s.providers[0];
    const { contentHash = sha256(ciphertext), sizeBytes = BigInt(ciphertext.length) } = changes;
    const { salt, datasetId } = newDatasetId(client, contentHash);
    const metadata = { v: 1, title: "hostile", format: "csv" } as const;
    await registerDataset(client, { contentHash, salt, sizeBytes, uri, metadata });
    return { ...rest, client, datasetId, contentHash, datasetKey: changes.key ?? key } satisfies Provider;
  }

  const openOn = async (provider: Provider) => openRaw(s, { program, grants: [await consent(s, provider, program)] });

  const serve = (path: string, bytes: Uint8Array) => {
    served.set(path, bytes);
    return `${files.url}${path}`;
  };

  it("is what an honest one looks like to begin with", async () => {
    const provider = await register(serve("/good", ciphertext));
    const { gained } = await gainsOf(s, async () => {
      expect(await failureOf(s, (await openOn(provider)).jobId)).to.equal("None");
    });
    expect(gained).to.deep.equal([fees.operatorFee, fees.price, 0n, 0n]);
  });

  it("fails with InputMismatch if one bit was changed, bytes were cut off or added", async () => {
    const flipped = Uint8Array.from(ciphertext, (byte, i) => (i === 200 ? byte ^ 1 : byte));
    const longer = Uint8Array.from([...ciphertext, 0]);
    for (const bytes of [flipped, ciphertext.subarray(0, -1), longer, new Uint8Array()]) {
      const provider = await register(serve("/tampered", bytes));
      await expectFailure(s, "InputMismatch", () => openOn(provider));
    }
  });

  it("fails with InputMismatch if it is larger than registered, whatever the hash", async () => {
    const provider = await register(serve("/larger", ciphertext), { sizeBytes: BigInt(ciphertext.length - 1) });
    await expectFailure(s, "InputMismatch", () => openOn(provider));
  });

  it("fails with InputUnavailable at once if it is larger than the worker takes, and is not asked for", async () => {
    const provider = await register(serve("/huge", ciphertext), { sizeBytes: BigInt(maxCiphertextBytes + 1) });
    const before = files.requests();
    await expectFailure(s, "InputUnavailable", () => openOn(provider));
    expect(files.requests()).to.equal(before);
  });

  it("fails with InputUnavailable if it is in no store, nowhere, or under a URI that is none", async () => {
    const uris = [
      `blob:${sha256(ciphertext).slice(2)}`, // never uploaded
      "blob:../../deployment.json",
      `${files.url}/missing`,
      "ipfs://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",
      "file:///etc/passwd",
      "http://user:secret@127.0.0.1/",
      "\u0000",
    ];
    for (const uri of uris) {
      const provider = await register(uri);
      await expectFailure(s, "InputUnavailable", () => openOn(provider));
    }
  });

  it("fails with InputUnavailable if the blob that was stored was damaged on the disk, and is gone then", async () => {
    const { uri } = await uploadBlob(s.worker().url, ciphertext);
    const name = uri.slice("blob:".length);
    const provider = await register(uri);
    await writeFile(join(s.worker().dataDir, "blobs", name), ciphertext.subarray(1));
    await expectFailure(s, "InputUnavailable", () => openOn(provider));
    expect((await fetch(`${s.worker().url}/blobs/${name}`)).status).to.equal(404);
    // Uploaded again, it is as good as new.
    await uploadBlob(s.worker().url, ciphertext);
    expect(await failureOf(s, (await openOn(provider)).jobId)).to.equal("None");
  });

  it("fails with InputUnavailable if its URI hangs or drips, and holds up nobody meanwhile", async () => {
    const grants: SignedGrant[] = [];
    for (const path of ["/hangs", "/drips"]) {
      const provider = await register(`${files.url}${path}`, { sizeBytes: BigInt(mebibyte) });
      grants.push(await consent(s, provider, program));
    }
    const stuck: RawJob[] = [];
    const { gained } = await gainsOf(s, async () => {
      for (const grant of grants) stuck.push(await openRaw(s, { program, grants: [grant] }));
      while (underWay.size < 2) await sleep(10);
      await expectHonestJob(s);
      expect(
        await Promise.all(stuck.map(async ({ jobId }) => (await jobStatus(s.requester, jobId)).state)),
      ).to.deep.equal(["Open", "Open"]);
      for (const { jobId } of stuck) expect(await failureOf(s, jobId)).to.equal("InputUnavailable");
    });
    const refund = fees.operatorFee + fees.price - fees.failureFee;
    expect(gained).to.deep.equal([fees.operatorFee + 2n * fees.failureFee, fees.price, 0n, 2n * refund]);
  });

  it("fails with DecryptionFailed if the key is another data set's, or it is no age file", async () => {
    const other = await encryptDataset(data);
    await expectFailure(s, "DecryptionFailed", async () =>
      openOn(await register(serve("/good", ciphertext), { key: other.key })),
    );
    const noise = crypto.getRandomValues(new Uint8Array(5000));
    // Registered so, and wrong in its last chunk only: the sandbox has begun to read by then.
    const large = await encryptDataset(new Uint8Array(3 * mebibyte));
    const lastFlipped = Uint8Array.from(large.ciphertext);
    lastFlipped[lastFlipped.length - 1] = (lastFlipped.at(-1) ?? 0) ^ 1;
    await expectFailure(s, "DecryptionFailed", async () => {
      const [contentHash, sizeBytes] = [sha256(lastFlipped), BigInt(lastFlipped.length)];
      return openOn(await register(serve("/last", lastFlipped), { contentHash, sizeBytes, key: large.key }));
    });
    for (const bytes of [noise, data, ciphertext.subarray(0, 100)]) {
      const provider = await register(serve("/noise", bytes), {
        contentHash: sha256(bytes),
        sizeBytes: BigInt(bytes.length),
      });
      await expectFailure(s, "DecryptionFailed", () => openOn(provider));
    }
  });

  it("is refused by the store with the exact problem if the bytes are not the name's, or too many", async () => {
    const put = (name: string, body: Buffer<ArrayBuffer>) =>
      fetch(`${s.worker().url}/blobs/${name}`, { method: "PUT", body });
    const name = bytesToHex(crypto.getRandomValues(new Uint8Array(32))).slice(2);
    const wrong = await put(name, Buffer.from("these bytes"));
    expect([wrong.status, ((await wrong.json()) as { name: string }).name]).to.deep.equal([
      422,
      "Blobs.BlobMismatchError",
    ]);
    const large = request(`${s.worker().url}/blobs/${name}`, { method: "PUT" });
    large.setHeader("Content-Length", maxCiphertextBytes + 1).flushHeaders(); // no byte of it is needed to be refused
    const [answer] = (await once(large, "response")) as [IncomingMessage];
    const problem = JSON.parse(Buffer.concat(await Array.fromAsync(answer)).toString());
    expect([answer.statusCode, problem.name]).to.deep.equal([413, "Blobs.BlobTooLargeError"]);
    large.destroy();
    expect((await fetch(`${s.worker().url}/blobs/${name}`)).status).to.equal(404);
  });

  it("that was never registered fails with InputUnavailable", async () => {
    const provider = s.providers[0];
    const nowhere = { ...provider, datasetId: keccak256(toHex("nowhere")) };
    const signed = await grantOf(s, nowhere, program);
    const error = await rejection(bring(s, signed, { key }), ServerRefusedError);
    expect([error.status, error.problem]).to.deep.equal([422, "Chain.UnknownDatasetError"]);
    await expectFailure(s, "InputUnavailable", () => openRaw(s, { program, grants: [signed] }));
  });

  it("leaves a job for another workload or another operator alone: the requester takes all of it back", async () => {
    const grants = [await consent(s, s.providers[0], program)];
    for (const changes of [{ workloadId: keccak256("0x01") }, { operator: s.market.token }]) {
      const { gained } = await gainsOf(s, async () => {
        const job = await openRaw(s, { program, grants, changes });
        await expectHonestJob(s); // long enough for the worker to have seen the other one
        await cancelJob(s.requester, job.jobId);
        expect(await ended(s, job.jobId)).to.equal("Cancelled");
        expect(await settlements(s, job.jobId)).to.deep.equal([]);
      });
      expect(gained).to.deep.equal([fees.operatorFee, fees.price, 0n, fees.operatorFee + fees.price]);
    }
  });

  it("leaves the worker as good as before", () => expectHonestJob(s));
});
