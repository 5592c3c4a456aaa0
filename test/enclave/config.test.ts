import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ConfigError, configHelp, paysEnough, readConfig } from "../../enclave/config.ts";
import { rejection } from "../support/rejection.ts";

const address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const deployment = {
  chainId: 31337,
  fromBlock: 0,
  contracts: {
    tdxCollateral: address,
    tdxVerifier: address,
    enclaveRegistry: address,
    endorsements: address,
    datasetRegistry: address,
    jobMarket: address,
  },
  rootKey: `0x${"11".repeat(64)}`,
};

describe("readConfig", () => {
  let dir: string;
  let env: Record<string, string>;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "dcm-config-"));
    const file = join(dir, "deployment.json");
    writeFileSync(file, JSON.stringify(deployment));
    env = {
      RPC_URL: "http://127.0.0.1:8545",
      DEPLOYMENT_FILE: file,
      OPERATOR_ADDRESS: address,
      ENDPOINT: "https://worker.example/",
      LISTEN: "0.0.0.0:8080",
      DATA_DIR: dir,
    };
  });
  after(() => rmSync(dir, { recursive: true }));

  it("reads what is set, and is careful where nothing is", () => {
    const config = readConfig(env);
    expect(config).to.deep.include({ endpoint: "https://worker.example", host: "0.0.0.0", port: 8080 });
    expect(config).to.deep.include({ headPolicy: "finalized", fetchPrivateAddresses: false, grantWaitSeconds: 300 });
    expect(readConfig({ ...env, HEAD_POLICY: "12" }).headPolicy).to.deep.equal({ confirmations: 12 });
    expect(config.deployment).to.deep.equal(deployment);
  });

  it("stakes nothing unless told, and then by token", () => {
    expect(readConfig(env).maxBonds).to.deep.equal({});
    const { maxBonds } = readConfig({ ...env, MAX_BOND: `${address}:5` });
    expect(maxBonds).to.deep.equal({ [address.toLowerCase()]: 5n });
  });

  it("reads an offer file as it is written by dcm, for this market only", async () => {
    const file = join(dir, "offer.json");
    const read = (content: object) => {
      writeFileSync(file, JSON.stringify(content));
      return readConfig({ ...env, OFFER_FILE: file }).offer;
    };
    const word = `0x${"01".repeat(32)}`;
    const terms = { operator: address, workloadId: word, token: address, fee: "1", pricePerSecond: "2", nonce: "3" };
    const good = { offer: { ...terms, validUntil: "4" }, signature: "0xab" };
    const head = { v: 1, kind: "offer", chainId: 31337, jobMarket: address };
    expect(readConfig(env).offer).to.equal(undefined);
    const offer = { ...terms, fee: 1n, pricePerSecond: 2n, nonce: 3n, validUntil: 4n };
    expect(read({ ...head, ...good })).to.deep.equal({ offer, signature: "0xab" });
    const other = `0x${"22".repeat(20)}`;
    const bad = [good, { ...head, ...good, chainId: 1 }, { ...head, ...good, jobMarket: other }, { ...head, ...terms }];
    for (const content of [...bad, { ...head, ...good, kind: "order" }, { ...head, ...good, extra: 1 }]) {
      const error = await rejection(() => read(content), ConfigError);
      expect(error.message).to.include(`OFFER_FILE: ${file} is not a readable offer for the market of DEPLOYMENT_FILE`);
    }
  });

  it("takes deployment and offer as text where no file can be given, and not both; a text is not repeated", async () => {
    const { DEPLOYMENT_FILE, ...rest } = env;
    expect(readConfig({ ...rest, DEPLOYMENT: JSON.stringify(deployment) }).deployment).to.deep.equal(deployment);
    const word = `0x${"01".repeat(32)}`;
    const terms = { operator: address, workloadId: word, token: address, fee: "1", pricePerSecond: "2", nonce: "3" };
    const head = { v: 1, kind: "offer", chainId: 31337, jobMarket: address };
    const offer = JSON.stringify({ ...head, offer: { ...terms, validUntil: "4" }, signature: "0xab" });
    expect(readConfig({ ...env, OFFER: offer }).offer?.signature).to.equal("0xab");
    const wrong: [Record<string, string>, string][] = [
      [{ ...env, DEPLOYMENT: JSON.stringify(deployment) }, "DEPLOYMENT: set it or DEPLOYMENT_FILE, not both"],
      [{ ...env, OFFER: offer, OFFER_FILE: "offer.json" }, "OFFER: set it or OFFER_FILE, not both"],
      [{ ...rest, DEPLOYMENT: '{"SECRET":1}' }, "DEPLOYMENT: the text is not a readable deployment file"],
      [{ ...env, OFFER: "SECRET" }, "OFFER: the text is not a readable offer for the market of DEPLOYMENT_FILE"],
      [{ ...env, OFFER: "x".repeat(16_385) }, "OFFER: "],
    ];
    for (const [environment, problem] of wrong) {
      const { message } = await rejection(() => readConfig(environment), ConfigError);
      expect(message).to.include(problem);
      expect(message).to.not.include("SECRET");
    }
    expect(DEPLOYMENT_FILE).to.be.a("string");
  });

  it("names everything that is missing at once: there is no default for an address or a URL", async () => {
    const error = await rejection(() => readConfig({}), ConfigError);
    for (const name of Object.keys(env)) expect(error.message).to.include(`${name}: `);
    expect(configHelp().match(/\(required\)/g)).to.have.length(Object.keys(env).length);
  });

  it("refuses what it does not understand, and repeats no value: a URL may hold a key", async () => {
    const wrong: Record<string, string> = {
      RPC_URL: "ftp://key-SECRET@node",
      OPERATOR_ADDRESS: address.toLowerCase().replace("5f", "5F"),
      LISTEN: "8080",
      HEAD_POLICY: "pending",
      FETCH_PRIVATE_ADDRESSES: "yes",
      MAX_FEE_GWEI: "0",
      MIN_FEES: `${address}:1.5`,
      POLL_MS: "1e9",
    };
    for (const [name, value] of Object.entries(wrong)) {
      const error = await rejection(() => readConfig({ ...env, [name]: value }), ConfigError);
      expect(error.message).to.include(`${name}: `);
      expect(error.message).to.not.include("SECRET");
    }
  });

  it("reads the operator's consent and where collateral comes from; empty text is none", async () => {
    const unset = readConfig({ ...env, OPERATOR_AUTHORIZATION: "", COLLATERAL_URL: "" });
    expect([unset.authorization, unset.collateralUrl]).to.deep.equal([undefined, undefined]);
    const given = {
      OPERATOR_AUTHORIZATION: '{"validUntil":9,"signature":"0x12"}',
      COLLATERAL_URL: "https://pccs.example//",
    };
    const { authorization, collateralUrl } = readConfig({ ...env, ...given });
    expect(authorization).to.deep.equal({ validUntil: 9n, signature: "0x12" });
    expect(collateralUrl).to.equal("https://pccs.example");
    for (const wrong of [{ OPERATOR_AUTHORIZATION: "0x12" }, { COLLATERAL_URL: "file:///etc/passwd" }]) {
      const error = await rejection(() => readConfig({ ...env, ...wrong }), ConfigError);
      expect(error.message).to.include(`${Object.keys(wrong)[0]}: `);
    }
  });

  it("takes any fee where none is named, and else enough in a named token only", () => {
    const coin = "0x0000000000000000000000000000000000000000";
    expect(paysEnough(readConfig(env).minFees, { token: coin, operatorFee: 0n })).to.equal(true);
    const { minFees } = readConfig({ ...env, MIN_FEES: `${address}:5,${coin}:7` });
    const fees: [string, bigint, boolean][] = [
      [address, 5n, true],
      [address.toLowerCase(), 4n, false],
      [coin, 7n, true],
      ["0x00000000000000000000000000000000000000ff", 10n ** 30n, false],
    ];
    for (const [token, operatorFee, enough] of fees)
      expect(paysEnough(minFees, { token, operatorFee })).to.equal(enough);
  });

  it("refuses a deployment file that is missing, no JSON, or has unknown fields", async () => {
    const file = join(dir, "bad.json");
    for (const text of [
      "",
      "{",
      JSON.stringify({ ...deployment, owner: address }),
      JSON.stringify({ ...deployment, rootKey: "0x11" }),
    ]) {
      writeFileSync(file, text);
      await rejection(() => readConfig({ ...env, DEPLOYMENT_FILE: file }), ConfigError);
    }
    await rejection(() => readConfig({ ...env, DEPLOYMENT_FILE: join(dir, "none.json") }), ConfigError);
  });
});
