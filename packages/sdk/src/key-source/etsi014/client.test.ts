import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { QsecError } from '../../errors.ts';
import { type Fault, type MockKme, type MockKmePair, mockKmePair, TestAuthority } from '../../testing/etsi014-mock/index.ts';
import { Etsi014Client, type Etsi014Options } from './index.ts';

let kmes: MockKmePair;
beforeAll(async () => {
  kmes = await mockKmePair();
});
afterAll(() => kmes[Symbol.asyncDispose]());
afterEach(() => {
  for (const kme of [kmes.a, kmes.b]) kme.fault = undefined;
});

const clientA = (options: Partial<Etsi014Options> = {}): Etsi014Client =>
  new Etsi014Client({ kme: kmes.a.url, peer: 'SAE_B', ca: kmes.authority.cert, ...kmes.saeA, ...options });
const clientB = (options: Partial<Etsi014Options> = {}): Etsi014Client =>
  new Etsi014Client({ kme: kmes.b.url, peer: 'SAE_A', ca: kmes.authority.cert, ...kmes.saeB, ...options });

const lastSeen = (kme: MockKme): unknown => kme.seen.at(-1);

async function failureOf(work: Promise<unknown>): Promise<QsecError> {
  const error: unknown = await work.then(
    () => expect.unreachable('it should have failed'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(QsecError);
  return error as QsecError;
}

const reasonOf = async (work: Promise<unknown>): Promise<unknown> => {
  const { code, details } = await failureOf(work);
  return code === 'KEY_SOURCE_FAILED' ? details.reason : code;
};

describe('two applications at two key management entities', () => {
  it('get the same key under one identifier', async () => {
    const [fresh] = await clientA().encKeys({ size: 256 });
    const [same] = await clientB().decKeys([fresh?.id ?? '']);
    expect(fresh?.key).toHaveLength(32);
    expect(same).toEqual(fresh);
  });

  it('get several keys in the order asked for', async () => {
    const keys = await clientA().encKeys({ number: 3, size: 512 });
    const ids = keys.map(({ id }) => id).toReversed();
    expect(await clientB().decKeys(ids)).toEqual(keys.toReversed());
  });

  it('can use the GET forms', async () => {
    const [fresh] = await clientA().encKeys({ number: 1, size: 128, method: 'GET' });
    expect(lastSeen(kmes.a)).toMatchObject({
      sae: 'SAE_A',
      method: 'GET',
      path: '/api/v1/keys/SAE_B/enc_keys?number=1&size=128',
    });
    expect(await clientB().decKeys([fresh?.id ?? ''], { method: 'GET' })).toEqual([fresh]);
    expect(lastSeen(kmes.b)).toMatchObject({
      sae: 'SAE_B',
      method: 'GET',
      path: `/api/v1/keys/SAE_A/dec_keys?key_ID=${fresh?.id}`,
    });
  });

  it('ask in the words of the standard', async () => {
    await clientA().encKeys({ number: 2, size: 64, additionalPeers: ['SAE_C'], extensionOptional: [{ vendor_x: 1 }] });
    expect(lastSeen(kmes.a)).toEqual({
      sae: 'SAE_A',
      method: 'POST',
      path: '/api/v1/keys/SAE_B/enc_keys',
      body: { number: 2, size: 64, additional_slave_SAE_IDs: ['SAE_C'], extension_optional: [{ vendor_x: 1 }] },
    });
  });

  it('learn what the entity has', async () => {
    const status = await clientA().status();
    expect(status).toMatchObject({
      source_KME_ID: 'KME_A',
      target_KME_ID: 'KME_B',
      master_SAE_ID: 'SAE_A',
      slave_SAE_ID: 'SAE_B',
      key_size: 256,
    });
  });

  it('may give the address with a slash, or with the path of the API', async () => {
    for (const suffix of ['/', '/api/v1/keys', '/api/v1/keys/']) await clientA({ kme: kmes.a.url + suffix }).status();
    expect(lastSeen(kmes.a)).toMatchObject({ path: '/api/v1/keys/SAE_B/status' });
  });

  it('may have any name', async () => {
    await clientA({ peer: 'SAE/ü?#' }).status();
    expect(lastSeen(kmes.a)).toMatchObject({ path: `/api/v1/keys/${encodeURIComponent('SAE/ü?#')}/status` });
  });
});

describe('what an entity refuses', () => {
  it('a key that was delivered before', async () => {
    const [fresh] = await clientA().encKeys();
    await clientB().decKeys([fresh?.id ?? '']);
    const error = await failureOf(clientB().decKeys([fresh?.id ?? '']));
    expect(error.details).toMatchObject({ reason: 'key-not-found', status: 400 });
  });

  it('a key meant for another application', async () => {
    const [fresh] = await clientA({ peer: 'SAE_C' }).encKeys();
    expect(await reasonOf(clientB().decKeys([fresh?.id ?? '']))).toBe('unauthorized');
  });

  it('options it must understand and does not', async () => {
    expect(await reasonOf(clientA().encKeys({ extensionMandatory: [{ vendor_route: 'direct' }] }))).toBe(
      'mandatory-extension-unsupported',
    );
  });

  it.each<[string, Fault, string]>([
    ['a size', { status: 400, body: '{"message":"size shall be a multiple of 8"}' }, 'size-not-multiple-of-8'],
    [
      'extensions',
      { status: 400, body: '{"message":"not all extension_mandatory parameters are supported"}' },
      'mandatory-extension-unsupported',
    ],
    [
      'their values',
      { status: 400, body: '{"message":"not all extension_mandatory request options could be met"}' },
      'mandatory-extension-unmet',
    ],
    [
      'optional ones',
      { status: 400, body: '{"message":"Not all extension_optional request options handled."}' },
      'optional-extension-unhandled',
    ],
    ['a key', { status: 400, body: '{"message":"one or more keys specified are not found on KME"}' }, 'key-not-found'],
    ['anything else', { status: 400, body: '{"message":"no","details":[{"why":"so"}]}' }, 'bad-request'],
    ['without a word', { status: 400, body: '' }, 'bad-request'],
    ['this client', { status: 401, body: '{"message":"Unauthorized"}' }, 'unauthorized'],
    ['everybody', { status: 503, body: '{"message":"key pool is empty"}' }, 'unavailable'],
    ['oddly', { status: 302, body: '' }, 'unexpected-status'],
    ['as a proxy', { status: 502, body: '<html>Bad gateway</html>' }, 'unexpected-status'],
  ])('%s is told by its reason', async (_, fault, reason) => {
    kmes.a.fault = fault;
    const { code, details } = await failureOf(clientA().encKeys());
    expect(code).toBe('KEY_SOURCE_FAILED');
    expect(details).toMatchObject({ reason, status: fault.status });
  });

  it('is passed on with its words and details', async () => {
    kmes.a.fault = { status: 503, body: JSON.stringify({ message: 'key pool is empty', details: [{ retry_after: 60 }] }) };
    const error = await failureOf(clientA().encKeys());
    expect(error.message).toContain('key pool is empty');
    expect(error.details).toMatchObject({ kmeDetails: [{ retry_after: 60 }] });
  });
});

describe('an answer that is not what the standard says', () => {
  const key = 'c2VjcmV0IGtleSBvZiB0aGlydHktdHdvIGJ5dGVzISE=';
  const good = { key_ID: 'id-1', key };

  it.each<[string, string | Uint8Array]>([
    ['no JSON', `{"keys":[{"key_ID":"id-1","key":"${key}"`],
    ['no object', '[]'],
    ['no keys', '{}'],
    ['too few keys', '{"keys":[]}'],
    ['too many keys', JSON.stringify({ keys: [good, { ...good, key_ID: 'id-2' }] })],
    ['a key of another size', JSON.stringify({ keys: [{ ...good, key: 'AAAA' }] })],
    ['a key that is not base64', JSON.stringify({ keys: [{ ...good, key: `${key}*` }] })],
    ['a key without identifier', JSON.stringify({ keys: [{ key }] })],
    ['an identifier that is a number', JSON.stringify({ keys: [{ ...good, key_ID: 7 }] })],
    ['text that is not UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
  ])('is refused: %s', async (_, body) => {
    kmes.a.fault = { body };
    expect(await reasonOf(clientA().encKeys({ size: 256 }))).toBe('malformed-response');
  });

  it.each<[string, string | Uint8Array, string[]]>([
    ['too many keys', JSON.stringify({ keys: [good, { ...good, key_ID: 'id-2' }] }), ['id-1', 'id-2']],
    ['a key of another size', JSON.stringify({ keys: [{ ...good, key: 'AAAA' }] }), ['id-1']],
    ['a key that is not base64', JSON.stringify({ keys: [good, { key_ID: 'id-3', key: '*' }] }), ['id-1', 'id-3']],
    ['a key without identifier', JSON.stringify({ keys: [{ key }, { ...good, key_ID: 'id-4' }] }), ['id-4']],
    ['no JSON', `{"keys":[{"key_ID":"id-1","key":"${key}"`, []],
  ])('tells which keys it used up when it is refused: %s', async (_, body, ids) => {
    kmes.a.fault = { body };
    const { message, details } = await failureOf(clientA().encKeys({ size: 256 }));
    expect(details).toMatchObject({ reason: 'malformed-response', usedUp: ids });
    expect(message).toContain(ids.length === 0 ? 'may have used up keys' : `Used up by it: ${ids.join(', ')}`);
  });

  it('tells which of the keys asked for it used up, also when they are not among the delivered ones', async () => {
    kmes.b.fault = { body: JSON.stringify({ keys: [good, good] }) };
    expect((await failureOf(clientB().decKeys(['id-1', 'id-2']))).details.usedUp).toEqual(['id-1', 'id-2']);
    kmes.b.fault = { body: 'nonsense' };
    expect((await failureOf(clientB().decKeys(['id-5']))).details.usedUp).toEqual(['id-5']);
    kmes.b.fault = { body: `{"keys":[${' '.repeat(5000)}]}` };
    expect((await failureOf(clientB({ maxResponseBytes: 4096 }).decKeys(['id-6']))).details.usedUp).toEqual(['id-6']);
  });

  it('uses no key up when there was none, and says nothing of it', async () => {
    kmes.a.fault = { status: 503, body: '{"message":"empty"}' };
    expect((await failureOf(clientA().encKeys())).details).not.toHaveProperty('usedUp');
    kmes.a.fault = { body: '{}' };
    expect((await failureOf(clientA().status())).details).not.toHaveProperty('usedUp');
  });

  it('is refused when the delivered keys are not those asked for', async () => {
    kmes.b.fault = { body: JSON.stringify({ keys: [good] }) };
    expect(await reasonOf(clientB().decKeys(['id-2']))).toBe('malformed-response');
    expect(await reasonOf(clientB().decKeys(['id-1', 'id-2']))).toBe('malformed-response');
  });

  it('is refused in a status too, naming the fields', async () => {
    kmes.a.fault = { body: '{"source_KME_ID":"KME_A","key_size":-1}' };
    const error = await failureOf(clientA().status());
    expect(error.details.fields).toEqual(expect.arrayContaining(['target_KME_ID', 'key_size']));
  });

  it('is cut off when it is too long', async () => {
    kmes.a.fault = { body: `{"keys":[${' '.repeat(5000)}]}` };
    expect(await reasonOf(clientA({ maxResponseBytes: 4096 }).encKeys())).toBe('response-too-large');
  });

  it('leaves no key in the error, nor on the console', async () => {
    const written: unknown[] = [];
    const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation((...words) => void written.push(words)),
    );
    const streams = [process.stdout, process.stderr].map((stream) =>
      vi.spyOn(stream, 'write').mockImplementation((chunk) => written.push(chunk) > 0),
    );
    const bodies = [
      `{"keys":[{"key_ID":"id-1","key":"${key}"}`,
      JSON.stringify({ keys: [{ key_ID: 7, key }] }),
      JSON.stringify({ keys: [good, good] }),
      JSON.stringify({ keys: [{ ...good, key: `${key}${key}` }] }),
    ];
    const errors: unknown[] = [];
    for (const body of bodies) {
      for (const status of [200, 400, 503]) {
        kmes.a.fault = { status, body };
        errors.push(
          await clientA()
            .encKeys({ size: 256 })
            .catch((error: unknown) => error),
        );
      }
    }
    kmes.a.fault = undefined;
    const keys = await clientA().encKeys({ number: 4 });
    for (const spy of [...spies, ...streams]) spy.mockRestore();

    const everything =
      inspect([errors, written], { depth: Infinity, showHidden: true, maxStringLength: Infinity }) +
      errors.map((error) => JSON.stringify(error) + String((error as Error).stack)).join();
    const raw = Buffer.from(key, 'base64');
    for (const secret of [
      key,
      raw.toString('hex'),
      raw.toString('latin1'),
      ...keys.map((one) => Buffer.from(one.key).toString('base64')),
    ]) {
      expect(everything.includes(secret)).toBe(false);
    }
    expect(errors.every((error) => QsecError.is(error, 'KEY_SOURCE_FAILED'))).toBe(true);
  });
});

describe('an answer that says null where it has nothing to say', () => {
  const key = 'c2VjcmV0IGtleSBvZiB0aGlydHktdHdvIGJ5dGVzISE=';

  it.each([
    ['one extension of a key', { keys: [{ key_ID: 'i', key, key_extension: null }] }],
    ['the extension of an identifier', { keys: [{ key_ID: 'i', key, key_ID_extension: null }] }],
    ['the extension of the container', { keys: [{ key_ID: 'i', key }], key_container_extension: null }],
    ['all of them', { keys: [{ key_ID: 'i', key, key_ID_extension: null, key_extension: null }], key_container_extension: null }],
    ['extensions that are no objects', { keys: [{ key_ID: 'i', key, key_extension: ['x'] }], key_container_extension: 'y' }],
  ])('gives its key: %s', async (_, body) => {
    kmes.a.fault = kmes.b.fault = { body: JSON.stringify(body) };
    const expected = [{ id: 'i', key: new Uint8Array(Buffer.from(key, 'base64')) }];
    expect(await clientA().encKeys({ size: 256 })).toEqual(expected);
    expect(await clientB().decKeys(['i'])).toEqual(expected);
  });

  it('gives its status without the extension, and refuses null where a field is required', async () => {
    const status = await clientA().status();
    kmes.a.fault = { body: JSON.stringify({ ...status, status_extension: null }) };
    expect(await clientA().status()).toEqual(status);
    expect((await clientA().status()).status_extension).toBeUndefined();
    kmes.a.fault = { body: JSON.stringify({ ...status, key_size: null }) };
    expect((await failureOf(clientA().status())).details.fields).toEqual(['key_size']);
    kmes.a.fault = { body: JSON.stringify({ keys: [{ key_ID: 'i', key: null }] }) };
    expect(await reasonOf(clientA().encKeys())).toBe('malformed-response');
  });

  it('refuses with its words', async () => {
    kmes.a.fault = { status: 400, body: '{"message":"size shall be a multiple of 8","details":null}' };
    const { details } = await failureOf(clientA().encKeys());
    expect(details).toMatchObject({ reason: 'size-not-multiple-of-8' });
    expect(details).not.toHaveProperty('kmeDetails');
    kmes.a.fault = { status: 503, body: '{"message":null,"details":[{"retry_after":60}]}' };
    expect((await failureOf(clientA().encKeys())).details).toMatchObject({ kmeDetails: [{ retry_after: 60 }] });
  });
});

describe('a connection', () => {
  it('is refused to an entity whose certificate another authority signed', async () => {
    expect(await reasonOf(clientA({ ca: new TestAuthority('someone else').cert }).status())).toBe('tls');
  });

  it('is refused to an entity that no authority of this system signed for, when none is given', async () => {
    const { ca: _, ...rest } = { kme: kmes.a.url, peer: 'SAE_B', ca: undefined, ...kmes.saeA };
    expect(await reasonOf(new Etsi014Client(rest).status())).toBe('tls');
  });

  it('is refused by the entity when the application shows a certificate of another authority', async () => {
    const before = kmes.a.seen.length;
    const stranger = new TestAuthority('someone else').issue('SAE_A');
    expect(['tls', 'unreachable']).toContain(await reasonOf(clientA(stranger).status()));
    expect(kmes.a.seen.length).toBe(before);
  });

  it('is refused by the entity when the application’s certificate has expired', async () => {
    expect(['tls', 'unreachable']).toContain(await reasonOf(clientA(kmes.authority.issue('SAE_A', -1000)).status()));
  });

  it('that is cut is told', async () => {
    kmes.a.fault = { hangUp: true };
    expect(await reasonOf(clientA().encKeys())).toBe('unreachable');
  });

  it('to nobody is told', async () => {
    expect(await reasonOf(clientA({ kme: 'https://localhost:1' }).status())).toBe('unreachable');
  });

  it('to a slow entity ends in time', async () => {
    kmes.a.fault = { silent: true };
    expect(await reasonOf(clientA({ timeoutMs: 50 }).encKeys())).toBe('timeout');
  });

  it('ends when its signal says so, before and during the request', async () => {
    expect(await reasonOf(clientA().status({ signal: AbortSignal.abort() }))).toBe('ABORTED');
    kmes.a.fault = { silent: true };
    const controller = new AbortController();
    const waiting = reasonOf(clientA().encKeys({ signal: controller.signal }));
    controller.abort();
    expect(await waiting).toBe('ABORTED');
  });
});

describe('a request the standard does not allow', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['a size that is not a multiple of 8', () => clientA().encKeys({ size: 255 })],
    ['no keys', () => clientA().encKeys({ number: 0 })],
    ['GET with extensions', () => clientA().encKeys({ method: 'GET', additionalPeers: ['SAE_C'] })],
    ['no identifiers', () => clientB().decKeys([])],
    ['identifiers that are no texts', () => clientB().decKeys([7 as never])],
    ['an identifier outside a list', () => clientB().decKeys('id-1' as never)],
    ['one identifier twice', () => clientB().decKeys(['a', 'a'])],
    ['GET for two keys', () => clientB().decKeys(['a', 'b'], { method: 'GET' })],
  ])('is not sent: %s', async (_, request) => {
    const before = kmes.a.seen.length + kmes.b.seen.length;
    expect(await reasonOf(request())).toBe('INVALID_ARGUMENT');
    expect(kmes.a.seen.length + kmes.b.seen.length).toBe(before);
  });

  it.each<[string, Partial<Etsi014Options>]>([
    ['plain http', { kme: 'http://localhost' }],
    ['no address', { kme: 'kme.example' }],
    ['no peer', { peer: '' }],
    ['a peer that is no text', { peer: 7 as never }],
    ['no time', { timeoutMs: 0 }],
  ])('cannot be configured: %s', (_, options) => {
    expect(() => clientA(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
