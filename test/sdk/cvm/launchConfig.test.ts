import { expect } from "chai";
import { concatBytes, hexToBytes, keccak256, sha256, stringToBytes } from "viem";
import { toJcs } from "../../../protocol/jcs.ts";
import type { SystemEvents } from "../../../protocol/quote/eventLog.ts";
import { readLaunchConfig } from "../../../protocol/quote/launchConfig.ts";
import { verifyCvm } from "../../../sdk/cvm/verifyCvm.ts";
import { expectError } from "../../protocol/quote/vectors.ts";
import { said, simulatedVm } from "./vms.ts";

const hash = "c0".repeat(32);
const system: SystemEvents = {
  composeHash: `0x${hash}`,
  appId: `0x${"a0".repeat(20)}`,
  instanceId: `0x${"1d".repeat(20)}`,
  keyProvider: '{"name":"local-sgx","id":"6b5e"}',
  osImageHash: undefined,
  initScriptHashes: [`0x${"11".repeat(32)}`],
  gpuPolicyHash: `0x${"99".repeat(32)}`,
};
const required = { version: 3, compose_hash: hash, key_provider: "local" };
const optional = {
  app_id: "a0".repeat(20),
  instance_id: "1d".repeat(20),
  key_provider_id: "6b5e",
  gpu_policy_hash: "99".repeat(32),
  init_script_hashes: ["11".repeat(32)],
};
const commit = (version: number, commitment: `0x${string}`) =>
  concatBytes([Uint8Array.of(version), hexToBytes(commitment), new Uint8Array(15)]);
const committed = (document: string) =>
  commit(3, sha256(concatBytes([stringToBytes("dstack-mr-config-v3:\0"), stringToBytes(document)])));

describe("readLaunchConfig", () => {
  it("rebuilds the document from the log, whichever fields the host left out", () => {
    const names = Object.keys(optional);
    for (let left = 0; left < 2 ** names.length; left++) {
      const some = Object.entries(optional).filter((_, place) => ((left >> place) & 1) === 0);
      const document = toJcs({ ...required, ...Object.fromEntries(some) });
      const config = readLaunchConfig(committed(document), system, undefined);
      expect(new TextDecoder().decode(config?.evidence)).to.equal(document);
      expect(config?.composeHash).to.equal(`0x${hash}`);
    }
    const whole = readLaunchConfig(committed(toJcs({ ...required, ...optional })), system, undefined);
    expect(whole).to.deep.include({
      version: 3,
      appId: `0x${optional.app_id}`,
      instanceId: `0x${optional.instance_id}`,
      keyProvider: { kind: "local", id: "0x6b5e" },
      gpuPolicyHash: `0x${optional.gpu_policy_hash}`,
      initScriptHashes: [`0x${optional.init_script_hashes[0]}`],
    });
  });

  it("reads a document that is given, and says nothing without one that can be rebuilt", () => {
    const foreign = toJcs({ ...required, app_id: "ee".repeat(20) });
    expect(readLaunchConfig(committed(foreign), system, undefined)).to.equal(undefined);
    expect(readLaunchConfig(committed(foreign), undefined, undefined)).to.equal(undefined);
    const config = readLaunchConfig(committed(foreign), system, stringToBytes(foreign));
    expect(config?.appId).to.equal(`0x${"ee".repeat(20)}`);
    expect(config?.keyProvider).to.deep.equal({ kind: "local" });
    expectError(
      () => readLaunchConfig(committed(foreign), system, stringToBytes(toJcs(required))),
      "Quote.ConfigEvidenceMismatchError",
      /^Evidence for MRCONFIGID of version 3 hashes to 0x/,
    );
  });

  it("refuses documents that dstack does not write, though they are committed to", () => {
    const refuse = (document: string, fact: RegExp) =>
      expectError(
        () => readLaunchConfig(committed(document), system, stringToBytes(document)),
        "Cvm.BadLaunchDocumentError",
        fact,
      );
    const start = `{"compose_hash":"${hash}","key_provider":"local"`;
    refuse(`${start},"more":1,"version":3}`, /Unrecognized key: "more"/);
    refuse(`${start}}`, /at version/);
    refuse(`${start},"version":2}`, /at version/);
    refuse(`${start},"version":"3"}`, /at version/);
    refuse(`${start},"version":3,"version":3}`, /it is not in canonical form/);
    refuse(`${start},"key_provider":"none","version":3}`, /it is not in canonical form/);
    refuse(`${start}, "version":3}`, /it is not in canonical form/);
    refuse(`${start},"version":3.0}`, /it is not in canonical form/);
    refuse(`${start},"version":3`, /it is not JSON/);
    refuse(toJcs({ ...required, key_provider: "other" }), /at key_provider/);
    refuse(toJcs({ ...required, key_provider_id: "EE" }), /at key_provider_id/);
    refuse(toJcs({ ...required, app_id: "ee" }), /at app_id/);
    refuse(toJcs({ ...required, instance_id: null }), /at instance_id/);
    refuse(toJcs({ ...required, init_script_hashes: Array.from({ length: 6 }, () => hash) }), /at init_script_hashes/);
  });

  it("rebuilds the preimage of version 2, and reads one that is given", () => {
    const preimage = (kind: number) =>
      concatBytes([hexToBytes(`0x${hash}${optional.app_id}`), Uint8Array.of(kind), hexToBytes("0x6b5e")]);
    const config = readLaunchConfig(commit(2, keccak256(preimage(1))), system, undefined);
    expect(config).to.deep.equal({
      version: 2,
      evidence: preimage(1),
      composeHash: `0x${hash}`,
      appId: `0x${optional.app_id}`,
      keyProvider: { kind: "local", id: "0x6b5e" },
    });
    expect(readLaunchConfig(commit(2, keccak256(preimage(2))), system, undefined)).to.equal(undefined);
    const kinds = [0, 1, 2, 3, 4].map(
      (kind) => readLaunchConfig(commit(2, keccak256(preimage(kind))), undefined, preimage(kind))?.keyProvider?.kind,
    );
    expect(kinds).to.deep.equal(["none", "local", "kms", "tpm", "snp_derived"]);
    expectError(
      () => readLaunchConfig(commit(2, keccak256(preimage(5))), undefined, preimage(5)),
      "Quote.UnknownKeyProviderError",
      "The preimage of MRCONFIGID names a key provider of kind 5, expected 0 to 4.",
    );
  });
});

describe("verifyCvm and the launch configuration", () => {
  const lines = async (changes: Parameters<typeof simulatedVm>[0], more: "host" | "file" | "log" | "nothing") => {
    const { document, evidence, policy } = simulatedVm(changes);
    const { eventLog, ...answer } = evidence.answer;
    const shown = {
      log: { ...evidence },
      nothing: { ...evidence, answer },
      host: { ...evidence, answer: { ...evidence.answer, vmConfig: { mrConfig: document } } },
      file: { ...evidence, answer, mrConfig: stringToBytes(document) },
    };
    return said(await verifyCvm(shown[more], policy), "boot.config", "id.", "app.compose");
  };

  it("takes the document from the log, the host or a file, and says what it needs", async () => {
    for (const more of ["log", "host", "file"] as const)
      expect((await lines({ configVersion: 3 }, more))["boot.config"]).to.match(
        /^verified: version 3, compose hash 0x/,
      );
    const { "boot.config": config, "app.compose": compose } = await lines({ configVersion: 3 }, "nothing");
    expect(config).to.equal(
      "cannot be verified: version 3: what MRCONFIGID commits to is neither given nor follows from an event log that replays",
    );
    expect(compose).to.equal(
      "cannot be verified: neither MRCONFIGID nor an event log that replays says what was booted",
    );
  });

  it("finds a document that disagrees with the log", async () => {
    const disagree = async (document: object) =>
      Object.entries(await lines({ configVersion: 3, document }, "host")).filter(([, text]) => !/^verified/.test(text));
    expect(await disagree({})).to.deep.equal([]);
    expect((await disagree({ app_id: "ee".repeat(20) }))[0]?.[1]).to.match(
      /^not verified: the log says 0x\w+, MRCONFIGID says 0x(ee){20}$/,
    );
    expect((await disagree({ instance_id: "ee".repeat(20) })).map(([id]) => id)).to.deep.equal(["id.instance"]);
    expect((await disagree({ key_provider: "tpm" })).map(([id]) => id)).to.deep.equal(["id.keys"]);
    expect((await disagree({ key_provider_id: "ee" })).map(([id]) => id)).to.deep.equal(["id.keys"]);
    expect(await disagree({ gpu_policy_hash: "ee".repeat(32) })).to.deep.equal([
      ["boot.config", `not verified: it commits to GPU policy 0x${"ee".repeat(32)}, the log names none`],
    ]);
    expect(await disagree({ init_script_hashes: ["ee".repeat(32)] })).to.deep.equal([
      ["boot.config", "not verified: it commits to other init scripts than the log names"],
    ]);
  });
});
