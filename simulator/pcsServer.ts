/**
 * Room: simulator/pcsServer. Serves collateral over HTTP as a caching service (PCCS) of Intel's does. It holds nothing
 * secret, so anyone on the machine may ask.
 * Source: Intel PCS API v4; Intel PCCS for `rootcacrl`, which PCS itself serves under another host.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Collateral } from "../protocol/collateral/collateral.ts";
import { toPem } from "./certificate.ts";
import { platformTcb } from "./pckChain.ts";

const limits = { requestTimeout: 10_000, headersTimeout: 10_000, connectionsCheckingInterval: 2_000 };
const maxConnections = 256;

/** An answer: what goes in the body, and the chain of certificates that goes in a header. */
type Answer = {
  type: string;
  body: Uint8Array;
  chain?: readonly [header: string, certificates: readonly Uint8Array[]];
};
type Query = URLSearchParams;

const ownFmspc = bytesToHex(platformTcb.fmspc);

/** Answers by path; a status code where there is nothing to answer with. */
const routes = new Map<string, (collateral: Collateral, query: Query) => Answer | 400 | 404>([
  [
    "/sgx/certification/v4/pckcrl",
    ({ pckCrl, pckCa, rootCa }, query) => {
      if (query.get("encoding") !== "der") return 400; // the PEM form has no reader here
      if (query.get("ca") !== "platform") return query.get("ca") === "processor" ? 404 : 400;
      return { type: "application/pkix-crl", body: pckCrl, chain: ["SGX-PCK-CRL-Issuer-Chain", [pckCa, rootCa]] };
    },
  ],
  [
    "/sgx/certification/v4/rootcacrl",
    ({ rootCaCrl }) => ({ type: "text/plain", body: utf8ToBytes(bytesToHex(rootCaCrl)) }),
  ],
  [
    "/tdx/certification/v4/tcb",
    ({ tcbInfo, tcbInfoSignature, tcbSigning, rootCa }, query) => {
      const fmspc = query.get("fmspc") ?? "";
      if (!/^[0-9a-fA-F]{12}$/.test(fmspc)) return 400;
      if (fmspc.toLowerCase() !== ownFmspc) return 404;
      const body = signedJson("tcbInfo", tcbInfo, tcbInfoSignature);
      return { type: "application/json", body, chain: ["TCB-Info-Issuer-Chain", [tcbSigning, rootCa]] };
    },
  ],
  [
    "/tdx/certification/v4/qe/identity",
    ({ qeIdentity, qeIdentitySignature, tcbSigning, rootCa }) => {
      const body = signedJson("enclaveIdentity", qeIdentity, qeIdentitySignature);
      return { type: "application/json", body, chain: ["SGX-Enclave-Identity-Issuer-Chain", [tcbSigning, rootCa]] };
    },
  ],
]);

/**
 * A server of collateral, not yet listening.
 *
 * @param current - what is published at the time of a request.
 * @example
 * createPcsServer(publisher.current).listen(0, "127.0.0.1")
 */
export function createPcsServer(current: () => Collateral): Server {
  const server = createServer(limits, (request, response) => {
    request.resume(); // a body says nothing here
    send(response, answerTo(request, current));
  });
  server.maxConnections = maxConnections;
  return server;
}

function answerTo(request: IncomingMessage, current: () => Collateral): Answer | 400 | 404 {
  if (request.method !== "GET" || !URL.canParse(request.url ?? "", "http://pcs")) return 400;
  const url = new URL(request.url ?? "", "http://pcs");
  return routes.get(url.pathname)?.(current(), url.searchParams) ?? 404;
}

function send(response: ServerResponse, answer: Answer | 400 | 404): void {
  if (typeof answer === "number") {
    response.writeHead(answer, { "Content-Length": 0 }).end();
    return;
  }
  const { type, body, chain } = answer;
  response.writeHead(200, {
    "Content-Type": type,
    "Content-Length": body.length,
    ...(chain === undefined ? {} : { [chain[0]]: encodeURIComponent(chain[1].map(toPem).join("")) }),
  });
  response.end(body);
}

/** The signed bytes as they are: a client that parses and writes them again must come to the same. */
function signedJson(name: string, json: Uint8Array, signature: Uint8Array): Uint8Array {
  return concatBytes(utf8ToBytes(`{"${name}":`), json, utf8ToBytes(`,"signature":"${bytesToHex(signature)}"}`));
}
