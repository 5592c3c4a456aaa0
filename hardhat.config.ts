/** Hardhat set-up: the compiler comes from npm (`solc`), so nothing is downloaded. */
import { createRequire } from "node:module";
import hardhatToolboxMochaEthers from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { defineConfig } from "hardhat/config";

const require = createRequire(import.meta.url);

/** `runs`: how often code is expected to run, against how long it may be. */
const compiler = (runs: number) => ({
  version: "0.8.37",
  path: require.resolve("solc/soljson.js"),
  settings: { evmVersion: "osaka", viaIR: true, optimizer: { enabled: true, runs } },
});

export default defineConfig({
  plugins: [hardhatToolboxMochaEthers],
  solidity: {
    compilers: [compiler(1_000_000)],
    // Its readers of JSON, DER and revocation lists would not fit into one contract otherwise.
    overrides: { "contracts/attestation/TdxCollateral.sol": compiler(200) },
  },
  networks: {
    default: { type: "edr-simulated", chainType: "l1", hardfork: "osaka" },
    node: { type: "edr-simulated", chainType: "l1", hardfork: "osaka" },
  },
  paths: { tests: { mocha: "test/contracts", solidity: "test/contracts" } },
  test: { solidity: { fsPermissions: { readDirectory: ["test/vectors"] }, fuzz: { seed: "0x64636d" } } },
});
