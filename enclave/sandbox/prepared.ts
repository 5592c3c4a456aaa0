/**
 * Room: enclave/sandbox. What engines make of a program before it runs, kept by program id: for the programs that ran
 * last, so that strangers' programs cannot fill the memory.
 */
import type { Program } from "../../protocol/program.ts";
import type { Engine, Prepared, RunWithoutData } from "./engines/engine.ts";

/** Of how many programs it is kept. */
const maxPrograms = 32;

/**
 * Makes the memory.
 *
 * @returns prepares a program, or remembers.
 * @example
 * const prepare = createPreparer()
 */
export function createPreparer() {
  const known = new Map<string, Promise<Prepared>>();
  return async (engine: Engine, program: Program, run: RunWithoutData): Promise<Prepared> => {
    if (engine.prepare === undefined) return { prepared: new Uint8Array() };
    const remembered = known.get(program.id);
    const prepared = remembered ?? engine.prepare(program, run);
    known.delete(program.id); // to the end: the first one is the one not used for longest
    known.set(program.id, prepared);
    for (const id of known.keys()) if (known.size > maxPrograms) known.delete(id);
    try {
      return await prepared;
    } catch (error) {
      if (known.get(program.id) === prepared) known.delete(program.id); // the machine's fault, not the program's
      throw error;
    }
  };
}
