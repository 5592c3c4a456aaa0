import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { TypedDataEncoder } from "ethers";
import { type Hex, sha256, stringToHex } from "viem";
import { hashClaimRequest } from "../../../protocol/claimRequest.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import {
  domainOf,
  hashAcceptance,
  hashGrant,
  hashOffer,
  hashOperatorAuthorization,
  hashOrder,
  hashReceipt,
  hashRegistration,
  hashSealedKey,
  hashSession,
  hashSessionClaim,
} from "../../../protocol/eip712.ts";
import { hashSealerAppointment } from "../../../protocol/sealerAppointment.ts";
import { encodeType, type SignedType, signedTypes, typedDataOf } from "../../../sdk/wallets/typedData.ts";

const address = (n: number): Hex => `0x${n.toString(16).padStart(40, "0")}`;
const deployment: Deployment = {
  chainId: 31337,
  fromBlock: 0,
  contracts: {
    tdxCollateral: address(1),
    tdxVerifier: address(2),
    enclaveRegistry: address(3),
    endorsements: address(4),
    datasetRegistry: address(5),
    jobMarket: address(6),
  },
  rootKey: `0x${"11".repeat(64)}`,
};
const market = domainOf(31337, address(6));
const registry = domainOf(31337, address(3));

let counter = 0;
/** A value of a type, another one each time; the counter makes it the same in every run. */
function sampleOf(type: string, structs: Readonly<Record<string, readonly { name: string; type: string }[]>>): unknown {
  const seed = sha256(stringToHex(`typed data ${counter++}`));
  const struct = structs[type];
  if (struct !== undefined) {
    return Object.fromEntries(struct.map((field) => [field.name, sampleOf(field.type, structs)]));
  }
  if (type.endsWith("[]")) return [0, 1].map(() => sampleOf(type.slice(0, -2), structs));
  if (type === "address") return `0x${seed.slice(2, 42)}`;
  if (type === "string") return `text ${seed}`;
  if (type.startsWith("uint")) {
    const value = BigInt(seed) >> BigInt(256 - Number(type.slice(4)));
    return Number(type.slice(4)) <= 32 ? Number(value) : value;
  }
  return seed; // bytes, bytes32
}

describe("typedDataOf", () => {
  // biome-ignore lint/suspicious/noExplicitAny: each hash takes the message of its own type
  const hashes: Partial<Record<SignedType, (message: any) => Hex>> = {
    JobOrder: (message) => hashOrder(market, message),
    Grant: (message) => hashGrant(market, message),
    Offer: (message) => hashOffer(market, message),
    SessionOrder: ({ order, ...terms }) => hashSession(market, order, terms),
    SessionClaim: (message) => hashSessionClaim(market, message),
    ClaimRequest: (message) => hashClaimRequest(market, message),
    JobAcceptance: (message) => hashAcceptance(market, message),
    Receipt: (message) => hashReceipt(market, message),
    SealedKey: ({ grantHash, ...key }) => hashSealedKey(market, grantHash, key),
    SealerAppointment: (message) => hashSealerAppointment(market, message),
    EnclaveRegistration: (message) => hashRegistration(registry, message),
    OperatorAuthorization: (message) => hashOperatorAuthorization(registry, message),
  };

  for (const name of Object.keys(signedTypes) as SignedType[]) {
    it(`of ${name} makes another library sign what protocol hashes`, () => {
      const { types, primaryType, domain } = typedDataOf(name, deployment);
      const { EIP712Domain, ...structs } = JSON.parse(JSON.stringify(types)) as Record<string, never[]>;
      const message = sampleOf(primaryType, types);
      const digest = TypedDataEncoder.hash(domain, structs, message as Record<string, unknown>);
      expect(TypedDataEncoder.from(structs).primaryType).to.equal(name);
      expect(TypedDataEncoder.from(structs).encodeType(name)).to.equal(encodeType(name));
      expect(EIP712Domain).to.have.length(Object.keys(domain).length);
      const hash = hashes[name];
      if (hash !== undefined) expect(digest).to.equal(hash(message));
      else expect(name).to.equal("Withdrawal"); // nothing in protocol hashes it: wallets do, and the contract
    });

    it(`of ${name} is what docs/schemas says, there without chain and contract`, async () => {
      const url = new URL(`../../../docs/schemas/eip712/${name}.json`, import.meta.url);
      const file = JSON.parse(await readFile(url, "utf8"));
      expect(file).to.deep.equal(typedDataOf(name));
      expect(file.domain).to.deep.equal({ name: "DataCollabMarket", version: "1" });
    });
  }
});
