import { dirname } from 'node:path'
import { diskAnswer, watchDisk } from './disk.ts'
import { startEgress } from './egress.ts'
import { IDLE, waitForSettings } from './idle-gateway.ts'
import { now, watchLifetime } from './lifetime.ts'
import { usageAnswer } from './run-usage.ts'
import { startGatewayServer } from './server.ts'
import { parseSettings } from './settings.ts'
import { createTrafficMeter } from './traffic.ts'

/** The gateway of a container: `main <socket> <settings as JSON>`, or `idle` in their place. The run lives in its namespaces and ends with it. */
const path = process.argv[2] ?? ''
const idle = process.argv[3] === IDLE ? await waitForSettings(dirname(path)) : undefined
const { ports, lifetime, build, keeps, egress } = parseSettings(idle?.text ?? process.argv[3])
let lastAsked = now()
const meter = createTrafficMeter()
const usage = usageAnswer(meter.traffic, { waited: idle !== undefined })
const disk = diskAnswer(build === undefined ? undefined : watchDisk(build))
// first: who reaches the socket knows that the way out is there
const wayOut = egress && (await startEgress(egress, meter))
await startGatewayServer({
  path,
  ports,
  other: (request) => usage(request) ?? disk(request),
  meter,
  egress: wayOut?.attach,
  onRequest: () => {
    lastAsked = now()
  },
})
watchLifetime(lifetime, {
  lastAsked: () => lastAsked,
  keeps,
  end: () => process.kill(process.pid, 'SIGKILL'),
})
idle?.begun()
