import { describe, expect, it, vi } from 'vitest';
import { StorageLost } from '../storage-lost.ts';
import { temporaryFolder } from '../testing/relay-fixture.ts';
import { freeBytes, Health } from './health.ts';

const coded = (code: string) => Object.assign(new Error('of /home/ana/relay.db'), { code });

function health(database: () => void = () => {}, files: () => void = () => {}) {
  const onError = vi.fn();
  return { onError, health: new Health({ checks: { database, files }, dataDir: temporaryFolder(), onError }) };
}

const failing = (error: Error) => () => {
  throw error;
};

describe('readiness', () => {
  it('is there while everything can be stored and the relay is not stopping', async () => {
    const { health: made, onError } = health();
    expect(await made.readiness()).toEqual({ ready: true, failed: [] });
    made.draining = true;
    expect(await made.readiness()).toEqual({ ready: false, failed: ['draining'] });
    expect(onError).not.toHaveBeenCalled();
  });

  it('says which part fails and why, in words or by its code, and nothing of what the error quotes', async () => {
    const [gone, readOnly] = [new StorageLost('DATABASE_GONE'), coded('SQLITE_READONLY')];
    const { health: made, onError } = health(failing(gone), failing(readOnly));
    const reasons = {
      database: 'a file of the database was deleted or moved',
      files: 'nothing can be written (SQLITE_READONLY)',
    };
    expect(await made.readiness()).toEqual({ ready: false, failed: ['database', 'files'], reasons });
    expect(onError.mock.calls).toEqual([[gone], [readOnly]]);
    const { health: other } = health(failing(new Error('of /home/ana')));
    expect((await other.readiness()).reasons).toEqual({ database: 'nothing can be written (the log says more)' });
  });
});

it('a folder that is not there has room for anything: whether it is there is for another check', async () => {
  expect(await freeBytes('/not/there')).toBe(Number.POSITIVE_INFINITY);
  expect(await freeBytes(temporaryFolder())).toBeGreaterThan(0);
});
