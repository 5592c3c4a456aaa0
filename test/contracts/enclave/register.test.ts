/**
 * The registry as a wallet meets it: protocol/ and the contract must agree on every hash, in whole transactions.
 */
import { assert, expect } from "chai";
import type { ContractTransactionResponse } from "ethers";
import { network } from "hardhat";
import { type Address, type Hex, keccak256, slice, toHex } from "viem";
import {
  type EnclaveBinding,
  registrationReportData,
  type WorkloadMeasurements,
  workloadIdOf,
} from "../../../protocol/attestationBinding.ts";
import { domainOf, registrationTypes } from "../../../protocol/eip712.ts";
import { softwareIssuer, softwareLeaf, softwareQuote, softwareRootKey } from "../../support/softwareQuote.ts";

const maxLifeSeconds = 604_800n;
/** keccak256 of the PPID in the vector `nearmpc`. */
const platformId = keccak256("0xd208dfb1002346ae1bb4ef2a3c055292");

describe("EnclaveRegistry.register, against protocol/", () => {
  async function deploy() {
    const { ethers } = await network.create();
    const verifier = await ethers.deployContract("TdxVerifier", [
      slice(softwareRootKey, 0, 32),
      slice(softwareRootKey, 32, 64),
    ]);
    const registry = await ethers.deployContract("EnclaveRegistry", [await verifier.getAddress(), maxLifeSeconds]);
    const [operator] = await ethers.getSigners();
    const signingKey = new ethers.Wallet(keccak256(toHex("signing key")));
    const block = await ethers.provider.getBlock("latest");
    assert(operator !== undefined && block?.hash != null, "a funded account and a block");
    const request = {
      operator: operator.address as Address,
      signingKey: signingKey.address as Address,
      vaultKey: toHex("a vault key of thirty-two bytes."),
      endpoint: "https://worker.example",
      blockNumber: BigInt(block.number),
    };
    const binding: EnclaveBinding = {
      chainId: (await ethers.provider.getNetwork()).chainId,
      registry: (await registry.getAddress()) as Address,
      operator: request.operator,
      signingKey: request.signingKey,
      vaultKey: request.vaultKey,
    };
    const domain = domainOf(Number(binding.chainId), binding.registry);
    const types = { EnclaveRegistration: [...registrationTypes.EnclaveRegistration] };
    const signature = await signingKey.signTypedData(domain, types, {
      operator: request.operator,
      vaultKeyHash: keccak256(request.vaultKey),
      endpoint: request.endpoint,
      blockNumber: request.blockNumber,
    });
    const register = (quote: Hex): Promise<ContractTransactionResponse> =>
      registry.getFunction("register").send(quote, softwareLeaf, softwareIssuer, request, signature);
    return { ethers, registry, request, binding, blockHash: block.hash as Hex, register };
  }

  it("takes the report data and the EIP-712 signature that protocol/ makes, and returns its workload id", async () => {
    const { ethers, registry, request, binding, blockHash, register } = await deploy();
    const quote = softwareQuote(registrationReportData(binding, request.blockNumber, blockHash));

    const transaction = await register(quote);
    const mined = await ethers.provider.getBlock((await transaction.wait())?.blockNumber ?? -1);
    const workloadId = workloadIdOf(measurementsOf(quote));
    const expiresAt = BigInt(mined?.timestamp ?? 0) + maxLifeSeconds;

    await expect(transaction)
      .to.emit(registry, "EnclaveRegistered")
      .withArgs(
        request.signingKey,
        request.operator,
        workloadId,
        measurementsOf(quote).composeHash,
        platformId,
        0n,
        expiresAt,
        request.vaultKey,
        request.endpoint,
      );
    expect(await registry.getFunction("enclave").staticCall(request.signingKey)).to.deep.equal([
      request.operator,
      expiresAt,
      BigInt(mined?.number ?? 0),
      0n,
      workloadId,
      platformId,
      keccak256(request.vaultKey),
    ]);
    expect(await registry.getFunction("isLive").staticCall(request.signingKey)).to.equal(true);
  });

  it("names the report data that protocol/ makes when a quote carries another", async () => {
    const { registry, request, binding, blockHash, register } = await deploy();
    const expected = registrationReportData(binding, request.blockNumber, blockHash);
    const other = registrationReportData({ ...binding, vaultKey: "0x01" }, request.blockNumber, blockHash);
    await expect(register(softwareQuote(other)))
      .to.be.revertedWithCustomError(registry, "EnclaveRegistry_ReportDataMismatch")
      .withArgs(slice(expected, 0, 32), slice(other, 0, 32), slice(other, 32, 64));
  });
});

/** By their places in a TD quote, see contracts/attestation/TdReport.sol: the report body starts at byte 48. */
function measurementsOf(quote: Hex): WorkloadMeasurements {
  const at = (offset: number, size: number) => slice(quote, 48 + offset, 48 + offset + size);
  return {
    composeHash: at(185, 32),
    mrTd: at(136, 48),
    rtMr0: at(328, 48),
    rtMr1: at(376, 48),
    rtMr2: at(424, 48),
    tdAttributes: at(120, 8),
    xfam: at(128, 8),
  };
}
