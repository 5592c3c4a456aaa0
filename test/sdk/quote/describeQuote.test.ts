import { expect } from "chai";
import { describeQuote } from "../../../sdk/quote/describeQuote.ts";
import { index, quoteOf } from "../../protocol/collateral/index.ts";
import { jsonVector, platform } from "../../protocol/quote/vectors.ts";

/** All fields by name; the certificates' are prefixed by their section. */
function fieldsOf(quote: Uint8Array): Map<string, { value: string; meaning: string }> {
  return new Map(
    describeQuote(quote).flatMap(({ title, fields }) =>
      fields.map((field) => [title.startsWith("Issuer") ? `issuer: ${field.name}` : field.name, field] as const),
    ),
  );
}

describe("describeQuote", () => {
  it("shows of every TDX vector what index.json records of it", () => {
    const { quotes } = jsonVector("tdx/index.json");
    // Its padding is not zero: not read at all.
    for (const name of Object.keys(index.quotes).filter((one) => !["phala_sgx_v3", "gotdx_SPR_E4_v4"].includes(one))) {
      const fields = fieldsOf(quoteOf(name));
      const value = (field: string) => fields.get(field)?.value;
      const known = quotes[name];
      expect(value("version"), name).to.equal(String(known.version));
      expect(value("body"), name).to.equal(known.body === "TD15" ? "TDX 1.5" : "TDX 1.0");
      expect(value("FMSPC"), name).to.equal(`0x${known.fmspc}`);
      expect(value("PPID"), name).to.equal(`0x${known.ppid}`);
      expect(value("TEE_TCB_SVN"), name).to.equal(`0x${known.tee_tcb_svn}`);
      expect(value("TEE_TCB_SVN_2"), name).to.equal(
        known.tee_tcb_svn2 === null ? undefined : `0x${known.tee_tcb_svn2}`,
      );
      expect(value("SGX component SVNs"), name).to.equal(known.cpusvn_comps.join("."));
      expect(value("PCESVN"), name).to.equal(String(known.pcesvn));
      expect(value("TDATTRIBUTES"), name).to.equal(`0x${known.tdattr}`);
      expect(value("MRCONFIGID"), name).to.equal(`0x${known.mrconfigid}`);
      expect(value("ISVSVN"), name).to.equal(String(known.qe_isvsvn));
      expect(value("report data"), name).to.equal(`0x${known.reportdata}`);
      const [from, to] = known.pck_leaf_validity.map(
        (time: string) => `20${time.slice(0, 2)}-${time.slice(2, 4)}-${time.slice(4, 6)}`,
      );
      expect(value("valid"), name).to.match(new RegExp(`^${from}T.* to ${to}T`));
      expect(value("issuer: subject"), name).to.equal("Intel SGX PCK Platform CA");
    }
  });

  it("says what attributes, modules and configuration mean", () => {
    const meaning = (overrides: Parameters<typeof platform.quote>[1], field: string) =>
      fieldsOf(platform.quote(new Uint8Array(64), overrides)).get(field)?.meaning;
    expect(meaning({ tdAttributes: Uint8Array.of(1, 0, 0, 0x10, 0, 0, 0, 0x81) }, "TDATTRIBUTES")).to.equal(
      "OPEN TO ITS HOST. 0 DEBUG: the host reads and writes the VM's memory; 28 SEPT_VE_DISABLE: removed pages halt the VM instead of surprising it (must be set); 56 reserved; 63 PERFMON: performance counters",
    );
    expect(meaning({ xfam: Uint8Array.of(3, 0, 6, 0, 0, 0, 0, 0) }, "XFAM")).to.equal(
      "0 x87; 1 SSE; 17 AMX configuration; 18 AMX data",
    );
    expect(meaning({ mrSignerSeam: new Uint8Array(48).fill(1) }, "MRSIGNERSEAM")).to.equal("NOT Intel's module");
    expect(meaning({ seamAttributes: new Uint8Array(8).fill(1) }, "SEAM attributes")).to.equal("NOT zero: refused");
    const plain = Uint8Array.from([5, 0, 4, ...new Uint8Array(13)]);
    expect(meaning({ teeTcbSvn: plain }, "TEE_TCB_SVN")).to.equal(
      "at launch: module version 0, SVN 5: judged by the TCB levels",
    );
    const config = (version: number) =>
      meaning({ mrConfigId: Uint8Array.from([version, ...new Uint8Array(47)]) }, "MRCONFIGID");
    expect([0, 1, 2, 3, 4].map(config)).to.deep.equal([
      "zero: nothing binds the VM to a compose file",
      `dstack version 1: SHA-256 of app-compose.json is 0x${"00".repeat(32)}`,
      "dstack version 2: hash over compose hash, app id and key provider",
      "dstack version 3: hash of a configuration document",
      "of no version of dstack's that is known",
    ]);
    const alibaba = fieldsOf(quoteOf("automata_alibaba_v5"));
    expect(alibaba.get("MRSERVICETD")?.meaning).to.equal("a service TD is bound to the VM: refused");
  });
});
