import { createServer } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

// PUT /KEY, GET /KEY, DELETE /KEY. The file is in /work: it is empty at each start, and gone when the run ends.
const database = new DatabaseSync(join(process.env.HOME ?? '.', 'data.sqlite'))
database.exec('CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value BLOB NOT NULL)')
const read = database.prepare('SELECT value FROM entries WHERE key = ?')
const write = database.prepare('INSERT OR REPLACE INTO entries (key, value) VALUES (?, ?)')
const remove = database.prepare('DELETE FROM entries WHERE key = ?')

const MAX_BYTES = 1024 * 1024
const port = Number(process.env.PORT ?? 8080)

const server = createServer(async (request, response) => {
  const key = request.url ?? '/'
  try {
    if (request.method === 'PUT') {
      write.run(key, await bodyOf(request))
      return response.writeHead(204).end()
    }
    if (request.method === 'DELETE') {
      remove.run(key)
      return response.writeHead(204).end()
    }
    const entry = read.get(key)
    if (entry === undefined) return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(entry.value)
  } catch (error) {
    console.error(error)
    if (!response.headersSent) response.writeHead(500)
    response.end()
  }
})

async function bodyOf(request) {
  const pieces = []
  let bytes = 0
  for await (const piece of request) {
    bytes += piece.length
    if (bytes > MAX_BYTES) throw new Error(`a value has at most ${MAX_BYTES} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

server.listen(port, '127.0.0.1', () => console.log(`listens on 127.0.0.1:${port}`))

process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
  database.close()
})
