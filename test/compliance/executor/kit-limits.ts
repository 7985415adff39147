import { describe, expect, it } from 'vitest'
import { MIB, runToEnd, until } from '../../fixtures/execution/run-fixture.ts'
import type { KitContext } from './kit-context.ts'

/** No privileges, and no more than the grant. */
export function describeLimits({ executor, json, limited, outcome, plan }: KitContext): void {
  describe('privileges', () => {
    it('are none: no capability, no new ones, not root', async () => {
      const seen = await json(`const text = require('fs').readFileSync('/proc/self/status', 'utf8')
        const field = name => new RegExp('^' + name + ':\\\\s*(.*)$', 'm').exec(text)[1].split('\\t')[0]
        console.log(JSON.stringify({ uid: process.getuid(), euid: process.geteuid(), groups: process.getgroups().filter(g => g === 0).length,
          eff: field('CapEff'), prm: field('CapPrm'), bnd: field('CapBnd'), amb: field('CapAmb'), nnp: field('NoNewPrivs'), seccomp: field('Seccomp'), init: require('fs').existsSync('/var/run/docker.sock') }))`)
      const none = '0000000000000000'
      const capabilities = { eff: none, prm: none, bnd: none, amb: none }
      expect(seen).toMatchObject({ groups: 0, ...capabilities, nnp: '1', seccomp: '2', init: false })
      expect(seen.uid).toBeGreaterThan(0)
      expect(seen.euid).toBe(seen.uid)
    })

    it('do not grow by a system call that makes namespaces or devices', async () => {
      const { end } = await outcome(`const { spawnSync } = require('child_process')
        const tries = [['mount', '-t', 'tmpfs', 'none', '/tmp'], ['mknod', '/tmp/null', 'c', '1', '3'], ['chroot', '/', 'true']]
        process.exitCode = tries.some(([program, ...args]) => spawnSync(program, args).status === 0) ? 1 : 0`)
      expect(end.exitCode).toBe(0)
    })
  })

  describe('limits', () => {
    it('memory above the grant is killed, and reported as such', async () => {
      const script = `const kept = []; for (;;) { kept.push(Buffer.alloc(8 * 1024 * 1024, 1)) }`
      const { end } = await outcome(script, await limited({ memoryBytes: 96 * MIB }))
      expect(end).toMatchObject({ reason: 'memory' })
      expect(end.exitCode).not.toBe(0)
    })

    it('memory below the grant is not', async () => {
      const script = `const kept = Buffer.alloc(64 * 1024 * 1024, 1); console.log(kept.length)`
      expect((await outcome(script)).end).toMatchObject({ exitCode: 0, reason: 'exit' })
    })

    it('processes are bounded: a fork bomb stays small', async () => {
      const script = `const { spawn } = require('child_process'); let made = 0, failed = 0
        const more = () => { if (made + failed > 300) return done()
          try { const child = spawn('sleep', ['30']); child.on('spawn', () => { made++; more() }); child.on('error', () => { failed++; more() }) } catch { failed++; more() } }
        const done = () => { console.log(JSON.stringify({ made, failed })); process.exit(0) }
        more()`
      const seen = await json(script, await limited({ pids: 48 }))
      expect(seen.made).toBeLessThan(48)
      expect(seen.failed).toBeGreaterThan(0)
    })

    it('cpu is bounded', async () => {
      const script = `const end = Date.now() + 1000; while (Date.now() < end); console.log(JSON.stringify(process.cpuUsage()))`
      const { user, system } = await json(script, await limited({ cpuMillicores: 200 }))
      expect((user + system) / 1000).toBeLessThan(700)
    })

    it('it can be asked what it uses', async () => {
      const kept = await plan(`const kept = Buffer.alloc(32 * 1024 * 1024, 1); setInterval(() => kept.length, 1000)`)
      await runToEnd(executor(), kept, async (run) => {
        const stats = await until(async () => {
          const now = await run.stats()
          return now.memoryBytes > 32 * MIB && now
        })
        expect(stats.pids).toBeGreaterThan(0)
        await run.stop({ graceMs: 0 })
      })
    })
  })
}
