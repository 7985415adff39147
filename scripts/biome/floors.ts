/** The folders of src/, lowest floor first: each may import from lower floors only, not from its own floor. */
export const FLOORS: readonly (readonly string[])[] = [
  ['base'],
  ['process', 'config', 'egress'],
  ['journal', 'network', 'runner', 'trust', 'hub', 'code', 'execution', 'peer-client', 'alerts'],
  ['intake', 'services', 'light-peer', 'placement', 'results', 'backup'],
  ['admission'],
  ['publishing', 'policy'],
  ['node'],
  ['api', 'metrics', 'simulation'],
  ['cli', 'exports'],
]

const ORDER = [
  'protocols',
  ...FLOORS.map((folders) => (folders.length === 1 ? folders[0] : `{${folders.join(', ')}}`)),
].join(' <- ')

type Pattern = { readonly group: readonly string[]; readonly message: string }

const PACKAGE: Pattern = {
  group: ['thundercloud', 'thundercloud/**'],
  message: 'Inside the package, import the file itself; the package name is for its users.',
}
const PROCESSES: Pattern = {
  group: ['node:child_process', 'node:cluster', 'child_process', 'cluster'],
  message:
    'src/process starts every process, from one description of what it may have: use startProcess or runProcess, with a row in src/process/kinds.ts.',
}
const PROTOCOLS: readonly Pattern[] = [
  {
    group: ['**/src/**'],
    message:
      'protocols/ is what any implementation speaks: nothing of ours. Constants of the wire belong in protocols/, everything else in src/.',
  },
  {
    group: ['node:*', 'node:*/**', '!node:crypto'],
    message:
      'protocols/ is pure: no I/O, no clock. Reading and writing belong in the folder of src/ that uses this message.',
  },
  PACKAGE,
]

/** The linter's rules: which folder may import which. */
export function boundariesText(): string {
  const folders = FLOORS.flatMap((floor, index) =>
    floor.map((folder) => override([`src/${folder}/**`], patternsOf(folder, index))),
  )
  return `${JSON.stringify({ root: false, overrides: [override(['protocols/**'], PROTOCOLS), ...folders] }, null, 2)}\n`
}

function patternsOf(folder: string, floor: number): Pattern[] {
  const beside = FLOORS[floor]?.filter((other) => other !== folder) ?? []
  const above = FLOORS.slice(floor + 1).flat()
  return [
    ...(beside.length === 0 ? [] : [{ group: groupOf(beside), message: besideMessage(folder) }]),
    ...(above.length === 0 ? [] : [{ group: groupOf(above), message: aboveMessage(folder) }]),
    PACKAGE,
    ...(folder === 'process' ? [] : [PROCESSES]),
  ]
}

function besideMessage(folder: string): string {
  return `Folders of one floor do not import one another: declare what src/${folder} needs as a narrow interface beside its own code, and let src/node hand it in; or move it to a lower floor (${ORDER}).`
}

function aboveMessage(folder: string): string {
  return `Imports go to lower floors only (${ORDER}): move what src/${folder} needs to src/${folder} or below, or declare an interface here and let src/node hand it in.`
}

function groupOf(folders: readonly string[]): string[] {
  return folders.map((folder) => `../**/${folder}/**`)
}

function override(includes: readonly string[], patterns: readonly Pattern[]) {
  const noRestrictedImports = { level: 'error', options: { patterns } }
  return { includes, linter: { rules: { style: { noRestrictedImports } } } }
}
