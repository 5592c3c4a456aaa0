/**
 * Which columns of a table look as if they held data of persons: per column and kind, the share of its values that match.
 * Reveals counts; no value. A clean scan is no proof: names and free text are not recognised.
 */
import { readTable } from "./csv.js";

const kinds = {
  email: (text) => /^[^\s@,;<>"]{1,64}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*\.[a-z]{2,24}$/i.test(text),
  phone: (text) => /^\+[1-9][0-9 ().\/-]{6,22}[0-9]$/.test(text) && /^[0-9]{8,15}$/.test(text.replace(/[^0-9]/g, "")),
  paymentCard: (text) => /^[0-9]([ -]?[0-9]){12,18}$/.test(text) && luhn(text.replace(/[^0-9]/g, "")),
  iban: (text) => /^[A-Z]{2}[0-9]{2}( ?[A-Z0-9]){11,30}$/.test(text) && mod97(text.replace(/ /g, "")) === 1,
  ipAddress: (text) => isIpv4(text) || /^([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$/i.test(text),
  usSocialSecurity: (text) => /^(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}$/.test(text),
};

function isIpv4(text) {
  return /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/.test(text) && text.split(".").every((part) => Number(part) < 256);
}

/** ISO/IEC 7812-1. */
function luhn(digits) {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]) * (i % 2 === 0 ? 1 : 2);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
}

/** ISO 13616: letters count from A = 10, the first four signs stand last. */
function mod97(iban) {
  let rest = 0;
  for (const sign of iban.slice(4) + iban.slice(0, 4)) rest = Number(`${rest}${parseInt(sign, 36)}`) % 97;
  return rest;
}

export default function piiScan({ data }) {
  const { names, rows } = readTable(data);
  const columns = names.map((name, position) => {
    const counts = {};
    for (const row of rows) {
      const text = row[position].trim();
      if (text === "") continue;
      for (const kind in kinds) if (kinds[kind](text)) counts[kind] = (counts[kind] ?? 0) + 1;
    }
    return { name, found: Object.entries(counts).map(([kind, values]) => ({ kind, values })) };
  });
  return { rows: rows.length, suspicious: columns.filter((column) => column.found.length > 0).length, columns };
}
