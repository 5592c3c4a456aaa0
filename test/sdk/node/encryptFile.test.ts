import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Decrypter } from "age-encryption";
import { expect } from "chai";
import { sha256 } from "viem";
import { BadCsvError } from "../../../sdk/describeCsv.ts";
import { BadDatasetSizeError, maxDatasetBytes } from "../../../sdk/encryption.ts";
import { type EncryptedFile, encryptFile } from "../../../sdk/node/encryptFile.ts";
import { FileUnreadableError, FileUnwritableError } from "../../../sdk/node/files.ts";
import { uploadBlob } from "../../../sdk/worker.ts";
import { rejection } from "../../support/rejection.ts";

const content = Buffer.from(`year,value\n${"2020,1.5\n".repeat(20_000)}`);
const unused = () => Promise.reject(new RangeError("not reached"));

describe("encryptFile", () => {
  let directory: string;
  let path: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "dcm-encrypt-"));
    path = join(directory, "table.csv");
    await writeFile(path, content);
  });
  afterEach(() => rm(directory, { recursive: true }));

  const encrypt = <T>(use: (file: EncryptedFile) => Promise<T>, describe = true) =>
    encryptFile(path, { directory, describe }, use);
  /** Nothing is left but what was there. */
  const expectNothingLeft = async () => expect(await readdir(directory)).to.deep.equal(["table.csv"]);

  it("makes an age file of the registered hash and size, describes it, and leaves nothing", async () => {
    await encrypt(async ({ key, blob, sha256: contentHash, sizeBytes, description }) => {
      const ciphertext = await blob.bytes();
      expect([sizeBytes, contentHash]).to.deep.equal([ciphertext.length, sha256(ciphertext)]);
      expect(description).to.include({ records: 20_000 });
      const decrypter = new Decrypter();
      decrypter.addIdentity(key);
      expect(Buffer.compare(await decrypter.decrypt(ciphertext), content)).to.equal(0);
      const [temporary = ""] = (await readdir(directory)).filter((name) => name.endsWith(".tmp"));
      expect((await stat(join(directory, temporary))).mode & 0o777).to.equal(0o600);
    });
    await expectNothingLeft();
  });

  it("keeps the ciphertext where it is told, and replaces no file", async () => {
    const out = join(directory, "table.age");
    const kept = await encrypt(async ({ blob, keepAs }) => {
      await keepAs(out);
      expect((await rejection(keepAs(path), FileUnwritableError)).message).to.equal(`${path} exists already.`);
      return blob.bytes();
    }, false);
    expect(Buffer.compare(kept, await readFile(out))).to.equal(0);
    expect((await stat(out)).mode & 0o777).to.equal(0o644);
    expect((await readdir(directory)).sort()).to.deep.equal(["table.age", "table.csv"]);
  });

  it("is uploaded from the disk, with its length", async () => {
    const bodies: Buffer[] = [];
    const seen: unknown[] = [];
    const server = createServer(async (request, response) => {
      seen.push([request.method, request.url, request.headers["content-length"]]);
      bodies.push(Buffer.concat(await Array.fromAsync(request)));
      response.end(JSON.stringify({ sha256: request.url?.slice("/blobs/".length) }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { file, uploaded } = await encrypt(async (encrypted) => ({
        file: encrypted,
        uploaded: await uploadBlob(url, encrypted),
      }));
      const name = file.sha256.slice(2);
      expect(uploaded).to.deep.equal({ uri: `blob:${name}`, sha256: file.sha256 });
      expect(seen).to.deep.equal([["PUT", `/blobs/${name}`, String(file.sizeBytes)]]);
      expect(bodies.map((body) => sha256(body))).to.deep.equal([file.sha256]);
    } finally {
      server.close();
    }
  });

  it("leaves nothing, and no key, when its use fails", async () => {
    const error = await rejection(encrypt(unused), RangeError);
    expect(error.message).to.equal("not reached");
    await expectNothingLeft();
  });

  it("refuses an empty file, one that is too large, no CSV, and what is no file", async () => {
    await writeFile(path, "");
    await rejection(encrypt(unused), BadDatasetSizeError);
    await writeFile(path, "a,b\n1\n");
    expect((await rejection(encrypt(unused), BadCsvError)).message).to.contain("record 1 has 1 fields, the header 2");
    await truncate(path, maxDatasetBytes + 1); // sparse
    const { message } = await rejection(encrypt(unused), FileUnreadableError);
    expect(message).to.equal(`${path} has more than ${maxDatasetBytes} bytes.`);
    await expectNothingLeft();
    await rejection(encryptFile(directory, { directory, describe: false }, unused), FileUnreadableError);
    await rejection(
      encryptFile(path, { directory: join(directory, "none"), describe: false }, unused),
      FileUnwritableError,
    );
  });
});
