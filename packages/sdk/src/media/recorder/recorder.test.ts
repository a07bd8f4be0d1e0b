import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QsecError } from '../../errors.ts';
import { openFile } from '../open.ts';
import { chooseFormat, RECORDING_FORMATS } from './format.ts';
import { peaksOf, rootMeanSquare } from './loudness.ts';
import { microphoneError, type RecordingPlatform } from './platform.ts';
import { type RecorderState, type Recording, recordVoice, type VoiceRecorder } from './recorder.ts';

/** A browser's microphone and recorder under a clock of the test. Every slice holds the number of milliseconds recorded. */
class FakeTrack extends EventTarget {
  stopped = false;
  stop(): void {
    this.stopped = true;
  }
}

class FakeRecorder extends EventTarget {
  state: RecordingState = 'inactive';
  mimeType: string;
  readonly #timer: { slice?: ReturnType<typeof setInterval> } = {};
  readonly options: MediaRecorderOptions;
  constructor(options: MediaRecorderOptions) {
    super();
    this.options = options;
    this.mimeType = options.mimeType ?? '';
  }
  start(slice: number): void {
    this.state = 'recording';
    this.#timer.slice = setInterval(() => this.state === 'recording' && this.requestData(), slice);
  }
  pause(): void {
    this.state = 'paused';
  }
  resume(): void {
    this.state = 'recording';
  }
  requestData(): void {
    const data = new Blob([`slice at ${performance.now()} `]);
    queueMicrotask(() => this.dispatchEvent(Object.assign(new Event('dataavailable'), { data })));
  }
  stop(): void {
    clearInterval(this.#timer.slice);
    this.state = 'inactive';
    this.requestData();
    queueMicrotask(() => this.dispatchEvent(new Event('stop')));
  }
}

function fakePlatform(overrides: Partial<RecordingPlatform> = {}) {
  const tracks = [new FakeTrack()];
  const recorders: FakeRecorder[] = [];
  const meters: { closed: boolean }[] = [];
  const platform: RecordingPlatform = {
    openMicrophone: async () => ({ getAudioTracks: () => tracks, getTracks: () => tracks }) as unknown as MediaStream,
    isFormatSupported: () => true,
    createRecorder(_, options) {
      recorders.push(new FakeRecorder(options));
      return recorders.at(-1) as unknown as MediaRecorder;
    },
    createMeter() {
      const meter = { closed: false, read: () => 0.25, close: () => void Object.assign(meter, { closed: true }) };
      meters.push(meter);
      return meter;
    },
    now: () => performance.now(),
    ...overrides,
  };
  return { platform, tracks, recorders, meters };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function recording(overrides: Partial<RecordingPlatform> = {}, options = {}) {
  const fake = fakePlatform(overrides);
  const recorder = recordVoice({ platform: fake.platform, ...options });
  const states: RecorderState[] = [];
  recorder.on('state', (state) => states.push(state));
  await asked(recorder);
  return { recorder, states, ...fake };
}

/** Resolves when the person has answered. */
async function asked(recorder: VoiceRecorder): Promise<void> {
  while (recorder.state === 'asking') await new Promise<void>((resolve) => recorder.on('state', () => resolve()));
}

const letGo = ({ tracks, meters }: Pick<ReturnType<typeof fakePlatform>, 'tracks' | 'meters'>) =>
  tracks.every(({ stopped }) => stopped) && meters.every(({ closed }) => closed);

describe('a voice recording', () => {
  it('goes from asking to ready, with duration and bars, and is sealed by then', async () => {
    const made = await recording();
    const levels: number[] = [];
    made.recorder.on('level', ({ durationMs }) => levels.push(durationMs));
    vi.advanceTimersByTime(3000);
    const done = (await made.recorder.finish()) as Recording;
    expect(made.states).toEqual(['recording', 'ready']);
    expect(done).toMatchObject({ type: RECORDING_FORMATS[0], durationMs: 3000 });
    expect(done.peaks).toEqual(new Array(64).fill(1));
    expect(levels).toHaveLength(60);
    expect(letGo(made)).toBe(true);
    expect(made.recorders[0]?.options).toMatchObject({ audioBitsPerSecond: 32_000, audioBitrateMode: 'constant' });

    const { sealed, chunks } = done.prepared;
    const boxes = new Blob(chunks.map(({ box }) => box)).stream();
    expect(sealed.size).toBe(done.blob.size);
    expect(await new Response(openFile(boxes, sealed)).text()).toBe(await done.blob.text());
    expect(await made.recorder.finish()).toBe(done);
  });

  it('does not count pauses, and can be listened to in between', async () => {
    const { recorder } = await recording();
    vi.advanceTimersByTime(1000);
    recorder.pause();
    vi.advanceTimersByTime(60_000);
    expect([recorder.state, recorder.durationMs]).toEqual(['paused', 1000]);
    const before = await recorder.preview();
    expect(before?.size).toBeGreaterThan(0);
    recorder.resume();
    vi.advanceTimersByTime(500);
    const done = await recorder.finish();
    expect(done?.durationMs).toBe(1500);
    expect(await done?.blob.text()).toContain((await before?.text()) as string);
  });

  it('stops by itself at its longest', async () => {
    const { recorder, states } = await recording({}, { maxMs: 2000 });
    vi.advanceTimersByTime(10_000);
    expect(states).toEqual(['recording', 'ready']);
    expect((await recorder.finish())?.durationMs).toBe(2000);
  });

  it('is discarded when it is too short', async () => {
    const made = await recording();
    vi.advanceTimersByTime(650);
    expect(await made.recorder.finish()).toBeUndefined();
    expect(made.states).toEqual(['recording', 'too-short']);
    expect(letGo(made)).toBe(true);
  });

  it('is gone when it is cancelled, at any time', async () => {
    for (const step of ['recording', 'paused', 'ready']) {
      const made = await recording();
      vi.advanceTimersByTime(1000);
      if (step === 'paused') made.recorder.pause();
      if (step === 'ready') await made.recorder.finish();
      made.recorder.cancel();
      expect(made.recorder.state).toBe('cancelled');
      expect(await made.recorder.finish()).toBeUndefined();
      expect(letGo(made)).toBe(true);
      made.recorder.pause();
      made.recorder.resume();
      expect(made.recorder.state).toBe('cancelled');
    }
  });

  it('that is cancelled while the person is asked never uses the microphone', async () => {
    let give: (stream: MediaStream) => void = () => undefined;
    const fake = fakePlatform({ openMicrophone: () => new Promise((resolve) => (give = resolve)) });
    const recorder = recordVoice({ platform: fake.platform });
    recorder.cancel();
    give(await fakePlatform({}).platform.openMicrophone());
    expect(await recorder.finish()).toBeUndefined();
    expect([recorder.state, fake.recorders.length]).toEqual(['cancelled', 0]);
  });

  it('keeps what it has when the microphone is lost', async () => {
    const made = await recording();
    vi.advanceTimersByTime(2000);
    made.tracks[0]?.dispatchEvent(new Event('ended'));
    expect(made.recorder.state).toBe('lost');
    expect(made.recorder.error?.code).toBe('MIC_UNAVAILABLE');
    vi.advanceTimersByTime(2000);
    expect((await made.recorder.finish())?.durationMs).toBe(2000);
    expect(letGo(made)).toBe(true);
  });
});

describe('without a microphone a recording', () => {
  it.each<[string, RecorderState, string]>([
    ['NotAllowedError', 'denied', 'MIC_DENIED'],
    ['SecurityError', 'denied', 'MIC_DENIED'],
    ['NotFoundError', 'unavailable', 'MIC_UNAVAILABLE'],
    ['NotReadableError', 'unavailable', 'MIC_UNAVAILABLE'],
    ['OverconstrainedError', 'unavailable', 'MIC_UNAVAILABLE'],
  ])('is in a state that says why: %s → %s', async (name, state, code) => {
    const { recorder } = await recording({
      openMicrophone: () => Promise.reject(microphoneError(new DOMException('no', name))),
    });
    expect([recorder.state, recorder.error?.code]).toEqual([state, code]);
    expect(await recorder.finish()).toBeUndefined();
    expect(await recorder.preview()).toBeUndefined();
  });

  it('is unsupported where there is no recorder or no format', async () => {
    const unsupported = () => Promise.reject(new QsecError('UNSUPPORTED', 'no'));
    expect((await recording({ openMicrophone: unsupported })).recorder.state).toBe('unsupported');
    const noFormat = await recording({ isFormatSupported: () => false });
    expect(noFormat.recorder.state).toBe('unsupported');
    expect(noFormat.tracks[0]?.stopped).toBe(true);
    // Outside a browser.
    const recorder = recordVoice();
    await asked(recorder);
    expect(recorder.state).toBe('unsupported');
  });
});

describe('the format', () => {
  it('is the first of the list that the browser has', () => {
    expect(chooseFormat(() => true)).toBe('audio/webm;codecs=opus');
    expect(chooseFormat((type) => type.startsWith('audio/mp4'))).toBe('audio/mp4;codecs=opus');
    expect(chooseFormat((type) => type === 'audio/mp4')).toBe('audio/mp4');
    expect(chooseFormat(() => false)).toBeUndefined();
  });
});

describe('bars', () => {
  it('are as many as asked for, from 0 to 1, the loudest of each stretch', () => {
    const readings = Array.from({ length: 640 }, (_, i) => (i === 325 ? 0.8 : 0.2));
    const bars = peaksOf(readings);
    expect(bars).toHaveLength(64);
    expect(bars.filter((bar) => bar === 1)).toHaveLength(1);
    expect(bars[32]).toBe(1);
    expect(bars[0]).toBeCloseTo(0.25);
    expect(peaksOf([0.5, 0.25], 4)).toEqual([1, 1, 0.5, 0.5]);
    expect(peaksOf([])).toEqual(new Array(64).fill(0));
    // Silence is not blown up.
    expect(Math.max(...peaksOf(new Array(100).fill(0.001)))).toBeLessThan(0.1);
    expect(peaksOf(new Array(500_000).fill(0.3)).every((bar) => bar === 1)).toBe(true);
  });

  it('come from the loudness of samples', () => {
    expect(rootMeanSquare(new Float32Array(100))).toBe(0);
    expect(rootMeanSquare(Float32Array.of(1, -1, 1, -1))).toBe(1);
    expect(rootMeanSquare(Float32Array.from({ length: 4800 }, (_, i) => Math.sin(i / 7)))).toBeCloseTo(Math.SQRT1_2, 1);
    expect(rootMeanSquare(new Float32Array(0))).toBe(0);
  });
});
