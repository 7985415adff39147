import type Docker from 'dockerode'
import { GATEWAY_CPU, GATEWAY_MEMORY_BYTES, GATEWAY_PIDS, GATEWAY_UID, HELPER_HEAP_MIB } from '../constants.ts'
import { egressListeners, hostsEntries } from '../egress-targets.ts'
import { IDLE } from '../gateway/idle-gateway.ts'
import type { GatewaySettings } from '../gateway/settings.ts'
import { dockerSeccompProfile } from '../seccomp/docker-profile.ts'
import type { Plan, PlanLifetime } from '../types.ts'
import { bind, CODE, type DockerHandle, hardening, labels, WORK } from './container-options.ts'
import type { GatewayDisk } from './types.ts'

const GATEWAY_USER = `${GATEWAY_UID}:${GATEWAY_UID}`

/** A gateway listens at any port of its namespace without a capability. Newer engines have this by default. */
const LOW_PORTS = { 'net.ipv4.ip_unprivileged_port_start': '0' }

/** What a gateway needs of its engine: a folder for its socket, or only to be attached to. */
export type GatewayTransport =
  | { kind: 'socket'; script: { dir: string; file: string }; socketDir: string; socketFile: string }
  | { kind: 'stdio'; main: string; files: Readonly<Record<string, string>> }

/** Writes the gateway's files, which came in its environment, and becomes the first of them. */
const BEGIN = `const files = Object.entries(JSON.parse(process.env.GATEWAY))
for (const [name, text] of files) require('node:fs').writeFileSync('/tmp/' + name, text)
import('/tmp/' + files[0][0])`

/**
 * The gateway: our own Node with its script and its transport, and nothing else. The run lives in its network and process
 * namespaces and ends with it. It is another user than any run, so that none can stop its clock.
 */
export function gatewayOptions(input: {
  plan: Pick<Plan, 'runId' | 'service' | 'ports' | 'egress'>
  handle: DockerHandle
  nodeId: string
  image: string
  transport: GatewayTransport
  seccomp: boolean
  lifetime: PlanLifetime | undefined
  disk?: GatewayDisk | undefined
  /** It is there before its run, and gets what it is for later. */
  idle?: boolean | undefined
}): Docker.ContainerCreateOptions {
  const { plan, handle, transport } = input
  const flags = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', `--max-old-space-size=${HELPER_HEAP_MIB}`]
  const disk = input.disk === undefined ? [] : [heldVolume(input.disk)]
  const { egress } = plan
  const listeners = egress === undefined ? [] : egressListeners(egress, plan.ports)
  const settings = input.idle === true ? IDLE : JSON.stringify(gatewaySettings(input))
  const base = { Image: input.image, Entrypoint: ['/usr/local/bin/node'], WorkingDir: '/', User: GATEWAY_USER }
  const limits = {
    ...{ NetworkMode: 'none', Memory: GATEWAY_MEMORY_BYTES, PidsLimit: GATEWAY_PIDS },
    // the run's hosts file is its gateway's
    ExtraHosts: hostsEntries(listeners).map(([name, address]) => `${name}:${address}`),
    ...(egress === undefined && input.idle !== true ? {} : { NanoCpus: GATEWAY_CPU * 1_000_000, Sysctls: LOW_PORTS }),
  }
  const common = { ...base, name: handle.gateway, Labels: labels(input.nodeId, plan, 'gateway') }
  if (transport.kind === 'socket') {
    const { script, socketDir, socketFile } = transport
    return {
      ...common,
      Cmd: [...flags, `/gateway/${script.file}`, `/socket/${socketFile}`, settings],
      Env: [],
      HostConfig: {
        ...hardening(input.seccomp ? dockerSeccompProfile() : undefined),
        ...limits,
        Mounts: [bind(script.dir, '/gateway', true), bind(socketDir, '/socket', false), ...disk],
      },
    }
  }
  return {
    ...common,
    Cmd: [...flags, '-e', BEGIN, '--', 'stdio', settings],
    Env: [`GATEWAY=${JSON.stringify(transport.files)}`],
    OpenStdin: true,
    StdinOnce: false,
    HostConfig: {
      ...hardening(input.seccomp ? dockerSeccompProfile() : undefined),
      ...limits,
      // What goes through it is nothing to keep.
      LogConfig: { Type: 'none', Config: {} },
      Tmpfs: { '/tmp': `rw,noexec,nosuid,nodev,size=1m,mode=0700,uid=${GATEWAY_UID},gid=${GATEWAY_UID}` },
      Mounts: disk,
    },
  }
}

/** The settings of a run's gateway: its ports, what it may reach, when it ends. */
export function gatewaySettings({
  plan: { ports, egress },
  lifetime,
  disk,
}: {
  plan: Pick<Plan, 'ports' | 'egress'>
  lifetime: PlanLifetime | undefined
  disk?: GatewayDisk | undefined
}): GatewaySettings {
  return {
    ports,
    lifetime: lifetime ?? { graceMs: 0 },
    build: disk?.at === CODE ? CODE : undefined,
    ...(disk?.at === WORK && { keeps: true }),
    egress:
      egress === undefined ? undefined : { listeners: egressListeners(egress, ports), proxyPort: egress.proxyPort },
  }
}

/** A volume without a name goes with its container. An engine lets none of them be read-only. */
function heldVolume({ driver: options, at }: GatewayDisk): Docker.MountConfig[number] {
  const driver = { NoCopy: true, Labels: {}, DriverConfig: { Name: 'local', Options: { ...options } } }
  return { Type: 'volume', Source: '', Target: at, ReadOnly: false, VolumeOptions: driver }
}
