import { expect } from "chai";
import {
  bootEvents,
  fullLog,
  type Rtmr,
  replay,
  runtimeEvent,
  runtimeEventType,
  strippedLog,
} from "../../simulator/eventLog.ts";
import { createPlatform } from "../../simulator/platform.ts";
import { appCompose, type LogItem, realInfo, seed, strippedQuote } from "./vectors.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const isRuntime = (item: LogItem) => item.imr === 3;

describe("runtimeEvent and replay", () => {
  it("give the digests and registers of a real machine", () => {
    const { event_log, rtmr0, rtmr1, rtmr2, rtmr3 } = realInfo.tcb_info;
    const runtime = event_log.filter(isRuntime);
    expect(runtime).to.have.lengthOf(9);
    for (const item of runtime) {
      expect(item.event_type).to.equal(runtimeEventType);
      const { digest } = runtimeEvent(item.event, Buffer.from(item.event_payload, "hex"));
      expect(hex(digest), item.event).to.equal(item.digest);
    }
    const events = event_log.map((item) => ({
      rtmr: item.imr as Rtmr,
      type: item.event_type,
      name: item.event,
      payload: Buffer.from(item.event_payload, "hex"),
      digest: Buffer.from(item.digest, "hex"),
    }));
    const registers = ([0, 1, 2, 3] as const).map((rtmr) => hex(replay(events, rtmr)));
    expect(registers).to.deep.equal([rtmr0, rtmr1, rtmr2, rtmr3]);
  });
});

describe("the event log of a platform", () => {
  const platform = createPlatform({ appCompose, seed });

  it("has the registers and types of a real boot, in its order", () => {
    const shapeOf = (items: readonly LogItem[]) => items.filter((i) => !isRuntime(i)).map((i) => [i.imr, i.event_type]);
    expect(shapeOf(fullLog(bootEvents))).to.deep.equal(shapeOf(realInfo.tcb_info.event_log));
  });

  it("has the runtime events of dstack 0.5.8 under a KMS, in its order", () => {
    const names = fullLog(platform.events())
      .filter(isRuntime)
      .map((item) => item.event);
    const inReality = realInfo.tcb_info.event_log.filter(isRuntime).map((item) => item.event);
    // The real log is older than storage-fs (0.5.5).
    expect(names.filter((name) => name !== "storage-fs")).to.deep.equal(inReality);
    expect(names.slice(-2)).to.deep.equal(["storage-fs", "system-ready"]);
  });

  it("is stripped as hardware strips it", () => {
    const emptyIn = (items: LogItem[]) =>
      items.map((item) =>
        isRuntime(item) ? item.digest === "" : item.event_payload === "" && item.digest.length === 96,
      );
    const stripped = strippedLog(platform.events());
    expect(emptyIn(stripped)).not.to.include(false);
    // The real fixture leaves the payloads of its three named ACPI events; all else is as here.
    const realItems: LogItem[] = JSON.parse(strippedQuote.event_log);
    expect(emptyIn(realItems.filter((item) => !item.event.startsWith("acpi-")))).not.to.include(false);
    expect(Object.keys(stripped[0] ?? {})).to.deep.equal(Object.keys(realItems[0] ?? {}));
  });
});
