/** An HTTP proxy before the node that rewrites what passes: a provider's or requester's RPC that lies or fails. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** One JSON-RPC request as it came. */
export type RpcCall = { id: number; method: string; params: unknown[] };

/**
 * Starts a proxy.
 *
 * @param rewrite - gets the request and the node's answer as text, returns the answer to give.
 * @example
 * const rpc = await startLyingRpc(chain.rpcUrl, (call, answer) => answer.replaceAll(a, b));
 */
export async function startLyingRpc(target: string, rewrite: (call: RpcCall, answer: string) => string) {
  const calls: RpcCall[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const call = JSON.parse(body) as RpcCall;
    calls.push(call);
    const answer = await fetch(target, { method: "POST", body, headers: { "content-type": "application/json" } });
    response.setHeader("content-type", "application/json");
    response.end(rewrite(call, await answer.text()));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { url, calls, close };
}
