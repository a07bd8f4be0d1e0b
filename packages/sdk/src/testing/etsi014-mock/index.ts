import { type Credentials, TestAuthority } from './certificates.ts';
import { MockKme, type QuantumLink } from './kme.ts';

export { type Credentials, TestAuthority } from './certificates.ts';
export { type Fault, MockKme, type MockKmeOptions, type SeenRequest } from './kme.ts';

/** Two key management entities with a quantum link between them, and an application at each. */
export interface MockKmePair {
  a: MockKme;
  b: MockKme;
  /** Credentials of SAE_A, a client of `a`. */
  saeA: Credentials;
  /** Credentials of SAE_B, a client of `b`. */
  saeB: Credentials;
  authority: TestAuthority;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts both on free ports of this machine, with certificates made on the spot. */
export async function mockKmePair(): Promise<MockKmePair> {
  const authority = new TestAuthority('QKD test authority');
  const link: QuantumLink = new Map();
  const kme = (id: string, peerId: string): MockKme =>
    new MockKme({ id, peerId, credentials: authority.issue(id), clientCa: authority.cert, link });
  const [a, b] = [kme('KME_A', 'KME_B'), kme('KME_B', 'KME_A')];
  await Promise.all([a.listen(), b.listen()]);
  return {
    a,
    b,
    saeA: authority.issue('SAE_A'),
    saeB: authority.issue('SAE_B'),
    authority,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([a.close(), b.close()]);
    },
  };
}
