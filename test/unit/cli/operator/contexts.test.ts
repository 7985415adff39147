import { writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { test } from '../../../fixtures/program/shell.ts'

const NOWHERE = { THUNDERCLOUD_DIR: '' }

test('contexts: nodes under names; one is used once, or from then on', async ({ withNode: shell }) => {
  const run = { env: NOWHERE }
  const dir = shell.path('operator')
  await shell.refused('list', /node\.json is not there/, run)
  await shell.refused('context use near', /there is no context "near"; .*`context add` makes one/, run)
  expect((await shell.json(`context add near --dir operator`, run)).values).toEqual([{ name: 'near', dir }])
  const tokenFile = shell.path('operator/api.token')
  const far = { name: 'far', api: shell.url, tokenFile }
  expect((await shell.json(`context add far --api ${shell.url} --token-file operator/api.token`, run)).values).toEqual([
    far,
  ])
  await shell.run(`context add open --api ${shell.url}`, run)

  for (const name of ['near', 'far']) expect((await shell.run(`list --context ${name}`, run)).code).toBe(0)
  await shell.refused('list --context open', 'token is missing', { ...run, code: 1 })
  await shell.refused('list', /node\.json is not there/, run)
  await shell.run('context use far', run)
  expect((await shell.run('list', run)).code).toBe(0)
  expect((await shell.run('context ls', run)).stdout).toBe(
    [
      '   NAME  NODE',
      `*  far   the node at ${shell.url}`,
      `   near  the node of ${dir}`,
      `   open  the node at ${shell.url}, without a token`,
      '',
    ].join('\n'),
  )
  expect((await shell.json('context rm far', run)).values).toEqual([{ name: 'far', wasInUse: true }])
  await shell.refused('list', /node\.json is not there/, run)
})

test('contexts: what is nearer wins over the one in use', async ({ withNode: shell }) => {
  await shell.run(`context add dead --api http://127.0.0.1:9`)
  await shell.run('context use dead')
  await shell.refused('list', /no node answers at http:\/\/127\.0\.0\.1:9/, { env: NOWHERE, code: 3 })
  expect((await shell.run('list')).code).toBe(0)
  expect((await shell.run('list --dir operator', { env: NOWHERE })).code).toBe(0)
  expect((await shell.run('init fresh', { env: NOWHERE })).code).toBe(0)
  await shell.refused('list --context dead --dir operator', '--context names a node, and so do --dir')
})

test('contexts: only nodes are added, and a damaged file is not written over', async ({ withNode: shell }) => {
  await shell.refused('context add ../x --dir operator', /^NAME is "..\/x"; it must be/)
  await shell.refused('context add x', /name the node by --dir DIR, or by --api URL/)
  await shell.refused('context add x --dir operator/data', /node\.json is not there/)
  await shell.refused('context add x --api ftp://example.org', /--api is "ftp:\/\/example\.org"; allowed is/)
  await shell.run('context add x --dir operator')
  writeFileSync(shell.path('settings/thundercloud/contexts.json'), '{')
  await shell.refused('context add y --dir operator', /contexts\.json is damaged; mend it/)
  await shell.refused('list --context x', /contexts\.json is damaged/, { env: NOWHERE })
})
