import { readFileSync } from "node:fs";
import { expect } from "chai";
import { bytesToHex, keccak256, zeroAddress } from "viem";
import { type CollateralItemName, collateralItems } from "../../../protocol/collateral/calls.ts";
import type { CollateralState, RecordedAuthority, RecordedItem } from "../../../protocol/collateral/chainState.ts";
import type { Collateral } from "../../../protocol/collateral/collateral.ts";
import { readCrl } from "../../../protocol/collateral/crl.ts";
import { crlOrder, sortedSerials } from "../../../protocol/collateral/crlOrder.ts";
import { flzCompress } from "../../../protocol/collateral/flz.ts";
import { type CollateralStep, planCollateral } from "../../../protocol/collateral/plan.ts";
import { readQeIdentity } from "../../../protocol/collateral/qeIdentity.ts";
import { readTcbInfo } from "../../../protocol/collateral/tcbInfo.ts";
import { readCertificate } from "../../../protocol/quote/certificate.ts";
import { p256KeyOf } from "../../../protocol/quote/platformRecord.ts";
import { createPlatform } from "../../../simulator/platform.ts";
import { august, augustTime, bundle, january } from "./bundles.ts";

const fmspc = "0xb0c06f000000";
const day = 86_400;
const threeDays = 3 * day;

const empty: CollateralState = {
  minimumEvaluationNumber: 0,
  authorities: [],
  pckCa: undefined,
  tcbSigning: undefined,
  rootCrl: undefined,
  pckCrl: undefined,
  qeIdentity: undefined,
  tcbInfo: undefined,
};

/** What a chain has that was given this collateral. */
function recorded(collateral: Collateral, changes: Partial<CollateralState> = {}): CollateralState {
  const authority = (der: Uint8Array, authorityNumber: number, role: number): RecordedAuthority => {
    const { serial, notAfter } = readCertificate(der);
    return { authorityNumber, role, serial, notAfter: BigInt(notAfter), revoked: false };
  };
  const item = (issuedAt: number, nextUpdate: number, number: number | bigint, signer: number, content = "0x") =>
    ({ data: zeroAddress, issuedAt, nextUpdate, number: Number(number), signer, content }) as RecordedItem;
  const [rootCrl, pckCrl] = [readCrl(collateral.rootCaCrl), readCrl(collateral.pckCrl)];
  const [qe, tcb] = [readQeIdentity(collateral.qeIdentity), readTcbInfo(collateral.tcbInfo)];
  const text = new TextDecoder().decode(collateral.tcbInfo);
  const tcbContent = `${keccak256(collateral.tcbInfo.subarray(text.indexOf('"fmspc"')))}0000`;
  const [pckCa, tcbSigning] = [authority(collateral.pckCa, 1, 1), authority(collateral.tcbSigning, 2, 3)];
  return {
    minimumEvaluationNumber: 0,
    authorities: [pckCa, tcbSigning],
    pckCa,
    tcbSigning,
    rootCrl: item(rootCrl.thisUpdate, rootCrl.nextUpdate, rootCrl.number, 0),
    pckCrl: item(pckCrl.thisUpdate, pckCrl.nextUpdate, pckCrl.number, 1, bytesToHex(sortedSerials(pckCrl.revoked))),
    qeIdentity: item(qe.issueDate, qe.nextUpdate, qe.evaluationNumber, 2, "0x00"),
    tcbInfo: item(tcb.issueDate, tcb.nextUpdate, tcb.evaluationNumber, 2, tcbContent),
    ...changes,
  };
}

function plan(state: CollateralState, offered: Collateral | undefined, now = augustTime, within = threeDays) {
  const pckCa = p256KeyOf(readCertificate((offered ?? bundle(august)).pckCa).publicKey);
  return planCollateral(state, offered, { fmspc, pckCa }, now, within);
}

/** Item, state, and what is to be sent, or why it is not. */
function summary(steps: readonly CollateralStep[]): Record<string, string> {
  return Object.fromEntries(
    steps.map(({ item, state, call, refusal }) => [
      item,
      [state, call?.functionName, refusal].filter(Boolean).join(": "),
    ]),
  );
}

const all = (what: string) => Object.fromEntries(collateralItems.map((item) => [item, what]));
const step = (steps: readonly CollateralStep[], item: CollateralItemName) => steps.find((one) => one.item === item);

describe("planCollateral", () => {
  const offered = bundle(august);
  const signer = p256KeyOf(readCertificate(offered.tcbSigning).publicKey);
  const issuer = p256KeyOf(readCertificate(offered.pckCa).publicKey);
  const hex = bytesToHex;

  it("sends everything to an empty chain, authorities first", () => {
    const steps = plan(empty, offered);
    expect(steps.map(({ item, state }) => `${item} ${state}`)).to.deep.equal([
      "pckCa missing",
      "tcbSigning missing",
      "rootCrl missing",
      "pckCrl missing",
      "qeIdentity missing",
      "tcbInfo missing",
    ]);
    const order = hex(crlOrder(readCrl(offered.pckCrl).revoked));
    expect(steps.map(({ call }) => call)).to.deep.equal([
      { functionName: "addAuthority", args: [hex(offered.pckCa)] },
      { functionName: "addAuthority", args: [hex(offered.tcbSigning)] },
      { functionName: "upsertRootCrl", args: [hex(offered.rootCaCrl)] },
      { functionName: "upsertPckCrl", args: [issuer, hex(offered.pckCrl), order] },
      { functionName: "upsertQeIdentity", args: [signer, hex(offered.qeIdentity), hex(offered.qeIdentitySignature)] },
      {
        functionName: "upsertTcbInfo",
        args: [signer, hex(flzCompress(offered.tcbInfo)), hex(offered.tcbInfoSignature)],
      },
    ]);
    expect(step(steps, "tcbInfo")?.offered).to.deep.equal({ issuedAt: 1786617938, validUntil: 1789209938, number: 20 });
  });

  it("only says what there is when nothing is offered", () => {
    expect(summary(plan(empty, undefined))).to.deep.equal(all("missing"));
    expect(summary(plan(recorded(offered), undefined))).to.deep.equal(all("current"));
  });

  it("sends nothing that is there already", () => {
    expect(summary(plan(recorded(offered), offered))).to.deep.equal(all("current"));
  });

  it("says what runs out within the horizon and what has run out, to the second", () => {
    const state = recorded(offered);
    const end = 1_789_171_031; // 2026-09-11T23:57:11Z, the PCK CRL's next update
    for (const [now, within, expected] of [
      [end - 100, 99, "current"],
      [end - 100, 100, "expires soon"],
      [end - 1, 0, "current"],
      [end, 0, "expired"],
    ] as const)
      expect(summary(plan(state, undefined, now, within)).pckCrl, `${now} ${within}`).to.equal(expected);
    const { notAfter } = readCertificate(offered.pckCa);
    expect(summary(plan(state, undefined, notAfter, 0)).pckCa).to.equal("current");
    expect(summary(plan(state, undefined, notAfter + 1, 0)).pckCa).to.equal("expired");
  });

  it("says so when what is offered is no newer than what runs out", () => {
    const last = summary(plan(recorded(offered), offered, 1_789_171_030));
    expect(last.pckCrl).to.equal("expires soon: it is what is recorded");
    expect(last.tcbInfo).to.equal("expires soon: it is what is recorded");
    expect(last.tcbSigning).to.equal("current");
  });

  it("replaces what has run out, and takes newer content before that", () => {
    const old = bundle(january);
    const expired = summary(plan(recorded(old), offered));
    expect(expired).to.deep.equal({
      pckCa: "current",
      tcbSigning: "current",
      rootCrl: "expired: upsertRootCrl",
      pckCrl: "expired: upsertPckCrl",
      qeIdentity: "expired: upsertQeIdentity",
      tcbInfo: "expired: upsertTcbInfo",
    });
    // Dates moved so that the old content is still good: 51 of 57 revocations, evaluation number 18.
    const state = recorded(old);
    const fresh = (item: RecordedItem | undefined) => item && { ...item, nextUpdate: augustTime + 30 * day };
    const { rootCrl, pckCrl, qeIdentity, tcbInfo } = state;
    const valid = {
      rootCrl: fresh(rootCrl),
      pckCrl: fresh(pckCrl),
      qeIdentity: fresh(qeIdentity),
      tcbInfo: fresh(tcbInfo),
    };
    expect(summary(plan({ ...state, ...valid }, offered))).to.deep.equal({
      pckCa: "current",
      tcbSigning: "current",
      rootCrl: "current", // newer, but it revokes nobody that is recorded
      pckCrl: "newer available: upsertPckCrl",
      qeIdentity: "newer available: upsertQeIdentity",
      tcbInfo: "newer available: upsertTcbInfo",
    });
  });

  it("does not send daily reissues of the same content", () => {
    const state = recorded(offered);
    const older = (item: RecordedItem | undefined) => item && { ...item, issuedAt: item.issuedAt - day };
    const { pckCrl, qeIdentity, tcbInfo, rootCrl } = state;
    const aged = {
      pckCrl: older(pckCrl),
      qeIdentity: older(qeIdentity),
      tcbInfo: older(tcbInfo),
      rootCrl: older(rootCrl),
    };
    expect(summary(plan({ ...state, ...aged }, offered))).to.deep.equal(all("current"));
  });

  it("refuses what the contract refuses: older, lower, out of range", () => {
    const old = bundle(january);
    const ageless = (item: RecordedItem | undefined, changes: object) => item && { ...item, ...changes };
    const state = recorded(offered);
    const expired = { ...state, tcbInfo: ageless(state.tcbInfo, { nextUpdate: 1 }) };
    expect(summary(plan(expired, old, 1_770_000_000)).tcbInfo).to.equal("expired: it is older than what is recorded");
    const lower = { ...state, tcbInfo: ageless(state.tcbInfo, { issuedAt: 1, nextUpdate: 2, number: 21 }) };
    expect(summary(plan(lower, offered)).tcbInfo).to.equal("expired: its number, 20, is below the recorded 21");
    const strict = summary(plan({ ...empty, minimumEvaluationNumber: 20 }, offered));
    expect(strict.tcbInfo).to.equal("missing: upsertTcbInfo");
    expect(strict.qeIdentity).to.equal("missing: its number, 19, is not within 20 to 65535");
    expect(strict.pckCrl).to.equal("missing: upsertPckCrl"); // numbers of lists are not Intel's evaluation numbers
  });

  it("refuses what is not valid yet, and what has expired", () => {
    expect(summary(plan(empty, offered, 1_786_617_937)).tcbInfo).to.equal("missing: it is not valid yet");
    expect(summary(plan(empty, offered, 1_786_617_938)).tcbInfo).to.equal("missing: upsertTcbInfo");
    expect(summary(plan(empty, offered, 1_789_209_937)).tcbInfo).to.equal("missing: upsertTcbInfo");
    expect(summary(plan(empty, offered, 1_789_209_938)).tcbInfo).to.equal("missing: it has expired");
  });

  it("refuses collateral of another platform or CA", () => {
    const pckCa = p256KeyOf(readCertificate(offered.pckCa).publicKey);
    const other = planCollateral(empty, offered, { fmspc: "0x90c06f000000", pckCa }, augustTime, 0);
    expect(summary(other).tcbInfo).to.equal(`missing: it is of FMSPC ${fmspc}`);
    const stranger = { fmspc, pckCa: { ...pckCa, y: pckCa.x } } as const;
    const steps = summary(planCollateral(empty, offered, stranger, augustTime, 0));
    expect(steps.pckCa).to.equal("missing: it is of another CA than the platform's");
    expect(steps.pckCrl).to.equal("missing: its signer, pckCa, is not taken");
    const known = summary(
      planCollateral({ ...empty, pckCa: recorded(offered).pckCa }, offered, stranger, augustTime, 0),
    );
    expect(known.pckCrl).to.equal("missing: it is of another CA than the platform's");
  });

  it("sends nothing of a signer that the chain or the offered root CRL revokes", () => {
    const state = recorded(offered);
    const revoked = (authority: RecordedAuthority | undefined) => authority && { ...authority, revoked: true };
    const signing = revoked(state.tcbSigning) as RecordedAuthority;
    const authorities = [state.pckCa as RecordedAuthority, signing];
    expect(summary(plan({ ...state, authorities, tcbSigning: signing }, offered))).to.deep.equal({
      ...all("current"),
      tcbSigning: "revoked: a root CRL has revoked it for ever",
      qeIdentity: "revoked: its signer, tcbSigning, is not taken",
      tcbInfo: "revoked: its signer, tcbSigning, is not taken",
    });
  });
});

const appCompose = readFileSync(new URL("../../../deploy/app-compose.json", import.meta.url), "utf8");

describe("planCollateral with a revocation by the root", () => {
  const now = 1_787_184_000;
  const platform = createPlatform({ seed: new Uint8Array(32).fill(7), appCompose });
  const good = platform.collateral({ now });
  const { serial } = readCertificate(good.tcbSigning);
  const serialBytes = Uint8Array.fromHex(serial.toString(16).padStart(40, "0"));
  const revoking = platform.collateral({ now: now + 60, revoked: { authorities: [serialBytes] } });

  it("sends the root CRL at once, and nothing more of what it revokes", () => {
    expect(summary(plan(recorded(good), revoking, now + 120))).to.deep.equal({
      ...all("current"),
      rootCrl: "newer available: upsertRootCrl",
    });
    expect(summary(plan(empty, revoking, now + 120))).to.include({
      tcbSigning: "missing: the offered root CRL revokes it",
      rootCrl: "missing: upsertRootCrl",
      tcbInfo: "missing: its signer, tcbSigning, is not taken",
    });
  });
});

describe("crlOrder", () => {
  it("gives the place of each entry in ascending order", () => {
    expect(bytesToHex(crlOrder([30n, 10n, 20n]))).to.equal("0x000200000001");
    expect(bytesToHex(crlOrder([]))).to.equal("0x");
  });

  it("agrees with sorting, for Intel's list", () => {
    const { revoked } = readCrl(bundle(august).pckCrl);
    const order = crlOrder(revoked);
    const sorted = new Uint8Array(revoked.length * 20);
    revoked.forEach((serial, i) => {
      const place = ((order[2 * i] ?? 0) << 8) | (order[2 * i + 1] ?? 0);
      sorted.set(Uint8Array.fromHex(serial.toString(16).padStart(40, "0")), place * 20);
    });
    expect(revoked).to.have.length(57);
    expect(bytesToHex(sorted)).to.equal(bytesToHex(sortedSerials(revoked)));
  });
});
