/** What each step of a job costs. The registry is a double: what an enclave's registration costs is attestation.ts. */
import {
  type Abi,
  type Address,
  type Hex,
  keccak256,
  parseSignature,
  slice,
  stringToHex,
  zeroAddress,
  zeroHash,
} from "viem";
import { hardhat } from "viem/chains";
import { datasetRegistryAbi, jobMarketAbi } from "../protocol/abi.ts";
import {
  domainOf,
  failureCodes,
  type Grant,
  grantTypes,
  hashGrant,
  hashOrder,
  type JobOrder,
  type Receipt,
  receiptStatus,
  receiptTypes,
} from "../protocol/eip712.ts";
import { testAccount } from "../test/support/chain.ts";
import { abiOf, type Measured, startBenchChain } from "./benchChain.ts";

const tokenAbi = await abiOf("mocks/TestToken.sol/TestToken");
const mockAbi = await abiOf("mocks/MockEnclaveRegistry.sol/MockEnclaveRegistry");

const programId = keccak256(stringToHex("program"));
const workloadId = keccak256(stringToHex("workload"));
const params = stringToHex('{"column":"CO2","by":"year"}');
const programUri = "https://example.org/programs/yearly-correlation.json";
const prices = [1_000_000n, 2_000_000n];
const operatorFee = 500_000n;
const failureFee = 100_000n;
const cost = 3_500_000n;

type A = ReturnType<typeof testAccount>;
const [requester, ownerA, ownerB, operator, enclave] = [0, 1, 2, 3, 4].map(testAccount) as [A, A, A, A, A];

type Note = { id?: string; value?: bigint };

/** Lives of jobs, native coin and ERC-20, and every other way they end. */
export async function marketGas(): Promise<Measured[]> {
  const { chain, measured, deploy, send: sendCall, increaseTime } = await startBenchChain();
  const send = (from: A, to: Address, abi: Abi, functionName: string, args: readonly unknown[], note: Note = {}) =>
    sendCall({ from, to, abi, functionName, args, ...note });

  /* SET-UP */

  const enclaves = await deploy("mocks/MockEnclaveRegistry.sol/MockEnclaveRegistry");
  const datasets = await deploy("market/DatasetRegistry.sol/DatasetRegistry");
  const market = await deploy("market/JobMarket.sol/JobMarket", [enclaves, datasets]);
  const token = await deploy("mocks/TestToken.sol/TestToken");
  const domain = domainOf(hardhat.id, market);
  const { timestamp } = await chain.getBlock();

  await send(requester, enclaves, mockAbi, "set", [
    enclave.address,
    {
      operator: operator.address,
      expiresAt: Number(timestamp) + 604_800,
      registeredAtBlock: 1,
      tcbStatus: 1,
      workloadId,
      platformId: slice(workloadId, 0, 16),
      state: 1,
      evidenceHash: slice(workloadId, 0, 16),
    },
  ]);
  await send(requester, token, tokenAbi, "mint", [requester.address, 1_000_000_000n]);

  const metadata = JSON.stringify({
    title: "CO2 concentration at Mauna Loa",
    topic: "climate",
    keywords: ["co2", "keeling"],
    format: "text/csv",
    records: 713,
    licence: "BSD-3-Clause",
  });
  const datasetIds: Hex[] = [];
  for (const owner of [ownerA, ownerB]) {
    const args = [keccak256(owner.address), zeroHash, 20_000n, "https://example.org/blobs/co2.age", metadata] as const;
    const { result } = await chain.simulateContract({
      account: owner,
      address: datasets,
      abi: datasetRegistryAbi,
      functionName: "register",
      args,
    });
    datasetIds.push(result);
    await send(owner, datasets, datasetRegistryAbi, "register", [...args], {
      id: `dataset.register.${datasetIds.length}`,
    });
  }

  /* TERMS */

  let nonce = 0n;
  function makeOrder(payIn: Address): { order: JobOrder; grants: Grant[] } {
    const grants = datasetIds.map((datasetId, i) => ({
      datasetId,
      programId,
      workloadId,
      requester: zeroAddress,
      operator: zeroAddress,
      token: payIn,
      pricePerUse: prices[i] as bigint,
      maxUses: 100n,
      notBefore: 0n,
      notAfter: timestamp + 604_800n,
      resultReaders: [],
      epoch: 0,
      nonce: 0n,
    }));
    const order = {
      requester: requester.address,
      programId,
      workloadId,
      paramsHash: keccak256(params),
      datasets: grants.map((grant) => ({
        datasetId: grant.datasetId,
        grantHash: hashGrant(domain, grant),
        price: grant.pricePerUse,
      })),
      resultKey: workloadId,
      token: payIn,
      operatorFee,
      failureFee,
      operator: zeroAddress,
      deadline: timestamp + 3_600n,
      nonce: nonce++,
    };
    return { order, grants };
  }

  /** Settles what was opened last, as the enclave would have it. */
  async function settle(index: bigint, { order, grants }: ReturnType<typeof makeOrder>, ok: boolean, id: string) {
    const anchor = await chain.getBlock();
    const receipt: Receipt = {
      jobId: hashOrder(domain, order),
      status: ok ? receiptStatus.ok : receiptStatus.failed,
      programId,
      workloadId,
      inputsRoot: keccak256("0x01"),
      grantsRoot: keccak256("0x02"),
      paramsHash: order.paramsHash,
      resultHash: ok ? keccak256("0x03") : zeroHash,
      outputCommitment: ok ? keccak256("0x04") : zeroHash,
      policyHash: keccak256("0x05"),
      fuelUsed: 1_048_576n,
      logRoot: keccak256("0x06"),
      logSize: 12n,
      anchorBlock: anchor.number,
      anchorHash: anchor.hash,
      failureCode: ok ? 0 : failureCodes.indexOf("ProgramTrapped"),
    };
    const signature = await enclave.signTypedData({
      domain,
      types: receiptTypes,
      primaryType: "Receipt",
      message: receipt,
    });
    const owners = [ownerA, ownerB];
    const signed = await Promise.all(
      grants.map(async (grant, i) => ({
        grant,
        signature: await (owners[i] as A).signTypedData({
          domain,
          types: grantTypes,
          primaryType: "Grant",
          message: grant,
        }),
      })),
    );
    return send(operator, market, jobMarketAbi, "settle", [index, order, receipt, signature, ok ? signed : []], { id });
  }

  function open({ order }: ReturnType<typeof makeOrder>, note: Note = {}) {
    const value = order.token === zeroAddress ? cost : 0n;
    return send(requester, market, jobMarketAbi, "open", [order, programUri, params], { ...note, value });
  }

  /* STEPS */

  let index = 0n;
  const lives: Measured[] = [];
  for (const [name, payIn] of [
    ["native", zeroAddress],
    ["erc20", token],
  ] as const) {
    if (payIn === token) {
      await send(requester, token, tokenAbi, "approve", [market, 100_000_000n], { id: "token.approve" });
    }
    for (const kind of ["first", "warm"]) {
      const terms = makeOrder(payIn);
      const opening = await open(terms, { id: `open.${name}.${kind}` });
      const settling = await settle(index++, terms, true, `settle.ok.${name}.${kind}`);
      lives.push({ id: `job.ok.${name}.${kind}`, gas: opening + settling });
    }
  }

  const permitted = makeOrder(token);
  const permit = await requester.signTypedData({
    domain: { name: "Test Dollar", version: "1", chainId: hardhat.id, verifyingContract: token },
    types: {
      Permit: [
        { name: "owner", type: "address" },
        { name: "spender", type: "address" },
        { name: "value", type: "uint256" },
        { name: "nonce", type: "uint256" },
        { name: "deadline", type: "uint256" },
      ],
    },
    primaryType: "Permit",
    message: { owner: requester.address, spender: market, value: cost, nonce: 0n, deadline: timestamp + 3_600n },
  });
  const { r, s, v } = parseSignature(permit);
  await send(
    requester,
    market,
    jobMarketAbi,
    "openWithPermit",
    [permitted.order, programUri, params, timestamp + 3_600n, Number(v), r, s],
    { id: "openWithPermit" },
  );
  await settle(index++, permitted, false, "settle.failed");

  // The permit has replaced the approval.
  await send(requester, token, tokenAbi, "approve", [market, 100_000_000n]);
  const cancelled = makeOrder(token);
  await open(cancelled);
  await send(requester, market, jobMarketAbi, "cancel", [index++, cancelled.order], { id: "cancel" });

  const expired = makeOrder(token);
  await open(expired);
  increaseTime(3_601); // past every deadline
  await send(operator, market, jobMarketAbi, "expire", [index++, expired.order], { id: "expire" });

  await send(ownerA, market, jobMarketAbi, "withdraw", [zeroAddress, ownerA.address, prices[0]], {
    id: "withdraw.native.part",
  });
  await send(ownerA, market, jobMarketAbi, "withdraw", [token, ownerA.address, 2_000_000n], {
    id: "withdraw.erc20.all",
  });

  return [...measured, ...lives];
}
