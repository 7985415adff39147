import { createServer } from 'node:http'

/** As the node of this run knows them now: { self, siblings: [{ peerId, state, at: { hello: 'host:port' } }] }. */
async function siblings() {
  const answer = await fetch(process.env.THUNDERCLOUD_SIBLINGS)
  return await answer.json()
}

/** What a sibling says of itself. Its claim is no proof of a run, so it may not answer. */
async function ask({ peerId, at }) {
  try {
    const answer = await fetch(`http://${at.hello}/`, { signal: AbortSignal.timeout(5000) })
    return { peerId, ...(await answer.json()) }
  } catch (error) {
    return { peerId, problem: error.cause?.code ?? error.name }
  }
}

function serve(port, answer) {
  const server = createServer(async (_request, response) => {
    try {
      const body = JSON.stringify(await answer())
      response.writeHead(200, { 'content-type': 'application/json' }).end(`${body}\n`)
    } catch {
      response.writeHead(503).end()
    }
  })
  server.listen(port, () => console.log(`listens on ${port}`))
}

const uptimeSeconds = () => Math.floor(process.uptime())
serve(Number(process.env.HELLO ?? 8090), async () => ({
  says: `hello from ${(await siblings()).self}`,
  uptimeSeconds: uptimeSeconds(),
}))
serve(Number(process.env.WEB ?? 8080), async () => {
  const known = await siblings()
  return { self: known.self, siblings: await Promise.all(known.siblings.map(ask)) }
})
