import { expect } from "chai";
import { type Address, type Hex, isAddressEqual, keccak256, zeroAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { createIdentity, type EnclaveIdentity } from "../../../enclave/attestation/identity.ts";
import {
  createGrantBook,
  type GrantBook,
  GrantBookFullError,
  GrantRefusedError,
  maxGrantsPerDataset,
  OtherVaultKeyError,
} from "../../../enclave/vault/grantBook.ts";
import { domainOf, type Grant, hashGrant, hashSealedKey } from "../../../protocol/eip712.ts";
import type { BaseError } from "../../../protocol/errors.ts";
import type { GrantPackage } from "../../../protocol/grantPackage.ts";
import {
  hashSealerAppointment,
  type SealerAppointment,
  type SignedAppointment,
} from "../../../protocol/sealerAppointment.ts";
import { SealingError, sealKey } from "../../../protocol/sealing.ts";
import { recoverSigner } from "../../../protocol/signature.ts";
import { newResultIdentity } from "../../../sdk/encryption.ts";
import { plainGrant } from "../../support/plainTerms.ts";
import { rejection } from "../../support/rejection.ts";

const domain = domainOf(31337, "0x5FbDB2315678afecb367f032d93F642f64180aa3");
const workloadId: Hex = `0x${"22".repeat(32)}`;
const owner = privateKeyToAccount(keccak256("0x01"));
const stranger = privateKeyToAccount(keccak256("0x02"));
const sealer = privateKeyToAccount(keccak256("0x03"));
const datasetId: Hex = `0x${"33".repeat(32)}`;
const hour = 3600n;

describe("grantBook", () => {
  let identity: EnclaveIdentity;
  let now: bigint;
  let book: GrantBook;
  let accepted: number;
  let opened: number;
  let consent: { owner: Address; epoch: number; ownerEpoch: number };

  beforeEach(async () => {
    identity = await createIdentity();
    now = 1_000_000n;
    accepted = 0;
    opened = 0;
    consent = { owner: owner.address, epoch: 0, ownerEpoch: 0 };
    book = createGrantBook({
      domain,
      workloadId,
      identity: {
        ...identity,
        openSealedKey(grantHash, sealed) {
          opened++;
          return identity.openSealedKey(grantHash, sealed);
        },
      },
      reader: {
        consent: async () => consent,
        isSignedBy: async (who, digest, signature) => {
          const signer = recoverSigner(digest, signature);
          return signer !== undefined && isAddressEqual(signer, who);
        },
        timestamp: async () => now,
      },
      onAccepted: () => {
        accepted++;
      },
    });
  });

  const key = async () => new TextEncoder().encode((await newResultIdentity()).identity);

  async function pack(
    changes: Partial<Grant> = {},
    how: { key?: Uint8Array; by?: typeof owner; sealedBy?: typeof owner; under?: Hex; to?: Hex } = {},
  ): Promise<GrantPackage> {
    const grant: Grant = {
      datasetId,
      programId: workloadId,
      workloadId,
      requester: zeroAddress,
      operator: zeroAddress,
      token: zeroAddress,
      ...plainGrant,
      price: 1n,
      maxUses: 0n,
      notBefore: 0n,
      notAfter: now + hour,
      resultReaders: [],
      epoch: 0,
      nonce: 1n,
      ...changes,
    };
    const grantHash = hashGrant(domain, grant);
    const sealedKey = await sealKey(how.to ?? identity.vaultKey, how.under ?? grantHash, how.key ?? (await key()));
    const signature = await (how.by ?? owner).sign({ hash: grantHash });
    const sealedKeySignature = await (how.sealedBy ?? owner).sign({
      hash: hashSealedKey(domain, grantHash, sealedKey),
    });
    return { grant, signature, sealedKey, sealedKeySignature };
  }

  it("keeps a package under its grant's hash, and tells that there is work", async () => {
    const pkg = await pack();
    const { grantHash } = await book.accept(pkg);
    expect(grantHash).to.equal(hashGrant(domain, pkg.grant));
    expect(book.find(grantHash)).to.equal(pkg);
    await book.accept(pkg);
    expect([book.size(), accepted]).to.deep.equal([1, 2]);
  });

  it("refuses another workload, another owner, another chain's signature, another vault key", async () => {
    const other = await createIdentity();
    const elsewhere = await pack();
    const hash = hashGrant({ ...domain, chainId: 1 }, elsewhere.grant);
    const refused: [GrantPackage, new (...args: never[]) => BaseError][] = [
      [await pack({ workloadId: `0x${"23".repeat(32)}` }), GrantRefusedError],
      [await pack({}, { by: stranger }), GrantRefusedError],
      [{ ...elsewhere, signature: await owner.sign({ hash }) }, GrantRefusedError],
      [await pack({}, { to: other.vaultKey }), OtherVaultKeyError],
    ];
    for (const [pkg, error] of refused) await rejection(book.accept(pkg), error);
    expect(book.size()).to.equal(0);
  });

  it("refuses a key that is sealed under another grant, or is none", async () => {
    await rejection(book.accept(await pack({}, { under: workloadId })), SealingError);
    for (const bytes of [new Uint8Array(74), new TextEncoder().encode("AGE-SECRET-KEY-1")]) {
      const error = await rejection(book.accept(await pack({}, { key: bytes })), GrantRefusedError);
      expect(error.message).to.equal("The grant was refused: the sealed key is not an age identity.");
    }
  });

  it("does not let a stranger displace the sealed key of a grant that is public", async () => {
    const genuine = await pack();
    const { grantHash } = await book.accept(genuine);
    const forged = await pack({}, { sealedBy: stranger });
    const error = await rejection(book.accept({ ...forged, signature: genuine.signature }), GrantRefusedError);
    expect(error.message).to.equal("The grant was refused: its sealed key is not signed by the data set's owner.");
    expect(book.find(grantHash)).to.equal(genuine);
  });

  /** An appointment of the sealer for the data set, changed before it is signed. */
  async function appoint(
    changes: Partial<SealerAppointment> = {},
    how: { by?: typeof owner; domain?: typeof domain } = {},
  ): Promise<SignedAppointment> {
    const base = { datasetId, sealer: sealer.address, epoch: 0, ownerEpoch: 0, notAfter: now + hour };
    const appointment = { ...base, ...changes };
    const hash = hashSealerAppointment(how.domain ?? domain, appointment);
    return { appointment, signature: await (how.by ?? owner).sign({ hash }) };
  }

  it("takes a key that the appointed sealer signed, until the last second, and for every grant of the data set", async () => {
    const sealerAppointment = await appoint();
    const first = await pack({}, { sealedBy: sealer });
    const { grantHash } = await book.accept({ ...first, sealerAppointment });
    expect(book.find(grantHash)?.sealedKey).to.equal(first.sealedKey);
    now += hour;
    await book.accept({ ...(await pack({ nonce: 2n, notAfter: now }, { sealedBy: sealer })), sealerAppointment });
    expect(book.size()).to.equal(2);
  });

  it("takes no consent from a sealer, and no sealed key from one who is not appointed", async () => {
    const sealerAppointment = await appoint();
    const consented = { ...(await pack({}, { by: sealer, sealedBy: sealer })), sealerAppointment };
    expect((await rejection(book.accept(consented), GrantRefusedError)).message).to.equal(
      "The grant was refused: it is not signed by the data set's owner for this chain and market.",
    );
    expect((await rejection(book.accept(await pack({}, { sealedBy: sealer })), GrantRefusedError)).message).to.equal(
      "The grant was refused: its sealed key is not signed by the data set's owner.",
    );
    for (const sealedBy of [stranger, owner]) {
      const other = { ...(await pack({}, { sealedBy })), sealerAppointment };
      expect((await rejection(book.accept(other), GrantRefusedError)).message).to.equal(
        "The grant was refused: its sealed key is not signed by the sealer that was appointed.",
      );
    }
  });

  it("takes no appointment that has ended, is for another data set, chain or market, or not the owner's of now", async () => {
    const notSigned = "is not signed by the data set's owner for this chain and market";
    const elsewhere = { ...domain, verifyingContract: stranger.address };
    const cases: [SignedAppointment, string][] = [
      [await appoint({ datasetId: workloadId }), "is for another data set"],
      [await appoint({ epoch: 1 }), "has ended with its data set's epoch"],
      [await appoint({ ownerEpoch: 1 }), "has ended with its owner's epoch"],
      [await appoint({ notAfter: now - 1n }), "has expired"],
      [await appoint({}, { by: stranger }), notSigned],
      [await appoint({}, { by: sealer }), notSigned],
      [await appoint({}, { domain: { ...domain, chainId: 1 } }), notSigned],
      [await appoint({}, { domain: elsewhere }), notSigned],
      [
        { ...(await appoint()), appointment: { ...(await appoint()).appointment, notAfter: now + 2n * hour } },
        notSigned,
      ],
    ];
    const pkg = await pack({}, { sealedBy: sealer });
    for (const [sealerAppointment, why] of cases) {
      const error = await rejection(book.accept({ ...pkg, sealerAppointment }), GrantRefusedError);
      expect(error.message).to.equal(`The grant was refused: its sealer's appointment ${why}.`);
    }
    const sealerAppointment = await appoint();
    // Ended since: by the data set's epoch, by its owner's, by a hand-over (grant and sealed key are the new owner's word).
    const later: [typeof consent, Partial<Grant>, string][] = [
      [{ ...consent, epoch: 1 }, { epoch: 1 }, "has ended with its data set's epoch"],
      [{ ...consent, ownerEpoch: 1 }, { ownerEpoch: 1 }, "has ended with its owner's epoch"],
      [{ ...consent, owner: stranger.address }, {}, notSigned],
    ];
    for (const [state, changes, why] of later) {
      consent = state;
      const by = state.owner === owner.address ? owner : stranger;
      const fresh = await pack(changes, { by, sealedBy: sealer });
      const error = await rejection(book.accept({ ...fresh, sealerAppointment }), GrantRefusedError);
      expect(error.message).to.equal(`The grant was refused: its sealer's appointment ${why}.`);
    }
    expect(book.size()).to.equal(0);
  });

  it("takes no key from a sealer under a grant of epochs to come, which would outlive the appointment", async () => {
    const sealerAppointment = await appoint();
    for (const [changes, whose] of [
      [{ epoch: 1 }, "data set's"],
      [{ ownerEpoch: 1 }, "owner's"],
    ] as const) {
      const pkg = { ...(await pack(changes, { sealedBy: sealer })), sealerAppointment };
      const error = await rejection(book.accept(pkg), GrantRefusedError);
      expect(error.message).to.equal(
        `The grant was refused: its sealer's appointment has ended with its ${whose} epoch.`,
      );
      await book.accept(await pack(changes)); // the owner's own stays as it was
    }
  });

  it("holds so many grants of a data set and no more, until some have expired", async () => {
    const dataKey = await key();
    for (let nonce = 0n; nonce < maxGrantsPerDataset; nonce++)
      await book.accept(await pack({ nonce }, { key: dataKey }));
    await rejection(book.accept(await pack({ nonce: 9_999n }, { key: dataKey })), GrantBookFullError);
    expect(opened).to.equal(maxGrantsPerDataset); // each that is opened makes the log grow
    await book.accept(await pack({ nonce: 5n }, { key: dataKey }));
    await book.accept(await pack({ datasetId: workloadId }, { key: dataKey }));
    now += hour + 1n;
    await book.accept(await pack({ nonce: 9_999n }, { key: dataKey }));
    expect(book.size()).to.equal(1);
  });
});
