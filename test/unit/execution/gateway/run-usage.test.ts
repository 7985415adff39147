import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { usageAnswer } from '../../../../src/execution/gateway/run-usage.ts'

const OTHER_USER = 61_234
const BUSY =
  "const until = 100_000; while (process.cpuUsage().user < until);\nconsole.log('used'); setInterval(() => {}, 1000)"

test.skipIf(process.getuid?.() !== 0)(
  'what a process used before its gateway looked is the run’s, unless it was kept warm for the run',
  async () => {
    const child = spawn(process.execPath, ['-e', BUSY], { uid: OTHER_USER, stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      await once(child.stdout, 'data')
      const ask = (waited: boolean) => {
        const text = usageAnswer(() => ({ receivedBytes: 0, sentBytes: 0 }), { waited })({ usage: true })
        return JSON.parse(text ?? '') as { cpuMs: number; cpuBeforeMs: number }
      }
      const cold = ask(false)
      expect(cold.cpuBeforeMs).toBe(0)
      expect(cold.cpuMs).toBeGreaterThanOrEqual(90)
      const warm = ask(true)
      expect(warm.cpuBeforeMs).toBeGreaterThanOrEqual(90)
      expect(warm.cpuMs).toBeLessThan(warm.cpuBeforeMs)
    } finally {
      child.kill('SIGKILL')
    }
  },
)
