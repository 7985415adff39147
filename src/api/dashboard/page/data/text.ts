export { formatBytes as bytesText, formatCount as countText, sanitizeText as visible } from '../../../../base/format.ts'

/** A long id as people tell two apart: its beginning and its end. */
export function shortId(id: string, head = 6, tail = 6): string {
  return id.length <= head + tail + 1 ? id : `${id.slice(0, head)}…${id.slice(-tail)}`
}

/** "1 service", "2 services" */
export function many(count: number, one: string, more = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : more}`
}

/** 1500 millicores -> "1.5 cores" */
export function coresText(millicores: number): string {
  const cores = millicores / 1000
  return `${Number.isInteger(cores) ? cores : cores.toFixed(cores < 1 ? 2 : 1)} ${cores === 1 ? 'core' : 'cores'}`
}
