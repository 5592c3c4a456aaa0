/** What will be measured, before anything is deployed. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { sha256, stringToBytes } from "viem";
import { workloadIdOf } from "../../protocol/attestationBinding.ts";
import { intelRootKey } from "../../protocol/deployment.ts";
import { appComposeOf, BadComposeError, composeFileOf } from "../../scripts/deploy/appCompose.ts";
import { BadMeasurementsError, readMeasurements } from "../../scripts/deploy/measurements.ts";
import { readRecord } from "../../scripts/image/record.ts";
import { users } from "../../scripts/image/worker.ts";
import { readAppCompose } from "../../sdk/cvm/appCompose.ts";
import { readComposeFile } from "../../sdk/cvm/composeFile.ts";
import { steeringEnvs } from "../../sdk/cvm/envs.ts";
import { readYaml } from "../../sdk/cvm/yaml.ts";
import { createPlatform } from "../../simulator/platform.ts";
import { rejection } from "../support/rejection.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const address = "0x5FbDB2315678afecb367f032d93F642f64180aa3" as const;
const deployment = {
  chainId: 31337,
  fromBlock: 3,
  contracts: {
    ...{ tdxCollateral: address, tdxVerifier: address, enclaveRegistry: address },
    ...{ endorsements: address, datasetRegistry: address, jobMarket: address },
  },
  rootKey: intelRootKey,
} as const;
const digest = "ab".repeat(32);
const command = (...args: string[]) =>
  promisify(execFile)(process.execPath, [join(root, "scripts/deploy/main.ts"), ...args]);

type Service = Record<string, string | string[] | Record<string, string>>;

describe("deploy", () => {
  let template: string;
  let manifest: string;
  let folder: string;
  before(async () => {
    template = await readFile(join(root, "deploy/docker-compose.yaml"), "utf8");
    manifest = await readFile(join(root, "deploy/app-compose.json"), "utf8");
    folder = await mkdtemp(join(tmpdir(), "dcm-deploy-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("app-compose.json is made from the compose file and the recorded image, byte for byte", async () => {
    const { image } = await readRecord(root);
    const composeFile = composeFileOf(template, { digest: image.digest });
    expect(composeFile).to.equal(template);
    expect(appComposeOf(composeFile)).to.equal(manifest);
  });

  it("the manifest is one that dcm finds nothing wrong with: pinned, closed, and all of it measured", () => {
    const read = readAppCompose(manifest);
    expect([read.unknownFields, read.scripts, steeringEnvs(read.allowedEnvs)]).to.deep.equal([[], [], []]);
    expect([read.publicLogs, read.publicSysinfo, read.keyProvider]).to.deep.equal([false, false, "kms"]);
    const { images, ...problems } = readComposeFile(read.composeFile);
    expect(problems).to.deep.equal({ unpinned: [], unmeasured: [], escapes: [], unknown: [] });
    expect(new Set(images.map(({ image }) => image)).size).to.equal(1);
  });

  it("both services are closed, as different users; the sandbox has no network, no key and no word of the operator's", () => {
    const { services } = readYaml(template) as { services: Record<"worker" | "sandbox", Service> };
    for (const [name, service] of Object.entries(services) as [keyof typeof users, Service][]) {
      expect(service).to.deep.include({
        read_only: "true",
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
      });
      expect(service.user).to.equal(`${users[name]}:${users[name]}`);
    }
    const { sandbox, worker } = services;
    expect(sandbox.network_mode).to.equal("none");
    expect(sandbox.volumes).to.deep.equal(["sandbox:/run/sandbox"]);
    expect(JSON.stringify(sandbox)).to.not.include("$");
    expect(worker.volumes).to.include("sandbox:/run/sandbox:ro");
  });

  it("puts image and deployment in, and nothing else; the repository's own file starts no worker", () => {
    const filled = composeFileOf(template, { digest, repository: "registry.example:5000/a/worker", deployment });
    expect(readComposeFile(filled).images.map(({ image }) => image)).to.deep.equal([
      `registry.example:5000/a/worker@sha256:${digest}`,
      `registry.example:5000/a/worker@sha256:${digest}`,
    ]);
    const { services } = readYaml(filled) as { services: { worker: { environment: Record<string, string> } } };
    expect(JSON.parse(services.worker.environment.DEPLOYMENT ?? "")).to.deep.equal(deployment);
    expect(composeFileOf(filled, { digest, repository: "registry.example:5000/a/worker", deployment })).to.equal(
      filled,
    );
    const changed = filled.split("\n").filter((line, place) => line !== template.split("\n")[place]);
    expect(changed.map((line) => line.trim().split(" ")[0])).to.deep.equal(["image:", "DEPLOYMENT:", "image:"]);
  });

  it("refuses a part that could say more than it should, and a compose file without a place for it", async () => {
    const problems: [() => string, string][] = [
      [() => composeFileOf(template, { digest: "latest" }), "the digest is not 64 digits of lowercase hex"],
      ...["worker:latest", "Worker", "a b", "a\n  privileged: true", "$IMAGE", `a@sha256:${digest}`].map(
        (repository): [() => string, string] => [
          () => composeFileOf(template, { digest, repository }),
          "the image's name is not one of a registry, in lowercase and without tag or digest",
        ],
      ),
      [
        () => composeFileOf(template.replace(/@sha256:\w+/, ":latest"), { digest }),
        "it does not have two pinned images and one DEPLOYMENT",
      ],
      [() => appComposeOf(`${template}# $HOME`), "it has a $ that is no plain variable"],
      [
        () => appComposeOf(template.replace("LISTEN: 0.0.0.0:8080", ["LISTEN: $", "{LISTEN:-0}"].join(""))),
        "it has a $ that is no plain variable",
      ],
    ];
    for (const [work, problem] of problems) {
      const { message } = await rejection(work, BadComposeError);
      expect(message).to.equal(`deploy/docker-compose.yaml cannot be filled in: ${problem}.`);
    }
  });

  describe("expected measurements", () => {
    const platform = () => createPlatform({ appCompose: manifest, seed: new Uint8Array(32).fill(7) });
    const quoteOf = () => Buffer.from(platform().quote(new Uint8Array(64))).toString("hex");

    it("expect prints the workload id that a VM with this manifest registers, from a quote or from registers", async () => {
      const { workload } = platform();
      const quoteFile = join(folder, "quote.json");
      const registersFile = join(folder, "registers.json");
      await writeFile(quoteFile, JSON.stringify({ quote: quoteOf() }));
      const { mrTd, rtMr0, rtMr1, rtMr2, tdAttributes, xfam } = workload;
      const registers = { mrtd: mrTd.slice(2), rtmr0: rtMr0, rtmr1: rtMr1, rtmr2: rtMr2 };
      await writeFile(registersFile, JSON.stringify(registers));
      const vm = ["--td-attributes", tdAttributes.slice(2), "--xfam", xfam];
      for (const args of [[quoteFile], [registersFile, ...vm]]) {
        const { stdout } = await command("expect", "--os-image", ...args);
        const { composeHash, workloadId } = JSON.parse(stdout);
        expect(composeHash).to.equal(sha256(stringToBytes(manifest)));
        expect(workloadId).to.equal(workloadIdOf(workload));
      }
    });

    it("compose writes a deployment's manifest, and expect hashes that", async () => {
      const [deploymentFile, out] = [join(folder, "deployment.json"), join(folder, "app-compose.json")];
      await writeFile(deploymentFile, JSON.stringify(deployment));
      const args = ["--image", "registry.example/worker", "--deployment", deploymentFile, "--out", out];
      const { stdout } = await command("compose", ...args);
      const written = await readFile(out);
      expect(JSON.parse(stdout)).to.deep.equal({ composeHash: sha256(written) });
      expect(readAppCompose(written).composeFile).to.include(`DEPLOYMENT: '${JSON.stringify(deployment)}'`);
    });

    it("takes no measurement for granted", async () => {
      const four = { mrtd: "11".repeat(48), rtmr0: "22".repeat(48), rtmr1: "33".repeat(48), rtmr2: "44".repeat(48) };
      const vm = { attributes: "0000001000000000", xfam: "e702060000000000" };
      const needed = "beside registers, --td-attributes and --xfam are needed, 8 bytes of hex each";
      const wrong: [string, Parameters<typeof readMeasurements>[1], string | RegExp][] = [
        ["{", vm, "it is not JSON"],
        [JSON.stringify({ ...four, rtmr2: "44" }), vm, /neither a quote nor the registers: .*must be 48 bytes of hex/s],
        [JSON.stringify(four), {}, needed],
        [JSON.stringify(four), { ...vm, xfam: "e7" }, needed],
        [JSON.stringify({ quote: "00" }), {}, /its quote cannot be read: /],
        [JSON.stringify({ quote: quoteOf() }), vm, "a quote has attributes and XFAM in it: give either"],
      ];
      for (const [text, given, problem] of wrong) {
        const { message } = await rejection(() => readMeasurements(text, given), BadMeasurementsError);
        if (typeof problem === "string")
          expect(message).to.equal(`The measurements of the OS image cannot be read: ${problem}.`);
        else expect(message).to.match(problem);
      }
    });

    it("shows its help, also behind a command", async () => {
      for (const args of [["--help"], ["expect", "--help"], ["compose", "--help"]])
        expect((await command(...args)).stdout, args.join(" ")).to.match(
          /^Usage: node scripts\/deploy\/main\.ts compose /,
        );
    });

    it("exits with 2 and the reason where the command line is wrong", async () => {
      const cases: [string[], string][] = [
        [["expect"], "Deploy.DeployUsageError: Wrong usage: --os-image is missing."],
        [
          ["compose", "--image", "x"],
          "Deploy.DeployUsageError: Wrong usage: --image, --deployment and --out go together.",
        ],
        [["expect", "--oops"], "Deploy.DeployUsageError: Wrong usage: an argument is unknown or lacks its value."],
      ];
      for (const [args, message] of cases) {
        const failed = await command(...args).catch((error: { code: number; stderr: string }) => error);
        expect(failed).to.include({ code: 2 });
        expect(failed.stderr.split("\n")[0]).to.equal(message);
      }
    });
  });
});
