import type { Cell, Table } from '../observation/types.ts'

/** RFC 4180, with a line of names first. */
export function csvText({ columns, rows }: Table): string {
  return [columns, ...rows].map((cells) => `${cells.map(cellText).join(',')}\r\n`).join('')
}

function cellText(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  // a text that begins so is a formula to spreadsheets: names of groups and rules come from others
  const text = /^[=+\-@\t]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
