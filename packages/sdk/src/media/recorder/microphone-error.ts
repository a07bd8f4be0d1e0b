import { QsecError } from '../../errors.ts';

/** Why there is no microphone: `details.reason` of `MIC_DENIED`, `MIC_UNAVAILABLE` and `UNSUPPORTED`. */
export type MicrophoneProblem =
  /** The person, now or at an earlier time, does not allow it. */
  | 'denied'
  /** The operating system does not allow it to the browser. */
  | 'denied-by-system'
  /** The page itself, or the page around it, has it switched off. */
  | 'denied-by-page'
  /** The page came over a connection that browsers give no microphone to. */
  | 'insecure'
  /** Nothing is connected. */
  | 'none'
  /** Another program has it. */
  | 'in-use'
  /** Nothing that is connected can do what is asked of it. */
  | 'unfit'
  /** The question was not answered. */
  | 'no-answer'
  /** It was taken away, or stopped, while recording. */
  | 'lost'
  /** It, or what records, does not work. */
  | 'broken'
  /** This browser cannot record. */
  | 'unsupported';

const SAID: Readonly<
  Record<
    MicrophoneProblem,
    readonly [code: 'MIC_DENIED' | 'MIC_UNAVAILABLE' | 'UNSUPPORTED', message: string, remediation?: string]
  >
> = {
  denied: ['MIC_DENIED', 'This page may not use the microphone.'],
  'denied-by-system': [
    'MIC_DENIED',
    'The system does not let this browser use the microphone.',
    'Allow this browser the microphone in the privacy settings of the system, then try again.',
  ],
  'denied-by-page': [
    'MIC_DENIED',
    'This page has the microphone switched off.',
    'Its owner has to allow it: the Permissions-Policy of the page, and `allow="microphone"` of a frame around it.',
  ],
  insecure: ['UNSUPPORTED', 'This page is not secure, so that the browser gives it no microphone.', 'Open this page over https.'],
  none: ['MIC_UNAVAILABLE', 'No microphone was found.', 'Connect a microphone and try again.'],
  'in-use': [
    'MIC_UNAVAILABLE',
    'The microphone cannot be read: another program uses it.',
    'Close the program or the page that uses the microphone, then try again.',
  ],
  unfit: ['MIC_UNAVAILABLE', 'No microphone that is connected can record this.', 'Connect another microphone and try again.'],
  'no-answer': [
    'MIC_UNAVAILABLE',
    'The browser did not give a microphone in time.',
    'Try again, and answer when the browser asks.',
  ],
  lost: ['MIC_UNAVAILABLE', 'The microphone was lost while recording.', 'Connect the microphone again and try again.'],
  broken: [
    'MIC_UNAVAILABLE',
    'The microphone does not work.',
    'Connect the microphone again, or restart the browser, then try again.',
  ],
  unsupported: ['UNSUPPORTED', 'This browser cannot record.'],
};

export function noMicrophone(reason: MicrophoneProblem, cause?: unknown): QsecError {
  const [code, message, remediation] = SAID[reason];
  return new QsecError(code, message, { cause, details: { reason }, ...(remediation && { remediation }) });
}

/** What a browser says when it gives no microphone (Media Capture and Streams, §10.3.4 and Chromium's own messages). */
export function microphoneError(cause: unknown): QsecError {
  return noMicrophone(reasonOf(cause as Partial<DOMException> | undefined), cause);
}

function reasonOf(cause: Partial<DOMException> | undefined): MicrophoneProblem {
  switch (cause?.name) {
    case 'NotAllowedError':
      if (switchedOff()) return 'denied-by-page';
      return /\bsystem\b/i.test(cause.message ?? '') ? 'denied-by-system' : 'denied';
    case 'SecurityError':
      return globalThis.isSecureContext === false ? 'insecure' : 'denied-by-page';
    case 'NotFoundError':
      return 'none';
    case 'NotReadableError':
      return 'in-use';
    case 'OverconstrainedError':
      return 'unfit';
    case 'NotSupportedError':
      return 'unsupported';
    default:
      // AbortError, InvalidStateError, and what no standard knows.
      return 'broken';
  }
}

/** Whether the page's policy is against it, as far as the browser tells: Chromium does. */
function switchedOff(): boolean {
  const { document } = globalThis as { document?: { featurePolicy?: { allowsFeature(name: string): boolean } } };
  return document?.featurePolicy?.allowsFeature('microphone') === false;
}
