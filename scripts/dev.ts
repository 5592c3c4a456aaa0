/**
 * `npm run dev`: a marketplace left running on this machine, with what `dcm` needs to use it. Ctrl-C ends it.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAbi, parseUnits } from "viem";
import { testAccount, testPrivateKey } from "./localChain.ts";
import { startLocalMarket, whenReady } from "./localMarket.ts";

const dir = join(fileURLToPath(new URL("..", import.meta.url)), "out", "dev");
const people = ["deployer", "operator", "provider A", "provider B", "requester"];
const requester = 4;
const tokenAbi = parseAbi(["function mint(address to, uint256 amount)"]);

rmSync(dir, { recursive: true, force: true });
mkdirSync(dir, { recursive: true });
const stop = new Promise<void>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
});
const market = await startLocalMarket(dir);
const worker = await market.startWorker({ env: { POLL_MS: "500" } });
await whenReady(worker, 30_000);
const mint = [testAccount(requester).address, parseUnits("1000", 6)] as const;
await market.chain.wallet(0).writeContract({ address: market.token, abi: tokenAbi, functionName: "mint", args: mint });

const variables = `export DCM_RPC_URL=${market.chain.rpcUrl}
export DCM_DEPLOYMENT=${market.deploymentFile}
export WORKER=${worker.url}
export TOKEN=${market.token}
export DCM_HOME=${join(dir, "home")}
export DCM_PRIVATE_KEY=${testPrivateKey(requester)}
`;
writeFileSync(join(dir, "env.sh"), variables);
console.log(`
A marketplace on this machine. Platform: SIMULATED. Nothing here is secret, the keys below are known to everybody.

chain       ${market.chain.rpcUrl}
worker      ${worker.url}  (GET /enclave, /attestation, /readyz)
simulator   ${market.simulator.endpoint}
collateral  ${market.simulator.pcsUrl}  (PCS of the simulated platform, e.g. for dcm collateral push --pcs)
token       ${market.token}  (tUSD, six decimals, anyone may mint; the requester has 1,000)
${people.map((name, i) => `${name.padEnd(11)} ${testAccount(i).address}  ${testPrivateKey(i)}`).join("\n")}

In another shell, as the requester (out/dev/env.sh has the same lines; take another DCM_PRIVATE_KEY to be another person):

${variables}
node cli/dcm.ts enclave list

Ctrl-C ends it.`);
await stop;
console.log("stopping ...");
await market.stop();
