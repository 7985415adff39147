import { request } from 'node:http'

/** The engine of the machine that a launcher was placed on; swarm binds its socket here. */
export const ENGINE_SOCKET = '/var/run/docker.sock'
/** A list of a machine's containers is some hundred kilobytes; more is no answer of an engine. */
const MAX_ANSWER_BYTES = 64 * 2 ** 20

/** One question to the engine. `json`: undefined where the answer has no body. It runs alone, from this folder and on built-in modules. */
export function askEngine(method: 'GET' | 'DELETE', path: string): Promise<{ status: number; json: unknown }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: ENGINE_SOCKET, method, path }, (answer) => {
      const parts: Buffer[] = []
      let bytes = 0
      answer
        .on('data', (part: Buffer) => {
          bytes += part.byteLength
          if (bytes > MAX_ANSWER_BYTES) answer.destroy(new Error('the engine answers with too much'))
          else parts.push(part)
        })
        .on('error', reject)
        .on('end', () => {
          const text = Buffer.concat(parts).toString()
          try {
            resolve({ status: answer.statusCode ?? 0, json: text === '' ? undefined : JSON.parse(text) })
          } catch (error) {
            reject(error)
          }
        })
    })
    asked.on('error', reject).end()
  })
}

export function withFilters(path: string, filters: Readonly<Record<string, readonly string[]>>): string {
  return `${path}${path.includes('?') ? '&' : '?'}filters=${encodeURIComponent(JSON.stringify(filters))}`
}
