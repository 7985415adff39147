import { createServer } from 'node:http'

// The manifest tells both: the name, and the one port that peers may reach.
const service = process.env.SERVICE ?? 'hello-web'
const port = Number(process.env.PORT ?? 8080)

const server = createServer((request, response) => {
  const answer = {
    service,
    message: 'Hello from the cloud',
    path: request.url,
    uptimeSeconds: Math.round(process.uptime() * 1000) / 1000,
  }
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' })
  response.end(`${JSON.stringify(answer)}\n`)
})

server.listen(port, '127.0.0.1', () => console.log(`${service} listens on 127.0.0.1:${port}`))

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close()
    server.closeAllConnections()
  })
}
