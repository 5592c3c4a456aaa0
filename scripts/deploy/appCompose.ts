/**
 * Room: scripts/deploy. The dstack manifest of the worker, made from deploy/docker-compose.yaml. Pure: same inputs, same
 * bytes, and so the same compose hash.
 * Source: Dstack-TEE/dstack, dstack-types/src/lib.rs, AppCompose.
 */
import type { Deployment } from "../../protocol/deployment.ts";
import { BaseError } from "../../protocol/errors.ts";

/** What the compose file does not say by itself. */
export type ComposeParts = {
  /** SHA-256 of the image's manifest, hex: `digest` of deploy/image.json. */
  digest: string;
  /** Where the image can be pulled, without tag; undefined: as it stands in the file. */
  repository?: string | undefined;
  /** The contracts that the worker works for; undefined: none, and it will not start. */
  deployment?: Deployment | undefined;
};

/** Services of one image. */
const services = 2;
const imageLine = /^( +image: )([^\s@]+)@sha256:[0-9a-f]{64}$/gm;
const deploymentLine = /^( +DEPLOYMENT: )'.*'$/gm;
/** A registry's name, its port, and the path in it. Source: distribution/reference. */
const repositoryForm = /^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(\/[a-z0-9][a-z0-9._-]*)*$/;

/**
 * The compose file with image and deployment in it.
 *
 * @param template - deploy/docker-compose.yaml.
 * @throws {@link BadComposeError} if it does not have the places for them, or a part does not fit.
 * @example
 * const compose = composeFileOf(template, { digest, repository: "registry.example/worker", deployment })
 */
export function composeFileOf(template: string, { digest, repository, deployment }: ComposeParts): string {
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new BadComposeError("the digest is not 64 digits of lowercase hex");
  if (repository !== undefined && !repositoryForm.test(repository))
    throw new BadComposeError("the image's name is not one of a registry, in lowercase and without tag or digest");
  if (count(template, imageLine) !== services || count(template, deploymentLine) !== 1)
    throw new BadComposeError("it does not have two pinned images and one DEPLOYMENT");
  const pinned = template.replace(imageLine, (_, head: string, name: string) => {
    return `${head}${repository ?? name}@sha256:${digest}`;
  });
  if (deployment === undefined) return pinned;
  const text = JSON.stringify(deployment);
  // Neither YAML nor docker compose takes anything out of it, then.
  if (/['$\n]/.test(text)) throw new BadComposeError("the deployment has characters that a compose file changes");
  return pinned.replace(deploymentLine, (_, head: string) => `${head}'${text}'`);
}

/**
 * app-compose.json: its bytes are measured.
 *
 * @param composeFile - see {@link composeFileOf}.
 * @example
 * const composeHash = sha256(stringToBytes(appComposeOf(composeFile)))
 */
export function appComposeOf(composeFile: string): string {
  const manifest = {
    manifest_version: 2,
    name: "data-collab-market",
    runner: "docker-compose",
    docker_compose_file: composeFile,
    kms_enabled: true,
    key_provider: "kms",
    gateway_enabled: false,
    public_logs: false,
    public_sysinfo: false,
    public_tcbinfo: true,
    allowed_envs: operatorSettings(composeFile),
    no_instance_id: false,
    secure_time: true,
    storage_fs: "zfs",
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** The variables that the compose file takes from outside: no others may be set, and none of these in vain. */
function operatorSettings(composeFile: string): string[] {
  const names = [...composeFile.matchAll(/\$\{([A-Z_]+)(?::-)?\}/g)].map(([, name = ""]) => name);
  if (count(composeFile, /\$/g) !== names.length) throw new BadComposeError("it has a $ that is no plain variable");
  return [...new Set(names)];
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}

/** The compose file cannot be made. */
export class BadComposeError extends BaseError {
  override readonly name = "Deploy.BadComposeError";
  constructor(problem: string) {
    super(`deploy/docker-compose.yaml cannot be filled in: ${problem}.`, {
      hint: "Restore deploy/docker-compose.yaml, and see docs/DEPLOY.md for what is given to it.",
    });
  }
}
