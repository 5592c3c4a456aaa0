/** The keeper of collateral against the real contracts: what it sends, how often, and what it never sends. */
import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { decodeFunctionData } from "viem";
import { deployContracts } from "../../../deploy/deployContracts.ts";
import { openChainCalls } from "../../../enclave/chain/chainCalls.ts";
import { InsufficientGasMoneyError, type Sender } from "../../../enclave/chain/sender.ts";
import {
  CollateralMissingError,
  createCollateralKeeper,
  type KeeperPorts,
  NothingProvenError,
  UnusableCollateralError,
} from "../../../enclave/collateral/collateralKeeper.ts";
import { tdxCollateralAbi } from "../../../protocol/abi.ts";
import type { Collateral } from "../../../protocol/collateral/collateral.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { createPlatform, type Platform } from "../../../simulator/platform.ts";
import { startChain, type TestChain, testAccount } from "../../support/chain.ts";
import { rejection } from "../../support/rejection.ts";

const day = 86_400;

describe("createCollateralKeeper", () => {
  let chain: TestChain;
  let platform: Platform;
  let deployment: Deployment;
  let quote: Uint8Array;
  beforeEach(async () => {
    chain = await startChain();
    const appCompose = await readFile(new URL("../../../deploy/app-compose.json", import.meta.url), "utf8");
    platform = createPlatform({ appCompose, seed: new Uint8Array(32).fill(9) });
    quote = platform.quote(new Uint8Array(64));
    const clients = { wallet: chain.wallet(0), chain: chain.public };
    deployment = await deployContracts(clients, { rootKey: platform.rootKey, maxLifeSeconds: 604_800n });
  });
  afterEach(() => chain.close());

  const timestamp = async () => (await chain.public.getBlock()).timestamp;
  const pass = async (seconds: number) => {
    await chain.control.increaseTime({ seconds });
    await chain.control.mine({ blocks: 1 });
  };

  /** A keeper that fetches what `offer` gives, and sends from an account of the node. */
  function keeperOf(offer: (() => Promise<Collateral>) | undefined, changes: Partial<KeeperPorts> = {}) {
    const sent: string[] = [];
    const problems: unknown[] = [];
    const wallet = chain.wallet(3);
    const sender: Pick<Sender, "send"> = {
      async send({ to, data }, alreadyDone) {
        if (await alreadyDone()) return { status: "alreadyDone" };
        sent.push(decodeFunctionData({ abi: tdxCollateralAbi, data }).functionName);
        const hash = await wallet.sendTransaction({ to, data, account: testAccount(3) });
        const receipt = await chain.public.waitForTransactionReceipt({ hash });
        return { status: "mined", receipt: { ...receipt, succeeded: receipt.status === "success" } };
      },
    };
    const keeper = createCollateralKeeper({
      chain: openChainCalls(chain.public),
      deployment,
      sender,
      fetch: offer,
      recordedKeyHash: async () => undefined,
      timestamp,
      horizonSeconds: 7 * day,
      recorded: () => {},
      problem: (error) => void problems.push(error),
      ...changes,
    });
    return { keeper, sent, problems };
  }

  /** As issued an hour ago by the chain's clock. */
  const issued = async (options: Parameters<Platform["collateral"]>[0] = {}) =>
    platform.collateral({ now: Number(await timestamp()) - 3600, ...options });

  const all = ["addAuthority", "addAuthority", "upsertRootCrl", "upsertPckCrl", "upsertQeIdentity", "upsertTcbInfo"];
  const dated = all.slice(2);

  it("sends what is missing, in the order that the contract takes, and nothing twice", async () => {
    let asked = 0;
    const { keeper, sent } = keeperOf(async () => {
      asked += 1;
      return issued();
    });
    await rejection(keeper.refresh(), NothingProvenError);
    expect(keeper.until()).to.equal(undefined);
    const proof = await keeper.prove(quote);
    expect(sent).to.deep.equal(all);
    expect(proof.evidence.pckLeaf.length).to.be.greaterThan(1000);
    const until = await keeper.refresh();
    expect(Number(until - (await timestamp()))).to.be.closeTo(30 * day - 3600, 60);
    expect([keeper.until(), sent.length, asked]).to.deep.equal([until, 6, 1]);
  });

  it("refreshes what nears its end, but not for contents that are merely newer", async () => {
    let options = {};
    const { keeper, sent } = keeperOf(() => issued(options));
    await keeper.prove(quote);
    await pass(10 * day);
    options = { tcbInfo: { tcbEvaluationDataNumber: 40 }, statuses: { platform: "OutOfDate" } };
    await keeper.refresh();
    expect(sent).to.deep.equal(all);
    options = {};
    await pass(14 * day);
    await keeper.refresh();
    expect(sent).to.deep.equal([...all, ...dated]);
  });

  it("spends no more on one item than once a day while what is there is good", async () => {
    const { keeper, sent } = keeperOf(() => issued({ lifeSeconds: 3 * day }));
    await keeper.prove(quote);
    for (let hour = 0; hour < 30; hour += 6) {
      await pass(6 * 3600);
      await keeper.refresh();
    }
    expect(sent).to.deep.equal([...all, ...dated]);
  });

  it("goes on with what the chain has while it is good and the server is not, and says so", async () => {
    let failing = false;
    const { keeper, problems } = keeperOf(async () => {
      if (failing) throw new TypeError("not JSON");
      return issued();
    });
    await keeper.prove(quote);
    failing = true;
    await pass(25 * day);
    await keeper.prove(quote);
    expect(problems.map((error) => (error as Error).constructor)).to.deep.equal([UnusableCollateralError]);
    await pass(6 * day);
    const error = await rejection(keeper.refresh(), CollateralMissingError);
    expect(error.items).to.deep.equal(["rootCrl", "pckCrl", "qeIdentity", "tcbInfo"]);
    expect([error.retryable, (error.cause as Error).constructor]).to.deep.equal([true, UnusableCollateralError]);
  });

  it("sends again after a reorganisation dropped what it had sent, within bounds", async () => {
    const { keeper, sent } = keeperOf(() => issued());
    for (let times = 1; times <= 4; times++) {
      const id = await chain.control.snapshot();
      await keeper.prove(quote);
      expect(sent.length).to.equal(6 * times);
      await chain.control.revert({ id });
    }
    await rejection(keeper.prove(quote), CollateralMissingError);
    expect(sent.length).to.equal(24);
  });

  it("says as it is that the wallet is empty, and has spent nothing by that", async () => {
    let empty = true;
    const { address } = testAccount(3);
    const { keeper, sent } = keeperOf(() => issued());
    const poor = keeperOf(() => issued(), {
      sender: {
        async send() {
          if (empty) throw new InsufficientGasMoneyError(address, 2n, 1n);
          return { status: "alreadyDone" };
        },
      },
    });
    for (let times = 0; times < 6; times++) await rejection(poor.keeper.prove(quote), InsufficientGasMoneyError);
    empty = false;
    await keeper.prove(quote);
    expect(sent).to.deep.equal(all);
    await poor.keeper.prove(quote);
  });
});
