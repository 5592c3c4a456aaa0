import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { collateralFiles } from "../../../protocol/collateral/collateral.ts";
import type { BaseError } from "../../../protocol/errors.ts";
import { readCollateralDir } from "../../../sdk/node/collateralFiles.ts";
import { readQuoteFile, readRootFile } from "../../../sdk/node/quoteFile.ts";
import { best, collateralOf, index, quoteOf } from "../../protocol/collateral/index.ts";
import { jsonVector, vector } from "../../protocol/quote/vectors.ts";

const vectors = new URL("../../vectors/tdx/", import.meta.url).pathname;
const directoryOf = (name: string) => join(vectors, index.collateral[name]?.dir ?? "");

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "dcm-collateral-"));
});
after(() => rm(directory, { recursive: true, force: true }));

async function refuses(act: Promise<unknown>, name: string, message: RegExp): Promise<void> {
  const error = await act.then(
    () => undefined,
    (thrown: BaseError) => thrown,
  );
  expect(error?.name).to.equal(name);
  expect(error?.message).to.match(message);
}

describe("readCollateralDir", () => {
  it("reads a folder of files, and collateral.json of dcap-qvl, to the same bytes", async () => {
    for (const name of Object.keys(index.collateral)) {
      const files = await readCollateralDir(directoryOf(name));
      expect(files).to.deep.equal(collateralOf(name));
      const lone = await mkdtemp(join(directory, "bundle-"));
      await cp(join(directoryOf(name), "collateral.json"), join(lone, "collateral.json"));
      expect(await readCollateralDir(lone), name).to.deep.equal(files);
    }
  });

  it("names the file that is missing or too long", async () => {
    for (const file of Object.values(collateralFiles)) {
      const copy = await mkdtemp(join(directory, "files-"));
      await cp(directoryOf(best.collateral), copy, { recursive: true });
      await rm(join(copy, "collateral.json"));
      await rm(join(copy, file));
      const missing = new RegExp(`${file} does not exist\\.$`);
      await refuses(readCollateralDir(copy), "Files.FileUnreadableError", missing);
      await writeFile(join(copy, file), new Uint8Array(65_537));
      const long = new RegExp(`${file} has more than \\d+ bytes\\.$`);
      await refuses(readCollateralDir(copy), "Files.FileUnreadableError", long);
    }
  });

  it("refuses bundles that are none, or that hold two of what there is one of", async () => {
    const name = "CollateralFiles.MalformedBundleError";
    const bundle = jsonVector(`tdx/${index.collateral[best.collateral]?.dir}/collateral.json`);
    const refuse = async (content: unknown, message: RegExp) => {
      const lone = await mkdtemp(join(directory, "bad-"));
      await writeFile(join(lone, "collateral.json"), typeof content === "string" ? content : JSON.stringify(content));
      await refuses(readCollateralDir(lone), name, message);
    };
    const none = /not collateral as @phala\/dcap-qvl writes it/;
    await refuse("{", none);
    await refuse([], none);
    for (const key of Object.keys(bundle).filter((one) => one !== "pck_certificate_chain"))
      await refuse({ ...bundle, [key]: undefined }, none);
    await refuse({ ...bundle, pck_crl: "0" }, none);
    await refuse({ ...bundle, pck_crl: [256] }, none);
    await refuse({ ...bundle, tcb_info_issuer_chain: "x" }, /tcb_info_issuer_chain is not PEM/);
    await refuse({ ...bundle, tcb_info_issuer_chain: "" }, /tcb_info_issuer_chain has 0 certificates, not 2/);
    await refuse({ ...bundle, qe_identity_issuer_chain: bundle.pck_crl_issuer_chain }, /two TCB signing certificates/);
    const [end, root] = bundle.pck_crl_issuer_chain.split(/(?<=-----END CERTIFICATE-----\n)/);
    await refuse({ ...bundle, pck_crl_issuer_chain: `${root}${end}` }, /two root CAs/);
  });
});

describe("readQuoteFile and readRootFile", () => {
  const quote = quoteOf(best.quote);
  const write = async (content: string | Uint8Array) => {
    const path = join(await mkdtemp(join(directory, "quote-")), "quote");
    await writeFile(path, content);
    return path;
  };

  it("reads raw bytes, hex with and without 0x, and dstack's JSON", async () => {
    const hex = quote.toHex();
    for (const content of [
      quote,
      hex,
      `0x${hex}\n`,
      hex.toUpperCase(),
      JSON.stringify({ quote: hex, event_log: "[]" }),
    ])
      expect(await readQuoteFile(await write(content))).to.deep.equal(quote);
    const dstack = join(vectors, "../dstack/near-private-ml-sdk/quote.json");
    expect((await readQuoteFile(dstack)).length).to.be.greaterThan(4000);
  });

  it("refuses everything else", async () => {
    const refuse = async (content: string | Uint8Array, message: RegExp) =>
      refuses(readQuoteFile(await write(content)), "QuoteFile.NotAQuoteFileError", message);
    await refuse("", /it is empty/);
    await refuse("hello", /hex: not whole bytes of hex/);
    await refuse("0x123", /hex: not whole bytes of hex/);
    await refuse("{}", /JSON without a text `quote`/);
    await refuse("{", /JSON without a text `quote`/);
    await refuse('{"quote":"zz"}', /hex: not whole bytes of hex/);
    await refuse("00".repeat(16_385), /hex: more than 16384 bytes/);
    await refuse(Uint8Array.of(4, ...new Uint8Array(16_384)), /more than 16384 bytes/);
    await refuse(Uint8Array.of(0x80, 0x81), /neither a raw quote, nor hex, nor JSON/);
    await refuses(readQuoteFile(join(directory, "none")), "Files.FileUnreadableError", /does not exist/);
  });

  it("reads a root as DER or PEM, one certificate only", async () => {
    const der = vector("tdx/root_ca.der");
    const pem = `-----BEGIN CERTIFICATE-----\n${der
      .toBase64()
      .match(/.{1,64}/g)
      ?.join("\n")}\n-----END CERTIFICATE-----\n`;
    expect(await readRootFile(await write(der))).to.deep.equal(der);
    expect(await readRootFile(await write(pem))).to.deep.equal(der);
    await refuses(readRootFile(await write(pem + pem)), "QuoteFile.NotAQuoteFileError", /2 certificates, not one/);
    await refuses(readRootFile(await write("-no pem")), "Quote.MalformedChainError", /no certificate at byte 0/);
  });
});
