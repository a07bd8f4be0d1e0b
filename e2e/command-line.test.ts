import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const top = fileURLToPath(new URL('..', import.meta.url));

it('the engine’s command runs in a clone, by the words of the README', () => {
  const command = /`npx (-p @qsec2\/sdk qsec2 bb84 simulate)`/.exec(readFileSync(`${top}README.md`, 'utf8'))?.[1] ?? '';
  const said = execFileSync('npx', ['--no-install', ...command.split(' '), '--pulses', '20000'], { cwd: top, encoding: 'utf8' });
  expect(said).toMatch(/^pulses +20\s000/m);
});

it('npx is told the package wherever the command is named: anybody may register another package of its name', () => {
  const pages = execFileSync('git', ['ls-files', '-z'], { cwd: top, encoding: 'utf8' }).split('\0');
  const texts = pages.filter((page) => /\.(md|ts|tsx|mjs|html|json)$/.test(page) && !/package-lock|\.test\.ts$/.test(page));
  expect(texts.length).toBeGreaterThan(100);
  expect(texts.filter((page) => /npx (-y )?qsec2[\s'"`]/.test(readFileSync(`${top}${page}`, 'utf8')))).toEqual([]);
});
