import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { QsecError } from '../errors.ts';
import { Etsi014Client, type Etsi014FailureReason, type Etsi014Status } from '../key-source/etsi014/index.ts';
import type { Command, OptionValues, Terminal } from './command.ts';
import { count, flag, given, text, UsageError } from './values.ts';

const HELP = `qsec2 etsi014 doctor: probe a key management entity (ETSI GS QKD 014) and say what is wrong

Usage: qsec2 etsi014 doctor --kme URL --peer SAE --cert FILE --key FILE [options]

  --kme URL            address of the key management entity, such as https://kme.example
  --peer SAE           identifier of the other application
  --cert FILE          this application's certificate, PEM
  --key FILE           its private key, PEM
  --ca FILE            the authority that signed the KME's certificate, PEM (default: those Node trusts)
  --passphrase-env VAR environment variable that holds the private key's passphrase
  --draw               also fetch one key, which the KME then gives to nobody else but the peer; it is not shown
  --timeout MS         for each request (10000)
  --json               print one JSON object

Exits 0 when all is well, 1 when something is wrong, 2 when an option makes no sense.
`;

interface Finding {
  check: string;
  ok: boolean;
  /** What was found. */
  found: string;
  /** What to do about it. */
  advice?: string;
}

export const doctor: Command = {
  name: 'etsi014 doctor',
  summary: 'probe a key management entity (ETSI GS QKD 014) and say what is wrong',
  help: HELP,
  options: {
    kme: { type: 'string' },
    peer: { type: 'string' },
    cert: { type: 'string' },
    key: { type: 'string' },
    ca: { type: 'string' },
    'passphrase-env': { type: 'string' },
    draw: { type: 'boolean' },
    timeout: { type: 'string' },
    json: { type: 'boolean' },
  },
  async run(values, terminal) {
    const findings = await examine(values, terminal);
    const healthy = findings.every(({ ok }) => ok);
    terminal.out(flag(values, 'json') ? `${JSON.stringify({ healthy, findings }, null, 2)}\n` : asText(findings, healthy));
    return healthy ? 0 : 1;
  },
};

const asText = (findings: readonly Finding[], healthy: boolean): string =>
  [
    ...findings.map(
      ({ check, ok, found, advice }) => `${ok ? 'ok  ' : 'FAIL'}  ${check}: ${found}${advice ? `\n      → ${advice}` : ''}`,
    ),
    '',
    healthy ? 'All is well.' : 'Something is wrong: see the first line that says FAIL.',
    '',
  ].join('\n');

/** Runs the checks in the order in which they depend on each other, up to the first that fails. */
async function examine(values: OptionValues, terminal: Terminal): Promise<Finding[]> {
  const files = await readFiles(values);
  const findings = credentialFindings(files);
  if (findings.some(({ ok }) => !ok)) return findings;
  const client = new Etsi014Client({
    kme: required(values, 'kme'),
    peer: required(values, 'peer'),
    cert: files.cert,
    key: files.key,
    ...given('ca', files.ca),
    ...given('passphrase', files.passphrase),
    ...given('timeoutMs', count(values, 'timeout')),
  });
  const { signal } = terminal;
  const status = await attempt('status', () => client.status({ signal }), describeStatus);
  findings.push(status.finding);
  if (status.value) findings.push(...statusFindings(status.value));
  if (status.value && flag(values, 'draw')) {
    const draw = await attempt(
      'one key',
      () => client.encKeys({ signal }),
      ([key]) => `${(key?.key.length ?? 0) * 8} bits under ${key?.id}`,
    );
    for (const { key } of draw.value ?? []) key.fill(0);
    findings.push(draw.finding);
  }
  return findings;
}

function required(values: OptionValues, name: string): string {
  const value = text(values, name);
  if (value === undefined || value === '') throw new UsageError(`--${name} is missing`);
  return value;
}

interface Files {
  cert: string;
  key: string;
  ca: string | undefined;
  passphrase: string | undefined;
}

async function readFiles(values: OptionValues): Promise<Files> {
  for (const name of ['kme', 'peer', 'cert', 'key']) required(values, name);
  const variable = text(values, 'passphrase-env');
  const passphrase = variable === undefined ? undefined : process.env[variable];
  if (variable !== undefined && passphrase === undefined)
    throw new UsageError(`--passphrase-env names ${variable}, which is not set`);
  const ca = text(values, 'ca');
  return {
    cert: await readFile(required(values, 'cert'), 'utf8'),
    key: await readFile(required(values, 'key'), 'utf8'),
    ca: ca === undefined ? undefined : await readFile(ca, 'utf8'),
    passphrase,
  };
}

/** What can be told about the files before anything is sent. */
function credentialFindings({ cert, key, ca, passphrase }: Files): Finding[] {
  const certificate = parsed(() => new X509Certificate(cert));
  const privateKey = parsed(() => createPrivateKey({ key, ...given('passphrase', passphrase) }));
  const findings = [validity('certificate', certificate), keyFinding(privateKey, certificate)];
  if (ca !== undefined)
    findings.push(
      validity(
        'authority',
        parsed(() => new X509Certificate(ca)),
      ),
    );
  return findings;
}

function parsed<T>(read: () => T): T | Error {
  try {
    return read();
  } catch (error) {
    return error as Error;
  }
}

function validity(check: string, certificate: X509Certificate | Error): Finding {
  if (certificate instanceof Error)
    return {
      check,
      ok: false,
      found: 'not a PEM certificate',
      advice: 'Give a file that begins with -----BEGIN CERTIFICATE-----.',
    };
  const subject = certificate.subject.replaceAll('\n', ', ');
  const [from, to, now] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo), Date.now()];
  if (now > to) return { check, ok: false, found: `${subject}, expired on ${certificate.validTo}`, advice: 'Have it renewed.' };
  if (now < from)
    return {
      check,
      ok: false,
      found: `${subject}, not valid before ${certificate.validFrom}`,
      advice: "Check this machine's clock.",
    };
  return { check, ok: true, found: `${subject}, until ${certificate.validTo}` };
}

function keyFinding(key: KeyObject | Error, certificate: X509Certificate | Error): Finding {
  const check = 'private key';
  if (key instanceof Error)
    return {
      check,
      ok: false,
      found: 'cannot be read',
      advice: 'Give a PEM private key, and --passphrase-env when it is encrypted.',
    };
  const belongs = certificate instanceof Error || certificate.checkPrivateKey(key);
  return belongs
    ? { check, ok: true, found: `${key.asymmetricKeyType}` }
    : {
        check,
        ok: false,
        found: 'does not belong to the certificate',
        advice: 'Give the key that the certificate was made for.',
      };
}

/** What to do about each failure. */
const ADVICE: Readonly<Record<Etsi014FailureReason, string>> = {
  'size-not-multiple-of-8': "The KME's own key_size is not a multiple of 8: ask its operator.",
  'mandatory-extension-unsupported': 'The KME wants options that were not sent: ask its operator.',
  'mandatory-extension-unmet': 'The KME wants options that were not sent: ask its operator.',
  'optional-extension-unhandled': 'The KME wants options that were not sent: ask its operator.',
  'key-not-found': 'The two KMEs do not share their keys: ask their operators whether the quantum link is up.',
  'bad-request': 'Check --peer: the KME may not know an application of that name.',
  unauthorized: 'The KME does not know this certificate: have its operator register the SAE.',
  unavailable: 'The KME has no key left or is out of order: check the quantum link, and try again later.',
  'unexpected-status': 'This may be another server: check --kme, and any proxy in between.',
  unreachable:
    'Check --kme, the name server and the firewall. A KME that does not accept a certificate may cut the connection too.',
  tls: "Check --ca against the KME's certificate, that its name is the one in --kme, and that it knows this client's authority.",
  timeout: 'The KME accepts connections and does not answer: ask its operator, or give a longer --timeout.',
  'response-too-large': 'This may be another server: check --kme.',
  'malformed-response': 'The server does not speak ETSI GS QKD 014 as published: check --kme and its version.',
};

async function attempt<T>(
  check: string,
  work: () => Promise<T>,
  found: (value: T) => string,
): Promise<{ finding: Finding; value: T | undefined }> {
  try {
    const value = await work();
    return { finding: { check, ok: true, found: found(value) }, value };
  } catch (error) {
    if (!QsecError.is(error, 'KEY_SOURCE_FAILED')) throw error;
    const reason = error.details.reason as Etsi014FailureReason;
    return { finding: { check, ok: false, found: `${error.message} (${reason})`, advice: ADVICE[reason] }, value: undefined };
  }
}

const describeStatus = ({ source_KME_ID, target_KME_ID, master_SAE_ID, slave_SAE_ID }: Etsi014Status): string =>
  `${master_SAE_ID} at ${source_KME_ID}, ${slave_SAE_ID} at ${target_KME_ID}`;

/** What the status says about fetching 256-bit keys, which is what a room needs. */
function statusFindings(status: Etsi014Status): Finding[] {
  const { stored_key_count: stored, max_key_count: most, key_size: size, min_key_size: least, max_key_size: largest } = status;
  const fits = least <= 256 && largest >= 256;
  return [
    {
      check: 'stored keys',
      ok: stored > 0,
      found: `${stored} of at most ${most}`,
      ...(stored === 0 && { advice: ADVICE.unavailable }),
    },
    {
      check: 'key sizes',
      ok: fits,
      found: `${least} to ${largest} bits, ${size} by default`,
      ...(!fits && { advice: 'Rooms need keys of 256 bits: ask the operator to allow them.' }),
    },
  ];
}
