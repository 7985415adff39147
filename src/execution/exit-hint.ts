import type { NetworkGrant } from '../base/verdict.ts'

/** Where a program's own messages are explained. */
const PAGE = 'see "What a service gets"'

type NetworkMode = NetworkGrant['mode']
/** What a run had. `data`: a folder that stays, in a pool. */
export type HintFacts = { readonly network: NetworkMode; readonly data?: boolean | undefined }
type Rule = { readonly pattern: RegExp; readonly hint: string | ((facts: HintFacts) => string) }

const NO_NAMES: Readonly<Record<NetworkMode, string>> = {
  none: `there is no network and no DNS (${PAGE})`,
  allowlist: `there is no DNS: the hosts that "network" of the manifest names are known, each at its port, and no other (${PAGE})`,
  open: `there is no DNS: the hosts that "network" of the manifest names are known, all others are reached through the proxy that HTTP_PROXY names (${PAGE})`,
}

/** What programs print when they reach a limit of a run, the most specific first. */
const RULES: readonly Rule[] = [
  {
    pattern: /EROFS|read-only file system/i,
    hint: `the code's folder is read-only: write below $HOME, which is /work (${PAGE})`,
  },
  {
    pattern: /ENOENT\b.{0,80}\b(?:open|access|l?stat|scandir) '\/code\/|No such file or directory: '\/code\//,
    hint: `a file is not in the code: publish what it reads, and look at the ignore rules (${PAGE})`,
  },
  {
    pattern:
      /(mkdir|open|mkdtemp|rename|copyfile|unlink)\b.*'\/code\/|(EACCES|EPERM|ENOENT)\b.*(mkdir|open|mkdtemp).*'\/code\//,
    hint: `the code's folder is read-only: write below $HOME, which is /work (${PAGE})`,
  },
  {
    pattern:
      /exec .* failed: no such file|(not found|No such file or directory).*exec|exec: .*(not found|no such file)|^\/usr\/bin\/env: .*No such file|\/init\.sh: \d+: .*not found$/i,
    hint: `the command, or the program after "#!" in its first line, is not there: name a file of the code, or a program of the toolchain (${PAGE})`,
  },
  {
    pattern:
      /exec .* failed: (permission denied|exec format error)|cannot execute|exec format error|^\/usr\/bin\/env: .*Permission denied|\/init\.sh: \d+: .*Permission denied$/i,
    hint: `the command is not executable here: set its x bit before publishing, or start it with its interpreter (${PAGE})`,
  },
  {
    pattern: /EADDRINUSE/,
    hint: `the port is taken inside of the run: only one process may listen on a port of run.ports, and at 127.0.0.1 alone where network names a host with that port (${PAGE})`,
  },
  {
    pattern: /listen EACCES/,
    hint: `ports below 1024 cannot be taken: listen on a higher one and name it in run.ports (${PAGE})`,
  },
  {
    pattern: /MODULE_NOT_FOUND|Cannot find (module|package)|ModuleNotFoundError/,
    hint: `a module is not in the code: install it into the folder before publishing, nothing is installed here (${PAGE})`,
  },
  {
    pattern: /EAI_AGAIN|ENOTFOUND|getaddrinfo|Temporary failure in name resolution|ENETUNREACH/,
    hint: ({ network }) => NO_NAMES[network],
  },
  {
    pattern: /ENOSPC|No space left on device|EDQUOT/,
    hint: ({ data }) =>
      data
        ? `a disk is full: that which was granted (ask for more in resources.disk), or the pool's data in /data, which all your services in the pool share (${PAGE})`
        : `the disk that was granted is full: ask for more in resources.disk (${PAGE})`,
  },
  {
    pattern: /heap out of memory|ENOMEM|Cannot allocate memory/,
    hint: `the memory that was granted is used up: ask for more in resources.memory (${PAGE})`,
  },
  {
    pattern: /EAGAIN.*(fork|spawn|clone)|(fork|spawn).*EAGAIN|Resource temporarily unavailable/,
    hint: `the processes and threads that were granted are used up: ask for more in resources.pids (${PAGE})`,
  },
  {
    pattern: /EACCES|EPERM|permission denied/i,
    hint: `a run may write below $HOME, which is /work, and $TMPDIR only (${PAGE})`,
  },
]

/** Longer lines say it at their beginning. */
const MAX_LINE = 1000

/** What would help a program that ended so, by its exit code and its last lines; undefined where nothing is known. */
export function exitHint(exitCode: number, lines: readonly string[], facts: HintFacts): string | undefined {
  if (exitCode === 0) return undefined
  const said = lines.map((line) => line.slice(0, MAX_LINE))
  const hint = RULES.find((rule) => said.some((line) => rule.pattern.test(line)))?.hint
  return typeof hint === 'function' ? hint(facts) : hint
}
