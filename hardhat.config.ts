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

/** What Solidity tests may read, and the seed that makes their fuzzing the same each time. */
const solidityTests = (runs: number) => ({
  fsPermissions: { readDirectory: ["test/vectors"] },
  fuzz: { seed: "0x64636d", runs },
});

export default defineConfig({
  plugins: [hardhatToolboxMochaEthers],
  solidity: {
    // Tests' artifacts go to the cache: `artifacts` does not change under who reads it while tests compile.
    splitTestsCompilation: true,
    compilers: [compiler(1_000_000)],
    // They would not fit into one contract otherwise.
    overrides: {
      "contracts/attestation/TdxCollateral.sol": compiler(200),
      "contracts/market/MarketExtension.sol": compiler(200),
    },
  },
  networks: {
    default: { type: "edr-simulated", chainType: "l1", hardfork: "osaka" },
    node: { type: "edr-simulated", chainType: "l1", hardfork: "osaka" },
  },
  paths: { tests: { mocha: "test/contracts", solidity: "test/contracts" } },
  // `deep`: `npm run fuzz`. How long each invariant is run under either is said where it is tested.
  test: { solidity: { profiles: { default: solidityTests(256), deep: solidityTests(10_000) } } },
});
