import { describe, expect, it } from 'vitest';
import { BEAT_MS, DEAD_AFTER_MS } from './heartbeat.ts';
import { Peers } from './peers.ts';

const SECONDS = DEAD_AFTER_MS / BEAT_MS;

describe('of relays that share a database', () => {
  /** Looks once a second; `beats` says what stands there then. */
  function looking(own: string) {
    const peers = new Peers(own);
    let now = 1_000_000;
    return (beats: Record<string, number>, passed = BEAT_MS) => {
      now += passed;
      return peers.look(new Map(Object.entries(beats)), now).map(([name]) => name);
    };
  }

  it('the one whose heartbeat stands still for ten seconds is dead, and goes on being so', () => {
    const look = looking('a');
    for (let i = 0; i < SECONDS; i++) expect(look({ a: i, b: 7, c: i })).toEqual([]);
    expect(look({ a: 10, b: 7, c: 10 })).toEqual(['b']);
    expect(look({ a: 11, b: 7, c: 11 })).toEqual(['b']);
  });

  it('one that says anything in between is alive, whatever its clock shows', () => {
    const look = looking('a');
    for (let i = 0; i < 5 * SECONDS; i++) expect(look({ b: -Math.floor(i / (SECONDS - 1)) })).toEqual([]);
  });

  it('none judges itself', () => {
    const look = looking('a');
    for (let i = 0; i < 2 * SECONDS; i++) expect(look({ a: 7 })).toEqual([]);
  });

  it('none is dead because nobody could look: time without looks counts for two seconds', () => {
    const look = looking('a');
    look({ b: 7 });
    look({ b: 7 });
    expect(look({ b: 7 }, 60_000)).toEqual([]);
    for (let i = 3; i < SECONDS - 1; i++) expect(look({ b: 7 })).toEqual([]);
    expect(look({ b: 7 })).toEqual(['b']);
  });

  it('one that was forgotten and is back begins anew', () => {
    const look = looking('a');
    for (let i = 0; i < SECONDS; i++) look({ b: 7 });
    look({});
    for (let i = 0; i < SECONDS; i++) expect(look({ b: 7 })).toEqual([]);
  });
});
