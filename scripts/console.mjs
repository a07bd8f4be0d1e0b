/** What the scripts say to the person who runs them. */

const colour = process.stdout.isTTY && !process.env.NO_COLOR;

export const say = (text) => console.log(colour ? `\x1b[1m▸ ${text}\x1b[0m` : `▸ ${text}`);

/** Ends the process with a message that says what to do. */
export function fail(message, hint) {
  console.error(`\n✖ ${message}`);
  if (hint) console.error(`  ${hint}`);
  process.exit(1);
}
