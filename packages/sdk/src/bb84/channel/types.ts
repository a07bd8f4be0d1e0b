import type { Provenance } from '../types.ts';

/**
 * The quantum channel as a port. Planes are bit-packed: pulse `i` is bit `0x80 >>> (i & 7)` of byte `i >>> 3`, and bits past
 * the last pulse are zero. In a basis plane 0 is Z (rectilinear) and 1 is X (diagonal).
 */

/** What Alice chose for each pulse. Bits and bases come from the system's CSPRNG, never from a seeded generator. */
export interface PreparedPulses {
  /** How many pulses. */
  readonly count: number;
  /** The bit each pulse encodes, ⌈count/8⌉ bytes. */
  readonly bits: Uint8Array;
  /** The basis each pulse is encoded in, ⌈count/8⌉ bytes. */
  readonly bases: Uint8Array;
  /** With a decoy source, the intensity class of each pulse, one byte each: an index into {@link QuantumChannel.intensities}. */
  readonly classes?: Uint8Array;
}

/** One intensity of a decoy-state source. */
export interface Intensity {
  /** Mean photon number of a pulse. */
  readonly mean: number;
  /** How often Alice chooses it. The probabilities of all classes sum to 1. */
  readonly probability: number;
}

/** A pulse of two or more photons. */
export interface MultiPhotonPulses {
  /** Pulse indices, ascending. */
  readonly positions: Uint32Array;
  /** Photons in each of them, 2…255. */
  readonly photons: Uint8Array;
}

/** The polarisation and photon number of every pulse at one place on the fibre. */
export interface PhotonStates {
  readonly bits: Uint8Array;
  readonly bases: Uint8Array;
  /** Where set, the state lies in the Breidbart basis, halfway between Z and X, and `bases` is 0 there. Only an eavesdropper makes such states. */
  readonly breidbart?: Uint8Array;
  /** Which pulses hold at least one photon; absent when all do. */
  readonly present?: Uint8Array;
  /** The pulses among `present` that hold more than one photon; absent when none does. */
  readonly multi?: MultiPhotonPulses;
}

/** The two threshold detectors at the receiving side. */
export interface DetectorModel {
  /** Probability that a photon which arrives is detected, 0…1. */
  readonly efficiency: number;
  /** Probability that one detector clicks without light during one pulse, 0…1. There are two detectors. */
  readonly darkCount: number;
}

/**
 * What leaves the fibre. It holds no outcome: those are made where the light is measured, see {@link QuantumReceiver}.
 */
export interface Transmission {
  readonly count: number;
  /** The light itself. Absent when a real fibre carried it: then the receiving side needs a receiver of its own. */
  readonly states?: PhotonStates;
  /** The detectors a simulated receiver is to model. They act at the receiving side, with its own randomness. */
  readonly detector: DetectorModel;
}

/** What Bob's detectors showed. */
export interface Detections {
  readonly count: number;
  /** Which pulses made at least one detector click, ⌈count/8⌉ bytes. */
  readonly detected: Uint8Array;
  /** The bit read, ⌈count/8⌉ bytes; 0 where nothing was detected. Both detectors at once give a random bit. */
  readonly bits: Uint8Array;
  /** How many pulses were detected. */
  readonly clicks: number;
  /** How many of them made both detectors click. */
  readonly doubleClicks: number;
}

/** The sending end: turns Alice's choices into light, and yields what leaves the far end of the fibre. */
export interface QuantumChannel {
  readonly provenance: Provenance;
  /** What it is, in words, for reports: `simulated: single photons, flip 1.5 %`. */
  readonly description: string;
  /** The intensities of a decoy-state source, strongest first. Alice draws a class for each pulse from them; absent: one class, no decoys. */
  readonly intensities?: readonly Intensity[];
  transmit(pulses: PreparedPulses): Transmission;
}

/** The receiving end: measures each pulse in the basis Bob chose for it. A hardware link implements this around its detectors. */
export interface QuantumReceiver {
  readonly provenance: Provenance;
  readonly description: string;
  /** `bases` is a plane of Bob's choices, ⌈count/8⌉ bytes. */
  detect(transmission: Transmission, bases: Uint8Array): Detections;
}

/** Uniform random 32-bit words for physics: noise, loss, an eavesdropper's luck. Never for key or basis bits. */
export interface PhysicsRandom {
  /** The next word, 0…2³²−1. */
  next(): number;
}

/** The line an eavesdropper sits on. Nothing about it is secret from her. */
export interface Line {
  /** Probability that a photon survives what is left of the fibre. */
  readonly transmittance: number;
  readonly detector: DetectorModel;
}

/** The states in flight, which an eavesdropper may change in place. All planes are hers to write. */
export interface PulsesInFlight {
  readonly count: number;
  bits: Uint8Array;
  bases: Uint8Array;
  breidbart: Uint8Array | undefined;
  present: Uint8Array | undefined;
  multi: MultiPhotonPulses | undefined;
}

/** An attack on the quantum channel. */
export interface Eavesdropper {
  /** In words, for reports: `intercept-resend on 5 % (random basis)`. */
  readonly description: string;
  /** Acts on the pulses in place. Returns the line the light goes on through, which is another one when she replaced the fibre. */
  attack(pulses: PulsesInFlight, line: Line, random: PhysicsRandom): Line;
}

/** A light source: how many photons are in each pulse. */
export interface PulseSource {
  readonly description: string;
  /** The decoy intensities, strongest first; absent for single photons. */
  readonly intensities?: readonly Intensity[];
  /** Which pulses hold photons, and which hold several. `classes` is one intensity index a pulse. */
  emit(
    count: number,
    classes: Uint8Array | undefined,
    random: PhysicsRandom,
  ): { present?: Uint8Array; multi?: MultiPhotonPulses };
}
