/** Hardhat set-up: the compiler comes from npm (`solc`), so nothing is downloaded. */
import { globSync } from "node:fs";
import { createRequire } from "node:module";
import hardhatToolboxMochaEthers from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { defineConfig } from "hardhat/config";
import type { HardhatPlugin } from "hardhat/types/plugins";

const require = createRequire(import.meta.url);

/** `runs`: how often code is expected to run, against how long it may be. */
const compiler = (runs: number) => compilerWith({ viaIR: true, optimizer: { enabled: true, runs } });

const compilerWith = (settings: object) => ({
  version: "0.8.37",
  path: require.resolve("solc/soljson.js"),
  settings: { evmVersion: "osaka", ...settings },
});

const tests = "test/contracts/**/*.sol";
const harnesses = "**/*Harness.sol";

/**
 * Tests are compiled the quick way, without Yul and without the optimizer, which takes a fifteenth of the time. What they
 * test is not: they deploy it from its artifact (`deploy` of test/support/Test.sol), as the settings of production made
 * it. So are harnesses, which let tests call library code. This gives each test the settings that `overrides` has for all:
 * one object, because Hardhat compiles in one go what shares it.
 */
const quickTests: HardhatPlugin = {
  id: "quick-tests",
  hookHandlers: {
    config: async () => ({
      default: async () => ({
        resolveUserConfig: async (userConfig, resolveVariable, next) => {
          const config = await next(userConfig, resolveVariable);
          const files = globSync(tests, { cwd: import.meta.dirname, exclude: [harnesses] });
          for (const { overrides } of Object.values(config.solidity.profiles)) {
            const quick = overrides[tests];
            if (quick !== undefined) for (const file of files) overrides[file] = quick;
          }
          return config;
        },
      }),
    }),
  },
};

/** What Solidity tests may read, and the seed that makes their fuzzing the same each time. */
const solidityTests = (runs: number) => ({
  fsPermissions: { readDirectory: ["test/vectors"] },
  fuzz: { seed: "0x64636d", runs },
});

export default defineConfig({
  plugins: [hardhatToolboxMochaEthers, quickTests],
  solidity: {
    // Tests' artifacts go to the cache: `artifacts` does not change under who reads it while tests compile.
    splitTestsCompilation: true,
    compilers: [compiler(1_000_000)],
    overrides: {
      [tests]: compilerWith({}),
      // They would not fit into one contract otherwise.
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
