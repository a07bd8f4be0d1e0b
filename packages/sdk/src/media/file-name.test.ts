import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blobType, cleanFileName, cleanMediaType } from './file-name.ts';

describe('a file name', () => {
  it.each([
    ['report.pdf', 'report.pdf'],
    ['Ärger & Freude.txt', 'Ärger & Freude.txt'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\Ana\\a.doc', 'a.doc'],
    ['.htaccess', 'htaccess'],
    ['invoice\u202Efdp.exe', 'invoicefdp.exe'],
    ['a\u0000b\nc\td.png', 'abcd.png'],
    ['<img src=x onerror=alert(1)>.png', '_img src=x onerror=alert(1)_.png'],
    ['CON.txt', '_CON.txt'],
    ['name. . ', 'name'],
    ['.. .\u0301hidden', 'hidden'],
    ['a.b..c', 'a.b..c'],
    ['', 'file'],
    ['/', 'file'],
    ['...', 'file'],
    ['\ud800', 'file'],
    ['گزارش\u200cها.pdf', 'گزارش\u200cها.pdf'],
    ['👨\u200d👩\u200d👧.png', '👨\u200d👩\u200d👧.png'],
    ['\u3164\u2800', 'file'],
    ['\u3164.\u0301\u200b.pdf', 'pdf'],
  ])('%j is shown as %j', (name, shown) => {
    expect(cleanFileName(name)).toBe(shown);
  });

  it('of 1000 characters keeps its extension', () => {
    const shown = cleanFileName(`${'x'.repeat(1000)}.jpeg`);
    expect(shown).toHaveLength(120);
    expect(shown.endsWith('.jpeg')).toBe(true);
  });

  it.each([
    `${'漢'.repeat(200)}.txt`,
    `${'ж'.repeat(119)}.жжжжжжжж`,
    `${'😀'.repeat(200)}.jpeg`,
    `${'👩‍👩‍👧‍👦'.repeat(60)}.png`,
    `${'e\u0301\u0327\u0330'.repeat(100)}.txt`,
    `${'क्षि'.repeat(100)}.pdf`,
    `a${'\u0301'.repeat(500)}.txt`,
    '漢'.repeat(200),
    `a.${'漢'.repeat(200)}`,
    `${'x'.repeat(115)} . . ${'x'.repeat(100)}.gz`,
  ])('fits a file system, with its extension, whole characters and no end that Windows drops: %j', (name) => {
    const shown = cleanFileName(name);
    expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(255);
    expect(Buffer.byteLength(shown)).toBeGreaterThan(100);
    expect([...shown].length).toBeLessThanOrEqual(120);
    const extension = /\.[\p{L}]{1,16}$/u.exec(name)?.[0] ?? '';
    expect(shown.endsWith(extension)).toBe(true);
    const characters = (text: string) => Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
    const stem = characters(shown.slice(0, shown.length - extension.length));
    if (!name.includes('\u0301'.repeat(500))) expect(characters(name.normalize('NFC')).slice(0, stem.length)).toEqual(stem);
    expect(stem.at(-1)).not.toMatch(/[. ]/);
  });

  it.each(['CON', 'con.txt', 'Aux', 'NUL.tar.gz', 'com1', 'COM¹.log', 'LPT³', 'CONIN$', 'conout$.txt', 'PRN .txt'])(
    'that Windows takes for a device is another one: %j',
    (name) => {
      expect(cleanFileName(name)).toBe(`_${name}`);
    },
  );
  it.each(['console.log', 'falcon.txt', 'auxiliary.txt', 'com10.txt', 'nullable', 'conin.txt'])(
    'that only begins like a device stays: %j',
    (name) => {
      expect(cleanFileName(name)).toBe(name);
    },
  );

  it('is clean once it was cleaned, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        const shown = cleanFileName(name);
        expect(shown.length).toBeGreaterThan(0);
        expect([...shown].length).toBeLessThanOrEqual(120);
        expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(255);
        expect(cleanFileName(shown)).toBe(shown);
        expect(shown).not.toMatch(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069/\\<>:"|?*]/u);
        expect(shown.startsWith('.')).toBe(false);
      }),
    );
  });
});

describe('a media type', () => {
  it.each([
    ['image/PNG', 'image/png'],
    ['audio/webm;codecs=opus', 'audio/webm;codecs=opus'],
    ['text/html', 'text/html'],
    [' image/png ', 'image/png'],
    ['', 'application/octet-stream'],
    ['image', 'application/octet-stream'],
    ['image/png\r\nX: y', 'application/octet-stream'],
    [`a/${'x'.repeat(1000)}`, 'application/octet-stream'],
  ])('%j is taken as %j', (type, taken) => {
    expect(cleanMediaType(type)).toBe(taken);
  });

  it('that could act when it is opened is not given to a Blob', () => {
    for (const type of ['text/html', 'image/svg+xml', 'application/pdf', 'application/xhtml+xml', 'text/xml', 'image/pngx']) {
      expect(blobType(type)).toBe('application/octet-stream');
    }
    for (const type of ['image/png', 'audio/webm;codecs=opus', 'video/mp4', 'text/plain']) expect(blobType(type)).toBe(type);
  });
});
