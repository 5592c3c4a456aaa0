/**
 * Room: sdk/tokens. The native coin and ERC-20 tokens: what they are called, how amounts are written, how one pays.
 * A token is a stranger's contract: its text is cleaned, its decimals are bounded.
 */
import {
  type Address,
  domainSeparator,
  erc20Abi,
  formatUnits,
  type Hex,
  isAddressEqual,
  parseAbi,
  zeroAddress,
} from "viem";
import { BaseError } from "../protocol/errors.ts";
import { ContractRefusedError, NoContractError } from "./chainErrors.ts";
import type { Client } from "./client.ts";
import { plainText } from "./plainText.ts";
import { read } from "./send.ts";

/** What is needed to write amounts; `address` is zero for the native coin. */
export type Token = { address: Address; symbol: string; decimals: number };

/** The EIP-712 domain of a token. */
export type TokenDomain = { name: string; version: string; chainId: number; verifyingContract: Address };

/** The parts of ERC-2612 and EIP-5267 that are read. */
const permitAbi = parseAbi([
  "function nonces(address owner) view returns (uint256)",
  "function name() view returns (string)",
  "function version() view returns (string)",
  "function DOMAIN_SEPARATOR() view returns (bytes32)",
  "function eip712Domain() view returns (bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)",
]);

/** The errors of OpenZeppelin's ERC-20, decoded when the market's call fails in the token. */
export const tokenErrorsAbi = parseAbi([
  "error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
  "error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
  "error SafeERC20FailedOperation(address token)",
]);

/**
 * Symbol and decimals of a token.
 *
 * @param address - zero for the native coin.
 * @throws {@link NotATokenError} | RpcError
 * @example
 * const { symbol, decimals } = await tokenOf(client, zeroAddress)
 */
export async function tokenOf(client: Client, address: Address): Promise<Token> {
  if (address === zeroAddress) return { address, symbol: "native", decimals: 18 };
  const call = { address, abi: erc20Abi, args: [] } as const;
  const decimals = await read(client, { ...call, functionName: "decimals" }).catch((cause) => {
    throw cause instanceof NoContractError || cause instanceof ContractRefusedError
      ? new NotATokenError(address)
      : cause;
  });
  if (decimals > 36) throw new NotATokenError(address);
  const symbol = await read(client, { ...call, functionName: "symbol" }).catch(() => ""); // optional in ERC-20
  return { address, symbol: plainText(symbol, 16).trim() || "token", decimals };
}

/**
 * Reads an amount in whole token units, like "2.50".
 *
 * @returns base units.
 * @throws {@link BadAmountError}
 * @example
 * parseAmount("2.50", token) // 2500000n with six decimals
 */
export function parseAmount(text: string, token: Token): bigint {
  const match = /^([0-9]{1,60})(?:\.([0-9]{1,36}))?$/.exec(text);
  const [, whole = "", fraction = ""] = match ?? [];
  if (match === null || fraction.length > token.decimals) throw new BadAmountError(text, token);
  const amount = BigInt(whole + fraction.padEnd(token.decimals, "0"));
  if (amount >= 2n ** 256n) throw new BadAmountError(text, token);
  return amount;
}

/**
 * Writes an amount for people: whole units and the symbol.
 *
 * @example
 * formatAmount(2500000n, token) // "2.5 tUSD"
 */
export function formatAmount(amount: bigint, token: Token): string {
  return `${formatUnits(amount, token.decimals)} ${token.symbol}`;
}

/**
 * The EIP-712 domain of a token that takes signatures (ERC-2612, EIP-3009), as its EIP-5267 tells it, or as its
 * DOMAIN_SEPARATOR proves it. It names the token: a lie could only make a signature that is worth nothing.
 *
 * @returns undefined if it has none, or none that can be guessed.
 * @example
 * const domain = await tokenDomainOf(client, token)
 */
export async function tokenDomainOf(client: Client, token: Address): Promise<TokenDomain | undefined> {
  const call = { address: token, abi: permitAbi, args: [] } as const;
  const told = await read(client, { ...call, functionName: "eip712Domain" }).catch(refusedAsNothing);
  if (told !== undefined) {
    const [fields, name, version, chainId, verifyingContract, , extensions] = told;
    const usual = fields === "0x0f" && extensions.length === 0 && isAddressEqual(verifyingContract, token);
    if (!usual || chainId !== BigInt(client.deployment.chainId)) return undefined;
    return { name, version, chainId: client.deployment.chainId, verifyingContract: token };
  }
  try {
    const separator: Hex = await read(client, { ...call, functionName: "DOMAIN_SEPARATOR" });
    const name = await read(client, { ...call, functionName: "name" });
    const version = await read(client, { ...call, functionName: "version" }).catch(() => "1");
    const domain = { name, version, chainId: client.deployment.chainId, verifyingContract: token };
    return domainSeparator({ domain }) === separator ? domain : undefined;
  } catch (error) {
    if (error instanceof NoContractError || error instanceof ContractRefusedError) return undefined;
    throw error;
  }
}

/**
 * The next ERC-2612 nonce of an account.
 *
 * @returns undefined if the token takes no permits.
 * @example
 * const nonce = await permitNonceOf(client, token, me)
 */
export async function permitNonceOf(client: Client, token: Address, account: Address): Promise<bigint | undefined> {
  const call = { address: token, abi: permitAbi, functionName: "nonces", args: [account] } as const;
  return await read(client, call).catch(refusedAsNothing);
}

/** A token that does not answer has no such function. */
function refusedAsNothing(error: unknown): undefined {
  if (!(error instanceof NoContractError || error instanceof ContractRefusedError)) throw error;
}

/** The address is not an ERC-20 token. */
export class NotATokenError extends BaseError {
  override readonly name = "Tokens.NotATokenError";
  constructor(address: Address) {
    super(`${address} is not an ERC-20 token with at most 36 decimals.`, {
      hint: "Check the address, and that the token is on the deployment's chain. Leave it out for the native coin.",
    });
  }
}

/** The amount cannot be read. */
export class BadAmountError extends BaseError {
  override readonly name = "Tokens.BadAmountError";
  constructor(text: string, token: Token) {
    super(`${JSON.stringify(plainText(text, 40))} is not an amount of ${token.symbol}.`, {
      hint: `Write whole units with at most ${token.decimals} decimals, like 2.50.`,
    });
  }
}
