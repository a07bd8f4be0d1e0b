import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';

/**
 * Which mutants are tried: one in so many, by a hash of what is changed and into what. The same code has the same sample, and code that only
 * moves keeps it.
 *
 * @param {{ file: string; line: number; replacement: string }} mutant `file` absolute, `line` from 1
 * @param {number} oneIn
 */
export function isSampled({ file, line, replacement }, oneIn) {
  const text = lineOf(file, line).trim();
  const key = [relative(process.cwd(), file).split(sep).join('/'), text, replacement].join('\n');
  return createHash('sha256').update(key).digest().readUInt32BE(0) < 2 ** 32 / oneIn;
}

/** @type {Map<string, string[]>} */
const sources = new Map();

/**
 * @param {string} file
 * @param {number} line
 */
function lineOf(file, line) {
  const lines = sources.get(file) ?? readFileSync(file, 'utf8').split('\n');
  sources.set(file, lines);
  return lines[line - 1] ?? '';
}
