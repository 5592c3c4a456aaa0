import { expect } from "chai";
import { type Address, numberToHex, size } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { hashCouncilApproval, joinApprovals, maxCouncilMembers } from "../../protocol/council.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import { domainOf, hashGrant } from "../../protocol/eip712.ts";
import {
  type GrantPackage,
  grantPackageSchema,
  grantPackageToJson,
  grantSchema,
  grantToJson,
} from "../../protocol/grantPackage.ts";
import { maxSignatureBytes } from "../../protocol/limits.ts";
import { signedOfferSchema } from "../../protocol/offerJson.ts";
import { readOperatorAuthorization } from "../../protocol/operatorAuthorization.ts";
import { type SignedAppointment, signedAppointmentToJson } from "../../protocol/sealerAppointment.ts";
import { type SignedOrder, signedOrderSchema, signedOrderToJson } from "../../protocol/signedOrder.ts";
import { sampleJob } from "../support/emitter.ts";

const id = `0x${"ab".repeat(32)}` as const;
const address: Address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
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

const signedAppointment: SignedAppointment = {
  appointment: { datasetId: id, sealer: address, epoch: 0, ownerEpoch: 2 ** 32 - 1, notAfter: 2n ** 64n - 1n },
  signature: `0x${"56".repeat(65)}`,
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

  it("reads back what grantPackageToJson wrote, with an appointment and without", () => {
    const parts = grantPackageSchema.parse(pkg);
    for (const whole of [parts, { ...parts, sealerAppointment: signedAppointment }])
      expect(grantPackageSchema.parse(JSON.parse(JSON.stringify(grantPackageToJson(whole))))).to.deep.equal(whole);
  });

  it("refuses an appointment with unknown or missing fields, or out of range", () => {
    const json = signedAppointmentToJson(signedAppointment);
    const changed = (change: object) =>
      accepts({ ...pkg, sealerAppointment: { ...json, appointment: { ...json.appointment, ...change } } });
    expect(changed({})).to.equal(true);
    expect(changed({ more: 1 })).to.equal(false);
    for (const field of Object.keys(json.appointment)) expect(changed({ [field]: undefined }), field).to.equal(false);
    for (const change of [{ notAfter: (2n ** 64n).toString() }, { epoch: 2 ** 32 }, { sealer: "0x12" }])
      expect(changed(change)).to.equal(false);
    expect(accepts({ ...pkg, sealerAppointment: json.appointment })).to.equal(false);
    expect(accepts({ ...pkg, sealerAppointment: null })).to.equal(false);
  });

  it("takes what all 16 members of a council sign, as every form with an account's signature does", async () => {
    const digest = hashCouncilApproval(domainOf(31337, address), hashGrant(domainOf(31337, address), grant));
    const members = Array.from({ length: maxCouncilMembers }, (_, i) =>
      privateKeyToAccount(numberToHex(i + 1, { size: 32 })),
    );
    const signature = joinApprovals(
      await Promise.all(members.map(async (m) => ({ member: m.address, signature: await m.sign({ hash: digest }) }))),
    );
    expect(size(signature)).to.equal(1_392);
    expect(maxSignatureBytes).to.equal(2_048);
    const sealerAppointment = { ...signedAppointmentToJson(signedAppointment), signature };
    expect(accepts({ ...pkg, signature, sealedKeySignature: signature, sealerAppointment })).to.equal(true);
    const offer = { operator: address, workloadId: id, token: address, fee: "1", pricePerSecond: "1", validUntil: "1" };
    expect(signedOfferSchema.parse({ offer: { ...offer, nonce: "1" }, signature }).signature).to.equal(signature);
    const { order } = sampleJob({ chainId: 31337, contracts: { jobMarket: address } } as Deployment, 1);
    const signedOrder = {
      order,
      programUri: "",
      params: "0x",
      requesterSignature: signature,
      payerSignature: signature,
    };
    expect(signedOrderSchema.parse(signedOrderToJson(signedOrder as SignedOrder))).to.deep.include({
      requesterSignature: signature,
      payerSignature: signature,
    });
    const text = JSON.stringify({ validUntil: 1, signature });
    expect(readOperatorAuthorization(text).signature).to.equal(signature);
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
    for (const field of ["signature", "sealedKeySignature"])
      expect(accepts({ ...pkg, [field]: `0x${"00".repeat(2049)}` })).to.equal(false);
  });
});
