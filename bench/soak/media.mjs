import { transfer } from '../../e2e/support/file-transfer.mjs';
import { say } from '../../scripts/console.mjs';

/** `npm run soak -- media`: 1 GiB from one process to another, all connections cut three times each way. MEDIA_MIB: another size. */

const MIB = 2 ** 20;
/** What a side may hold, and what the processes may grow by, whatever the size of the file. */
const MAX_HELD = 12 * MIB;
const MAX_GROWTH = 160 * MIB;

const mib = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;

export async function run() {
  const size = Number(process.env.MEDIA_MIB ?? 1024) * MIB;
  const { sent, received, relay, cuts } = await transfer({ size, cuts: 3 });
  const growth = relay.peak === undefined ? undefined : relay.peak - relay.before;
  say(`${mib(size)}, connections cut ${cuts} times`);
  for (const [name, { seconds, use }] of Object.entries({ sender: sent, receiver: received })) {
    const rate = size / MIB / seconds;
    say(
      `${name}: ${seconds.toFixed(1)} s (${rate.toFixed(0)} MiB/s), ${use.cpuSeconds.toFixed(1)} s of processor time, ` +
        `held ${mib(use.held)} at most, process grew by ${mib(use.growth)}`,
    );
  }
  if (growth !== undefined) say(`relay: grew by ${mib(growth)}, ${relay.cpuSeconds.toFixed(1)} s of processor time`);
  const failures = [
    received.sha256 !== sent.sha256 && 'what arrived is not what was sent',
    [sent, received].some(({ use }) => use.held > MAX_HELD) && 'a side held more than it may',
    [sent.use.growth, received.use.growth, growth ?? 0].some((bytes) => bytes > MAX_GROWTH) &&
      'a process grew by more than it may',
  ].filter(Boolean);
  if (failures.length > 0) throw new Error(failures.join('; '));
  say('Byte for byte the same.');
}
