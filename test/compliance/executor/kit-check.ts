import { describe, expect } from 'vitest'
import type { Run } from '../../../src/execution/index.ts'
import { linesOf, runToEnd, until } from '../../fixtures/execution/run-fixture.ts'
import type { KitContext } from './kit-context.ts'

/** What a process is allowed, as the kernel says it. */
const RIGHTS = `fs.readFileSync('/proc/self/status', 'utf8').split('\\n').filter(line => /^(Uid|Gid|Cap|NoNewPrivs|Seccomp:)/.test(line)).join()
  + fs.readFileSync('/proc/self/cgroup', 'utf8') + fs.readdirSync('/proc/self/ns').filter(name => !name.endsWith('_for_children')).map(name => fs.readlinkSync('/proc/self/ns/' + name))`

type Checked = {
  run: Run
  once(timeoutMs?: number, run?: Run): Promise<number>
  /** resolves when the run has written this line */
  writes(line: string): Promise<unknown>
}

/** A command inside of a run that says whether it works. */
export function describeCheck({ it, create, dirs, executor, nodeId, plan }: KitContext): void {
  /** Stays with a run that has a check, and answers what the run wrote. */
  const checked = async (check: string, script: string, during: (checked: Checked) => Promise<void>) => {
    const command = ['node', '-e', `const fs = require('fs');${check}`, "it's", '$HOME "x"']
    const ready = await plan(`const fs = require('fs');${script};setInterval(() => {}, 1000); console.log('ready')`, {
      check: command,
      env: { SECRET: 'of the author' },
    })
    const writes = (line: string) => until(async () => (await linesOf(ready.logDir)).out.includes(line))
    const { out } = await runToEnd(executor(), ready, async (run) => {
      const ended = run.wait()
      await writes('ready')
      const once: Checked['once'] = async (timeoutMs = 20_000, from = run) =>
        (await from.check?.(command, { timeoutMs })) ?? -1
      await during({ run, once, writes })
      await run.stop({ graceMs: 0 })
      await ended
    })
    return out
  }

  describe('a check', () => {
    it("has the run's files, environment and arguments, and answers its exit code", async () => {
      const check = `const [quote, dollar] = process.argv.slice(1)
        process.exit(process.env.SECRET === 'of the author' && quote === "it's" && dollar === '$HOME "x"' ? Number(fs.readFileSync('/work/code', 'utf8')) : 99)`
      const script = `fs.writeFileSync('/work/code', '0'); setTimeout(() => fs.writeFileSync('/work/code', '7'), 2000)`
      await checked(check, script, async ({ once }) => {
        expect(await once()).toBe(0)
        await until(async () => (await once()) === 7)
      })
    })

    it('has the rights, namespaces and control groups of the run', async () => {
      const script = `const timer = setInterval(() => { if (!fs.existsSync('/work/done')) return; clearInterval(timer); console.log(fs.readFileSync('/work/rights', 'utf8') === ${RIGHTS} ? 'same' : 'other') }, 20)`
      const check = `fs.writeFileSync('/work/rights', ${RIGHTS}); fs.writeFileSync('/work/done', '')`
      const out = await checked(check, script, async ({ once, writes }) => {
        expect(await once()).toBe(0)
        await Promise.race([writes('same'), writes('other')])
      })
      expect(out).toEqual(['ready', 'same'])
    })

    it('that hangs is late, and there is never a second beside it', async () => {
      const others = `fs.readdirSync('/proc').filter(pid => pid > 0 && pid != process.pid && fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8').split('\\0')[1] === '-e')`
      const check = `if (${others}.length > 0) fs.writeFileSync('/work/two', ''); setInterval(() => {}, 1000)`
      const script = `setInterval(() => { if (fs.existsSync('/work/two')) console.log('two') }, 20)`
      const out = await checked(check, script, async ({ once }) => {
        // 137: it was killed
        for (let round = 0; round < 2; round++) expect(await once(1000).catch(() => 137)).toBe(137)
      })
      expect(out).toEqual(['ready'])
    })

    it('is carried out by a node that found the run again', async () => {
      await checked('process.exit(3)', '', async ({ run, once }) => {
        const found = await create(dirs(), nodeId).adopt()
        const again = found.find((other) => JSON.stringify(other.run.handle) === JSON.stringify(run.handle))
        expect(await once(20_000, again?.run)).toBe(3)
      })
    })
  })
}
