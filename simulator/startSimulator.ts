/**
 * Room: simulator/startSimulator. A platform, its guest agent and the collateral for it, listening. What tests,
 * `npm start` and the command line use.
 */
import { once } from "node:events";
import { chmod, lstat, unlink } from "node:fs/promises";
import type { Server } from "node:http";
import { createConnection } from "node:net";
import type { Hex } from "viem";
import { BaseError } from "../protocol/errors.ts";
import { createGuestAgent } from "./guestAgent.ts";
import { createPcsServer } from "./pcsServer.ts";
import { createPlatform, type Platform, type PlatformOptions } from "./platform.ts";
import { createPublisher, type Publisher } from "./publisher.ts";
import { createAgentServer } from "./server.ts";

/** How to start. Without `socketPath` and `port`: the guest agent on a free port. */
export type SimulatorOptions = PlatformOptions & {
  /** Unix socket to listen on; only its owner may connect. */
  socketPath?: string;
  /** TCP port of 127.0.0.1 to listen on; 0: a free one. */
  port?: number;
  /** TCP port of 127.0.0.1 for collateral; 0, the default: a free one. */
  pcsPort?: number;
  /** Unix seconds by which collateral is issued; the system's clock by default. */
  clock?: () => number;
};

/** A running simulator. */
export type Simulator = Publisher & {
  /** x || y of the platform's root key: what TdxCollateral is deployed with. */
  rootKey: Hex;
  /** For `new DstackClient(endpoint)` or DSTACK_SIMULATOR_ENDPOINT: the http URL, or the socket if there is no port. */
  endpoint: string;
  /** Where collateral is served as Intel's PCCS does: http URL without a path. */
  pcsUrl: string;
  platform: Platform;
  close(): Promise<void>;
};

/**
 * Boots a platform and serves its guest agent.
 *
 * @throws {@link BadAppComposeError}, {@link BadSeedError} as {@link createPlatform} does.
 * @throws {@link CannotListenError} if the port is taken or the socket cannot be made.
 * @throws {@link SocketInUseError} if another process listens on `socketPath`, or something else lies there.
 * @example
 * const simulator = await startSimulator({ appCompose });
 * const client = new DstackClient(simulator.endpoint);
 * await simulator.close();
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const platform = createPlatform(options);
  const agent = createGuestAgent(platform);
  const publisher = createPublisher(platform, options.clock ?? (() => Math.floor(Date.now() / 1000)));
  const servers: Server[] = [];
  const close = async () => {
    await Promise.all(servers.map(stop));
  };
  const serve = async (server: Server, port = 0) => {
    servers.push(await listen(server, { host: "127.0.0.1", port }));
    const bound = server.address();
    return `http://127.0.0.1:${typeof bound === "object" && bound !== null ? bound.port : 0}`;
  };
  let endpoint = "";
  let pcsUrl = "";
  try {
    if (options.socketPath !== undefined) {
      await removeDeadSocket(options.socketPath);
      servers.push(await listen(createAgentServer(agent), { path: options.socketPath }));
      await chmod(options.socketPath, 0o600);
      endpoint = options.socketPath;
    }
    if (options.socketPath === undefined || options.port !== undefined) {
      endpoint = await serve(createAgentServer(agent), options.port);
    }
    pcsUrl = await serve(createPcsServer(publisher.current), options.pcsPort);
  } catch (error) {
    await close();
    throw error;
  }
  return { rootKey: platform.rootKey, endpoint, pcsUrl, platform, ...publisher, close };
}

async function listen(server: Server, where: { path: string } | { host: string; port: number }): Promise<Server> {
  server.listen(where);
  try {
    await once(server, "listening"); // rejects on "error"
  } catch (cause) {
    throw new CannotListenError("path" in where ? where.path : `${where.host}:${where.port}`, cause);
  }
  return server;
}

async function stop(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

/** A socket left by a killed process may go; a live one, or anything that is no socket, may not. */
async function removeDeadSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new CannotListenError(path, error);
  });
  if (found === undefined) return;
  if (!found.isSocket() || (await answers(path))) throw new SocketInUseError(path);
  await unlink(path);
}

async function answers(path: string): Promise<boolean> {
  const socket = createConnection({ path });
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ECONNREFUSED"; // refused: nobody listens any more
  } finally {
    socket.destroy();
  }
}

/** The address cannot be listened on. */
export class CannotListenError extends BaseError {
  override readonly name = "Simulator.CannotListenError";
  constructor(where: string, cause: unknown) {
    super(`Cannot listen on ${where}.`, {
      hint: "Choose a free port, or a socket path of at most 107 bytes in a folder that exists.",
      cause,
    });
  }
}

/** The socket's path is taken. */
export class SocketInUseError extends BaseError {
  override readonly name = "Simulator.SocketInUseError";
  constructor(path: string) {
    super(`${path} is in use, or is no socket.`, {
      hint: "Stop the other simulator, or give another --socket.",
    });
  }
}
