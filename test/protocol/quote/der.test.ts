import { expect } from "chai";
import { bytesToHex, hexToBytes } from "viem";
import { readCertificate } from "../../../protocol/quote/certificate.ts";
import { fixedInteger, readDer, tag } from "../../../protocol/quote/der.ts";
import { readSgxExtension } from "../../../protocol/quote/sgxExtension.ts";
import { commonNameOf } from "../../../protocol/quote/x509.ts";
import { expectError, vector } from "./vectors.ts";

const octets = (hex: `0x${string}`) => () => readDer(hexToBytes(hex), "test").next(tag.octetString);

describe("readDer", () => {
  it("reads elements one after the other", () => {
    const reader = readDer(hexToBytes("0x0401aa020105"), "test");
    expect(bytesToHex(reader.next(tag.octetString).content)).to.equal("0xaa");
    expect(reader.optional(tag.octetString)).to.equal(undefined);
    expect(reader.more()).to.equal(true);
    expect(bytesToHex(reader.next(tag.integer).whole)).to.equal("0x020105");
    reader.end();
  });

  it("reads long lengths up to two bytes", () => {
    expect(octets(`0x048180${"11".repeat(128)}`)().content.length).to.equal(128);
    expect(octets(`0x04820100${"11".repeat(256)}`)().content.length).to.equal(256);
  });

  it("refuses what DER forbids", () => {
    const refuse = (hex: `0x${string}`, fact: string) =>
      expectError(octets(hex), "Quote.MalformedDerError", `Malformed DER in test at byte 0: ${fact}.`);
    refuse("0x", "cut short");
    refuse("0x04", "cut short");
    refuse("0x0402aa", "cut short");
    refuse("0x0481", "cut short");
    refuse("0x048201", "cut short");
    refuse("0x0480aa0000", "indefinite or huge length");
    refuse("0x0483000001aa", "indefinite or huge length");
    refuse("0x048101aa", "length is not minimal");
    refuse(`0x048200ff${"11".repeat(255)}`, "length is not minimal");
    refuse("0x1f8101aa", "multi-byte tag");
    refuse("0x0201aa", "tag 0x2, expected 0x4");
    const reader = readDer(hexToBytes("0x0401aa00"), "test");
    reader.next(tag.octetString);
    expectError(() => reader.end(), "Quote.MalformedDerError", "Malformed DER in test at byte 3: trailing bytes.");
  });
});

describe("fixedInteger", () => {
  const integer = (hex: `0x${string}`) => () =>
    bytesToHex(fixedInteger(readDer(hexToBytes(hex), "test").next(tag.integer), 2, "test"));

  it("pads on the left and drops the sign byte", () => {
    expect(integer("0x020105")()).to.equal("0x0005");
    expect(integer("0x020300ffff")()).to.equal("0xffff");
    expect(integer("0x020100")()).to.equal("0x0000");
  });

  it("refuses negative, padded, empty and oversized integers", () => {
    const refuse = (hex: `0x${string}`, fact: string) =>
      expectError(integer(hex), "Quote.MalformedDerError", `Malformed DER in test at byte 0: ${fact}.`);
    refuse("0x0200", "empty integer");
    refuse("0x020180", "negative integer");
    refuse("0x02020001", "integer is not minimal");
    refuse("0x0203010000", "integer of more than 2 bytes");
  });
});

describe("readCertificate", () => {
  it("reads Intel's certificates", () => {
    const root = readCertificate(vector("tdx/root_ca.der"));
    expect(root).to.include({ isCa: true, keyUsage: 0x06, sgxExtension: undefined });
    expect(root.notAfter).to.equal(Date.UTC(2049, 11, 31, 23, 59, 59) / 1000);
    expect(bytesToHex(root.issuer)).to.equal(bytesToHex(root.subject));
    const leaf = readCertificate(vector("tdx/gcp.leaf.der"));
    expect(leaf).to.include({ isCa: false, keyUsage: 0xc0 });
    expect(root.serial).to.equal(0x22650cd65a9d3489f383b49552bf501b392706acn);
    expect([root.subject, leaf.subject].map(commonNameOf)).to.deep.equal([
      "Intel SGX Root CA",
      "Intel SGX PCK Certificate",
    ]);
  });

  it("refuses other versions, and anything beside the version", () => {
    const der = vector("tdx/root_ca.der");
    const version = Buffer.from(der).indexOf(Buffer.from("a003020102", "hex"));
    const changed = Uint8Array.from(der);
    changed[version + 4] = 1;
    const error = ["Quote.UnsupportedCertificateError", "Certificate not supported: version other than 3."] as const;
    expectError(() => readCertificate(changed), ...error);
    // Another integer after it; the two sizes around it grow with it.
    const longer = Uint8Array.from([
      ...der.subarray(0, version),
      0xa0,
      6,
      2,
      1,
      2,
      2,
      1,
      2,
      ...der.subarray(version + 5),
    ]);
    for (const size of [2, 6])
      new DataView(longer.buffer).setUint16(size, new DataView(longer.buffer).getUint16(size) + 3);
    expectError(() => readCertificate(longer), ...error);
  });

  it("refuses certificates that are too long, and times that do not exist", () => {
    const name = "Quote.UnsupportedCertificateError";
    expectError(() => readCertificate(new Uint8Array(4097)), name, "Certificate not supported: size of 4097 bytes.");
    const der = vector("tdx/root_ca.der");
    const date = Buffer.from(der).indexOf("180521104510Z");
    const changed = (text: string) => {
      const copy = Uint8Array.from(der);
      copy.set(new TextEncoder().encode(text), date);
      return () => readCertificate(copy);
    };
    expectError(changed("180231104510Z"), name, "Certificate not supported: time that does not exist.");
    expectError(changed("180521104560Z"), name, "Certificate not supported: time that does not exist.");
    expectError(changed("691231235959Z"), name, "Certificate not supported: time before 1970.");
    expectError(changed("1805211045100"), name, "Certificate not supported: time format.");
  });

  it("refuses every truncation", () => {
    const der = vector("tdx/gcp.leaf.der");
    for (let length = 0; length < der.length; length += 3)
      expectError(() => readCertificate(der.subarray(0, length)), "Quote.MalformedDerError", /cut short/);
  });
});

describe("readSgxExtension", () => {
  const value = readCertificate(vector("tdx/gcp.leaf.der")).sgxExtension ?? new Uint8Array();
  const field = (id: string) => Buffer.from(value).indexOf(Buffer.from(`060a2a864886f84d010d01${id}`, "hex"));
  const changed = (offset: number, bytes: number[]) => {
    const copy = Uint8Array.from(value);
    copy.set(bytes, offset);
    return () => readSgxExtension(copy);
  };

  it("reads a real leaf's platform", () => {
    expect(readSgxExtension(value)).to.deep.equal({
      ppid: "0x85d50af2ad61799ebce974b7b0978b46",
      fmspc: "0x00806f050000",
      pceId: "0x0000",
      componentSvns: [6, 6, 2, 2, 3, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0],
      pceSvn: 11,
    });
  });

  it("refuses missing, repeated and foreign fields", () => {
    const refuse = (act: () => unknown, fact: string) =>
      expectError(
        act,
        "Quote.MalformedSgxExtensionError",
        `The SGX extension of the PCK certificate is malformed: ${fact}.`,
      );
    refuse(changed(field("01") + 11, [9]), "PPID is not 16 bytes");
    refuse(changed(field("02") + 11, [9]), "no TCB");
    refuse(changed(field("03") + 11, [9]), "PCE id is not 2 bytes");
    refuse(changed(field("04") + 11, [9]), "FMSPC is not 6 bytes");
    refuse(changed(field("03") + 11, [4]), "field 04 twice");
    refuse(changed(field("04") + 2, [0x2b]), "foreign field 0x2b864886f84d010d0104");
    // An item of the TCB has 16 bytes of SEQUENCE and OID before its value.
    const tcbItem = (id: string) => Buffer.from(value).indexOf(Buffer.from(`060b2a864886f84d010d0102${id}`, "hex"));
    refuse(changed(tcbItem("01") + 13, [4]), "TCB field 1 is no integer");
    refuse(changed(tcbItem("11") + 13, [4]), "TCB field 17 is no integer");
    refuse(changed(tcbItem("02") + 12, [1]), "field 01 twice");
    refuse(changed(tcbItem("02") + 12, [0x13]), "TCB field 2 is no integer");
    refuse(changed(tcbItem("02") + 11, [9]), "foreign field 0x2a864886f84d010d010902");
  });
});
