import { connect } from "node:net";
import { QuoteVerifier } from "@phala/dcap-qvl";
import { expect } from "chai";
import { BadIssueDateError } from "../../simulator/collateral.ts";
import { CannotListenError, type Simulator, startSimulator } from "../../simulator/startSimulator.ts";
import type { TcbInfo } from "../../simulator/tcbInfo.ts";
import { readCrl } from "./crl.ts";
import { dcapQvlVerdict } from "./dcapQvl.ts";
import { readQuote } from "./readQuote.ts";
import { appCompose, seed } from "./vectors.ts";

const sgx = "/sgx/certification/v4/";
const tdx = "/tdx/certification/v4/";
const fmspc = "B0C06F000000";
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("the collateral that the simulator serves", () => {
  // 2026-08-20, ten to one in the morning: too early for collateral of that day.
  let time = Date.parse("2026-08-20T00:50:00Z") / 1000;
  let simulator: Simulator;
  beforeEach(async () => {
    time = Date.parse("2026-08-20T00:50:00Z") / 1000;
    simulator = await startSimulator({ appCompose, seed, clock: () => time });
  });
  afterEach(() => simulator.close());

  const get = (path: string, init?: RequestInit) => fetch(simulator.pcsUrl + path, init);
  const chainOf = (response: Response, header: string) => decodeURIComponent(response.headers.get(header) ?? "");
  const tcbInfo = async (): Promise<TcbInfo> =>
    ((await (await get(`${tdx}tcb?fmspc=${fmspc}`)).json()) as { tcbInfo: TcbInfo }).tcbInfo;
  const pem = (name: "leaf" | "issuer" | "root") => readQuote(simulator.platform.quote(new Uint8Array(64)))[name];

  it("is found good by dcap-qvl, as fetched", async () => {
    // Its own client asks for the Processor CA's list whatever the quote (0.3.9), which no platform here is under.
    const [tcb, qe, pckCrl, rootCaCrl] = await Promise.all(
      [`${tdx}tcb?fmspc=${fmspc}`, `${tdx}qe/identity`, `${sgx}pckcrl?ca=platform&encoding=der`, `${sgx}rootcacrl`].map(
        async (path) => {
          const response = await get(path);
          const chain = [...response.headers].find(([name]) => name.endsWith("-issuer-chain"))?.[1] ?? "";
          const bytes = Buffer.from(await response.arrayBuffer());
          return { bytes, text: bytes.toString("utf8"), chain: decodeURIComponent(chain) };
        },
      ),
    );
    const { tcbInfo, signature } = JSON.parse(tcb?.text ?? "");
    const { enclaveIdentity, signature: qeSignature } = JSON.parse(qe?.text ?? "");
    const collateral = {
      pck_crl_issuer_chain: pckCrl?.chain ?? "",
      root_ca_crl: rootCaCrl?.text ?? "",
      pck_crl: pckCrl?.bytes.toString("hex") ?? "",
      tcb_info_issuer_chain: tcb?.chain ?? "",
      tcb_info: JSON.stringify(tcbInfo),
      tcb_info_signature: signature,
      qe_identity_issuer_chain: qe?.chain ?? "",
      qe_identity: JSON.stringify(enclaveIdentity),
      qe_identity_signature: qeSignature,
    };
    const quote = simulator.platform.quote(new Uint8Array(64));
    const verifier = QuoteVerifier.newWithRootCa(Buffer.from(simulator.platform.certificates.root));
    expect(verifier.verify(quote, collateral, time).status).to.equal("UpToDate");
    expect(() => verifier.verify(quote, { ...collateral, tcb_info_signature: qeSignature }, time)).to.throw(
      "Signature is invalid for tcb_info",
    );
  });

  it("has the form of Intel's: bodies, signatures, chains in headers", async () => {
    const now = simulator.current();
    const chain = `${Buffer.from(now.tcbSigning).toString("base64")}${Buffer.from(now.rootCa).toString("base64")}`;
    const bare = (text: string) => text.replace(/-----[A-Z ]+-----|\n/g, "");

    const tcb = await get(`${tdx}tcb?fmspc=${fmspc.toLowerCase()}`);
    const signedText = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");
    expect(await tcb.text()).to.equal(
      `{"tcbInfo":${signedText(now.tcbInfo)},"signature":"${hex(now.tcbInfoSignature)}"}`,
    );
    expect(bare(chainOf(tcb, "TCB-Info-Issuer-Chain"))).to.equal(chain);

    const qe = await get(`${tdx}qe/identity?update=standard`);
    expect(await qe.text()).to.equal(
      `{"enclaveIdentity":${signedText(now.qeIdentity)},"signature":"${hex(now.qeIdentitySignature)}"}`,
    );
    expect(bare(chainOf(qe, "SGX-Enclave-Identity-Issuer-Chain"))).to.equal(chain);

    const crl = await get(`${sgx}pckcrl?ca=platform&encoding=der`);
    expect(hex(new Uint8Array(await crl.arrayBuffer()))).to.equal(hex(now.pckCrl));
    expect(chainOf(crl, "SGX-PCK-CRL-Issuer-Chain")).to.equal(`${pem("issuer")}${pem("root")}`);
    expect(await (await get(`${sgx}rootcacrl`)).text()).to.equal(hex(now.rootCaCrl));
  });

  it("is issued anew each day, once it is an hour old", async () => {
    const issued = async () => (await tcbInfo()).issueDate;
    expect(await issued()).to.equal("2026-08-19T00:00:00Z");
    time += 600;
    expect(await issued()).to.equal("2026-08-20T00:00:00Z");
    expect((await tcbInfo()).nextUpdate).to.equal("2026-09-19T00:00:00Z");
    time += 86_399;
    expect(await issued()).to.equal("2026-08-20T00:00:00Z");
    time += 1;
    expect(await issued()).to.equal("2026-08-21T00:00:00Z");
    expect(readCrl(simulator.current().pckCrl).thisUpdate).to.equal(Date.parse("2026-08-21T00:00:00Z") / 1000);
  });

  it("is what a test publishes, from then on, later than all before", async () => {
    const verdict = () => {
      const { certificates, quote } = simulator.platform;
      return dcapQvlVerdict(quote(new Uint8Array(64)), simulator.current(), certificates.root, time);
    };
    expect(verdict()).to.equal("UpToDate");
    const recovery = { statuses: { platform: "OutOfDate" as const }, tcbInfo: { tcbEvaluationDataNumber: 21 } };
    expect(simulator.publish(recovery)).to.equal(simulator.current());
    expect(verdict()).to.equal("OutOfDate");
    expect(await tcbInfo()).to.include({ tcbEvaluationDataNumber: 21, issueDate: "2026-08-20T00:49:00Z" });

    simulator.publish({ revoked: { leaves: [simulator.platform.serials.pckLeaf] } });
    expect(await tcbInfo()).to.include({ tcbEvaluationDataNumber: 20, issueDate: "2026-08-20T00:49:01Z" });
    expect(verdict()).to.equal("refused: Certificate is revoked");
    time += 3 * 86_400;
    expect(verdict()).to.equal("refused: Certificate is revoked");
    expect((await tcbInfo()).issueDate).to.equal("2026-08-22T00:00:00Z");
    simulator.publish({});
    expect(verdict()).to.equal("UpToDate");
    simulator.publish({ now: time });
    expect((await tcbInfo()).issueDate).to.equal("2026-08-23T00:50:00Z");
    simulator.publish({ now: time - 10 * 86_400 }); // also one that verifiers must not go back to
    expect((await tcbInfo()).issueDate).to.equal("2026-08-13T00:50:00Z");
    expect(() => simulator.publish({ now: Number.NaN })).to.throw(BadIssueDateError, "Collateral cannot be dated NaN.");
    expect((await tcbInfo()).issueDate).to.equal("2026-08-13T00:50:00Z");
    time += 86_400;
    expect((await tcbInfo()).issueDate).to.equal("2026-08-23T00:00:00Z");
  });

  it("is not there for other kinds of platforms, nor in other forms", async () => {
    const statuses = async (paths: readonly string[], init?: RequestInit) =>
      Promise.all(paths.map(async (path) => (await get(path, init)).status));
    expect(
      await statuses([
        `${tdx}tcb?fmspc=00806F050000`,
        `${sgx}tcb?fmspc=${fmspc}`,
        `${sgx}qe/identity`,
        `${sgx}pckcrl?ca=processor&encoding=der`,
        "/",
        "/constructor",
      ]),
    ).to.deep.equal([404, 404, 404, 404, 404, 404]);
    expect(
      await statuses([
        `${tdx}tcb`,
        `${tdx}tcb?fmspc=${fmspc}00`,
        `${tdx}tcb?fmspc=zzzzzzzzzzzz`,
        `${sgx}pckcrl?ca=platform`,
        `${sgx}pckcrl?ca=other&encoding=der`,
      ]),
    ).to.deep.equal([400, 400, 400, 400, 400]);
    expect(await statuses([`${tdx}tcb?fmspc=${fmspc}`], { method: "POST", body: "x".repeat(1 << 20) })).to.deep.equal([
      400,
    ]);
  });

  it("is still served after a request that is none", async () => {
    const socket = connect(Number(new URL(simulator.pcsUrl).port), "127.0.0.1");
    const answer = await new Promise<string>((resolve) => {
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk;
      });
      socket.on("close", () => resolve(text));
      socket.write("GET //[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    });
    expect(answer.split("\r\n")[0]).to.equal("HTTP/1.1 400 Bad Request");
    expect((await tcbInfo()).id).to.equal("TDX");
  });

  it("has a port of its own, which may be chosen and must be free", async () => {
    const port = Number(new URL(simulator.pcsUrl).port);
    expect(simulator.pcsUrl).not.to.equal(simulator.endpoint);
    const taken = await startSimulator({ appCompose, pcsPort: port }).catch((error: unknown) => error);
    expect(taken).to.be.instanceOf(CannotListenError);
    expect((taken as Error).message).to.equal(`Cannot listen on 127.0.0.1:${port}.`);
  });
});
