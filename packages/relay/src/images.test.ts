import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SETTINGS } from './config/settings.ts';
import { checkRedis } from './store/redis/open.ts';
import { ChildRelay, packageDir } from './testing/child-relay.ts';
import { newRoom, TestClient } from './testing/client.ts';
import { postgresFolder, redisBinary, startPostgres, startRedis } from './testing/engines.ts';
import { afterThisTest, temporaryFolder } from './testing/relay-fixture.ts';

/** What the image and the compose files say, tried without Docker. */

const root = join(packageDir, '../..');
const docker = join(packageDir, 'docker');
const read = (name: string) => readFileSync(join(docker, name), 'utf8');
const dockerfile = read('Dockerfile');
const cluster = read('compose.cluster.yaml');

/** Variables of the relays in the compose file of the cluster. */
const environment = Object.fromEntries(
  [...cluster.matchAll(/^ {4}(RELAY_\w+): '?([^'\n]*)'?$/gm)].map(([, name, value]) => [name!, value!]),
);

describe('the image', () => {
  it('is made of files that exist, by compose files that name it', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources]) => sources!.split(' '));
    expect(copied).toContain('packages/relay');
    for (const file of copied) expect(existsSync(join(root, file)), file).toBe(true);
    for (const compose of [read('compose.yaml'), cluster]) {
      const [, context, file] = /build: \{ context: (\S+), dockerfile: (\S+) \}/.exec(compose) ?? [];
      expect(join(docker, context!, file!)).toBe(join(docker, 'Dockerfile'));
    }
    for (const [, file] of cluster.matchAll(/'\.\/(\S+):\/etc/g)) expect(existsSync(join(docker, file!)), file).toBe(true);
  });

  it('sets nothing that is no setting', () => {
    const known = Object.values(SETTINGS).flatMap(({ env, secret }) => (secret ? [env, `${env}_FILE`] : [env]));
    const named = [...dockerfile.matchAll(/\b(RELAY_\w+)=/g), ...cluster.matchAll(/\b(RELAY_\w+):/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(6);
    for (const name of named) expect(known).toContain(name);
  });

  it('knows by its health check whether the relay is alive', async () => {
    const [, command] = /^HEALTHCHECK .*CMD (\[.*\])$/m.exec(dockerfile) ?? [];
    const [node, ...args] = JSON.parse(command!) as string[];
    const relay = await ChildRelay.start(temporaryFolder());
    afterThisTest(() => relay.stop('SIGKILL'));
    const env = { PATH: process.env.PATH ?? '', PORT: new URL(relay.url).port };
    expect(spawnSync(node!, args, { env }).status).toBe(0);
    await relay.stop('SIGKILL');
    expect(spawnSync(node!, args, { env }).status).toBe(1);
  });
});

describe.skipIf(!redisBinary() || !postgresFolder())('the cluster of the compose file', { timeout: 60_000 }, () => {
  it('runs with its variables, its secrets and its Redis', async () => {
    const [, command] = /command: \[redis-server, (.*)\]/.exec(cluster) ?? [];
    const redis = await startRedis(...command!.split(', ').map((word) => word.replaceAll("'", '')));
    const postgres = await startPostgres();
    afterThisTest(() => Promise.all([redis.dispose(), postgres.dispose()]));
    expect(await checkRedis(redis.url, 'fsync')).toBe('fsync');

    const secrets = temporaryFolder();
    writeFileSync(join(secrets, 'pepper'), execFileSync('openssl', ['rand', '-base64', '32']));
    writeFileSync(join(secrets, 'database-url'), `${postgres.url}\n`);
    const translated = Object.entries(environment).map(([name, value]) => {
      const here = value.replace('redis://redis:6379', redis.url).replace('/run/secrets', secrets);
      return [name, name === 'RELAY_OPS_PORT' ? '0' : here];
    });
    const relay = await ChildRelay.start(temporaryFolder(), Object.fromEntries(translated));
    afterThisTest(() => relay.stop('SIGKILL'));
    const ana = await new TestClient(relay.url).connected();
    afterThisTest(() => ana.close());
    const room = newRoom();
    expect((await ana.create(room)).ok).toBeDefined();
    expect((await ana.join(room)).ok?.durability).toBe('fsync');
    expect((await fetch(`${relay.url}/readyz`)).status).toBe(200);
    expect((await fetch(`${relay.url}/metrics`)).status).toBe(404);
  });
});
