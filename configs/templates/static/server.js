import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { pipeline } from 'node:stream/promises'

// Everything in this folder is served, and nothing else.
const ROOT = new URL('public', import.meta.url).pathname
const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webp': 'image/webp',
}
const port = Number(process.env.PORT ?? 8080)

const server = createServer(async (request, response) => {
  const file = await find(request.url ?? '/').catch(() => undefined)
  if (file === undefined) return response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found\n')
  const type = TYPES[extname(file.path)] ?? 'application/octet-stream'
  response.writeHead(200, { 'content-type': type, 'content-length': file.size })
  if (request.method === 'HEAD') return response.end()
  await pipeline(createReadStream(file.path), response).catch(() => {})
})

async function find(url) {
  const { pathname } = new URL(url, 'http://localhost')
  // an absolute path has no way up
  const path = join(ROOT, normalize(`/${decodeURIComponent(pathname)}`))
  const found = await stat(path)
  if (found.isFile()) return { path, size: found.size }
  const index = join(path, 'index.html')
  return { path: index, size: (await stat(index)).size }
}

server.listen(port, '127.0.0.1', () => console.log(`listens on 127.0.0.1:${port}`))

process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})
