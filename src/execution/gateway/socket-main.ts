import { diskAnswer, watchDisk } from './disk.ts'
import { now, watchLifetime } from './lifetime.ts'
import { startGatewayServer } from './server.ts'

/**
 * The gateway of a container: `main <socket> <port,port,...> <lifetime as JSON> [folder of a build]`. The run lives in
 * its namespaces and ends with it.
 */
const [path = '', ports = '', lifetime = '{"graceMs":0}', build] = process.argv.slice(2)
let lastAsked = now()
await startGatewayServer({
  path,
  ports: ports.split(',').filter(Boolean).map(Number),
  other: diskAnswer(build === undefined ? undefined : watchDisk(build)),
  onRequest: () => {
    lastAsked = now()
  },
})
watchLifetime(JSON.parse(lifetime), {
  lastAsked: () => lastAsked,
  end: () => process.kill(process.pid, 'SIGKILL'),
})
