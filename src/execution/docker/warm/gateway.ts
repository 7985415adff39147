import { writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { type Clock, deadline, sleep } from '../../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../../base/errors.ts'
import { GATEWAY_START_MS } from '../../constants.ts'
import { CONTROL_FILE, SETTINGS_FILE } from '../../gateway/idle-gateway.ts'
import { readLine } from '../../gateway/server.ts'
import type { GatewaySettings } from '../../gateway/settings.ts'
import type { DockerHandle } from '../container-options.ts'
import { createContainer, type Engine } from '../engine.ts'
import { gatewayOptions } from '../gateway-options.ts'
import { socketTransport } from '../gateways.ts'

const RETRY_MS = 10
const BEGIN_MS = 30_000

/** A gateway whose run is not known yet. Its container ends, with all that lives in its namespaces, when the node lets go of it. */
export type WarmGateway = {
  /** rejects when it has ended */
  readonly answer: Promise<string>
  /** It is the gateway of a run from then on. `dir`: where the folder of its socket is by now. */
  begin(dir: string, settings: GatewaySettings): Promise<void>
  end(): void
}

export type WarmGatewayInit = {
  readonly handle: DockerHandle
  readonly runId: string
  readonly nodeId: string
  readonly image: string
  readonly seccomp: boolean
}

export async function startWarmGateway(
  { engine, clock }: { engine: Engine; clock: Clock },
  { handle, runId, nodeId, image, seccomp }: WarmGatewayInit,
): Promise<WarmGateway> {
  const transport = await socketTransport(handle)
  const plan = { runId, service: '', ports: [], egress: undefined }
  const options = gatewayOptions({
    ...{ plan, handle, nodeId, image, transport, seccomp, lifetime: undefined },
    idle: true,
  })
  await createContainer(engine, options)
  await engine.ask((docker) => docker.getContainer(handle.gateway).start())
  const control = await connectTo(join(dirname(handle.socket), CONTROL_FILE), clock)
  if ((await readLine(control).catch(() => undefined)) !== 'ready') throw new UnavailableError('its gateway has ended')
  // read on, or its end would not be seen
  const answer = readLine(control)
  answer.catch(() => {})
  control.unref()
  return {
    answer,
    async begin(dir, settings) {
      await writeFile(join(dir, SETTINGS_FILE), JSON.stringify(settings), { mode: 0o644 })
      using limit = deadline(clock, BEGIN_MS, new TimeoutError('a warm gateway does not answer'))
      limit.signal.addEventListener('abort', () => control.destroy(), { once: true })
      control.write('begin\n')
      if ((await answer.catch(() => undefined)) !== 'begun') throw new UnavailableError('a warm gateway has ended')
      control.destroy()
    },
    end: () => void control.destroy(),
  }
}

async function connectTo(path: string, clock: Clock): Promise<Socket> {
  const until = clock.monotonic() + GATEWAY_START_MS
  for (;;) {
    const socket = connect(path)
    socket.on('error', () => {})
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('close', () => resolve(false))
    })
    if (connected) return socket
    if (clock.monotonic() > until) throw new UnavailableError('a gateway is not idle in time')
    await sleep(clock, RETRY_MS)
  }
}
