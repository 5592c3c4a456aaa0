/** What keeps a worker from registering, said so that its operator can act: no consent, no collateral, a server that lies. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Address, Hex } from "viem";
import { type LocalMarket, type LocalWorker, startLocalMarket, whenReady } from "../../../scripts/localMarket.ts";
import { createClient } from "../../../sdk/client.ts";
import { type Simulator, startSimulator } from "../../../simulator/startSimulator.ts";
import { pushCollateralOf } from "../../support/attestation.ts";
import { testAccount } from "../../support/chain.ts";

const seed: Hex = `0x${"5d".repeat(32)}`;

describe("a worker that cannot register", () => {
  let dir: string;
  let market: LocalMarket;
  let worker: LocalWorker;
  /** Publishes for the market's platform; `foreign` for another machine under another root. */
  let intel: Simulator;
  let foreign: Simulator;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "dcm-unregistered-"));
    market = await startLocalMarket(dir, { seed });
    const appCompose = await readFile(new URL("../../../deploy/app-compose.json", import.meta.url), "utf8");
    intel = await startSimulator({ appCompose, seed: Buffer.from(seed.slice(2), "hex") });
    foreign = await startSimulator({ appCompose });
  });
  after(async () => {
    await market.stop();
    await Promise.all([intel.close(), foreign.close()]);
    await rm(dir, { recursive: true, force: true });
  });

  const start = async (env: Record<string, string>) => {
    if (worker !== undefined) await worker.child.stop();
    worker = await market.startWorker({ env });
  };
  const gasWallet = async () =>
    ((await (await fetch(`${worker.url}/enclave`)).json()) as { gasWallet: Address }).gasWallet;
  const sentByWorker = async () => market.chain.public.getTransactionCount({ address: await gasWallet() });
  /** The warning of that name, once it was logged. */
  const warning = async (name: string) => {
    const find = (line: string) => line.includes(`"${name}"`) && line.includes("enclave.register");
    return worker.child.waitForLine(
      (line) => (find(line) ? (JSON.parse(line) as { hint: string }) : undefined),
      20_000,
    );
  };
  const reasons = async () => {
    const { checks } = (await (await fetch(`${worker.url}/readyz`)).json()) as {
      checks: { name: string; ok: boolean; reason?: string }[];
    };
    return Object.fromEntries(checks.filter(({ ok }) => !ok).map(({ name, reason }) => [name, reason]));
  };

  it("without the operator's consent says how to give it, and to whom, and waits", async () => {
    await start({ OPERATOR_AUTHORIZATION: "" });
    const { hint } = await warning("Registration.OperatorConsentError");
    const agent = await gasWallet();
    expect(hint).to.include(`dcm operator authorize --agent ${agent} `).and.include("OPERATOR_AUTHORIZATION");
    expect((await reasons()).registered).to.equal(
      `not registered yet; ${agent} pays for it (Registration.OperatorConsentError)`,
    );
    expect(worker.child.process.exitCode).to.equal(null);
    expect(await sentByWorker()).to.equal(0);
  });

  it("with a consent for another agent, or by another account, registers nothing in the operator's name", async () => {
    const validUntil = 2_000_000_000;
    await start({ OPERATOR_AUTHORIZATION: JSON.stringify({ validUntil, signature: `0x${"11".repeat(65)}` }) });
    await warning("Registration.OperatorConsentError");
    expect(await sentByWorker()).to.equal(0);
  });

  it("without COLLATERAL_URL says what to set, or what anyone may run", async () => {
    await start({ COLLATERAL_URL: "" });
    const { hint } = await warning("Collateral.CollateralMissingError");
    expect(hint).to.match(/^Set COLLATERAL_URL .*dcm collateral push --pcs URL --fmspc [0-9a-f]{12}/);
    expect((await reasons()).collateral).to.match(/missing or out of date: set COLLATERAL_URL/);
    expect(await sentByWorker()).to.equal(0);
  });

  it("spends nothing on a server that serves another root's collateral, nonsense, or nothing", async () => {
    await start({ COLLATERAL_URL: foreign.pcsUrl });
    await warning("Collateral.CollateralMissingError");
    expect(await sentByWorker()).to.equal(0);
    const answers: [number, string | undefined][] = [
      [200, '{"tcbInfo":{"id":"TDX"},"signature":"00"}'],
      [200, "x".repeat(300_000)],
      [200, undefined],
    ];
    for (const [status, body] of answers) {
      const server = await serve(status, body);
      await start({ COLLATERAL_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
      await warning("Collateral.CollateralMissingError");
      expect([await sentByWorker(), worker.child.process.exitCode]).to.deep.equal([0, null]);
      server.closeAllConnections();
      server.close();
    }
  });

  it("registers as soon as somebody else has brought the collateral", async () => {
    await start({ COLLATERAL_URL: "" });
    await warning("Collateral.CollateralMissingError");
    const { rpcUrl } = market.chain;
    const stranger = await createClient({ rpcUrl, deployment: market.deployment, account: testAccount(5) });
    await pushCollateralOf(stranger, intel.platform);
    await whenReady(worker, 20_000);
    expect(await reasons()).to.deep.equal({});
    expect(await sentByWorker()).to.equal(1);
  });
});

async function serve(status: number, body: string | undefined): Promise<Server> {
  const server = createServer((_, response) => {
    if (body === undefined) response.destroy();
    else response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
