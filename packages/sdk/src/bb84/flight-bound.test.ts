import { expect, test } from 'vitest';
import { Alice } from './alice.ts';
import { Bob } from './bob.ts';
import { interceptResend, simulatedChannel } from './channel/index.ts';
import { flightBound } from './flight-bound.ts';

/** The length of every flight of a run. */
function lengths(alice: Alice, bob: Bob): number[] {
  const all: number[] = [];
  const sides = [alice, bob];
  for (let message = alice.next(), turn = 1; message; turn++) {
    all.push(message.length);
    message = (sides[turn % 2] as Alice | Bob).next(message);
  }
  return all;
}

test('no flight is longer than its bound, whatever the channel', () => {
  const eavesdropper = interceptResend(0.1, { basis: 'breidbart' });
  const channels = [
    {},
    { flip: 0.015 },
    { flip: 0.06 },
    { flip: 0.3 },
    { loss: 0.1, flip: 0.01 },
    { loss: 0.9 },
    { efficiency: 0.97, darkCount: 1e-4 },
    { eavesdropper },
    { loss: 0.02, eavesdropper },
  ];
  for (const pulses of [1, 100, 4096, 32768]) {
    for (const channel of channels) {
      for (const keyBits of [undefined, 256]) {
        const alice = new Alice({ pulses, channel: simulatedChannel(channel), ...(keyBits && { keyBits }) });
        lengths(alice, new Bob()).forEach((length, i) => {
          expect(length).toBeLessThanOrEqual(flightBound(i + 1, pulses));
          expect(length).toBeLessThanOrEqual(flightBound(i + 1, pulses, length));
        });
      }
    }
  }
});

test('at 32 768 pulses a padded run of six flights is 20 to 25 KB on a link that loses nothing', () => {
  const own = lengths(new Alice({ channel: simulatedChannel({ flip: 0.015 }), keyBits: 256 }), new Bob());
  const padded = own.map((length, i) => flightBound(i + 1, 32768, length));
  const total = padded.reduce((sum, length) => sum + length, 0);
  expect(total).toBeGreaterThan(20_000);
  expect(total).toBeLessThan(25_000);
});

test('the padded sizes do not depend on the error rate', () => {
  const sizes = [0, 0.01, 0.03, 0.05].map((flip) =>
    lengths(new Alice({ channel: simulatedChannel({ flip }), keyBits: 256 }), new Bob())
      .slice(0, 4)
      .map((length, i) => flightBound(i + 1, 32768, length)),
  );
  for (const other of sizes) expect(other).toEqual(sizes[0]);
});
