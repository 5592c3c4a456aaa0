import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { DstackClient } from "@phala/dstack-sdk";
import { expect } from "chai";
import { type Simulator, startSimulator } from "../../simulator/startSimulator.ts";
import { failedChecks, keyCoordinates, readQuote } from "./readQuote.ts";
import { appCompose, type LogItem, realInfo, seed } from "./vectors.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const sha384 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash("sha384");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** Registers 0-3 that a log leads to. Runtime digests are recomputed, as a verifier must. */
function registersOf(log: readonly LogItem[]): string[] {
  return [0, 1, 2, 3].map((imr) => {
    let register: Uint8Array = Buffer.alloc(48);
    for (const item of log.filter((event) => event.imr === imr)) {
      const payload = Buffer.from(item.event_payload, "hex");
      const digest =
        imr === 3
          ? sha384(Buffer.from("01000008", "hex"), ":", item.event, ":", payload)
          : Buffer.from(item.digest, "hex");
      register = sha384(register, digest);
    }
    return hex(register);
  });
}

for (const transport of ["unix socket", "HTTP"] as const) {
  describe(`the unmodified SDK over ${transport}`, () => {
    const manifest = JSON.stringify({ ...JSON.parse(appCompose), name: "ünïcode ☂ 𝄞" });
    let folder: string;
    let simulator: Simulator;
    let client: DstackClient;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "dcm-sim-"));
      const where = transport === "HTTP" ? { port: 0 } : { socketPath: join(folder, "dstack.sock") };
      // A manifest that is not ASCII: over a socket the SDK would hang on a body that is not.
      simulator = await startSimulator({ appCompose: manifest, seed, ...where });
      client = new DstackClient(simulator.endpoint);
    });
    after(async () => {
      await simulator.close();
      await rm(folder, { recursive: true });
    });

    it("gets a quote that verifies up to the root key, with the report data padded on the right", async () => {
      const { quote, report_data } = await client.getQuote("hello");
      const bytes = Buffer.from(quote, "hex");
      expect(failedChecks(bytes)).to.deep.equal([]);
      expect(`0x${keyCoordinates(readQuote(bytes).root)}`).to.equal(simulator.rootKey);
      expect(readQuote(bytes).body.reportData).to.equal(hex(Buffer.from("hello")).padEnd(128, "0"));
      expect(report_data).to.equal(readQuote(bytes).body.reportData);
    });

    it("gets an event log that replays to the quote's registers, runtime digests recomputed", async () => {
      const { quote, event_log, replayRtmrs } = await client.getQuote(new Uint8Array(64));
      const { rtMr0, rtMr1, rtMr2, rtMr3 } = readQuote(Buffer.from(quote, "hex")).body;
      expect(registersOf(JSON.parse(event_log))).to.deep.equal([rtMr0, rtMr1, rtMr2, rtMr3]);
      // The SDK's own replay is wrong for register 3, as on hardware: it trusts the stripped digests.
      expect(replayRtmrs().map((register, index) => register === [rtMr0, rtMr1, rtMr2, rtMr3][index])).to.deep.equal([
        true,
        true,
        true,
        false,
      ]);
    });

    it("gets one manifest everywhere: text, hash, event, app id, MRCONFIGID", async () => {
      const info = await client.info();
      const { quote, event_log } = await client.getQuote("");
      const composeHash = createHash("sha256").update(manifest).digest("hex");
      const eventOf = (name: string) => (JSON.parse(event_log) as LogItem[]).find((item) => item.event === name);
      expect(info.tcb_info.app_compose).to.equal(manifest);
      expect(info.app_name).to.equal("ünïcode ☂ 𝄞");
      expect([info.compose_hash, info.tcb_info.compose_hash]).to.deep.equal([composeHash, composeHash]);
      expect(eventOf("compose-hash")?.event_payload).to.equal(composeHash);
      expect(eventOf("app-id")?.event_payload).to.equal(composeHash.slice(0, 40));
      expect(info.app_id).to.equal(composeHash.slice(0, 40));
      expect(eventOf("instance-id")?.event_payload).to.equal(info.instance_id);
      expect(eventOf("os-image-hash")?.event_payload).to.equal(info.os_image_hash);
      expect(Buffer.from(eventOf("key-provider")?.event_payload ?? "", "hex").toString()).to.equal(
        info.key_provider_info,
      );
      expect(readQuote(Buffer.from(quote, "hex")).body.mrConfigId.slice(2, 66)).to.equal(composeHash);
    });

    it("gets info that agrees with the quote and has every field of a real machine's", async () => {
      const info = await client.info();
      const { tcb_info } = info;
      const { body } = readQuote(Buffer.from((await client.getQuote("")).quote, "hex"));
      expect([tcb_info.mrtd, tcb_info.rtmr0, tcb_info.rtmr1, tcb_info.rtmr2, tcb_info.rtmr3]).to.deep.equal([
        body.mrTd,
        body.rtMr0,
        body.rtMr1,
        body.rtMr2,
        body.rtMr3,
      ]);
      expect(info).to.include.all.keys(Object.keys(realInfo));
      expect(tcb_info).to.include.all.keys(Object.keys(realInfo.tcb_info));
      expect(registersOf(tcb_info.event_log)[3]).to.equal(body.rtMr3);
      const noDigest = tcb_info.event_log.filter((item) => !/^[0-9a-f]{96}$/.test(item.digest));
      expect(noDigest).to.deep.equal([]);
    });

    it("computes mr_aggregated as a real machine does", async () => {
      const aggregate = (tcb: {
        mrtd: string;
        rtmr0: string;
        rtmr1: string;
        rtmr2: string;
        rtmr3: string;
        compose_hash: string;
      }) => {
        const mrs = [
          tcb.mrtd,
          tcb.rtmr0,
          tcb.rtmr1,
          tcb.rtmr2,
          tcb.rtmr3,
          "01",
          tcb.compose_hash,
          "00".repeat(15 + 96),
        ];
        return createHash("sha256")
          .update(Buffer.from(mrs.join(""), "hex"))
          .digest("hex");
      };
      expect(aggregate(realInfo.tcb_info)).to.equal(realInfo.tcb_info.mr_aggregated);
      const { tcb_info, mr_aggregated } = await client.info();
      expect([tcb_info.mr_aggregated, mr_aggregated]).to.deep.equal([aggregate(tcb_info), aggregate(tcb_info)]);
    });

    it("gets keys and their chain; the path makes the key", async () => {
      const [key, same, other] = await Promise.all([
        client.getKey("worker/store", "storage"),
        client.getKey("worker/store", "else", "ed25519"),
        client.getKey("worker/gas"),
      ]);
      expect([key.key.length, ...key.signature_chain.map((link) => link.length)]).to.deep.equal([32, 65, 65]);
      expect(hex(same.key)).to.equal(hex(key.key));
      expect(hex(other.key)).not.to.equal(hex(key.key));
      expect(hex(key.key)).to.equal(hex(simulator.platform.keyOf("worker/store", "", "secp256k1").key));
    });

    it("measures emitted events into the quotes that follow, system names too, as hardware does", async () => {
      const before = readQuote(Buffer.from((await client.getQuote("")).quote, "hex")).body;
      await client.emitEvent("my-event", "payload ☂");
      await client.emitEvent("compose-hash", new Uint8Array(32));
      const { quote, event_log } = await client.getQuote("");
      const { body } = readQuote(Buffer.from(quote, "hex"));
      const log: LogItem[] = JSON.parse(event_log);
      expect(log.slice(-3).map((item) => [item.event, item.event_payload])).to.deep.equal([
        ["system-ready", ""],
        ["my-event", hex(Buffer.from("payload ☂"))],
        ["compose-hash", "00".repeat(32)],
      ]);
      expect(body.rtMr3).not.to.equal(before.rtMr3);
      expect(registersOf(log)[3]).to.equal(body.rtMr3);
      expect(body.mrConfigId).to.equal(before.mrConfigId);
    });

    it("signs and verifies with each algorithm", async () => {
      const digest = createHash("sha256").update("data").digest();
      const signed = {
        secp256k1: await client.sign("secp256k1", "data"),
        secp256k1_prehashed: await client.sign("secp256k1_prehashed", digest),
        ed25519: await client.sign("ed25519", "data"),
      };
      expect(secp256k1.verify(signed.secp256k1.signature, digest, signed.secp256k1.public_key)).to.equal(true);
      expect(hex(signed.secp256k1_prehashed.signature)).to.equal(hex(signed.secp256k1.signature));
      expect(hex(signed.secp256k1.public_key)).to.equal(
        hex(secp256k1.getPublicKey((await client.getKey("vms", "signing")).key, true)),
      );
      const { signature, public_key } = signed.ed25519;
      const verdicts = [
        await client.verify("secp256k1", "data", signed.secp256k1.signature, signed.secp256k1.public_key),
        await client.verify("secp256k1", "date", signed.secp256k1.signature, signed.secp256k1.public_key),
        await client.verify("ed25519", "data", signature, public_key),
        await client.verify("ed25519", "date", signature, public_key),
      ].map((verdict) => verdict.valid);
      expect(verdicts).to.deep.equal([true, false, true, false]);
    });

    it("gets a fresh TLS key, certified by the app's CA", async () => {
      const tls = await client.getTlsKey({ subject: "worker", altNames: ["worker.example"], usageClientAuth: true });
      const again = await client.getTlsKey({ subject: "worker", notBefore: 1_700_000_000, notAfter: 4_000_000_000 });
      const [leaf, ca] = tls.certificate_chain.map((pem) => new X509Certificate(pem));
      if (leaf === undefined || ca === undefined) throw new Error("no chain");
      expect(leaf.checkPrivateKey(createPrivateKey(tls.key))).to.equal(true);
      expect(leaf.verify(ca.publicKey) && leaf.checkIssued(ca) && ca.ca && !leaf.ca).to.equal(true);
      expect([leaf.subject, leaf.subjectAltName, ca.subject]).to.deep.equal([
        "CN=worker",
        "DNS:worker.example",
        "O=SIMULATED\nCN=dstack App CA",
      ]);
      expect(leaf.keyUsage).to.deep.equal(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
      expect(again.key).not.to.equal(tls.key);
      const dated = new X509Certificate(again.certificate_chain[0] ?? "");
      expect([dated.validFromDate.getTime(), dated.validToDate.getTime()]).to.deep.equal([1.7e12, 4e12]);
    });

    it("gets a version that says SIMULATED, and is reachable", async () => {
      expect(await client.version()).to.deep.equal({
        version: "0.5.8",
        rev: "SIMULATED",
        __name__: "VersionResponse",
      });
      expect(await client.isReachable()).to.equal(true);
    });

    it("throws what the agent says of a method that is not simulated", async () => {
      const error = await client.attest("x").then(
        () => undefined,
        (reason: Error) => reason.message,
      );
      expect(error).to.equal(
        'There is no method "Attest" here. Simulated: GetKey, GetQuote, Info, GetTlsKey, Sign, Verify, Version, EmitEvent.',
      );
    });

    if (transport === "unix socket") {
      it("is let in as the socket's owner only", async () => {
        expect((await stat(simulator.endpoint)).mode & 0o777).to.equal(0o600);
      });
    }
  });
}
