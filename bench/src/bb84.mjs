import { agree, binaryEntropy, cascade, ldpc, simulatedChannel, toeplitz } from '@qsec2/sdk/bb84';

/**
 * Speed and efficiency of the BB84 engine. Times are CPU time of both parties in one thread. The error rate that reconciliation
 * works with is estimated from a sample half as long as the key, as in a run; it is never told.
 */

const RATES = [0.01, 0.02, 0.03, 0.05, 0.08, 0.11];
const SIZES = [1000, 4096, 11_264, 16_384, 65_536, 100_000];
/** CPU seconds to spend on one row of the table. */
const BUDGET = 0.6;

const TARGETS = {
  cascade: { rates: { 0.02: 80, 0.05: 50 }, bits: 65_536, f: 1.07, frameErrorRate: 1e-4 },
  ldpc: { bits: 11_264, maxRate: 0.03, ms: 20, f: 1.3, failure: 1e-3 },
  toeplitz: 8,
  pulses: 20e6,
  agreement: 40,
};

/** CPU seconds that `work` takes. */
function cpu(work) {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

/** Distances between errors, geometric, so that a frame costs its errors and not its bits. */
function flipSome(bits, length, rate) {
  const scale = 1 / Math.log1p(-rate);
  let errors = 0;
  for (let at = Math.floor(Math.log(1 - Math.random()) * scale); at < length; errors++) {
    bits[at >>> 3] ^= 128 >>> (at & 7);
    at += 1 + Math.floor(Math.log(1 - Math.random()) * scale);
  }
  return errors;
}

function makeFrame(bits, rate) {
  const alice = new Uint8Array(Math.ceil(bits / 8));
  for (let at = 0; at < alice.length; at += 65_536) crypto.getRandomValues(alice.subarray(at, at + 65_536));
  if (bits % 8) alice[alice.length - 1] &= 0xff00 >>> (bits % 8);
  const bob = alice.slice();
  flipSome(bob, bits, rate);
  const sample = Math.max(200, bits >>> 1);
  return { alice, bob, estimate: flipSome(new Uint8Array(Math.ceil(sample / 8)), sample, rate) / sample };
}

/** Frames in batches until the budget is spent. */
function measure(reconciler, bits, rate, { warmUp = 12, budget = BUDGET, atLeast = 12 } = {}) {
  for (let i = 0; i < warmUp; i++) {
    const { alice, bob, estimate } = makeFrame(bits, rate);
    reconciler.local(alice, bob, estimate, bits);
  }
  const sum = { frames: 0, seconds: 0, disclosed: 0, rounds: 0, failed: 0, wrong: 0 };
  while (sum.frames < atLeast || sum.seconds < budget) {
    const batch = Array.from({ length: 8 }, () => makeFrame(bits, rate));
    const results = [];
    sum.seconds += cpu(() => {
      for (const { alice, bob, estimate } of batch) results.push(reconciler.local(alice, bob, estimate, bits));
    });
    results.forEach(({ corrected, disclosed, rounds, ok }, i) => {
      sum.frames++;
      sum.disclosed += disclosed;
      sum.rounds += rounds;
      if (!ok) sum.failed++;
      else if (!corrected.every((byte, at) => byte === batch[i].alice[at])) sum.wrong++;
    });
  }
  return {
    bits,
    qber: rate,
    frames: sum.frames,
    mbitPerSecond: (bits * sum.frames) / sum.seconds / 1e6,
    msPerFrame: (1000 * sum.seconds) / sum.frames,
    f: sum.disclosed / (sum.frames * bits * binaryEntropy(rate)),
    rounds: sum.rounds / sum.frames,
    frameErrorRate: (sum.failed + sum.wrong) / sum.frames,
    undetected: sum.wrong,
  };
}

const pad = (text, width) => String(text).padStart(width);

function printRow(name, row, target) {
  console.log(
    `${name.padEnd(18)}${pad(row.bits, 8)}${pad((100 * row.qber).toFixed(0), 4)} %${pad(row.mbitPerSecond.toFixed(1), 9)} Mbit/s` +
      `${pad(row.msPerFrame.toFixed(2), 9)} ms   f ${row.f.toFixed(3)}${pad(row.rounds.toFixed(1), 8)} rounds   ` +
      `${row.frameErrorRate === 0 ? `none of ${row.frames} failed` : `FER ${row.frameErrorRate.toExponential(1)} of ${row.frames}`}` +
      (target ? `   ← ${target}` : ''),
  );
}

function reconciliation() {
  const rows = {};
  for (const [name, reconciler] of [
    ['cascade efficient', cascade({ schedule: 'efficient' })],
    ['cascade balanced', cascade({ schedule: 'balanced' })],
    ['ldpc', ldpc()],
  ]) {
    rows[name] = [];
    for (const bits of SIZES) {
      for (const rate of RATES) {
        const slow = name === 'ldpc' && bits > 20_000;
        const row = measure(reconciler, bits, rate, slow ? { warmUp: 0, atLeast: 4, budget: 0.2 } : {});
        const { cascade: c, ldpc: l } = TARGETS;
        const isCascadeTarget = name === 'cascade efficient' && bits === c.bits && c.rates[rate];
        const isLdpcTarget = name === 'ldpc' && bits === l.bits && rate <= l.maxRate;
        rows[name].push(row);
        printRow(
          name,
          row,
          (isCascadeTarget && `at least ${c.rates[rate]} Mbit/s, f at most ${c.f}`) ||
            (isLdpcTarget && `at most ${l.ms} ms, f ${l.f}, failure ${l.failure}`),
        );
      }
    }
  }
  return rows;
}

/** Many small frames: how often Cascade leaves an error. */
function frameErrors() {
  const row = measure(cascade(), 4096, 0.02, { atLeast: 30_000, budget: 0 });
  printRow('cascade, long', row, `at most ${TARGETS.cascade.frameErrorRate} in 30 000 frames`);
  return row;
}

function amplification() {
  const rows = [];
  for (const [bits, output] of [
    [4096, 256],
    [16_384, 256],
    [65_536, 256],
    [98_304, 32_768],
  ]) {
    const key = crypto.getRandomValues(new Uint8Array(bits / 8));
    const seed = crypto.getRandomValues(new Uint8Array((bits + output) / 8));
    const runs = output > 2048 ? 12 : 400;
    for (let i = 0; i < runs / 4; i++) toeplitz(key, seed, output);
    const seconds = cpu(() => {
      for (let i = 0; i < runs; i++) toeplitz(key, seed, output);
    });
    const row = { bits, output, ms: (1000 * seconds) / runs, mbitPerSecond: (bits * runs) / seconds / 1e6 };
    rows.push(row);
    const target = output > 2048 ? `   ← at least ${TARGETS.toeplitz} Mbit/s` : '';
    console.log(
      `toeplitz  ${pad(bits, 8)} → ${pad(output, 6)}${pad(row.ms.toFixed(2), 9)} ms${pad(row.mbitPerSecond.toFixed(1), 9)} Mbit/s${target}`,
    );
  }
  return rows;
}

function pulses() {
  const count = 1 << 20;
  const channel = simulatedChannel({ flip: 0.015, seed: 1 });
  const bits = new Uint8Array(count / 8);
  const bases = new Uint8Array(count / 8);
  for (let i = 0; i < 10; i++) channel.transmit({ count, bits, bases });
  const seconds = cpu(() => {
    for (let i = 0; i < 20; i++) channel.transmit({ count, bits, bases });
  });
  const perSecond = (20 * count) / seconds;
  console.log(`simulated pulses ${(perSecond / 1e6).toFixed(0)} million a second   ← at least ${TARGETS.pulses / 1e6}`);
  return { perSecond };
}

async function agreements() {
  const rows = [];
  for (const method of ['ldpc', 'cascade']) {
    for (const flip of [0, 0.015, 0.03, 0.05]) {
      const options = { method, channel: simulatedChannel({ flip }), keyBits: 256 };
      for (let i = 0; i < 15; i++) await agree(options);
      const start = process.cpuUsage();
      const sum = { runs: 40, rounds: 0, disclosed: 0 };
      for (let i = 0; i < sum.runs; i++) {
        const { report } = await agree(options);
        sum.rounds += report.rounds;
        sum.disclosed += report.disclosed;
      }
      const { user, system } = process.cpuUsage(start);
      const row = {
        method,
        flip,
        ms: (user + system) / 1000 / sum.runs,
        rounds: sum.rounds / sum.runs,
        disclosed: sum.disclosed / sum.runs,
      };
      rows.push(row);
      console.log(
        `agreement ${method.padEnd(8)} 32768 pulses, flip ${(100 * flip).toFixed(1)} %: ${row.ms.toFixed(1)} ms, ` +
          `${row.rounds.toFixed(1)} rounds, ${row.disclosed.toFixed(0)} bits disclosed   ← at most ${TARGETS.agreement} ms`,
      );
    }
  }
  return rows;
}

/** Measures everything; `json` keeps the console quiet. Returns the rows, with the targets beside them. */
export async function run({ json = false } = {}) {
  const log = console.log;
  if (json) console.log = () => {};
  try {
    return {
      targets: TARGETS,
      agreements: await agreements(),
      pulses: pulses(),
      amplification: amplification(),
      reconciliation: reconciliation(),
      frameErrors: frameErrors(),
    };
  } finally {
    console.log = log;
  }
}
