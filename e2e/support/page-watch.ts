/**
 * Scripts for `BrowserContext.addInitScript`: what a test has to see of a page, and what it has to break. Each stands alone, since it
 * is sent to the page as text.
 */

declare global {
  /** Parts that MediaRecorder handed over. */
  var recordedParts: Blob[];
  /** Contents with an object URL at the moment, and those that ever had one. */
  var shownNow: Map<string, Blob>;
  var shownEver: Blob[];
  /** Sounds that were played, in the order they were made. */
  var sounds: HTMLAudioElement[];
  function bytesOf(blob: Blob): Promise<number[]>;
  /** The connection takes this many bytes more, and then nothing until `goOn`. */
  function stallAfter(bytes: number): void;
  function goOn(): void;
  /** Made by the test: ML-KEM was asked for and refused. */
  function refusedKem(): void;
}

/** Keeps what is recorded and what is shown. */
export function watchContent(): void {
  globalThis.bytesOf = async (blob) => Array.from(new Uint8Array(await blob.arrayBuffer()));
  globalThis.recordedParts = [];
  globalThis.MediaRecorder = class extends MediaRecorder {
    constructor(stream: MediaStream, options?: MediaRecorderOptions) {
      super(stream, options);
      this.addEventListener('dataavailable', ({ data }) => recordedParts.push(data));
    }
  };
  globalThis.shownNow = new Map();
  globalThis.shownEver = [];
  const { createObjectURL, revokeObjectURL } = URL;
  URL.createObjectURL = (content: Blob) => {
    const url = createObjectURL.call(URL, content);
    shownNow.set(url, content);
    shownEver.push(content);
    return url;
  };
  URL.revokeObjectURL = (url) => {
    shownNow.delete(url);
    revokeObjectURL.call(URL, url);
  };
  globalThis.sounds = [];
  globalThis.Audio = class extends Audio {
    constructor(url?: string) {
      super(url);
      sounds.push(this);
    }
  };
}

/** Connections that a test can make as slow as a full line. */
export function stallUploads(): void {
  let left = Number.POSITIVE_INFINITY;
  const waiting: (() => void)[] = [];
  globalThis.stallAfter = (bytes) => {
    left = bytes;
  };
  globalThis.goOn = () => {
    left = Number.POSITIVE_INFINITY;
    for (const send of waiting.splice(0)) send();
  };
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (data) {
    left -= typeof data === 'string' ? data.length : data instanceof Blob ? data.size : data.byteLength;
    if (left >= 0) send.call(this, data);
    else waiting.push(() => send.call(this, data));
  };
}

/** Encryption that encrypts nothing, on every side that runs it. */
export function switchOffEncryption(): void {
  const TAG_BYTES = 16;
  const bytesOf = (data: BufferSource) =>
    ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
  SubtleCrypto.prototype.encrypt = async (_algorithm, _key, data) => {
    const box = new Uint8Array(data.byteLength + TAG_BYTES);
    box.set(bytesOf(data));
    return box.buffer;
  };
  SubtleCrypto.prototype.decrypt = async (_algorithm, _key, data) => bytesOf(data).slice(0, data.byteLength - TAG_BYTES).buffer;
}

/** A recorder whose parts are empty, as of a microphone that a system has muted for good. */
export function recordNothing(): void {
  globalThis.MediaRecorder = class extends MediaRecorder {
    override addEventListener(
      type: string,
      listener: EventListenerOrEventListenerObject,
      options?: AddEventListenerOptions,
    ): void {
      const empty = () => typeof listener === 'function' && listener(new BlobEvent(type, { data: new Blob() }));
      super.addEventListener(type, type === 'dataavailable' ? empty : listener, options);
    }
  };
}

/** WebCrypto without ML-KEM. */
export function withoutKem(): void {
  const { importKey } = SubtleCrypto.prototype;
  SubtleCrypto.prototype.importKey = function (this: SubtleCrypto, ...args: unknown[]) {
    if (!String(args[2]).startsWith('ML-KEM')) return Reflect.apply(importKey, this, args);
    refusedKem();
    return Promise.reject(new DOMException('no such algorithm', 'NotSupportedError'));
  } as typeof importKey;
}
