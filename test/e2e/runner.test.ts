import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createApiClient } from '../../src/api/client/client.ts'
import { MAIN } from '../build.ts'
import { announce, bytesOf, newSigner } from '../fixtures/node/nodes.ts'
import { makeScratch, type NodeProcess, type Scratch } from './support/scratch.ts'

const CODE = 'bafyreihyrpefhacm6kkp4ql6j6udakdit7g3dmkzfriqfykhjw6cad5lrm'
const RUNNER = 'mine/runner.ts'

describe("a node with its operator's own runner", () => {
  const author = newSigner()
  let scratch: Scratch
  let node: NodeProcess
  let file: string
  let seq = 0

  beforeAll(async () => {
    scratch = await makeScratch()
    await scratch.publisher('a')
    const dir = scratch.dir('a')
    const argv = [MAIN, 'runner', 'new', 'mine', '--ts', '--dir', dir]
    await promisify(execFile)(process.execPath, argv)
    file = join(dir, 'runners', RUNNER)
    const services = join(dir, 'services.json')
    await writeFile(services, JSON.stringify({ ...JSON.parse(await readFile(services, 'utf8')), RUNNER }))
    node = await scratch.start('a')
  })
  afterAll(async () => {
    await node?.[Symbol.asyncDispose]()
    await scratch?.[Symbol.asyncDispose]()
  })

  /** What the node decides about a service that it receives; nobody shows its token. */
  async function decided(manifest: Record<string, unknown>) {
    const announcement = announce(author, { code: CODE, name: `s${seq++}`, ...manifest })
    const id = announcement.signed.id.toString()
    await createApiClient({ url: node.api.url }).announce(bytesOf(announcement))
    await node.waitForEvent((reported) => reported.event === 'node:verdict' && reported.id === id)
    return node.api.explain(id)
  }
  const since = () => {
    const before = node.reported().length
    return (event: string) => node.waitForEvent((reported) => reported.event === event, before)
  }

  it('decides by what `runner new` wrote, and explains it', async () => {
    const { verdict } = await decided({ keywords: ['Game'] })
    expect(verdict).toMatchObject({ run: false, redirect: true })
    expect(verdict.reasons[0]).toMatchObject({ rule: 'refused-keywords', outcome: 'fail' })
    const other = await decided({ keywords: ['web'] })
    expect(other.verdict.reasons.map(({ rule }) => rule)).not.toContain('refused-keywords')
  })

  it.each([
    ['does not parse', 'export default (', /SyntaxError/],
    ['exports nothing', 'const a = 1', /has no default export/],
    ['throws at import', 'throw new Error("not today")', /cannot be imported: not today \(runner\.ts:1\)$/],
    ['wants to end its node', `process.kill(process.ppid, 'SIGKILL')`, /a runner may not signal processes/],
    ['takes memory without end', 'const a = []; for (;;) a.push(Buffer.alloc(1 << 20, 1))', /MiB are allowed$/],
  ])('keeps its last good runner when one is saved over it that %s', async (_name, code, words) => {
    const good = await readFile(file, 'utf8')
    onTestFinished(async () => {
      const mended = since()
      await writeFile(file, good)
      await mended('runner:loaded')
    })
    const next = since()
    await writeFile(file, code)
    const { message, keepsOld } = await next('runner:load-failed')
    expect(keepsOld).toBe(true)
    expect(message).toMatch(words)
    expect(message).not.toContain('\n')
    await expect(node.api.reload()).rejects.toThrow(words)
    const { verdict } = await decided({ keywords: ['game'] })
    expect(verdict.reasons[0]?.rule).toBe('refused-keywords')
  })

  it('takes another runner that services.json names, and goes back, while it runs', async () => {
    const services = join(scratch.dir('a'), 'services.json')
    const before = await readFile(services, 'utf8')
    const decide = async () => (await decided({ keywords: ['game'] })).verdict.reasons[0]?.rule
    await writeFile(services, JSON.stringify({ ...JSON.parse(before), RUNNER: 'andromeda/runner.js' }))
    await node.api.reload()
    expect(await decide()).not.toBe('refused-keywords')
    await writeFile(services, before)
    await node.api.reload()
    expect(await decide()).toBe('refused-keywords')
  })

  it('takes the first form of runners, saved over the other', async () => {
    const next = since()
    const code = `export default async service=>{
if(typeof service.title==='string' && service.desc.length<RUNNER_CONFIGS.DESC_MAX_LEN){
LOG({data:\`Received new service \\x1b[31;1m\${service.desc}\\x1b[0m\`,pid:process.pid},'CD')
}
}`
    await writeFile(file, code)
    await next('runner:loaded')
    const { verdict } = await decided({ desc: 'the first form' })
    expect(verdict).toMatchObject({ run: false, redirect: false })
    expect(verdict.reasons[0]?.message).toContain('returned nothing, which means drop')
    const { stderr } = await node.quit()
    expect(stderr).toContain('Received new service the first form')
  })
})
