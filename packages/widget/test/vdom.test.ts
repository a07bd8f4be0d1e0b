import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '../src');

it('every component draws its texts in elements of their own, which translators may change', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.tsx'));
  expect(files.length).toBeGreaterThan(20);
  const others = files.filter((file) => !/^import \{ h \} from '.*\/vdom';$/m.test(readFileSync(join(SRC, file), 'utf8')));
  expect(others).toEqual([]);
});
