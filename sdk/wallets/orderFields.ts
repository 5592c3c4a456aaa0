/** Room: sdk/wallets. How an order is shown: alone, in a session, and in calls that carry one. Pure. */
import { account, amount, date, type Field, type FieldGroup, ifSet, raw, token } from "./descriptor.ts";

/**
 * All fields of an order.
 *
 * @param prefix - where it lies: "" for the order itself, else with a dot at its end.
 * @example
 * const fields = orderFields("order.")
 */
export function orderFields(prefix: "" | "order."): (Field | FieldGroup)[] {
  const at = (name: string) => `${prefix}${name}`;
  const paid = (name: string, label: string) => amount(at(name), label, at("token"));
  return [
    account(at("requester"), "Requester"),
    account(at("payer"), "Paid by"),
    raw(at("programId"), "Program"),
    raw(at("workloadId"), "Enclave code"),
    raw(at("paramsHash"), "Parameters (hash)", ifSet),
    {
      path: at("datasets.[]"),
      label: "Data set",
      fields: [
        raw("datasetId", "Data set"),
        raw("grantHash", "Under grant"),
        amount("maxPrice", "Costs at most", at("token")),
      ],
    },
    token(at("token")),
    paid("operatorFee", "Fee of each enclave, at most"),
    paid("failureFee", "Fee if it fails"),
    account(at("operator"), "Operator (0x0: any)"),
    raw(at("quorum"), "Enclaves that must agree"),
    raw(at("offerHash"), "By offer", ifSet),
    amount(at("bond"), "Stake of who accepts it", at("token"), ifSet),
    date(at("acceptBy"), "To be accepted by", ifSet),
    date(at("deadline"), "Deadline"),
    raw(at("resultKey"), "Result sealed to"),
    raw(at("session"), "In session", ifSet),
    raw(at("nonce"), "Nonce"),
  ];
}

/**
 * An order that was agreed to before: what tells it from others, the rest where there is room.
 *
 * @example
 * const fields = [raw("index", "Job number"), ...knownOrderFields()]
 */
export function knownOrderFields(): (Field | FieldGroup)[] {
  const main = new Set(["order.requester", "order.programId", "order.deadline"]);
  const optional = (field: Field): Field => ({ ...field, visible: "optional" });
  return orderFields("order.").map((one) => {
    if ("fields" in one) return { ...one, fields: one.fields.map(optional) };
    return main.has(one.path) ? one : optional(one);
  });
}
