import { encodeCanonical } from '../../protocols/encoding.ts'
import { type Draft, hex, ISSUED, noCbor, refuses, type VectorFile } from './kit/kit.ts'
import { smallStop } from './kit/samples.ts'

export function stop(): VectorFile {
  return {
    about: 'Bodies of stops. `value` is the body as DAG-JSON, `id` its name.',
    cases: [
      noCbor('stop.decode'),
      decode('a stop', {}),
      decode('a stop that travels nowhere', { reach: { depth: 0, anchor: new Uint8Array(32) } }),
      bad('stop: false', { stop: false }, 'stop'),
      bad('stop: 1', { stop: 1 }, 'stop'),
      bad('v 2', { v: 2 }, 'v'),
      bad('a field of a service', { title: 'Hello' }, ''),
      bad('seq: negative', { seq: -1 }, 'seq'),
      bad('name: upper case', { name: 'Hello' }, 'name'),
      bad('expires before issued', { expires: ISSUED - 1 }, 'expires'),
      bad('lives 31 days', { expires: ISSUED + 31 * 24 * 3600 }, 'expires'),
      bad('reach: a field too many', { reach: { ...smallStop().reach, limit: 1 } }, 'reach'),
      bad('reach: missing', { reach: undefined }, 'reach'),
    ],
  }
}

function bad(name: string, change: Record<string, unknown>, field: string): Draft {
  return { ...decode(name, change), ...refuses('shape', field) }
}

function decode(name: string, change: Record<string, unknown>): Draft {
  return { name, op: 'stop.decode', bytes: hex(encodeCanonical({ ...smallStop(), ...change })) }
}
