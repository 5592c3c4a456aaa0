import { expect } from "chai";
import { isPublicAddress } from "../../../enclave/fetch/publicAddress.ts";

describe("isPublicAddress", () => {
  // First and last address of each block, and its neighbours outside.
  const refused =
    "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.100.100.200 100.127.255.255 127.0.0.1 " +
    "127.255.255.255 168.63.129.16 169.254.0.0 169.254.169.254 169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.192 " +
    "192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 " +
    "239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 64:ff9b::7f00:1 " +
    "64:ff9b:1::1 100::1 2001::1 2001:10::1 2001:20::1 2001:1ff::1 2001:db8::1 2002:7f00:1:: 3fff::1 5f00::1 fc00::1 " +
    "fd00:ec2::254 fdff::1 fe80::1 fe80::1%eth0 2606:4700::1%eth0 fec0::1 ff02::1 1::1 4000::1 localhost 1.2.3 0x7f000001 127.1";
  const allowed =
    "1.0.0.0 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 168.63.129.15 " +
    "168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 198.17.255.255 " +
    "198.20.0.0 223.255.255.255 2001:200::1 2001:4860:4860::8888 2003::1 2606:4700:4700::1111 2a00:1450::1 3ffe::1";

  for (const address of refused.split(" ")) {
    it(`refuses ${address}`, () => expect(isPublicAddress(address)).to.equal(false));
  }
  it("refuses the empty text", () => expect(isPublicAddress("")).to.equal(false));
  for (const address of allowed.split(" ")) {
    it(`allows ${address}`, () => expect(isPublicAddress(address)).to.equal(true));
  }
});
