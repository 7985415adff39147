import { openDoor } from './relay.ts'

/** The door beside a container: `main <socket> <port,port,...>`. It lives as long as its container. */
const [path = '', ports = ''] = process.argv.slice(2)
await openDoor({ path, ports: ports.split(',').map(Number) })
