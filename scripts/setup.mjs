// Brings node_modules in line with the lock file, and the built dashboard in line with its sources. npm runs it before `start`, `test` and `check`, with whatever Node
// the machine has, so this is plain JavaScript for Node 20 without dependencies. It speaks on stderr only: the
// program that follows owns stdout.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const pinnedNode = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')

// Written last: an installation that was killed midway leaves a node_modules, but no stamp.
const stampFile = join(root, 'node_modules', '.thundercloud-setup')

const UNREACHABLE =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b/

// Settings of the npm that called us which would make the installation inside differ from what the lock file says.
const NOT_INHERITED =
  /^npm_(lifecycle_|package_|command$|config_(global|location|workspaces?|omit|include|only|production|dry_run|package_lock|package_lock_only|json|local_prefix|prefix)$)/

const runtimePackage = JSON.parse(readFileSync(join(root, 'scripts', 'runtime', 'package.json'), 'utf8'))
const runtimes = Object.keys(runtimePackage.optionalDependencies)
const pinned = runtimePackage.optionalDependencies[runtimes[0]]

let interrupted = false
/** @type {(signal: NodeJS.Signals) => void} */
let stop = () => {}
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    interrupted = true
    stop(signal)
  })
}
process.exitCode = await main()

/** @returns {Promise<number>} the exit code */
async function main() {
  const stamp = fingerprint()
  if (existsSync(pinnedNode) && readIfThere(stampFile) === stamp) return buildDashboard()

  say('Installing dependencies, once for this lock file...')
  rmSync(stampFile, { force: true })
  const installed = await install()
  if (installed !== 0) return installed

  await linkRuntime()
  const problem = runtimeProblem()
  if (problem !== undefined) {
    say(problem)
    return 1
  }
  writeFileSync(stampFile, stamp)
  return buildDashboard()
}

/** Without it the node works, and says at /dashboard how to build it. @returns {number} the exit code */
function buildDashboard() {
  const built = spawnSync(pinnedNode, [join(root, 'scripts', 'dashboard', 'build.ts')], {
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (built.status === 0) return 0
  say('Set-up could not build the dashboard; the reason is above.')
  return built.status ?? 1
}

function fingerprint() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`)
  for (const file of ['package-lock.json', 'package.json', 'scripts/runtime/package.json']) {
    hash.update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/**
 * Not `npm ci`, which throws node_modules away first. No dependency needs its install script (`allowScripts` in
 * package.json names those that have one), and an npm too old for that setting would compile for minutes.
 * @returns {Promise<number>} the exit code
 */
async function install() {
  // Without a network npm tries every package for minutes; an answer to one question is known in a second.
  const ping = await npm(['ping', '--fetch-retries=1', '--fetch-retry-mintimeout=500', '--fetch-timeout=10000'])
  const unreachable = ping.code === 0 ? undefined : UNREACHABLE.exec(ping.output)?.[0]

  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--include=dev', '--include=optional']
  args.push(unreachable === undefined ? '--prefer-offline' : '--offline')
  if (process.env.npm_config_strict_allow_scripts !== 'true') args.push('--ignore-scripts')
  const { code, output } = interrupted ? ping : await npm(args)

  if (interrupted) say('Set-up was interrupted; the next run starts it again.')
  else if (code !== 0 && unreachable !== undefined) {
    say(
      `Set-up needs the npm registry and could not reach it (${unreachable}): connect to the network, or configure npm's proxy, and run the same command again.`,
    )
  } else if (code !== 0)
    say(`${output.trim()}\nSet-up failed: npm install ended with code ${code}; the reason is above.`)
  return code
}

/** npm 10 installs the runtime and then loses its link, together with the links of the ones for other platforms. */
async function linkRuntime() {
  if (existsSync(pinnedNode)) return
  const installed = runtimes.filter((name) => existsSync(join(root, 'node_modules', name)))
  if (installed.length > 0) await npm(['rebuild', '--ignore-scripts', ...installed])
}

/** Whether the runtime that npm linked is the one that is pinned, and starts here. */
function runtimeProblem() {
  const platform = `${process.platform}-${process.arch}`
  if (!existsSync(pinnedNode)) {
    return `No Node.js ${pinned} is published on npm for ${platform}: install Node.js 24 or newer yourself and start \`node --conditions=thundercloud-source src/cli/main.ts\` with it.`
  }
  const { error, status, stdout, stderr } = spawnSync(pinnedNode, ['--version'], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (error !== undefined || status !== 0) {
    const reason = error?.message ?? stderr.trim().split('\n').at(-1)
    if (/libatomic/.test(reason)) {
      return `Node.js ${pinned} needs the library libatomic, which this system lacks: install it (Debian, Ubuntu: apt-get install libatomic1; Fedora: dnf install libatomic) and run the same command again.`
    }
    return `Node.js ${pinned} from npm does not start on this ${platform} system (${reason}): install Node.js 24 or newer yourself and start \`node --conditions=thundercloud-source src/cli/main.ts\` with it.`
  }
  if (stdout.trim() !== `v${pinned}`) {
    return `node_modules/.bin/node is ${stdout.trim()} instead of v${pinned}: delete node_modules and run the same command again.`
  }
}

/**
 * @param {string[]} args
 * @returns {Promise<{ code: number, output: string }>}
 */
function npm(args) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_INHERITED.test(name)))
  const script = process.env.npm_execpath
  const [command, first] = script?.endsWith('.js') ? [process.execPath, [script]] : ['npm', []]
  const child = spawn(command, [...first, ...args, '--loglevel=error'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32' && command === 'npm',
  })
  stop = (signal) => child.kill(signal)

  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
    })
  }
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: 1, output: `npm could not be started: ${error.message}` }))
    child.on('close', (code, signal) => {
      if (signal !== null) interrupted = true
      resolve({ code: interrupted ? code || 130 : (code ?? 1), output })
    })
  })
}

/** @param {string} sentence */
function say(sentence) {
  process.stderr.write(`${sentence}\n`)
}
