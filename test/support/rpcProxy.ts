/** A real HTTP server between a client and a node, which can refuse, falsify or swallow calls. For tests. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** One JSON-RPC call as the client sent it. */
export type RpcCall = { method: string; params: unknown[] };

/** What the proxy does with a call: hand it on, answer itself, or never answer. */
export type Verdict =
  | "pass"
  | "hang"
  | { result: unknown }
  | { error: { code: number; message: string; data?: unknown } }
  | { status: number }
  | { change: (result: unknown) => unknown };

/** A running proxy. */
export type RpcProxy = {
  url: string;
  calls: RpcCall[];
  /** May be replaced at any time. */
  rule: (call: RpcCall) => Verdict;
  close: () => Promise<void>;
};

/**
 * Starts a proxy on a free port of 127.0.0.1; at first it hands everything on.
 *
 * @example
 * const proxy = await startRpcProxy(chain.rpcUrl);
 * proxy.rule = ({ method }) => (method === "eth_getLogs" ? "hang" : "pass");
 */
export async function startRpcProxy(target: string): Promise<RpcProxy> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const call = JSON.parse(body) as RpcCall & { id: number };
    proxy.calls.push({ method: call.method, params: call.params });
    const verdict = proxy.rule(call);
    if (verdict === "hang") return;
    if (typeof verdict === "object" && "status" in verdict) {
      response.writeHead(verdict.status).end();
      return;
    }
    response.setHeader("content-type", "application/json");
    if (verdict === "pass" || "change" in verdict) {
      const headers = { "content-type": "application/json" };
      const answer = (await (await fetch(target, { method: "POST", headers, body })).json()) as { result?: unknown };
      if (verdict !== "pass" && "result" in answer) answer.result = verdict.change(answer.result);
      response.end(JSON.stringify(answer));
    } else response.end(JSON.stringify({ jsonrpc: "2.0", id: call.id, ...verdict }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: RpcProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/key-SECRET`,
    calls: [],
    rule: () => "pass",
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}
