/** The small parts: text of strangers, amounts, grant files, encryption, HTTP, ranges of events. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { Decrypter } from "age-encryption";
import { expect } from "chai";
import { getAbiItem, keccak256, zeroAddress } from "viem";
import { datasetRegistryAbi } from "../../protocol/abi.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import type { Grant } from "../../protocol/eip712.ts";
import {
  AnswerTooLongError,
  BadServerUrlError,
  boundedFetch,
  ServerRefusedError,
  ServerUnreachableError,
  serverUrl,
} from "../../sdk/boundedFetch.ts";
import { createClient } from "../../sdk/client.ts";
import { BadDatasetSizeError, encryptDataset, maxInMemoryBytes } from "../../sdk/encryption.ts";
import { BadGrantFileError, grantFileOf, readGrantFile } from "../../sdk/grantFile.ts";
import { plainLines, plainText } from "../../sdk/plainText.ts";
import { deadlineAfter } from "../../sdk/prepareJob.ts";
import { ForeignLogError, scanEvents } from "../../sdk/scanEvents.ts";
import { BadAmountError, formatAmount, parseAmount } from "../../sdk/tokens.ts";
import { plainGrant } from "../support/plainTerms.ts";
import { startLyingRpc } from "./support/lyingRpc.ts";
import { rejection } from "./support/rejection.ts";
import { startWorld, type World } from "./support/world.ts";

describe("sdk: parts", () => {
  describe("plainText", () => {
    it("leaves nothing that moves a cursor, hides, or turns text around", () => {
      expect(plainText("a\u001b[2J\u009b1m\u202eb\u200b\n\u2028c", 80)).to.equal("a [2J 1m b   c");
      expect(plainText("Größe 温度 🌍", 80)).to.equal("Größe 温度 🌍");
      expect(plainText("x".repeat(100), 10)).to.equal(`${"x".repeat(9)}…`);
      expect(plainLines("a\n\u001bb")).to.equal("a\n b");
    });
  });

  describe("parseAmount", () => {
    const token = { address: zeroAddress, symbol: "tUSD", decimals: 6 };
    it("reads whole units exactly", () => {
      expect(parseAmount("2.50", token)).to.equal(2_500_000n);
      expect(parseAmount("0", token)).to.equal(0n);
      expect(parseAmount("0.000001", token)).to.equal(1n);
      expect(formatAmount(2_500_000n, token)).to.equal("2.5 tUSD");
    });
    it("refuses to round, guess or overflow", () => {
      for (const text of ["", ".5", "1.", "-1", "+1", "1e3", "0x1", "1,5", " 1", "0.0000001", "١", "9".repeat(60)]) {
        if (text === "9".repeat(60)) expect(parseAmount(text, token)).to.equal(BigInt(text) * 10n ** 6n);
        else expect(() => parseAmount(text, token), text).to.throw(BadAmountError);
      }
      expect(() => parseAmount("9".repeat(60), { ...token, decimals: 36 })).to.throw(BadAmountError);
    });
  });

  describe("deadlineAfter", () => {
    it("counts from the later clock: a chain may stand still or run ahead", () => {
      expect(deadlineAfter(1, 1_000n, 5_000n)).to.equal(5_060n);
      expect(deadlineAfter(1, 5_000n, 1_000n)).to.equal(5_060n);
    });
  });

  describe("readGrantFile", () => {
    const market = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
    const contracts = {
      tdxCollateral: market,
      tdxVerifier: market,
      endorsements: market,
      enclaveRegistry: market,
      datasetRegistry: market,
      jobMarket: market,
    } as const;
    const deployment: Deployment = { chainId: 1, fromBlock: 0, contracts, rootKey: `0x${"00".repeat(64)}` };
    const id = keccak256("0x");
    const ids = { datasetId: id, programId: id, workloadId: id };
    const people = { requester: zeroAddress, operator: zeroAddress, token: zeroAddress } as const;
    const grant: Grant = {
      ...ids,
      ...people,
      ...plainGrant,
      price: 1n,
      maxUses: 2n,
      notBefore: 3n,
      notAfter: 4n,
      resultReaders: [id],
      epoch: 5,
      nonce: 6n,
    };
    const file = grantFileOf(deployment, { grant, signature: "0x12" });

    it("reads what was written", () => {
      expect(readGrantFile(JSON.stringify(file), deployment)).to.deep.equal({ grant, signature: "0x12" });
    });
    it("refuses other deployments, unknown fields and what is no grant file", () => {
      const cases: [string, string][] = [
        ["", "it is not JSON"],
        [" ".repeat(40_000), "it does not have the fields of one"],
        ["{}", "it does not have the fields of one"],
        [JSON.stringify({ ...file, extra: 1 }), "it does not have the fields of one"],
        [JSON.stringify({ ...file, grant: { ...file.grant, nonce: 6 } }), "it does not have the fields of one"],
        [JSON.stringify({ ...file, chainId: 2 }), `it is for chain 2, market ${market}`],
        [JSON.stringify({ ...file, jobMarket: zeroAddress }), `it is for chain 1, market ${zeroAddress}`],
      ];
      for (const [text, fact] of cases)
        expect(() => readGrantFile(text, deployment), fact).to.throw(BadGrantFileError, fact);
    });
  });

  describe("encryptDataset", () => {
    it("makes an age file that only its key opens, another one each time", async () => {
      const plaintext = new TextEncoder().encode("secret measurements");
      const [a, b] = [await encryptDataset(plaintext), await encryptDataset(plaintext)];
      expect(a.contentHash).not.to.equal(b.contentHash);
      const open = async (key: string) => {
        const decrypter = new Decrypter();
        decrypter.addIdentity(key);
        return await decrypter.decrypt(a.ciphertext);
      };
      expect(await open(a.key)).to.deep.equal(plaintext);
      expect((await open(b.key).catch((error) => error)).message).to.contain("no identity matched");
    });
    it("refuses nothing and too much", async () => {
      await rejection(encryptDataset(new Uint8Array()), BadDatasetSizeError);
      await rejection(encryptDataset({ length: maxInMemoryBytes + 1 } as Uint8Array), BadDatasetSizeError);
    });
  });

  describe("boundedFetch", () => {
    let server: Server;
    let base: string;
    before(async () => {
      server = createServer((request, response) => {
        if (request.url === "/bomb")
          response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(new Uint8Array(10_000_000)));
        else if (request.url === "/redirect") response.writeHead(302, { location: "/good" }).end();
        else if (request.url === "/drip") response.write("x");
        else if (request.url === "/cookie")
          response.writeHead(200, { "set-cookie": "a=b" }).end(request.headers.cookie ?? "none");
        else if (request.url === "/problem")
          response
            .writeHead(503)
            .end(JSON.stringify({ title: "T", detail: "D\u001b[2J", name: "Room.X", hint: "H".repeat(999) }));
        else if (request.url === "/html") response.writeHead(500).end("<html>");
        else response.end("good");
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    after(() => {
      server.closeAllConnections();
      server.close();
    });
    const get = (path: string, timeoutMs = 5_000) => boundedFetch(serverUrl(base, path), { maxBytes: 1000, timeoutMs });

    it("reads a short answer, and keeps no cookies", async () => {
      expect(new TextDecoder().decode(await get("good"))).to.equal("good");
      await get("cookie");
      expect(new TextDecoder().decode(await get("cookie"))).to.equal("none");
    });
    it("counts what comes out of a compressed answer", async () => {
      await rejection(get("bomb"), AnswerTooLongError);
    });
    it("follows no redirect and waits for no drip", async () => {
      await rejection(get("redirect"), ServerUnreachableError);
      const error = await rejection(get("drip", 200), ServerUnreachableError);
      expect(error.message).to.equal(`${new URL(base).host} did not answer in time.`);
    });
    it("makes typed errors of problems, their text harmless and short", async () => {
      const error = await rejection(get("problem"), ServerRefusedError);
      expect(error.status).to.equal(503);
      expect(error.problem).to.equal("Room.X");
      expect(error.retryable).to.equal(true);
      expect(error.message).to.equal(`${new URL(base).host} answered 503: D [2J`);
      expect(error.hint.length).to.equal(300);
      expect((await rejection(get("html"), ServerRefusedError)).message).to.equal(`${new URL(base).host} answered 500`);
    });
    it("takes plain http and https URLs only", () => {
      const bad = [
        "",
        "file:///etc/passwd",
        "ftp://a",
        "javascript:1",
        "http://u:p@a",
        "http://a?b",
        "http://a#b",
        `http://${"a".repeat(2000)}`,
      ];
      for (const url of bad) expect(() => serverUrl(url, "x"), url).to.throw(BadServerUrlError);
      expect(serverUrl("https://a/b/", "grants").href).to.equal("https://a/b/grants");
    });
  });

  describe("scanEvents", () => {
    let world: World;
    before(async () => {
      world = await startWorld();
      for (let i = 1; i <= 5; i += 1) await world.registerRaw(keccak256(`0x0${i}`), `u${i}`, "m");
      await world.chain.control.mine({ blocks: 25_000 });
    });
    after(() => world.close());

    async function uris(rpcUrl: string, newestFirst: boolean): Promise<string[]> {
      const client = await createClient({ rpcUrl, deployment: world.deployment });
      const event = getAbiItem({ abi: datasetRegistryAbi, name: "DatasetRegistered" });
      const found: string[] = [];
      for await (const log of scanEvents(client, {
        address: world.deployment.contracts.datasetRegistry,
        event,
        newestFirst,
      }))
        found.push(log.args.uri);
      return found;
    }

    it("halves the range until the RPC takes it, either way round", async () => {
      const spans: bigint[] = [];
      const rpc = await startLyingRpc(world.chain.rpcUrl, ({ id, method, params }, answer) => {
        if (method !== "eth_getLogs") return answer;
        const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string };
        const span = BigInt(toBlock) - BigInt(fromBlock) + 1n;
        spans.push(span);
        return span > 3000n
          ? JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32000, message: "range too wide" } })
          : answer;
      });
      expect(await uris(rpc.url, false)).to.deep.equal(["u1", "u2", "u3", "u4", "u5"]);
      expect(await uris(rpc.url, true)).to.deep.equal(["u5", "u4", "u3", "u2", "u1"]);
      expect(spans.every((span) => span <= 10_000n)).to.equal(true);
      await rpc.close();
    });

    it("gives up on an RPC that refuses every range", async () => {
      const rpc = await startLyingRpc(world.chain.rpcUrl, ({ id, method }, answer) =>
        method === "eth_getLogs"
          ? JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32000, message: "no" } })
          : answer,
      );
      const error = await uris(rpc.url, false).catch((e) => e);
      expect(error.name).to.equal("Chain.RpcError");
      await rpc.close();
    });

    it("refuses logs of other contracts", async () => {
      const real = world.deployment.contracts.datasetRegistry.toLowerCase();
      const rpc = await startLyingRpc(world.chain.rpcUrl, ({ method }, answer) =>
        method === "eth_getLogs" ? answer.replaceAll(real, world.token.toLowerCase()) : answer,
      );
      const client = await createClient({ rpcUrl: rpc.url, deployment: world.deployment });
      const event = getAbiItem({ abi: datasetRegistryAbi, name: "DatasetRegistered" });
      const first = scanEvents(client, { address: world.deployment.contracts.datasetRegistry, event }).next();
      await rejection(first, ForeignLogError);
      await rpc.close();
    });
  });
});
