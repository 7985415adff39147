import { cidOfBytes, encodeCanonical } from '../../protocols/encoding.ts'
import { type Draft, hex, noCbor, refuses, unhex, type VectorFile } from './kit/kit.ts'
import { CODE } from './kit/samples.ts'

export function tunnel(): VectorFile {
  return {
    about:
      'The hello, the welcome and the frames of /thundercloud/tunnel/1. A frame of a session is in hex; a number is a data frame ' +
      'of so many bytes.',
    cases: [noCbor('tunnel.hello'), noCbor('tunnel.welcome'), ...greetings(), ...frames(), ...sessions()],
  }
}

function greetings(): Draft[] {
  const hello = (name: string, value: unknown): Draft => ({
    name: `hello: ${name}`,
    op: 'tunnel.hello',
    bytes: hex(encodeCanonical(value)),
  })
  const welcome = (name: string, value: unknown): Draft => ({
    name: `welcome: ${name}`,
    op: 'tunnel.welcome',
    bytes: hex(encodeCanonical(value)),
  })
  const good = { v: 1, service: CODE, port: 'http' }
  return [
    hello('to an open port', good),
    hello('with a token', { ...good, token: Uint8Array.of(0xa0) }),
    bad(hello('a number as port', { ...good, port: 80 }), 'port'),
    bad(hello('no name of a port', { ...good, port: 'HTTP' }), 'port'),
    bad(hello('an unknown field', { ...good, host: 'a' }), ''),
    bad(hello('service as text', { ...good, service: CODE.toString() }), 'service'),
    bad(hello('a raw CID as service', { ...good, service: cidOfBytes(Uint8Array.of(1)) }), 'service'),
    hello('with a token of 512 bytes', { ...good, token: new Uint8Array(512) }),
    bad(hello('with a token of 513 bytes', { ...good, token: new Uint8Array(513) }), 'token'),
    welcome('open', { is: 'open' }),
    welcome('error', { is: 'error', message: 'no such port' }),
    bad(welcome('open with a reason', { is: 'open', message: '' }), ''),
    bad(welcome('of an unknown kind', { is: 'closed' }), 'is'),
  ]
}

function frames(): Draft[] {
  return [
    frame('data', '00616263'),
    frame('data of 65536 bytes', `00${'7a'.repeat(65_536)}`),
    frame('credit of 1', '0100000001'),
    frame('credit of a whole window', '0100040000'),
    frame('end', '02'),
    frame('reset', '03e4bbb7'),
    frame('reset without a word', '03'),
    bad(frame('empty', ''), 'frame'),
    bad(frame('of an unknown type', '04'), 'frame'),
    bad(frame('data without bytes', '00'), 'data'),
    bad(frame('data of 65537 bytes', `00${'7a'.repeat(65_537)}`), 'data'),
    bad(frame('credit of 3 bytes', '01000001'), 'credit'),
    bad(frame('credit of 0', '0100000000'), 'credit'),
    bad(frame('credit above the window', '0100040001'), 'credit'),
    bad(frame('end with a payload', '0200'), 'end'),
    frame('reset of 1024 bytes', `03${'f09f8ca9'.repeat(256)}`),
    frame('reset of 1024 letters', `03${'61'.repeat(1024)}`),
    frame('reset that begins with U+FEFF', '03efbbbf61'),
    bad(frame('reset that is no UTF-8', '03ff'), 'reset'),
    bad(frame('reset with half a surrogate pair', '03eda080'), 'reset'),
    bad(frame('reset of 1025 bytes', `03${'61'.repeat(1025)}`), 'reset'),
  ]
}

/** What one side sends and receives, in order; a number is a data frame of so many bytes. */
function sessions(): Draft[] {
  type Step = { sent: string | number } | { received: string | number }
  const session = (name: string, frames: Step[]): Draft => ({ name: `session: ${name}`, op: 'tunnel.session', frames })
  const whole = Array.from({ length: 4 }, (): Step => ({ received: 65_536 }))
  const all = Array.from({ length: 4 }, (): Step => ({ sent: 65_536 }))
  return [
    session('nothing yet', []),
    session('data both ways', [{ sent: 10 }, { received: 20 }]),
    session('a whole window', whole),
    session('a whole window, and credit for all of it', [...whole, { sent: '0100040000' }]),
    session('more after credit', [...whole, { sent: '0100000001' }, { received: 1 }]),
    session('credit in two lots', [{ sent: 3 }, { received: '0100000001' }, { received: '0100000002' }]),
    session('credit after the end', [{ received: 5 }, { received: '02' }, { sent: '0100000005' }]),
    session('credit from a side that has ended', [{ sent: 5 }, { received: '02' }, { received: '0100000005' }]),
    session('data one way after the other has ended', [{ received: '02' }, { sent: 7 }]),
    session('a reset after the end', [{ received: '02' }, { received: '03' }]),
    session('what arrives after a reset was sent is dropped', [
      { sent: 3 },
      { sent: '03' },
      { received: '0100000004' },
    ]),
    session('what arrives after a reset is dropped', [{ received: '0361' }, { received: 5 }]),
    bad(session('data after a reset', [{ sent: '03' }, { sent: 1 }]), 'data'),
    bad(session('a reset after a reset', [{ received: '03' }, { sent: '03' }]), 'reset'),
    bad(session('a byte more than the window', [...whole, { received: 1 }]), 'data'),
    bad(session('a byte more than credit', [...whole, { sent: '0100000001' }, { received: 2 }]), 'data'),
    bad(session('credit for nothing', [{ received: '0100000001' }]), 'credit'),
    bad(session('credit for more than was sent', [{ sent: 3 }, { received: '0100000004' }]), 'credit'),
    bad(session('credit twice', [{ sent: 3 }, { received: '0100000003' }, { received: '0100000001' }]), 'credit'),
    bad(session('data after the end', [{ received: '02' }, { received: 1 }]), 'data'),
    bad(session('a second end', [{ received: '02' }, { received: '02' }]), 'end'),
    bad(session('sent beyond credit', [...all, { sent: 1 }]), 'data'),
    bad(session('given without data', [{ sent: '0100000001' }]), 'credit'),
  ]
}

function frame(name: string, bytes: string): Draft {
  return { name: `frame: ${name}`, op: 'tunnel.frame', bytes: hex(unhex(bytes)) }
}

function bad(draft: Draft, field: string): Draft {
  return { ...draft, ...refuses('shape', field) }
}
