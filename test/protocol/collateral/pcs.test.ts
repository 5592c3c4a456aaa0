import { expect } from "chai";
import {
  BadIssuerChainError,
  BadPcsUrlError,
  fetchCollateral,
  type PcsAnswer,
  type PcsGet,
  PcsRefusedError,
} from "../../../protocol/collateral/pcs.ts";
import { cutSignedJson, MalformedAnswerError } from "../../../protocol/collateral/signedJson.ts";
import { MalformedDerError } from "../../../protocol/quote/der.ts";
import { MalformedChainError } from "../../../protocol/quote/pemChain.ts";
import { failureOf } from "../../support/failureOf.ts";
import { august, bundle } from "./bundles.ts";

const intel = bundle(august);
const request = { fmspc: "0xb0c06f000000", ca: "platform" } as const;
const base = "https://pccs.example";

const text = (content: string) => new TextEncoder().encode(content);
const pem = (der: Uint8Array) =>
  `-----BEGIN CERTIFICATE-----\n${der.toBase64().replace(/.{64}(?=.)/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
const chainOf = (...certificates: Uint8Array[]) => encodeURIComponent(certificates.map(pem).join(""));
const signedBody = (key: string, json: Uint8Array, signature: Uint8Array) =>
  text(`{"${key}":${new TextDecoder().decode(json)},"signature":"${signature.toHex()}"}`);
const answer = (body: Uint8Array, headers: Record<string, string> = {}, status = 200): PcsAnswer => ({
  status,
  headers: new Headers(headers),
  body,
});

const paths = {
  tcb: "/tdx/certification/v4/tcb?fmspc=B0C06F000000",
  qe: "/tdx/certification/v4/qe/identity",
  pckCrl: "/sgx/certification/v4/pckcrl?ca=platform&encoding=der",
  rootCrl: "/sgx/certification/v4/rootcacrl",
} as const;

/** What a PCCS answers, by path. */
function pccs(changes: Partial<Record<keyof typeof paths, PcsAnswer>> = {}): Record<string, PcsAnswer> {
  const signers = chainOf(intel.tcbSigning, intel.rootCa);
  const answers: Record<keyof typeof paths, PcsAnswer> = {
    tcb: answer(signedBody("tcbInfo", intel.tcbInfo, intel.tcbInfoSignature), { "TCB-Info-Issuer-Chain": signers }),
    qe: answer(signedBody("enclaveIdentity", intel.qeIdentity, intel.qeIdentitySignature), {
      "SGX-Enclave-Identity-Issuer-Chain": signers,
    }),
    pckCrl: answer(intel.pckCrl, { "SGX-PCK-CRL-Issuer-Chain": chainOf(intel.pckCa, intel.rootCa) }),
    rootCrl: answer(text(intel.rootCaCrl.toHex())),
    ...changes,
  };
  return Object.fromEntries(Object.entries(answers).map(([name, one]) => [paths[name as keyof typeof paths], one]));
}

function serving(answers: Record<string, PcsAnswer>, asked: string[] = [], origin = base): PcsGet {
  return async (url) => {
    asked.push(url);
    return answers[url.slice(origin.length)] ?? answers[url] ?? answer(text("no such thing"), {}, 404);
  };
}

async function refusal(changes: Partial<Record<keyof typeof paths, PcsAnswer>>): Promise<unknown> {
  return await failureOf(fetchCollateral(serving(pccs(changes)), base, request));
}

describe("fetchCollateral", () => {
  it("gives Intel's bytes as they were signed", async () => {
    expect(await fetchCollateral(serving(pccs()), base, request)).to.deep.equal(intel);
  });

  it("takes a base URL with a slash or the path of the API", async () => {
    for (const tail of ["/", "/sgx/certification/v4", "/tdx/certification/v4/"]) {
      const asked: string[] = [];
      await fetchCollateral(serving(pccs(), asked), `${base}${tail}`, request);
      expect(asked.toSorted()).to.deep.equal(
        Object.values(paths)
          .map((path) => `${base}${path}`)
          .toSorted(),
      );
    }
  });

  it("fetches Intel's root CRL as DER where Intel keeps it", async () => {
    const origin = "https://api.trustedservices.intel.com";
    const root = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
    const answers = { ...pccs({ rootCrl: answer(text(""), {}, 404) }), [root]: answer(intel.rootCaCrl) };
    expect(await fetchCollateral(serving(answers, [], origin), origin, request)).to.deep.equal(intel);
  });

  it("takes lists as hex with 0x and a line end, and the chain under its older name", async () => {
    const tcb = pccs()[paths.tcb] as PcsAnswer;
    const headers = { "SGX-TCB-Info-Issuer-Chain": tcb.headers.get("TCB-Info-Issuer-Chain") ?? "" };
    const answers = pccs({ rootCrl: answer(text(`0x${intel.rootCaCrl.toHex()}\n`)), tcb: answer(tcb.body, headers) });
    expect(await fetchCollateral(serving(answers), base, request)).to.deep.equal(intel);
  });

  it("throws PcsRefusedError with the status and without the query", async () => {
    const error = await refusal({ tcb: answer(text("{}"), {}, 404) });
    expect(error).to.be.instanceOf(PcsRefusedError).with.property("status", 404);
    expect(error).to.have.property("message", "The collateral server answered 404 for /tdx/certification/v4/tcb.");
    expect(error).to.have.property("retryable", false);
    // A key in the base URL's path is not repeated.
    const keyed = await failureOf(
      fetchCollateral(async () => answer(text(""), {}, 401), "https://pccs.example/s3cret/", request),
    );
    expect(keyed.message).to.match(/^The collateral server answered 401 for \/(sgx|tdx)\/certification\//);
    expect(await refusal({ qe: answer(text(""), {}, 503) })).to.have.property("retryable", true);
  });

  it("throws PcsRefusedError for an answer that is too long or no list", async () => {
    expect(await refusal({ tcb: answer(new Uint8Array(65_537)) })).to.be.instanceOf(PcsRefusedError);
    for (const body of ["", "<html>", "0x0", "abc"])
      expect(await refusal({ rootCrl: answer(text(body)) }), body)
        .to.be.instanceOf(PcsRefusedError)
        .with.property("message", "The collateral server answered 200 for a revocation list: neither DER nor hex.");
  });

  it("throws BadIssuerChainError for a chain that is missing, long, cut, or of another key", async () => {
    const tcb = (chain: string | undefined) =>
      answer((pccs()[paths.tcb] as PcsAnswer).body, chain === undefined ? {} : { "TCB-Info-Issuer-Chain": chain });
    const name = "The collateral server's header TCB-Info-Issuer-Chain is ";
    for (const [chain, fact] of [
      [undefined, "missing."],
      ["%", "not URL-encoded."],
      ["a".repeat(16_385), "16385 characters long."],
      [chainOf(intel.tcbSigning), "not two certificates."],
      [chainOf(intel.tcbSigning, intel.rootCa, intel.rootCa), "not two certificates."],
    ] as const)
      expect(await refusal({ tcb: tcb(chain) }), fact)
        .to.be.instanceOf(BadIssuerChainError)
        .with.property("message", name + fact);
    expect(await refusal({ tcb: tcb("junk") })).to.be.instanceOf(MalformedChainError);
    expect(await refusal({ tcb: tcb(chainOf(Uint8Array.of(1, 2, 3), intel.rootCa)) })).to.be.instanceOf(
      MalformedDerError,
    );
    const other = await refusal({ tcb: tcb(chainOf(intel.pckCa, intel.rootCa)) });
    expect(other).to.be.instanceOf(BadIssuerChainError);
    expect((other as Error).message).to.match(/of another signing key than the TCB info's\.$/);
  });

  it("throws BadPcsUrlError before it asks anyone, and does not repeat the URL", async () => {
    for (const [url, fmspc] of [
      ["ftp://secret.example", "b0c06f000000"],
      ["https://user:secret@pccs.example", "b0c06f000000"],
      ["https://pccs.example?key=secret", "b0c06f000000"],
      ["secret", "b0c06f000000"],
      [base, "b0c06f00000"],
      [base, "b0c06f000000&ca=secret"],
    ] as const) {
      const asked: string[] = [];
      const error = await failureOf(fetchCollateral(serving(pccs(), asked), url, { ...request, fmspc }));
      expect(error, url).to.be.instanceOf(BadPcsUrlError);
      expect((error as Error).message).not.to.contain("secret");
      expect(asked).to.deep.equal([]);
    }
  });
});

describe("cutSignedJson", () => {
  const signature = "ab".repeat(64);
  const cut = (body: string) => {
    const { signed, signature: bytes } = cutSignedJson(text(body), "tcbInfo");
    return [new TextDecoder().decode(signed), bytes.toHex()];
  };

  it("cuts the object as it stands, whatever is in its texts", () => {
    for (const object of ['{"a":1}', "{}", '{ "b" : "}\\"{" , "c":{"d":[{}]}}', '{"é":"\\\\"}'])
      for (const body of [
        `{"tcbInfo":${object},"signature":"${signature}"}`,
        ` {\t"signature" :"${signature.toUpperCase()}"\r\n, "tcbInfo": ${object} }\n`,
      ])
        expect(cut(body)).to.deep.equal([object, signature]);
  });

  it("throws MalformedAnswerError for anything else", () => {
    for (const body of [
      "",
      "[]",
      "{}",
      `{"tcbInfo":{},"signature":"${signature}"}x`,
      `{"tcbInfo":{},"signature":"${signature}","tcbInfo":{"evil":1}}`,
      `{"tcbInfo":{},"signature":"${signature}","signature":"${signature}"}`,
      `{"tcbInfo":{},"signature":"${signature}","more":1}`,
      `{"tcbInfo":{},"signature":"${signature}",}`,
      `{"tcbInfo":{},"signature":"${signature.slice(1)}"}`,
      `{"tcbInfo":{},"signature":"${signature}00"}`,
      `{"tcbInfo":{},"signature":${signature}}`,
      `{"tcbInfo":[],"signature":"${signature}"}`,
      `{"tcbInfo":{`,
      `{"tcbInfo":{"a":"}`,
      `{"tcbInfo":{"a":"\\`,
      `{"signature":"${signature}"}`,
      `{"tcbInfo":{}}`,
      `{"tcb\\u0049nfo":{},"signature":"${signature}"}`,
      `{"enclaveIdentity":{},"signature":"${signature}"}`,
    ])
      expect(() => cut(body), body).to.throw(MalformedAnswerError);
  });
});
