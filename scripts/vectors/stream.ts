import { type Draft, hex, refuses, type VectorFile } from './kit/kit.ts'

/** Which messages come out of the bytes of a stream that then ends, where the longest has 300 bytes. */
export function stream(): VectorFile {
  return {
    about: 'Framing: `bytes` are all that a side sends before it half-closes; `longest` is the limit of the protocol.',
    cases: [
      read('nothing', ''),
      read('one message of one byte', '01aa'),
      read('two messages', '01aa02bbcc'),
      read('127 bytes', `7f${'aa'.repeat(127)}`),
      read('128 bytes', `8001${'aa'.repeat(128)}`),
      read('300 bytes, the longest', `ac02${'aa'.repeat(300)}`),
      bad('301 bytes', `ad02${'aa'.repeat(301)}`),
      bad('301 bytes that do not come', 'ad02'),
      bad('2^35 - 1 bytes that do not come', 'ffffffff7f'),
      bad('a varint of six bytes', `808080808001${hex(new Uint8Array(8))}`),
      bad('a length of 0', '00'),
      bad('a length of 0 after a message', '01aa00'),
      bad('1 in two bytes', '8100aa'),
      bad('0 in two bytes', '8000'),
      bad('128 in three bytes', `808100${'aa'.repeat(128)}`),
      bad('ends inside a length', '01aa80'),
      bad('ends inside a message', '02aa'),
      bad('ends before a message', '01'),
    ],
  }
}

function read(name: string, bytes: string): Draft {
  return { name, op: 'stream.read', longest: 300, bytes }
}

function bad(name: string, bytes: string): Draft {
  return { ...read(name, bytes), ...refuses('shape') }
}
