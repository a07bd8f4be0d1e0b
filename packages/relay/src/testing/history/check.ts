import type { Recorder } from './recorder.ts';

/**
 * Looks at what members sent, what was acknowledged, and what each was told in which order. Every violation of the relay's
 * promises is one line.
 */
export function checkHistory(recorders: readonly Recorder[], { mayForget = false }: { mayForget?: boolean } = {}): string[] {
  const violations = recorders.flatMap((recorder, i) => recorder.broken.map((text) => `member ${i}: ${text}`));
  // A new epoch announces a loss. A relay that said its frames survive must have none to announce.
  const renewed = recorders.filter(({ epochs }) => epochs.length > 1).length;
  if (renewed > 0 && !mayForget) violations.push(`${renewed} members were told a new epoch`);
  const order = new Map<string, string>();
  recorders.forEach((recorder, member) => {
    violations.push(...oneOrder(recorder, member, order));
  });
  const readers = recorders.map(reader);
  recorders.forEach((sender, from) => {
    for (const [cid, { seq, epoch }] of sender.sent) {
      if (seq === undefined || epoch === undefined) continue;
      readers.forEach((accounts, to) => {
        if (accounts(cid, epoch, seq)) return;
        violations.push(`frame ${seq} of member ${from}, acknowledged, did not reach member ${to}, who was told of no loss`);
      });
    }
  });
  return violations;
}

/** One member's part: each frame once, rising places, and the same frame in the same place as for everyone else. */
function oneOrder({ told }: Recorder, member: number, order: Map<string, string>): string[] {
  const violations: string[] = [];
  const seen = new Set<string>();
  let last = { epoch: '', seq: 0 };
  for (const entry of told) {
    if (entry.kind === 'gap') continue;
    const { epoch, seq, cid } = entry;
    if (seen.has(`${epoch} ${cid}`)) violations.push(`member ${member} was sent frame ${seq} twice`);
    seen.add(`${epoch} ${cid}`);
    if (epoch === last.epoch && seq <= last.seq) violations.push(`member ${member} was sent ${seq} after ${last.seq}`);
    last = { epoch, seq };
    const place = `${epoch} ${seq}`;
    const known = order.get(place);
    if (known !== undefined && known !== cid) violations.push(`member ${member} has another frame in place ${seq}`);
    order.set(place, cid);
  }
  return violations;
}

/** Whether a member can account for a frame: it came, its place is in an announced gap, or a later epoch announced that the log went back. */
function reader({ told, epochs }: Recorder): (cid: string, epoch: string, seq: number) => boolean {
  const frames = new Set(told.flatMap((entry) => (entry.kind === 'frame' ? [entry.cid] : [])));
  const gaps = told.flatMap((entry) => (entry.kind === 'gap' ? [entry] : []));
  const inGap = (epoch: string, seq: number) => gaps.some((gap) => gap.epoch === epoch && gap.from <= seq && seq <= gap.to);
  return (cid, epoch, seq) => frames.has(cid) || inGap(epoch, seq) || epochs.at(-1) !== epoch;
}
