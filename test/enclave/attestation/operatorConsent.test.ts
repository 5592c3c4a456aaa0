import { expect } from "chai";
import type { Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { type ConsentPorts, consentOf, OperatorConsentError } from "../../../enclave/attestation/operatorConsent.ts";
import { domainOf, operatorAuthorizationTypes } from "../../../protocol/eip712.ts";
import { BadAuthorizationTextError, readOperatorAuthorization } from "../../../protocol/operatorAuthorization.ts";
import { recoverSigner } from "../../../protocol/signature.ts";
import { rejection } from "../../support/rejection.ts";

const account = privateKeyToAccount(`0x${"01".repeat(32)}`);
const operator = account.address;
const agent = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const other = "0x000000000000000000000000000000000000dEaD";
const domain = domainOf(31337, other);
const validUntil = 2_000n;

const sign = (message: { agent?: Hex; validUntil?: bigint; chainId?: number } = {}) => {
  const { chainId = 31337, ...rest } = message;
  return account.signTypedData({
    domain: domainOf(chainId, other),
    types: operatorAuthorizationTypes,
    primaryType: "OperatorAuthorization",
    message: { operator, agent, validUntil, ...rest },
  });
};

function ports(changes: Partial<ConsentPorts> = {}): ConsentPorts {
  return {
    domain,
    operator,
    agent,
    given: undefined,
    now: async () => 2_000n,
    isSignedBy: async (owner, digest, signature) => recoverSigner(digest, signature) === owner,
    ...changes,
  };
}

describe("consentOf", () => {
  it("needs none where the operator is the gas wallet, and passes on what is given where it is not", async () => {
    expect(await consentOf(ports({ agent: operator }))).to.deep.equal({ validUntil: 0n, signature: "0x" });
    const signature = await sign();
    expect(await consentOf(ports({ given: { validUntil, signature } }))).to.deep.equal({ validUntil, signature });
    const given = { validUntil, signature, operator, agent, simulated: true } as const;
    expect(await consentOf(ports({ given }))).to.deep.equal({ validUntil, signature });
  });

  it("takes a contract's word", async () => {
    const given = { validUntil, signature: "0x1234" } as const;
    expect(await consentOf(ports({ given, isSignedBy: async () => true }))).to.deep.equal(given);
  });

  it("says what is wrong, and how to make one for this agent; it may be mended, so it is retried", async () => {
    const signature = await sign();
    const wrong = "its signature is not the operator's for this agent, end, chain and registry";
    const cases: [ConsentPorts["given"], string][] = [
      [undefined, "there is none"],
      [{ validUntil: 1_999n, signature }, "it ended at 1999, the chain is at 2000"],
      [{ validUntil: 2_001n, signature }, wrong],
      [{ validUntil, signature: await sign({ agent: other }) }, wrong],
      [{ validUntil, signature: await sign({ chainId: 1 }) }, wrong],
      [{ validUntil, signature: "0x" }, wrong],
      [{ validUntil, signature, agent: other }, `it is for agent ${other}`],
      [{ validUntil, signature, operator: other }, `it is ${other}'s`],
    ];
    for (const [given, fact] of cases) {
      const error = await rejection(consentOf(ports({ given })), OperatorConsentError);
      expect(error.message).to.equal(
        `Operator ${operator} has not authorized this worker's gas wallet ${agent}: ${fact}.`,
      );
      expect(error.hint).to.include(`dcm operator authorize --agent ${agent} `).and.include("OPERATOR_AUTHORIZATION");
      expect([error.retryable, error.operator, error.agent]).to.deep.equal([true, operator, agent]);
    }
  });
});

describe("readOperatorAuthorization", () => {
  it("reads what the command prints", () => {
    const printed = { operator, agent, validUntil: 2000, signature: "0x12AB", simulated: false };
    const { signature, ...rest } = readOperatorAuthorization(JSON.stringify(printed));
    expect([rest, signature]).to.deep.equal([{ operator, agent, validUntil: 2000n, simulated: false }, "0x12ab"]);
  });

  it("refuses anything else", async () => {
    const cases: unknown[] = [
      "",
      "{",
      [],
      {},
      { validUntil: "2000", signature: "0x" },
      { validUntil: 0, signature: "0x" },
      { validUntil: 1.5, signature: "0x" },
      { validUntil: 2000, signature: "0x1" },
      { validUntil: 2000, signature: `0x${"00".repeat(4097)}` },
      { validUntil: 2000, signature: "0x", more: 1 },
      { validUntil: 2000, signature: "0x", padding: "x".repeat(20_000) },
    ];
    for (const value of cases) {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      await rejection(() => readOperatorAuthorization(text), BadAuthorizationTextError);
    }
  });
});
