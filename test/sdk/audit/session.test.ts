/** Lines on a session's job, over evidence that is honest, or wrong in one point. */
import { expect } from "chai";
import { type Address, type Hex, keccak256, zeroHash } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import type { Deployment } from "../../../protocol/deployment.ts";
import {
  domainOf,
  hashOrder,
  hashReceipt,
  hashSession,
  hashSessionClaim,
  type Receipt,
  type SessionClaim,
} from "../../../protocol/eip712.ts";
import { sessionTree } from "../../../protocol/sessionTree.ts";
import type { Evidence, SessionEvidence, Settlement } from "../../../sdk/audit/evidence.ts";
import { judgeSessionState, sessionDues, sessionLines } from "../../../sdk/audit/lines/session.ts";
import { sampleJob, sampleReceipt } from "../../support/emitter.ts";

const market: Address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const deployment = { chainId: 31337, contracts: { jobMarket: market } } as Deployment; // all that these lines need
const domain = domainOf(31337, market);
const [requester, sponsor, enclave, stranger] = ["21", "22", "23", "24"].map((byte) =>
  privateKeyToAccount(`0x${byte.repeat(32)}`),
) as [Account, Account, Account, Account];
type Account = ReturnType<typeof privateKeyToAccount>;
const terms = { maxJobs: 4, challengeSeconds: 600, disputeBond: 9n };
const owner: Address = "0x00000000000000000000000000000000000000A1";
const operator: Address = "0x00000000000000000000000000000000000000A2";
const here = { block: { number: 9n, hash: zeroHash, timestamp: 1n }, logIndex: 0 };

type World = { evidence: Evidence & { session: SessionEvidence; settlement: Settlement } };

/** Two Ok jobs and a failed one; the audited one is leaf 1. Paid by a sponsor. */
async function honest(): Promise<World["evidence"]> {
  const parties = { requester: requester.address, payer: sponsor.address, operator };
  const template = { ...sampleJob(deployment, 0, parties).order, paramsHash: zeroHash };
  const sessionId = hashSession(domain, template, terms);
  const jobs = [1, 2, 3].map((number) => {
    const { paramsHash } = sampleJob(deployment, number).order;
    const order = { ...template, paramsHash, nonce: BigInt(number), session: sessionId };
    const jobId = hashOrder(domain, order);
    const job = { ...sampleJob(deployment, number), order, jobId };
    return { order, jobId, receipt: sampleReceipt(job, number < 3 ? keccak256("0x0a") : undefined) };
  });
  const hashes = jobs.map(({ receipt }) => hashReceipt(domain, receipt));
  const tree = sessionTree(hashes);
  const place = { anchorBlock: 4n, anchorHash: zeroHash };
  const counts = { okCount: 2, failedCount: 1, countedGrants: 0 };
  const sent: SessionClaim = { sessionId, root: tree.root, ...counts, ...place };
  const [, audited] = jobs as [(typeof jobs)[0], (typeof jobs)[0], (typeof jobs)[0]];
  const { jobId, order, receipt } = audited;
  const signedBy = async (account: Account) => ({ signature: await account.sign({ hash: jobId }), accepts: false });
  const session: SessionEvidence = {
    sessionId,
    order: template,
    terms,
    leaf: 1,
    proof: tree.proof(1),
    requester: await signedBy(requester),
    payer: await signedBy(sponsor),
    claim: { sessionId, root: tree.root, ...counts, signer: enclave.address },
    signed: { claim: sent, signature: await enclave.sign({ hash: hashSessionClaim(domain, sent) }) },
    disputed: [],
    shown: [],
    closed: here,
    stored: { state: "Closed", root: tree.root, disputed: false, settled: false },
  };
  const signature = await enclave.sign({ hash: hashReceipt(domain, receipt) });
  const settlement = {
    ...{ receipt, signature, signer: enclave.address, receiptHash: hashReceipt(domain, receipt) },
    ...{ grants: [undefined], offer: undefined, together: [receipt] },
  };
  const dataset = { registration: { owner, payees: [], sizeBytes: 1 }, transfers: [] };
  const rest = { registration: { operator }, datasets: [dataset], opening: { order } };
  return { deployment, jobId, session, settlement, ...rest } as unknown as World["evidence"];
}

const verdicts = (evidence: World["evidence"]) =>
  Object.fromEntries(
    sessionLines(evidence, evidence.settlement)
      .filter(({ verdict }) => verdict !== "verified")
      .map(({ id, verdict, reason }) => [id, `${verdict}: ${reason}`]),
  );

describe("lines on a session's job", () => {
  it("finds nothing wrong in honest evidence, and has no lines on other jobs", async () => {
    const evidence = await honest();
    expect(sessionLines(evidence, evidence.settlement)).to.have.length(3);
    expect(verdicts(evidence)).to.deep.equal({});
    expect(sessionLines({ ...evidence, session: undefined }, evidence.settlement)).to.deep.equal([]);
  });

  it("says what is wrong with order, parties, place and claim, and nothing else", async () => {
    const good = await honest();
    const { session, settlement } = good;
    const order = (changes: object) => ({ opening: { order: { ...good.opening.order, ...changes } } });
    const inSession = (changes: Partial<SessionEvidence>) => ({ session: { ...session, ...changes } });
    const claim = (changes: object) => inSession({ claim: { ...session.claim, ...changes } });
    const forged = await stranger.sign({ hash: good.jobId });
    const template = "order.session";
    const claimed = "receipt.claimed";
    const failed: Receipt = { ...settlement.receipt, failureCode: 9 };
    const signed = session.signed as { claim: SessionClaim; signature: Hex };
    const cases: [object, string, string][] = [
      [order({ session: zeroHash }), template, "not verified: it names another session"],
      [order({ operatorFee: 8n }), template, "not verified: its terms are not the session's"],
      [inSession({ terms: { ...terms, maxJobs: 5 } }), template, "not verified: the session is another"],
      [
        inSession({ requester: { signature: forged, accepts: false } }),
        "order.signed",
        `not verified: it is not signed by the requester, ${requester.address}`,
      ],
      [
        inSession({ payer: session.requester }),
        "order.signed",
        `not verified: it is not signed by the payer, ${sponsor.address}`,
      ],
      [inSession({ leaf: 0 }), claimed, "not verified: it is not in the claim at its leaf"],
      [inSession({ proof: [] }), claimed, "not verified: it is not in the claim at its leaf"],
      [claim({ root: zeroHash }), claimed, "not verified: it is not in the claim at its leaf"],
      [claim({ okCount: 1, failedCount: 0 }), claimed, "not verified: there is no such leaf"],
      [
        claim({ okCount: 1, failedCount: 2 }),
        claimed,
        "not verified: it is Ok among the failed, or failed among the Ok",
      ],
      [claim({ countedGrants: 1 }), claimed, "not verified: it counts other grants than the claim"],
      [claim({ signer: stranger.address }), claimed, "not verified: another enclave claimed it than ran it"],
      [
        { settlement: { ...settlement, receipt: failed } },
        claimed,
        "not verified: it is Ok among the failed, or failed among the Ok",
      ],
      [
        { registration: { missing: "no enclave of that key was registered" } },
        claimed,
        `not verified: ${enclave.address} claimed, but: no enclave of that key was registered`,
      ],
      [
        inSession({ signed: { ...signed, signature: forged } }),
        claimed,
        "not verified: the claim is not signed by the named signer",
      ],
      [inSession({ signed: { missing: "it does not show" } }), claimed, "cannot be verified: it does not show"],
    ];
    for (const [changes, id, reason] of cases)
      expect(verdicts({ ...good, ...changes } as World["evidence"]), reason).to.deep.equal({ [id]: reason });
  });

  it("knows what everybody is due, whatever was disputed and shown", async () => {
    const evidence = await honest();
    const due = (changes: Partial<SessionEvidence>) => {
      const dues = sessionDues(evidence, { ...evidence.session, ...changes });
      if ("missing" in dues) return dues.missing;
      const sum = (account: Address) =>
        dues.reduce((total, payment) => (payment.account === account ? total + payment.amount : total), 0n);
      return [operator, sponsor.address, owner].map(sum);
    };
    const shown = (...leaves: number[]) => leaves.map((leaf) => ({ leaf, jobId: zeroHash, receiptHash: zeroHash }));
    // A job costs 12: 7 for the operator, 5 for the data set; a failure 1. Four were escrowed, the bond is 9.
    expect(due({})).to.deep.equal([15n, 23n, 10n]);
    expect(due({ disputed: [0], shown: shown(0) })).to.deep.equal([24n, 23n, 10n]);
    expect(due({ disputed: [0] })).to.deep.equal([8n, 44n, 5n]);
    expect(due({ disputed: [2] })).to.deep.equal([14n, 33n, 10n]);
    expect(due({ closed: undefined })).to.equal("the session is not closed: what was not shown is in escrow");
  });

  it("says what became of the leaf, if it is stored so", async () => {
    const { session } = await honest();
    const shown = [{ leaf: 1, jobId: zeroHash, receiptHash: zeroHash }] as const;
    const disputed = [1];
    const cases: [Partial<SessionEvidence>, Partial<SessionEvidence["stored"]>, string][] = [
      [{}, {}, "claimed as leaf 1, and paid for when the session was closed"],
      [{ shown }, { settled: true }, "claimed as leaf 1, shown and paid for"],
      [{ disputed }, { disputed: true }, "claimed as leaf 1, disputed and not shown: not paid for"],
      [{ disputed, closed: undefined }, { disputed: true, state: "Claimed" }, "claimed as leaf 1, disputed"],
      [{ closed: undefined }, {}, "stored Closed, the events say Claimed"],
      [{}, { root: zeroHash }, "another claim is stored"],
      [{ shown }, {}, "whether the leaf was shown is stored otherwise"],
      [{}, { disputed: true }, "whether the leaf was disputed is stored otherwise"],
    ];
    for (const [changes, stored, reason] of cases) {
      const evidence = { ...session, ...changes, stored: { ...session.stored, ...stored } };
      expect(judgeSessionState(evidence).reason).to.equal(reason);
    }
  });
});
