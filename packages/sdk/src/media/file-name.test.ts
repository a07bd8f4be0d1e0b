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

  it('is clean once it was cleaned, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        const shown = cleanFileName(name);
        expect(shown.length).toBeGreaterThan(0);
        expect([...shown].length).toBeLessThanOrEqual(121);
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
