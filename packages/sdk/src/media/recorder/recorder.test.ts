import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QsecError } from '../../errors.ts';
import { openFile } from '../open.ts';
import { chooseFormat, RECORDING_FORMATS } from './format.ts';
import { peaksOf, rootMeanSquare } from './loudness.ts';
import { type MicrophoneProblem, microphoneError, noMicrophone } from './microphone-error.ts';
import { browserPlatform, type RecordingPlatform } from './platform.ts';
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
  it.each<[string, RecorderState, string, string]>([
    ['NotAllowedError', 'denied', 'MIC_DENIED', 'denied'],
    ['SecurityError', 'denied', 'MIC_DENIED', 'denied-by-page'],
    ['NotFoundError', 'unavailable', 'MIC_UNAVAILABLE', 'none'],
    ['NotReadableError', 'unavailable', 'MIC_UNAVAILABLE', 'in-use'],
    ['OverconstrainedError', 'unavailable', 'MIC_UNAVAILABLE', 'unfit'],
    ['AbortError', 'unavailable', 'MIC_UNAVAILABLE', 'broken'],
    ['InvalidStateError', 'unavailable', 'MIC_UNAVAILABLE', 'broken'],
    ['NotSupportedError', 'unsupported', 'UNSUPPORTED', 'unsupported'],
    ['NewError', 'unavailable', 'MIC_UNAVAILABLE', 'broken'],
  ])('is in a state that says why: %s → %s', async (name, state, code, reason) => {
    for (const openMicrophone of [
      () => Promise.reject(microphoneError(new DOMException('no', name))),
      () => Promise.reject(new DOMException('no', name)),
    ]) {
      const { recorder } = await recording({ openMicrophone });
      expect([recorder.state, recorder.error?.code, recorder.error?.details.reason]).toEqual([state, code, reason]);
      expect(await recorder.finish()).toBeUndefined();
      expect(await recorder.preview()).toBeUndefined();
    }
  });

  it('tells what a person may not from what the page or the system does not let anyone', () => {
    const reason = (message: string, name = 'NotAllowedError') => microphoneError(new DOMException(message, name)).details.reason;
    expect(reason('Permission denied by system')).toBe('denied-by-system');
    expect(reason('Permission dismissed')).toBe('denied');
    vi.stubGlobal('document', { featurePolicy: { allowsFeature: () => true } });
    expect(reason('Permission denied')).toBe('denied');
    vi.stubGlobal('document', { featurePolicy: { allowsFeature: (name: string) => name !== 'microphone' } });
    expect(reason('Permission denied')).toBe('denied-by-page');
    vi.stubGlobal('isSecureContext', false);
    expect(reason('insecure', 'SecurityError')).toBe('insecure');
    vi.unstubAllGlobals();
  });

  it('says of a page that is not secure what is wrong with it, and asks for nothing', async () => {
    vi.stubGlobal('isSecureContext', false);
    await expect(browserPlatform.openMicrophone()).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      details: { reason: 'insecure' },
    });
    vi.unstubAllGlobals();
  });

  it('says of a browser without a microphone or a recorder that it cannot record', async () => {
    const refused = { code: 'UNSUPPORTED', details: { reason: 'unsupported' } };
    vi.stubGlobal('navigator', {});
    vi.stubGlobal('MediaRecorder', class {});
    await expect(browserPlatform.openMicrophone()).rejects.toMatchObject(refused);
    vi.stubGlobal('navigator', { mediaDevices: { getUserMedia: async () => 'microphone' } });
    await expect(browserPlatform.openMicrophone()).resolves.toBe('microphone');
    vi.stubGlobal('MediaRecorder', undefined);
    await expect(browserPlatform.openMicrophone()).rejects.toMatchObject(refused);
    vi.unstubAllGlobals();
  });

  it('asks a browser for one voice, cleaned of echo and noise and evenly loud', async () => {
    const asked: unknown[] = [];
    vi.stubGlobal('MediaRecorder', class {});
    vi.stubGlobal('navigator', { mediaDevices: { getUserMedia: async (what: unknown) => void asked.push(what) } });
    await browserPlatform.openMicrophone();
    expect(asked).toEqual([
      { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 } },
    ]);
    vi.stubGlobal('navigator', { mediaDevices: { getUserMedia: () => Promise.reject(new DOMException('no', 'NotFoundError')) } });
    await expect(browserPlatform.openMicrophone()).rejects.toMatchObject({
      code: 'MIC_UNAVAILABLE',
      details: { reason: 'none' },
    });
    vi.unstubAllGlobals();
  });

  it('takes the recorder of the browser, with its formats and its clock', () => {
    class Recorder {
      static isTypeSupported = (type: string) => type === 'audio/mp4';
      readonly given: unknown[];
      constructor(...given: unknown[]) {
        this.given = given;
      }
    }
    vi.stubGlobal('MediaRecorder', Recorder);
    expect(['audio/mp4', 'audio/webm'].map(browserPlatform.isFormatSupported)).toEqual([true, false]);
    const [microphone, options] = [{} as MediaStream, { mimeType: 'audio/mp4' }];
    expect(browserPlatform.createRecorder(microphone, options)).toMatchObject({ given: [microphone, options] });
    vi.unstubAllGlobals();
    expect(browserPlatform.now()).toBe(performance.now());
  });

  it('measures while its context runs, and gives the context back whatever happens', async () => {
    expect(browserPlatform.createMeter({} as MediaStream)).toBeUndefined();
    const contexts: { state: string; closed: number; fails: boolean }[] = [];
    let fails = false;
    class Context {
      state = 'suspended';
      closed = 0;
      fails = fails;
      constructor() {
        contexts.push(this);
      }
      createMediaStreamSource() {
        if (this.fails) throw new DOMException('no', 'NotSupportedError');
        return { connect: () => undefined };
      }
      resume = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
      close = () => {
        this.closed++;
        return Promise.reject(new DOMException('closed', 'InvalidStateError'));
      };
    }
    vi.stubGlobal('AudioContext', Context);
    vi.stubGlobal(
      'AnalyserNode',
      class {
        fftSize = 4;
        getFloatTimeDomainData(samples: Float32Array) {
          samples.fill(0.5);
        }
      },
    );
    const meter = browserPlatform.createMeter({} as MediaStream);
    expect(meter?.read()).toBeUndefined();
    Object.assign(contexts[0] as object, { state: 'running' });
    expect(meter?.read()).toBe(0.5);
    meter?.close();
    fails = true;
    expect(() => browserPlatform.createMeter({} as MediaStream)).toThrow(DOMException);
    await new Promise((resolve) => setImmediate(resolve));
    expect(contexts.map(({ closed }) => closed)).toEqual([1, 1]);
    vi.unstubAllGlobals();
  });

  it.each<[MicrophoneProblem, string]>([
    ['denied', 'MIC_DENIED'],
    ['denied-by-system', 'MIC_DENIED'],
    ['denied-by-page', 'MIC_DENIED'],
    ['insecure', 'UNSUPPORTED'],
    ['none', 'MIC_UNAVAILABLE'],
    ['in-use', 'MIC_UNAVAILABLE'],
    ['unfit', 'MIC_UNAVAILABLE'],
    ['no-answer', 'MIC_UNAVAILABLE'],
    ['lost', 'MIC_UNAVAILABLE'],
    ['broken', 'MIC_UNAVAILABLE'],
    ['unsupported', 'UNSUPPORTED'],
  ])('has a code, a sentence and what to do: %s', (reason, code) => {
    const error = noMicrophone(reason);
    expect([error.code, error.details.reason]).toEqual([code, reason]);
    for (const text of [error.message, error.remediation]) expect(text).toMatch(/^[A-Z].{15,}\.$/);
  });

  it('says another thing for every reason, and what to do', () => {
    const names = ['NotAllowedError', 'SecurityError', 'NotFoundError', 'NotReadableError', 'OverconstrainedError', 'AbortError'];
    const said = names.map((name) => microphoneError(new DOMException('no', name)));
    expect(new Set(said.map(({ message }) => message)).size).toBe(names.length);
    expect(new Set(said.map(({ remediation }) => remediation)).size).toBe(names.length);
    expect(said[3]?.message).toContain('another program');
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
    expect(peaksOf([0, 0.005, 0.01, 0.02, 0.04, 0], 6)).toEqual([0, 0.125, 0.25, 0.5, 1, 0]);
    expect(peaksOf([0, 0.005, 0.01, 0], 4)).toEqual([0, 0.25, 0.5, 0]);
    // Stretches of two and of three.
    expect(
      peaksOf(
        [1, 2, 3, 4, 5].map((n) => n / 5),
        2,
      ),
    ).toEqual([0.4, 1]);
    // The loudest is found among any number of readings, at any place of them.
    for (const loud of [0, 1023, 1024, 2047, 2048, 2999])
      expect(peaksOf(new Array(3000).fill(0.25).with(loud, 0.5), 1)).toEqual([1]);
    expect(peaksOf(new Array(500_000).fill(0.3)).every((bar) => bar === 1)).toBe(true);
  });

  it('come from the loudness of samples', () => {
    expect(rootMeanSquare(new Float32Array(100))).toBe(0);
    expect(rootMeanSquare(Float32Array.of(1, -1, 1, -1))).toBe(1);
    expect(rootMeanSquare(Float32Array.of(0.5, -0.5, 0, 0))).toBe(Math.sqrt(0.125));
    expect(rootMeanSquare(Float32Array.from({ length: 4800 }, (_, i) => Math.sin(i / 7)))).toBeCloseTo(Math.SQRT1_2, 1);
    // What clips is as loud as can be.
    expect(rootMeanSquare(Float32Array.of(2, -2))).toBe(1);
    expect(rootMeanSquare(new Float32Array(0))).toBe(0);
  });
});

describe('a browser that does not do as the standard says', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'] });
  });

  /** What comes of finishing, by the time that every limit has passed. */
  async function finished(recorder: VoiceRecorder): Promise<Recording | undefined> {
    const done = recorder.finish();
    await vi.advanceTimersByTimeAsync(2_500);
    return done;
  }

  it.each<[string, Partial<RecordingPlatform>]>([
    [
      'cannot be made',
      {
        createMeter: () => {
          throw new DOMException('no', 'NotSupportedError');
        },
      },
    ],
    ['is not there', { createMeter: () => undefined }],
    [
      'cannot be read',
      {
        createMeter: () => ({
          read: () => {
            throw new DOMException('no', 'InvalidStateError');
          },
          close: () => undefined,
        }),
      },
    ],
    [
      'cannot be closed',
      {
        createMeter: () => ({
          read: () => 0.5,
          close: () => {
            throw new DOMException('no', 'InvalidStateError');
          },
        }),
      },
    ],
    ['measures nothing yet', { createMeter: () => ({ read: () => undefined, close: () => undefined }) }],
  ])('records all the same when its meter %s', async (how, overrides) => {
    const { recorder } = await recording(overrides);
    const silent: boolean[] = [];
    recorder.on('level', (level) => silent.push(level.silent));
    await vi.advanceTimersByTimeAsync(4_000);
    expect(recorder.state).toBe('recording');
    const done = await finished(recorder);
    expect(done?.durationMs).toBe(4_000);
    if (how !== 'cannot be closed') expect(done?.peaks).toEqual(new Array(64).fill(0));
    // Nothing is said of what was not measured.
    expect(silent).not.toContain(true);
  });

  /** A recorder that leaves out what the test says. */
  const without = (...left: ('stop' | 'dataavailable')[]) =>
    class extends FakeRecorder {
      override dispatchEvent(event: Event): boolean {
        return left.includes(event.type as 'stop') ? true : super.dispatchEvent(event);
      }
    };
  const made = (Recorder: typeof FakeRecorder): Partial<RecordingPlatform> => ({
    createRecorder: (_, options) => new Recorder(options) as unknown as MediaRecorder,
  });

  it('gives what was recorded when it never says that it stopped', async () => {
    const { recorder, tracks } = await recording(made(without('stop')));
    await vi.advanceTimersByTimeAsync(3_000);
    const done = recorder.finish();
    await vi.advanceTimersByTimeAsync(1_900);
    expect(tracks[0]?.stopped).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    const sound = await done;
    expect(sound?.durationMs).toBe(3_000);
    expect(sound?.blob.size).toBeGreaterThan(0);
    expect(sound?.prepared.sealed.size).toBe(sound?.blob.size);
    expect(tracks[0]?.stopped).toBe(true);
  });

  it('says that it does not work when it never hands anything over', async () => {
    const { recorder, tracks } = await recording(made(without('dataavailable')));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await finished(recorder)).toBeUndefined();
    expect([recorder.state, recorder.error?.details.reason]).toEqual(['unavailable', 'broken']);
    expect(tracks[0]?.stopped).toBe(true);
  });

  it('is given up after some seconds without anything recorded, and keeps what came before', async () => {
    let silent = false;
    class Dying extends FakeRecorder {
      override requestData(): void {
        if (!silent) super.requestData();
      }
    }
    const { recorder, states } = await recording(made(Dying));
    await vi.advanceTimersByTimeAsync(3_000);
    silent = true;
    await vi.advanceTimersByTimeAsync(4_900);
    expect(recorder.state).toBe('recording');
    await vi.advanceTimersByTimeAsync(300);
    expect(states).toEqual(['recording', 'lost']);
    expect(await (await finished(recorder))?.blob.text()).toContain('slice at');
  });

  it('is asked for what it recorded before it is given up', async () => {
    class Lazy extends FakeRecorder {
      override start(): void {
        this.state = 'recording';
      }
    }
    const { recorder } = await recording(made(Lazy));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(recorder.state).toBe('recording');
    expect((await finished(recorder))?.durationMs).toBe(60_000);
  });

  it.each(['start', 'pause', 'resume', 'requestData', 'stop'] as const)(
    'may throw at %s: what was recorded is not lost',
    async (method) => {
      class Throwing extends FakeRecorder {}
      Throwing.prototype[method] = () => {
        throw new DOMException('no', 'InvalidStateError');
      };
      // Slices come of requestData.
      const { recorder } = await recording(made(method === 'requestData' ? FakeRecorder : Throwing));
      if (method === 'start') {
        expect([recorder.state, recorder.error?.code]).toEqual(['unavailable', 'MIC_UNAVAILABLE']);
        return;
      }
      await vi.advanceTimersByTimeAsync(2_000);
      recorder.pause();
      recorder.resume();
      const done = await finished(recorder);
      expect(done?.durationMs).toBe(2_000);
      expect(done?.blob.size).toBeGreaterThan(0);
    },
  );

  it('that stops by itself is lost, with what was recorded', async () => {
    const { recorder, recorders } = await recording();
    await vi.advanceTimersByTimeAsync(2_000);
    recorders[0]?.stop();
    await vi.advanceTimersByTimeAsync(0);
    expect([recorder.state, recorder.error?.details.reason]).toEqual(['lost', 'lost']);
    expect((await finished(recorder))?.durationMs).toBe(2_000);
  });

  it('lets a person listen to what there is when it does not answer', async () => {
    let mute = false;
    class Mute extends FakeRecorder {
      override requestData(): void {
        if (!mute) super.requestData();
      }
    }
    const { recorder } = await recording(made(Mute));
    await vi.advanceTimersByTimeAsync(1_000);
    mute = true;
    const sound = recorder.preview();
    await vi.advanceTimersByTimeAsync(2_100);
    expect((await sound)?.size).toBeGreaterThan(0);
    expect(recorder.state).toBe('paused');
  });

  it('is asked for the microphone for a minute; one that comes later is let go of', async () => {
    let give: (stream: MediaStream) => void = () => undefined;
    const fake = fakePlatform({ openMicrophone: () => new Promise((resolve) => (give = resolve)) });
    const recorder = recordVoice({ platform: fake.platform });
    const done = recorder.finish();
    await vi.advanceTimersByTimeAsync(59_000);
    expect(recorder.state).toBe('asking');
    await vi.advanceTimersByTimeAsync(1_100);
    expect([recorder.state, recorder.error?.details.reason]).toEqual(['unavailable', 'no-answer']);
    expect(await done).toBeUndefined();
    const late = fakePlatform();
    give(await late.platform.openMicrophone());
    await vi.advanceTimersByTimeAsync(0);
    expect(late.tracks[0]?.stopped).toBe(true);
  });

  it('that loses its microphone at once is no recording that was too short', async () => {
    const { recorder, tracks } = await recording();
    await vi.advanceTimersByTimeAsync(200);
    tracks[0]?.dispatchEvent(new Event('ended'));
    expect([recorder.state, recorder.error?.details.reason]).toEqual(['unavailable', 'lost']);
    expect(await recorder.finish()).toBeUndefined();
  });
});

describe('silence', () => {
  async function listening(levels: (ms: number) => number) {
    const start = performance.now();
    const { recorder } = await recording({
      createMeter: () => ({ read: () => levels(performance.now() - start), close: () => undefined }),
    });
    const silent: [number, boolean][] = [];
    recorder.on('level', (level) => silent.push([level.durationMs, level.silent]));
    /** When it was told, and when no more. */
    const told = () =>
      silent.filter(([, now], i) => now !== (silent[i - 1]?.[1] ?? false)).map(([ms, now]) => [Math.round(ms / 100) / 10, now]);
    return { recorder, told };
  }

  it('is told after three seconds of nothing, until something is heard', async () => {
    const { told } = await listening((ms) => (ms < 5_000 ? 0 : 0.1));
    await vi.advanceTimersByTimeAsync(8_000);
    expect(told()).toEqual([
      [3, true],
      [5, false],
    ]);
  });

  it('is told after six seconds once something was heard: people stop to think', async () => {
    const { told } = await listening((ms) => (ms < 1_000 ? 0.1 : 0.0001));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told()).toEqual([[7, true]]);
  });

  it('is not told of a quiet room or of a voice that pauses', async () => {
    const { told } = await listening((ms) => (ms % 2_500 < 200 ? 0.05 : 0));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told()).toEqual([]);
    const quiet = await listening(() => 0.002);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(quiet.told()).toEqual([]);
  });

  it('begins anew after a pause', async () => {
    const { recorder, told } = await listening(() => 0);
    await vi.advanceTimersByTimeAsync(2_900);
    recorder.pause();
    recorder.resume();
    await vi.advanceTimersByTimeAsync(2_900);
    expect(told()).toEqual([]);
  });
});
