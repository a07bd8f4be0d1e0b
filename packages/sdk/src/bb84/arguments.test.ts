import { describe, expect, it } from 'vitest';
import { physicsRandom } from './channel/physics-random.ts';
import type { DecoyInput, Eavesdropper, Line, PulsesInFlight, Reconciler, Transmission } from './index.ts';
import * as engine from './index.ts';

/* Every exported function, and every method of what they return, refuses arguments that make no sense: by name, with their range. */

/** One argument: values that are taken, and values that are refused. */
interface Probe {
  argument: string;
  good: readonly unknown[];
  bad: readonly unknown[];
  call: (value: never) => unknown;
}

interface Entry {
  probes: readonly Probe[];
  /** What the function returns or the class makes, and probes of each of its methods. */
  made?: () => object;
  methods?: Record<string, readonly Probe[]>;
}

const NO_NUMBERS = ['1', null, true, {}, [0], 1n];
const NO_BYTES = ['x', 7, null, undefined, {}, [1, 2], new Uint16Array(2), new ArrayBuffer(4)];
const NO_OBJECTS = [null, 'x', 7, true];
const NO_FUNCTIONS = [null, 'x', 7, {}];

const probe = (argument: string, good: readonly unknown[], bad: readonly unknown[], call: (value: never) => unknown): Probe => ({
  argument,
  good,
  bad,
  call,
});

/** A number in [min, max]. */
const number = (argument: string, min: number, max: number, call: (value: number) => unknown): Probe => {
  const above = max === Infinity ? [] : [max + 1, max + 1e-9 * Math.max(1, max)];
  return probe(
    argument,
    [min, max === Infinity ? min + 1 : max],
    [...NO_NUMBERS, NaN, Infinity, -Infinity, min - 1e-9, -1, ...above],
    call,
  );
};

/** A number strictly between min and max. */
const between = (argument: string, min: number, max: number, call: (value: number) => unknown): Probe =>
  probe(argument, [(min + max) / 2], [...NO_NUMBERS, NaN, Infinity, -Infinity, min, max, -1, max + 1], call);

/** An integer in [min, max]. */
const integer = (argument: string, min: number, max: number, call: (value: number) => unknown): Probe => {
  const above = max === Infinity ? [2 ** 53] : [max + 1];
  const bad = [...NO_NUMBERS, NaN, Infinity, -Infinity, min - 1, min + 0.5, ...above];
  return probe(argument, [min, max === Infinity ? min + 1 : max], bad, call);
};

const seed = (call: (value: number) => unknown): Probe =>
  probe('seed', [0, -1, 7], [...NO_NUMBERS, NaN, Infinity, 0.5, 2 ** 60], call);

const bytes = (argument: string, good: Uint8Array, call: (value: Uint8Array) => unknown, wrong: readonly unknown[] = []): Probe =>
  probe(argument, [good], [...NO_BYTES, ...wrong], call);

const options = (argument: string, call: (value: never) => unknown): Probe => probe(argument, [{}], NO_OBJECTS, call);

// What valid calls are made of.
const sample = { n: 1000, k: 1000, qber: 0.02 };
const key = { ...sample, leak: 100 };
const link = { km: 10 };
const decoy: DecoyInput = {
  intensities: [0.5, 0.1, 0.0002],
  probabilities: [0.6, 0.25, 0.15],
  nX: [100_000, 8000, 20],
  mX: [500, 50, 4],
  nZ: [20_000, 1600, 4],
  mZ: [100, 10, 1],
  leak: 0,
};
const setting = { intensities: decoy.intensities, probabilities: decoy.probabilities };
const run = { pulses: 1_000_000, keyBasis: 0.9 };
const plane = (bits: number): Uint8Array => new Uint8Array(Math.ceil(bits / 8));
const transmission = (): Transmission => ({
  count: 16,
  states: { bits: plane(16), bases: plane(16) },
  detector: { efficiency: 1, darkCount: 0 },
});
const flying = (): PulsesInFlight => ({
  count: 16,
  bits: plane(16),
  bases: plane(16),
  breidbart: undefined,
  present: undefined,
  multi: undefined,
});
const line: Line = { transmittance: 0.5, detector: { efficiency: 1, darkCount: 0 } };
const random = physicsRandom(1);
const channel = engine.simulatedChannel();
const pad = new Uint8Array(48);
const refill = async (): Promise<Uint8Array> => new Uint8Array(8);
const noise = new Uint8Array(8);

const linkProbes = (call: (link: never) => unknown, response = true): Probe[] => [
  probe('link', [link], [...NO_OBJECTS, undefined], call),
  probe('km', [0, 1e5], [...NO_NUMBERS, undefined, NaN, Infinity, -1, 1e6], (km) => call({ km } as never)),
  // What a simulated channel calls a fibre is none of a link's.
  probe('km', [], [{ km: 50 }], (fibre) => call({ fibre } as never)),
  number('dBPerKm', 0, 1e3, (dBPerKm) => call({ ...link, dBPerKm } as never)),
  number('efficiency', 0, 1, (efficiency) => call({ ...link, efficiency } as never)),
  ...(response
    ? [
        number('darkCount', 0, 1, (darkCount) => call({ ...link, darkCount } as never)),
        number('flip', 0, 0.5, (flip) => call({ ...link, flip } as never)),
      ]
    : []),
];

const sizeProbes = (call: (input: never) => unknown, valid: object): Probe[] => [
  probe('input', [valid], [...NO_OBJECTS, undefined], call),
  integer('n', 0, Infinity, (n) => call({ ...valid, n } as never)),
  integer('k', 0, Infinity, (k) => call({ ...valid, k } as never)),
  between('epsSec', 0, 1, (epsSec) => call({ ...valid, epsSec } as never)),
];

const runProbes = (call: (run: never) => unknown, valid: object): Probe[] => [
  probe('run', [valid], [...NO_OBJECTS, undefined], call),
  integer('pulses', 0, Infinity, (pulses) => call({ ...valid, pulses } as never)),
  number('keyBasis', 0, 1, (keyBasis) => call({ ...valid, keyBasis } as never)),
  number('sampleFraction', 0, 1, (sampleFraction) => call({ ...valid, sampleFraction } as never)),
  number('efficiency', 1, Infinity, (efficiency) => call({ ...valid, efficiency } as never)),
  between('epsSec', 0, 1, (epsSec) => call({ ...valid, epsSec } as never)),
  between('epsCor', 0, 1, (epsCor) => call({ ...valid, epsCor } as never)),
];

const settingProbes = (call: (setting: never) => unknown): Probe[] => [
  probe(
    'intensities',
    [[0.5, 0.1, 0]],
    [
      ...NO_OBJECTS,
      undefined,
      [],
      [0.5, 0.1],
      [0.5, 0.1, 0.01, 0],
      [0.5, 0.5, 0.1],
      [0.5, 0.3, 0.2],
      [0.5, 0.1, -1],
      [NaN, 0.1, 0],
      [Infinity, 0.1, 0],
      ['0.5', 0.1, 0],
      [0.1, 0.5, 0],
    ],
    (intensities) => call({ ...setting, intensities } as never),
  ),
  probe(
    'probabilities',
    [[0.5, 0.25, 0.25]],
    [...NO_OBJECTS, undefined, [], [0.5, 0.5], [0.5, 0.2, 0.2], [1, 0, 0], [NaN, 0.5, 0.5], [2, -0.5, -0.5], ['0.5', 0.25, 0.25]],
    (probabilities) => call({ ...setting, probabilities } as never),
  ),
];

const attackProbes = (make: () => Eavesdropper): readonly Probe[] => [
  probe('pulses', [flying()], NO_OBJECTS, (pulses) => make().attack(pulses, line, random)),
  probe('count|bits', [16], [...NO_NUMBERS, NaN, -1, 0.5, 17, 2 ** 27], (count) =>
    make().attack({ ...flying(), count }, line, random),
  ),
  bytes('bits', plane(16), (bits) => make().attack({ ...flying(), bits }, line, random), [plane(24)]),
  bytes('bases', plane(16), (bases) => make().attack({ ...flying(), bases }, line, random), [plane(8)]),
  probe('present', [plane(16), undefined], [null, plane(8), 7], (present) =>
    make().attack({ ...flying(), present }, line, random),
  ),
  probe('multi', [undefined], [null, 7, { positions: [1], photons: [2] }], (multi) =>
    make().attack({ ...flying(), multi }, line, random),
  ),
  probe('line', [line], NO_OBJECTS, (bad) => make().attack(flying(), bad, random)),
  number('transmittance', 0, 1, (transmittance) => make().attack(flying(), { ...line, transmittance }, random)),
  probe('random', [random], [...NO_OBJECTS, {}], (bad) => make().attack(flying(), line, bad)),
];

const transmissionProbes = (call: (transmission: never) => unknown): Probe[] => [
  probe('transmission', [transmission()], [...NO_OBJECTS, undefined], call),
  probe('count', [16], [...NO_NUMBERS, NaN, Infinity, -1, 0.5, 2 ** 27], (count) => call({ ...transmission(), count } as never)),
  probe('states', [], NO_OBJECTS, (states) => call({ ...transmission(), states } as never)),
  bytes('bits', plane(16), (bits) => call({ ...transmission(), states: { ...transmission().states, bits } } as never), [
    plane(8),
  ]),
  bytes('bases', plane(16), (bases) => call({ ...transmission(), states: { ...transmission().states, bases } } as never), [
    plane(24),
  ]),
  probe(
    'multi',
    [{ positions: Uint32Array.of(0, 5), photons: Uint8Array.of(2, 3) }],
    [
      { positions: Uint32Array.of(5, 0), photons: Uint8Array.of(2, 3) },
      { positions: Uint32Array.of(0, 16), photons: Uint8Array.of(2, 3) },
      { positions: Uint32Array.of(0, 5), photons: Uint8Array.of(2) },
      { positions: Uint32Array.of(0), photons: Uint8Array.of(1) },
      { positions: Uint32Array.of(5, 5), photons: Uint8Array.of(2, 3) },
      { positions: [0, 5], photons: Uint8Array.of(2, 3) },
      { positions: Uint32Array.of(0, 5), photons: [2, 3] },
      7,
    ],
    (multi) => call({ ...transmission(), states: { ...transmission().states, multi } } as never),
  ),
  probe('detector', [], NO_OBJECTS, (detector) => call({ ...transmission(), detector } as never)),
  number('efficiency', 0, 1, (efficiency) => call({ ...transmission(), detector: { efficiency, darkCount: 0 } } as never)),
  number('darkCount', 0, 1, (darkCount) => call({ ...transmission(), detector: { efficiency: 1, darkCount } } as never)),
];

const countProbe = (call: (count: number) => unknown): Probe =>
  probe('count', [0, 16], [...NO_NUMBERS, NaN, Infinity, -1, 0.5, 2 ** 27], call);

const reconcilerEntry = (make: () => Reconciler, probes: readonly Probe[]): Entry => {
  const [alice, other] = [new Uint8Array(256), new Uint8Array(255)];
  const rate = (call: (qber: number) => unknown): Probe => number('qber', 0, 0.5, call);
  const bits = (call: (bits: number) => unknown): Probe => integer('bits', 2041, 2048, call);
  const padded = (): Uint8Array => {
    const set = new Uint8Array(256);
    set[255] = 1;
    return set;
  };
  return {
    probes,
    made: make,
    methods: {
      sender: [
        bytes('key', alice, (key) => make().sender(key, 2048, 0.02), [new Uint8Array(0)]),
        probe('key', [alice], [padded()], (key) => make().sender(key, 2047, 0.02)),
        bits((bits) => make().sender(alice, bits, 0.02)),
        rate((qber) => make().sender(alice, 2048, qber)),
        number('budget', 0, Infinity, (budget) => make().sender(alice, 2048, 0.02, budget)),
      ],
      receiver: [
        bytes('key', alice, (key) => make().receiver(key, 2048, 0.02), [new Uint8Array(0)]),
        bits((bits) => make().receiver(alice, bits, 0.02)),
        rate((qber) => make().receiver(alice, 2048, qber)),
      ],
      local: [
        bytes('aliceBits', alice, (aliceBits) => make().local(aliceBits, alice, 0.02), [new Uint8Array(0)]),
        bytes('bobBits', alice, (bobBits) => make().local(alice, bobBits, 0.02), [other, new Uint8Array(257)]),
        bits((bits) => make().local(alice, alice, 0.02, bits)),
        rate((qber) => make().local(alice, alice, qber)),
      ],
      'sender().answer': [
        probe('message|request', [], [...NO_BYTES, new Uint8Array(99).fill(255)], (request) =>
          make().sender(alice, 2048, 0.02).answer(request),
        ),
      ],
      'receiver().receive': [
        probe('message', [], [...NO_BYTES, new Uint8Array(1)], (message) => make().receiver(alice, 2048, 0.02).receive(message)),
      ],
    },
  };
};

const commonProbes = (make: (options: never) => unknown): Probe[] => [
  between('threshold', 0, 0.5, (threshold) => make({ threshold } as never)),
  probe('epsilon', [{}], NO_OBJECTS, (epsilon) => make({ epsilon } as never)),
  between('epsilon.secrecy', 0, 1, (secrecy) => make({ epsilon: { secrecy } } as never)),
  between('epsilon.correctness', 0, 1, (correctness) => make({ epsilon: { correctness } } as never)),
  probe('epsilon.correctness', [1e-60], [1e-61], (correctness) => make({ epsilon: { correctness } } as never)),
  probe('keyBits', [1, 256], [...NO_NUMBERS, NaN, Infinity, 0, -1, 0.5, 2 ** 27], (keyBits) => make({ keyBits } as never)),
  probe('trace', [0, 4096], [...NO_NUMBERS, NaN, Infinity, -1, 0.5, 4097], (trace) => make({ trace } as never)),
];

const aliceProbes = (make: (options: never) => unknown): Probe[] => [
  ...commonProbes(make),
  probe('pulses', [1, 100], [...NO_NUMBERS, NaN, Infinity, 0, -1, 0.5, 2 ** 27], (pulses) => make({ pulses } as never)),
  probe('zProbability', [0.01, 0.5, 0.99], [...NO_NUMBERS, NaN, Infinity, -1, 0, 1, 0.001, 0.999], (zProbability) =>
    make({ zProbability } as never),
  ),
  probe('bound', ['serfling', 'tight'], [...NO_NUMBERS, 'loose'], (bound) => make({ bound } as never)),
  probe('channel', [channel], [...NO_FUNCTIONS, { transmit: 7 }], (bad) => make({ channel: bad } as never)),
  probe('channel.provenance', ['hardware'], ['magic', 7, undefined], (provenance) =>
    make({ channel: { ...channel, provenance } } as never),
  ),
  probe('mean', [], [NaN, Infinity, -1, '1', 101], (mean) =>
    make({ channel: { ...channel, intensities: [{ mean, probability: 1 }] } } as never),
  ),
];

const bobProbes = (make: (options: never) => unknown): Probe[] => [
  between('sampleFraction', 0, 1, (sampleFraction) => make({ sampleFraction } as never)),
  probe('receiver', [engine.simulatedReceiver()], [...NO_FUNCTIONS, { detect: 7 }], (receiver) => make({ receiver } as never)),
  probe('receiver.provenance', ['hardware'], ['magic', 7, undefined], (provenance) =>
    make({ receiver: { ...engine.simulatedReceiver(), provenance } } as never),
  ),
];

const eventProbes = (made: () => { on: (name: never, listener: never) => unknown }, name: string): Probe[] => [
  probe('name', [name], ['stgae', 7, null, undefined], (bad) => made().on(bad, (() => {}) as never)),
  probe('listener', [() => {}], [...NO_FUNCTIONS, undefined], (bad) => made().on(name as never, bad)),
];

const quietPool = (): engine.Reservoir => {
  const pool = new engine.Reservoir({ refill, capacity: 8 });
  pool.close();
  return pool;
};

const CONSTANT: Entry = { probes: [] };

const TABLE: Record<keyof typeof engine, Entry> = {
  // The one error class is the SDK's; src/errors.test.ts is about it.
  QsecError: CONSTANT,
  EPSILON_CORRECTNESS: CONSTANT,
  EPSILON_SECRECY: CONSTANT,
  DEFAULT_PULSES: CONSTANT,
  DEFAULT_THRESHOLD: CONSTANT,
  WEGMAN_CARTER_TAG_BYTES: CONSTANT,
  agree: {
    probes: [
      probe('options', [], NO_OBJECTS, (bad) => engine.agree(bad)),
      ...aliceProbes((given) => engine.agree({ pulses: 1, ...(given as object) })),
      ...bobProbes((given) => engine.agree({ pulses: 1, ...(given as object) })),
      probe('method', ['ldpc', 'cascade', engine.cascade()], [...NO_FUNCTIONS, 'magic'], (method) =>
        engine.agree({ pulses: 1, method }),
      ),
      probe('schedule', ['balanced'], ['fast', 7, null], (schedule) => engine.agree({ pulses: 1, schedule })),
      probe('schedule', ['balanced'], ['fast'], (schedule) => engine.agree({ pulses: 1, method: 'ldpc', schedule })),
      probe('leak', ['two-way'], ['none', 7, null], (leak) => engine.agree({ pulses: 1, leak })),
      probe('onStage', [() => {}], NO_FUNCTIONS, (onStage) => engine.agree({ pulses: 1, onStage })),
      probe('onPhotons', [() => {}], NO_FUNCTIONS, (onPhotons) => engine.agree({ pulses: 1, onPhotons })),
      probe('signal', [new AbortController().signal], NO_FUNCTIONS, (signal) => engine.agree({ pulses: 1, signal })),
    ],
  },
  Alice: {
    probes: [
      probe('options', [], [...NO_OBJECTS, undefined], (bad) => new engine.Alice(bad)),
      ...aliceProbes((given) => new engine.Alice({ channel, ...(given as object) })),
      probe('method', ['ldpc', engine.cascade()], [...NO_FUNCTIONS, 'magic'], (method) => new engine.Alice({ channel, method })),
    ],
    made: () => new engine.Alice({ channel, pulses: 64 }),
    methods: {
      next: [
        probe('message', [undefined], [noise, 0, null, 'x', {}], (message) =>
          new engine.Alice({ channel, pulses: 64 }).next(message),
        ),
        probe('message', [], [...NO_BYTES, noise, new Uint8Array(0)], (message) => {
          const alice = new engine.Alice({ channel, pulses: 64 });
          alice.next();
          return alice.next(message);
        }),
      ],
      on: eventProbes(() => new engine.Alice({ channel }), 'stage'),
    },
  },
  Bob: {
    probes: [
      probe('options', [{}], NO_OBJECTS, (bad) => new engine.Bob(bad)),
      ...commonProbes((given) => new engine.Bob(given)),
      ...bobProbes((given) => new engine.Bob(given)),
      probe(
        'method',
        ['ldpc', engine.cascade(), [engine.cascade(), 'ldpc']],
        [...NO_FUNCTIONS, 'magic', ['magic'], [{}]],
        (method) => new engine.Bob({ method }),
      ),
      probe(
        'maxPulses',
        [1, 2 ** 26],
        [...NO_NUMBERS, NaN, Infinity, 0, -1, 0.5, 2 ** 27],
        (maxPulses) => new engine.Bob({ maxPulses }),
      ),
    ],
    made: () => new engine.Bob(),
    methods: {
      next: [
        probe('message', [new engine.Alice({ channel, pulses: 64 }).next()], [...NO_BYTES, noise, new Uint8Array(0)], (message) =>
          new engine.Bob().next(message),
        ),
        probe('clicks', [], [0, NaN, '64'], (clicks) =>
          new engine.Bob({
            receiver: {
              ...engine.simulatedReceiver(),
              detect: (sent, bases) => ({ ...engine.measure(sent, bases), clicks }),
            },
          }).next(new engine.Alice({ channel, pulses: 64 }).next()),
        ),
      ],
      on: eventProbes(() => new engine.Bob(), 'photons'),
    },
  },
  decodeTransmission: {
    probes: [
      bytes('message', engine.encodeTransmission(transmission()), (given) => engine.decodeTransmission(given, 16), [noise]),
      probe('expectedPulses', [16], [...NO_NUMBERS, NaN, Infinity, -1, 0.5, 2 ** 27], (expected) =>
        engine.decodeTransmission(engine.encodeTransmission(transmission()), expected),
      ),
    ],
  },
  encodeTransmission: { probes: transmissionProbes((given) => engine.encodeTransmission(given)) },
  drawClasses: {
    probes: [
      probe('intensities', [[{ mean: 0.5, probability: 1 }]], [...NO_OBJECTS, undefined, [7], [null]], (given) =>
        engine.drawClasses(given, 8),
      ),
      number('mean', 0, 100, (mean) => engine.drawClasses([{ mean, probability: 1 }], 8)),
      probe('probability', [1], [...NO_NUMBERS, NaN, Infinity, -1, 2, 0.5], (probability) =>
        engine.drawClasses([{ mean: 1, probability }], 8),
      ),
      countProbe((count) => engine.drawClasses([{ mean: 0.5, probability: 1 }], count)),
    ],
  },
  fibreTransmittance: {
    probes: [
      probe('km', [0, 1e5], [...NO_NUMBERS, undefined, NaN, Infinity, -1, 1e6], (km) => engine.fibreTransmittance(km, 0.2)),
      probe('dBPerKm', [0, 1e3], [...NO_NUMBERS, undefined, NaN, Infinity, -1, 1e4], (dBPerKm) =>
        engine.fibreTransmittance(10, dBPerKm),
      ),
    ],
  },
  inSequence: {
    probes: [
      probe('eavesdroppers', [[]], [...NO_OBJECTS, undefined, {}], (given) => engine.inSequence(given)),
      probe('eavesdropper', [[engine.photonNumberSplitting()]], [[7], [null], [{}]], (given) => engine.inSequence(given)),
    ],
    made: () => engine.inSequence([engine.photonNumberSplitting()]),
    methods: {
      attack: [
        ...attackProbes(() => engine.inSequence([])),
        probe('line', [line], [undefined, 7], (returned) =>
          engine.inSequence([{ description: 'x', attack: () => returned }]).attack(flying(), line, random),
        ),
      ],
    },
  },
  interceptResend: {
    probes: [
      number('fraction', 0, 1, (fraction) => engine.interceptResend(fraction)),
      options('options', (bad) => engine.interceptResend(0.5, bad)),
      probe('basis', ['random', 'z', 'x', 'breidbart'], ['y', 7, null], (basis) => engine.interceptResend(0.5, { basis })),
    ],
    made: () => engine.interceptResend(0.5),
    methods: { attack: attackProbes(() => engine.interceptResend(0.5)) },
  },
  photonNumberSplitting: {
    probes: [],
    made: () => engine.photonNumberSplitting(),
    methods: { attack: attackProbes(() => engine.photonNumberSplitting()) },
  },
  measure: {
    probes: [
      ...transmissionProbes((given) => engine.measure(given, plane(16))),
      bytes('bases', plane(16), (bases) => engine.measure(transmission(), bases), [plane(24)]),
      options('options', (bad) => engine.measure(transmission(), plane(16), bad)),
      seed((value) => engine.measure(transmission(), plane(16), { seed: value })),
    ],
  },
  simulatedReceiver: {
    probes: [
      options('options', (bad) => engine.simulatedReceiver(bad)),
      seed((value) => engine.simulatedReceiver({ seed: value })),
    ],
    made: () => engine.simulatedReceiver(),
    methods: {
      detect: [
        ...transmissionProbes((given) => engine.simulatedReceiver().detect(given, plane(16))),
        bytes('bases', plane(16), (bases) => engine.simulatedReceiver().detect(transmission(), bases), [plane(24)]),
      ],
    },
  },
  simulatedChannel: {
    probes: [
      options('options', (bad) => engine.simulatedChannel(bad)),
      number('flip', 0, 0.5, (flip) => engine.simulatedChannel({ flip })),
      number('loss', 0, 1, (loss) => engine.simulatedChannel({ loss })),
      number('darkCount', 0, 1, (darkCount) => engine.simulatedChannel({ darkCount })),
      number('efficiency', 0, 1, (efficiency) => engine.simulatedChannel({ efficiency })),
      probe('fibre', [{ km: 1 }], NO_OBJECTS, (fibre) => engine.simulatedChannel({ fibre })),
      number('fibre.km', 0, 1e5, (km) => engine.simulatedChannel({ fibre: { km } })),
      number('fibre.dBPerKm', 0, 1e3, (dBPerKm) => engine.simulatedChannel({ fibre: { km: 1, dBPerKm } })),
      probe('loss', [], [0.1], (loss) => engine.simulatedChannel({ loss, fibre: { km: 1 } })),
      probe('source', [engine.singlePhoton()], NO_FUNCTIONS, (source) => engine.simulatedChannel({ source })),
      probe('eavesdropper', [engine.photonNumberSplitting(), []], [...NO_FUNCTIONS, [7]], (eavesdropper) =>
        engine.simulatedChannel({ eavesdropper }),
      ),
      seed((value) => engine.simulatedChannel({ seed: value })),
    ],
    made: () => engine.simulatedChannel(),
    methods: {
      transmit: [
        probe('pulses', [{ count: 16, bits: plane(16), bases: plane(16) }], [...NO_OBJECTS, undefined], (given) =>
          channel.transmit(given),
        ),
        probe('count', [16], [...NO_NUMBERS, NaN, -1, 0.5, 2 ** 27], (count) =>
          channel.transmit({ count, bits: plane(16), bases: plane(16) }),
        ),
        bytes('bits', plane(16), (bits) => channel.transmit({ count: 16, bits, bases: plane(16) }), [plane(24)]),
        bytes('bases', plane(16), (bases) => channel.transmit({ count: 16, bits: plane(16), bases }), [plane(24)]),
        probe('classes', [new Uint8Array(16)], [undefined, 7, new Uint8Array(15), new Uint8Array(16).fill(3)], (classes) =>
          engine
            .simulatedChannel({ source: engine.weakCoherent() })
            .transmit({ count: 16, bits: plane(16), bases: plane(16), classes }),
        ),
        probe('line', [line], [undefined, 7], (returned) =>
          engine
            .simulatedChannel({ eavesdropper: { description: 'x', attack: () => returned } })
            .transmit({ count: 16, bits: plane(16), bases: plane(16) }),
        ),
      ],
    },
  },
  singlePhoton: {
    probes: [],
    made: () => engine.singlePhoton(),
    methods: {
      emit: [
        countProbe((count) => engine.singlePhoton().emit(count, undefined, random)),
        probe('random', [random], [...NO_OBJECTS, {}], (bad) => engine.singlePhoton().emit(8, undefined, bad)),
      ],
    },
  },
  weakCoherent: {
    probes: [
      options('options', (bad) => engine.weakCoherent(bad)),
      probe('intensities', [[0.5]], [...NO_OBJECTS, [], [NaN], [Infinity], [-1], [11], ['0.5']], (intensities) =>
        engine.weakCoherent({ intensities, probabilities: [1] }),
      ),
      probe(
        'intensities',
        [],
        [
          [0.1, 0.5],
          [0.5, 0.5],
        ],
        (intensities) => engine.weakCoherent({ intensities, probabilities: [0.5, 0.5] }),
      ),
      probe('probabilities', [[1]], [...NO_OBJECTS, [], [0.5], [NaN], [2], ['1'], [0.5, 0.5]], (probabilities) =>
        engine.weakCoherent({ intensities: [0.5], probabilities }),
      ),
    ],
    made: () => engine.weakCoherent(),
    methods: {
      emit: [
        probe('count', [8], [...NO_NUMBERS, NaN, Infinity, -1, 0.5, 2 ** 27], (count) =>
          engine.weakCoherent().emit(count, new Uint8Array(8), random),
        ),
        probe('classes', [new Uint8Array(8)], [...NO_BYTES, new Uint8Array(7), new Uint8Array(8).fill(9)], (classes) =>
          engine.weakCoherent().emit(8, classes, random),
        ),
        probe('random', [random], [...NO_OBJECTS, {}], (bad) => engine.weakCoherent().emit(8, new Uint8Array(8), bad)),
      ],
    },
  },
  decoyKeyLength: {
    probes: [
      probe('input', [decoy], [...NO_OBJECTS, undefined], (bad) => engine.decoyKeyLength(bad)),
      ...settingProbes((given) => engine.decoyKeyLength({ ...decoy, ...(given as object) })),
      ...(['nX', 'mX', 'nZ', 'mZ'] as const).map((name) =>
        probe(
          name,
          [[1, 1, 1]],
          [
            ...NO_OBJECTS,
            undefined,
            [1, 1],
            [1, 1, 1, 1],
            [1, -1, 1],
            [NaN, 1, 1],
            [1, Infinity, 1],
            [1, 0.5, 1],
            ['1', 1, 1],
            [1, null, 1],
          ],
          (counts) => engine.decoyKeyLength({ ...decoy, [name]: counts, ...(name === 'nZ' && { mZ: [0, 0, 0] }) }),
        ),
      ),
      probe('mZ', [[20_000, 0, 0]], [[20_001, 0, 0]], (mZ) => engine.decoyKeyLength({ ...decoy, mZ })),
      number('leak', 0, Infinity, (leak) => engine.decoyKeyLength({ ...decoy, leak })),
      between('epsSec', 0, 1, (epsSec) => engine.decoyKeyLength({ ...decoy, epsSec })),
      between('epsCor', 0, 1, (epsCor) => engine.decoyKeyLength({ ...decoy, epsCor })),
    ],
  },
  binaryEntropy: { probes: [number('p', 0, 1, (p) => engine.binaryEntropy(p))] },
  serflingBound: { probes: sizeProbes((input) => engine.serflingBound(input), sample) },
  tightErrorBound: {
    probes: [
      ...sizeProbes((input) => engine.tightErrorBound(input), sample),
      number('qber', 0, 1, (qber) => engine.tightErrorBound({ ...sample, qber })),
    ],
  },
  errorRateBound: {
    probes: [
      ...sizeProbes((input) => engine.errorRateBound(input), sample),
      number('qber', 0, 1, (qber) => engine.errorRateBound({ ...sample, qber })),
      probe('bound', ['tight', 'serfling'], ['loose', 7, null], (bound) => engine.errorRateBound({ ...sample, bound })),
    ],
  },
  secretKeyLength: {
    probes: [
      ...sizeProbes((input) => engine.secretKeyLength(input), key),
      number('qber', 0, 1, (qber) => engine.secretKeyLength({ ...key, qber })),
      number('leak', 0, Infinity, (leak) => engine.secretKeyLength({ ...key, leak })),
      between('epsCor', 0, 1, (epsCor) => engine.secretKeyLength({ ...key, epsCor })),
      probe('bound', ['tight', 'serfling'], ['loose', 7, null], (bound) => engine.secretKeyLength({ ...key, bound })),
    ],
  },
  flightBound: {
    probes: [
      integer('flight', 1, Infinity, (flight) => engine.flightBound(flight, 4096)),
      probe('pulses', [1, 32_768], [...NO_NUMBERS, undefined, NaN, Infinity, 0, -1, 0.5, 2 ** 27], (pulses) =>
        engine.flightBound(1, pulses),
      ),
      integer('length', 0, Infinity, (length) => engine.flightBound(1, 4096, length)),
    ],
  },
  asymptoticKeyFraction: {
    probes: [
      number('qber', 0, 0.5, (qber) => engine.asymptoticKeyFraction(qber)),
      number('efficiency', 1, Infinity, (efficiency) => engine.asymptoticKeyFraction(0.01, efficiency)),
    ],
  },
  decoyRate: {
    probes: [
      ...linkProbes((given) => engine.decoyRate(given, 0.5)),
      number('mean', 0, 100, (mean) => engine.decoyRate(link, mean)),
      number('efficiency', 1, Infinity, (efficiency) => engine.decoyRate(link, 0.5, efficiency)),
    ],
  },
  taggedRate: {
    probes: [
      ...linkProbes((given) => engine.taggedRate(given, 0.5)),
      number('mean', 0, 100, (mean) => engine.taggedRate(link, mean)),
      number('efficiency', 1, Infinity, (efficiency) => engine.taggedRate(link, 0.5, efficiency)),
    ],
  },
  singlePhotonRate: {
    probes: [
      ...linkProbes((given) => engine.singlePhotonRate(given)),
      number('efficiency', 1, Infinity, (efficiency) => engine.singlePhotonRate(link, efficiency)),
    ],
  },
  expectedKeyLength: {
    probes: [
      ...linkProbes((given) => engine.expectedKeyLength(given, run)),
      ...runProbes((given) => engine.expectedKeyLength(link, given), run),
      probe('bound', ['tight'], ['loose', 7, null], (bound) => engine.expectedKeyLength(link, { ...run, bound })),
    ],
  },
  expectedDecoyKeyLength: {
    probes: [
      ...linkProbes((given) => engine.expectedDecoyKeyLength(given, { ...run, ...setting })),
      ...runProbes((given) => engine.expectedDecoyKeyLength(link, given), { ...run, ...setting }),
      ...settingProbes((given) => engine.expectedDecoyKeyLength(link, { ...run, ...(given as typeof setting) })),
    ],
  },
  expectedTaggedKeyLength: {
    probes: [
      ...linkProbes((given) => engine.expectedTaggedKeyLength(given, { ...run, mean: 0.1 })),
      ...runProbes((given) => engine.expectedTaggedKeyLength(link, given), { ...run, mean: 0.1 }),
      number('mean', 0, 100, (mean) => engine.expectedTaggedKeyLength(link, { ...run, mean })),
    ],
  },
  coherentResponse: {
    probes: [
      ...linkProbes((given) => engine.coherentResponse(given, 0.5)),
      number('mean', 0, 100, (mean) => engine.coherentResponse(link, mean)),
    ],
  },
  singlePhotonResponse: { probes: linkProbes((given) => engine.singlePhotonResponse(given)) },
  linkTransmittance: { probes: linkProbes((given) => engine.linkTransmittance(given), false) },
  toeplitz: {
    probes: [
      bytes('key', new Uint8Array(4), (given) => engine.toeplitz(given, new Uint8Array(8), 8)),
      bytes('seed', new Uint8Array(8), (given) => engine.toeplitz(new Uint8Array(4), given, 8), [new Uint8Array(4)]),
      integer('outputBits', 0, 32, (outputBits) => engine.toeplitz(new Uint8Array(4), new Uint8Array(8), outputBits)),
    ],
  },
  universalTag: {
    probes: [
      bytes('key', new Uint8Array(4), (given) => engine.universalTag(given, new Uint8Array(8))),
      bytes('seed', new Uint8Array(8), (given) => engine.universalTag(new Uint8Array(4), given), [
        new Uint8Array(0),
        new Uint8Array(7),
      ]),
    ],
  },
  cascade: reconcilerEntry(
    () => engine.cascade(),
    [
      options('options', (bad) => engine.cascade(bad)),
      probe('schedule', ['efficient', 'balanced'], ['fast', 7, null], (schedule) => engine.cascade({ schedule })),
      probe('leak', ['pattern-public', 'two-way'], ['none', 7, null], (leak) => engine.cascade({ leak })),
    ],
  ),
  ldpc: reconcilerEntry(() => engine.ldpc(), []),
  withFallback: reconcilerEntry(
    () => engine.withFallback(engine.ldpc(), engine.cascade()),
    [
      probe('first', [engine.ldpc()], [...NO_FUNCTIONS, undefined], (first) => engine.withFallback(first, engine.cascade())),
      probe('second', [engine.ldpc()], [...NO_FUNCTIONS, undefined], (second) => engine.withFallback(engine.cascade(), second)),
    ],
  ),
  Reservoir: {
    probes: [
      probe('options', [], [...NO_OBJECTS, undefined], (bad) => new engine.Reservoir(bad)),
      probe('refill', [], [...NO_FUNCTIONS, undefined], (bad) => new engine.Reservoir({ refill: bad })),
      probe(
        'capacity',
        [],
        [...NO_NUMBERS, NaN, Infinity, 0, -1, 0.5, 2 ** 27],
        (capacity) => new engine.Reservoir({ refill, capacity }),
      ),
      probe(
        'lowWater',
        [],
        [...NO_NUMBERS, NaN, Infinity, -1, 0.5, 9],
        (lowWater) => new engine.Reservoir({ refill, capacity: 8, lowWater }),
      ),
      probe(
        'retryDelay',
        [],
        [...NO_NUMBERS, NaN, Infinity, -1, 0.5, 2 ** 27],
        (retryDelay) => new engine.Reservoir({ refill, retryDelay }),
      ),
    ],
    made: quietPool,
    methods: {
      draw: [probe('bytes', [], [...NO_NUMBERS, undefined, NaN, Infinity, 0, -1, 0.5, 9], (count) => quietPool().draw(count))],
      drawNow: [
        probe('bytes', [], [...NO_NUMBERS, undefined, NaN, Infinity, 0, -1, 0.5, 9], (count) => quietPool().drawNow(count)),
      ],
      on: eventProbes(quietPool as never, 'level'),
      close: [],
    },
  },
  wegmanCarter: {
    probes: [
      bytes('pad', pad, (given) => engine.wegmanCarter(given)),
      options('options', (bad) => engine.wegmanCarter(pad, bad)),
      probe('role', ['alice', 'bob'], ['eve', 7, null], (role) => engine.wegmanCarter(pad, { role })),
      probe('position', [{ tagged: 0, verified: 0 }], NO_OBJECTS, (position) => engine.wegmanCarter(pad, { position })),
      integer('position.tagged', 0, Infinity, (tagged) => engine.wegmanCarter(pad, { position: { tagged, verified: 0 } })),
      integer('position.verified', 0, Infinity, (verified) => engine.wegmanCarter(pad, { position: { tagged: 0, verified } })),
      probe('position', [], [3], (tagged) => engine.wegmanCarter(pad, { position: { tagged, verified: 0 } })),
    ],
    made: () => engine.wegmanCarter(pad),
    methods: {
      tag: [bytes('message', noise, (message) => engine.wegmanCarter(pad).tag(message))],
      verify: [
        bytes('message', noise, (message) => engine.wegmanCarter(pad).verify(message, new Uint8Array(20))),
        bytes('tag', new Uint8Array(20), (tag) => engine.wegmanCarter(pad).verify(noise, tag)),
      ],
      load: [bytes('fresh', noise, (fresh) => engine.wegmanCarter(pad).load(fresh))],
    },
  },
};

/** What a call did: the error that it threw or rejected with, or nothing. */
async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error;
  }
}

const told = (value: unknown): string =>
  typeof value === 'bigint'
    ? `${value}n`
    : (JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ?? String(value));

const probesOf = ({ probes, methods = {} }: Entry): [string, Probe][] => [
  ...probes.map((one): [string, Probe] => ['', one]),
  ...Object.entries(methods).flatMap(([method, list]) => list.map((one): [string, Probe] => [method, one])),
];

/** Names of the methods of an object, its class's among them. */
function methodsOf(made: object): string[] {
  const names = new Set<string>();
  for (let at: object = made; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (typeof value === 'function' && name !== 'constructor') names.add(name);
  }
  return [...names].sort();
}

describe('the table of what the engine exports', () => {
  it('has an entry for every export', () => {
    expect(Object.keys(TABLE).sort()).toEqual(Object.keys(engine).sort());
    for (const [name, value] of Object.entries(engine))
      if (typeof value === 'function' && name !== 'QsecError')
        expect([name, probesOf(TABLE[name as keyof typeof engine]).length]).not.toEqual([name, 0]);
  });

  it.each(Object.entries(TABLE).filter(([, { made }]) => made))(
    'has an entry for every method of what %s gives',
    (_, { made, methods }) => {
      const listed = Object.keys(methods ?? {}).filter((name) => !name.includes('.'));
      expect(listed.sort()).toEqual(methodsOf((made as () => object)()));
    },
  );
});

describe.each(Object.entries(TABLE).filter(([, entry]) => probesOf(entry).length > 0))('%s', (_, entry) => {
  it('refuses every argument that makes no sense, by its name', async () => {
    for (const [method, { argument, bad, call }] of probesOf(entry)) {
      for (const value of bad) {
        const error = await errorOf(() => call(value as never));
        const where = `${method} ${argument} = ${told(value)}: ${String(error)}`;
        expect(engine.QsecError.is(error, 'INVALID_ARGUMENT'), where).toBe(true);
        expect((error as Error).message, where).toMatch(new RegExp(`^"(${argument.replaceAll('.', '\\.')})" (expected|and|is)`));
      }
    }
  });

  it('takes those that do', async () => {
    for (const [method, { argument, good, call }] of probesOf(entry)) {
      for (const value of good) {
        const error = await errorOf(() => call(value as never));
        expect(engine.QsecError.is(error, 'INVALID_ARGUMENT'), `${method} ${argument} = ${told(value)}: ${String(error)}`).toBe(
          false,
        );
        if (error !== undefined) expect(error).toBeInstanceOf(engine.QsecError);
      }
    }
  });
});

it('says what was expected and what came, and nothing of bytes that may be a key', () => {
  const failure = (call: () => unknown): string => {
    try {
      call();
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(failure(() => engine.decoyRate({ fibre: { km: 50 } } as never, 0.5))).toBe(
    '"km" expected a number from 0 to 100000, got undefined',
  );
  expect(failure(() => engine.simulatedChannel({ flip: 5 }))).toBe('"flip" expected a number from 0 to 0.5, got 5');
  expect(failure(() => engine.cascade().local(noise, new Uint8Array([1, 2, 3]), 0.02))).toBe(
    '"bobBits" expected a Uint8Array of length 8, got length=3',
  );
  expect(failure(() => engine.secretKeyLength({ ...key, leak: NaN }))).toBe(
    '"leak" expected a finite number of at least 0, got NaN',
  );
});
