/**
 * Room: sdk/audit/lines/code. Whether what was measured is the code that people agreed on. Pure.
 */
import { keccak256, sha256, stringToBytes } from "viem";
import { verifyEventLog } from "../../../protocol/quote/eventLog.ts";
import { composeHashOf } from "../../../protocol/quote/mrConfigId.ts";
import { parseQuote, quoteBytes } from "../../../protocol/quote/parseQuote.ts";
import { policyHashOf, unpackProgram } from "../../../protocol/program.ts";
import { readAppCompose } from "../appCompose.ts";
import { type Evidence, isMissing } from "../evidence.ts";
import { type AuditLine, allOf, type Finding, fails, given, line, unknown } from "../line.ts";
