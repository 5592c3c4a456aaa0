import { expect } from "chai";
import { bytesToHex, hexToBytes } from "viem";
import type { BaseError } from "../../../protocol/errors.ts";
import { maxQuoteSize, parseQuote, quoteBytes, splitQuote } from "../../../protocol/quote/parseQuote.ts";
import { maxCertificateSize } from "../../../protocol/quote/pemChain.ts";
import { readEnclaveReport, readTdReport } from "../../../protocol/quote/tdReport.ts";
import { caught, expectError, platform, vector } from "./vectors.ts";

const nearmpc = vector("tdx/nearmpc.quote.bin");
const coreSize = 1252;
const quoteSize = 4936; // without its zero padding

const gotdx = vector("tdx/quotes/gotdx_v5.bin");
const gotdxCoreSize = 1252 + 6 + 64;

/** The same body with the descriptor of version 5 before it; signatures no longer fit. */
function asVersion5(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.length + 6);
  copy.set(bytes.subarray(0, 48));
  copy.set([2, 0, 584 & 0xff, 584 >> 8, 0, 0], 48);
  copy.set(bytes.subarray(48), 54);
  copy[0] = 5;
  return copy;
}

function patched(bytes: Uint8Array, offset: number, value: number[]): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy.set(value, offset);
  return copy;
}

describe("parseQuote", () => {
  it("reads the fields of a real quote as views", () => {
    const quote = parseQuote(nearmpc);
    expect(bytesToHex(quote.report.mrTd)).to.match(/^0xf06dfda6dce1cf90/);
    expect(bytesToHex(quote.report.rtMr3)).to.match(/^0x86f1808cffc050f3/);
    expect(bytesToHex(quote.report.tdAttributes)).to.equal("0x0000001000000000");
    expect(bytesToHex(quote.report.xfam)).to.equal("0xe702060000000000");
    expect(bytesToHex(quote.report.teeTcbSvn)).to.equal("0x0b010400000000000000000000000000");
    expect(quote.signedPart.length).to.equal(632);
    expect(quote.authData.length).to.equal(32);
    expect(quote.core.length).to.equal(coreSize);
    expect(quote.report.mrTd.buffer).to.equal(nearmpc.buffer);
    expect(readEnclaveReport(quote.qeReport)).to.include({ isvProdId: 2, isvSvn: 6, miscSelect: 0 });
  });

  it("reads a quote that is cut after the QE authentication data", () => {
    const cut = parseQuote(nearmpc.subarray(0, coreSize));
    expect(cut.core.length).to.equal(coreSize);
    expect(cut.tail.length).to.equal(0);
  });

  it("refuses quotes of other versions, TEEs, key types and vendors", () => {
    const refuse = (bytes: Uint8Array, message: string) =>
      expectError(() => parseQuote(bytes), "Quote.UnsupportedQuoteError", message);
    refuse(patched(nearmpc, 0, [6]), "Quote of version 6 is not supported.");
    refuse(vector("tdx/sgx_v3.quote.bin"), "Quote of version 3 is not supported.");
    refuse(patched(nearmpc, 2, [3, 0]), "Quote of attestation key type 3 is not supported.");
    refuse(patched(nearmpc, 4, [0]), "Quote of TEE type 0 is not supported.");
    refuse(patched(nearmpc, 12, [0]), "Quote of QE vendor 0x009a7233f79c4ca9940a0db3957f0607 is not supported.");
    refuse(patched(nearmpc, 764, [5, 0]), "Quote of certification data type 5 is not supported.");
  });

  it("reads both bodies of version 5", () => {
    const quote = parseQuote(gotdx);
    expect(quote.version).to.equal(5);
    expect(quote.signedPart.length).to.equal(48 + 6 + 648);
    expect(bytesToHex(quote.report.teeTcbSvn)).to.equal("0x0b010400000000000000000000000000");
    expect(bytesToHex(quote.report.teeTcbSvn2 ?? new Uint8Array())).to.equal("0x0d010400000000000000000000000000");
    expect(quote.report.mrServiceTd).to.deep.equal(new Uint8Array(48));
    expect(readEnclaveReport(quote.qeReport)).to.include({ isvProdId: 2, isvSvn: 7 });
    const small = parseQuote(asVersion5(nearmpc));
    expect(small.report).to.deep.equal(parseQuote(nearmpc).report);
    expect(small.report.teeTcbSvn2).to.equal(undefined);
    expect(small.signedPart.length).to.equal(48 + 6 + 584);
  });

  it("refuses bodies of version 5 of another type or size", () => {
    for (const type of [0, 1, 4, 0x103])
      expectError(
        () => parseQuote(patched(gotdx, 48, [type & 0xff, type >> 8])),
        "Quote.UnsupportedQuoteError",
        `Quote of body type ${type} is not supported.`,
      );
    for (const size of [0, 584, 647, 649])
      expectError(
        () => parseQuote(patched(gotdx, 50, [size & 0xff, size >> 8])),
        "Quote.MalformedQuoteError",
        `Quote is malformed: body: of type 3 and ${size} bytes, not 648.`,
      );
    expectError(
      () => parseQuote(patched(gotdx, 48, [2])),
      "Quote.MalformedQuoteError",
      "Quote is malformed: body: of type 2 and 648 bytes, not 584.",
    );
  });

  it("refuses every truncation of version 5 with a typed error", () => {
    for (let length = 0; length < gotdxCoreSize; length++) {
      const error = caught(() => parseQuote(gotdx.subarray(0, length)));
      expect((error as BaseError).name, `length ${length}`).to.equal("Quote.MalformedQuoteError");
    }
  });

  it("refuses every truncation with a typed error", () => {
    for (let length = 0; length < coreSize; length++) {
      const error = caught(() => parseQuote(nearmpc.subarray(0, length)));
      expect((error as BaseError).name, `length ${length}`).to.equal("Quote.MalformedQuoteError");
    }
  });

  it("refuses oversized quotes, authentication data and stated sizes", () => {
    const refuse = (bytes: Uint8Array, message: string) =>
      expectError(() => parseQuote(bytes), "Quote.MalformedQuoteError", message);
    refuse(new Uint8Array(maxQuoteSize + 1), "Quote is malformed: size: 16385 bytes, limit 16384.");
    refuse(patched(nearmpc, 1218, [1, 4]), "Quote is malformed: authentication data: 1025 bytes, limit 1024.");
    refuse(
      patched(nearmpc.subarray(0, coreSize), 1218, [0, 4]),
      "Quote is malformed: authentication data: 992 bytes beyond the end.",
    );
    refuse(patched(nearmpc, 632, [0, 0, 0, 0]), "Quote is malformed: sizes: 0 and 4166 contradict each other.");
    refuse(patched(nearmpc, 766, [0, 0, 0, 0]), "Quote is malformed: sizes: 4300 and 0 contradict each other.");
  });
});

describe("splitQuote", () => {
  it("cuts real and simulated quotes into what the chain takes", () => {
    const { quote, pckLeaf, pckIssuer } = splitQuote(nearmpc);
    expect(quote).to.equal(bytesToHex(nearmpc.subarray(0, coreSize)));
    expect(pckLeaf).to.equal(bytesToHex(vector("tdx/nearmpc.leaf.der")));
    expect(pckIssuer).to.equal(bytesToHex(vector("tdx/platform_ca.der")));
    const simulated = splitQuote(platform.quote(new Uint8Array(64)));
    expect(simulated.pckLeaf).to.equal(bytesToHex(platform.certificates.pckLeaf));
    expect(simulated.pckIssuer).to.equal(bytesToHex(platform.certificates.pckIssuer));
  });

  it("takes zero padding of any length, and nothing else behind the chain", () => {
    expect(splitQuote(nearmpc.subarray(0, quoteSize))).to.deep.equal(splitQuote(nearmpc));
    expectError(
      () => splitQuote(patched(nearmpc, nearmpc.length - 1, [1])),
      "Quote.MalformedQuoteError",
      "Quote is malformed: padding: not zero.",
    );
    expectError(
      () => splitQuote(vector("tdx/gotdx_sept_ve.quote.bin")),
      "Quote.MalformedQuoteError",
      "Quote is malformed: padding: not zero.",
    );
  });

  it("refuses every truncation of the chain", () => {
    for (let length = coreSize; length < quoteSize; length++)
      expectError(() => splitQuote(nearmpc.subarray(0, length)), "Quote.MalformedQuoteError", /certificate chain/);
  });

  it("refuses chains that are not three PEM certificates", () => {
    const refuse = (bytes: Uint8Array, message: string) =>
      expectError(() => splitQuote(bytes), "Quote.MalformedChainError", message);
    const text = (pem: string) => new TextEncoder().encode(pem);
    const chainStart = coreSize + 6;
    refuse(
      patched(nearmpc, chainStart, [0x2e]),
      "The quote's certificate chain is malformed: no certificate at byte 0.",
    );
    const second = Buffer.from(nearmpc).indexOf("-----BEGIN", chainStart + 1);
    const message = `The quote's certificate chain is malformed: no certificate at byte ${second - chainStart}.`;
    refuse(patched(nearmpc, second, [0x2e]), message);
    refuse(withChain(text("")), "The quote's certificate chain is malformed: 0 certificates, 3 expected.");
    const one = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
    const few = "The quote's certificate chain is malformed: 2 certificates, 3 expected.";
    refuse(withChain(text(one("AAAA").repeat(2))), few);
    refuse(withChain(text(one("AAAA").repeat(4))), few.replace("2", "4"));
    refuse(withChain(text(one("AAA").repeat(3))), "The quote's certificate chain is malformed: not base64.");
    const huge = "A".repeat(((maxCertificateSize + 3) / 3) * 4 - ((((maxCertificateSize + 3) / 3) * 4) % 4) + 4);
    refuse(
      withChain(text(one(huge).repeat(3)).subarray(0, 16_000 - chainStart)),
      `The quote's certificate chain is malformed: certificate of ${(huge.length / 4) * 3} bytes, limit ${maxCertificateSize}.`,
    );
  });

  it("refuses another type of chain, and sizes that do not fit it", () => {
    expectError(
      () => splitQuote(patched(nearmpc, coreSize, [4, 0])),
      "Quote.UnsupportedQuoteError",
      "Quote of chain type 4 is not supported.",
    );
    expectError(
      () => splitQuote(patched(nearmpc, coreSize + 2, [0, 0, 0, 0])),
      "Quote.MalformedQuoteError",
      "Quote is malformed: certification data: said to be 4166 bytes, is 488.",
    );
  });
});

/** The real quote's core with another chain behind it, all sizes right. */
function withChain(pem: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(coreSize + 6 + pem.length);
  bytes.set(nearmpc.subarray(0, coreSize));
  const view = new DataView(bytes.buffer);
  view.setUint32(632, bytes.length - 636, true);
  view.setUint32(766, bytes.length - 770, true);
  view.setUint16(coreSize, 5, true);
  view.setUint32(coreSize + 2, pem.length, true);
  bytes.set(pem, coreSize + 6);
  return bytes;
}

describe("quoteBytes", () => {
  it("reads hex with and without 0x, and refuses the rest", () => {
    expect(quoteBytes("0x00ff")).to.deep.equal(hexToBytes("0x00ff"));
    expect(quoteBytes("00FF")).to.deep.equal(hexToBytes("0x00ff"));
    for (const text of ["0x0", "zz", "0x00 ", "00\n"])
      expectError(
        () => quoteBytes(text),
        "Quote.MalformedQuoteError",
        "Quote is malformed: hex: not whole bytes of hex.",
      );
    expectError(
      () => quoteBytes("00".repeat(3), 2),
      "Quote.MalformedQuoteError",
      "Quote is malformed: hex: more than 2 bytes.",
    );
  });
});

describe("readTdReport and readEnclaveReport", () => {
  it("refuse reports of another size", () => {
    for (const size of [0, 583, 585, 647, 649])
      expectError(
        () => readTdReport(new Uint8Array(size)),
        "Quote.BadReportLengthError",
        `The TD report body is ${size} bytes, expected 584 or 648.`,
      );
    expectError(
      () => readEnclaveReport(new Uint8Array(383)),
      "Quote.BadReportLengthError",
      "The enclave report is 383 bytes, expected 384.",
    );
  });
});
