/** Help, configuration and arguments of `dcm`: what a person meets before anything works. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { writeTestProgram } from "../sdk/support/world.ts";
import { dcm, type Environment, forEach } from "./support/dcm.ts";

const groups: Readonly<Record<string, readonly string[]>> = {
  keys: ["new", "import", "address"],
  dataset: [
    "add",
    "list",
    "search",
    "key",
    "show",
    "update",
    "offer",
    "take",
    "retire",
    "revoke",
    "certify",
    "certificates",
  ],
  council: ["show", "revoke", "appoint-sealer", "approve-sealer"],
  grant: ["create", "list", "appoint-sealer", "revoke"],
  provider: ["serve", "take"],
  program: ["id"],
  job: ["create", "order", "sponsor", "open", "settle", "take-back", "status", "result", "prints", "cancel", "expire"],
  session: ["open", "sign-order", "show", "claim", "verify", "dispute", "settle-leaf", "close", "expire"],
  offer: ["sign", "verify", "show"],
  enclave: ["list", "show", "demote"],
  operator: ["authorize", "retire"],
  endorsement: ["endorse", "withdraw", "list"],
  credit: ["show", "deposit", "withdraw", "sign-withdrawal", "submit-withdrawal"],
  audit: [],
  bundle: [],
  export: [],
  receipt: ["export", "audit"],
  log: ["show", "verify"],
  quote: ["show", "verify"],
  cvm: ["verify"],
};
const id = `0x${"12".repeat(32)}`;
const privateKey = `0x${"c0ffee".repeat(10)}abcd`;
const password = "canary-password";

describe("dcm: usage", () => {
  let directory: string;
  let deployment: string;
  let configured: Environment;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dcm-cli-"));
    deployment = join(directory, "deployment.json");
    const market = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
    const contracts = {
      tdxCollateral: market,
      tdxVerifier: market,
      enclaveRegistry: market,
      endorsements: market,
      datasetRegistry: market,
      jobMarket: market,
    };
    await writeFile(
      deployment,
      JSON.stringify({ chainId: 31337, fromBlock: 0, contracts, rootKey: `0x${"00".repeat(64)}` }),
    );
    configured = {
      DCM_RPC_URL: "http://127.0.0.1:1",
      DCM_DEPLOYMENT: deployment,
      DCM_HOME: join(directory, "home"),
      DCM_PRIVATE_KEY: privateKey,
    };
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it("shows an example in the help of every command", async () => {
    const commands = Object.entries(groups).flatMap(([group, names]) => [
      [group],
      ...names.map((name) => [group, name]),
    ]);
    await forEach([[], ...commands], async (command) => {
      const { code, stdout, stderr } = await dcm([...command, "--help"], {});
      const name = command.join(" ");
      expect(code, name).to.equal(0);
      expect(stderr, name).to.equal("");
      expect(stdout, name).to.match(/\nExample:\n {2}\$ /);
      expect(stdout, name).to.contain("--json");
      if (command.length === 1)
        for (const sub of groups[name] ?? []) expect(stdout, name).to.match(new RegExp(`^  ${sub} `, "m"));
    });
  });

  it("lists no option that the command refuses", async () => {
    const listed: [string[], boolean, boolean][] = [
      [["job", "create"], false, true],
      [["job", "order"], true, true],
      [["session", "open"], false, false],
    ];
    await forEach(listed, async ([command, payer, offer]) => {
      const { stdout } = await dcm([...command, "--help"], {});
      const name = command.join(" ");
      expect([/^ {2}--payer /m.test(stdout), /^ {2}--offer-file /m.test(stdout)], name).to.deep.equal([payer, offer]);
      expect(stdout, name).to.match(/^ {2}--grant-file /m);
    });
  });

  it("tells its version", async () => {
    const { version } = JSON.parse(await readFile("package.json", "utf8"));
    expect(await dcm(["--version"], {})).to.include({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("names what is missing and exits 2", async () => {
    const { DCM_RPC_URL: _rpc, ...noRpc } = configured;
    const { DCM_DEPLOYMENT: _deployment, ...noDeployment } = configured;
    const { DCM_PRIVATE_KEY: _key, ...noKey } = configured;
    const noPassword = { ...noKey, DCM_KEYSTORE: deployment };
    const cases: [string[], Environment, RegExp][] = [
      [["dataset", "list"], noRpc, /RPC.*\nhint: Give --rpc URL or set DCM_RPC_URL\.\n$/],
      [["dataset", "list"], noDeployment, /deployment.*\nhint: Give --deployment FILE or set DCM_DEPLOYMENT/],
      [["credit", "withdraw"], noRpc, /DCM_RPC_URL/],
      [["credit", "withdraw"], noKey, /no wallet.*\nhint: .*dcm keys new.*DCM_KEYSTORE/],
      [["credit", "withdraw"], noPassword, /password.*\nhint: Set DCM_PASSWORD or give --password-file FILE\.\n$/],
      [["keys", "new"], noKey, /DCM_PASSWORD/],
      [["keys", "import"], noKey, /DCM_PRIVATE_KEY/],
    ];
    await forEach(cases, async ([args, environment, expected]) => {
      const { code, stdout, stderr } = await dcm(args, environment);
      expect(stderr, args.join(" ")).to.match(/^error: .+\nhint: .+\n$/);
      expect(stderr, args.join(" ")).to.match(expected);
      expect(code, args.join(" ")).to.equal(2);
      expect(stdout).to.equal("");
    });
  });

  it("says which argument is wrong and exits 2, in text or as one JSON value", async () => {
    const cases: [string[], RegExp][] = [
      [["nothing"], /unknown command 'nothing'/],
      [["dataset"], /subcommand is missing/],
      [["dataset", "show", "0x12"], /'0x12'.*32 bytes of hex/],
      [["dataset", "show"], /missing required argument 'id'/],
      [["dataset", "list", "--limit", "0"], /whole number from 1 to 10000/],
      [["dataset", "list", "extra"], /too many arguments/],
      [["dataset", "add", "f", "--title", "t", "--price", "1"], /not clear where the ciphertext will be/],
      [["dataset", "add", "f", "--title", "t", "--price", "1", "--uri", "x"], /not clear where the ciphertext will be/],
      [["dataset", "add", "f", "--title", "t", "--price", "1", "--format", "xls"], /"xls" is not a format/],
      [["grant", "revoke"], /not clear what to revoke/],
      [["grant", "revoke", id, "--all"], /not clear what to revoke/],
      [["credit", "deposit", "--amount", "1", "--by", "cheque"], /"cheque" is no way to pay in/],
      [["job", "take-back", "-1"], /whole number below 2\^256/],
      [["job", "take-back", "1e3"], /whole number below 2\^256/],
      [["session", "dispute", "f", "4096"], /whole number from 0 to 4095/],
      [["grant", "create", "--dataset", id, "--program", id], /required option '--workload <id>' not specified/],
      [["job", "create", "--params", "{"], /It must be JSON/],
      [["audit", id, "--anchor", `1:${id}`, "--anchor", `2:${id}`], /--anchor names several/],
      [["enclave", "show", "0x5FbDB2315678afecb367f032d93F642f64180AA3"], /not an address with a right checksum/],
    ];
    await forEach(cases, async ([args, expected]) => {
      const name = args.join(" ");
      const { code, stdout, stderr } = await dcm([...args, "--json"], configured);
      const { error } = JSON.parse(stderr);
      expect(Object.keys(error), name).to.deep.equal(["name", "message", "hint"]);
      expect(error.message, name).to.match(expected);
      expect(error.name, name).to.equal("Cli.UsageError");
      expect(code, name).to.equal(2);
      expect(stdout, name).to.equal("");
    });
    const { stderr } = await dcm(["dataset", "show", "0x12"], configured);
    expect(stderr).to.match(/^error: .*32 bytes of hex\.\nhint: .+\n$/);
  });

  it("fails with 1 when the chain or a file does, without a stack trace", async () => {
    const broken = join(directory, "broken.json");
    await writeFile(broken, '{"chainId":1}');
    const cases: [string[], Environment, string][] = [
      [["dataset", "list"], configured, "Chain.RpcError"],
      [["dataset", "list"], { ...configured, DCM_DEPLOYMENT: broken }, "Cli.BadDeploymentError"],
      [["dataset", "list"], { ...configured, DCM_DEPLOYMENT: "/nonexistent" }, "Files.FileUnreadableError"],
      [["dataset", "list", "--rpc", "ftp://a"], configured, "Client.BadRpcUrlError"],
      [["keys", "address"], { ...configured, DCM_PRIVATE_KEY: "0xcanary" }, "Cli.BadPrivateKeyError"],
      [["keys", "address"], { ...configured, DCM_PRIVATE_KEY: `0x${"ff".repeat(32)}` }, "Cli.BadPrivateKeyError"],
      [["receipt", "audit", "/nonexistent", "--offline"], configured, "Files.FileUnreadableError"],
      [["program", "id", directory], {}, "Files.FileUnreadableError"],
    ];
    await forEach(cases, async ([args, environment, name]) => {
      const { code, stdout, stderr } = await dcm([...args, "--json"], environment);
      expect(JSON.parse(stderr).error.name).to.equal(name);
      expect(stderr).not.to.match(/ at .*\.[jt]s|canary/);
      expect(code).to.equal(1);
      expect(stdout).to.equal("");
    });
  });

  it("takes no secret from an argument, nor repeats one", async () => {
    for (const args of [
      [`--private-key=${privateKey}`],
      ["--password", password],
      ["keys", "import", `--key=${privateKey}`],
    ]) {
      const { code, stdout, stderr } = await dcm(args, configured);
      expect(code).to.equal(2);
      expect(stdout + stderr).not.to.contain(privateKey.slice(2));
      expect(stdout + stderr).not.to.contain(password);
    }
    const { stdout } = await dcm(["job", "create", "--help"], configured);
    expect(stdout).not.to.match(/--(private-key|password)[ =]/);
  });

  it("makes, imports and opens keystores", async () => {
    const home = join(directory, "keys-home");
    const environment = { DCM_HOME: home, DCM_PASSWORD: password };
    const made = await dcm(["keys", "new", "--json"], environment);
    const { address, keystore } = JSON.parse(made.stdout);
    expect(keystore).to.equal(join(home, "keystore.json"));
    expect((await stat(home)).mode & 0o777).to.equal(0o700);
    expect((await stat(keystore)).mode & 0o777).to.equal(0o600);
    expect((await dcm(["keys", "address"], environment)).stdout).to.equal(`${address}\n`);
    const again = await dcm(["keys", "new"], environment);
    expect(again.code).to.equal(1);
    expect(again.stderr).to.contain(`${keystore} exists already.`);

    const file = join(directory, "password");
    await writeFile(file, `${password}\nsecond line\n`);
    const imported = join(directory, "imported.json");
    const options = ["--keystore", imported, "--password-file", file];
    const { stdout } = await dcm(["keys", "import", ...options, "--json"], {
      DCM_HOME: home,
      DCM_PRIVATE_KEY: privateKey,
    });
    const direct = await dcm(["keys", "address"], { DCM_PRIVATE_KEY: privateKey });
    expect(JSON.parse(stdout).address).to.equal(direct.stdout.trim());
    const opened = await dcm(["keys", "address", ...options], { DCM_PRIVATE_KEY: `0x${"11".repeat(32)}` });
    expect(opened.stdout, "--keystore goes before DCM_PRIVATE_KEY").to.equal(direct.stdout);
    const wrong = await dcm(["keys", "address", "--keystore", imported], { DCM_PASSWORD: "canary-other" });
    expect(wrong.code).to.equal(1);
    expect(wrong.stderr).to.match(/^error: The password does not open .*\nhint: .*\n$/);

    const told = [made, again, opened, wrong].map((ran) => ran.stdout + ran.stderr).join() + stdout;
    expect(told).not.to.contain("canary");
    expect(told).not.to.contain(privateKey.slice(2));
    expect(await readdir(home)).to.deep.equal(["keystore.json"]);
    expect(await readFile(imported, "utf8")).not.to.contain(privateKey.slice(2));
  });

  it("identifies programs, and writes their manifests when told to", async () => {
    const program = await mkdtemp(join(directory, "program-"));
    await writeTestProgram(program);
    const { stdout } = await dcm(["program", "id", program, "--json"], {});
    expect(JSON.parse(stdout).programId).to.match(/^0x[0-9a-f]{64}$/);
    await writeFile(join(program, "main.js"), "export default () => 1;\n");
    const changed = await dcm(["program", "id", program], {});
    expect(changed.code).to.equal(1);
    expect(changed.stderr).to.contain("hint: Rebuild the manifest with `dcm program id DIR --write`.");
    const written = JSON.parse((await dcm(["program", "id", program, "--write", "--json"], {})).stdout);
    expect(written.programId).not.to.equal(JSON.parse(stdout).programId);
    expect(JSON.parse((await dcm(["program", "id", program, "--json"], {})).stdout)).to.deep.equal(written);
  });
});
