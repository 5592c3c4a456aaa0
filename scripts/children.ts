/**
 * Child processes of the demo and of tests: started with a named script, read line by line, stopped for certain.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * What every child has of this process's environment, and where Node keeps compiled code: a child starts in half the time.
 *
 * @example
 * spawn(process.execPath, [script], { env: { ...childEnvironment(), ...env } })
 */
export function childEnvironment(): Record<string, string> {
  const { PATH = "", HOME = "" } = process.env;
  return { PATH, HOME, NODE_COMPILE_CACHE: join(root, "out", "compile-cache") };
}

/** A running child. `lines` holds all it has printed so far. */
export type Child = {
  process: ChildProcess;
  lines: { stdout: string[]; stderr: string[] };
  /** Resolves with the first line of stdout, past or future, that `pick` makes something of. */
  waitForLine<T>(pick: (line: string) => T | undefined, timeoutMs: number): Promise<T>;
  /** Resolves with code or signal. */
  exited: Promise<number | NodeJS.Signals>;
  /** SIGTERM, and SIGKILL after a while. */
  stop(): Promise<void>;
};

/**
 * Starts `node script args` in the project's folder.
 *
 * @param env - added to {@link childEnvironment}.
 * @example
 * const simulator = startNode("simulator/main.ts", ["--app-compose", "deploy/app-compose.json"], {})
 */
export function startNode(script: string, args: readonly string[], env: Readonly<Record<string, string>>): Child {
  // As deployed: SIGUSR1 would open an inspector on the worker.
  const child = spawn(process.execPath, ["--disable-sigusr1", script, ...args], {
    cwd: root,
    env: { ...childEnvironment(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines = { stdout: [] as string[], stderr: [] as string[] };
  const listeners = new Set<() => void>();
  for (const stream of ["stdout", "stderr"] as const) {
    createInterface({ input: child[stream] }).on("line", (line) => {
      lines[stream].push(line);
      for (const listener of listeners) listener();
    });
  }
  const exited = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  exited.then(() => {
    for (const listener of listeners) listener();
  });

  return {
    process: child,
    lines,
    exited,
    waitForLine: (pick, timeoutMs) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => finish(() => reject(failure(`said nothing expected in ${timeoutMs} ms`))),
          timeoutMs,
        );
        const finish = (then: () => void) => {
          clearTimeout(timer);
          listeners.delete(look);
          then();
        };
        let seen = 0;
        const look = () => {
          for (; seen < lines.stdout.length; seen++) {
            const found = pick(lines.stdout[seen] ?? "");
            if (found !== undefined) return finish(() => resolve(found));
          }
          if (child.exitCode !== null || child.signalCode !== null) finish(() => reject(failure("has ended")));
        };
        const failure = (fact: string) => new Error(`${script} ${fact}:\n${lines.stderr.slice(-20).join("\n")}`);
        listeners.add(look);
        look();
      }),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      const killed = await Promise.race([exited.then(() => true), sleep(5_000, false, { ref: false })]);
      if (!killed) child.kill("SIGKILL");
      await exited;
    },
  };
}

/**
 * Runs `node script args` to its end.
 *
 * @returns what it printed.
 * @throws Error with the end of its stderr if it exits with another code than those in `accept`.
 * @example
 * const { stdout } = await runNode("cli/dcm.ts", ["dataset", "list", "--json"], env)
 */
export async function runNode(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  accept: readonly number[] = [0],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: root,
    env: { ...childEnvironment(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = (await once(child, "close")) as [number | null];
  if (code === null || !accept.includes(code)) {
    throw new Error(
      `${script} ${args.slice(0, 3).join(" ")} exited with ${code}:\n${stderr.slice(-2000)}${stdout.slice(-1000)}`,
    );
  }
  return { code, stdout, stderr };
}
