import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Credentials, type MockKmePair, mockKmePair, TestAuthority } from '../testing/etsi014-mock/index.ts';
import type { OptionValues } from './command.ts';
import { doctor } from './etsi014-doctor.ts';

let kmes: MockKmePair;
let folder = '';

beforeAll(async () => {
  kmes = await mockKmePair();
  folder = await mkdtemp(join(tmpdir(), 'qsec2-doctor-'));
});
afterAll(async () => {
  await kmes[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => {
  kmes.a.fault = undefined;
});

async function files({ cert, key }: Credentials = kmes.saeA, ca: string = kmes.authority.cert): Promise<OptionValues> {
  const contents = { cert, key, ca };
  const entries = Object.entries(contents).map(([name, text]) => [name, join(folder, `${name}.pem`), text] as const);
  for (const [, path, text] of entries) await writeFile(path, text);
  return { kme: kmes.a.url, peer: 'SAE_B', ...Object.fromEntries(entries.map(([name, path]) => [name, path])) };
}

async function consult(values: OptionValues): Promise<{ code: number; out: string }> {
  const out: string[] = [];
  const terminal = {
    out: (text: string) => void out.push(text),
    err: () => {},
    interactive: false,
    signal: new AbortController().signal,
  };
  return { code: await doctor.run(values, terminal), out: out.join('') };
}

describe('qsec2 etsi014 doctor', () => {
  it('finds a healthy entity healthy', async () => {
    const { code, out } = await consult(await files());
    expect(code).toBe(0);
    expect(out).toContain('SAE_A at KME_A, SAE_B at KME_B');
    expect(out).toContain('All is well');
    expect(out).not.toContain('FAIL');
  });

  it('draws a key and does not show it', async () => {
    const { code, out } = await consult({ ...(await files()), draw: true });
    expect(code).toBe(0);
    const [, id] = /256 bits under (\S+)/.exec(out) ?? [];
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(out).not.toMatch(/[A-Za-z0-9+/]{43}=/);
  });

  it('prints JSON', async () => {
    const { out } = await consult({ ...(await files()), json: true });
    expect(JSON.parse(out)).toMatchObject({
      healthy: true,
      findings: expect.arrayContaining([expect.objectContaining({ check: 'status', ok: true })]),
    });
  });

  it.each<[string, () => Promise<OptionValues>, string]>([
    ['a certificate that has expired', () => files(kmes.authority.issue('SAE_A', -1000)), 'expired on'],
    ['a key of another certificate', () => files({ ...kmes.saeA, key: kmes.saeB.key }), 'does not belong'],
    ['a file that is no certificate', () => files({ ...kmes.saeA, cert: 'hello' }), 'not a PEM certificate'],
    ['a file that is no key', () => files({ ...kmes.saeA, key: 'hello' }), 'cannot be read'],
  ])('finds %s before it sends anything', async (_, values, found) => {
    const before = kmes.a.seen.length;
    const { code, out } = await consult(await values());
    expect(code).toBe(1);
    expect(out).toContain(found);
    expect(out).toContain('→');
    expect(kmes.a.seen.length).toBe(before);
  });

  it('tells an authority that does not fit', async () => {
    const { code, out } = await consult(await files(kmes.saeA, new TestAuthority('someone else').cert));
    expect(code).toBe(1);
    expect(out).toContain('(tls)');
    expect(out).toContain('Check --ca');
  });

  it('tells that nobody is there', async () => {
    const { code, out } = await consult({ ...(await files()), kme: 'https://localhost:1' });
    expect(code).toBe(1);
    expect(out).toContain('(unreachable)');
  });

  it('tells an entity that has run out of keys', async () => {
    kmes.a.fault = {
      body: JSON.stringify({
        source_KME_ID: 'A',
        target_KME_ID: 'B',
        master_SAE_ID: 'a',
        slave_SAE_ID: 'b',
        key_size: 256,
        stored_key_count: 0,
        max_key_count: 1,
        max_key_per_request: 1,
        max_key_size: 128,
        min_key_size: 64,
        max_SAE_ID_count: 0,
      }),
    };
    const { code, out } = await consult(await files());
    expect(code).toBe(1);
    expect(out).toContain('FAIL  stored keys: 0 of at most 1');
    expect(out).toContain('FAIL  key sizes: 64 to 128 bits');
  });

  it('passes on what the entity says', async () => {
    kmes.a.fault = { status: 401, body: '{"message":"unknown SAE"}' };
    const { code, out } = await consult(await files());
    expect(code).toBe(1);
    expect(out).toContain('unknown SAE');
    expect(out).toContain('have its operator register the SAE');
  });

  it.each([
    [{ kme: undefined }, '--kme is missing'],
    [{ peer: '' }, '--peer is missing'],
    [{ 'passphrase-env': 'QSEC2_NO_SUCH_VARIABLE' }, 'QSEC2_NO_SUCH_VARIABLE'],
    [{ timeout: 'soon' }, '--timeout'],
  ])('refuses %j', async (change, message) => {
    const values = { ...(await files()), ...change };
    await expect(consult(values)).rejects.toThrow(message);
  });

  it('says which file is not there', async () => {
    const values = { ...(await files()), cert: join(folder, 'nowhere.pem') };
    await expect(consult(values)).rejects.toThrow('nowhere.pem');
  });
});
