/** Values of what plain jobs, grants and receipts do not use. For tests. */
import { zeroHash } from "viem";
import type { Grant, JobOrder, Receipt } from "../../protocol/eip712.ts";

/** Of an order: no offer, no acceptance, one enclave, no session. The payer is the requester: say so beside it. */
export const plainTerms = {
  offerHash: zeroHash,
  bond: 0n,
  acceptBy: 0n,
  quorum: 1,
  session: zeroHash,
} as const satisfies Partial<JobOrder>;

/** Of a grant: priced by use, in its owner's first epoch. */
export const plainGrant = { priceUnit: 0, ownerEpoch: 0 } as const satisfies Partial<Grant>;

/** Of a receipt: nothing is metered, no grant is counted. */
export const plainCounts = { outputRows: 0n, runSeconds: 0, countedGrants: 0 } as const satisfies Partial<Receipt>;
