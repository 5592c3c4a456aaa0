import { expect } from "chai";
import { type GrantPackage, grantPackageSchema, grantSchema, grantToJson } from "../../protocol/grantPackage.ts";

const id = `0x${"ab".repeat(32)}` as const;
const address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const grant: GrantPackage["grant"] = {
  datasetId: id,
  programId: id,
  workloadId: id,
  requester: address,
  operator: address,
  token: address,
  priceUnit: 2,
  price: 2n ** 256n - 1n,
  maxUses: 2n ** 64n - 1n,
  notBefore: 0n,
  notAfter: 1n,
  resultReaders: [id],
  epoch: 2 ** 32 - 1,
  ownerEpoch: 2 ** 32 - 1,
  nonce: 0n,
};
const pkg = {
  grant: grantToJson(grant),
  signature: `0x${"12".repeat(65)}`,
  sealedKey: { vaultKey: id, enc: id, ciphertext: "0x1234" },
  sealedKeySignature: `0x${"34".repeat(65)}`,
};

const accepts = (value: unknown) => grantPackageSchema.safeParse(value).success;
const withGrant = (change: object) => accepts({ ...pkg, grant: { ...pkg.grant, ...change } });
const withKey = (change: object) => accepts({ ...pkg, sealedKey: { ...pkg.sealedKey, ...change } });

describe("grantPackageSchema", () => {
  it("reads back what grantToJson wrote, through JSON text", () => {
    const parsed = grantPackageSchema.parse(JSON.parse(JSON.stringify(pkg)));
    expect(parsed.grant).to.deep.equal(grant);
    expect(grantSchema.parse(grantToJson(grant))).to.deep.equal(grant);
  });

  it("refuses unknown and missing fields, at every depth", () => {
    expect(accepts(pkg)).to.equal(true);
    expect(accepts({ ...pkg, more: 1 })).to.equal(false);
    expect(withGrant({ more: 1 })).to.equal(false);
    expect(withKey({ more: 1 })).to.equal(false);
    for (const field of Object.keys(pkg.grant)) expect(withGrant({ [field]: undefined }), field).to.equal(false);
    for (const field of Object.keys(pkg)) expect(accepts({ ...pkg, [field]: undefined }), field).to.equal(false);
  });

  it("refuses numbers out of range or not in decimal digits", () => {
    for (const value of [(2n ** 256n).toString(), "-1", "1.0", "1e3", "0x1", "01", " 1", "", 1, "9".repeat(79)])
      expect(withGrant({ nonce: value }), String(value)).to.equal(false);
    for (const field of ["maxUses", "notBefore", "notAfter"])
      expect(withGrant({ [field]: (2n ** 64n).toString() }), field).to.equal(false);
    for (const epoch of [-1, 2 ** 32, 0.5, "1"]) expect(withGrant({ epoch })).to.equal(false);
    for (const ownerEpoch of [-1, 2 ** 32, 0.5, "1"]) expect(withGrant({ ownerEpoch })).to.equal(false);
    for (const priceUnit of [-1, 3, 0.5, "1"]) expect(withGrant({ priceUnit })).to.equal(false);
  });

  it("refuses hex and addresses that are none, and lists that are too long", () => {
    for (const value of ["0x", "ab".repeat(32), `${id}00`, `0x${"zz".repeat(32)}`, null])
      expect(withGrant({ datasetId: value }), String(value)).to.equal(false);
    const wrongChecksum = address.replace("F", "f");
    for (const value of ["0x", wrongChecksum, `${address}00`]) expect(withGrant({ token: value })).to.equal(false);
    expect(withGrant({ resultReaders: Array(16).fill(id) })).to.equal(true);
    expect(withGrant({ resultReaders: Array(17).fill(id) })).to.equal(false);
    expect(withKey({ ciphertext: `0x${"00".repeat(512)}` })).to.equal(true);
    expect(withKey({ ciphertext: `0x${"00".repeat(513)}` })).to.equal(false);
    expect(withKey({ ciphertext: "0x123" })).to.equal(false);
    expect(accepts({ ...pkg, signature: `0x${"00".repeat(1025)}` })).to.equal(false);
  });
});
