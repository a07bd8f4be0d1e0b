import { expect, it } from 'vitest';
import { memoryStorage } from '../testing/memory-storage.ts';
import { Vault } from './vault.ts';

async function vaults() {
  const storage = memoryStorage();
  const key = await Vault.generateKey(storage);
  return { storage, vault: new Vault(storage, key), again: new Vault(storage, key) };
}

it('values come back as they were, bytes included', async () => {
  const { vault, again } = await vaults();
  const value = { text: 'hi', bytes: new Uint8Array([0, 255, 7]), list: [{ id: new Uint8Array(0) }] };
  await vault.put('room/a', value);
  expect(await again.get('room/a')).toEqual(value);
  expect(await again.get('room/b')).toBeUndefined();
});

it('of several values in a row the last one is kept, and what is deleted is gone', async () => {
  const { storage, vault, again } = await vaults();
  await Promise.all([vault.put('a', 1), vault.put('a', 2), vault.put('b', 3), vault.put('b', undefined)]);
  expect(await again.get('a')).toBe(2);
  expect([...storage.entries.keys()]).toEqual(['a']);
});

it('an entry opens under its own name and key only, and no other is lost by one that does not', async () => {
  const { storage, vault, again } = await vaults();
  await Promise.all([vault.put('message/1', 'one'), vault.put('message/2', 'two'), vault.put('message/3', 'three')]);
  await storage.write(new Map([['message/1', storage.entries.get('message/2')]]));
  const flipped = (storage.entries.get('message/3') as Uint8Array).slice();
  flipped[20] = (flipped[20] as number) ^ 1;
  await storage.write(new Map([['message/3', flipped]]));
  for (const name of ['message/1', 'message/3']) {
    await expect(again.get(name)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  }
  expect(await again.list('message/')).toEqual(['two']);
  const stranger = new Vault(storage, await Vault.generateKey(storage));
  await expect(stranger.get('message/2')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

it('nothing is stored once it is closed', async () => {
  const { storage, vault } = await vaults();
  const last = vault.put('a', 1);
  await vault.close();
  await last;
  await vault.put('b', 2);
  expect([...storage.entries.keys()]).toEqual(['a']);
});
