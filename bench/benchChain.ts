/** An in-process chain on which transactions are counted: gas as their receipts say, calldata and all. */
import { readFile } from "node:fs/promises";
import { network } from "hardhat";
import {
  type Abi,
  type Address,
  createPublicClient,
  createWalletClient,
  custom,
  encodeFunctionData,
  type Hex,
  type PublicClient,
  type WalletClient,
} from "viem";
import { hardhat } from "viem/chains";
import { type DeployClients, deployContract } from "../deploy/deployContracts.ts";
import { testAccount } from "../test/support/chain.ts";

type Account = ReturnType<typeof testAccount>;

/** 2026-09-01 00:00:00 UTC: the same in every run, so that the figures are. */
const defaultTime = 1_788_220_800;

/** What one transaction used. */
export type Measured = { id: string; gas: number };

/** A call, and under which id to note what it used; without one it is not noted. */
export type Call = {
  from?: Account;
  to: Address;
  abi: Abi;
  functionName: string;
  args: readonly unknown[];
  value?: bigint;
  id?: string;
};

export type BenchChain = {
  chain: PublicClient;
  measured: Measured[];
  deploy(artifact: string, args?: readonly unknown[]): Promise<Address>;
  /** Deploys what another package brings. */
  deployCode(code: { abi: Abi; bytecode: Hex }, args?: readonly unknown[]): Promise<Address>;
  /** Sends a call and returns its gas; a revert is an error. */
  send(call: Call): Promise<number>;
  /** Has the next transaction at this time, or that much later. Unix seconds, seconds. */
  setTime(at: number): void;
  increaseTime(seconds: number): void;
};

/**
 * Starts a chain.
 *
 * @param options - `initialTime` in Unix seconds; `hardfork` "prague" is one without the P-256 precompile.
 */
export async function startBenchChain(
  options: { initialTime?: number; hardfork?: "osaka" | "prague" } = {},
): Promise<BenchChain> {
  const { provider } = await network.create({
    override: {
      hardfork: options.hardfork ?? "osaka",
      initialDate: new Date((options.initialTime ?? defaultTime) * 1000),
    },
  });
  const transport = custom(provider);
  const chain: PublicClient = createPublicClient({ chain: hardhat, transport, pollingInterval: 10, cacheTime: 0 });
  const walletOf = (account: Account) => createWalletClient({ account, chain: hardhat, transport });
  const deployer: WalletClient = walletOf(testAccount(0));
  // A second a transaction, not the clock's: block hashes are in calldata, and gas would follow the machine's speed.
  let time = options.initialTime ?? defaultTime;
  const tick = () => provider.request({ method: "evm_setNextBlockTimestamp", params: [`0x${(++time).toString(16)}`] });
  const measured: Measured[] = [];
  return {
    chain,
    measured,
    async deploy(artifact, args = []) {
      await tick();
      return await deployContract({ wallet: deployer, chain } as DeployClients, artifact, args);
    },
    async deployCode(code, args = []) {
      await tick();
      const hash = await deployer.deployContract({ ...code, args, account: testAccount(0), chain: hardhat });
      const { contractAddress } = await chain.waitForTransactionReceipt({ hash });
      if (contractAddress == null) throw new Error("the code was not deployed");
      return contractAddress;
    },
    async send({ from = testAccount(0), to, abi, functionName, args, value = 0n, id }) {
      const data = encodeFunctionData({ abi, functionName, args });
      await tick();
      const hash = await walletOf(from).sendTransaction({ to, data, value });
      const receipt = await chain.waitForTransactionReceipt({ hash });
      if (receipt.status !== "success") throw new Error(`${functionName} was reverted`);
      const gas = Number(receipt.gasUsed);
      if (id !== undefined) measured.push({ id, gas });
      return gas;
    },
    setTime(at) {
      time = at;
    },
    increaseTime(seconds) {
      time += seconds;
    },
  };
}

/** The ABI in a contract's artifact. */
export async function abiOf(artifact: string): Promise<Abi> {
  const url = new URL(`../artifacts/contracts/${artifact}.json`, import.meta.url);
  return (JSON.parse(await readFile(url, "utf8")) as { abi: Abi }).abi;
}
