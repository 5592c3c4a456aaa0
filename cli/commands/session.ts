/** Room: cli/commands/session. `dcm session`: many jobs on the same terms, paid by one claim. */
import type { Command } from "commander";
import type { Hex } from "viem";
import type { OrderItem } from "../../protocol/orderGroup.ts";
import { connect, connectWallet } from "../context.ts";
import { UsageError } from "../failure.ts";
import { handOver, makeJob, readSigned, requireOwnPayment, type TermsOptions, withTerms } from "../jobTerms.ts";
import { answer, dateOf, fields, type GlobalOptions, type Output } from "../output.ts";
import { id, integer, json } from "../parse.ts";

type OpenOptions = TermsOptions & { maxJobs: number; challengeHours: number; disputeBond: string; out: string };
type SignOptions = GlobalOptions & {
  program: string;
  params: unknown;
  deadlineMinutes: number;
  worker?: string;
  out?: string;
};
type SettleOptions = GlobalOptions & { orderFile: string; receiptsFile: string };
type Ending = "closeSession" | "expireSession";

const sessionId = `0x${"12".repeat(32)}`;
const leafNumber = integer(0, 4095);

/**
 * Adds the commands.
 *
 * @example
 * addSessionCommands(program)
 */
export function addSessionCommands(program: Command): void {
  const session = program
    .command("session")
    .description("many jobs on the same terms: escrowed once, claimed by one Merkle root, disputed leaf by leaf")
    .addHelpText("after", `\nExample:\n  $ dcm session show ${sessionId}`);

  withTerms(session.command("open"))
    .description("escrow the cost of all jobs of a session, on these terms")
    .requiredOption("--max-jobs <n>", "how many jobs it may have", integer(1, 4096))
    .option(
      "--challenge-hours <n>",
      "how long you may dispute a claim; as long again leaves may be shown",
      integer(1, 720),
      24,
    )
    .option("--dispute-bond <amount>", "what a dispute stakes; the operator's if the leaf is shown", "0")
    .requiredOption("--out <file>", "write the session file here: its other commands need it")
    .addHelpText(
      "after",
      `
The deadline is the last moment for the enclave's claim. Then look at the receipts: a job that you did not sign, or
whose receipt is wrong, you dispute, and it is not paid unless your signed order is shown. What you do not dispute in
time is paid.

Example:
  $ dcm session open --program programs/yearly-correlation --dataset 0x... --grant-file grant.json --workload 0x... \\
      --worker http://127.0.0.1:8080 --token 0x... --fee 0.01 --max-jobs 100 --out session.json`,
    )
    .action(answer(open));

  session
    .command("sign-order")
    .description("sign one job of a session; sends nothing to the chain")
    .argument("<file>", "session file")
    .requiredOption("--program <dir>", "program directory: the parameters are checked against it")
    .option("--params <json>", "parameters of the program", json, {})
    .option("--deadline-minutes <n>", "from now", integer(1, 525_000), 60)
    .option("--worker <url>", "give the order to this worker")
    .option("--out <file>", "write the order file here")
    .addHelpText(
      "after",
      "\nExample:\n  $ dcm session sign-order session.json --program programs/x --worker http://127.0.0.1:8080",
    )
    .action(answer(signOrder));

  session
    .command("show")
    .description("where a session stands, and until when its leaves may be disputed")
    .argument("<id>", "session id", id)
    .option("--leaf <n>", "also what happened to this leaf", leafNumber)
    .addHelpText("after", `\nExample:\n  $ dcm session show ${sessionId} --leaf 3`)
    .action(answer(show));

  session
    .command("dispute")
    .description(
      "doubt a leaf of the claim, as the payer: it is not paid unless it is shown; stakes the dispute bond from your credit",
    )
    .argument("<file>", "session file")
    .argument("<leaf>", "number of the leaf, from 0", leafNumber)
    .addHelpText("after", "\nExample:\n  $ dcm session dispute session.json 3")
    .action(answer(dispute));

  session
    .command("settle-leaf")
    .description("show a leaf of the claim: its signed order and its receipt; it is paid at once")
    .argument("<file>", "session file")
    .argument("<leaf>", "number of the leaf, from 0", leafNumber)
    .requiredOption("--order-file <file>", "the job's order, signed by its requester")
    .requiredOption("--receipts-file <file>", "JSON array of all receipts of the claim, in the order of its leaves")
    .addHelpText(
      "after",
      "\nExample:\n  $ dcm session settle-leaf session.json 3 --order-file order.json --receipts-file receipts.json",
    )
    .action(answer(settleLeaf));

  session
    .command("close")
    .description(
      "end a claimed session when its time is over: pays what was not disputed, refunds the rest; anyone may",
    )
    .argument("<file>", "session file")
    .addHelpText("after", "\nExample:\n  $ dcm session close session.json")
    .action(answer((options: GlobalOptions, path: string) => end(options, path, "closeSession")));

  session
    .command("expire")
    .description("end a session that nobody claimed in time: the payer gets all back; anyone may")
    .argument("<file>", "session file")
    .addHelpText("after", "\nExample:\n  $ dcm session expire session.json")
    .action(answer((options: GlobalOptions, path: string) => end(options, path, "expireSession")));
}

async function open(options: OpenOptions): Promise<Output> {
  const { client, home, simulated } = await connectWallet(options);
  const { addressOf } = await import("../../sdk/client.ts");
  const { openSession, prepareSession, sessionFileOf } = await import("../../sdk/sessions.ts");
  const { formatAmount, parseAmount } = await import("../../sdk/tokens.ts");
  const { job, token, identity } = await makeJob(options, client, home);
  requireOwnPayment(job.order.payer, addressOf(client));
  const session = prepareSession(client, job, {
    maxJobs: options.maxJobs,
    challengeSeconds: options.challengeHours * 3600,
    disputeBond: parseAmount(options.disputeBond, token),
  });
  await home.saveResultIdentity(session.sessionId, identity);
  await handOver(options.out, sessionFileOf(client.deployment, session), "");
  const { hash, gasUsed, payment } = await openSession(client, session);
  const { cost } = session;
  const text = fields([
    ["session", session.sessionId],
    ["escrow", `${formatAmount(cost, token)} (by ${payment})`],
    ["claim by", dateOf(session.order.deadline)],
    ["file", options.out],
    ["transaction", hash],
  ]);
  return { json: { sessionId: session.sessionId, cost, payment, hash, gasUsed }, text, simulated };
}

async function signOrder(options: SignOptions, path: string): Promise<Output> {
  const { client, home, simulated } = await connectWallet(options);
  const { encodeParams } = await import("../../protocol/program.ts");
  const { chainTime } = await import("../../sdk/grants.ts");
  const { readProgram } = await import("../../sdk/node/programDir.ts");
  const orders = await import("../../sdk/orders.ts");
  const { deadlineAfter, requireParams } = await import("../../sdk/prepareJob.ts");
  const { randomUint256 } = await import("../../sdk/random.ts");
  const { readSessionFile, sessionOrder } = await import("../../sdk/sessions.ts");
  const { postOrder } = await import("../../sdk/worker.ts");
  const session = readSessionFile(await readSigned(path), client);
  const program = await readProgram(options.program);
  if (program.id !== session.order.programId)
    throw new UsageError(`The session is for program ${session.order.programId}, not ${program.id}.`, {
      hint: "Give the directory of the session's program.",
    });
  const { bytes: params, hash: paramsHash } = encodeParams(options.params);
  requireParams(program, params);
  const now = BigInt(Math.floor(Date.now() / 1000));
  const deadline = deadlineAfter(options.deadlineMinutes, await chainTime(client), now);
  const order = sessionOrder(session, { paramsHash, deadline, nonce: randomUint256() });
  const identity = await home.resultIdentity(session.sessionId);
  if (identity === undefined)
    throw new UsageError(`The result key of session ${session.sessionId} is not in this home.`, {
      hint: "Use the wallet and home that opened the session.",
    });
  const signed = await orders.signOrder(client, { order, programUri: session.programUri, params });
  const { jobId } = await orders.verifyOrder(client, signed);
  await home.saveResultIdentity(jobId, identity);
  const file = orders.orderFileOf(client.deployment, signed);
  const written = options.worker && options.out === undefined ? [] : await handOver(options.out, file, "The order:");
  if (options.worker !== undefined) await postOrder(options.worker, signed);
  const text = fields([
    ["job", jobId],
    ["deadline", dateOf(deadline)],
    ["file", options.out],
  ]);
  return { json: { jobId, sessionId: session.sessionId, file }, text: [...text, ...written], simulated };
}

async function show(options: GlobalOptions & { leaf?: number }, session: Hex): Promise<Output> {
  const { client, simulated } = await connect(options);
  const { findSession, leafState } = await import("../../sdk/findSession.ts");
  const { order, terms, state, leaves, claim, disputeUntil, showUntil, operator } = await findSession(client, session);
  const leaf = options.leaf === undefined ? undefined : await leafState(client, session, options.leaf);
  const counts = claim?.claim;
  const text = fields([
    ["session", session],
    ["state", state],
    ["requester", order.requester],
    ["jobs at most", terms.maxJobs],
    ["claim by", dateOf(order.deadline)],
    ["claimed", counts && `${counts.okCount} Ok (leaves from 0), then ${counts.failedCount} Failed`],
    ["claimed by", claim?.signer],
    ["pays", claim && operator],
    ["shown", claim && `${leaves.settledOk} Ok, ${leaves.settledFailed} Failed`],
    ["disputed", claim && `${leaves.disputedOk} Ok, ${leaves.disputedFailed} Failed`],
    ["dispute until", disputeUntil && dateOf(disputeUntil)],
    ["show until", showUntil && dateOf(showUntil)],
    ["leaf", leaf && `${options.leaf}: ${leaf.settled ? "shown" : leaf.disputed ? "disputed" : "not disputed"}`],
  ]);
  const { maxJobs, challengeSeconds, disputeBond } = terms;
  const rest = { maxJobs, challengeSeconds, disputeBond, claimBy: order.deadline, leaves };
  const nullable = { disputeUntil, showUntil, claim: counts, signer: claim?.signer, leaf };
  const known = Object.fromEntries(Object.entries(nullable).map(([key, value]) => [key, value ?? null]));
  return { json: { sessionId: session, state, requester: order.requester, ...rest, ...known }, text, simulated };
}

async function dispute(options: GlobalOptions, path: string, leaf: number): Promise<Output> {
  const { client, simulated } = await connectWallet(options);
  const { disputeLeaf, readSessionFile } = await import("../../sdk/sessions.ts");
  const session = readSessionFile(await readSigned(path), client);
  const { hash, gasUsed } = await disputeLeaf(client, session, leaf);
  const text = fields([
    ["disputed", `leaf ${leaf} of ${session.sessionId}`],
    ["transaction", hash],
  ]);
  return { json: { sessionId: session.sessionId, leaf, hash, gasUsed }, text, simulated };
}

async function settleLeaf(options: SettleOptions, path: string, leaf: number): Promise<Output> {
  const { client, simulated } = await connectWallet(options);
  const { z } = await import("zod");
  const { hashReceipt } = await import("../../protocol/eip712.ts");
  const { maxSessionJobs } = await import("../../protocol/limits.ts");
  const { outcomeOf } = await import("../../protocol/outcome.ts");
  const { receiptSchema } = await import("../../protocol/receiptJson.ts");
  const { NoSuchLeafError, sessionProof } = await import("../../protocol/sessionTree.ts");
  const { readJson } = await import("../../sdk/node/files.ts");
  const { readOrderFile, verifyOrder } = await import("../../sdk/orders.ts");
  const sessions = await import("../../sdk/sessions.ts");
  const session = sessions.readSessionFile(await readSigned(path), client);
  const signed = readOrderFile(await readSigned(options.orderFile), client.deployment);
  const receipts = await readJson(options.receiptsFile, 8 * 1024 * 1024, z.array(receiptSchema).max(maxSessionJobs));
  const receipt = receipts[leaf];
  if (receipt === undefined) throw new NoSuchLeafError(leaf, receipts.length);
  const { jobId } = await verifyOrder(client, signed, { pastDeadline: true });
  const { paramsHash, deadline, nonce } = signed.order;
  const { requesterSignature, payerSignature } = signed;
  const own = { paramsHash, deadline, nonce, requesterSignature, payerSignature, receiptSignature: "0x" } as const;
  const item: OrderItem = { ...own, outcome: outcomeOf(receipt) };
  const proof = sessionProof(
    receipts.map((one) => hashReceipt(client.marketDomain, one)),
    leaf,
  );
  const { hash, gasUsed } = await sessions.settleLeaf(client, session, leaf, item, proof);
  const text = fields([
    ["shown", `leaf ${leaf} of ${session.sessionId}`],
    ["job", jobId],
    ["transaction", hash],
  ]);
  return { json: { sessionId: session.sessionId, leaf, jobId, hash, gasUsed }, text, simulated };
}

async function end(options: GlobalOptions, path: string, name: Ending): Promise<Output> {
  const { client, simulated } = await connectWallet(options);
  const sessions = await import("../../sdk/sessions.ts");
  const session = sessions.readSessionFile(await readSigned(path), client);
  const { hash, gasUsed } = await sessions[name](client, session);
  const text = fields([
    [name === "closeSession" ? "closed" : "expired", session.sessionId],
    ["transaction", hash],
  ]);
  return { json: { sessionId: session.sessionId, hash, gasUsed }, text, simulated };
}
