import type { RelayError } from '@qsec2/sdk/wire';

/** What requests about blobs are refused with. The texts are fixed: nothing a client sent comes back in them. */
export const blobRefusals = {
  noBlob: { code: 'NO_BLOB', message: 'The room has no such file, or no longer.' },
  owner: { code: 'REFUSED', message: 'The file belongs to another member.' },
  quota: { code: 'QUOTA', message: "The room's share of the relay's storage is used up." },
  tooManyInFlight: { code: 'RATE_LIMITED', message: 'Too many requests about files at a time.', retryAfterMs: 250 },
} as const satisfies Record<string, RelayError>;
