import { object, word } from '../arguments.ts';
import { type CascadeSchedule, frameFor } from './cascade-frame.ts';
import { questionsIn } from './cascade-questions.ts';
import { CascadeReceiver } from './cascade-receiver.ts';
import { CascadeSender } from './cascade-sender.ts';
import { checked } from './checked.ts';
import type { LeakAccounting, Reconciler } from './types.ts';

export interface CascadeOptions {
  /** Default `'efficient'`: fewest bits given away. `'balanced'`: fewer rounds. */
  schedule?: CascadeSchedule;
  /** Default `'pattern-public'`. */
  leak?: LeakAccounting;
}

/** Interactive reconciliation: gives away few bits in many short rounds, so it suits links without latency. */
export function cascade(options: CascadeOptions = {}): Reconciler {
  const { schedule = 'efficient', leak = 'pattern-public' } = object('options', options);
  word('schedule', schedule, ['efficient', 'balanced']);
  word('leak', leak, ['pattern-public', 'two-way']);
  const cost = leak === 'two-way' ? 2 : 1;
  return checked({
    method: 'cascade',
    name: `cascade ${schedule} ${leak}`,
    sender: (key, bits, qber) => new CascadeSender(key, frameFor(bits, qber, schedule), cost),
    receiver: (key, bits, qber) => new CascadeReceiver(key, frameFor(bits, qber, schedule), cost),
    /** The two sides as over a network, without encoding what they say. */
    local(aliceBits, bobBits, qber, bits = 8 * aliceBits.length) {
      const frame = frameFor(bits, qber, schedule);
      const sender = new CascadeSender(aliceBits, frame, cost);
      const receiver = new CascadeReceiver(bobBits, frame, cost);
      let questions = receiver.open(sender.openingParities());
      let answers = new Uint8Array(256);
      while (questions) {
        const asked = questionsIn(questions);
        if (asked > answers.length) answers = new Uint8Array(2 * asked);
        sender.parities(questions, answers);
        questions = receiver.learn(answers);
      }
      const { key, disclosed, rounds, failed } = receiver;
      return { corrected: key, disclosed, rounds, ok: !failed };
    },
  });
}
