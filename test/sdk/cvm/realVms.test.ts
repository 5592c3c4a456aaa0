import { expect } from "chai";
import type { CvmEvidence } from "../../../sdk/cvm/case.ts";
import { readInfo, readQuoteAnswer } from "../../../sdk/cvm/evidence.ts";
import { verifyCvm } from "../../../sdk/cvm/verifyCvm.ts";
import { idsOf, said, strict, vector } from "./vms.ts";

const signed = (fmspc: string) => ({
  "quote.signature": `verified: quote, quoting enclave and PCK certificates verified as of 2026-08-20T00:00:00.000Z; FMSPC ${fmspc}`,
  "quote.genuine": "verified: the chain of certificates ends in Intel's SGX Root CA",
  "quote.tcb": "cannot be verified: TCB not evaluated: Intel's collateral was not consulted",
});
const replayed = {
  "boot.log": "verified: digests recomputed from the payloads replay to the quote's RTMR3",
  "boot.firmware": "verified: its digests replay to the quote's registers; what they are digests of was not looked at",
};
const compared = (workload: string) =>
  `cannot be verified: workload ${workload} was compared with none: MRTD and RTMR0 to RTMR2 may be anything`;
const zero = "MRCONFIGID is zero: nothing binds the VM to a compose file.";
const kms = (key: string) =>
  `verified: kms 0x3059301306072a8648ce3d020106082a8648ce3d030107034200${key}; by the log, nothing pins it before launch`;
const clean = {
  "app.files": "verified: no build, env_file, extends, include, or content from a file",
  "app.steering": "verified: no such name in allowed_envs",
};

describe("verifyCvm on real VMs", () => {
  const nearMpc = (): CvmEvidence => ({
    answer: readQuoteAnswer(vector("dstack/near-mpc/quote.json")),
    info: readInfo(vector("audit/near-mpc.tcb_info.json")),
    appCompose: vector("audit/near-mpc.app_compose.json"),
  });
  const hash = "0x2911e1f733466216dedb862d6d669e11256ee7a34ce4dbc66c4b807ba7a9c895";
  const workload = "0xd1689b53c63df57d11d954393a36287897ce12341ddae3678843a2b3bddd5b1c";

  it("near/mpc: everything replays, and its containers mount the VM", async () => {
    const report = await verifyCvm(nearMpc(), strict);
    const launcher = "nearone/mpc-launcher@sha256:5618a93a78c9ac9173e7ebf7c8af173bd675be6832a2f8c2a9a7149ac2678f54";
    expect(said(report)).to.deep.equal({
      ...signed("0xb0c06f000000"),
      ...replayed,
      "boot.config": `verified: version 1, compose hash ${hash}`,
      "boot.osImage":
        "cannot be verified: the log has no os-image-hash event; 0x7d47512fda31dc5a7318f72ae1869a3c76323981eea21fc30cafd0f79668642c is the host's word",
      "boot.workload": compared(workload),
      "app.compose": `verified: SHA-256 ${hash}, as in MRCONFIGID and the compose-hash event`,
      "app.fields": "verified: they are",
      "app.scripts": "verified: there are none",
      "app.images": `verified: launcher ${launcher}; signer-key-export ${launcher}`,
      "app.walls":
        "not verified: launcher mounts /var/run/docker.sock:/var/run/docker.sock; launcher mounts /tapp:/tapp:ro; signer-key-export mounts /var/lib/docker/volumes:/volumes:ro",
      "app.envs": "verified: it can set none",
      ...clean,
      "id.app": `verified: app ${hash.slice(0, 42)}, the start of the compose hash`,
      "id.instance": "verified: the app asked for none",
      "id.keys":
        "verified: local 0x6b5ed02e549a1c30aaa8e3171a045f1f449b0017353ef595e78e39c348c98d01; by the log, nothing pins it before launch",
      "info.registers": "verified: MRTD and RTMR0 to RTMR3",
      "info.composeHash": `verified: ${hash}`,
      "info.appCompose": `verified: ${hash}`,
    });
    expect(report).to.deep.include({
      simulated: false,
      scripts: [],
      warnings: [
        "anyone may read the containers' logs (public_logs)",
        "anyone may read load, memory and disks of the VM (public_sysinfo)",
        "nobody here speaks for device_id in Info",
      ],
    });
    expect(report.measured).to.include({ composeHash: hash, workloadId: workload });
  });

  it("near/mpc: the expected compose hash and workload are the measured ones, others are not", async () => {
    const expected = { expectedComposeHash: hash, expectedWorkload: workload } as const;
    const lines = said(await verifyCvm(nearMpc(), { ...strict, ...expected }), "app.expected", "boot.workload");
    expect(lines).to.deep.equal({
      "app.expected": `verified: ${hash}`,
      "boot.workload": `verified: workload ${workload}, recomputed from the quote's measurements`,
    });
    const crossed = { expectedComposeHash: workload, expectedWorkload: hash } as const;
    expect(said(await verifyCvm(nearMpc(), { ...strict, ...crossed }), "app.expected", "boot.workload")).to.deep.equal({
      "app.expected": `not verified: ${hash} was measured`,
      "boot.workload": `not verified: the quote measures workload ${workload}`,
    });
  });

  it("near/mpc: without log and manifest nothing is said of them", async () => {
    const { answer } = nearMpc();
    const report = await verifyCvm({ answer }, strict);
    const log = "cannot be verified: no event log was given";
    expect(said(report, "boot", "id", "app.compose")).to.deep.equal({
      "boot.log": log,
      "boot.firmware": log,
      "boot.config": `verified: version 1, compose hash ${hash}`,
      "boot.osImage": log,
      "boot.workload": compared(workload),
      "app.compose": "cannot be verified: no app-compose manifest was given",
      "id.app": log,
      "id.instance": log,
      "id.keys": log,
    });
    expect(idsOf(report, "verified")).to.deep.equal(["quote.signature", "quote.genuine", "boot.config"]);
  });

  it("near/mpc: at a time when its certificates are not valid, nothing genuine is left", async () => {
    const report = await verifyCvm(nearMpc(), { ...strict, at: 0 });
    expect(said(report, "quote.")).to.deep.equal({
      "quote.signature": "not verified: Quote refused, issuer dates: 0 is outside 1526899810 to 2000285410.",
      "quote.genuine": "not verified: the quote's signature does not hold",
      "quote.tcb": "cannot be verified: TCB not evaluated: Intel's collateral was not consulted",
    });
  });

  it("a production VM of Phala Cloud: scripts, tags, variables and a field that dstack does not know", async () => {
    const info = readInfo(vector("dstack/near-private-ml-sdk/info.json"));
    const answer = readQuoteAnswer(vector("dstack/near-private-ml-sdk/quote.json"));
    const report = await verifyCvm({ answer, info }, strict);
    const composeHash = "0x62dd36d22b7d704aaa4d598226801ed4e6a3bfd17dde762b2efd9876768be800";
    const osImage = "0x6809f73ca56b2dfba9918bdb9709608f30284af4fbb50e707e3270a0436f1657";
    const script = "0x613886ad2e986e2a3303aa350c158a2d2f451a2570a23b01f7931348c56aec5b";
    expect(said(report)).to.deep.equal({
      ...signed("0x20a06f000000"),
      ...replayed,
      "boot.config": `verified: version 1, compose hash ${composeHash}`,
      "boot.osImage": `cannot be verified: the log names ${osImage}; there is no list of allowed images to look it up in`,
      "boot.workload": compared("0x1153b03dacc96450b774184c7a0845e152ebcab54593a7a5ddbe69e7ef5ca216"),
      "app.compose": `verified: SHA-256 ${composeHash}, as in MRCONFIGID and the compose-hash event`,
      "app.fields": "not verified: the manifest has default_gateway_domain",
      "app.scripts": `not verified: pre_launch_script ${script}: runs as root, read it`,
      "app.images": "not verified: aio-sandbox runs ghcr.io/agent-infra/sandbox:v1; nginx-auth runs nginx:alpine",
      "app.walls": "verified: no privileges, devices, shared namespaces or mounts of the VM",
      "app.envs": "not verified: AUTH_PASSWORD; GITHUB_TOKEN; GITHUB_USER; GITHUB_REPO",
      ...clean,
      "id.app": "verified: app 0xab84a54bdaf082be00ea40e8e37bdeb5c15c58de, chosen at deployment, not bound to the code",
      "id.instance": "verified: instance 0xeb6b019edd1f076327ed9466d0fc5df5a96e80b0",
      "id.keys": kms(
        "048844eb42ccdf8c52fd4f174f362fcb9bbd19c45fd48f1edec2d8f1ca23536ec1a74021b4cee610c074f8294d431b2b7fee2c39e5333fdaf0a4522d43fb159d9f",
      ),
      "info.registers": "verified: MRTD and RTMR0 to RTMR3",
      "info.composeHash": `verified: ${composeHash}`,
      "info.name": "verified: dstack-app-vt7pr",
      "info.eventLog": "verified: it replays to the quote's registers, as far as it states digests",
      "info.aggregate": "verified: 0x9ffeac39dd83c5239c2e4742db79650419d40c40b40db45cc007cab3965b7d4c",
    });
    expect(report.warnings.slice(-2)).to.deep.equal([
      "the host may choose whom the app talks to: GITHUB_REPO",
      "nobody here speaks for app_cert in Info, device_id in Info, tcb_info.device_id in Info",
    ]);
    expect(report.scripts.map(({ field, sha256 }) => [field, sha256])).to.deep.equal([["pre_launch_script", script]]);

    const accepting = {
      ...strict,
      acceptedScripts: [script] as const,
      allowedOsImages: [osImage] as const,
      allowedEnvs: ["AUTH_PASSWORD", "GITHUB_TOKEN", "GITHUB_USER", "GITHUB_REPO"],
    };
    expect(said(await verifyCvm({ answer, info }, accepting), "app.scripts", "app.envs", "boot.osImage")).to.deep.equal(
      {
        "boot.osImage": `verified: ${osImage} is on the list; that MRTD and RTMR0 to RTMR2 are that image's is for boot.workload`,
        "app.scripts": `verified: accepted: pre_launch_script ${script}`,
        "app.envs": "verified: it can set AUTH_PASSWORD, GITHUB_TOKEN, GITHUB_USER, GITHUB_REPO",
      },
    );
  });

  it("dstack 0.6 with stripped digests: replays, and the host names another OS image than the log", async () => {
    const answer = readQuoteAnswer(vector("dstack/dstack-verifier-fixtures/tdx-lite-getquote.json"));
    const report = await verifyCvm({ answer }, strict);
    const composeHash = "0x86b0e55f2fa8e4fb69d890f14f54d5612707646e2573d54e0d2ddaaade77caa9";
    expect(said(report, "quote", "boot", "id")).to.deep.equal({
      ...signed("0x90c06f000000"),
      "quote.reportData": "verified: as in the quote",
      ...replayed,
      "boot.config": `verified: version 1, compose hash ${composeHash}`,
      "boot.osImage":
        "not verified: the log names 0x07a2388c7a6a1b6a646d443f1517990a4ec294471d63146cda9d56972765051d, vm_config.os_image_hash beside the quote is 0xe6f5cfec20c02e7b97baa213d0f718020b55e040172d90ccbcb946d56c8b09db",
      "boot.workload": compared("0xc5ba5a279738c344820d75bc204e0995b234c25505daec93fc1d4aed72052518"),
      "id.app": `verified: app ${composeHash.slice(0, 42)}, the start of the compose hash`,
      "id.instance": "verified: instance 0x050bf89570575fe8fab4cb8f0a62a9e64efe8ead",
      "id.keys": kms(
        "042f71e234d7339a1ceaca09c3c391eb816c533f980adaab34f16ead093ff0ac100d9c03253a3056f6d27735125433180b3e61c54a78f3fd13337869e0051dee06",
      ),
    });
    const missing = "cannot be verified: no app-compose manifest was given";
    expect(new Set(Object.values(said(report, "app")))).to.deep.equal(new Set([missing]));
  });

  it("the same VM by Attest: the firmware's part of the log is left out, and open", async () => {
    const lines = async (name: string) => {
      const answer = readQuoteAnswer(vector(`dstack/dstack-verifier-fixtures/${name}.json`));
      return said(await verifyCvm({ answer }, strict));
    };
    expect(await lines("tdx-lite-attestation")).to.deep.equal({
      ...(await lines("tdx-lite-getquote")),
      "boot.firmware": "cannot be verified: the log has no digests for RTMR0",
    });
  });

  it("dstack 0.4: no MRCONFIGID, a privileged container on the VM's network that mounts the VM", async () => {
    const answer = readQuoteAnswer(vector("audit/dstack-0.4.quote.json"));
    const appCompose = vector("dstack/dstack-examples-0.4-report/app-compose.json");
    const report = await verifyCvm({ answer, appCompose }, strict);
    expect(said(report, "quote", "boot", "app")).to.deep.equal({
      ...signed("0xb0c06f000000"),
      ...replayed,
      "boot.config": `not verified: ${zero}`,
      "boot.osImage": "cannot be verified: the log has no os-image-hash event; nor does the host name one",
      "boot.workload": `cannot be verified: ${zero}`,
      "app.compose":
        "verified: SHA-256 0x06768e6df639ce3be65e9e5321f8b2d82dbffb01c74323462d34c2feb9653aff, as in the compose-hash event",
      "app.fields": "verified: they are",
      "app.scripts": "verified: there are none",
      "app.images": "not verified: jupyter runs quay.io/jupyter/base-notebook",
      "app.walls":
        "not verified: jupyter has network_mode: host; jupyter has privileged: true; jupyter mounts /:/host/",
      "app.envs": "verified: it can set none",
      ...clean,
    });
    expect(report.measured).to.include({ composeHash: undefined, workloadId: undefined });
  });

  it("a local key provider: no MRCONFIGID, and the OS image is the host's word only", async () => {
    const answer = readQuoteAnswer(vector("audit/local-key-provider.quote.json"));
    expect(said(await verifyCvm({ answer }, strict), "boot", "id.keys")).to.deep.equal({
      ...replayed,
      "boot.config": `not verified: ${zero}`,
      "boot.osImage":
        "cannot be verified: the log has no os-image-hash event; 0x14ad42d0270b444eaeb53918a5a94d9b17eec7a817cd336173b17c5327541c67 is the host's word",
      "boot.workload": `cannot be verified: ${zero}`,
      "id.keys":
        "verified: local 0x1b7a49378403249b6986a907844cab0921eca32dd47e657f3c10311ccaeccf8b; by the log, nothing pins it before launch",
    });
  });

  it("the public simulator: its manifest is not the one in its quote, so that none of it counts", async () => {
    const answer = readQuoteAnswer(vector("dstack/simulator-v0.5.11/attestation.decoded.json"));
    const appCompose = vector("dstack/simulator-v0.5.11/app-compose.json");
    const report = await verifyCvm({ answer, appCompose }, strict);
    const own = "0x5981514cb2c1c16c4c8d9ef04c69bc0efcb75186238a84872e6f858f2d9a6b56";
    const measured = "0xc143116fef3940e7f776bfc0919c256232ae5338a6e948c96b711e0b2383483a";
    const { "app.compose": compose, ...others } = said(report, "app");
    expect(compose).to.equal(`not verified: its SHA-256 is ${own}, MRCONFIGID commits to ${measured}`);
    const unmeasured = "cannot be verified: the manifest at hand is not the measured one";
    expect(new Set(Object.values(others))).to.deep.equal(new Set([unmeasured]));
    expect(report.scripts).to.deep.equal([]);
    expect(said(report, "boot.log", "quote.signature")).to.deep.equal({
      "boot.log": replayed["boot.log"],
      "quote.signature": signed("0xb0c06f000000")["quote.signature"],
    });
    const binary = readQuoteAnswer(vector("dstack/simulator-v0.5.11/attestation.bin"));
    expect((await verifyCvm({ answer: binary, appCompose }, strict)).lines).to.deep.equal(report.lines);
    // As the public simulator answers: other report data in a stored quote.
    const patched = Uint8Array.from(answer.quote).fill(0xee, 568, 632);
    expect(said(await verifyCvm({ answer: { ...answer, quote: patched } }, strict), "quote.")).to.deep.equal({
      "quote.signature": "not verified: Quote refused, TD signature: not valid.",
      "quote.genuine": "not verified: the quote's signature does not hold",
      "quote.tcb": signed("")["quote.tcb"],
      "quote.reportData": `not verified: the quote has 0x${"ee".repeat(64)}`,
    });
  });
});
