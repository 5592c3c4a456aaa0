/**
 * Room: simulator/forgeries. Chains of certificates with a wrong link: another root, name, role or date. Pure.
 * Source: RFC 5280, 6.1; Intel "SGX PCK Certificate and Certificate Revocation List Profile Specification", 1.3.
 */
import type { Authorities, Authority, CertificateChanges } from "../authorities.ts";
import { commonNames, createAuthorities } from "../authorities.ts";
import { authorityKey, basicConstraints, extension, intelName, keyUsage } from "../certificate.ts";
import { issuePckChain, type PckChain } from "../pckChain.ts";
import { type Forgery, strangerTo, type Workshop } from "./workshop.ts";

/** Places in the extensions of a certificate, in Intel's order. */
const place = { authorityKey: 0, keyUsage: 3, basicConstraints: 4, sgx: 5 } as const;
const never = new Uint8Array(0);

/** A pair under other authorities: their certificates are in the quote's chain and in the collateral. */
function under(w: Workshop, authorities: Authorities, chain: PckChain = w.chainWith({}, authorities)) {
  return { quote: w.quote({ chain }), collateral: w.collateral({}, authorities) };
}

/** An extension in place of another, or none. */
function exchanged(at: number, by: Uint8Array = never): CertificateChanges {
  return {
    extensions: (honest) => honest.map((one, index) => (index === at ? by : one)).filter((one) => one.length > 0),
  };
}

/** Roots of the forger's own, and signatures by whoever is no issuer. */
export function* rootForgeries(w: Workshop): Generator<Forgery> {
  const secrets = strangerTo(w.secrets);
  const own = createAuthorities(secrets);
  const ownChain = issuePckChain(secrets, own);
  const pinned = "the root's key is the pinned one";
  yield w.forge("collateral", "self-made-root", pinned, under(w, own, ownChain));
  yield w.forge("quote", "self-made-root-of-quote", pinned, { quote: w.quote({ chain: ownChain }) });
  yield w.forge("collateral", "self-made-root-of-collateral", pinned, { collateral: w.collateral({}, own) });
  const names = { keys: own.keys, certificates: { ...own.certificates, root: w.authorities.certificates.root } };
  yield w.forge(
    "collateral",
    "self-made-authorities-under-genuine-root",
    "the root signed its authorities",
    under(w, names, { ...ownChain, root: w.chain.root }),
  );

  const byStranger = { signedBy: own.keys.root };
  const namesStranger = exchanged(place.authorityKey, authorityKey(own.keys.root.publicKey));
  for (const [suffix, changes] of [
    ["", byStranger],
    // A verifier that looks for the issuer by this identifier, and finds none, must not skip the signature.
    ["-other-authority-key", { ...byStranger, ...namesStranger }],
  ] as const) {
    const leaf = w.chainWith({ leaf: changes });
    yield w.forge("quote", `leaf-signed-by-stranger${suffix}`, "the PCK CA signed the leaf", {
      quote: w.quote({ chain: leaf }),
    });
    for (const [authority, name] of [
      ["pckCa", "pck-ca"],
      ["tcbSigning", "tcb-signing"],
    ] as const) {
      const forged = w.authoritiesWith({ [authority]: changes });
      yield w.forge(
        "collateral",
        `${name}-signed-by-stranger${suffix}`,
        "the root signed its authorities",
        under(w, forged),
      );
    }
  }
}

/** Certificates used for what they are not for, and with names that are not Intel's. */
export function* roleForgeries(w: Workshop): Generator<Forgery> {
  const { keys, certificates } = w.authorities;
  const leafOnly = (name: string, check: string, leaf: CertificateChanges) =>
    w.forge("quote", name, check, { quote: w.quote({ chain: w.chainWith({ leaf }) }) });
  const authority = (name: string, check: string, changes: Partial<Record<Authority, CertificateChanges>>) =>
    w.forge("collateral", name, check, under(w, w.authoritiesWith(changes)));

  // A PCK key is on a machine of the forger's: it may sign reports of enclaves, never certificates.
  const caRole = "the issuer of a PCK certificate is a CA";
  const secrets = strangerTo(w.secrets);
  const byLeaf = {
    signedBy: w.chain.pckKeys,
    ...exchanged(place.authorityKey, authorityKey(w.chain.pckKeys.publicKey)),
  };
  const leafByLeaf = { ...byLeaf, issuer: intelName("Intel SGX PCK Certificate") };
  for (const [name, leaf] of [
    ["leaf-as-ca", leafByLeaf],
    ["leaf-as-ca-under-the-ca-s-name", byLeaf],
  ] as const) {
    const chain = { ...issuePckChain(secrets, w.authorities, { leaf }), issuer: w.chain.leaf };
    const collateral = { ...w.collateral(), pckCa: w.chain.leaf };
    yield w.forge("quote", name, caRole, { quote: w.quote({ chain }), collateral });
  }
  const longer = { ...issuePckChain(secrets, w.authorities, { leaf: leafByLeaf }), between: [w.chain.leaf] };
  yield w.forge("quote", "leaf-as-ca-in-chain-of-four", caRole, { quote: w.quote({ chain: longer }) });
  yield asPckCa(w, "tcb-signing-as-pck-ca", "tcbSigning");
  yield asPckCa(w, "root-as-pck-ca", "root");
  yield asTcbSigning(w, "pck-ca-as-tcb-signing", certificates.pckCa, {
    ...w.authorities,
    keys: { ...keys, tcbSigning: keys.pckCa },
  });
  yield asTcbSigning(w, "root-as-tcb-signing", certificates.root, {
    ...w.authorities,
    keys: { ...keys, tcbSigning: keys.root },
  });
  yield asTcbSigning(w, "leaf-as-tcb-signing", w.chain.leaf, {
    ...w.authorities,
    keys: { ...keys, tcbSigning: w.chain.pckKeys },
  });

  yield authority("pck-ca-is-no-ca", caRole, { pckCa: exchanged(place.basicConstraints, basicConstraints(undefined)) });
  yield authority("pck-ca-without-basic-constraints", caRole, { pckCa: exchanged(place.basicConstraints) });
  yield authority("pck-ca-may-not-sign-certificates", "the PCK CA may sign certificates", {
    pckCa: exchanged(place.keyUsage, keyUsage("leaf")),
  });
  yield authority("tcb-signing-is-ca", "the TCB signing certificate is no CA", {
    tcbSigning: exchanged(place.basicConstraints, basicConstraints(0)),
  });
  yield authority("tcb-signing-may-not-sign", "the TCB signing certificate may sign", {
    tcbSigning: exchanged(place.keyUsage, keyUsage("authority")),
  });
  yield leafOnly("leaf-is-ca", "the leaf is no CA", exchanged(place.basicConstraints, basicConstraints(0)));
  yield leafOnly("leaf-may-not-sign", "the leaf may sign", exchanged(place.keyUsage, keyUsage("authority")));
  yield leafOnly("leaf-without-sgx-extension", "the leaf says which platform it is for", exchanged(place.sgx));
  const twice = { extensions: (honest: readonly Uint8Array[]) => [...honest, ...honest.slice(place.sgx)] };
  yield leafOnly("leaf-with-two-sgx-extensions", "no extension stands twice", twice);
  const critical = {
    extensions: (honest: readonly Uint8Array[]) => [...honest, extension("1.2.3", Uint8Array.of(5, 0), true)],
  };
  yield leafOnly("leaf-with-unknown-critical-extension", "what is critical is understood", critical);
  yield authority("pck-ca-with-unknown-critical-extension", "what is critical is understood", { pckCa: critical });

  const stranger = intelName("Intel SGX PCK Forged CA");
  yield leafOnly("leaf-issuer-name", "the leaf names the PCK CA", { issuer: stranger });
  yield leafOnly("leaf-subject-name", "the leaf is a PCK certificate by name", {
    subject: intelName("Intel SGX Attestation Report Signing"),
  });
  yield authority("pck-ca-issuer-name", "the PCK CA names the root", { pckCa: { issuer: stranger } });
  yield authority("tcb-signing-issuer-name", "the TCB signing certificate names the root", {
    tcbSigning: { issuer: stranger },
  });
  yield authority("tcb-signing-subject-name", "the TCB signing certificate is one by name", {
    tcbSigning: { subject: intelName("Intel SGX Attestation Report Signing") },
  });
  const renamed = w.authoritiesWith({ pckCa: { subject: stranger } });
  yield w.forge("collateral", "pck-ca-subject-name", "the PCK CA is Intel's Platform or Processor CA by name", {
    ...under(w, renamed, w.chainWith({ leaf: { issuer: stranger } }, renamed)),
    collateral: w.collateral({ pckCrl: { issuer: stranger } }, renamed),
  });
}

/** Certificates before and after their time, by one second. */
export function* dateForgeries(w: Workshop): Generator<Forgery> {
  const second = (unixSeconds: number) => new Date(unixSeconds * 1000);
  for (const [state, changes] of [
    ["expired", { notAfter: second(w.at - 1) }],
    ["not-yet-valid", { notBefore: second(w.at + 1) }],
  ] as const) {
    const chain = w.chainWith({ leaf: changes });
    yield w.forge("quote", `leaf-${state}`, "the leaf is in date", { quote: w.quote({ chain }) });
    for (const [authority, name] of [
      ["pckCa", "pck-ca"],
      ["tcbSigning", "tcb-signing"],
    ] as const) {
      const forged = w.authoritiesWith({ [authority]: changes });
      yield w.forge(
        "collateral",
        `${name}-${state}`,
        `the certificate of ${commonNames[authority]} is in date`,
        under(w, forged),
      );
    }
  }
}

/** A leaf of the forger's, truly signed by an authority that is no PCK CA. */
function asPckCa(w: Workshop, name: string, authority: "tcbSigning" | "root"): Forgery {
  const keys = w.authorities.keys[authority];
  const certificate = w.authorities.certificates[authority];
  const leaf = {
    signedBy: keys,
    issuer: intelName(commonNames[authority]),
    ...exchanged(place.authorityKey, authorityKey(keys.publicKey)),
  };
  const chain = { ...w.chainWith({ leaf }), issuer: certificate };
  const check = "the issuer of a PCK certificate is a PCK CA";
  return w.forge("collateral", name, check, {
    quote: w.quote({ chain }),
    collateral: { ...w.collateral(), pckCa: certificate },
  });
}

/** JSON collateral truly signed by a key that is not for it. */
function asTcbSigning(w: Workshop, name: string, certificate: Uint8Array, authorities: Authorities): Forgery {
  const collateral = { ...w.collateral({}, authorities), tcbSigning: certificate };
  return w.forge("collateral", name, "JSON is signed by the TCB signing certificate", { collateral });
}
