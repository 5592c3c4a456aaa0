/**
 * Room: enclave/attestation/platform. The TDX platform as the worker sees it: dstack's guest agent through its SDK.
 * Adds what the SDK lacks: time limits, and shapes checked before use.
 */
import { DstackClient } from "@phala/dstack-sdk";
import { type Hex, hexToBytes } from "viem";
import { z } from "zod";
import { BaseError } from "../../protocol/errors.ts";

const timeoutMs = 20_000;
const maxQuoteBytes = 16 * 1024;

const quoteSchema = z.object({
  quote: z
    .string()
    .max(maxQuoteBytes * 2)
    .regex(/^(0x)?([0-9a-f]{2})+$/i),
  event_log: z.string().max(1024 * 1024),
});

const infoSchema = z.object({
  app_id: z.string().max(128),
  instance_id: z.string().max(128),
  app_name: z.string().max(256).optional(),
  tcb_info: z.object({ app_compose: z.string().max(256 * 1024) }),
});

/** A quote with the event log that explains its RTMR3. */
export type PlatformQuote = { quote: Hex; eventLog: string };
/** What the platform says it booted; only as true as the quote that covers it. */
export type PlatformInfo = { appId: string; instanceId: string; appName: string; appCompose: string };

/** The platform's services. Every function throws {@link PlatformError} when the guest agent fails. */
export type TdxPlatform = {
  /** A fresh quote over 64 bytes of report data. */
  quote(reportData: Hex): Promise<PlatformQuote>;
  info(): Promise<PlatformInfo>;
  /** 32 bytes that survive restarts and authorised upgrades: never used for what must be bound to the code. */
  deriveKey(path: string): Promise<Uint8Array>;
};

/**
 * Connects to the guest agent: `DSTACK_SIMULATOR_ENDPOINT`, or the socket that dstack mounts.
 *
 * @param endpoint - another one: an http URL, or the path of a socket.
 * @throws {@link PlatformError} if there is no guest agent.
 * @example
 * const { quote } = await connectPlatform().quote(reportData)
 */
export function connectPlatform(endpoint?: string): TdxPlatform {
  const client = connect(endpoint);
  return {
    async quote(reportData) {
      const answer = await limited("GetQuote", client.getQuote(hexToBytes(reportData, { size: 64 })));
      const { quote, event_log } = check("GetQuote", quoteSchema, answer);
      return { quote: `0x${quote.replace(/^0x/, "").toLowerCase()}`, eventLog: event_log };
    },
    async info() {
      const answer = check("Info", infoSchema, await limited("Info", client.info()));
      return {
        appId: answer.app_id,
        instanceId: answer.instance_id,
        appName: answer.app_name ?? "",
        appCompose: answer.tcb_info.app_compose,
      };
    },
    async deriveKey(path) {
      const { key } = await limited("GetKey", client.getKey(path, "", "secp256k1"));
      if (!(key instanceof Uint8Array) || key.length !== 32) throw new PlatformError("GetKey", "not a 32-byte key");
      return key;
    },
  };
}

function connect(endpoint?: string): DstackClient {
  try {
    return new DstackClient(endpoint);
  } catch (cause) {
    throw new PlatformError("connect", "no guest agent socket was found", cause);
  }
}

async function limited<T>(method: string, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new PlatformError(method, `no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([answer, limit]);
  } catch (cause) {
    throw cause instanceof PlatformError ? cause : new PlatformError(method, "the guest agent failed", cause);
  } finally {
    clearTimeout(timer);
  }
}

function check<T>(method: string, schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (!parsed.success) throw new PlatformError(method, "the answer has an unexpected shape");
  return parsed.data;
}

/** dstack's guest agent is missing or did not answer as it should. */
export class PlatformError extends BaseError {
  override readonly name = "Platform.PlatformError";
  constructor(method: string, fact: string, cause?: unknown) {
    super(`TDX platform: ${method}: ${fact}.`, {
      hint: "Mount /var/run/dstack.sock, or set DSTACK_SIMULATOR_ENDPOINT to a running simulator.",
      retryable: true,
      cause,
    });
  }
}
