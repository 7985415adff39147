// Brings node_modules in line with the lock file. npm runs it before `start`, `test` and `check`, with whatever Node
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

const UNREACHABLE = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b/

// Settings of the npm that called us which would make the installation inside differ from what the lock file says.
const NOT_INHERITED = /^npm_(lifecycle_|package_|command$|config_(global|location|workspaces?|omit|include|only|production|dry_run|package_lock|package_lock_only|json|local_prefix|prefix)$)/

process.exitCode = await main()

/** @returns {Promise<number>} the exit code */
async function main() {
  const stamp = fingerprint()
  if (existsSync(pinnedNode) && readIfThere(stampFile) === stamp) return 0

  say('Installing dependencies, once for this lock file...')
  rmSync(stampFile, { force: true })
  const installed = await install()
  if (installed !== 0) return installed

  const problem = runtimeProblem()
  if (problem !== undefined) {
    say(problem)
    return 1
  }
  writeFileSync(stampFile, stamp)
  return 0
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
function install() {
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline']
  args.push('--include=dev', '--include=optional')
  if (process.env.npm_config_strict_allow_scripts !== 'true') args.push('--ignore-scripts')

  const npm = process.env.npm_execpath
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_INHERITED.test(name)))
  const child = npm?.endsWith('.js')
    ? spawn(process.execPath, [npm, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    : spawn('npm', args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' })

  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      output += chunk
    })
  }
  let stoppedBy
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      stoppedBy = signal
      child.kill(signal)
    })
  }
  return new Promise(resolve => {
    child.on('error', error => {
      say(`Set-up could not start npm: ${error.message}`)
      resolve(1)
    })
    child.on('close', (code, signal) => {
      if (code === 0 && stoppedBy === undefined) return resolve(0)
      if (stoppedBy ?? signal) say('Set-up was interrupted; the next run starts it again.')
      else say(explain(output, code))
      resolve(code || 1)
    })
  })
}

/**
 * @param {string} output
 * @param {number | null} code
 */
function explain(output, code) {
  const unreachable = UNREACHABLE.exec(output)
  if (unreachable !== null) {
    return `Set-up needs the npm registry and could not reach it (${unreachable[0]}): connect to the network, or configure a proxy for npm, and run the same command again.`
  }
  return `${output.trim()}\nSet-up failed: npm install ended with exit code ${code}; the reason is above.`
}

/** Whether the runtime that npm linked is the one that is pinned, and starts here. */
function runtimeProblem() {
  const pinned = Object.values(readJson('scripts/runtime/package.json').optionalDependencies)[0]
  const platform = `${process.platform}-${process.arch}`
  if (!existsSync(pinnedNode)) {
    return `No Node.js ${pinned} is published on npm for ${platform}: install Node.js 24 or newer yourself and start \`node --conditions=thundercloud-source src/cli/main.ts\` with it.`
  }
  const { error, status, stdout, stderr } = spawnSync(pinnedNode, ['--version'], {
    encoding: 'utf8',
    shell: process.platform === 'win32'
  })
  if (error !== undefined || status !== 0) {
    const reason = error?.message ?? stderr.trim().split('\n').at(-1)
    return `Node.js ${pinned} from npm does not start on this ${platform} system (${reason}): install Node.js 24 or newer yourself and start \`node --conditions=thundercloud-source src/cli/main.ts\` with it.`
  }
  if (stdout.trim() !== `v${pinned}`) {
    return `node_modules/.bin/node is ${stdout.trim()} instead of v${pinned}: delete node_modules and run the same command again.`
  }
}

/** @param {string} file */
function readJson(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8'))
}

/** @param {string} sentence */
function say(sentence) {
  process.stderr.write(`${sentence}\n`)
}
