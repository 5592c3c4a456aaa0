/**
 * Room: enclave/chain. How the sender sends: from which wallet, how much it may cost, how long it may take.
 */
import type { Address, Hex, LocalAccount } from "viem";
import type { RpcClient } from "../../protocol/chain/rpc.ts";

/** One call to a contract. */
export type Call = { to: Address; data: Hex; value?: bigint };

/** How to send. Times in milliseconds. */
export type SenderOptions = {
  client: RpcClient;
  /** The gas wallet. */
  account: LocalAccount;
  /** Of the deployment; every signature is bound to it. */
  chainId: number;
  /** Blocks that a receipt must be deep; 1 is the block that it is in. */
  confirmations: number;
  /** Most wei ever offered per unit of gas. */
  maxFeePerGas: bigint;
  pollMs?: number;
  /** Without a receipt for so long, the fees are raised. */
  bumpAfterMs?: number;
  /** Without a confirmed receipt for so long, the sender gives up. */
  giveUpMs?: number;
  timeoutMs?: number;
  signal?: AbortSignal;
};

/** The options with what they are unless told. */
export type SendSettings = Required<Omit<SenderOptions, "client">>;
