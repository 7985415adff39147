import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { sendByCommand } from '../../../src/alerts/send-command.ts'
import { sendByWebhook } from '../../../src/alerts/send-webhook.ts'
import type { Notice } from '../../../src/alerts/types.ts'
import { sourceServer } from '../../fixtures/code/source-server.ts'
import { system } from '../../fixtures/system.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const NOTICE: Notice = {
  ...{ id: 'i', alert: 'disk-low', state: 'begun', summary: 'full', faults: [], at: 1 },
  node: { peerId: 'p', network: 'n', version: 'v' },
}
const { clock } = system
const never = new AbortController().signal
const send = (url: string, timeoutMs = 60_000) =>
  sendByWebhook(clock, { url, timeoutMs, version: '1' })(NOTICE, { signal: never })

describe('a webhook', () => {
  it('gets the notice as JSON, and nothing that is secret', async () => {
    const { url, asked, headers } = await sourceServer(() => ({ '/hook/secret': 'ok' }))
    await send(`${url}/hook/secret`)
    expect(asked).toEqual(['/hook/secret'])
    expect(headers[0]).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'thundercloud/1' })
    expect(Object.keys(headers[0] ?? {})).not.toContain('authorization')
  })

  it('that leads elsewhere is not followed', async () => {
    const { url, asked } = await sourceServer((own) => ({
      '/hook': (response: ServerResponse) => response.writeHead(307, { location: `${own}/other` }).end(),
      '/other': 'ok',
    }))
    await expect(send(`${url}/hook`)).rejects.toMatchObject({ message: /redirect \(HTTP 307\), which is not followed/ })
    expect(asked).toEqual(['/hook'])
  })

  it.each([
    [500, true],
    [429, true],
    [404, false],
    [401, false],
  ])('that answers %i has failed; whether it is asked again: %s', async (status, again) => {
    const { url } = await sourceServer(() => ({ '/': (response: ServerResponse) => response.writeHead(status).end() }))
    const error = await send(`${url}/`).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ message: `it answers HTTP ${status}` })
    expect((error as { shouldRetry(): boolean }).shouldRetry()).toBe(again)
  })

  it('that does not answer is left, and its address is in no sentence', async () => {
    const { url, close } = await sourceServer(() => ({ '/secret': () => {} }))
    await expect(send(`${url}/secret`, 200)).rejects.toThrow(/^no answer within 200 ms$/)
    await close()
    await expect(send(`${url}/secret`)).rejects.toThrow(/^it cannot be reached: connection refused$/)
  })

  it('whose answer never ends is not waited for', async () => {
    const { url } = await sourceServer(() => ({
      '/': (response: ServerResponse) => response.writeHead(200).write('a'),
    }))
    await send(`${url}/`)
  })
})

describe('a command', () => {
  async function script(text: string) {
    const folder = await tempDir()
    const file = join(folder, 'alert.sh')
    // a node that is root starts it as nobody
    chmodSync(folder, 0o777)
    writeFileSync(file, `#!/bin/bash\n${text}\n`)
    chmodSync(file, 0o755)
    const run = (args: readonly string[] = [], timeoutMs = 60_000, signal = never) =>
      sendByCommand(clock, { argv: [file, ...args], timeoutMs, home: folder })(NOTICE, { signal })
    const read = (name: string) => readFileSync(join(folder, name), 'utf8')
    /** of a file that has the process's number */
    const runs = (name: string) => existsSync(`/proc/${read(name).trim()}/cwd`)
    return { folder, file, run, read, runs }
  }

  /** As it is for a program that is set-uid: the node may not kill it; `others`: but others of its group. */
  function refuseKills({ others = false } = {}) {
    const kill = process.kill.bind(process)
    const groups = new Set<number>()
    const refused = vi.spyOn(process, 'kill').mockImplementation((pid, signal) => {
      if (pid >= 0) return kill(pid, signal)
      groups.add(pid)
      if (others && signal === 'SIGKILL') return true
      throw Object.assign(new Error('kill EPERM'), { code: 'EPERM', errno: -1, syscall: 'kill' })
    })
    const end = () => {
      refused.mockRestore()
      for (const group of groups) {
        try {
          kill(group, 'SIGKILL')
        } catch {
          // it has ended
        }
      }
      groups.clear()
    }
    onTestFinished(end)
    return { end }
  }

  it('gets its arguments as they are, without a shell, and the notice on its input', async () => {
    const { run, read } = await script(
      'cat > "$HOME/input"; printf "%s\\n" "$@" > "$HOME/args"; env > "$HOME/env"; id -u > "$HOME/user"',
    )
    await run(['$(touch x)', 'a b', ';'])
    expect(JSON.parse(read('input'))).toEqual(NOTICE)
    expect(read('args')).toBe('$(touch x)\na b\n;\n')
    expect(Number(read('user'))).not.toBe(0)
    expect(read('env')).not.toMatch(/THUNDERCLOUD|TOKEN/)
  })

  it('need not read it, and fails with its exit code and its last words', async () => {
    await expect((await script('echo first >&2; echo "no such pager" >&2; exit 3')).run()).rejects.toThrow(
      /^it ended with exit code 3: no such pager$/,
    )
  })

  it('that hangs is ended with all that it has started', async () => {
    const { run, read } = await script('sleep 1000 & echo $! > "$HOME/child"; sleep 1000')
    await expect(run([], 1500)).rejects.toThrow(/did not end within 1.5 s/)
    await expect.poll(() => existsSync(`/proc/${read('child').trim()}/cwd`)).toBe(false)
  })

  it('that ends and leaves something behind with its pipes is over, and so is that', async () => {
    const { run, read } = await script('sleep 1000 & echo $! > "$HOME/child"; exit 0')
    await run()
    await expect.poll(() => existsSync(`/proc/${read('child').trim()}/cwd`)).toBe(false)
  })

  it('that is not there is one sentence', async () => {
    const missing = sendByCommand(clock, { argv: ['/nowhere/alert'], timeoutMs: 1000 })
    await expect(missing(NOTICE, { signal: never })).rejects.toThrow('/nowhere/alert is not an executable file')
  })

  it('that is under way ends with the node', async () => {
    const { folder, run, runs } = await script('sleep 1000 & echo $! > "$HOME/child"; echo $$ > "$HOME/self"; wait')
    const stop = new AbortController()
    onTestFinished(() => stop.abort())
    const running = run([], 60_000, stop.signal)
    await Promise.race([expect.poll(() => existsSync(join(folder, 'self')) && runs('self')).toBe(true), running])
    expect(runs('child')).toBe(true)
    stop.abort(new Error('stopping'))
    await expect(running).rejects.toThrow('stopping')
    await expect.poll(() => [runs('self'), runs('child')]).toEqual([false, false])
  })

  it('that has taken the notice has taken it, also where what it left behind may not be killed', async () => {
    const { run } = await script('sleep 1000 & exit 0')
    refuseKills()
    await run()
  })

  it('that may not be killed fails as it failed, and no other is started until it has ended', async () => {
    const { file, folder, read } = await script('echo >> "$HOME/starts"; [ -e "$HOME/works" ] || sleep 1000')
    const kills = refuseKills()
    const send = sendByCommand(clock, { argv: [file], timeoutMs: 1500, home: folder })
    const error = await send(NOTICE, { signal: never }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      message: 'it did not end within 1.5 s; it could not be killed: operation not permitted',
    })
    expect((error as { shouldRetry(): boolean }).shouldRetry()).toBe(false)
    const next = await send(NOTICE, { signal: never }).catch((reason: unknown) => reason)
    expect(next).toMatchObject({
      message: expect.stringMatching(/still runs, and the node may not kill it: kill -- -\d+$/),
    })
    expect((next as { shouldRetry(): boolean }).shouldRetry()).toBe(false)
    expect(read('starts')).toBe('\n')
    kills.end()
    writeFileSync(join(folder, 'works'), '')
    await send(NOTICE, { signal: never })
    expect(read('starts')).toBe('\n\n')
  })

  it('of which a part may not be killed is not started again until that has ended', async () => {
    const { file, folder, read } = await script('echo >> "$HOME/starts"; sleep 1000 & exit 1')
    const kills = refuseKills({ others: true })
    const send = sendByCommand(clock, { argv: [file], timeoutMs: 60_000, home: folder })
    await expect(send(NOTICE, { signal: never })).rejects.toThrow(/^it ended with exit code 1$/)
    await expect(send(NOTICE, { signal: never })).rejects.toThrow(/still runs, and the node may not kill it/)
    kills.end()
    await expect(send(NOTICE, { signal: never })).rejects.toThrow(/^it ended with exit code 1$/)
    expect(read('starts')).toBe('\n\n')
  })
})
