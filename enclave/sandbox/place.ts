/**
 * Room: enclave/sandbox. Where sandbox processes run: as children of this process, or in the sandbox service, another
 * container that is reached over a socket.
 */
import { type ProcessLimits, startProcess } from "./childProcess.ts";
import { loadParts } from "./engineParts.ts";
import type { Engine } from "./engines/engine.ts";
import { startOwnService } from "./ownService.ts";
import type { SandboxProcess } from "./sandboxProcess.ts";
import { connectService } from "./serviceClient.ts";
import type { Wall } from "./wall.ts";

/** Where processes come from. */
export type Place = {
  /** What is around each of them. */
  wall: Pick<Wall, "name" | "hides">;
  /** Makes an engine ready to be started. Throws `EngineMismatchError`. */
  open(engine: Engine): Promise<(limits: ProcessLimits) => SandboxProcess>;
  /** Whether processes can be started there at this moment, as far as can be told without starting one. */
  isUp(): Promise<boolean>;
};

/**
 * The place that a worker is configured for.
 *
 * @param socket - path of the service's socket; undefined: a service of this worker's own.
 * @param problem - told whenever that one has ended by itself, and is started again.
 * @throws `SandboxServiceError` if the service does not answer.
 * @example
 * const { place, close } = await openPlace(config.sandboxSocket, (error) => log.warn("sandbox.problem", { error }))
 */
export async function openPlace(
  socket: string | undefined,
  problem: (error: Error) => void,
): Promise<{ place: Place; close(): Promise<void> }> {
  if (socket === undefined) return startOwnService(problem);
  return { place: await connectService(socket), close: async () => undefined };
}

/**
 * Child processes of this one.
 *
 * @example
 * await runJob({ place: here(wall) }, engine, job)
 */
export function here(wall: Wall): Place {
  return {
    wall,
    async open(engine) {
      const parts = await loadParts(engine);
      return (limits) => startProcess(parts, limits, wall);
    },
    isUp: async () => true,
  };
}
