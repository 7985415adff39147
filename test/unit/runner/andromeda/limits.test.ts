import { limits } from '../../../../src/runner/andromeda/rules/limits.ts'
import { table } from './table.ts'

const limited = (SERVICE: object) => ({
  LIMITS: { TOTAL: { MEMORY: '4GiB', CPU: '4', DISK: '8GiB', PIDS: 256, RUNS: 4 }, SERVICE },
})

table(limits, [
  {
    says: 'exactly the limit',
    outcome: 'pass',
    settings: limited({ MEMORY: '64MiB', CPU: 100, DISK: '1MiB', PIDS: 16 }),
  },
  {
    says: 'too much memory',
    outcome: 'fail',
    settings: limited({ MEMORY: '32MiB' }),
    message: 'asks for 64 MiB of memory, LIMITS.SERVICE.MEMORY allows 32 MiB of memory',
    needs: { field: 'resources.memory', must: 'at-most', value: String(32 * 1024 ** 2) },
  },
  {
    says: 'too much cpu',
    outcome: 'fail',
    settings: limited({ CPU: 99 }),
    needs: { field: 'resources.cpu', must: 'at-most', value: '99' },
  },
  {
    says: 'too much disk',
    outcome: 'fail',
    settings: limited({ DISK: 0 }),
    needs: { field: 'resources.disk', must: 'at-most', value: '0' },
  },
  {
    says: 'too many processes',
    outcome: 'fail',
    settings: limited({ PIDS: 1 }),
    message: 'asks for 16 processes, LIMITS.SERVICE.PIDS allows 1 process',
  },
  { says: 'too much of all', outcome: 'fail', settings: limited({ MEMORY: 1, CPU: 1, DISK: 1, PIDS: 1 }), reasons: 4 },
  { says: 'a run that would like more time', outcome: 'pass', settings: limited({ TIMEOUT: 1 }) },
  {
    says: 'the default gives nothing',
    outcome: 'fail',
    settings: { LIMITS: {} },
    message: /0 B of memory: every service asks for some, so nothing runs here$/,
  },
  {
    says: 'no runs',
    outcome: 'fail',
    settings: { LIMITS: { TOTAL: { MEMORY: '4GiB', CPU: '4', DISK: '8GiB', PIDS: 256, RUNS: 0 } } },
    message: 'LIMITS.TOTAL.RUNS is 0: nothing runs here',
  },
])
