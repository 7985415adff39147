import type { Settings } from './any.ts'

type Change = (settings: Settings) => object

const firstOf = <T>(list: readonly T[] | undefined) => (list === undefined ? [] : list.slice(0, -1))
const halved = (total: Record<string, number>) =>
  Object.fromEntries(Object.entries(total).map(([key, value]) => [key, Math.floor(value / 2)]))
const frozen = <T extends object>(chains: T) =>
  Object.fromEntries(Object.keys(chains).map((chain) => [chain, { MIN_FREEZE: 40 }]))
const dearer = (pricing: object) =>
  Object.fromEntries(Object.keys(pricing).map((asset) => [asset, { GIB_HOUR: '1000', CORE_HOUR: '2000' }]))
/** With EVICT, a service that ranks higher may make room: settings that change the rank are compared without it. */
const alone = ({ LIMITS }: Settings) => ({ ...LIMITS, EVICT: false })

/**
 * What "stricter" means for each key that decides whether a service runs: the settings before, the settings after. Not
 * here: TRUSTED_HUBS (a hub more can speak for a service or against it) and keys that no service fails.
 */
export const stricter: Record<string, { before?: Change; after: Change }> = {
  DESC_MAX_LEN: { after: ({ DESC_MAX_LEN }) => ({ DESC_MAX_LEN: Math.floor(DESC_MAX_LEN / 8) }) },
  'KEYWORDS, one fewer': {
    after: ({ KEYWORDS }) => ({ KEYWORDS: KEYWORDS.length > 1 ? firstOf(KEYWORDS.toReversed()) : KEYWORDS }),
  },
  'KEYWORDS, some instead of none': {
    before: (settings) => ({ KEYWORDS: [], LIMITS: alone(settings) }),
    after: (settings) => ({ KEYWORDS: ['web3'], LIMITS: alone(settings) }),
  },
  'PREFER_TOOLCHAIN.docker': {
    after: ({ PREFER_TOOLCHAIN }) => ({ PREFER_TOOLCHAIN: { ...PREFER_TOOLCHAIN, docker: [] } }),
  },
  'PREFER_TOOLCHAIN.host': {
    after: ({ PREFER_TOOLCHAIN }) => ({ PREFER_TOOLCHAIN: { ...PREFER_TOOLCHAIN, host: [] } }),
  },
  'NETCAP.MODE none': { after: () => ({ NETCAP: {} }) },
  'NETCAP.MODE allowlist': {
    before: ({ NETCAP }) => ({ NETCAP: { ALLOW: [], ...NETCAP, MODE: 'open' } }),
    after: ({ NETCAP }) => ({ NETCAP: { ALLOW: [], ...NETCAP, MODE: 'allowlist' } }),
  },
  'NETCAP.ALLOW': {
    before: ({ NETCAP }) => ({ NETCAP: { ALLOW: [], ...NETCAP, MODE: 'allowlist' } }),
    after: ({ NETCAP }) => ({
      NETCAP: { ...NETCAP, MODE: 'allowlist', ALLOW: 'ALLOW' in NETCAP ? firstOf(NETCAP.ALLOW) : [] },
    }),
  },
  'NETCAP.PORTS': {
    before: ({ NETCAP }) => ({ NETCAP: { ...NETCAP, MODE: 'open', PORTS: undefined } }),
    after: ({ NETCAP }) => ({ NETCAP: { ...NETCAP, MODE: 'open', PORTS: [22] } }),
  },
  'PREFER_HOSTCHAINS.MIN_FREEZE': {
    after: ({ PREFER_HOSTCHAINS }) => ({ PREFER_HOSTCHAINS: frozen(PREFER_HOSTCHAINS) }),
  },
  'PREFER_SYMBIOTES.MIN_FREEZE': { after: ({ PREFER_SYMBIOTES }) => ({ PREFER_SYMBIOTES: frozen(PREFER_SYMBIOTES) }) },
  TRUST_TREE: { after: () => ({ TRUST_TREE: { ROOTS: {} } }) },
  'QUORUM.HUBS': {
    before: ({ TRUSTED_HUBS }) => (Object.keys(TRUSTED_HUBS).length > 0 ? { QUORUM: { HUBS: 1 } } : {}),
    after: ({ TRUSTED_HUBS }) => (Object.keys(TRUSTED_HUBS).length > 0 ? { QUORUM: { HUBS: 3 } } : {}),
  },
  'QUORUM.WEIGHT': {
    after: ({ TRUSTED_HUBS }) => (Object.keys(TRUSTED_HUBS).length > 0 ? { QUORUM: { WEIGHT: 3 } } : {}),
  },
  ALLOWED_STORAGE: { after: ({ ALLOWED_STORAGE }) => ({ ALLOWED_STORAGE: firstOf(ALLOWED_STORAGE) }) },
  REGISTRIES: { after: () => ({ REGISTRIES: {} }) },
  'PRICING, some instead of none': {
    before: (settings) => ({ PRICING: {}, LIMITS: alone(settings) }),
    after: (settings) => ({ PRICING: { kly: { CORE_HOUR: 1000 } }, LIMITS: alone(settings) }),
  },
  'PRICING, dearer': {
    before: (settings) => ({ LIMITS: alone(settings) }),
    after: (settings) => ({ PRICING: dearer(settings.PRICING), LIMITS: alone(settings) }),
  },
  'LIMITS.TOTAL': { after: ({ LIMITS }) => ({ LIMITS: { ...LIMITS, TOTAL: halved(LIMITS.TOTAL) } }) },
  'LIMITS.SERVICE': {
    after: ({ LIMITS }) => ({ LIMITS: { ...LIMITS, SERVICE: { MEMORY: 1, CPU: 1, DISK: 1, PIDS: 1 } } }),
  },
  'LIMITS.EVICT': {
    before: ({ LIMITS }) => ({ LIMITS: { ...LIMITS, EVICT: true } }),
    after: ({ LIMITS }) => ({ LIMITS: { ...LIMITS, EVICT: false } }),
  },
  MODES: {
    before: () => ({
      MODES: { storage: 'warn', trust: 'warn', price: 'warn', freeze: 'warn', veto: 'warn', network: 'warn' },
    }),
    after: () => ({ MODES: {} }),
  },
}
