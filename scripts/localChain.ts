/**
 * A real Hardhat node behind HTTP: the chain of `npm start`, `npm run dev` and of the tests that need one.
 */
import { network } from "hardhat";
import {
  bytesToHex,
  createPublicClient,
  createTestClient,
  createWalletClient,
  type Hex,
  http,
  publicActions,
  walletActions,
} from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { hardhat } from "viem/chains";

const mnemonic = "test test test test test test test test test test test junk";

/** A running node. `account(i)` are Hardhat's funded accounts. */
export type TestChain = Awaited<ReturnType<typeof startChain>>;

/** The i-th funded account of the node. */
export function testAccount(index: number) {
  return mnemonicToAccount(mnemonic, { addressIndex: index });
}

/** The private key of the i-th funded account: worth nothing, everybody knows it. */
export function testPrivateKey(index: number): Hex {
  const { privateKey } = testAccount(index).getHdKey();
  if (privateKey === null) throw new Error("the development mnemonic has private keys");
  return bytesToHex(privateKey);
}

/**
 * Starts a node on a free port of 127.0.0.1.
 *
 * @example
 * const chain = await startChain();
 * after(() => chain.close());
 */
export async function startChain() {
  const server = await network.createServer({ network: "node" }, "127.0.0.1", 0);
  const { port } = await server.listen();
  const rpcUrl = `http://127.0.0.1:${port}`;
  const transport = http(rpcUrl, { retryCount: 0 });
  const options = { chain: hardhat, transport, pollingInterval: 50, cacheTime: 0 } as const;
  const reader = createPublicClient(options);
  /** Mining, time, snapshots (a snapshot reverted and mined over is a real reorg for every client). */
  const control = createTestClient({ ...options, mode: "hardhat" })
    .extend(publicActions)
    .extend(walletActions);
  // Hardhat starts every node at the time at which it was itself loaded: later ones of a process would be behind.
  const behind = Math.floor(Date.now() / 1000) - Number((await reader.getBlock()).timestamp);
  if (behind > 0) await control.increaseTime({ seconds: behind });
  return {
    rpcUrl,
    public: reader,
    wallet: (index: number) => createWalletClient({ ...options, account: testAccount(index) }),
    control,
    close: () => server.close(),
  };
}
