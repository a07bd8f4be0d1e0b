import { request } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { ClientAddresses } from './gateway/addresses.ts';
import { ProxyWatch } from './proxy-watch.ts';
import { ChildRelay, environment, runCli } from './testing/child-relay.ts';
import { afterThisTest, temporaryFolder } from './testing/relay-fixture.ts';

const HOUR = 3_600_000;

it('an unnamed proxy is told of at once, and once an hour while it goes on', () => {
  const addresses = new ClientAddresses([]);
  const [warn, record] = [vi.fn(), vi.fn()];
  const watch = new ProxyWatch(addresses, { warn } as never, { record } as never);
  afterThisTest(() => watch.close());
  watch.look(0);
  expect(warn).not.toHaveBeenCalled();
  const forwarded = () =>
    addresses.of({ socket: { remoteAddress: '10.0.0.1' }, headers: { 'x-forwarded-for': '203.0.113.1' } } as never);
  for (let i = 0; i < 3; i++) forwarded();
  watch.look(1000);
  forwarded();
  watch.look(2000);
  watch.look(1000 + HOUR);
  watch.look(1000 + 3 * HOUR);
  expect(warn.mock.calls).toEqual([
    [{ requests: 3 }, expect.stringContaining('RELAY_TRUSTED_PROXIES')],
    [{ requests: 1 }, expect.stringContaining('RELAY_TRUSTED_PROXIES')],
  ]);
  expect(record.mock.calls).toEqual([[{ kind: 'proxy-not-named', n: 3 }], [{ kind: 'proxy-not-named', n: 1 }]]);
});

describe('an operator who has not named the proxy', { timeout: 30_000 }, () => {
  const ask = (url: string) =>
    new Promise((resolve, reject) =>
      request(`${url}/healthz`, { headers: { 'X-Forwarded-For': '203.0.113.1' } }, (answer) => resolve(answer.resume()))
        .once('error', reject)
        .end(),
    );

  it('reads of it in the log, on the status page, in the metrics and from `check`, and no more once it is named', async () => {
    const folder = temporaryFolder();
    const relay = await ChildRelay.start(folder);
    afterThisTest(() => relay.stop('SIGKILL'));
    await ask(relay.url);
    await expect.poll(() => relay.output.join(), { timeout: 10_000 }).toContain('RELAY_TRUSTED_PROXIES');
    expect(relay.output.join()).not.toMatch(/127\.0\.0\.1"|203\.0/);
    expect(await (await fetch(`${relay.url}/status`)).text()).toContain('not believed</th><td>1<');
    expect((await relay.metrics()).value('forwarded_not_believed_total')).toBe(1);
    const check = async () => (await runCli(['check'], environment(folder))).out;
    await expect.poll(check, { timeout: 10_000 }).toMatch(/^proxy .*RELAY_TRUSTED_PROXIES/m);
    await relay.stop('SIGTERM');

    const named = await ChildRelay.start(folder, { RELAY_TRUSTED_PROXIES: '127.0.0.0/8' });
    afterThisTest(() => named.stop('SIGKILL'));
    await ask(named.url);
    await named.stop('SIGTERM');
    expect(named.output.join()).not.toContain('RELAY_TRUSTED_PROXIES');
    expect(await check()).not.toContain('proxy');
  });
});
