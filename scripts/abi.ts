/**
 * Writes protocol/abi.ts from Hardhat's artifacts of the contracts' interfaces. Run by `npm run abi` after a build.
 * With --check it writes nothing and exits 1 if the file is not up to date.
 */
import { readFile, writeFile } from "node:fs/promises";

const artifacts = {
  // The contract itself: only its ABI has the errors of the certificate reader, which registrations revert with too.
  tdxVerifierAbi: "attestation/TdxVerifier.sol/TdxVerifier",
  tdxCollateralAbi: "attestation/TdxCollateral.sol/TdxCollateral",
  enclaveRegistryAbi: "interfaces/IEnclaveRegistry.sol/IEnclaveRegistry",
  endorsementsAbi: "interfaces/IEndorsements.sol/IEndorsements",
  datasetRegistryAbi: "interfaces/IDatasetRegistry.sol/IDatasetRegistry",
  datasetCouncilAbi: "interfaces/IDatasetCouncil.sol/IDatasetCouncil",
  jobMarketAbi: "interfaces/IMarket.sol/IMarket",
};
const target = new URL("../protocol/abi.ts", import.meta.url);

let text =
  "/** ABIs of the contracts' interfaces. Generated from contracts/interfaces by `npm run abi`; do not edit. */\n";
for (const [name, path] of Object.entries(artifacts)) {
  const artifact = JSON.parse(await readFile(new URL(`../artifacts/contracts/${path}.json`, import.meta.url), "utf8"));
  text += `\nexport const ${name} = ${JSON.stringify(artifact.abi, null, 2)} as const;\n`;
}

if (process.argv.includes("--check")) {
  if ((await readFile(target, "utf8").catch(() => "")) !== text) {
    console.error("protocol/abi.ts is not what the contracts say. Run `npm run abi`.");
    process.exitCode = 1;
  }
} else {
  await writeFile(target, text);
}
