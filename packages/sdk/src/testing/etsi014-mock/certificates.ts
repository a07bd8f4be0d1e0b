import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { bitString, explicit, implicit, integer, octets, oid, sequence, set, utcTime, utf8, yes } from './der.ts';

/** A certificate with its private key, as PEM. */
export interface Credentials {
  cert: string;
  key: string;
}

const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const HOUR = 3_600_000;

const nameOf = (commonName: string): Uint8Array => sequence(set(sequence(oid('2.5.4.3'), utf8(commonName))));

const extension = (id: string, critical: boolean, value: Uint8Array): Uint8Array =>
  sequence(oid(id), ...(critical ? [yes] : []), octets(value));

interface Subject {
  commonName: string;
  publicKey: KeyObject;
  extensions: Uint8Array[];
  lifetime: { from: Date; to: Date };
}

/** An X.509 v3 certificate (RFC 5280 §4.1) signed with ECDSA. */
function issue({ commonName, publicKey, extensions, lifetime }: Subject, issuer: string, issuerKey: KeyObject): string {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  const body = sequence(
    explicit(0, integer(Uint8Array.of(2))),
    integer(serial),
    ECDSA_WITH_SHA256,
    nameOf(issuer),
    sequence(utcTime(lifetime.from), utcTime(lifetime.to)),
    nameOf(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions)),
  );
  const der = sequence(body, ECDSA_WITH_SHA256, bitString(sign('sha256', body, issuerKey)));
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** A certificate authority for tests: its certificates are for this machine and last an hour. */
export class TestAuthority {
  /** Its own certificate, for `ca` options. */
  readonly cert: string;
  readonly #name: string;
  readonly #key: KeyObject;

  constructor(name: string) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#name = name;
    this.#key = privateKey;
    const basicConstraints = extension('2.5.29.19', true, sequence(yes));
    this.cert = issue({ commonName: name, publicKey, extensions: [basicConstraints], lifetime: lasting(HOUR) }, name, privateKey);
  }

  /**
   * Credentials for a server or client of that name, valid for `localhost`, 127.0.0.1 and ::1.
   *
   * @param lifetimeMs negative for a certificate that has expired.
   */
  issue(commonName: string, lifetimeMs: number = HOUR): Credentials {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const names = sequence(
      implicit(2, Buffer.from('localhost')),
      implicit(7, Uint8Array.of(127, 0, 0, 1)),
      implicit(7, Uint8Array.of(...new Uint8Array(15), 1)),
    );
    const extensions = [extension('2.5.29.17', false, names)];
    return {
      cert: issue({ commonName, publicKey, extensions, lifetime: lasting(lifetimeMs) }, this.#name, this.#key),
      key: pemOf(privateKey),
    };
  }
}

/** From a day ago, so that clocks need not agree, to the given time from now. */
const lasting = (ms: number): { from: Date; to: Date } => ({
  from: new Date(Date.now() - 24 * HOUR),
  to: new Date(Date.now() + ms),
});
