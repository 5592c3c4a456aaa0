/**
 * An input of 1 GiB, or of as many MiB as the first argument says, on its way through a worker and the provider's tools:
 * encrypted from a file, fetched over HTTP to the disk, checked by hash, opened as a stream. Prints how long each step took
 * and how much memory this process had at most, less what it had at its start: the bound is a constant.
 */
import { randomFillSync } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { openSpool } from "../../enclave/blobs/spool.ts";
import { createFetchCiphertext } from "../../enclave/fetch/fetchBlob.ts";
import { openDataset } from "../../enclave/vault/openDataset.ts";
import { maxCiphertextBytes } from "../../protocol/limits.ts";
import { datasetKeyBytes } from "../../sdk/encryption.ts";
import { encryptFile } from "../../sdk/node/encryptFile.ts";

const mebibyte = 2 ** 20;

/** What a pass came to: times in ms, sizes in bytes. `memoryBytes`: the most above the start. */
export type Passed = { encryptMs: number; fetchMs: number; openMs: number; plainBytes: number; memoryBytes: number };

/**
 * Takes an input all the way.
 *
 * @param sizeBytes - of the plaintext, whole MiB.
 * @example
 * const { memoryBytes } = await passInput(64 * 2 ** 20)
 */
export async function passInput(sizeBytes: number): Promise<Passed> {
  const directory = await mkdtemp(join(tmpdir(), "dcm-big-"));
  const startBytes = process.memoryUsage.rss();
  let mostBytes = 0;
  const sampling = setInterval(() => {
    mostBytes = Math.max(mostBytes, process.memoryUsage.rss() - startBytes);
  }, 20);
  try {
    const path = join(directory, "plain");
    await pipeline(noise(sizeBytes), createWriteStream(path));
    const encrypted = join(directory, "encrypted");
    const { value: made, ms: encryptMs } = await timed(() =>
      encryptFile(path, { directory, describe: false }, async ({ key, sha256, keepAs }) => {
        await keepAs(encrypted);
        return { key, sha256 };
      }),
    );
    const server = createServer((_request, response) => void createReadStream(encrypted).pipe(response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const spool = await openSpool({
      dir: join(directory, "spool"),
      maxTotalBytes: maxCiphertextBytes,
      maxMemoryBytes: mebibyte,
    });
    const blobs = { open: () => Promise.reject(new RangeError("not stored")) };
    const fetchCiphertext = createFetchCiphertext({ blobs, spool, allowHttp: true, allowPrivateAddresses: true });
    const limits = { sha256: made.sha256, maxBytes: maxCiphertextBytes, timeoutMs: 600_000 };
    const { value: ciphertext, ms: fetchMs } = await timed(() => fetchCiphertext(uri, limits));
    server.close();
    const { value: plainBytes, ms: openMs } = await timed(async () => {
      const { chunks } = await openDataset(datasetKeyBytes(made.key), ciphertext);
      let length = 0;
      for await (const chunk of chunks) length += chunk.length;
      return length;
    });
    await ciphertext.release();
    return { encryptMs, fetchMs, openMs, plainBytes, memoryBytes: mostBytes };
  } finally {
    clearInterval(sampling);
    await rm(directory, { recursive: true });
  }
}

function* noise(sizeBytes: number): Generator<Uint8Array> {
  for (let at = 0; at < sizeBytes; at += mebibyte) yield randomFillSync(new Uint8Array(mebibyte));
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const startedAt = performance.now();
  return { value: await work(), ms: performance.now() - startedAt };
}

if (import.meta.main) {
  const size = Number(process.argv[2] ?? 1024);
  const { encryptMs, fetchMs, openMs, plainBytes, memoryBytes } = await passInput(size * mebibyte);
  console.log(
    `${plainBytes} bytes: encrypted in ${encryptMs.toFixed(0)} ms, fetched and hashed in ${fetchMs.toFixed(0)} ms,`,
  );
  console.log(
    `hashed and opened in ${openMs.toFixed(0)} ms; at most ${(memoryBytes / mebibyte).toFixed(0)} MiB above the start`,
  );
}
