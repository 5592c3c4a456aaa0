/**
 * Room: protocol/collateral. What a chain lacks to judge one kind of platform, and the calls that mend it: only what is
 * needed, and nothing that the contract would refuse. Pure: state and time are arguments.
 * Mirrors the checks of `contracts/interfaces/ITdxCollateral.sol`, but for signatures.
 */
import { type Hex, keccak256 } from "viem";
import { type Certificate, readCertificate } from "../quote/certificate.ts";
import { p256KeyOf } from "../quote/platformRecord.ts";
import { type CollateralCall, type CollateralItemName, collateralCall, collateralItems } from "./calls.ts";
import type { CollateralState, CollateralSubject, RecordedAuthority, RecordedItem } from "./chainState.ts";
import type { Collateral } from "./collateral.ts";
import { readCrl } from "./crl.ts";
import { sortedSerials } from "./crlOrder.ts";
import { readQeIdentity } from "./qeIdentity.ts";
import { readTcbInfo } from "./tcbInfo.ts";

/** How an item stands on the chain. `newer available`: what is offered says something else. */
export type StepState = "missing" | "revoked" | "expired" | "expires soon" | "newer available" | "current";

/** Dates of an item, in Unix seconds. */
export type Dated = {
  /** Of a certificate its first second. Absent where the chain does not keep it. */
  issuedAt?: number;
  /** The first second at which it is not valid any more. */
  validUntil: number;
  /** Evaluation number, or number of the list. */
  number?: number;
};

/** One item of the plan. */
export type CollateralStep = {
  item: CollateralItemName;
  state: StepState;
  recorded?: Dated;
  offered?: Dated;
  /** What mends it. Absent if nothing is needed, nothing is offered, or the contract would refuse it. */
  call?: CollateralCall;
  /** Why what is offered is of no use, where something is needed. */
  refusal?: string;
};

/** What is offered of one item, and what of it the contract looks at. */
type Offer = Dated & {
  issuedAt: number;
  /** What the chain keeps is not what this says. */
  differs: boolean;
  /** Reasons that are this item's own. */
  flaw?: string | undefined;
};

/** Dates on chain are below this. */
const endOfDates = 2 ** 32;
const maxNumber = 65_535;

/**
 * Plans what to send, in order: authorities, root CRL, PCK CRL, QE identity, TCB info.
 *
 * @param offered - collateral of the platform; without it the plan only says what there is.
 * @param subject - the platform's FMSPC, and the key of the PCK CA that certified it.
 * @param now - Unix seconds of the block that will hold the calls.
 * @param horizonSeconds - what is out of date by then is replaced now.
 * @throws what reading the offered items throws
 * @example
 * const steps = planCollateral(state, collateral, quotePlatformOf(quote), now, 3 * 86_400)
 */
export function planCollateral(
  state: CollateralState,
  offered: Collateral | undefined,
  subject: CollateralSubject,
  now: number,
  horizonSeconds: number,
): CollateralStep[] {
  const offers = offered === undefined ? undefined : readOffers(state, offered, subject);
  const refused = new Set<CollateralItemName>();
  return collateralItems.map((item) => {
    const recorded = recordedOf(state, item);
    const offer = offers?.[item];
    const step: CollateralStep = {
      item,
      state: stateOf(state, item, now, horizonSeconds, offer),
      ...(recorded && { recorded }),
      ...(offer && { offered: datesOf(offer) }),
    };
    if (step.state === "current" || offered === undefined || offer === undefined) return step;
    const signer = signerOf(item);
    const refusal =
      signer !== undefined && refused.has(signer)
        ? `its signer, ${signer}, is not taken`
        : flawOf(state, item, offer, now);
    if (refusal === undefined) return { ...step, call: collateralCall(item, offered) };
    if (step.state === "missing" || step.state === "expired" || step.state === "revoked") refused.add(item);
    return { ...step, refusal };
  });
}

/* WHAT IS OFFERED */

function readOffers(
  state: CollateralState,
  offered: Collateral,
  subject: CollateralSubject,
): Record<CollateralItemName, Offer> {
  const rootCrl = readCrl(offered.rootCaCrl);
  const pckCrl = readCrl(offered.pckCrl);
  const qeIdentity = readQeIdentity(offered.qeIdentity);
  const tcbInfo = readTcbInfo(offered.tcbInfo);
  const pckCa = readCertificate(offered.pckCa);
  const authority = ({ notBefore, notAfter, serial }: Certificate, flaw?: string): Offer => ({
    issuedAt: notBefore,
    validUntil: notAfter + 1,
    differs: false,
    flaw: rootCrl.revoked.includes(serial) ? "the offered root CRL revokes it" : flaw,
  });
  const { x, y } = p256KeyOf(pckCa.publicKey);
  const caFlaw = x === subject.pckCa.x && y === subject.pckCa.y ? undefined : "it is of another CA than the platform's";
  const isOtherPlatform = tcbInfo.fmspc.toLowerCase() !== subject.fmspc.toLowerCase();
  return {
    pckCa: authority(pckCa, caFlaw),
    tcbSigning: authority(readCertificate(offered.tcbSigning)),
    rootCrl: {
      ...crlDates(rootCrl),
      differs: state.authorities.some(({ serial, revoked }) => !revoked && rootCrl.revoked.includes(serial)),
    },
    pckCrl: {
      ...crlDates(pckCrl),
      differs: state.pckCrl?.content !== `0x${sortedSerials(pckCrl.revoked).toHex()}`,
      flaw: caFlaw,
    },
    qeIdentity: {
      ...jsonDates(qeIdentity),
      differs: qeIdentity.evaluationNumber > (state.qeIdentity?.number ?? 0),
    },
    tcbInfo: {
      ...jsonDates(tcbInfo),
      differs: state.tcbInfo?.content.slice(0, 66) !== contentHash(offered.tcbInfo),
      flaw: isOtherPlatform ? `it is of FMSPC ${tcbInfo.fmspc}` : undefined,
    },
  };
}

function crlDates(crl: { thisUpdate: number; nextUpdate: number; number: bigint }) {
  return { issuedAt: crl.thisUpdate, validUntil: crl.nextUpdate, number: Number(crl.number) };
}

function jsonDates(json: { issueDate: number; nextUpdate: number; evaluationNumber: number }) {
  return { issuedAt: json.issueDate, validUntil: json.nextUpdate, number: json.evaluationNumber };
}

/** What the contract compares to see that only dates are new: all from the key `fmspc` on. */
function contentHash(tcbInfo: Uint8Array): Hex {
  const start = new TextDecoder("latin1").decode(tcbInfo).indexOf('"fmspc":');
  return keccak256(tcbInfo.subarray(Math.max(0, start)));
}

function datesOf({ issuedAt, validUntil, number }: Offer): Dated {
  return { issuedAt, validUntil, ...(number !== undefined && { number }) };
}

/* WHAT IS RECORDED */

function isAuthority(item: CollateralItemName): item is "pckCa" | "tcbSigning" {
  return item === "pckCa" || item === "tcbSigning";
}

function signerOf(item: CollateralItemName): "pckCa" | "tcbSigning" | undefined {
  if (item === "pckCrl") return "pckCa";
  return item === "qeIdentity" || item === "tcbInfo" ? "tcbSigning" : undefined;
}

function recordedOf(state: CollateralState, item: CollateralItemName): Dated | undefined {
  if (isAuthority(item)) return state[item] && { validUntil: Number(state[item].notAfter) + 1 };
  const recorded = state[item];
  return recorded && { issuedAt: recorded.issuedAt, validUntil: recorded.nextUpdate, number: recorded.number };
}

function stateOf(
  state: CollateralState,
  item: CollateralItemName,
  now: number,
  horizonSeconds: number,
  offer: Offer | undefined,
): StepState {
  const recorded = recordedOf(state, item);
  if (recorded === undefined) return "missing";
  if (isRevoked(state, item)) return "revoked";
  if (recorded.validUntil <= now) return "expired";
  if (recorded.validUntil <= now + horizonSeconds) return "expires soon";
  const isNewer = offer !== undefined && recorded.issuedAt !== undefined && offer.issuedAt > recorded.issuedAt;
  return isNewer && offer.differs ? "newer available" : "current";
}

/** An authority on the root CRL, and whatever such a one signed. */
function isRevoked(state: CollateralState, item: CollateralItemName): boolean {
  if (isAuthority(item)) return state[item]?.revoked === true;
  const signer = (state[item] as RecordedItem | undefined)?.signer;
  return state.authorities.some(
    ({ authorityNumber, revoked }: RecordedAuthority) => authorityNumber === signer && revoked,
  );
}

/* WHAT THE CONTRACT WOULD REFUSE, IN ITS ORDER */

function flawOf(state: CollateralState, item: CollateralItemName, offer: Offer, now: number): string | undefined {
  if (isAuthority(item) && state[item]?.revoked === true) return "a root CRL has revoked it for ever";
  if (offer.flaw !== undefined) return offer.flaw;
  if (offer.validUntil > endOfDates && !isAuthority(item)) return "its dates are beyond 2106";
  if (offer.issuedAt > now) return "it is not valid yet";
  if (offer.validUntil <= now) return "it has expired";
  return isAuthority(item) ? staleCertificate(state[item], offer) : staleItem(state, item, offer);
}

function staleCertificate(recorded: RecordedAuthority | undefined, offer: Offer): string | undefined {
  const isLonger = recorded === undefined || offer.validUntil > Number(recorded.notAfter) + 1;
  return isLonger ? undefined : "the recorded certificate is valid as long";
}

function staleItem(
  state: CollateralState,
  item: "rootCrl" | "pckCrl" | "qeIdentity" | "tcbInfo",
  offer: Offer,
): string | undefined {
  const recorded = state[item];
  const number = offer.number ?? 0;
  const minimum = signerOf(item) === "tcbSigning" ? state.minimumEvaluationNumber : 0;
  if (recorded !== undefined && offer.issuedAt <= recorded.issuedAt)
    return offer.issuedAt === recorded.issuedAt ? "it is what is recorded" : "it is older than what is recorded";
  if (recorded !== undefined && number < recorded.number)
    return `its number, ${number}, is below the recorded ${recorded.number}`;
  if (number < minimum || number > maxNumber) return `its number, ${number}, is not within ${minimum} to ${maxNumber}`;
  return undefined;
}
