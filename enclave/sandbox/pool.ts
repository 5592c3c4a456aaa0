/**
 * Room: enclave/sandbox. Processes that wait for a small job, engine and all, so that it does not wait for them. Each is
 * used once; new ones are started behind the jobs' backs.
 */
import type { SandboxProcess } from "./sandboxProcess.ts";

/** Warm processes. */
export type Pool = {
  /** One that is up, else one that is about to be, else none. It is the caller's from now on. */
  take(): SandboxProcess | undefined;
  /** Starts as many as are missing. */
  refill(): void;
  /** Ends all. No other is started any more. */
  close(): Promise<void>;
};

/**
 * Opens an empty pool.
 *
 * @param size - how many processes wait at most.
 * @param start - starts one.
 * @example
 * const pool = openPool(2, () => startProcess(parts, limits, wall))
 */
export function openPool(size: number, start: () => SandboxProcess): Pool {
  const up = new Set<SandboxProcess>();
  const coming = new Set<SandboxProcess>();
  let isClosed = false;

  function add(): void {
    const process = start();
    coming.add(process);
    void process.ready.then((isUp) => isUp && coming.delete(process) && up.add(process));
    void process.over.then(async () => {
      // Out of the pool before anybody can take it. One that was up and died is replaced; one that never came up is not:
      // the machine may be short of something, and the next job will try.
      const wasUp = up.delete(process);
      const waited = coming.delete(process) || wasUp;
      if (!waited) return;
      await process.kill();
      if (wasUp) refill();
    });
  }

  function refill(): void {
    while (!isClosed && up.size + coming.size < size) add();
  }

  return {
    refill,
    take() {
      const [process] = [...up, ...coming];
      if (process === undefined) return undefined;
      up.delete(process);
      coming.delete(process);
      return process;
    },
    async close() {
      isClosed = true;
      await Promise.all([...up, ...coming].map((process) => process.kill()));
    },
  };
}
