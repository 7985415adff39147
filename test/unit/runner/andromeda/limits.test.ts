import { limits } from '../../../../src/runner/andromeda/rules/limits.ts'
import { fails, passes, table } from './table.ts'

const limited = (SERVICE: object) => ({
  LIMITS: { TOTAL: { MEMORY: '4GiB', CPU: '4', DISK: '8GiB', PIDS: 256, RUNS: 4 }, SERVICE },
})

table(limits, [
  passes('exactly the limit', { settings: limited({ MEMORY: '64MiB', CPU: 100, DISK: '1MiB', PIDS: 16 }) }),
  fails('too much memory', {
    settings: limited({ MEMORY: '32MiB' }),
    message: 'asks for 64 MiB of memory, LIMITS.SERVICE.MEMORY allows 32 MiB of memory',
    needs: ['resources.memory', 'at-most', String(32 * 1024 ** 2)],
  }),
  fails('too much cpu', { settings: limited({ CPU: 99 }), needs: ['resources.cpu', 'at-most', '99'] }),
  fails('too much disk', { settings: limited({ DISK: 0 }), needs: ['resources.disk', 'at-most', '0'] }),
  fails('too many processes', {
    settings: limited({ PIDS: 1 }),
    message: 'asks for 16 processes, LIMITS.SERVICE.PIDS allows 1 process',
  }),
  fails('too much of all', { settings: limited({ MEMORY: 1, CPU: 1, DISK: 1, PIDS: 1 }), reasons: 4 }),
  passes('a run that would like more time', { settings: limited({ TIMEOUT: 1 }) }),
  fails('the default gives nothing', {
    settings: { LIMITS: {} },
    message: /0 B of memory: every service asks for some, so nothing runs here$/,
  }),
  fails('no runs', {
    settings: { LIMITS: { TOTAL: { MEMORY: '4GiB', CPU: '4', DISK: '8GiB', PIDS: 256, RUNS: 0 } } },
    message: 'LIMITS.TOTAL.RUNS is 0: nothing runs here',
  }),
])
