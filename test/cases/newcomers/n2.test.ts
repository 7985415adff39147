import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { hintOf } from '../../../src/execution/hint.ts'

test.each<[number, string, string]>([
  [1, "Error: EROFS: read-only file system, open 'db.json'", 'write below $HOME'],
  [1, "Error: ENOENT: no such file or directory, mkdir '/code/storage'", 'write below $HOME'],
  [127, '[FATAL tini (7)] exec node_modules/.bin/http-server failed: No such file or directory', 'is not there'],
  [126, '[FATAL tini (7)] exec ./run failed: Permission denied', 'is not executable'],
  [1, 'Error: listen EADDRINUSE: address already in use 0.0.0.0:8080', 'only one process may listen'],
  [1, 'Error: listen EACCES: permission denied 127.0.0.1:80', 'ports below 1024'],
  [1, "Error: Cannot find module 'express'", 'a module is not in the code'],
  [1, 'ModuleNotFoundError: No module named flask', 'a module is not in the code'],
  [1, 'Error: getaddrinfo EAI_AGAIN registry.company.com', 'no network and no DNS'],
  [1, 'Error: ENOSPC: no space left on device, write', 'resources.disk'],
  [134, 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', 'resources.memory'],
  [1, 'Error: spawn node EAGAIN', 'resources.pids'],
  [1, "Error: EACCES: permission denied, open '/etc/x'", 'may write below $HOME'],
])('exit code %i after %j: %s', (exitCode, line, hint) => {
  expect(hintOf(exitCode, ['before', line, 'after'])).toContain(hint)
})

test('nothing is guessed, neither of a good end nor of what is not known', () => {
  expect(hintOf(0, ['EROFS'])).toBeUndefined()
  expect(hintOf(3, ['it did not work'])).toBeUndefined()
  expect(hintOf(1, [])).toBeUndefined()
  const startedAt = performance.now()
  hintOf(1, new Array(40).fill('mkdir '.repeat(10_000)))
  expect(performance.now() - startedAt).toBeLessThan(2000)
})

test('the page that hints name is there', async () => {
  const page = await readFile(new URL('../../../docs/what-a-service-gets.md', import.meta.url), 'utf8')
  for (const word of ['# What a service gets', '/code', '/work', 'TMPDIR', 'EROFS', 'EADDRINUSE', '127'])
    expect(page).toContain(word)
})
