/** Room: cli/commands/session. `dcm session`: many jobs on the same terms, paid by one claim. */
import type { Command } from "commander";
import type { Hex } from "viem";
import type { SignedOrder } from "../../protocol/signedOrder.ts";
import { connect, connectWallet } from "../context.ts";
import { UsageError } from "../failure.ts";
import { handOver, makeJob, readSigned } from "../jobTerms.ts";
import { answer, dateOf, fields, type GlobalOptions, type Output, progress } from "../output.ts";
import { id, integer, json } from "../parse.ts";
import { type SessionOptions, sessionGrants, withSessionTerms, workersOperator } from "../sessionTerms.ts";

type OpenOptions = SessionOptions & { maxJobs: number; challengeHours: number; disputeBond?: string; out: string };
type SignOptions = GlobalOptions & { program: string; params: unknown; worker?: string; out?: string };
type WorkerOptions = GlobalOptions & { worker: string };
type Ending = "closeSession" | "expireSession";

const sessionId = `0x${"12".repeat(32)}`;
const leafNumber = integer(0, 4095);
/** How long a worker is given to see that a session was opened, in ms, and the pause between two tries. */
const patienceMs = 60_000;
const pauseMs = 1_000;

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

  withSessionTerms(session.command("open"))
    .description("escrow the cost of all jobs of a session, on these terms")
    .requiredOption("--max-jobs <n>", "how many jobs it may have", integer(1, 4096))
    .option(
      "--challenge-hours <n>",
      "how long you may dispute a claim; as long again leaves may be shown",
      integer(1, 720),
      24,
    )
    .option("--dispute-bond <amount>", "what a dispute stakes; the operator's if the leaf is shown (default: --fee)")
    .requiredOption("--out <file>", "write the session file here: its other commands need it")
    .addHelpText(
      "after",
      `
The deadline is the last moment for the enclave's claim. Give one worker all orders (dcm session sign-order), and have
it claim them (dcm session claim); it does so by itself when it has as many jobs as agreed, or the deadline is near.
Then look at the receipts (dcm session verify): a job that you did not sign, or whose receipt is wrong, you dispute, and
it is not paid unless your signed order is shown. What you do not dispute in time is paid when the session is closed,
which its worker does. Results: dcm job result ID --worker URL; where data sets are paid for they are given out when the
time for disputes is over, or the leaf was shown (dcm session settle-leaf).

Example:
  $ dcm session open --program programs/yearly-correlation --dataset 0x... --grant-file grant.json --workload 0x... \\
      --worker http://127.0.0.1:8080 --token 0x... --fee 0.01 --max-jobs 100 --out session.json`,
    )
    .action(answer(open));

  session
    .command("sign-order")
    .description("sign one job of a session, which ends with its session's claim; sends nothing to the chain")
    .argument("<file>", "session file")
    .requiredOption("--program <dir>", "program directory: the parameters are checked against it")
    .option("--params <json>", "parameters of the program", json, {})
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
    .option("--worker <url>", "also where this worker stands with it")
    .addHelpText("after", `\nExample:\n  $ dcm session show ${sessionId} --leaf 3 --worker http://127.0.0.1:8080`)
    .action(answer(show));

  session
    .command("claim")
    .description(
      "tell the worker, as the requester, that no more jobs come: it runs what it has, and claims the session",
    )
    .argument("<file>", "session file")
    .requiredOption("--worker <url>", "that has its orders")
    .addHelpText("after", "\nExample:\n  $ dcm session claim session.json --worker http://127.0.0.1:8080")
    .action(answer(claim));

  session
    .command("verify")
    .description("check every leaf of the claim against your signed orders, its receipt and the root on chain")
    .argument("<id>", "session id", id)
    .requiredOption("--worker <url>", "that serves the claim's leaves; it is not believed")
    .addHelpText(
      "after",
      `\nExits with 1 if a leaf is not in order.\n\nExample:\n  $ dcm session verify ${sessionId} --worker http://127.0.0.1:8080`,
    )
    .action(answer(verify));

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
    .requiredOption("--worker <url>", "that serves the leaf: its order, receipt and proof")
    .addHelpText("after", "\nExample:\n  $ dcm session settle-leaf session.json 3 --worker http://127.0.0.1:8080")
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
  const { openSession, prepareSession, requireFlatPrices, sessionFileOf } = await import("../../sdk/sessions.ts");
  const { formatAmount, parseAmount } = await import("../../sdk/tokens.ts");
  const grants = await sessionGrants(options, home, client.deployment);
  requireFlatPrices(client, grants);
  const operator = options.operator ?? (await workersOperator(client, options));
  const { job, token, identity } = await makeJob({ ...options, operator, quorum: 1 }, client, home);
  const terms = {
    maxJobs: options.maxJobs,
    challengeSeconds: options.challengeHours * 3600,
    disputeBond: parseAmount(options.disputeBond ?? options.fee, token),
  };
  const session = prepareSession(client, job, terms, grants);
  await home.saveResultIdentity(session.sessionId, identity);
  await handOver(options.out, sessionFileOf(client.deployment, session), "");
  const { hash, gasUsed, payment } = await openSession(client, session);
  const { cost } = session;
  const text = fields([
    ["session", session.sessionId],
    ["escrow", `${formatAmount(cost, token)} (by ${payment})`],
    ["operator", session.order.operator],
    ["dispute bond", formatAmount(terms.disputeBond, token)],
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
  const { findSession } = await import("../../sdk/findSession.ts");
  const { requireParams } = await import("../../sdk/prepareJob.ts");
  const { randomUint256 } = await import("../../sdk/random.ts");
  const { readSessionFile, sessionOrder } = await import("../../sdk/sessions.ts");
  const session = readSessionFile(await readSigned(path), client);
  const program = await readProgram(options.program);
  if (program.id !== session.order.programId)
    throw new UsageError(`The session is for program ${session.order.programId}, not ${program.id}.`, {
      hint: "Give the directory of the session's program.",
    });
  const { bytes: params, hash: paramsHash } = encodeParams(options.params);
  requireParams(program, params);
  const { deadline } = session.order;
  const { state } = await findSession(client, session.sessionId);
  if (state !== "Open" || (await chainTime(client)) >= deadline)
    throw new UsageError(
      `Session ${session.sessionId} takes no jobs any more: it is ${state}, its deadline ${dateOf(deadline)}.`,
      {
        hint: "Open another one: dcm session open.",
      },
    );
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
  if (options.worker !== undefined) await give(options.worker, signed);
  const text = fields([
    ["job", jobId],
    ["deadline", dateOf(deadline)],
    ["file", options.out],
  ]);
  return { json: { jobId, sessionId: session.sessionId, file }, text: [...text, ...written], simulated };
}

/** A worker acts on blocks that count as final for it: it may not have seen the opening yet. */
async function give(worker: string, signed: SignedOrder): Promise<void> {
  const { ServerRefusedError } = await import("../../sdk/boundedFetch.ts");
  const { postOrder } = await import("../../sdk/worker.ts");
  for (const until = performance.now() + patienceMs; ; await new Promise((wake) => setTimeout(wake, pauseMs))) {
    try {
      await postOrder(worker, signed);
      return;
    } catch (error) {
      const isEarly = error instanceof ServerRefusedError && error.problem === "Sessions.UnknownSessionError";
      if (!isEarly || performance.now() > until) throw error;
      progress("The worker has not seen the session yet...");
    }
  }
}

async function show(options: GlobalOptions & { leaf?: number; worker?: string }, session: Hex): Promise<Output> {
  const { client, simulated } = await connect(options);
  const { findSession, leafState } = await import("../../sdk/findSession.ts");
  const { order, terms, state, leaves, claim, disputeUntil, showUntil, operator } = await findSession(client, session);
  const { fetchSession } = await import("../../sdk/worker.ts");
  const leaf = options.leaf === undefined ? undefined : await leafState(client, session, options.leaf);
  const view = options.worker === undefined ? undefined : await fetchSession(options.worker, session);
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
    [
      "worker",
      view && `${view.phase}: ${view.ran} of ${view.taken} jobs run${view.waiting ? ` (${view.waiting})` : ""}`,
    ],
    ["leaf", leaf && `${options.leaf}: ${leaf.settled ? "shown" : leaf.disputed ? "disputed" : "not disputed"}`],
  ]);
  const { maxJobs, challengeSeconds, disputeBond } = terms;
  const rest = { maxJobs, challengeSeconds, disputeBond, claimBy: order.deadline, leaves };
  const worker = view && { phase: view.phase, taken: view.taken, ran: view.ran, waiting: view.waiting ?? null };
  const nullable = { disputeUntil, showUntil, claim: counts, signer: claim?.signer, leaf, worker };
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

async function claim(options: WorkerOptions, path: string): Promise<Output> {
  const { client, simulated } = await connectWallet(options);
  const { readSessionFile, signClaimRequest } = await import("../../sdk/sessions.ts");
  const { fetchSession, postClaimRequest } = await import("../../sdk/worker.ts");
  const { sessionId } = readSessionFile(await readSigned(path), client);
  const { taken } = await fetchSession(options.worker, sessionId);
  const { phase } = await postClaimRequest(options.worker, sessionId, await signClaimRequest(client, sessionId, taken));
  const text = [
    ...fields([
      ["session", sessionId],
      ["jobs", taken],
      ["worker", phase],
    ]),
    "The worker claims it when all have receipts: dcm session show tells.",
  ];
  return { json: { sessionId, jobs: taken, phase }, text, simulated };
}

async function verify(options: WorkerOptions, session: Hex): Promise<Output> {
  const { client, simulated } = await connect(options);
  const { checkClaim } = await import("../../sdk/checkClaim.ts");
  const { session: found, leaves } = await checkClaim(client, session, options.worker);
  const bad = leaves.filter(({ problems }) => problems.length > 0);
  const rows = leaves.map(({ leaf, jobId, failure, problems }) =>
    problems.length === 0
      ? `  + ${leaf}  ${jobId}  ${failure === "None" ? "Ok" : failure}`
      : `  X ${leaf}  ${jobId ?? "?"}  ${problems.join("; ")}`,
  );
  const text = [
    `${leaves.length} leaves of session ${session}, ${bad.length} not in order`,
    ...rows,
    ...(bad.length > 0 && found.disputeUntil
      ? [`The payer may dispute them until ${dateOf(found.disputeUntil)}.`]
      : []),
  ];
  const json = { sessionId: session, leaves, inOrder: bad.length === 0 };
  return { json, text, simulated, exitCode: bad.length === 0 ? 0 : 1 };
}

async function settleLeaf(options: WorkerOptions, path: string, leaf: number): Promise<Output> {
  const { client, simulated } = await connectWallet(options);
  const { BadLeafError, itemOfLeaf } = await import("../../sdk/checkClaim.ts");
  const sessions = await import("../../sdk/sessions.ts");
  const { fetchLeaves } = await import("../../sdk/worker.ts");
  const session = sessions.readSessionFile(await readSigned(path), client);
  const [shown] = await fetchLeaves(options.worker, session.sessionId, leaf);
  if (shown?.leaf !== leaf) throw new BadLeafError(session.sessionId, leaf, ["the worker does not show it"]);
  const { hash, gasUsed } = await sessions.settleLeaf(client, session, leaf, itemOfLeaf(shown), shown.proof);
  const { jobId } = shown;
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
