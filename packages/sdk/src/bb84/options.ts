import { between, finite, integer, object, word } from './arguments.ts';
import type { QuantumChannel, QuantumReceiver } from './channel/types.ts';
import { requireChannel, requireReceiver } from './channel/validate.ts';
import { EPSILON_CORRECTNESS, EPSILON_SECRECY, type SamplingBound } from './finite-key.ts';
import { MOST_PULSES } from './limits.ts';
import { requireReconciler } from './reconciliation/checked.ts';
import { ldpc } from './reconciliation/ldpc.ts';
import type { Reconciler } from './reconciliation/types.ts';
import { MOST_TRACED } from './trace.ts';

/** Pulses of a run unless said otherwise: enough for a 256-bit key up to about 5 %. */
export const DEFAULT_PULSES = 32768;
/** QBER above which nothing is derived: just below the 11.00 % at which 1 − 2h(e) is zero. */
export const DEFAULT_THRESHOLD = 0.11;
/** Share of the detected pulses that are compared in public: near the best for 32 768 pulses and 3 to 7 %. */
export const DEFAULT_SAMPLE_FRACTION = 5 / 16;
/** Most pulses Bob accepts unless said otherwise: 8 MiB of states. */
const ACCEPTED_PULSES = 2 ** 25;

/** The failure probabilities of a run. */
export interface Epsilon {
  /** That the key is not secret. Default 1e-9. */
  secrecy: number;
  /** That the two keys differ although the tags were equal. Default 1e-15. */
  correctness: number;
}

interface CommonOptions {
  /** QBER, in either basis or over both, above which this side aborts. Default 0.11. */
  threshold?: number;
  /** The least strict failure probabilities this side accepts; Alice's are used. Default 1e-9 and 1e-15. */
  epsilon?: Partial<Epsilon>;
  /** Exact length of the key in bits; fewer secret bits are `KEY_TOO_SHORT`. Absent: all there are. Bob absent: whatever Alice announces. */
  keyBits?: number;
  /** How many of the first pulses the event `photons` tells of, for drawing; at most 4096. Default 0: no such event. */
  trace?: number;
}

export interface AliceOptions extends CommonOptions {
  /** The fibre, simulated or real. */
  channel: QuantumChannel;
  /** Default 32768. */
  pulses?: number;
  /** How the keys are made equal. Default `ldpc()`, which suits a network; `cascade()` gives away less in many short rounds. */
  method?: 'ldpc' | Reconciler;
  /** How the phase error rate is bounded from the sample. Default `'tight'`. */
  bound?: SamplingBound;
  /**
   * Probability of the Z basis, 0.5 by default: then both bases carry key. With any other value, and always with a decoy source,
   * Z carries the key and all of X is compared (Lo, Chau, Ardehali, J. Cryptology 18, 2005).
   */
  zProbability?: number;
}

export interface BobOptions extends CommonOptions {
  /** Detectors. Default: simulated ones. */
  receiver?: QuantumReceiver;
  /** The methods that this side knows; Alice announces one of them by its name. Default `ldpc()`. */
  method?: 'ldpc' | Reconciler | readonly Reconciler[];
  /** More pulses than this are refused. Default 2²⁵. */
  maxPulses?: number;
  /** Share of the detected pulses (of those in Z when only Z carries key) that Bob chooses for comparison, in steps of 1/256. Default 5/16. */
  sampleFraction?: number;
}

/** ε_cor at least: a verification tag has to fit in its byte of the flight. */
export const LEAST_CORRECTNESS = 2 ** -200;
/** A basis is chosen now and then at least: both sides must see something of each. */
export const Z_PROBABILITY = { least: 0.01, most: 0.99 } as const;

function common({ threshold = DEFAULT_THRESHOLD, epsilon = {}, keyBits, trace = 0 }: CommonOptions) {
  const { secrecy = EPSILON_SECRECY, correctness = EPSILON_CORRECTNESS } = object('epsilon', epsilon);
  between('epsilon.correctness', correctness, 0, 1);
  return {
    trace: integer('trace', trace, 0, MOST_TRACED),
    threshold: between('threshold', threshold, 0, 0.5),
    epsilon: {
      secrecy: between('epsilon.secrecy', secrecy, 0, 1),
      correctness: finite('epsilon.correctness', correctness, LEAST_CORRECTNESS, 1),
    },
    keyBits: keyBits === undefined ? undefined : integer('keyBits', keyBits, 1, MOST_PULSES),
  };
}

const reconciler = (method: 'ldpc' | Reconciler): Reconciler =>
  method === 'ldpc' ? ldpc() : requireReconciler('method', method);

/** Fills in Alice's defaults. Throws INVALID_ARGUMENT. */
export function aliceOptions(options: AliceOptions) {
  const { channel, pulses = DEFAULT_PULSES, method = 'ldpc', bound = 'tight', zProbability = 0.5 } = object('options', options);
  return {
    ...common(options),
    channel: requireChannel(channel),
    pulses: integer('pulses', pulses, 1, MOST_PULSES),
    method: reconciler(method),
    bound: word('bound', bound, ['serfling', 'tight']),
    zProbability: finite('zProbability', zProbability, Z_PROBABILITY.least, Z_PROBABILITY.most),
  };
}

/** Fills in Bob's defaults. Throws INVALID_ARGUMENT. */
export function bobOptions(options: BobOptions) {
  const {
    maxPulses = ACCEPTED_PULSES,
    sampleFraction = DEFAULT_SAMPLE_FRACTION,
    receiver,
    method = 'ldpc',
  } = object('options', options);
  const methods = Array.isArray(method) ? method : [method as 'ldpc' | Reconciler];
  return {
    ...common(options),
    receiver: receiver === undefined ? undefined : requireReceiver(receiver),
    methods: methods.map(reconciler),
    maxPulses: integer('maxPulses', maxPulses, 1, MOST_PULSES),
    sampleFraction: between('sampleFraction', sampleFraction, 0, 1),
  };
}
