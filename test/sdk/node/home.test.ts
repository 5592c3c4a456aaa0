/** What a wallet keeps on disk: readable with its key only, private, whole or not there. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { type Hex, keccak256, zeroAddress } from "viem";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf, type Grant, hashGrant } from "../../../protocol/eip712.ts";
import { encryptDataset } from "../../../sdk/encryption.ts";
import {
  FileUnreadableError,
  FileUnwritableError,
  OpenDirectoryError,
  readBounded,
  readText,
  writeAtomic,
} from "../../../sdk/node/files.ts";
import { CorruptFileError, type Home, openHome } from "../../../sdk/node/home.ts";
import {
  BadKeystoreError,
  createKeystore,
  openKeystore,
  WeakPasswordError,
  WrongPasswordError,
} from "../../../sdk/node/keystore.ts";
import { plainGrant } from "../../support/plainTerms.ts";
import { rejection } from "../support/rejection.ts";

const privateKey = keccak256("0x01");
const id = keccak256("0x02");
const market = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const contracts = {
  tdxCollateral: market,
  tdxVerifier: market,
  enclaveRegistry: market,
  endorsements: market,
  datasetRegistry: market,
  jobMarket: market,
} as const;
const deployment: Deployment = { chainId: 31337, fromBlock: 0, contracts, rootKey: `0x${"00".repeat(64)}` };
const grant: Grant = {
  datasetId: id,
  programId: id,
  workloadId: id,
  requester: zeroAddress,
  operator: zeroAddress,
  token: zeroAddress,
  ...plainGrant,
  price: 2n ** 255n,
  maxUses: 3n,
  notBefore: 0n,
  notAfter: 2n ** 64n - 1n,
  resultReaders: [id],
  epoch: 4,
  nonce: 5n,
};

describe("sdk/node", () => {
  let directory: string;
  let home: Home;
  let key: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "dcm-home-"));
    home = await openHome({ directory, privateKey, deployment });
    ({ key } = await encryptDataset(Uint8Array.of(1)));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** Every file under the home, with its path. */
  async function filesOf(): Promise<string[]> {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  }

  describe("openHome", () => {
    it("gives back what was saved, also when opened anew", async () => {
      await home.saveDatasetKey(id, key);
      await home.saveResultIdentity(id, key);
      await home.saveGrant({ grant, signature: "0x1234" });
      const again = await openHome({ directory, privateKey, deployment });
      expect(await again.datasetKey(id)).to.equal(key);
      expect(await again.resultIdentity(id)).to.equal(key);
      const grantHash = hashGrant(domainOf(31337, market), grant);
      expect(await again.grants()).to.deep.equal([{ grant, signature: "0x1234" }]);
      expect(await again.grant(grantHash)).to.deep.equal({ grant, signature: "0x1234" });
      expect(await again.datasetKey(keccak256("0x"))).to.equal(undefined);
      expect(await again.brokerStore.loadState()).to.equal(undefined);
      const state = {
        v: 1 as const,
        workloads: [{ workloadId: id, nextBlock: 2n ** 63n }],
        enclaves: [{ workloadId: id, signingKey: zeroAddress }],
        delivered: [],
      };
      await again.brokerStore.saveState(state);
      await again.brokerStore.saveState(state);
      expect(await home.brokerStore.loadState()).to.deep.equal(state);
    });

    it("keeps everything encrypted and private on disk", async () => {
      await home.saveDatasetKey(id, key);
      await home.saveGrant({ grant, signature: "0x1234" });
      const files = await filesOf();
      expect(files).to.have.length(2);
      for (const file of files) {
        expect((await stat(file)).mode & 0o777).to.equal(0o600);
        const text = (await readFile(file)).toString("latin1");
        expect(text.startsWith("age-encryption.org/v1\n")).to.equal(true);
        expect(text).not.to.contain("AGE-SECRET");
        expect(text).not.to.contain(id.slice(2, 20));
      }
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      for (const entry of entries.filter((found) => found.isDirectory()))
        expect((await stat(join(entry.parentPath, entry.name))).mode & 0o777).to.equal(0o700);
    });

    it("opens nothing for another wallet, not even under the first one's name", async () => {
      await home.saveDatasetKey(id, key);
      const [file] = await filesOf();
      const other = await openHome({ directory, privateKey: keccak256("0x03"), deployment });
      expect(await other.datasetKey(id)).to.equal(undefined);
      await other.saveDatasetKey(id, key);
      const stolen = (await filesOf()).find((path) => path !== file);
      await writeFile(stolen ?? "", await readFile(file ?? ""));
      await rejection(other.datasetKey(id), CorruptFileError);
    });

    it("notices damage, and files put under another id", async () => {
      await home.saveDatasetKey(id, key);
      const [file = ""] = await filesOf();
      const bytes = await readFile(file);
      const elsewhere = keccak256("0x04");
      await writeFile(file.replace(id, elsewhere), bytes);
      await rejection(home.datasetKey(elsewhere), CorruptFileError);
      await writeFile(file, bytes.fill(0, bytes.length - 1));
      const error = await rejection(home.datasetKey(id), CorruptFileError);
      expect(error.cause).to.equal(undefined);
    });

    it("never replaces a data set key", async () => {
      await home.saveDatasetKey(id, key);
      const error = await rejection(home.saveDatasetKey(id, key), FileUnwritableError);
      expect(error.message).to.match(/exists already\.$/);
      expect(await filesOf()).to.have.length(1); // no temporary file is left
    });

    it("takes no path for an id", async () => {
      const error = await home.datasetKey("0x../../../etc/passwd" as Hex).catch((e) => e);
      expect(error.name).to.equal("ZodError");
    });

    it("refuses a directory that others may enter", async () => {
      await chmod(directory, 0o755);
      const error = await rejection(openHome({ directory, privateKey, deployment }), OpenDirectoryError);
      expect(error.hint).to.equal(`Run: chmod 700 ${directory}`);
    });
  });

  describe("keystore", () => {
    it("gives the key back for the password only, and keeps no trace of either in the file", async () => {
      const path = join(directory, "wallet.json");
      const password = "canary-password";
      await createKeystore(path, password, privateKey);
      const text = await readFile(path, "utf8");
      expect(text).not.to.contain(password);
      expect(text.toLowerCase()).not.to.contain(privateKey.slice(2));
      expect((await stat(path)).mode & 0o777).to.equal(0o600);
      expect(await openKeystore(path, password)).to.equal(privateKey);
      const error = await rejection(openKeystore(path, "canary-passwore"), WrongPasswordError);
      expect(error.message + error.hint + error.cause).not.to.contain("canary");
      await rejection(createKeystore(path, password), FileUnwritableError);
    });

    it("refuses short passwords and files that are no keystores or would exhaust the machine", async () => {
      const path = join(directory, "wallet.json");
      await rejection(createKeystore(path, "1234567"), WeakPasswordError);
      const bomb = { version: 3, crypto: { kdf: "scrypt", kdfparams: { n: 2 ** 30, r: 8, p: 1 } } };
      for (const content of ["", "[]", "{}", JSON.stringify(bomb)]) {
        await writeFile(path, content);
        await rejection(openKeystore(path, "x"), BadKeystoreError);
      }
    });
  });

  describe("files", () => {
    it("reads regular files up to a cap", async () => {
      const path = join(directory, "f");
      await writeFile(path, "abc");
      expect(await readText(path, 3)).to.equal("abc");
      const facts: [() => Promise<unknown>, string][] = [
        [() => readBounded(path, 2), `${path} has more than 2 bytes.`],
        [() => readBounded(directory, 2), `${directory} is not a file.`],
        [() => readBounded(join(directory, "none"), 2), `${join(directory, "none")} does not exist.`],
        [() => readBounded("/dev/zero", 2), "/dev/zero is not a file."],
      ];
      for (const [run, message] of facts)
        expect((await rejection(run(), FileUnreadableError)).message).to.equal(message);
      await writeFile(path, Uint8Array.of(0xff));
      expect((await rejection(readText(path, 3), FileUnreadableError)).message).to.equal(`${path} is not UTF-8 text.`);
    });

    it("does not hang on a pipe", async () => {
      const path = join(directory, "pipe");
      await promisify(execFile)("mkfifo", [path]);
      expect((await rejection(readBounded(path, 9), FileUnreadableError)).message).to.equal(`${path} is not a file.`);
    });

    it("leaves nothing behind when a write fails", async () => {
      await rejection(writeAtomic(directory, "x", { mode: 0o600, overwrite: true }), FileUnwritableError);
      await rejection(
        writeAtomic(join(directory, "no", "f"), "x", { mode: 0o600, overwrite: true }),
        FileUnwritableError,
      );
      expect(await filesOf()).to.deep.equal([]);
    });
  });
});
