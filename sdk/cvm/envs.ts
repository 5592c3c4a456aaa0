/**
 * Room: sdk/cvm/envs. Names of environment variables whose values the host chooses, and what it could do with them. Pure.
 * Source: Dstack-TEE/dstack, os/common/rootfs/app-compose.service: they are set for the shell that starts the app.
 */

/** What bash, the dynamic loader, docker and dstack's own start script act on. */
const steering =
  /^(BASH_ENV|ENV|PATH|IFS|PS4|SHELLOPTS|BASHOPTS|CDPATH|HOME|TMPDIR|GLIBC_TUNABLES|APP_COMPOSE_FILE|PCCS_URL|LD_.*|COMPOSE_.*|DOCKER_.*|NERDCTL_.*|CONTAINERD_.*|BUILDKIT_.*|BUILDX_.*|XDG_.*|(HTTPS?|ALL|NO|FTP)_PROXY)$/i;
const location =
  /(^|_)(UR[LI]S?|ENDPOINTS?|HOSTS?|HOSTNAME|ORIGINS?|DOMAINS?|WEBHOOKS?|SERVERS?|GATEWAY|REGISTRY|ADDR|RPC|PROXY|REPO)(_|$)/i;

/**
 * Names that steer what starts the app: their values could start something else.
 *
 * @example
 * steeringEnvs(["BASH_ENV", "RPC_URL"]) // ["BASH_ENV"]
 */
export function steeringEnvs(names: readonly string[]): string[] {
  return names.filter((name) => steering.test(name));
}

/**
 * Names that look like those of places: whom the app talks to would be the host's choice.
 *
 * @example
 * locationEnvs(["RPC_URL", "TOKEN"]) // ["RPC_URL"]
 */
export function locationEnvs(names: readonly string[]): string[] {
  return names.filter((name) => location.test(name));
}
