import { type Draft, type Json, refuses, type VectorFile } from './kit/kit.ts'

type Entry = { path: string; text?: string; mode?: string; target?: string; submodule?: boolean }
type Tree = { origin: string; root?: string; path?: string }

const SCRIPT = '#!/usr/bin/env node\n'
const LFS = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n'
const FILE: Entry = { path: 'a.js', text: 'a\n' }

/** One tree, as each source has it. */
const TREE: Entry[] = [
  { path: 'bin/run', text: SCRIPT, mode: '0644' },
  { path: 'lib/deep/er.js', text: 'x\r\n', mode: '0600' },
  { path: 'package.json', text: '{}\n', mode: '0755' },
  { path: 'lib/.gitignore', text: 'dist\n' },
]

export function code(): VectorFile {
  return {
    about:
      'What of a source is code (section 15). An entry is a file { path, text, mode }, a link { path, target } or a submodule ' +
      '{ path, submodule: true }. A file without `text` is empty. `mode` is what the source says of a file, and decides nothing.',
    cases: [...identity(), ...prefixes(), ...selection(), ...modes(), ...links()],
  }
}

function identity(): Draft[] {
  const below = (folder: string) => TREE.map((entry) => ({ ...entry, path: `${folder}${entry.path}` }))
  return [
    entries('one tree, from a folder', { origin: 'folder' }, TREE),
    entries('one tree, from git', { origin: 'git' }, TREE),
    entries('one tree, from npm', { origin: 'npm' }, below('package/')),
    entries('one tree, from an archive with a folder around it', { origin: 'https', path: 'x-1.0' }, below('x-1.0/')),
    entries('one tree, from a module of Go', GO, below('example.com/x/v2@v2.1.0/')),
  ]
}

const GO: Tree = { origin: 'go', root: 'example.com/x/v2@v2.1.0' }

function prefixes(): Draft[] {
  const named = [{ ...FILE, path: 'left-pad/a.js' }]
  const first = ['npm', 'pypi', 'cargo', 'composer', 'hackage']
  const none = ['git', 'https', 'gem', 'nuget', 'scala']
  return [
    ...first.map((origin) => entries(`${origin} loses the first component, whatever its name`, { origin }, named)),
    ...none.map((origin) => entries(`${origin} loses nothing`, { origin }, named)),
    ...['_rels/.rels', 'package/x', '[Content_Types].xml', '.signature.p7s'].map((path) =>
      entries(`nuget: ${path} is none of the package`, { origin: 'nuget' }, [FILE, { path }]),
    ),
    entries('a file beside the first component is none of the package', { origin: 'npm' }, [...named, FILE]),
    entries('go: what is not below module@version is none of the module', GO, [
      { ...FILE, path: `${GO.root}/a.js` },
      FILE,
    ]),
    entries('a path, after the prefix', { origin: 'npm', path: 'src' }, [{ ...FILE, path: 'p/src/a.js' }, FILE]),
    entries('a path with a slash at its end', { origin: 'https', path: 'src/' }, [{ ...FILE, path: 'src/a.js' }]),
    entries('a path with ./ before it', { origin: 'https', path: './src' }, [{ ...FILE, path: 'src/a.js' }]),
    entries('a path that is the whole source', { origin: 'https', path: '.' }, [FILE]),
    bad('a path that is not there', { origin: 'https', path: 'lib' }, [FILE]),
    bad('a path that is a file', { origin: 'https', path: 'a.js' }, [FILE]),
    bad('nothing', { origin: 'https' }, []),
    bad('the same path twice', { origin: 'https' }, [FILE, FILE]),
    bad('the same path twice, once the prefix is gone', { origin: 'npm' }, [
      { ...FILE, path: 'a/a.js' },
      { ...FILE, path: 'b/a.js' },
    ]),
    bad('a file that is a folder', { origin: 'https' }, [FILE, { path: 'a.js/b' }]),
  ]
}

function selection(): Draft[] {
  const never = ['.git', '.hg', '.svn', '.thundercloud', '.DS_Store', '.gitignore', '.gitattributes', '.gitmodules']
  const files = [...never, '.npmignore', '.npmrc', '.thundercloudignore']
  const rules = (text: string, path = '.thundercloudignore') => ({ path, text })
  return [
    ...files.map((name) => entries(`${name} is never packed`, { origin: 'folder' }, [FILE, { path: `sub/${name}` }])),
    entries('nor what is below such a name', { origin: 'https' }, [FILE, { path: 'x/.git/HEAD' }]),
    entries('no rule takes it back', { origin: 'folder' }, [FILE, { path: '.npmrc' }, rules('!.npmrc\n')]),
    entries('the root\u2019s ignore file, of any source', { origin: 'npm' }, [
      { ...FILE, path: 'package/a.js' },
      { path: 'package/test/a.js' },
      rules('test/\n', 'package/.thundercloudignore'),
    ]),
    entries('the ignore file of the path, not of the source', { origin: 'https', path: 'sub' }, [
      rules('a.js\n'),
      { ...FILE, path: 'sub/a.js' },
      { path: 'sub/b.js' },
      rules('b.js\n', 'sub/.thundercloudignore'),
    ]),
    entries('an ignore file further down is no rule', { origin: 'folder' }, [
      { path: 'sub/b.js' },
      rules('b.js\n', 'sub/.thundercloudignore'),
    ]),
    entries('what lies in a folder that is left out cannot be taken back', { origin: 'folder' }, [
      FILE,
      { path: 'd/keep' },
      rules('d/\n!d/keep\n'),
    ]),
    bad('a path of no archive, which no rule leaves out', { origin: 'https' }, [FILE, { path: '../b' }, rules('b')]),
    entries('a path twice, both left out', { origin: 'https' }, [FILE, { path: 'b' }, { path: 'b' }, rules('b')]),
    bad('everything is left out', { origin: 'folder' }, [FILE, rules('*\n')]),
    bad('a submodule', { origin: 'git' }, [FILE, { path: 'vendor', submodule: true }]),
    entries('a submodule that is left out', { origin: 'git' }, [
      FILE,
      { path: 'vendor', submodule: true },
      rules('vendor'),
    ]),
    bad('a pointer of git LFS', { origin: 'git' }, [FILE, { path: 'big', text: LFS }]),
    entries('what looks like a pointer of git LFS, and is not from git', { origin: 'https' }, [
      { path: 'big', text: LFS },
    ]),
  ]
}

function modes(): Draft[] {
  const mode = (name: string, text: string, said?: string) =>
    entries(`mode: ${name}`, { origin: 'https' }, [{ path: 'a', text, ...(said === undefined ? {} : { mode: said }) }])
  return [
    mode('a script is executable, though its source says 0644', SCRIPT, '0644'),
    mode('a program of ELF is executable', '\x7fELF\x02'),
    mode('any other file is not, though its source says 0755', 'echo\n', '0755'),
    mode('an empty file', ''),
    mode('a "#" alone', '#'),
    mode('a script after a byte order mark is none', '\ufeff#!/bin/sh\n'),
  ]
}

function links(): Draft[] {
  const link = (target: string): Entry => ({ path: 'l', target })
  return [
    entries('a link, in its shortest spelling', { origin: 'https' }, [FILE, link('./x/../a.js'), { path: 'x/b' }]),
    entries('a link to a link leads to its end', { origin: 'git' }, [FILE, link('m'), { path: 'm', target: 'a.js' }]),
    bad('a link to a file as if it were a folder', { origin: 'https' }, [FILE, link('a.js/')]),
    bad('a link through a file', { origin: 'https' }, [FILE, { path: 'b' }, link('b/../a.js')]),
    bad('an absolute link', { origin: 'https' }, [FILE, link('/a.js')]),
    bad('a link out of the source', { origin: 'https' }, [FILE, link('../a.js')]),
    bad('a link out of the path', { origin: 'https', path: 'sub' }, [
      FILE,
      { path: 'sub/b' },
      { path: 'sub/l', target: '../a.js' },
    ]),
    bad('a link to what is left out', { origin: 'https' }, [
      FILE,
      link('b'),
      { path: 'b' },
      { path: '.thundercloudignore', text: 'b' },
    ]),
    bad('links in a circle', { origin: 'https' }, [FILE, link('m'), { path: 'm', target: 'l' }]),
  ]
}

function entries(name: string, tree: Tree, list: readonly Entry[]): Draft {
  return { name, op: 'code.entries', ...tree, entries: list as unknown as Json[] }
}

function bad(name: string, tree: Tree, list: readonly Entry[]): Draft {
  return { ...entries(name, tree, list), ...refuses('archive') }
}
