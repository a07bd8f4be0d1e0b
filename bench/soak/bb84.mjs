import { agree, interceptResend, QsecError, simulatedChannel } from '@qsec2/sdk/bb84';

/** 20 000 agreements at mixed noise: equal keys or a typed failure, and never a key above the threshold. */
const RUNS = 20_000;
const EXPECTED = new Set(['QBER_EXCEEDED', 'KEY_TOO_SHORT', 'RECONCILIATION_FAILED', 'VERIFICATION_FAILED']);

const pick = (list) => list[Math.floor(Math.random() * list.length)];

function randomOptions() {
  const attack =
    Math.random() < 0.2
      ? { eavesdropper: interceptResend(Math.random(), { basis: pick(['random', 'z', 'x', 'breidbart']) }) }
      : {};
  const loss = Math.random() < 0.3 ? { loss: Math.random() / 2 } : {};
  return {
    pulses: pick([4096, 8192, 16_384]),
    method: pick(['ldpc', 'cascade']),
    schedule: pick(['efficient', 'balanced']),
    zProbability: pick([0.5, 0.5, 0.5, 0.8]),
    ...(Math.random() < 0.5 && { keyBits: 128 }),
    channel: simulatedChannel({ flip: Math.random() * 0.06, darkCount: Math.random() * 1e-3, ...loss, ...attack }),
  };
}

export async function run({ runs = RUNS } = {}) {
  const outcomes = {};
  for (let i = 1; i <= runs; i++) {
    let outcome = 'key';
    try {
      const { alice, bob, report } = await agree(randomOptions());
      const { z, x, combined } = report.qber;
      if (Buffer.compare(alice, bob) !== 0) throw new Error('the keys differ');
      if (Math.max(z, x, combined) > 0.11) throw new Error('a key above the threshold');
    } catch (error) {
      if (!(error instanceof QsecError) || !EXPECTED.has(error.code)) throw error;
      outcome = error.code;
    }
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (i % 1000 === 0) console.log(`${i} of ${runs}: ${JSON.stringify(outcomes)}`);
  }
  return outcomes;
}
