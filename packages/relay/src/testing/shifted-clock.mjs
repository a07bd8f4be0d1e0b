// Loaded before a relay: the machine's clock as `Date` shows it, shifted by what a file says. It is read again on SIGUSR2, as if someone had
// set the clock. What is monotonic (`performance`, timers) goes on, as it does on a real machine.
import { readFileSync } from 'node:fs';

const RealDate = Date;
let shift = 0;

function set() {
  shift = Number(readFileSync(process.env.SHIFTED_CLOCK_FILE, 'utf8'));
}

globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + shift);
    else super(...given);
  }

  static now() {
    return RealDate.now() + shift;
  }
};

set();
process.on('SIGUSR2', () => {
  set();
  console.log(`the clock shows ${new Date().toISOString()}`);
});
