/**
 * Room: scripts/conformance. Hardhat's in-process EVM standing at one time: every block, and every call, has it.
 */
import { readFile } from "node:fs/promises";
import { network } from "hardhat";
import { type Abi, type Address, decodeErrorResult, encodeDeployData, type Hex } from "viem";
import { tdxCollateralAbi, tdxVerifierAbi } from "../../protocol/abi.ts";
import { wordFor } from "../../protocol/contractEnums.ts";
import { BaseError } from "../../protocol/errors.ts";

/** Most that a transaction may use. Source: EIP-7825. */
const gasCap = "0x1000000";
const errorAbi = [...tdxCollateralAbi, ...tdxVerifierAbi].filter((item) => item.type === "error");

/** An EVM. */
export type Evm = {
  /** Deploys from Hardhat's artifact, e.g. "attestation/TdxVerifier.sol/TdxVerifier". */
  deploy(artifact: string, args: readonly unknown[]): Promise<Address>;
  /** What a call returns. Throws {@link RevertedCallError}. */
  call(to: Address, data: Hex): Promise<Hex>;
  code(of: Address): Promise<Hex>;
  /** Mines a transaction, reverting or not; gas of all of it. */
  send(to: Address, data: Hex): Promise<{ ok: boolean; gasUsed: number }>;
  /** Runs something and undoes what it did to the chain. */
  undoing<T>(run: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

/**
 * Starts an EVM at a time.
 *
 * @param at - Unix seconds, at least 1.
 * @param hardfork - its rules; those of `prague` have no P-256 precompile.
 * @example
 * const evm = await startEvm(1_786_621_538)
 */
export async function startEvm(at: number, hardfork: "osaka" | "prague" = "osaka"): Promise<Evm> {
  const { provider, close } = await network.create({
    network: "default",
    override: {
      hardfork,
      initialDate: new Date((at - 1) * 1000),
      allowBlocksWithSameTimestamp: true,
      throwOnTransactionFailures: false,
    },
  });
  const request = async <T>(method: string, params: unknown[]) => (await provider.request({ method, params })) as T;
  const [from] = await request<Address[]>("eth_accounts", []);
  const mine = async (transaction: { to?: Address; data: Hex }) => {
    await request("evm_setNextBlockTimestamp", [at]);
    const hash = await request<Hex>("eth_sendTransaction", [{ from, gas: gasCap, ...transaction }]);
    type Receipt = { status: Hex; gasUsed: Hex; contractAddress: Address };
    return await request<Receipt>("eth_getTransactionReceipt", [hash]);
  };
  return {
    async deploy(artifact, args) {
      const url = new URL(`../../artifacts/contracts/${artifact}.json`, import.meta.url);
      const { abi, bytecode } = JSON.parse(await readFile(url, "utf8")) as { abi: Abi; bytecode: Hex };
      const receipt = await mine({ data: encodeDeployData({ abi, bytecode, args }) });
      if (receipt.status !== "0x1") throw new NotDeployedError(artifact);
      return receipt.contractAddress;
    },
    async call(to, data) {
      try {
        return await request<Hex>("eth_call", [{ from, to, data, gas: gasCap }, "latest"]);
      } catch (cause) {
        const revert = revertData(cause);
        if (revert === undefined) throw cause;
        throw new RevertedCallError(revert);
      }
    },
    code: (of) => request("eth_getCode", [of, "latest"]),
    async send(to, data) {
      const { status, gasUsed } = await mine({ to, data });
      return { ok: status === "0x1", gasUsed: Number(gasUsed) };
    },
    async undoing(run) {
      const snapshot = await request("evm_snapshot", []);
      try {
        return await run();
      } finally {
        await request("evm_revert", [snapshot]);
      }
    },
    close,
  };
}

/** The data of a revert; undefined if the error is none. */
function revertData(cause: unknown): Hex | undefined {
  const data = cause instanceof Error && "data" in cause ? cause.data : undefined;
  const hex = typeof data === "object" && data !== null && "data" in data ? data.data : data;
  return typeof hex === "string" && /^0x[0-9a-f]*$/i.test(hex) ? (hex as Hex) : undefined;
}

/** A contract refused a call. */
export class RevertedCallError extends BaseError {
  override readonly name = "Conformance.RevertedCallError";
  /** The contract's error; undefined if it has no name: every refusal ought to have one. */
  readonly errorName: string | undefined;
  readonly args: readonly unknown[];
  constructor(data: Hex) {
    const { errorName, args, text } = describe(data);
    super(text, { hint: "docs/errors.md says what each error of the contracts means." });
    this.errorName = errorName;
    this.args = args;
  }
}

function describe(data: Hex): { errorName: string | undefined; args: readonly unknown[]; text: string } {
  try {
    const { errorName, args = [], abiItem } = decodeErrorResult({ abi: errorAbi as Abi, data });
    const inputs = abiItem.type === "error" ? abiItem.inputs : [];
    const shown = args
      .map((value, i) => `${inputs[i]?.name ?? i}: ${wordFor(inputs[i]?.internalType, value)}`)
      .join(", ");
    return { errorName, args, text: `${errorName}(${shown})` };
  } catch {
    return { errorName: undefined, args: [], text: `reverted without a typed error (${data.slice(0, 10)})` };
  }
}

/** A contract cannot be deployed. */
export class NotDeployedError extends BaseError {
  override readonly name = "Conformance.NotDeployedError";
  constructor(artifact: string) {
    super(`${artifact} reverted at its deployment.`, { hint: "Check that --root is a P-256 certificate." });
  }
}
