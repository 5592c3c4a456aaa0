/**
 * What a job costs in iExec's PoCo Boost: its life in two transactions, by the contracts in the npm package @iexec/poco,
 * on the same chain and with the same token as ours. The cheapest of its flows; one data set, a TEE task.
 * Their source says the Boost facet is not deployed anywhere yet.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import {
  type Abi,
  type Address,
  encodePacked,
  type Hex,
  keccak256,
  toFunctionSelector,
  zeroAddress,
  zeroHash,
} from "viem";
import { hardhat } from "viem/chains";
import { testAccount } from "../test/support/chain.ts";
import { abiOf, type BenchChain, type Measured, startBenchChain } from "./benchChain.ts";

type Artifact = {
  abi: Abi;
  bytecode: Hex;
  linkReferences?: Record<string, Record<string, { start: number; length: number }[]>>;
};

const require = createRequire(import.meta.url);
const roles = [0, 1, 2, 3, 4, 5].map(testAccount) as [A, A, A, A, A, A];
type A = ReturnType<typeof testAccount>;
const [requester, appOwner, datasetOwner, scheduler, worker, enclave] = roles;
const teeTag = "0x0000000000000000000000000000000000000000000000000000000000000001";
const datasetPrice = 1_000_000n;
const poolPrice = 500_000n;

/** A job by accounts that have been paid before, by orders that were used before, and its two transactions; a first job. */
export async function pocoBoostGas(): Promise<Measured[]> {
  const bench = await startBenchChain();
  const { poco, entries } = await deployPoco(bench);
  const abi = (await artifact("contracts/facets/IexecPocoBoostFacet.sol/IexecPocoBoostFacet")).abi;

  async function run(salt: bigint, ids: { match?: string; push?: string }): Promise<number> {
    const orders = await signOrders(poco, entries, salt);
    const { result } = await bench.chain.simulateContract({
      account: requester,
      address: poco,
      abi,
      functionName: "matchOrdersBoost",
      args: orders,
    });
    const dealId = result as Hex;
    const note = (id: string | undefined) => (id === undefined ? {} : { id });
    const call = { to: poco, abi, ...note(ids.match) };
    const matching = await bench.send({ ...call, from: requester, functionName: "matchOrdersBoost", args: orders });
    const taskId = keccak256(encodePacked(["bytes32", "uint256"], [dealId, 0n]));
    const resultBytes = keccak256("0x03");
    const raw = (types: readonly string[], values: readonly unknown[]) => ({
      raw: keccak256(encodePacked(types, values)),
    });
    const authorization = await scheduler.signMessage({
      message: raw(["address", "bytes32", "address"], [worker.address, taskId, enclave.address]),
    });
    const enclaveSignature = await enclave.signMessage({
      message: raw(["address", "bytes32", "bytes32"], [worker.address, taskId, keccak256(resultBytes)]),
    });
    const args = [dealId, 0n, resultBytes, "0x", authorization, enclave.address, enclaveSignature];
    const push = { to: poco, abi, ...note(ids.push) };
    return matching + (await bench.send({ ...push, from: worker, functionName: "pushResultBoost", args }));
  }

  const first = await run(1n, {});
  const gas = await run(2n, { match: "poco.boost.job.matchOrders", push: "poco.boost.job.pushResult" });
  return [...bench.measured, { id: "poco.boost.job.cold", gas: first }, { id: "poco.boost.job", gas }];
}

/* DEPLOYMENT */

type Entries = { app: Address; dataset: Address; pool: Address };

async function deployPoco(bench: BenchChain): Promise<{ poco: Address; entries: Entries }> {
  const put = async (path: string, args: readonly unknown[] = [], libraries: Record<string, Address> = {}) => {
    const { abi, bytecode, linkReferences } = await artifact(path);
    return await bench.deployCode({ abi, bytecode: link(bytecode, linkReferences ?? {}, libraries) }, args);
  };
  const orders = await put("contracts/libs/IexecLibOrders_v5.sol/IexecLibOrders_v5");
  const cuts = [];
  const abis: Abi[] = [];
  for (const path of [
    "contracts/facets/IexecConfigurationFacet.sol/IexecConfigurationFacet",
    "contracts/facets/IexecCategoryManagerFacet.sol/IexecCategoryManagerFacet",
    "contracts/facets/IexecEscrowTokenFacet.sol/IexecEscrowTokenFacet",
    "contracts/facets/IexecPocoBoostFacet.sol/IexecPocoBoostFacet",
    ownershipFacet,
  ]) {
    const { abi } = await artifact(path);
    const functionSelectors = abi.filter((item) => item.type === "function").map(toFunctionSelector);
    const facetAddress = await put(path, [], { IexecLibOrders_v5: orders });
    cuts.push({ facetAddress, action: 0, functionSelectors });
    abis.push(abi);
  }
  const owner = testAccount(0).address;
  const poco = await put("contracts/Diamond.sol/Diamond", [cuts, { owner, init: zeroAddress, initCalldata: "0x" }]);
  const token = await bench.deploy("mocks/TestToken.sol/TestToken");
  const tokenAbi = await abiOf("mocks/TestToken.sol/TestToken");

  const registries: Address[] = [];
  const entries: Address[] = [];
  const multiaddr = "0x68747470733a2f2f6578616d706c652e6f7267";
  for (const [name, method, args] of [
    ["apps/AppRegistry", "createApp", [appOwner.address, "yearly", "DOCKER", multiaddr, keccak256("0x01"), "0x02"]],
    ["datasets/DatasetRegistry", "createDataset", [datasetOwner.address, "co2", multiaddr, keccak256("0x02")]],
    ["workerpools/WorkerpoolRegistry", "createWorkerpool", [scheduler.address, "pool"]],
  ] as const) {
    const path = `contracts/registries/${name}.sol/${name.split("/")[1]}`;
    const registry = await put(path);
    const { abi } = await artifact(path);
    await bench.send({ to: registry, abi, functionName: "initialize", args: [zeroAddress] });
    const call = { abi, functionName: method, args };
    const { result } = await bench.chain.simulateContract({ ...call, account: owner, address: registry });
    await bench.send({ ...call, to: registry });
    registries.push(registry);
    entries.push(result as Address);
  }

  const abi = abis.flat();
  const configuration = [token, "Staked RLC", "SRLC", 6, ...registries, zeroAddress];
  await bench.send({ to: poco, abi, functionName: "configure", args: configuration });
  await bench.send({ to: poco, abi, functionName: "createCategory", args: ["XS", "{}", 300n] });
  for (const from of [requester, scheduler]) {
    await bench.send({ to: token, abi: tokenAbi, functionName: "mint", args: [from.address, 100_000_000n] });
    await bench.send({ from, to: token, abi: tokenAbi, functionName: "approve", args: [poco, 100_000_000n] });
    await bench.send({ from, to: poco, abi, functionName: "deposit", args: [50_000_000n] });
  }
  const [app, dataset, pool] = entries as [Address, Address, Address];
  return { poco, entries: { app, dataset, pool } };
}

/** Its artifact is of another package: it comes with the deployments. */
const ownershipFacet = "OwnershipFacet";

async function artifact(path: string): Promise<Artifact> {
  const file = path === ownershipFacet ? `deployments/arbitrum/${path}` : `artifacts/${path}`;
  return JSON.parse(await readFile(require.resolve(`@iexec/poco/${file}.json`), "utf8")) as Artifact;
}

function link(code: Hex, references: NonNullable<Artifact["linkReferences"]>, libraries: Record<string, Address>): Hex {
  let linked = code.slice(2);
  for (const [name, places] of Object.values(references).flatMap(Object.entries)) {
    const address = libraries[name];
    if (address === undefined) throw new Error(`no address for library ${name}`);
    for (const { start, length } of places) {
      linked = linked.slice(0, start * 2) + address.slice(2) + linked.slice((start + length) * 2);
    }
  }
  return `0x${linked}`;
}

/* ORDERS; types as in IexecLibOrders_v5.sol */

const field = (list: string) =>
  list.split(",").map((entry) => {
    const [type, name] = entry.trim().split(" ") as [string, string];
    return { name, type };
  });
const restrictions = "address apprestrict,address datasetrestrict,address workerpoolrestrict,address requesterrestrict";
const restrictionsBut = (name: string) => restrictions.replace(`address ${name},`, "").replace(`,address ${name}`, "");
const orderTypes = {
  AppOrder: field(
    `address app,uint256 appprice,uint256 volume,bytes32 tag,${restrictionsBut("apprestrict")},bytes32 salt`,
  ),
  DatasetOrder: field(
    `address dataset,uint256 datasetprice,uint256 volume,bytes32 tag,${restrictionsBut("datasetrestrict")},bytes32 salt`,
  ),
  WorkerpoolOrder: field(
    `address workerpool,uint256 workerpoolprice,uint256 volume,bytes32 tag,uint256 category,uint256 trust,${restrictionsBut("workerpoolrestrict")},bytes32 salt`,
  ),
  RequestOrder: field(
    "address app,uint256 appmaxprice,address dataset,uint256 datasetmaxprice,address workerpool,uint256 workerpoolmaxprice,address requester,uint256 volume,bytes32 tag,uint256 category,uint256 trust,address beneficiary,address callback,string params,bytes32 salt",
  ),
};

/** The four orders of one deal; app, data set and pool offer 100 uses each, so that only the request is new to a job. */
async function signOrders(poco: Address, { app, dataset, pool }: Entries, salt: bigint): Promise<readonly unknown[]> {
  const domain = { name: "iExecODB", version: "5.0.0", chainId: hardhat.id, verifyingContract: poco };
  const free = {
    volume: 100n,
    tag: teeTag,
    apprestrict: zeroAddress,
    datasetrestrict: zeroAddress,
    workerpoolrestrict: zeroAddress,
    requesterrestrict: zeroAddress,
    salt: zeroHash,
  };
  const sign = async (account: A, primaryType: keyof typeof orderTypes, message: Record<string, unknown>) => ({
    ...message,
    sign: await account.signTypedData({ domain, types: orderTypes, primaryType, message }),
  });
  return [
    await sign(appOwner, "AppOrder", { ...free, app, appprice: 0n }),
    await sign(datasetOwner, "DatasetOrder", { ...free, dataset, datasetprice: datasetPrice }),
    await sign(scheduler, "WorkerpoolOrder", {
      ...free,
      workerpool: pool,
      workerpoolprice: poolPrice,
      category: 0n,
      trust: 0n,
    }),
    await sign(requester, "RequestOrder", {
      app,
      appmaxprice: 0n,
      dataset,
      datasetmaxprice: datasetPrice,
      workerpool: pool,
      workerpoolmaxprice: poolPrice,
      requester: requester.address,
      volume: 1n,
      tag: teeTag,
      category: 0n,
      trust: 0n,
      beneficiary: requester.address,
      callback: zeroAddress,
      params: '{"column":"CO2","by":"year"}',
      salt: `0x${salt.toString(16).padStart(64, "0")}`,
    }),
  ];
}
