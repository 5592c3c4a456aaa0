import { expect } from "chai";
import { type Abi, type Hex, keccak256, toFunctionSelector, toHex, zeroAddress, zeroHash } from "viem";
import { datasetRegistryAbi, jobMarketAbi } from "../../../protocol/abi.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { callDescriptors, describedFunctions } from "../../../sdk/wallets/callFormats.ts";
import { messageDescriptors } from "../../../sdk/wallets/messageFormats.ts";
import { encodeType } from "../../../sdk/wallets/typedData.ts";
import { type Checked, descriptorShape, problemsOf } from "./checkDescriptor.ts";
import { render } from "./renderDescriptor.ts";

const address = (n: number): Hex => `0x${n.toString(16).padStart(40, "0")}`;
const word = (n: number): Hex => `0x${n.toString(16).padStart(64, "0")}`;
const deployment: Deployment = {
  chainId: 31337,
  fromBlock: 0,
  contracts: {
    tdxCollateral: address(1),
    tdxVerifier: address(2),
    enclaveRegistry: address(3),
    endorsements: address(4),
    datasetRegistry: address(5),
    jobMarket: address(6),
  },
  rootKey: `0x${"11".repeat(64)}`,
};
const descriptors = { ...messageDescriptors(deployment), ...callDescriptors(deployment) };
const usdc = address(0xdc);
const tokens = { [usdc]: { symbol: "USDC", decimals: 6 } };

describe("the ERC-7730 descriptors", () => {
  for (const [name, descriptor] of Object.entries(descriptors)) {
    it(`of ${name} keep the rules and mention every field`, () => {
      expect(problemsOf(descriptor)).to.deep.equal([]);
    });
  }

  it("are bound to a deployment's chain and contracts, and to none without", () => {
    const places = Object.values(descriptors).map(({ context }) =>
      "contract" in context ? context.contract.deployments : context.eip712.deployments,
    );
    expect(places).to.deep.equal([6, 3, 6, 5].map((n) => [{ chainId: 31337, address: address(n) }]));
    for (const { context } of Object.values({ ...messageDescriptors(), ...callDescriptors() })) {
      expect("contract" in context ? context.contract.deployments : context.eip712.deployments).to.deep.equal([]);
    }
  });

  it("have words for every function that people send, under the function's own selector", () => {
    const ofWorkers = ["settle", "settleLeaf", "settleOrders", "claimSession"]; // receipts: sent by workers
    expect(sending(jobMarketAbi).filter((name) => !ofWorkers.includes(name))).to.have.members(
      describedFunctions.jobMarket,
    );
    expect(sending(datasetRegistryAbi)).to.have.members(describedFunctions.datasetRegistry);
    for (const [file, abi] of [
      ["calldata-JobMarket.json", jobMarketAbi],
      ["calldata-DatasetRegistry.json", datasetRegistryAbi],
    ] as const) {
      for (const key of Object.keys(descriptors[file]?.display.formats ?? {})) {
        const item = (abi as Abi).find((one) => one.type === "function" && one.name === key.split("(")[0]);
        expect(toFunctionSelector(`function ${key}`), key).to.equal(toFunctionSelector(item as never));
      }
    }
  });

  it("of functions that take native coin show how much", () => {
    for (const item of jobMarketAbi) {
      if (item.type !== "function" || item.stateMutability !== "payable") continue;
      const formats = descriptors["calldata-JobMarket.json"]?.display.formats ?? {};
      const key = Object.keys(formats).find((one) => one.startsWith(`${item.name}(`)) ?? "";
      expect(formats[key]?.fields.map((field) => field.path)).to.include("@.value");
    }
  });

  function sending(abi: Abi): string[] {
    return abi.flatMap((item) =>
      item.type === "function" && ["payable", "nonpayable"].includes(item.stateMutability) ? [item.name] : [],
    );
  }
});

describe("a descriptor's check", () => {
  const key = encodeType("Grant");
  const broken = (change: (descriptor: Checked) => void): string[] => {
    const copy = structuredClone(descriptors["eip712-JobMarket.json"]) as unknown as Checked;
    change(copy);
    return problemsOf(copy);
  };
  const grantOf = (descriptor: Checked) => descriptor.display.formats[key]?.fields as Record<string, unknown>[];

  it("finds a field that is left out, said twice, or not there", () => {
    expect(broken((one) => void grantOf(one).splice(8, 1))).to.deep.equal(["Grant: maxUses is mentioned 0 times"]);
    expect(broken((one) => void grantOf(one).push(grantOf(one)[0] ?? {}))).to.deep.equal([
      "Grant: datasetId is mentioned 2 times",
    ]);
    expect(broken((one) => void Object.assign(grantOf(one)[0] ?? {}, { path: "dataset" }))).to.deep.equal([
      "Grant: dataset is not there",
      "Grant: datasetId is mentioned 0 times",
    ]);
  });

  it("finds an unknown format, a format that does not fit, and references to nothing", () => {
    const [unknown] = broken((one) => void Object.assign(grantOf(one)[0] ?? {}, { format: "hash" }));
    expect(unknown).to.match(/^display\/formats\/.*fields\/0/);
    expect(broken((one) => void Object.assign(grantOf(one)[7] ?? {}, { path: "maxUses" }))).to.include(
      "Grant: maxUses is a uint64, which addressName cannot show",
    );
    const price = { params: { tokenPath: "#.price", nativeCurrencyAddress: "$.metadata.constants.coin" } };
    expect(broken((one) => void Object.assign(grantOf(one)[5] ?? {}, price))).to.deep.equal([
      "Grant: price has no token at #.price",
      "Grant: price names no address: $.metadata.constants.coin",
    ]);
    const unit = { params: { $ref: "$.metadata.enums.unit" } };
    expect(broken((one) => void Object.assign(grantOf(one)[6] ?? {}, unit))).to.deep.equal([
      "Grant: priceUnit refers to nothing: $.metadata.enums.unit",
    ]);
  });

  it("finds an intent with a field that may be hidden", () => {
    const change = { interpolatedIntent: "Use {datasetId} {bond}" };
    expect(broken((one) => void Object.assign(one.display.formats[key] ?? {}, change))).to.deep.equal([
      "Grant: {bond} is not always shown",
    ]);
  });
});

describe("a wallet with the descriptors", () => {
  const messages = descriptorShape.parse(descriptors["eip712-JobMarket.json"]);
  const calls = descriptorShape.parse(descriptors["calldata-JobMarket.json"]);

  const order = {
    requester: address(0xa1),
    payer: address(0xa2),
    programId: word(1),
    workloadId: word(2),
    paramsHash: word(3),
    datasets: [
      { datasetId: word(4), grantHash: word(5), maxPrice: 2_500_000n },
      { datasetId: word(6), grantHash: word(7), maxPrice: 0n },
    ],
    resultKey: word(8),
    token: usdc,
    operatorFee: 1_000_000n,
    failureFee: 0n,
    operator: zeroAddress,
    offerHash: zeroHash,
    bond: 0n,
    acceptBy: 0n,
    deadline: 1_800_000_000n,
    quorum: 3,
    session: zeroHash,
    nonce: 7n,
  };
  const orderLines = [
    `Requester: ${address(0xa1)}`,
    `Paid by: ${address(0xa2)}`,
    `Program: ${word(1)}`,
    `Enclave code: ${word(2)}`,
    `Parameters (hash): ${word(3)}`,
    `Data set: ${word(4)}`,
    `Under grant: ${word(5)}`,
    "Costs at most: 2.5 USDC",
    `Data set: ${word(6)}`,
    `Under grant: ${word(7)}`,
    "Costs at most: 0 USDC",
    `Token (0x0: native coin): ${usdc}`,
    "Fee of each enclave, at most: 1 USDC",
    "Fee if it fails: 0 USDC",
    `Operator (0x0: any): ${zeroAddress}`,
    "Enclaves that must agree: 3",
    "Deadline: 2027-01-15T08:00:00Z",
    `Result sealed to: ${word(8)}`,
    "Nonce: 7",
  ];

  it("shows a grant in words", () => {
    const grant = {
      datasetId: word(1),
      programId: word(2),
      workloadId: word(3),
      requester: zeroAddress,
      operator: address(0xb1),
      token: zeroAddress,
      priceUnit: 1,
      price: 2_000_000_000_000_000n,
      maxUses: 12n,
      notBefore: 1_700_000_000n,
      notAfter: 1_800_000_000n,
      resultReaders: [word(9), word(10)],
      epoch: 4,
      ownerEpoch: 2,
      nonce: 5n,
    };
    expect(render(messages, encodeType("Grant"), grant, tokens)).to.deep.equal([
      "Let a program use a data set",
      `Data set: ${word(1)}`,
      `Program: ${word(2)}`,
      `Enclave code: ${word(3)}`,
      `Who may ask (0x0: anyone): ${zeroAddress}`,
      `Operator (0x0: any): ${address(0xb1)}`,
      "Price: 0.002 ETH",
      "Price is: per row of the result",
      `Token (0x0: native coin): ${zeroAddress}`,
      "Uses at most (0: no limit): 12",
      "Valid from: 2023-11-14T22:13:20Z",
      "Valid until: 2027-01-15T08:00:00Z",
      `Result also read by: ${word(9)}`,
      `Result also read by: ${word(10)}`,
      "Data set's consent epoch: 4",
      "Your consent epoch: 2",
      "Nonce: 5",
    ]);
  });

  it("shows the appointment of a sealer in words", () => {
    const appointment = {
      datasetId: word(1),
      sealer: address(0xb2),
      epoch: 4,
      ownerEpoch: 2,
      notAfter: 1_800_000_000n,
    };
    expect(render(messages, encodeType("SealerAppointment"), appointment, tokens)).to.deep.equal([
      "Let an account hand out a data set's key",
      `Data set: ${word(1)}`,
      `Account that may: ${address(0xb2)}`,
      "Valid until: 2027-01-15T08:00:00Z",
      "Data set's consent epoch: 4",
      "Your consent epoch: 2",
    ]);
  });

  it("shows the request to claim a session in words", () => {
    const request = { sessionId: word(1), jobs: 3, validUntil: 1_800_000_000n };
    expect(render(messages, encodeType("ClaimRequest"), request, tokens)).to.deep.equal([
      "Have a session claimed: no more jobs",
      `Session: ${word(1)}`,
      "Jobs given to the worker: 3",
      "Valid until: 2027-01-15T08:00:00Z",
    ]);
  });

  it("shows an order in words, and what is not set not at all", () => {
    expect(render(messages, encodeType("JobOrder"), order, tokens)).to.deep.equal([
      "Order and pay for a computation",
      ...orderLines,
    ]);
    const accepted = { ...order, token: address(0xdd), bond: 9n, acceptBy: 1_700_000_000n, offerHash: word(11) };
    expect(render(messages, encodeType("JobOrder"), accepted, tokens)).to.include.members([
      `By offer: ${word(11)}`,
      "Stake of who accepts it: 9 of unknown token",
      "To be accepted by: 2023-11-14T22:13:20Z",
    ]);
  });

  it("shows the order of a session and of a transaction in the same words", () => {
    const terms = { maxJobs: 100, challengeSeconds: 3600, disputeBond: 250_000n };
    expect(render(messages, encodeType("SessionOrder"), { order, ...terms }, tokens)).to.deep.equal([
      "Order and pay for many computations",
      "Jobs at most: 100",
      ...orderLines,
      "Time to dispute: 01:00:00",
      "Stake of a dispute: 0.25 USDC",
    ]);
    const key = Object.keys(calls.display.formats).find((one) => one.startsWith("open(")) ?? "";
    const call = { "@": { value: 0n }, order, programUri: "https://a.example/p", params: "0x7b7d" };
    const shown = render(calls, key, { ...call, requesterSignature: "0x", payerSignature: "0x" }, tokens);
    expect(shown).to.deep.equal([
      "Order and pay for a computation",
      "Native coin sent: 0",
      ...orderLines,
      "Program lies at: https://a.example/p",
    ]);
  });

  it("keys messages by what the chain hashes", () => {
    expect(keccak256(toHex(encodeType("Withdrawal")))).to.equal(
      keccak256(
        toHex("Withdrawal(address account,address token,address to,uint256 amount,uint256 nonce,uint64 deadline)"),
      ),
    );
  });
});
