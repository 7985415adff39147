import { expect, it } from 'vitest'
import { entryFile, entryFlags } from '../../../src/base/child-entry.ts'

it('the entry file of a child process: is a source beside a source, and compiled beside what is compiled', () => {
  expect(entryFile('file:///a/src/x.ts', './child')).toBe('/a/src/child.ts')
  expect(entryFile('file:///a%20b/dist/x.js', './deep/child')).toBe('/a b/dist/deep/child.js')
  expect(entryFlags('file:///a/src/x.ts')).toEqual(['--conditions=thundercloud-source'])
  expect(entryFlags('file:///a/dist/x.js?v=1')).toEqual([])
})
