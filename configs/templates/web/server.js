import { createServer } from 'node:http'

const port = Number(process.env.PORT ?? 8080)

const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(`Hello from ${request.url}\n`)
})

server.listen(port, '127.0.0.1', () => console.log(`listens on 127.0.0.1:${port}`))

process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})
